// Arithmetic-logic syllables: operands and conditions (syllables.md §2, §3, §9).
#include "engine/isa/decode_als.h"

namespace e2k::isa {
namespace {

constexpr std::uint64_t sign_extend(std::uint64_t value, unsigned width) {
    const unsigned shift = 64 - width;
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(value << shift) >> shift);
}

std::uint64_t at_width(std::uint64_t value, Width width) {
    return width == Width::S ? value & 0xffff'ffff : value;
}

constexpr bool is_literal_range(std::uint8_t code) { return code >= 0xc0 && code <= 0xdf; }

constexpr Operand make(OperandKind kind, std::uint8_t code, unsigned index) {
    Operand o;
    o.kind = kind;
    o.code = code;
    o.index = static_cast<std::uint8_t>(index);
    return o;
}

constexpr Operand any_register(std::uint8_t code) {
    if (code < 0x80) return make(OperandKind::Based, code, code);
    if (code < 0xc0) return make(OperandKind::Window, code, code & 0x3f);
    return make(OperandKind::Global, code, code & 0x1f);
}

constexpr Operand literal(std::uint8_t code, unsigned value) {
    Operand o = make(OperandKind::Literal, code, 0);
    o.literal = value;
    return o;
}

/// Long literals get their value from the LTS later.
constexpr Operand source2(std::uint8_t code) {
    if (!is_literal_range(code)) return any_register(code);
    if (code < 0xd0) return literal(code, code & 0xf);
    const bool is_16 = code < 0xd8, is_64 = code >= 0xdc;
    Operand o = literal(code, 0);
    o.lts = code & 3;
    if ((is_16 && o.lts > 1) || (is_64 && o.lts == 3)) return make(OperandKind::Illegal, code, 0);
    o.literal_bits = is_16 ? 16 : is_64 ? 64 : 32;
    o.lts_high = is_16 && (code & 4);
    return o;
}

constexpr Operand destination(std::uint8_t code) {
    if (!is_literal_range(code)) return any_register(code);
    switch (code) {
        case 0xcd:
            return make(OperandKind::Tst, code, 0);
        case 0xce:
            return make(OperandKind::Tc, code, 0);
        case 0xcf:
            return make(OperandKind::Tcd, code, 0);
        case 0xd1:
        case 0xd2:
        case 0xd3:
            return make(OperandKind::Ctpr, code, code & 3);
        case 0xde:
        case 0xdf:
            return make(OperandKind::Empty, code, code & 1);
        default:
            return make(OperandKind::Illegal, code, 0);
    }
}

constexpr Operand operand(OperandRole role, std::uint8_t code) {
    switch (role) {
        case OperandRole::None:
            return {};
        case OperandRole::Source1:
            return is_literal_range(code) ? literal(code, code & 0x1f) : any_register(code);
        case OperandRole::Source2:
            return source2(code);
        case OperandRole::Register:
            return is_literal_range(code) ? make(OperandKind::Illegal, code, 0)
                                          : any_register(code);
        case OperandRole::Destination:
            return destination(code);
        case OperandRole::Predicate:
            return make(OperandKind::Pred, code, code & 0x1f);
    }
    return {};
}

/// Every operand byte in every role, without width.
constexpr auto kOperands = [] {
    std::array<std::array<Operand, 256>, 6> table{};
    for (unsigned role = 0; role < table.size(); ++role)
        for (unsigned code = 0; code < 256; ++code)
            table[role][code] =
                operand(static_cast<OperandRole>(role), static_cast<std::uint8_t>(code));
    return table;
}();

/// Writes in place: a copy changed on the stack would stall on its reload.
void read_operand(Operand& out, OperandSource source, std::uint8_t code) {
    out = kOperands[static_cast<std::size_t>(source.role)][code];
    out.width = source.width;
}

/// Fetches the value of a literal that lies in LTS words.
void load_literal(const Bundle& b, Operand& o) {
    const std::uint32_t word = b.lts[o.lts];
    switch (o.literal_bits) {
        case 16:
            o.literal = sign_extend(o.lts_high ? word >> 16 : word & 0xffff, 16);
            break;
        case 32:
            o.literal = sign_extend(word, 32);
            break;
        default:
            o.literal = word | static_cast<std::uint64_t>(b.lts[o.lts + 1u]) << 32;
    }
    o.literal = at_width(o.literal, o.width);
    o.missing = o.lts + (o.literal_bits == 64 ? 1 : 0) >= b.lts_count;
}

Operand state_register(std::uint8_t code, Width width) {
    Operand o = make(OperandKind::StateReg, code, code);
    o.width = width;
    return o;
}

/// Fields of formats that are more than plain operands.
void decode_special(const Bundle& b, AlsOp& a) {
    const Operation& op = *a.op;
    const auto byte1 = static_cast<std::uint8_t>(a.als);
    const auto byte3 = static_cast<std::uint8_t>(a.als >> 16);
    const auto low = static_cast<std::uint8_t>(a.ales);
    switch (op.format) {
        case Format::Aaurw:
        case Format::Aaurr:
            a.aau = aau_register(a.als);
            break;
        case Format::Alopf10:
        case Format::Alopf19:
            a.aau = aau_address(b, a.als);
            break;
        case Format::Alopf16:
            a.src1 = state_register(byte3, op.src1);
            a.dst = destination_operand(byte1, op.dst);
            return;
        case Format::Alopf15:
            a.src2 = source2_operand(b, static_cast<std::uint8_t>(a.als >> 8), op.src2);
            a.dst = state_register(byte1, op.dst);
            return;
        case Format::Alopf12Icalld:
            a.imm8 = byte3;
            return;
        case Format::Alopf11Lit8:
        case Format::Alopf12Pshufh:
            a.imm8 = low;
            return;
        default:
            // Literals as third source come from a secondary source that describes v7; up to v6
            // the other tools reject them and no compiler emits them (syllables.md §3.3).
            if (b.iset >= 7 && low >= 0xd0 && low <= 0xdf)
                a.src3 = source2_operand(b, low, op.src3);
            return;
    }
    if (op.src4 != Width::None)
        a.data = register_operand(byte1, op.src4);
    else
        a.dst = destination_operand(byte1, op.dst);
}

void decode_operands(const Bundle& b, AlsOp& a, const DecodeRow& row) {
    const auto byte1 = static_cast<std::uint8_t>(a.als);
    read_operand(a.src1, row.src1, static_cast<std::uint8_t>(a.als >> 16));
    read_operand(a.src2, row.src2, static_cast<std::uint8_t>(a.als >> 8));
    read_operand(a.src3, row.src3, static_cast<std::uint8_t>(a.ales));
    read_operand(a.data, row.data, byte1);
    read_operand(a.dst, row.dst, byte1);
    if (a.src2.literal_bits) load_literal(b, a.src2);
    if (row.traits & DecodeRow::kSpecial) decode_special(b, a);
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

Operand source2_operand(const Bundle& bundle, std::uint8_t code, Width width) {
    Operand o;
    read_operand(o, {OperandRole::Source2, width}, code);
    if (o.literal_bits) load_literal(bundle, o);
    return o;
}

Operand register_operand(std::uint8_t code, Width width) {
    Operand o;
    read_operand(o, {OperandRole::Register, width}, code);
    return o;
}

Operand destination_operand(std::uint8_t code, Width width) {
    Operand o;
    read_operand(o, {OperandRole::Destination, width}, code);
    return o;
}

void decode_als(Bundle& bundle, unsigned channel, const VersionIndex& index) {
    static constexpr DecodeRow kUnknown{};
    AlsOp& a = bundle.als[channel];
    const std::uint8_t mas = bundle.cs1.mas[channel];
    const DecodeRow* found = index.find(channel, a.als, a.ales, a.has_ales, mas);
    const DecodeRow& row = found ? *found : kUnknown;
    a.op = row.op;
    a.ambiguous = row.traits & DecodeRow::kAmbiguous;
    a.channel = static_cast<std::uint8_t>(channel);
    a.speculative = a.als >> 31;
    a.pair_second = (row.pair_second >> channel) & 1;
    a.mas = !found || (row.traits & DecodeRow::kCarriesMas) ? mas : 0;
    a.imm8 = 0;
    a.guards.count = 0;
    a.merge.count = 0;
    a.aau.clear();
    decode_operands(bundle, a, row);
}

void attach_conditions(Bundle& bundle) {
    for (unsigned i = 0; i < bundle.cds_count; ++i) {
        // objdump's order; the hardware has none.
        attach_half(bundle, static_cast<std::uint16_t>(bundle.cds[i]));
        attach_half(bundle, static_cast<std::uint16_t>(bundle.cds[i] >> 16));
    }
}

}  // namespace e2k::isa
