// Text of control, predicate and array parts and of whole bundles (disassembly.md §3, §6, §7, §8,
// §9).
#include "engine/isa/disassembler.h"

#include "engine/isa/print.h"

namespace e2k::isa {
namespace {

using print::add;
using print::condition_suffix;

constexpr std::uint32_t bits(std::uint32_t word, unsigned high, unsigned low) {
    return (word >> low) & ((2u << (high - low)) - 1);
}
constexpr bool bit(std::uint32_t word, unsigned at) { return (word >> at) & 1; }

class Lines {
public:
    explicit Lines(std::vector<DisassemblyLine>& out) : out_(out) {}
    void enter(Unit unit, int channel = -1) {
        unit_ = unit;
        channel_ = static_cast<std::int8_t>(channel);
    }
    void operator()(std::string text) { out_.push_back({std::move(text), unit_, channel_}); }

private:
    std::vector<DisassemblyLine>& out_;
    Unit unit_ = Unit::Hs;
    std::int8_t channel_ = -1;
};

void print_header(const Bundle& b, Lines& line) {
    line.enter(Unit::Hs);
    if (b.loop_mode) line("loop_mode");
    if (b.nop) line(fmt::format("nop {}", b.nop));
}

void print_advance(std::string_view name, char first, char second, unsigned value, Lines& line) {
    if (value == 0) return;
    line(
        fmt::format("{} {}{}={}, {}{}={}", name, name, first, value >> 1, name, second, value & 1));
}

void print_stubs(const Bundle& b, Lines& line) {
    const Stubs& s = b.ss;
    if (!s.present) return;
    line.enter(Unit::Ss);
    const bool call = b.cs1.present && b.cs1.raw >> 28 == 5;
    if (s.condition != 0 && s.ctop != 0 && !call)
        line(fmt::format("ct %ctpr{}{}", s.ctop, condition_suffix(s)));
    if (s.ipd) line(fmt::format("ipd {}", s.ipd));
    if (s.eap) line("eap");
    if (s.bap) line("bap");
    constexpr std::string_view kRotation[] = {"", "crp", "srp", "slrp"};
    if (s.rp) line(std::string(kRotation[s.rp & 3]));
    if (s.vfdi) line("vfdi");
    print_advance("abg", 'i', 'd', s.abg, line);
    print_advance("abn", 'f', 't', s.abn, line);
    print_advance("abp", 'f', 't', s.abp, line);
    print_advance("alc", 'f', 't', s.alc, line);
}

bool is_indirect_call(const Bundle& b) {
    const unsigned ctopc = bits(b.cs1.raw, 9, 7);
    return b.cs1.present && b.cs1.raw >> 28 == 5 && (ctopc == 1 || ctopc == 2);
}

/// ibranch, done, iret, hret, glaunch: guarded by SS.ctcond.
void print_conditional(const Bundle& b, std::string_view name, const std::string& operand,
                       Lines& line) {
    if (!b.ss.present || b.ss.ctop != 0)
        line(fmt::format("invalid {}", name));
    else if ((b.ss.raw & 0x1ff) != 0 && !is_indirect_call(b))
        line(fmt::format("{}{}{}", name, operand, condition_suffix(b.ss)));
}

std::uint64_t displaced(const Bundle& b, std::uint32_t raw) {
    const auto disp = static_cast<std::int64_t>(static_cast<std::int32_t>(raw << 4) >> 4);
    return b.address + static_cast<std::uint64_t>(disp * 8);
}

void print_control0(const Bundle& b, Lines& line) {
    if (!b.cs0.present) return;
    line.enter(Unit::Cs0);
    const std::uint32_t raw = b.cs0.raw;
    const unsigned code = raw >> 28, ctpr = raw >> 30, low = raw & 7;
    switch (code) {
        case 0x0:
            print_conditional(b, "ibranch", fmt::format(" 0x{:x}", displaced(b, raw)), line);
            break;
        case 0x1:
            line(fmt::format("pref %ipr{}, disp = 0x{:x}, ipd = {}", low, bits(raw, 27, 4),
                             bits(raw, 3, 3)));
            break;
        case 0x2:
            line(fmt::format("puttsd 0x{:x}", displaced(b, raw)));
            break;
        case 0x3:
            print_conditional(b,
                              low == 2   ? "iret"
                              : low == 3 ? "hret"
                              : low == 4 ? "glaunch"
                                         : "done",
                              "", line);
            break;
        case 0x4:
        case 0x8:
        case 0xc:
        case 0x9:
            line(fmt::format("{} %ctpr{}, 0x{:x}", code == 9 ? "ldisp" : "disp", ctpr,
                             displaced(b, raw)));
            break;
        case 0x6:
        case 0xa:
        case 0xe:
            line(fmt::format("sdisp %ctpr{}, 0x{:x}", ctpr, raw & 0x1f));
            break;
        case 0x7:
        case 0xb:
            line(fmt::format("{}gettsd %ctpr{}", low == 1 ? "" : "invalid ", ctpr));
            break;
        case 0xf:
            line(fmt::format("{} %ctpr3", low == 1 ? "gettsd" : "return"));
            break;
        default:
            break;  // 5 and 0xd print an empty line
    }
}

void print_window(const Bundle& b, Lines& line) {
    const Control1& c = b.cs1;
    if (c.vfrpsz)
        line(b.lts_count ? fmt::format("vfrpsz rpsz = 0x{:x}", c.rpsz) : "<bogus vfrpsz>");
    if (c.setwd && b.lts_count == 0)
        line("<bogus setwd>");
    else if (c.setwd) {
        auto text = fmt::format("setwd wsz = 0x{:x}, nfx = 0x{:x}", c.wsz, c.nfx ? 1 : 0);
        if (b.iset >= 3) add(text, ", dbl = 0x{:x}", c.dbl ? 1 : 0);
        line(std::move(text));
    }
    if (c.setbn)
        line(fmt::format("setbn rbs = 0x{:x}, rsz = 0x{:x}, rcur = 0x{:x}", c.rbs, c.rsz, c.rcur));
    if (c.setbp) line(fmt::format("setbp psz = 0x{:x}", c.psz));
}

void print_wait(const Bundle& b, Lines& line) {
    const unsigned w = b.cs1.wait;
    std::string text = "wait ";
    const auto field = [&](std::string_view name, unsigned at) {
        if (text.back() != ' ') text += ", ";
        add(text, "{} = {}", name, (w >> at) & 1);
    };
    if (b.iset >= 5 && bit(w, 3)) field("sal", 8);
    if (b.iset >= 5 && bit(w, 2)) field("sas", 7);
    if (b.iset >= 2) field("trap", 6);
    constexpr std::pair<std::string_view, unsigned> kFields[] = {
        {"ma_c", 5}, {"fl_c", 4}, {"ld_c", 3}, {"st_c", 2}, {"all_e", 1}, {"all_c", 0}};
    for (const auto& [name, at] : kFields) field(name, at);
    line(std::move(text));
}

void print_call(const Bundle& b, Lines& line) {
    const unsigned wbs = bits(b.cs1.raw, 6, 0), ctopc = bits(b.cs1.raw, 9, 7);
    const auto tail = fmt::format(", wbs = 0x{:x}{}", wbs, condition_suffix(b.ss));
    if (b.ss.present && b.ss.ctop != 0)
        line(fmt::format("call %ctpr{}{}", b.ss.ctop, tail));
    else if (!is_indirect_call(b) || !b.cs0.present)
        line("<bogus call>");
    else if (b.cs0.raw >> 28 == 0)
        line(ctopc == 1 ? fmt::format("icall 0x{:x}{}", bits(b.cs0.raw, 27, 0), tail)
                        : fmt::format("hcall 0x{:x}{}", bits(b.cs0.raw, 4, 1), tail));
}

void print_flush(const Bundle& b, Lines& line) {
    constexpr std::string_view kNames[] = {"flushr", "flushc", "fillr", "fillc"};
    for (unsigned i = 0; i < 4; ++i)
        if (bit(b.cs1.raw, i))
            line(fmt::format("{}{}", i >= 2 && b.iset < 6 ? "unimp " : "", kNames[i]));
}

void print_control1(const Bundle& b, Lines& line) {
    const Control1& c = b.cs1;
    if (!c.present) return;
    line.enter(Unit::Cs1);
    switch (c.kind) {
        case Cs1Kind::None:
        case Cs1Kind::Mas:
            break;
        case Cs1Kind::Setr0:
        case Cs1Kind::Setr1:
        case Cs1Kind::Setbr:
            print_window(b, line);
            break;
        case Cs1Kind::Setei:
            line(fmt::format("setei 0x{:x}", c.setei));
            break;
        case Cs1Kind::Setsft:
            line(b.iset >= 2 ? "setsft" : "unimp");
            break;
        case Cs1Kind::Wait:
            print_wait(b, line);
            break;
        case Cs1Kind::Call:
            print_call(b, line);
            break;
        case Cs1Kind::Flush:
            print_flush(b, line);
            break;
        case Cs1Kind::Vfbg:
            line(fmt::format("vfbg umask = 0x{:x}, dmask = 0x{:x}, chkm4 = 0x{:x}",
                             bits(c.raw, 7, 0), bits(c.raw, 15, 8), bits(c.raw, 16, 16)));
            break;
        case Cs1Kind::Reserved:
            line("unimp");
    }
}

void print_mova(const Bundle& b, Lines& line) {
    constexpr std::string_view kNames[] = {"reserved", "movab", "movah",    "movaw",
                                           "movad",    "movaq", "reserved", "movaqp"};
    for (unsigned i = 0; i < b.mova.size(); ++i) {
        const MovaOp& m = b.mova[i];
        if (!m.present) continue;
        line.enter(Unit::Aas, static_cast<int>(i));
        line(fmt::format("{},{} area = {}, ind = {}, am = {}, be = {}, {}", kNames[m.opcode & 7], i,
                         m.area, m.ind, m.am ? 1 : 0, m.be ? 1 : 0,
                         print::destination_text(m.dst, m.opcode < 5 ? 'd' : 'q')));
    }
}

/// Local predicates @p0..@p3 are inputs, @p4..@p6 results of CLP 0..2. An absent PLS reads as 0.
class PredicatePrinter {
public:
    PredicatePrinter(const PredicateLogic& p, Lines& line) : raw_(p.raw), line_(line) {
        for (unsigned i = 0; i < kClps; ++i)
            if (bit(raw_[i], 5)) use_clp(i);
    }

