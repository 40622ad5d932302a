// Arithmetic-logic syllables: operands and conditions (encoding.md §4, §9).
#include "engine/isa/decode_als.h"

#include "engine/isa/opcode_index.h"

namespace e2k::isa {
namespace {

constexpr std::uint64_t sign_extend(std::uint64_t value, unsigned width) {
    const unsigned shift = 64 - width;
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(value << shift) >> shift);
}

std::uint64_t at_width(std::uint64_t value, Width width) {
    return width == Width::S ? value & 0xffff'ffff : value;
}

bool is_literal_range(std::uint8_t code) { return code >= 0xc0 && code <= 0xdf; }

Operand make(OperandKind kind, std::uint8_t code, unsigned index, Width width) {
    Operand o;
    o.kind = kind;
    o.width = width;
    o.code = code;
    o.index = static_cast<std::uint8_t>(index);
    return o;
}

Operand any_register(std::uint8_t code, Width width) {
    if (code < 0x80) return make(OperandKind::Based, code, code, width);
    if (code < 0xc0) return make(OperandKind::Window, code, code & 0x3f, width);
    return make(OperandKind::Global, code, code & 0x1f, width);
}

Operand short_literal(std::uint8_t code, unsigned mask, Width width) {
    Operand o = make(OperandKind::Literal, code, 0, width);
    o.literal = code & mask;
    return o;
}

Operand long_literal(const Bundle& b, std::uint8_t code, Width width) {
    Operand o = make(OperandKind::Literal, code, 0, width);
    o.lts = code & 3;
    if (code < 0xd8) {
        if (o.lts > 1) return make(OperandKind::Illegal, code, 0, width);
        o.literal_bits = 16;
        o.lts_high = code & 4;
        const std::uint32_t word = b.lts[o.lts];
        o.literal = at_width(sign_extend(o.lts_high ? word >> 16 : word & 0xffff, 16), width);
    } else if (code < 0xdc) {
        o.literal_bits = 32;
        o.literal = at_width(sign_extend(b.lts[o.lts], 32), width);
    } else {
        if (o.lts == 3) return make(OperandKind::Illegal, code, 0, width);
        o.literal_bits = 64;
        o.literal =
            at_width(b.lts[o.lts] | static_cast<std::uint64_t>(b.lts[o.lts + 1u]) << 32, width);
    }
    o.missing = o.lts + (o.literal_bits == 64 ? 1 : 0) >= b.lts_count;
    return o;
}

Operand state_register(std::uint8_t code, Width width) {
    return make(OperandKind::StateReg, code, code, width);
}

bool is_second_of_pair(Pair pair, int channel) {
    switch (pair) {
        case Pair::None:
            return false;
        case Pair::P01_34:
            return channel == 1 || channel == 4;
        case Pair::P02_35:
            return channel == 2 || channel == 5;
        case Pair::P25:
            return channel == 5;
        case Pair::P01:
            return channel == 1;
    }
    return false;
}

/// Literals as third source come from a secondary source that describes v7; up to v6 the other
/// tools reject them and no compiler emits them (encoding.md §4.5).
Operand third_source(const Bundle& b, const Operation& op, std::uint8_t code) {
    if (b.iset >= 7 && op.has(OpFlag::Src3Literal) && code >= 0xd0 && code <= 0xdf)
        return source2_operand(b, code, op.src3);
    return register_operand(code, op.src3);
}

void decode_operands(const Bundle& b, AlsOp& a) {
    const Operation& op = *a.op;
    const auto byte1 = static_cast<std::uint8_t>(a.als);
    const auto byte2 = static_cast<std::uint8_t>(a.als >> 8);
    const auto byte3 = static_cast<std::uint8_t>(a.als >> 16);
    const auto low = static_cast<std::uint8_t>(a.ales);
    switch (op.format) {
        case Format::Alopf10:
        case Format::Alopf19:
        case Format::Aaurw:
        case Format::Aaurr:
            a.aau = op.format == Format::Aaurw || op.format == Format::Aaurr
                        ? aau_register(a.als)
                        : aau_address(b, a.als);
            if (op.format == Format::Alopf10 || op.format == Format::Aaurw)
                a.data = register_operand(byte1, op.src4);
            else
                a.dst = destination_operand(byte1, op.dst);
            return;
        case Format::Alopf16:
            a.src1 = state_register(byte3, op.src1);
            a.dst = destination_operand(byte1, op.dst);
            return;
        case Format::Alopf15:
            a.src2 = source2_operand(b, byte2, op.src2);
            a.dst = state_register(byte1, op.dst);
            return;
        case Format::Alopf12Icalld:
            a.imm8 = byte3;
            break;
        case Format::Alopf11Lit8:
        case Format::Alopf12Pshufh:
            a.imm8 = low;
            break;
        case Format::Alopf21:
        case Format::Alopf21Merge:
            a.src3 = third_source(b, op, low);
            break;
        default:
            break;
    }
    if (op.src1 != Width::None) a.src1 = source1_operand(byte3, op.src1);
    if (op.src2 != Width::None) a.src2 = source2_operand(b, byte2, op.src2);
    if (op.src4 != Width::None) {
        a.data = register_operand(byte1, op.src4);
        return;
    }
    if (op.dst == Width::Pred)
        a.dst = make(OperandKind::Pred, byte1, byte1 & 0x1f, Width::Pred);
    else
        a.dst = destination_operand(byte1, op.dst);
}

PredicateRef predicate_ref(std::uint16_t half, unsigned negation_bit) {
    PredicateRef p;
    const unsigned code = half & 0x7f;
    p.kind = code >= 0x60   ? PredicateRef::Kind::Pred
             : code >= 0x40 ? PredicateRef::Kind::Pcnt
                            : PredicateRef::Kind::Invalid;
    p.index = code & 0x1f;
    p.negated = (half >> (7 + negation_bit)) & 1;
    return p;
}

void append(PredicateList& list, PredicateRef p) { list.items[list.count++] = p; }

void attach_half(Bundle& b, std::uint16_t half) {
    const unsigned opcode = half >> 14;
    const bool merge = opcode & 2, second_cluster = opcode & 1;
    const unsigned mask = (half >> 10) & 0xf;
    for (unsigned k = 0; k < 3; ++k) {
        if (!((mask >> k) & 1)) continue;
        AlsOp& a = b.als[k + (second_cluster ? 3 : 0)];
        append(merge ? a.merge : a.guards, predicate_ref(half, k));
    }
    if (!(mask & 8)) return;
    const PredicateRef p = predicate_ref(half, 2);
    if (!merge)
        append(b.als[second_cluster ? 5 : 2].aau.incr_guards, p);
    else if (!second_cluster)
        append(b.rpc, p);
}

}  // namespace

