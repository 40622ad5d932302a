// Additions, logic, shifts, multiplications, selection (integer.md §1, §2, §3, §8).
#include "engine/translate/emit/steps.h"

namespace e2k::translate {
namespace {

using asmjit::x86::Gp;
namespace x86 = asmjit::x86;

template <Step S, unsigned Bits>
void step(OpContext& c) {
    const Source x = source_of(c, c.op.a, Bits), y = source_of(c, c.op.b, Bits);
    const Gp d = first_may_be_result(S) && !x.value                  ? c.v.def_over(c.op.a, x.reg)
                 : first_may_be_result(S) && commutes(S) && !y.value ? c.v.def_over(c.op.b, y.reg)
                                                                     : c.v.def();
    emit_step(c, S, Bits, d, x, y);
    c.v.set_result(d);
}

/// `add 0, x` is the compiler's move: the result is the operand's register itself.
template <unsigned Bits>
void add(OpContext& c) {
    const auto a = c.v.constant(c.op.a, Bits), b = c.v.constant(c.op.b, Bits);
    if ((a && *a == 0) || (b && *b == 0)) {
        const cpu::exec::RegRef from = a && *a == 0 ? c.op.b : c.op.a;
        if (const auto x = c.v.only_in_xmm(from, Bits)) return c.v.set_result(*x, Bits);
        const Gp r = c.v.use(from, Bits);
        if (Bits == 64) return c.v.set_result(r, false);
        // The upper half of the operand's register is not zero, that of a result must be.
        const Gp d = c.v.def();
        c.a.mov(d.r32(), r.r32());
        return c.v.set_result(d);
    }
    step<Step::Add, Bits>(c);
}

template <unsigned Bits>
void select(OpContext& c) {
    const Gp d = c.v.def();
    emit_select(c, Bits, d);
    c.v.set_result(d);
}

template <unsigned Bits>
void multiply(OpContext& c) {
    const Source x = source_of(c, c.op.a, Bits), y = source_of(c, c.op.b, Bits);
    const Gp d = c.v.def();
    const Source& reg = x.value ? y : x;
    const Source& other = x.value ? x : y;
    if (reg.value) {
        c.v.load_constant(d, *reg.value);
        c.a.imul(sized(d, Bits), sized(d, Bits),
                 asmjit::imm(static_cast<std::int32_t>(*other.value)));
    } else if (other.value) {
        c.a.imul(sized(d, Bits), sized(reg.reg, Bits),
                 asmjit::imm(static_cast<std::int32_t>(*other.value)));
    } else {
        c.a.mov(sized(d, Bits), sized(reg.reg, Bits));
        c.a.imul(sized(d, Bits), sized(other.reg, Bits));
    }
    c.v.set_result(d);
}

/// 32 x 32 -> 64.
template <bool Signed>
void multiply_wide(OpContext& c) {
    const Gp x = c.v.use(c.op.a, 32), y = c.v.use(c.op.b, 32);
    const Gp d = c.v.def();
    if (Signed) {
        c.a.movsxd(d, x.r32());
        c.a.movsxd(x86::rax, y.r32());
    } else {
        c.a.mov(d.r32(), x.r32());
        c.a.mov(x86::eax, y.r32());
    }
    c.a.imul(d, x86::rax);
    c.v.set_result(d);
}

/// High half of 64 x 64.
template <bool Signed>
void multiply_high(OpContext& c) {
    const Gp x = c.v.use(c.op.a, 64), y = c.v.use(c.op.b, 64);
    const Gp d = c.v.def();
    c.a.mov(x86::rax, x);
    if (Signed)
        c.a.imul(y);
    else
        c.a.mul(y);
    c.a.mov(d, x86::rdx);
    c.v.set_result(d);
}

enum class Carried { Value, Carry };

/// Addition or subtraction with bit 0 of src3, or what it carries out.
template <asmjit::InstId Id, Carried What>
void with_carry(OpContext& c) {
    const Gp x = c.v.use(c.op.a, 64), y = c.v.use(c.op.b, 64), carry = c.v.use(c.op.c, 32);
    const Gp d = c.v.def();
    c.a.mov(x86::eax, carry.r32());
    c.a.mov(d, x);
    c.a.shr(x86::eax, 1);  // to CF
    c.a.emit(Id, d, y);
    if (What == Carried::Carry) {
        c.a.setc(x86::al);
        c.a.movzx(d.r32(), x86::al);
    }
    c.v.set_result(d);
}

void select_packed(OpContext& c) {
    const asmjit::x86::Xmm x = c.v.use_xmm(c.op.a, 128), y = c.v.use_xmm(c.op.b, 128);
    const asmjit::x86::Xmm d = c.v.def_xmm();
    c.a.movaps(d, x);
    if (c.selects) {
        const asmjit::Label done = c.a.newLabel();
        c.a.j(asmjit::x86::negateCond(c.select_condition()), done);
        c.a.movaps(d, y);
        c.a.bind(done);
    }
    c.v.set_result(d, 128);
}

constexpr Emitter kEmitters[] = {
    {"adds", add<32>},
    {"addd", add<64>},
    {"subs", step<Step::Sub, 32>},
    {"subd", step<Step::Sub, 64>},
    {"ands", step<Step::And, 32>},
    {"andd", step<Step::And, 64>},
    {"andns", step<Step::AndNot, 32>},
    {"andnd", step<Step::AndNot, 64>},
    {"ors", step<Step::Or, 32>},
    {"ord", step<Step::Or, 64>},
    {"orns", step<Step::OrNot, 32>},
    {"ornd", step<Step::OrNot, 64>},
    {"xors", step<Step::Xor, 32>},
    {"xord", step<Step::Xor, 64>},
    {"xorns", step<Step::XorNot, 32>},
    {"xornd", step<Step::XorNot, 64>},
    {"pandd", step<Step::And, 64>},
    {"pandnd", step<Step::AndNot, 64>},
    {"pord", step<Step::Or, 64>},
    {"pxord", step<Step::Xor, 64>},
    {"shls", step<Step::Shl, 32>},
    {"shld", step<Step::Shl, 64>},
    {"shrs", step<Step::Shr, 32>},
    {"shrd", step<Step::Shr, 64>},
    {"sars", step<Step::Sar, 32>},
    {"sard", step<Step::Sar, 64>},
    {"scls", step<Step::Scl, 32>},
    {"scld", step<Step::Scl, 64>},
    {"scrs", step<Step::Scr, 32>},
    {"scrd", step<Step::Scr, 64>},
    {"muls", multiply<32>},
    {"muld", multiply<64>},
    {"umulx", multiply_wide<false>},
    {"smulx", multiply_wide<true>},
    {"umulhd", multiply_high<false>},
    {"smulhd", multiply_high<true>},
    {"merges", select<32>},
    {"merged", select<64>},
    {"pmrgp", select<64>},
    {"qpmrgp", select_packed, false},
    {"addcd", with_carry<x86::Inst::kIdAdc, Carried::Value>},
    {"addcd_c", with_carry<x86::Inst::kIdAdc, Carried::Carry>},
    {"subcd", with_carry<x86::Inst::kIdSbb, Carried::Value>},
    {"subcd_c", with_carry<x86::Inst::kIdSbb, Carried::Carry>},
};

}  // namespace

std::span<const Emitter> integer_emitters() { return kEmitters; }

}  // namespace e2k::translate
