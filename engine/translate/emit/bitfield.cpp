// Extensions and bit fields with literal descriptors (integer.md §5, §6).
#include "engine/translate/emit/steps.h"

namespace e2k::translate {
namespace {

using asmjit::x86::Gp;

bool literal_src1(const OpContext& c) { return c.v.constant(c.op.a, 32).has_value(); }

void extend(OpContext& c) {
    const auto mode = static_cast<unsigned>(*c.v.constant(c.op.a, 32));
    const Gp x = c.v.use(c.op.b, 32);
    const Gp d = c.v.def();
    const bool zero = mode & 4;
    switch (mode & 3) {
        case 0:
            zero ? c.a.movzx(d.r32(), x.r8()) : c.a.movsx(d.r64(), x.r8());
            break;
        case 1:
            zero ? c.a.movzx(d.r32(), x.r16()) : c.a.movsx(d.r64(), x.r16());
            break;
        default:
            zero ? c.a.mov(d.r32(), x.r32()) : c.a.movsxd(d.r64(), x.r32());
            break;
    }
    c.v.set_result(d);
}

template <unsigned Bits>
bool plain_field(const OpContext& c) {
    const auto descriptor = c.v.constant(c.op.b, Bits);
    return descriptor && getf_accepts(*descriptor, Bits, c.iset);
}

template <unsigned Bits>
void get_field(OpContext& c) {
    const Gp x = c.v.use(c.op.a, Bits);
    const Gp d = c.v.def();
    emit_getf(c, Bits, d, {std::nullopt, x}, *c.v.constant(c.op.b, Bits));
    c.v.set_result(d);
}

/// getfz: the field as on v5, then bits 15:13 of the descriptor say how many low bits are cleared.
template <unsigned Bits>
bool plain_field_cleared(const OpContext& c) {
    constexpr int kByField = 5;
    const auto descriptor = c.v.constant(c.op.b, Bits);
    return descriptor && getf_accepts(*descriptor, Bits, kByField);
}

template <unsigned Bits>
void get_field_cleared(OpContext& c) {
    const std::uint64_t descriptor = *c.v.constant(c.op.b, Bits);
    const unsigned cleared = descriptor >> 13 & 7;
    const Gp x = c.v.use(c.op.a, Bits);
    const Gp d = c.v.def();
    emit_getf(c, Bits, d, {std::nullopt, x}, descriptor);
    if (cleared) c.a.and_(sized(d, Bits), asmjit::imm(-(1 << cleared)));
    c.v.set_result(d);
}

template <unsigned Bits>
bool literal_descriptor(const OpContext& c) {
    const auto descriptor = c.v.constant(c.op.b, Bits);
    return descriptor && (*descriptor >> 6 & (Bits - 1)) != 0;
}

/// d = (rotr(a, off) & ~M) | (c & M).
template <unsigned Bits>
void insert_field(OpContext& c) {
    const std::uint64_t descriptor = *c.v.constant(c.op.b, Bits);
    const unsigned offset = descriptor & (Bits - 1), length = descriptor >> 6 & (Bits - 1);
    const Gp x = c.v.use(c.op.a, Bits), field = c.v.use(c.op.c, Bits);
    const Gp d = c.v.def();
    c.a.mov(sized(d, Bits), sized(x, Bits));
    // Clear the low bits after the rotation by shifting them out and back.
    if (offset) c.a.ror(sized(d, Bits), offset);
    c.a.shr(sized(d, Bits), length);
    c.a.shl(sized(d, Bits), length);
    if (length == 32) {
        c.a.mov(asmjit::x86::eax, field.r32());
    } else {
        c.a.mov(sized(asmjit::x86::rax, Bits), sized(field, Bits));
        c.a.shl(sized(asmjit::x86::rax, Bits), Bits - length);
        c.a.shr(sized(asmjit::x86::rax, Bits), Bits - length);
    }
    c.a.or_(sized(d, Bits), sized(asmjit::x86::rax, Bits));
    c.v.set_result(d);
}

template <unsigned Bits>
void population(OpContext& c) {
    const Gp x = c.v.use(c.op.b, Bits);
    const Gp d = c.v.def();
    Bits == 32 ? c.a.popcnt(d.r32(), x.r32()) : c.a.popcnt(d.r64(), x.r64());
    c.v.set_result(d);
}

/// BSR leaves the destination alone for 0: then the number beyond the last position stays.
template <unsigned Bits>
void leading_zeros(OpContext& c) {
    const Gp x = c.v.use(c.op.b, Bits);
    const Gp d = c.v.def();
    c.a.mov(asmjit::x86::ecx, asmjit::imm(2 * Bits - 1));
    c.a.bsr(sized(d, Bits), sized(x, Bits));
    c.a.cmovz(d.r32(), asmjit::x86::ecx);
    c.a.xor_(d.r32(), asmjit::imm(Bits - 1));
    c.v.set_result(d);
}

/// Bytes by BSWAP, then nibbles, pairs and single bits.
template <unsigned Bits>
void reverse_bits(OpContext& c) {
    const Gp x = c.v.use(c.op.b, Bits);
    const Gp d = c.v.def();
    const Gp t = sized(asmjit::x86::rax, Bits), mask = sized(asmjit::x86::rcx, Bits);
    c.a.mov(sized(d, Bits), sized(x, Bits));
    c.a.bswap(sized(d, Bits));
    struct Exchange {
        unsigned by;
        std::uint64_t low;
    };
    for (const auto& [by, low] : {Exchange{4, 0x0f0f'0f0f'0f0f'0f0f},
                                  {2, 0x3333'3333'3333'3333},
                                  {1, 0x5555'5555'5555'5555}}) {
        c.v.load_constant(asmjit::x86::rcx, Bits == 32 ? low & 0xffff'ffff : low);
        c.a.mov(t, sized(d, Bits));
        c.a.shr(t, by);
        c.a.and_(t, mask);
        c.a.and_(sized(d, Bits), mask);
        c.a.shl(sized(d, Bits), by);
        c.a.or_(sized(d, Bits), t);
    }
    c.v.set_result(d);
}

constexpr Emitter kEmitters[] = {
    {"lzcnts", leading_zeros<32>},
    {"lzcntd", leading_zeros<64>},
    {"bitrevs", reverse_bits<32>},
    {"bitrevd", reverse_bits<64>},
    {"sxt", extend, true, literal_src1},
    {"getfs", get_field<32>, true, plain_field<32>},
    {"getfd", get_field<64>, true, plain_field<64>},
    {"getfzs", get_field_cleared<32>, true, plain_field_cleared<32>},
    {"getfzd", get_field_cleared<64>, true, plain_field_cleared<64>},
    {"insfs", insert_field<32>, true, literal_descriptor<32>},
    {"insfd", insert_field<64>, true, literal_descriptor<64>},
    {"popcnts", population<32>},
    {"popcntd", population<64>},
};

}  // namespace

std::span<const Emitter> bitfield_emitters() { return kEmitters; }

}  // namespace e2k::translate
