// Text of arithmetic-logic operations (disassembly.md §4, §5).
#include "engine/isa/decode_als.h"
#include "engine/isa/opcode_index.h"
#include "engine/isa/print.h"

namespace e2k::isa {
namespace print {
namespace {

std::string_view size_prefix(char size) {
    switch (size) {
        case 'd':
            return "d";
        case 'q':
            return "q";
        case 'p':
            return "qp";
        default:
            return "";
    }
}

std::string literal_place(const Operand& o) {
    if (o.literal_bits != 16)
        return fmt::format("_f{}{},_lts{}", o.literal_bits, o.literal_bits == 32 ? "s" : "", o.lts);
    return fmt::format("_f16s,_lts{}{}", o.lts, o.lts_high ? "hi" : "lo");
}

std::string long_literal_text(const Bundle& b, const Operand& o) {
    if (o.missing) return fmt::format("<nonexistent {}>", literal_place(o));
    // Printed whole, also where a narrower operand uses a part of it.
    const std::uint32_t word = b.lts[o.lts];
    switch (o.literal_bits) {
        case 16:
            return fmt::format("_f16s 0x{:x}", o.lts_high ? word >> 16 : word & 0xffff);
        case 32:
            return fmt::format("_f32s 0x{:x}", word);
        default:
            return fmt::format("_f64 0x{:x}", word | static_cast<std::uint64_t>(b.lts[o.lts + 1u])
                                                         << 32);
    }
}

std::string illegal_literal_text(std::uint8_t code) {
    if (code == 0xdf) return "<illegal _f64,_lts3>";
    return fmt::format("<illegal _f16s,_lts{}{}>", code & 3, code & 4 ? "hi" : "lo");
}

std::string source_text(const Bundle& b, const Operand& o, char size) {
    if (o.kind == OperandKind::Illegal) return illegal_literal_text(o.code);
    if (o.kind != OperandKind::Literal) return register_text(o, size);
    if (o.literal_bits == 0) return fmt::format("0x{:x}", o.literal);
    return long_literal_text(b, o);
}

std::string state_text(const Operand& o, const DisassemblyStyle& style) {
    const auto name =
        style.all_state_names ? state_register_name(o.index) : objdump_state_register_name(o.index);
    return name.empty() ? fmt::format("%sr0x{:x}", o.index) : std::string(name);
}

std::string aau_address_text(const AauAddress& u) {
    auto text = fmt::format("%aad{} [ %aasti{}", u.d, u.ind);
    if (u.lt != 0 && u.literal_missing)
        text += " + <non-existent literal>";
    else if (u.lt != 0)
        add(text, " + _f32s,_lts{} 0x{:x}", u.lt - 1, u.literal);
    return text + " ]";
}

/// Operands in print order; joins them with commas.
class OperandList {
public:
    void operator()(std::string_view text) {
        if (!text_.empty()) text_ += ", ";
        text_ += text;
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

class AlsPrinter {
public:
    AlsPrinter(const Bundle& b, const AlsOp& a, const Operation& op, const DisassemblyStyle& style)
        : b_(b), a_(a), op_(op), style_(style) {}

    std::string text() {
        switch (op_.format) {
            case Format::Alopf1:
            case Format::Alopf11:
            case Format::Alopf1Merge:
            case Format::Alopf11Merge:
                sources(), destination();
                break;
            case Format::Alopf11Lit8:
                sources(), immediate(), destination();
                break;
            case Format::Alopf21:
            case Format::Alopf21Merge:
                sources(), third_source(), destination();
                break;
            case Format::Alopf12Icalld:
                list_(fmt::format("wbs = 0x{:x}", a_.imm8));
                [[fallthrough]];
            case Format::Alopf2:
            case Format::Alopf12:
            case Format::Alopf12Ibranchd:
            case Format::Alopf22:
                source2(0), destination();
                break;
            case Format::Alopf12Pshufh:
                source2(0), immediate(), destination();
                break;
            case Format::Alopf3:
            case Format::Alopf13:
                sources(), data();
                break;
            case Format::Alopf7:
            case Format::Alopf17:
                sources(), predicate();
                break;
            case Format::Alopf8:
                source2(0), predicate();
                break;
            case Format::Alopf15:
                source2(0), list_(state_text(a_.dst, style_));
                break;
            case Format::Alopf16:
                list_(state_text(a_.src1, style_)), destination();
                break;
            default:
                array_access();
                break;
        }
        return list_.text() + suffix();
    }

private:
    /// objdump's letters, except for qplog, whose operands it never prints.
    char letter(std::size_t i) const {
        if (op_.has(OpFlag::Ambiguous)) return op_.dst == Width::P ? 'p' : 'd';
        return i < op_.print_sizes.size() ? op_.print_sizes[i] : 's';
    }
    char last_letter() const {
        return op_.print_sizes.empty() ? 's' : letter(op_.print_sizes.size() - 1);
    }

    void sources() {
        list_(source_text(b_, a_.src1, letter(0)));
        source2(1);
    }
    void source2(std::size_t at) { list_(source_text(b_, a_.src2, letter(at))); }
    void third_source() {
        const bool hidden = a_.src3.kind == OperandKind::Literal && !style_.canonical_plog;
        if (hidden || a_.src3.kind == OperandKind::Illegal)
            list_("<illegal operand>");
        else
            list_(source_text(b_, a_.src3, letter(2)));
    }
    void immediate() { list_(fmt::format("0x{:x}", a_.imm8)); }
    void destination() { list_(destination_text(a_.dst, last_letter())); }
    void data() { list_(register_text(a_.data, last_letter())); }
    void predicate() { list_(fmt::format("%pred{}", a_.dst.index)); }

    void array_access() {
        const AauAddress u = aau_address(b_, a_.als);
        switch (op_.format) {
            case Format::Alopf10:
                list_(register_text(register_operand(static_cast<std::uint8_t>(a_.als), op_.src4),
                                    last_letter()));
                list_(aau_address_text(u));
                break;
            case Format::Alopf19:
                list_(aau_address_text(u));
                list_(destination_text(a_.dst, 's'));  // the assembler's spelling has no prefix
                break;
            case Format::Aaurw:
                data(), list_(aau_register_name(a_.aau));
                break;
            case Format::Aaurr:
                if (style_.canonical_aau) list_(aau_register_name(a_.aau)), destination();
                break;
            default:
                break;
        }
    }

    std::string suffix() const {
        if (op_.format == Format::Aaurr && !style_.canonical_aau) return {};
        std::string text;
        const bool register_access = op_.format == Format::Aaurw || op_.format == Format::Aaurr;
        if (a_.mas != 0 && !register_access) add(text, ", mas = 0x{:x}", a_.mas);
        if (op_.has(OpFlag::Merge)) {
            std::string_view separator = ", ";
            for (const PredicateRef& p : a_.merge.span()) {
                text += separator;
                text += predicate_text(p);
                separator = " ";
            }
        }
        if (op_.has(OpFlag::CtCond)) return text + condition_suffix(b_.ss);
        return text + guards_text(a_.guards);
    }

    const Bundle& b_;
    const AlsOp& a_;
    const Operation& op_;
    const DisassemblyStyle& style_;
    OperandList list_;
};

/// objdump ignores MAS: a register write prints as the store with its opcode, an array load as a
/// register read.
const Operation* objdump_row(const Bundle& b, const AlsOp& a) {
    AlsCode code{b.iset, a.channel, a.als, a.ales, a.has_ales, 0};
    switch (a.op->format) {
        case Format::Aaurw:
            return find_operation(code);
        case Format::Alopf19:
            code.mas = kAauAccessMas;
            return find_operation(code);
        default:
            return a.op;
    }
}

const Operation* printed_row(const Bundle& b, const AlsOp& a, const DisassemblyStyle& style) {
    if (!a.op || style.canonical_aau) return a.op;
    return objdump_row(b, a);
}

std::string als_text(const Bundle& b, const AlsOp& a, const Operation* op,
                     const DisassemblyStyle& style) {
    const bool ambiguous = op && op->has(OpFlag::Ambiguous) && !style.canonical_plog;
    auto text = fmt::format("{},{}{}",
                            !op         ? "unrecognized"
                            : ambiguous ? "ambiguous"
                                        : op->mnemonic,
                            a.channel, a.speculative ? ",sm" : "");
    if (!op || ambiguous) return text;
    const auto operands = AlsPrinter(b, a, *op, style).text();
    if (!operands.empty()) (text += ' ') += operands;
    return text;
}

}  // namespace

std::string register_text(const Operand& o, char size) {
    switch (o.kind) {
        case OperandKind::Window:
            return fmt::format("%{}r{}", size_prefix(size), o.index);
        case OperandKind::Based:
            return fmt::format("%{}b[{}]", size_prefix(size), o.index);
        case OperandKind::Global:
            return fmt::format("%{}g{}", size_prefix(size), o.index);
        default:
            return "<illegal operand>";
    }
}

std::string destination_text(const Operand& o, char size) {
    switch (o.kind) {
        case OperandKind::Tst:
            return "%tst";
        case OperandKind::Tc:
            return "%tc";
        case OperandKind::Tcd:
            return "%tcd";
        case OperandKind::Ctpr:
            return fmt::format("%ctpr{}", o.index);
        case OperandKind::Empty:
            return o.index ? "%empty.hi" : "%empty.lo";
        case OperandKind::Illegal:
            return "<reserved special register>";
        default:
            return register_text(o, size);
    }
}

std::string guards_text(const PredicateList& guards) {
    std::string text;
    for (const PredicateRef& p : guards.span()) {
        text += text.empty() ? " ? " : ", ";
        text += predicate_text(p);
    }
    return text;
}

void append_als_lines(const Bundle& b, int channel, const DisassemblyStyle& style,
                      std::vector<DisassemblyLine>& out) {
    const AlsOp& a = b.als[static_cast<std::size_t>(channel)];
    const Operation* op = printed_row(b, a, style);
    if (op && a.pair_second && !op->has(OpFlag::PrintsBoth)) return;
    const auto lane = static_cast<std::int8_t>(channel);
    out.push_back({als_text(b, a, op, style), Unit::Als, lane});
    if (!op || op->format != Format::Alopf10) return;
    const AauAddress u = aau_address(b, a.als);
    if (!u.am) return;
    out.push_back(
        {fmt::format("incr,{} %aaincr{}{}", channel, u.incr, guards_text(a.aau.incr_guards)),
         Unit::Als, lane});
}

}  // namespace print

std::string predicate_text(const PredicateRef& p) {
    const std::string_view sign = p.negated ? "~" : "";
    switch (p.kind) {
        case PredicateRef::Kind::Pred:
            return fmt::format("{}%pred{}", sign, p.index);
        case PredicateRef::Kind::Pcnt:
            return fmt::format("{}%pcnt{}", sign, p.index);
        case PredicateRef::Kind::Invalid:
            break;
    }
    return fmt::format("{}<invalid predicate>", sign);
}

std::string operand_text(const Bundle& b, const Operand& o) {
    const auto size = [&] {
        switch (o.width) {
            case Width::D:
            case Width::X:
                return 'd';
            case Width::Q:
                return 'q';
            case Width::P:
                return 'p';
            default:
                return 's';
        }
    };
    switch (o.kind) {
        case OperandKind::None:
            return {};
        case OperandKind::Literal:
            return print::source_text(b, o, size());
        case OperandKind::Pred:
            return fmt::format("%pred{}", o.index);
        case OperandKind::StateReg:
            return print::state_text(o, DisassemblyStyle::native());
        case OperandKind::Illegal:
            return "<illegal operand>";
        default:
            return print::destination_text(o, size());
    }
}

std::string format_als(const Bundle& bundle, int channel, const DisassemblyStyle& style) {
    const AlsOp& a = bundle.als[static_cast<std::size_t>(channel)];
    return print::als_text(bundle, a, print::printed_row(bundle, a, style), style);
}

std::string aau_register_name(const AauAddress& u) {
    struct Group {
        std::uint8_t number;
        char index;  ///< d, i (ind) or - (single register)
        std::string_view name;
    };
    static constexpr Group kGroups[] = {
        {0x00, 'd', "aad"},       {0x01, 'i', "aasti"},      {0x02, 'i', "aaind"},
        {0x03, 'i', "aaincr"},    {0x04, 'd', "aaldi"},      {0x05, 'd', "aalda"},
        {0x08, '-', "aafstr"},    {0x09, '-', "aaldv"},      {0x0a, '-', "aaldm"},
        {0x0c, 'i', "aabf"},      {0x10, 'd', "aadr"},       {0x11, '-', "aasti_tag"},
        {0x12, '-', "aaind_tag"}, {0x13, '-', "aaincr_tag"}, {0x1b, '-', "aasr"},
    };
    for (const Group& g : kGroups) {
        if (g.number != u.group) continue;
        if (g.index == '-') return fmt::format("%{}", g.name);
        return fmt::format("%{}{}", g.name, g.index == 'd' ? u.d : u.ind);
    }
    return fmt::format("%aau0x{:x}", u.group);
}

}  // namespace e2k::isa
