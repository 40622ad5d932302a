// Bit fields of the syllables of a bundle (bundles.md §2, syllables.md §1, §2, §3, §5, §6, §7, §8,
// §9).
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/isa/describe.h"
#include "engine/isa/disassembler.h"

namespace e2k::isa {
namespace {

constexpr bool bit(std::uint32_t word, unsigned at) { return (word >> at) & 1; }

/// Collects the fields of one syllable; bits nobody names become "unused".
class Fields {
public:
    explicit Fields(std::uint32_t raw, unsigned width = 32) : raw_(raw), next_(width) {}

    /// The field below the last one, down to bit `low`.
    Fields& operator()(std::string_view name, unsigned low, std::string meaning = {}) {
        const unsigned high = next_ - 1;
        const std::uint32_t value = (raw_ >> low) & ((2u << (high - low)) - 1);
        list_.push_back({name, static_cast<std::uint8_t>(high), static_cast<std::uint8_t>(low),
                         value, std::move(meaning)});
        next_ = low;
        return *this;
    }
    std::vector<BitField> take() {
        if (next_ > 0) (*this)("unused", 0);
        return std::move(list_);
    }

private:
    std::uint32_t raw_;
    unsigned next_;
    std::vector<BitField> list_;
};

std::string channel_list(unsigned mask, std::string_view name) {
    std::string out;
    for (unsigned c = 0; c < kChannels; ++c)
        if (bit(mask, c)) out += fmt::format("{}{}{}", out.empty() ? "" : ", ", name, c);
    return out;
}

std::string when(bool set, std::string_view words) { return set ? std::string(words) : ""; }

std::vector<BitField> header_fields(const Bundle& b) {
    const std::uint32_t hs = b.hs;
    const unsigned al = hs >> 26, ale = (hs >> 20) & 0x3f;
    Fields f(hs);
    f("al", 26, channel_list(al, "ALS"))("ale", 20, channel_list(ale, "ALES"));
    f("pl", 18, "PLS words")("cd", 16, "CDS words");
    f("c1", 15, when(bit(hs, 15), "CS1 present"))("c0", 14, when(bit(hs, 14), "CS0 present"));
    f("sw", 13, when(bit(hs, 13), "software mark"))("s", 12, when(bit(hs, 12), "SS present"));
    f("unused", 11)("lm", 10, when(bit(hs, 10), "loop_mode"));
    f("nop", 7, fmt::format("{} empty cycles follow", b.nop));
    f("lng", 4, fmt::format("{} bytes", b.length));
    f("mdl", 0, fmt::format("front part of {} words", (hs & 15) + 1));
    return f.take();
}

std::string advance_text(unsigned value, std::string_view first, std::string_view second) {
    if (value == 0) return {};
    return fmt::format("{}{}{}", value & 2 ? first : "", value == 3 ? " and " : "",
                       value & 1 ? second : "");
}

std::vector<BitField> stubs_fields(const Stubs& s) {
    constexpr std::string_view kRecovery[] = {"", "crp", "srp", "slrp"};
    constexpr std::string_view kTaken = "when taken", kNot = "when not taken";
    const auto condition = s.condition == 0   ? std::string("never")
                           : s.condition == 1 ? std::string("always")
                                              : condition_text(s);
    const auto transfer = s.ctop ? fmt::format("%ctpr{}", s.ctop) : std::string();
    Fields f(s.raw);
    f("ipd", 30, "prefetch depth");
    if (s.format2) {
        f("ts_opc.hi", 28)("rp.hi", 27, std::string(kRecovery[s.rp & 3]))("ts_opc.lo", 26);
        f("rp.lo", 25)("unused", 21)("format", 20, "format 2")("unused", 12);
    } else {
        f("eap", 29, when(s.eap, "stop array prefetch"));
        f("bap", 28, when(s.bap, "start array prefetch"));
        f("rp.hi", 27, std::string(kRecovery[s.rp & 3]))("vfdi", 26)("rp.lo", 25);
        f("abg", 23, advance_text(s.abg, "i", "d"));
        f("abn", 21, advance_text(s.abn, kNot, kTaken))("format", 20, "format 1");
        f("abp", 18, advance_text(s.abp, kNot, kTaken));
        f("alc", 16, advance_text(s.alc, kNot, kTaken));
        f("aa", 12, channel_list((s.raw >> 12) & 0xf, "mova,"));
    }
    f("ctop", 10, transfer)("unused", 9)("ctcond.type", 5, condition)("ctcond.psrc", 0);
    return f.take();
}

/// Byte 3 (first source, its constant or window base) and byte 2 of an ALS.
void source_fields(const Bundle& b, const AlsOp& a, Fields& f) {
    const Operation& op = *a.op;
    if (op.format == Format::Alopf16)
        f("state register", 16, operand_text(b, a.src1));
    else if (op.format == Format::Alopf12Icalld)
        f("wbs", 16, "window base in quads");
    else if (op.src1 != Width::None)
        f("src1", 16, operand_text(b, a.src1));
    else
        f("opce1", 16, op.opce1 >= 0 ? "part of the operation code" : "");
    if (op.src2 != Width::None)
        f("src2", 8, operand_text(b, a.src2));
    else
        f("unused", 8);
}

void array_fields(const Bundle& b, const AlsOp& a, Fields& f) {
    const AauAddress& u = a.aau;
    if (a.op->format == Format::Aaurw || a.op->format == Format::Aaurr) {
        f("d", 19)("ind", 15)("group", 10, aau_register_name(u))("unused", 8);
    } else {
        f("d", 19, fmt::format("%aad{}", u.d))("ind", 15, fmt::format("%aasti{}", u.ind));
        f("incr", 12, fmt::format("%aaincr{}", u.incr))("unused", 11);
        f("am", 10, when(u.am, "incr follows"));
        f("lt", 8, u.lt ? fmt::format("offset in LTS{}", u.lt - 1) : std::string("no offset"));
    }
    const bool stores = a.data.kind != OperandKind::None;
    f(stores ? "data" : "dst", 0, operand_text(b, stores ? a.data : a.dst));
}

std::vector<BitField> als_fields(const Bundle& b, const AlsOp& a) {
    Fields f(a.als);
    f("spec", 31, when(a.speculative, "speculative: no trap, diagnostic value instead"));
    f("cop", 24, a.op ? std::string(a.op->mnemonic) : "unassigned here");
    if (!a.op) {
        f("byte3", 16)("byte2", 8)("byte1", 0);
        return f.take();
    }
    switch (a.op->format) {
        case Format::Alopf10:
        case Format::Alopf19:
        case Format::Aaurw:
        case Format::Aaurr:
            array_fields(b, a, f);
            return f.take();
        case Format::Alopf7:
        case Format::Alopf8:
        case Format::Alopf17:
            source_fields(b, a, f);
            f("cmpopce", 5, a.op->format == Format::Alopf17 ? "" : "kind of comparison");
            f("pdst", 0, operand_text(b, a.dst));
            return f.take();
        default:
            break;
    }
    source_fields(b, a, f);
    if (a.data.kind != OperandKind::None)
        f("data", 0, operand_text(b, a.data));
    else
        f("dst", 0, operand_text(b, a.dst));
    return f.take();
}

std::string_view opcode2_name(unsigned value) {
    constexpr std::string_view kNames[] = {
        "",       "EXT",    "EXT1",   "EXT2",   "FLB",   "FLH",   "FLW",     "FLD",
        "ICMB0",  "ICMB1",  "ICMB2",  "ICMB3",  "FCMB0", "FCMB1", "PFCMB0",  "PFCMB1",
        "LCMBD0", "LCMBD1", "LCMBQ0", "LCMBQ1", "",      "",      "QPFCMB0", "QPFCMB1"};
    return value < std::size(kNames) ? kNames[value] : std::string_view{};
}

std::vector<BitField> ales_fields(const Bundle& b, const AlsOp& a) {
    Fields f(a.ales, 16);
    f("opc2", 8, std::string(opcode2_name(a.ales >> 8u)));
    if (!a.op || !a.has_ales) {
        f("low", 0, a.has_ales ? "" : "filler, HS.ale is clear");
        return f.take();
    }
    switch (a.op->format) {
        case Format::Alopf21:
        case Format::Alopf21Merge:
            f("src3", 0, operand_text(b, a.src3));
            break;
        case Format::Alopf11Lit8:
        case Format::Alopf12Pshufh:
            f("lit8", 0, "literal");
            break;
        case Format::Alopf17:
            f("cmpopce", 0, "kind of comparison");
            break;
        default:
            f("opce2", 0, "part of the operation code");
    }
    return f.take();
}

std::vector<BitField> control0_fields(const Bundle& b) {
    const Control0& c = b.cs0;
    const unsigned code = c.raw >> 28;
    const auto target = fmt::format("0x{:x}", c.target);
    const auto transfer = fmt::format("%ctpr{}", c.ctpr);
    Fields f(c.raw);
    switch (code) {
        case 0x0:
        case 0x2:
            f("opc", 28,
              b.cs1.icall || b.cs1.hcall ? "target of the call in CS1"
              : code == 0                ? "ibranch"
                                         : "puttsd");
            f("disp", 0, target);
            break;
        case 0x1:
            f("opc", 28, "pref")("disp", 4)("ipd", 3)("ipr", 0);
            break;
        case 0x3:
            f("opc", 28, "done, iret, hret, glaunch")("unused", 3)("type", 0);
            break;
        default: {
            constexpr std::string_view kKinds[] = {"disp", "ldisp", "sdisp", "return, gettsd"};
            f("ctpr", 30, transfer)("opc", 28, std::string(kKinds[code & 3]));
            if ((code & 3) < 2)
                f("disp", 0, target);
            else if ((code & 3) == 2)
                f("unused", 5)("entry", 0, "system entry");
            else
                f("unused", 3)("type", 0, (c.raw & 7) == 1 ? "gettsd" : "");
        }
    }
    return f.take();
}

std::vector<BitField> control1_fields(const Bundle& b) {
    const Control1& c = b.cs1;
    Fields f(c.raw);
    switch (c.kind) {
        case Cs1Kind::Setr0:
        case Cs1Kind::Setr1:
        case Cs1Kind::Setbr:
            f("opc", 28, c.kind == Cs1Kind::Setbr ? "setbn, setbp" : "setwd, setbn, setbp");
            f("setbp", 27, when(c.setbp, "enabled"))("setbn", 26, when(c.setbn, "enabled"));
            f("settr", 25)("unused", 23)("psz", 18)("rcur", 12)("rsz", 6)("rbs", 0);
            break;
        case Cs1Kind::Setei:
        case Cs1Kind::Setsft:
            f("opc", 28, "setei, setsft")("setsft", 27)("unused", 8)("value", 0);
            break;
        case Cs1Kind::Wait:
            f("opc", 28, "wait")("unused", 14)("mem_mod", 13)("int", 12)("mt", 11)("lal", 10);
            f("las", 9)("sal", 8)("sas", 7)("trap", 6)("ma_c", 5)("fl_c", 4)("ld_c", 3);
            f("st_c", 2)("all_e", 1)("all_c", 0);
            break;
        case Cs1Kind::Call:
            f("opc", 28, "call")("unused", 10)("ctopc", 7,
                                               c.icall   ? "icall"
                                               : c.hcall ? "hcall"
                                                         : "");
            f("wbs", 0, "callee's window starts that many quads after ours");
            break;
        case Cs1Kind::Mas:
            f("opc", 28, "memory access specifiers");
            f("mas0", 21, "ALC0")("mas2", 14, "ALC2")("mas3", 7, "ALC3")("mas5", 0, "ALC5");
            break;
        case Cs1Kind::Flush:
            f("opc", 28, "flush")("unused", 4)("fillc", 3)("fillr", 2)("flushc", 1)("flushr", 0);
            break;
        case Cs1Kind::Vfbg:
            f("opc", 28, "vfbg")("unused", 17)("chkm4", 16)("dmask", 8)("umask", 0);
            break;
        default:
            f("opc", 28, "reserved");
    }
    return f.take();
}

std::vector<BitField> array_destinations(const Bundle& b, unsigned pair, std::uint16_t raw) {
    Fields f(raw, 16);
    const auto text = [&](unsigned i) {
        return b.mova[i].present ? operand_text(b, b.mova[i].dst) : std::string();
    };
    f(pair ? "dst2" : "dst0", 8, text(2 * pair))(pair ? "dst3" : "dst1", 0, text(2 * pair + 1));
    return f.take();
}

std::vector<BitField> mova_fields(const MovaOp& m) {
    constexpr std::string_view kNames[] = {"reserved", "movab", "movah",    "movaw",
                                           "movad",    "movaq", "reserved", "movaqp"};
    Fields f(m.raw, 16);
    f("be", 15, when(m.be, "big-endian"))("opc", 12, std::string(kNames[m.opcode & 7]));
    f("unused", 11)("area", 6)("ind", 1)("am", 0, when(m.am, "advance the area"));
    return f.take();
}

/// Who uses a literal word; which half, if only one.
struct LiteralUse {
    bool whole = false, high = false, low = false;
    std::string words;
};

LiteralUse uses_of(const Bundle& b, unsigned lts) {
    LiteralUse use;
    const auto name = [&](int channel, std::string_view role) {
        use.words += fmt::format("{}{} of ALS{}", use.words.empty() ? "" : ", ", role, channel);
    };
    for (int c = 0; c < kChannels; ++c) {
        if (!b.has_als(c)) continue;
        const AlsOp& a = b.als[static_cast<std::size_t>(c)];
        if (a.aau.lt == lts + 1) use.whole = true, name(c, "offset");
        for (const Operand* o : {&a.src2, &a.src3}) {
            if (o->kind != OperandKind::Literal || o->literal_bits == 0) continue;
            const unsigned last = o->lts + (o->literal_bits == 64 ? 1u : 0u);
            if (lts < o->lts || lts > last) continue;
            (o->literal_bits != 16 ? use.whole : o->lts_high ? use.high : use.low) = true;
            name(c, o->literal_bits != 64 ? (o == &a.src2 ? "src2" : "src3")
                    : lts == o->lts       ? "low word of src2"
                                          : "high word of src2");
        }
    }
    return use;
}

std::vector<BitField> literal_fields(const Bundle& b, unsigned n) {
    Fields f(b.lts[n]);
    const auto use = uses_of(b, n);
    if (n == 0 && b.cs1.setwd) {
        f("settr type", 17)("rpsz", 12, when(b.cs1.vfrpsz, "vfrpsz"));
        f("wsz", 5, fmt::format("setwd: window of {} quads", b.cs1.wsz));
        f("nfx", 4)("dbl", 3)("unused", 0, use.words);
        return f.take();
    }
    if (!use.whole && (use.high || use.low)) {
        f("high half", 16, when(use.high, use.words))("low half", 0, when(use.low, use.words));
        return f.take();
    }
    f("literal", 0, use.words.empty() ? "not referenced: padding" : use.words);
    return f.take();
}

std::vector<BitField> predicate_fields(std::uint32_t raw, unsigned i) {
    constexpr std::string_view kNames[] = {"andp", "landp", "reserved", "movep"};
    const auto local = [](unsigned p) { return fmt::format("@p{}", p); };
    Fields f(raw);
    if (i < 2) {
        f("unused", 31);
        f("elp0", 24, fmt::format("{} -> @p{}", elp_text((raw >> 24) & 0x7f), 2 * i));
        f("unused", 23);
        f("elp1", 16, fmt::format("{} -> @p{}", elp_text((raw >> 16) & 0x7f), 2 * i + 1));
    } else {
        f("unused", 16);
    }
    f("opc", 14, std::string(kNames[(raw >> 14) & 3]))("neg0", 13);
    f("p0", 10, local((raw >> 10) & 7))("neg1", 9)("p1", 6, local((raw >> 6) & 7));
    f("vdst", 5, when(bit(raw, 5), "result goes to a predicate"));
    f("pdst", 0, when(bit(raw, 5), fmt::format("%pred{}", raw & 31)));
    return f.take();
}

std::vector<BitField> condition_fields(std::uint16_t half) {
    constexpr std::string_view kKinds[] = {"RLP0: guards", "RLP1: guards", "MRGC0: selects",
                                           "MRGC1: selects"};
    constexpr std::string_view kFourth[] = {"incr of ALC2", "incr of ALC5", "crp/srp/slrp", ""};
    const unsigned kind = half >> 14u, code = half & 0x7fu;
    auto who = channel_list(((half >> 10u) & 7) << (kind & 1 ? 3 : 0), "ALC");
    if (bit(half, 13)) who += fmt::format("{}{}", who.empty() ? "" : ", ", kFourth[kind]);
    const auto predicate = code >= 0x60   ? fmt::format("%pred{}", code & 31)
                           : code >= 0x40 ? fmt::format("%pcnt{}", code & 31)
                                          : std::string("invalid");
    Fields f(half, 16);
    f("opc", 14, std::string(kKinds[kind]))("mask", 10, who.empty() ? "unused half" : who);
    f("neg", 7)("pred", 0, predicate);
    return f.take();
}

/// Walks the words as the decoder does and names each part.
class SyllableList {
public:
    explicit SyllableList(const Bundle& b) : b_(b) {}