    void print() {
        for (unsigned i = kClps; i-- > 0;) {
            line_.enter(Unit::Pls, static_cast<int>(i));
            if (i < 2)
                for (unsigned k = 2 * i; k < 2 * i + 2; ++k) print_input(k);
            if (used_[4 + i]) print_clp(i);
        }
    }

private:
    static constexpr unsigned kClps = 3;

    void use(unsigned local) {
        if (local >= 4 && local < 7)
            use_clp(local - 4);
        else if (local < 4)
            used_[local] = true;
    }
    void use_clp(unsigned i) {
        if (used_[4 + i]) return;
        used_[4 + i] = true;
        use(bits(raw_[i], 12, 10));
        use(bits(raw_[i], 8, 6));
    }

    unsigned input_code(unsigned k) const {
        return k & 1 ? bits(raw_[k / 2], 22, 16) : bits(raw_[k / 2], 30, 24);
    }

    void print_input(unsigned k) {
        const unsigned code = input_code(k);
        const bool random = code > 0x40 && code < 0x50;
        if (used_[k] || random) line_(fmt::format("pass {}, @p{}", elp_text(code), k));
    }

    void print_clp(unsigned i) {
        constexpr std::string_view kNames[] = {"andp", "landp", "reserved", "movep"};
        const std::uint32_t w = raw_[i];
        line_(fmt::format("{} {}@p{}, {}@p{}, @p{}", kNames[bits(w, 15, 14)], bit(w, 13) ? "~" : "",
                          bits(w, 12, 10), bit(w, 9) ? "~" : "", bits(w, 8, 6), 4 + i));
        if (bit(w, 5)) line_(fmt::format("pass @p{}, %pred{}", 4 + i, bits(w, 4, 0)));
    }

