// Operands to the bytes of ALS and ALES (syllables.md §2, §3).
#include "engine/isa/assembler/encode_als.h"

#include <fmt/format.h>

#include <string_view>

namespace e2k::isa::assembler {
namespace {

using Kind = Operand::Kind;

constexpr std::uint8_t kAauAccess = 0x3f, kUnused = 0xc0;

enum class Role : std::uint8_t {
    Src1,
    Src2,
    Src3,
    Data,
    Dst,
    Pred,
    Imm8,
    StateDst,
    StateSrc,
    Array,
    AauReg
};

/// Operands of a format in source order.
std::vector<Role> roles_of(Format format, bool data_last) {
    using enum Role;
    switch (format) {
        case Format::Alopf1:
        case Format::Alopf1Merge:
        case Format::Alopf11:
        case Format::Alopf11Merge:
            return {Src1, Src2, Dst};
        case Format::Alopf11Lit8:
            return {Src1, Src2, Imm8, Dst};
        case Format::Alopf21:
        case Format::Alopf21Merge:
            return {Src1, Src2, Src3, Dst};
        case Format::Alopf2:
        case Format::Alopf12:
        case Format::Alopf22:
        case Format::Alopf12Ibranchd:
        case Format::Alopf12Icalld:
            return {Src2, Dst};
        case Format::Alopf12Pshufh:
            return {Src2, Imm8, Dst};
        case Format::Alopf3:
        case Format::Alopf13:
            return data_last ? std::vector{Src1, Src2, Data} : std::vector{Data, Src1, Src2};
        case Format::Alopf7:
        case Format::Alopf17:
            return {Src1, Src2, Pred};
        case Format::Alopf8:
            return {Src2, Pred};
        case Format::Alopf15:
            return {Src2, StateDst};
        case Format::Alopf16:
            return {StateSrc, Dst};
        case Format::Alopf10:
            return {Data, Array};
        case Format::Alopf19:
            return {Array, Dst};
        case Format::Aaurw:
            return {Data, AauReg};
        case Format::Aaurr:
            return {AauReg, Dst};
        default:
            return {};
    }
}

class Encoder {
public:
    Encoder(AlsDraft& op, EncodedAls& out) : op_(op), row_(*op.row), out_(out) {}

    /// Empty if the operand is good, else what was expected.
    std::string_view take(Role role, Operand& o) {
        switch (role) {
            case Role::Src1:
                return source1(o);
            case Role::Src2:
                return source2(o);
            case Role::Src3:
                return plain_register(o, low_, row_.src3, 3);
            case Role::Data:
                return plain_register(o, out_.byte1, row_.src4, 0);
            case Role::Dst:
                return destination(o);
            case Role::Pred:
                if (o.kind != Kind::Predicate || !o.condition.is_pred() || o.condition.negated)
                    return "the result goes to %predN";
                out_.byte1 = o.condition.code & 0x1f;
                return {};
            case Role::Imm8:
                if (o.kind != Kind::Number || o.literal.number.value > 0xff)
                    return "a number of 8 bits expected";
                low_ = static_cast<std::uint8_t>(o.literal.number.value);
                return {};
            case Role::StateDst:
                return state(o, out_.byte1);
            case Role::StateSrc:
                return state(o, out_.byte3);
            case Role::Array:
                return array_address(o);
            case Role::AauReg:
                if (o.kind != Kind::AauRegister) return "an array-unit register expected";
                set_address(o.address);
                return {};
        }
        return {};
    }