    std::vector<SyllableView> build() {
        if (b_.hs == 0) {
            word("HS", header_fields(b_));
            while (at_ < b_.length / 4u) word("ignored", Fields(b_.words[at_]).take());
            return std::move(list_);
        }
        front();
        halves();
        tail();
        return std::move(list_);
    }

private:
    void word(std::string name, std::vector<BitField> fields) {
        list_.push_back({std::move(name), static_cast<std::uint8_t>(at_), 0, 32, b_.words[at_],
                         std::move(fields)});
        ++at_;
    }
    void half_word(std::string name, unsigned word, bool high, std::vector<BitField> fields) {
        const std::uint32_t raw = b_.words[word];
        list_.push_back({std::move(name), static_cast<std::uint8_t>(word),
                         static_cast<std::uint8_t>(high ? 16 : 0), 16,
                         high ? raw >> 16 : raw & 0xffff, std::move(fields)});
    }
    const AlsOp& als(unsigned c) const { return b_.als[c]; }

    void front() {
        const unsigned end = (b_.hs & 15) + 1;
        word("HS", header_fields(b_));
        if (b_.ss.present) word("SS", stubs_fields(b_.ss));
        for (unsigned c = 0; c < kChannels; ++c)
            if (b_.has_als(static_cast<int>(c)))
                word(fmt::format("ALS{}", c), als_fields(b_, als(c)));
        if (b_.cs0.present) word("CS0", control0_fields(b_));
        if (at_ + (b_.cs1.present ? 1 : 0) < end) {
            half_word("ALES2", at_, true, ales_fields(b_, als(2)));
            half_word("ALES5", at_, false, ales_fields(b_, als(5)));
            ++at_;
        }
        if (b_.cs1.present) word("CS1", control1_fields(b_));
    }