AauAddress aau_address(const Bundle& bundle, std::uint32_t als) {
    AauAddress u;
    u.d = static_cast<std::uint8_t>((als >> 19) & 0x1f);
    u.ind = static_cast<std::uint8_t>((als >> 15) & 0xf);
    u.incr = static_cast<std::uint8_t>((als >> 12) & 7);
    u.am = (als >> 10) & 1;
    u.lt = static_cast<std::uint8_t>((als >> 8) & 3);
    if (u.lt == 0) return u;
    u.literal = bundle.lts[u.lt - 1u];
    u.literal_missing = u.lt > bundle.lts_count;
    return u;
}

AauAddress aau_register(std::uint32_t als) {
    AauAddress u;
    u.d = static_cast<std::uint8_t>((als >> 19) & 0x1f);
    u.ind = static_cast<std::uint8_t>((als >> 15) & 0xf);
    u.group = static_cast<std::uint8_t>((als >> 10) & 0x1f);
    return u;
}

Operand source1_operand(std::uint8_t code, Width width) {
    return is_literal_range(code) ? short_literal(code, 0x1f, width) : any_register(code, width);
}

Operand source2_operand(const Bundle& bundle, std::uint8_t code, Width width) {
    if (!is_literal_range(code)) return any_register(code, width);
    if (code < 0xd0) return short_literal(code, 0xf, width);
    return long_literal(bundle, code, width);
}

Operand register_operand(std::uint8_t code, Width width) {
    return is_literal_range(code) ? make(OperandKind::Illegal, code, 0, width)
                                  : any_register(code, width);
}

Operand destination_operand(std::uint8_t code, Width width) {
    if (!is_literal_range(code)) return any_register(code, width);
    switch (code) {
        case 0xcd:
            return make(OperandKind::Tst, code, 0, width);
        case 0xce:
            return make(OperandKind::Tc, code, 0, width);
        case 0xcf:
            return make(OperandKind::Tcd, code, 0, width);
        case 0xd1:
        case 0xd2:
        case 0xd3:
            return make(OperandKind::Ctpr, code, code & 3, width);
        case 0xde:
        case 0xdf:
            return make(OperandKind::Empty, code, code & 1, width);
        default:
            return make(OperandKind::Illegal, code, 0, width);
    }
}

void decode_als(Bundle& bundle, int channel) {
    AlsOp& a = bundle.als[static_cast<unsigned>(channel)];
    a.channel = static_cast<std::uint8_t>(channel);
    a.speculative = a.als >> 31;
    a.mas = bundle.cs1.mas[static_cast<unsigned>(channel)];
    a.op = find_operation({bundle.iset, channel, a.als, a.ales, a.has_ales, a.mas});
    if (!a.op) return;
    a.ambiguous = a.op->has(OpFlag::Ambiguous);
    a.pair_second = is_second_of_pair(a.op->pair, channel);
    if (!a.op->has(OpFlag::MayCarryMas)) a.mas = 0;
    decode_operands(bundle, a);
}

void attach_conditions(Bundle& bundle) {
    for (unsigned i = 0; i < bundle.cds_count; ++i) {
        // objdump's order; the hardware has none.
        attach_half(bundle, static_cast<std::uint16_t>(bundle.cds[i]));
        attach_half(bundle, static_cast<std::uint16_t>(bundle.cds[i] >> 16));
    }
}

}  // namespace e2k::isa
