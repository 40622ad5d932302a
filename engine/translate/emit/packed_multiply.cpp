// Packed products and sums that take more than one instruction, and carry-less products
// (packed.md §3, §10).
#include "engine/translate/emitters.h"

namespace e2k::translate {
namespace {

using asmjit::imm;
using asmjit::x86::Gp;
using asmjit::x86::Xmm;
namespace x86 = asmjit::x86;

/// (a * b + 0x80) >> 8 for bytes a; (128 * a * b + 0x4000) >> 15 is the same number.
template <unsigned Bits>
void multiply_bytes(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, Bits), y = c.v.use_xmm(c.op.b, Bits);
    const Xmm d = c.v.def_xmm();
    c.a.pxor(x86::xmm15, x86::xmm15);
    c.a.movdqa(d, x);
    c.a.punpcklbw(d, x86::xmm15);
    c.a.psllw(d, imm(7));
    c.a.pmulhrsw(d, y);
    c.v.set_result(d, Bits);
}

void minimum_position64(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, 64), y = c.v.use_xmm(c.op.b, 64);
    const Xmm d = c.v.def_xmm();
    c.a.movdqa(d, x);
    c.a.punpcklqdq(d, y);
    c.a.phminposuw(d, d);
    c.v.set_result(d, 64);
}

/// The better of the two halves; of equals that of a.
void minimum_position128(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, 128), y = c.v.use_xmm(c.op.b, 128);
    const Gp d = c.v.def();
    constexpr int kLanes = 8, kPosition = 16;
    c.a.phminposuw(x86::xmm15, x);
    c.a.movd(d.r32(), x86::xmm15);
    c.a.phminposuw(x86::xmm15, y);
    c.a.movd(x86::eax, x86::xmm15);
    c.a.add(x86::eax, imm(kLanes << kPosition));
    c.a.cmp(x86::ax, d.r16());
    c.a.cmovb(d.r32(), x86::eax);
    c.v.set_result(d);
}

void windowed_distances64(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, 64), y = c.v.use_xmm(c.op.b, 64);
    const Xmm d = c.v.def_xmm();
    c.a.movdqa(d, x);
    c.a.mpsadbw(d, y, imm(0));
    c.v.set_result(d, 64);
}

/// The host has windows over the whole register: four of each half are taken.
void windowed_distances128(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, 128), y = c.v.use_xmm(c.op.b, 128);
    const Xmm d = c.v.def_xmm();
    c.a.movdqa(x86::xmm15, x);
    c.a.psrldq(x86::xmm15, imm(8));
    c.a.mpsadbw(x86::xmm15, y, imm(0));
    c.a.movdqa(d, x);
    c.a.mpsadbw(d, y, imm(0));
    c.a.punpcklqdq(d, x86::xmm15);
    c.v.set_result(d, 128);
}

bool host_clmul(const OpContext&) {
    static const bool has = __builtin_cpu_supports("pclmul");
    return has;
}

template <bool High>
void carry_less(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, 64), y = c.v.use_xmm(c.op.b, 64);
    const Xmm d = c.v.def_xmm();
    c.a.movdqa(d, x);
    c.a.pclmulqdq(d, y, imm(0));  // the low halves
    if (High) c.a.psrldq(d, imm(8));
    c.v.set_result(d, 64);
}

constexpr Emitter kEmitters[] = {
    {"pmulubhh", multiply_bytes<64>, false},
    {"qpmulubhh", multiply_bytes<128>, false},
    {"phminposuh", minimum_position64, false},
    {"qphminposuh", minimum_position128, false},
    {"mpsadbh", windowed_distances64, false},
    {"qpmpsadbh", windowed_distances128, false},
    {"clmull", carry_less<false>, false, host_clmul},
    {"clmulh", carry_less<true>, false, host_clmul},
};

}  // namespace

std::span<const Emitter> packed_multiply_emitters() { return kEmitters; }

}  // namespace e2k::translate