    void half(std::string name, std::vector<BitField> fields) {
        half_word(std::move(name), at_ + half_ / 2, half_ % 2 == 0, std::move(fields));
        ++half_;
    }
    std::uint16_t next_half() const {
        const std::uint32_t raw = b_.words[at_ + half_ / 2];
        return static_cast<std::uint16_t>(half_ % 2 == 0 ? raw >> 16 : raw);
    }

    void halves() {
        const unsigned ale = (b_.hs >> 20) & 0x3f;
        for (const unsigned c : {0u, 1u, 3u, 4u})
            if (bit(ale, c)) half(fmt::format("ALES{}", c), ales_fields(b_, als(c)));
        for (unsigned pair = 0; pair < 2; ++pair)
            if (b_.mova[2 * pair].present || b_.mova[2 * pair + 1].present)
                half(fmt::format("AAS{}", pair), array_destinations(b_, pair, next_half()));
        for (unsigned i = 0; i < b_.mova.size(); ++i)
            if (b_.mova[i].present) half(fmt::format("AAS{}", i + 2), mova_fields(b_.mova[i]));
        if (half_ % 2 == 1) half("padding", Fields(next_half(), 16).take());
        at_ += half_ / 2;
    }

    void tail() {
        const unsigned end = b_.length / 4u - b_.cds_count - b_.plu.count;
        while (at_ + b_.lts_count < end) word("gap", Fields(b_.words[at_]).take());
        for (unsigned n = end - at_; n-- > 0;) word(fmt::format("LTS{}", n), literal_fields(b_, n));
        for (unsigned i = b_.plu.count; i-- > 0;)
            word(fmt::format("PLS{}", i), predicate_fields(b_.plu.raw[i], i));
        for (unsigned i = b_.cds_count; i-- > 0;) {
            for (const bool high : {true, false}) {
                const auto raw = static_cast<std::uint16_t>(high ? b_.cds[i] >> 16 : b_.cds[i]);
                half_word(fmt::format("CDS{}.{}", i, high ? "hi" : "lo"), at_, high,
                          condition_fields(raw));
            }
            ++at_;
        }
    }

    const Bundle& b_;
    std::vector<SyllableView> list_;
    unsigned at_ = 0, half_ = 0;
};

}  // namespace

std::vector<SyllableView> describe_syllables(const Bundle& bundle) {
    return SyllableList(bundle).build();
}

}  // namespace e2k::isa
