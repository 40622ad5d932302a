// Packed shifts that the host does not have: rotations, and the arithmetic one of 64-bit lanes
// (packed.md §4).
#include <algorithm>

#include "engine/translate/emit/steps.h"

namespace e2k::translate {
namespace {

using asmjit::imm;
using asmjit::InstId;
using asmjit::x86::Gp;
using asmjit::x86::Xmm;
namespace x86 = asmjit::x86;
namespace Inst = x86::Inst;

/// The lanes of x to the right by the number in rax and those of `part` to the left by the rest of
/// `width`, both into d.
void shift_apart(OpContext& c, InstId right, InstId left, unsigned width, const Xmm& d,
                 const Xmm& part) {
    const Xmm count = x86::xmm15;
    c.a.movq(count, x86::rax);
    c.a.emit(right, d, count);
    c.a.neg(x86::rax);
    c.a.add(x86::rax, imm(width));
    c.a.movq(count, x86::rax);
    c.a.emit(left, part, count);
    c.a.por(d, part);
}

/// A rotation to the right; a count of 0 shifts the other part out of its lanes.
template <InstId Right, InstId Left, unsigned Width, unsigned Bits>
void rotate(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, Bits);
    const auto known = c.v.constant(c.op.b, 64);
    const Gp count = known ? Gp() : c.v.use(c.op.b, 64);
    const Xmm d = c.v.def_xmm();
    const Xmm part = known ? x86::xmm15 : c.v.def_xmm();
    c.a.movdqa(d, x);
    c.a.movdqa(part, x);
    if (known) {
        const auto n = static_cast<unsigned>(*known % Width);
        c.a.emit(Right, d, imm(n));
        c.a.emit(Left, part, imm(Width - n));
        c.a.por(d, part);
    } else {
        c.a.mov(x86::eax, count.r32());
        c.a.and_(x86::eax, imm(Width - 1));
        shift_apart(c, Right, Left, Width, d, part);
    }
    c.v.set_result(d, Bits);
}

/// Copies of the sign from the left.
void arithmetic_right(OpContext& c) {
    constexpr unsigned kWidth = 64;
    const Xmm x = c.v.use_xmm(c.op.a, 128);
    const auto known = c.v.constant(c.op.b, 64);
    const Gp count = known ? Gp() : c.v.use(c.op.b, 64);
    const Xmm d = c.v.def_xmm(), signs = c.v.def_xmm();
    c.a.movdqa(d, x);
    c.a.pxor(signs, signs);
    c.a.pcmpgtq(signs, x);
    if (known) {
        const auto n = static_cast<unsigned>(std::min<std::uint64_t>(*known, kWidth - 1));
        c.a.psrlq(d, imm(n));
        c.a.psllq(signs, imm(kWidth - n));
        c.a.por(d, signs);
    } else {
        c.a.mov(x86::eax, imm(kWidth - 1));
        c.a.cmp(count, x86::rax);
        c.a.cmovb(x86::rax, count);
        shift_apart(c, Inst::kIdPsrlq, Inst::kIdPsllq, kWidth, d, signs);
    }
    c.v.set_result(d, 128);
}

void rotate_one(OpContext& c) {
    const Source x = source_of(c, c.op.a, 64), y = source_of(c, c.op.b, 64);
    const Gp d = c.v.def();
    emit_step(c, Step::Scr, 64, d, x, y);
    c.v.set_result(d);
}

constexpr Emitter kEmitters[] = {
    {"psrcw", rotate<Inst::kIdPsrld, Inst::kIdPslld, 32, 64>, false},
    {"psrcd", rotate_one},
    {"qpsrcw", rotate<Inst::kIdPsrld, Inst::kIdPslld, 32, 128>, false},
    {"qpsrcd", rotate<Inst::kIdPsrlq, Inst::kIdPsllq, 64, 128>, false},
    {"qpsrad", arithmetic_right, false},
};

}  // namespace

std::span<const Emitter> packed_shift_emitters() { return kEmitters; }

}  // namespace e2k::translate