    /// Fields the row fixes.
    void finish() {
        switch (row_.format) {
            case Format::Alopf7:
            case Format::Alopf8:
                out_.byte1 = static_cast<std::uint8_t>(out_.byte1 | row_.cmpopce << 5);
                break;
            case Format::Alopf17:
                low_ = static_cast<std::uint8_t>(row_.cmpopce);
                break;
            case Format::Alopf16:
                out_.byte2 = kUnused;
                break;
            case Format::Alopf12Icalld:
                out_.byte3 = op_.wbs;
                break;
            default:
                break;
        }
        if (row_.opce1 >= 0) out_.byte3 = static_cast<std::uint8_t>(row_.opce1);
        if (row_.opce2 >= 0) low_ = static_cast<std::uint8_t>(row_.opce2);
        out_.has_ales = row_.opcode2 >= 0;
        if (out_.has_ales) out_.ales = static_cast<std::uint16_t>(row_.opcode2 << 8 | low_);
        out_.mas = op_.mas.value_or(
            row_.format == Format::Aaurw || row_.format == Format::Aaurr ? kAauAccess : 0);
    }

private:
    void mark_quad(Width width, unsigned byte, const Operand& o) {
        const bool code = o.kind == Kind::Register || o.kind == Kind::Special;
        if (width == Width::Q && code)
            out_.quad = static_cast<std::uint8_t>(out_.quad | 1u << byte);
    }

    std::string_view source1(const Operand& o) {
        if (o.kind == Kind::Number) {
            const Literal& l = o.literal;
            if (l.number.is_symbolic() || l.bits || l.place >= 0 || l.number.value > 31)
                return "the first source is a register or a number from 0 to 31";
            out_.byte3 = static_cast<std::uint8_t>(0xc0 | l.number.value);
            return {};
        }
        if (o.kind != Kind::Register) return "the first source is a register or a number";
        out_.byte3 = o.code;
        if (!row_.has(OpFlag::SameSrc1)) mark_quad(row_.src1, 2, o);
        return {};
    }

    std::string_view source2(Operand& o) {
        if (o.kind == Kind::Register) {
            out_.byte2 = o.code;
            mark_quad(row_.src2, 1, o);
            return {};
        }
        if (o.kind != Kind::Number) return "the second source is a register or a number";
        Literal& l = o.literal;
        if (!l.number.is_symbolic() && !l.number.bits && !l.bits && l.place < 0 &&
            l.number.value < 16) {
            out_.byte2 = static_cast<std::uint8_t>(0xc0 | l.number.value);
            return {};
        }
        if (const auto problem = check_width(l); !problem.empty()) return problem;
        out_.literal = &l;
        return {};
    }