    std::array<std::uint32_t, 3> raw_;
    Lines& line_;
    std::array<bool, 7> used_{};
};

std::string mlock_or_diagnostic(unsigned psrc) {
    std::string text = "%MLOCK";
    if ((psrc & 0xf) == 0) return text;
    text += " || %dt_al";
    constexpr char kChannelDigits[] = {'0', '1', '3', '4'};
    for (unsigned k = 0; k < 4; ++k)
        if (bit(psrc, k)) text += kChannelDigits[k];
    return text;
}

std::string mlock_or_local(unsigned psrc) {
    constexpr unsigned kCompareChannels[] = {0, 1, 3, 4};
    const auto sign = [&](unsigned at) { return bit(psrc, at) ? "~" : ""; };
    const unsigned k = bits(psrc, 2, 1);
    switch (bits(psrc, 4, 3)) {
        case 0:
            return fmt::format("%MLOCK || {}%cmp{}", sign(0), kCompareChannels[k]);
        case 1: {
            const unsigned first = bit(psrc, 2) ? 3 : 0;
            return fmt::format("%MLOCK || {}%cmp{} || {}%cmp{}", sign(1), first, sign(0),
                               first + 1);
        }
        case 2:
            return fmt::format("%MLOCK || {}%clp{}", sign(0), k);
        default:
            return {};
    }
}

std::string async_half_text(const AsyncHalf& h, bool left, int iset) {
    auto text =
        left ? fmt::format("apb ct={}", h.ct ? 1 : 0) : fmt::format("apb dpl={}", h.dpl ? 1 : 0);
    const bool old = iset <= 1;
    if (h.fmt != 0) {
        if (old) add(text, ", si={}", h.si ? 1 : 0);
        add(text, ", dcd={}", h.dcd);
    }
    add(text, ", fmt={}", h.fmt);
    if (h.fmt == 0) return text;
    add(text, ", mrng={}, d={}", h.mrng, h.d);
    if (old && h.si)
        add(text, ", be={}, am={}, area={}", bits(h.aps, 14, 14), bits(h.aps, 13, 13),
            bits(h.aps, 12, 8));
    else
        add(text, ", incr={}, ind={}", h.incr, h.ind);
    add(text, ", asz={}, abs={}, disp=0x{:x}", h.asz, h.abs, h.disp);
    return text;
}

}  // namespace

std::string elp_text(unsigned code) {
    if (code == 0) return "%lcntex";
    if (code == 0x40) return "%bgrpred";
    if (code >= 0x60) return fmt::format("%pred{}", code & 0x1f);
    if (code >= 0x50) return "<invalid pred>";
    if (code > 0x40) return fmt::format("%rndpred{}", code & 0xf);
    std::string text = "%spred";
    for (unsigned channel = 0; channel < 5; ++channel)  // objdump never shows channel 5
        if (bit(code, channel)) add(text, "{}", channel);
    return text;
}

std::string condition_text(const Stubs& ss) {
    const unsigned p = ss.psrc;
    switch (ss.condition) {
        case 0:
        case 1:
            return {};
        case 2:
            return fmt::format("%pred{}", p);
        case 3:
            return fmt::format("~%pred{}", p);
        case 4:
            return "%LOOP_END";
        case 5:
            return "%NOT_LOOP_END";
        case 6:
            return fmt::format("%pred{} || %LOOP_END", p);
        case 7:
            return fmt::format("~%pred{} && %NOT_LOOP_END", p);
        case 8:
            return mlock_or_diagnostic(p);
        case 9:
            return mlock_or_local(p);
        case 14:
            return fmt::format("~%pred{} || %LOOP_END", p);
        case 15:
            return fmt::format("%pred{} && %NOT_LOOP_END", p);
        default:
            return "<reserved condition type>";
    }
}

std::string print::condition_suffix(const Stubs& ss) {
    if (ss.condition == 1) return {};
    const auto text = condition_text(ss);
    return text.empty() ? " ?" : " ? " + text;
}

std::vector<DisassemblyLine> disassemble_lines(const Bundle& b, const DisassemblyStyle& style) {
    std::vector<DisassemblyLine> out;
    Lines line(out);
    print_header(b, line);
    print_stubs(b, line);
    for (int c = 0; c < kChannels; ++c)
        if (b.has_als(c)) print::append_als_lines(b, c, style, out);
    print_control0(b, line);
    print_control1(b, line);
    print_mova(b, line);
    PredicatePrinter(b.plu, line).print();
    return out;
}

std::vector<std::string> disassemble(const Bundle& bundle, const DisassemblyStyle& style) {
    std::vector<std::string> out;
    for (auto& line : disassemble_lines(bundle, style)) out.push_back(std::move(line.text));
    return out;
}

std::vector<std::string> disassemble_async(std::span<const std::uint32_t, 4> words, int iset) {
    return {async_half_text(decode_async_half(words[0], words[1], true), true, iset),
            async_half_text(decode_async_half(words[2], words[3], false), false, iset)};
}

}  // namespace e2k::isa