    std::string_view check_width(Literal& l) const {
        const std::uint64_t value = l.number.value;
        if (l.reference) {
            if (l.place < 0) return "a reference names its place, as in `_lit32_ref, _lts1`";
            if (l.bits > 16 && l.place % 2) return "only 16 bits fit half a word";
            return {};
        }
        if (l.bits == 0) l.bits = l.number.bits;
        const auto fits = [&](int bits) {
            const auto sign = static_cast<std::int64_t>(value) >> (bits - 1);
            return value >> bits == 0 || sign == -1;
        };
        if (l.number.is_symbolic()) {
            if (l.bits == 16) return "a symbol needs a literal of 32 or 64 bits";
            return {};
        }
        if (l.bits == 16 && !fits(16)) return "the number does not fit 16 bits";
        if (l.bits == 32 && !fits(32)) return "the number does not fit 32 bits";
        if (l.bits != 0 || row_.src2 != Width::S) return {};
        if (!fits(32)) return "the number does not fit the 32 bits of the operand";
        // As a 32-bit number 0xffffffff needs no 64-bit literal.
        if (value >= 0x8000'0000) l.bits = value > 0xffff'ffff ? 0 : 32;
        return {};
    }

    std::string_view plain_register(const Operand& o, std::uint8_t& to, Width width,
                                    unsigned byte) {
        if (o.kind != Kind::Register) return "a register expected";
        to = o.code;
        mark_quad(width, byte, o);
        return {};
    }

    std::string_view destination(const Operand& o) {
        switch (o.kind) {
            case Kind::StateRegister:
            case Kind::Number:
            case Kind::Predicate:
            case Kind::AauRegister:
            case Kind::ArrayAddress:
                return "the result goes to a register";
            case Kind::Empty:
                out_.byte1 = o.code;
                if (op_.second_channel >= 0 && row_.dst == Width::Q) {
                    out_.byte1 = 0xde;
                    out_.quad |= 1;
                }
                return {};
            default:
                out_.byte1 = o.code;
                mark_quad(row_.dst, 0, o);
                return {};
        }
    }

    static std::string_view state(const Operand& o, std::uint8_t& to) {
        if (o.kind == Kind::StateRegister)
            to = o.code;
        else if (o.kind == Kind::Special && o.code >= 0xd1 && o.code <= 0xd3)
            to = static_cast<std::uint8_t>(0x15 + o.code - 0xd1);  // %ctprN
        else
            return "a state register expected";
        return {};
    }

    void set_address(std::uint32_t address) {
        out_.byte3 = static_cast<std::uint8_t>(address >> 8);
        out_.byte2 = static_cast<std::uint8_t>(address);
    }

    std::string_view array_address(Operand& o) {
        if (o.kind != Kind::ArrayAddress) return "an address %aadN [ %aastiM ] expected";
        set_address(o.address | (op_.incr ? op_.incr_register << 4 | 1u << 2 : 0u));
        if (!o.has_offset) return {};
        if (o.literal.bits != 32 || o.literal.place > 4) return "the offset is in LTS0, 1 or 2";
        out_.literal = &o.literal;
        out_.literal_is_offset = true;
        return {};
    }

    AlsDraft& op_;
    const Operation& row_;
    EncodedAls& out_;
    std::uint8_t low_ = kUnused;
};

AssemblyError operand_error(const AlsDraft& op, const Operand& o, std::string_view expected) {
    auto error = error_at(op.line, std::string(expected));
    if (o.text.empty()) return error;
    error.column += static_cast<int>(o.text.data() - op.line.text.data());
    error.text = std::string(o.text);
    return error;
}

}  // namespace

std::uint32_t EncodedAls::word(const AlsDraft& op, bool second) const {
    const auto byte = [&](std::uint8_t value, unsigned at) -> std::uint32_t {
        return static_cast<std::uint8_t>(value + (second ? (quad >> at) & 1 : 0));
    };
    return (op.speculative ? 1u << 31 : 0u) | static_cast<std::uint32_t>(op.row->opcode) << 24 |
           byte(byte3, 2) << 16 | byte(byte2, 1) << 8 | byte(byte1, 0);
}

std::uint16_t EncodedAls::extension(bool second) const {
    return static_cast<std::uint16_t>(ales + (second ? (quad >> 3) & 1 : 0));
}

std::optional<AssemblyError> encode_als(AlsDraft& op, const AssemblerOptions& options,
                                        EncodedAls& out) {
    const auto roles = roles_of(op.row->format, options.listing || options.data_last);
    if (roles.size() != op.operands.size())
        return error_at(op.line, fmt::format("{} takes {} operands, not {}", op.mnemonic,
                                             roles.size(), op.operands.size()));
    Encoder encoder(op, out);
    for (std::size_t i = 0; i < roles.size(); ++i)
        if (const auto expected = encoder.take(roles[i], op.operands[i]); !expected.empty())
            return operand_error(op, op.operands[i], expected);
    encoder.finish();
    return std::nullopt;
}

void finish_literal(EncodedAls& als) {
    if (!als.literal) return;
    const auto position = static_cast<unsigned>(als.literal->position);
    const unsigned word = position / 2;
    if (als.literal_is_offset) {
        als.byte2 = static_cast<std::uint8_t>(als.byte2 | (word + 1));
        return;
    }
    switch (als.literal->width) {
        case 16:
            als.byte2 = static_cast<std::uint8_t>((position & 1 ? 0xd4 : 0xd0) + word);
            break;
        case 32:
            als.byte2 = static_cast<std::uint8_t>(0xd8 + word);
            break;
        default:
            als.byte2 = static_cast<std::uint8_t>(0xdc + word);
    }
}

}  // namespace e2k::isa::assembler
