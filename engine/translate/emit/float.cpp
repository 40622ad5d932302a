// Floating point by SSE instructions, the same ones the semantic functions use (float.md).
// The first operand is the instruction's destination, so that with two NaNs the first one wins.
#include "engine/translate/emit/arithmetic.h"
#include "engine/translate/emitters.h"

namespace e2k::translate {
namespace {

using asmjit::imm;
using asmjit::x86::Gp;
using asmjit::x86::Xmm;
namespace x86 = asmjit::x86;
namespace Inst = x86::Inst;

/// d = a op b; widths in valid bits of the registers.
template <asmjit::InstId Id, unsigned Bits>
void binary(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, Bits);
    const asmjit::Operand y = c.v.use_xmm_or_memory(c.op.b, Bits);
    const Xmm d = c.v.def_over(c.op.a, x);
    arithmetic<Id>(c, d, x, y);
    c.v.set_result(d, Bits);
}

enum class Second { Add, Sub, ReverseSub };

/// t = a op b; d = c op2 t (reverse: t - c): two roundings.
template <asmjit::InstId First, asmjit::InstId AddId, asmjit::InstId SubId, Second S, unsigned Bits>
void combined(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, Bits);
    const asmjit::Operand y = c.v.use_xmm_or_memory(c.op.b, Bits);
    if constexpr (S == Second::ReverseSub) {
        const asmjit::Operand z = c.v.use_xmm_or_memory(c.op.c, Bits);
        const Xmm d = c.v.def_over(c.op.a, x);
        arithmetic<First>(c, d, x, y);
        arithmetic<SubId>(c, d, d, z);
        c.v.set_result(d, Bits);
    } else {
        const Xmm z = c.v.use_xmm(c.op.c, Bits);
        const Xmm d = c.v.def_over(c.op.c, z);
        arithmetic<First>(c, x86::xmm15, x, y);
        arithmetic<S == Second::Add ? AddId : SubId>(c, d, z, x86::xmm15);
        c.v.set_result(d, Bits);
    }
}

template <asmjit::InstId Id, bool FromA, unsigned Bits>
void unary(OpContext& c) {
    const Xmm x = c.v.use_xmm(FromA ? c.op.a : c.op.b, Bits);
    const Xmm d = c.v.def_xmm();
    c.a.emit(Id, d, x);
    c.v.set_result(d, Bits);
}

/// The upper lanes of the destination are cleared: no dependence on what was there.
template <asmjit::InstId Id, unsigned From, unsigned To>
void convert(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.b, From);
    const Xmm d = c.v.def_xmm();
    c.a.xorps(d, d);
    c.a.emit(Id, d, x);
    c.v.set_result(d, To);
}

template <asmjit::InstId Id, unsigned From, unsigned To>
void from_integer(OpContext& c) {
    const Gp x = c.v.use(c.op.b, From);
    const Xmm d = c.v.def_xmm();
    c.a.xorps(d, d);
    if (From == 32)
        c.a.emit(Id, d, x.r32());
    else
        c.a.emit(Id, d, x.r64());
    c.v.set_result(d, To);
}

template <asmjit::InstId Id, unsigned From, unsigned To>
void to_integer(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.b, From);
    const Gp d = c.v.def();
    if (To == 32)
        c.a.emit(Id, d.r32(), x);
    else
        c.a.emit(Id, d.r64(), x);
    c.v.set_result(d);
}

/// First step of the 64-bit root: hands its argument on (float.md §4).
void root_seed(OpContext& c) {
    if (const auto x = c.v.only_in_xmm(c.op.b, 64)) return c.v.set_result(*x, 64);
    c.v.set_result(c.v.use(c.op.b, 64), false);
}

/// One divided by the operand, or by its root: exact where the processor approximates
/// (float.md §4).
template <bool Root>
void reciprocal(OpContext& c) {
    constexpr std::uint32_t kOne = 0x3f80'0000;
    const Xmm x = c.v.use_xmm(c.op.b, 32);
    const Xmm d = c.v.def_xmm();
    if (Root) c.a.sqrtss(x86::xmm15, x);
    c.a.mov(x86::eax, imm(kOne));
    c.a.movd(d, x86::eax);
    c.a.divss(d, Root ? x86::xmm15 : x);
    c.v.set_result(d, 32);
}

/// a * 2^b in f64, where it is exact, and one rounding to f32.
void scale(OpContext& c) {
    constexpr int kFar = 600, kBias = 1023, kFraction = 52;
    const Xmm x = c.v.use_xmm(c.op.a, 32);
    const Gp exponent = c.v.use(c.op.b, 32);
    const Xmm d = c.v.def_xmm();
    c.a.mov(x86::eax, exponent.r32());
    c.a.mov(x86::ecx, imm(kFar));
    c.a.cmp(x86::eax, x86::ecx);
    c.a.cmovg(x86::eax, x86::ecx);
    c.a.neg(x86::ecx);
    c.a.cmp(x86::eax, x86::ecx);
    c.a.cmovl(x86::eax, x86::ecx);
    c.a.add(x86::eax, imm(kBias));
    c.a.shl(x86::rax, kFraction);
    c.a.movq(x86::xmm15, x86::rax);
    c.a.xorps(d, d);
    c.a.cvtss2sd(d, x);
    c.a.mulsd(d, x86::xmm15);
    c.a.cvtsd2ss(d, d);
    c.v.set_result(d, 32);
}

/// a * 2^b for f64, as the semantic function does it: the exponent is moved to where one
/// multiplication by a power of two does the whole rounding.
void scale_double(OpContext& c) {
    constexpr int kBias = 1023, kFraction = 52, kStart = 200, kFar = 1200;
    constexpr std::uint64_t kSign = 0x8000'0000'0000'0000, kInfinity = 0x7ff0'0000'0000'0000;
    auto& a = c.a;
    const Gp value = c.v.use(c.op.a, 64), by = c.v.use(c.op.b, 32);
    const Gp exponent = c.v.def(), fraction = c.v.def();
    const Xmm d = c.v.def_xmm();
    const auto normal = a.newLabel(), plain = a.newLabel();
    a.movq(d, value);
    a.mov(fraction, value);
    a.btr(fraction, imm(63));
    a.mov(x86::ecx, imm(kBias));  // the power: 2^0
    a.test(fraction, fraction);
    a.jz(plain);
    a.mov(x86::rax, imm(kInfinity));
    a.cmp(fraction, x86::rax);
    a.jae(plain);
    a.ucomisd(d, d);  // raises DE for a denormal number, nothing else
    a.mov(exponent, fraction);
    a.shr(exponent, imm(kFraction));
    a.jnz(normal);
    // The shift makes bit 52, which is then dropped, of the highest one.
    a.bsr(x86::rax, fraction);
    a.mov(x86::ecx, imm(kFraction));
    a.sub(x86::ecx, x86::eax);
    a.shl(fraction, x86::cl);
    a.mov(exponent.r32(), imm(1));
    a.sub(exponent.r32(), x86::ecx);
    a.bind(normal);
    a.shl(fraction, imm(64 - kFraction));
    a.shr(fraction, imm(64 - kFraction));
    a.movsxd(exponent, exponent.r32());
    a.movsxd(x86::rax, by.r32());
    a.lea(exponent, x86::ptr(exponent, x86::rax, 0, -kBias));
    a.mov(x86::eax, imm(kFar));
    a.cmp(exponent, x86::rax);
    a.cmovg(exponent, x86::rax);
    a.neg(x86::rax);
    a.cmp(exponent, x86::rax);
    a.cmovl(exponent, x86::rax);
    // rax = where the multiplication starts, ecx = what is left.
    a.mov(x86::eax, imm(kStart));
    a.mov(x86::rcx, imm(-kStart));
    a.test(exponent, exponent);
    a.cmovs(x86::rax, x86::rcx);
    a.mov(x86::rcx, exponent);
    a.sub(x86::rcx, x86::rax);
    a.add(x86::ecx, imm(kBias));
    a.add(x86::eax, imm(kBias));
    a.shl(x86::rax, imm(kFraction));
    a.or_(fraction, x86::rax);
    a.mov(x86::rax, imm(kSign));
    a.and_(x86::rax, value);
    a.or_(fraction, x86::rax);
    a.movq(d, fraction);
    a.bind(plain);
    a.shl(x86::rcx, imm(kFraction));
    a.movq(x86::xmm15, x86::rcx);
    a.mulsd(d, x86::xmm15);
    c.v.set_result(d, 64);
}

enum Relation { Eq, Lt, Le, Uod, Neq, Nlt, Nle, Od };  // the immediate of CMPPS

template <unsigned Bits, Relation R>
void compare(const OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, Bits);
    const asmjit::Operand y = c.v.use_xmm_or_memory(c.op.b, Bits);
    const auto relation = imm(static_cast<int>(R));
    if (host_features().avx)
        return (void)c.a.emit(Bits == 32 ? Inst::kIdVcmpss : Inst::kIdVcmpsd, x86::xmm15, x, y,
                              relation);
    c.a.movaps(x86::xmm15, x);
    c.a.emit(Bits == 32 ? Inst::kIdCmpss : Inst::kIdCmpsd, x86::xmm15, y, relation);
}

template <unsigned Bits, Relation R>
void mask(OpContext& c) {
    compare<Bits, R>(c);
    const Xmm d = c.v.def_xmm();
    c.a.movaps(d, x86::xmm15);
    c.v.set_result(d, Bits);
}

template <unsigned Bits, Relation R>
void predicate(OpContext& c) {
    compare<Bits, R>(c);
    const Gp d = c.v.def();
    c.a.movd(d.r32(), x86::xmm15);
    c.a.and_(d.r32(), imm(1));
    c.v.set_result(d);
}

template <asmjit::InstId Id, unsigned Bits>
constexpr Emitter op(std::string_view name) {
    return {name, binary<Id, Bits>, false};
}

template <asmjit::InstId F, Second S>
constexpr auto kCombinedS = combined<F, Inst::kIdAddss, Inst::kIdSubss, S, 32>;
template <asmjit::InstId F, Second S>
constexpr auto kCombinedD = combined<F, Inst::kIdAddsd, Inst::kIdSubsd, S, 64>;

constexpr Emitter kEmitters[] = {
    op<Inst::kIdAddss, 32>("fadds"),
    op<Inst::kIdAddsd, 64>("faddd"),
    op<Inst::kIdSubss, 32>("fsubs"),
    op<Inst::kIdSubsd, 64>("fsubd"),
    op<Inst::kIdMulss, 32>("fmuls"),
    op<Inst::kIdMulsd, 64>("fmuld"),
    op<Inst::kIdDivss, 32>("fdivs"),
    op<Inst::kIdDivsd, 64>("fdivd"),
    op<Inst::kIdMinss, 32>("fmins"),
    op<Inst::kIdMinsd, 64>("fmind"),
    op<Inst::kIdMaxss, 32>("fmaxs"),
    op<Inst::kIdMaxsd, 64>("fmaxd"),
    op<Inst::kIdAddps, 128>("qpfadds"),
    op<Inst::kIdAddpd, 128>("qpfaddd"),
    op<Inst::kIdSubps, 128>("qpfsubs"),
    op<Inst::kIdSubpd, 128>("qpfsubd"),
    op<Inst::kIdMulps, 128>("qpfmuls"),
    op<Inst::kIdMulpd, 128>("qpfmuld"),
    {"fsqrtid", root_seed, false},
    {"fsqrts", unary<Inst::kIdSqrtss, false, 32>, false},
    {"fsqrttd", unary<Inst::kIdSqrtsd, true, 64>, false},
    {"fscales", scale, false},
    {"fscaled", scale_double, false},
    {"frcps", reciprocal<false>, false},
    {"frsqrts", reciprocal<true>, false},
    // Scalar in spite of the prefix.
    op<Inst::kIdDivss, 32>("pfdivs"),
    {"pfsqrts", unary<Inst::kIdSqrtss, false, 32>, false},
    {"pfsqrttd", unary<Inst::kIdSqrtsd, true, 64>, false},
    {"pfstofd", convert<Inst::kIdCvtss2sd, 32, 64>, false},
    {"pfdtofs", convert<Inst::kIdCvtsd2ss, 64, 32>, false},
    {"pfdtois", to_integer<Inst::kIdCvtsd2si, 64, 32>, false},
    {"pfdtoistr", to_integer<Inst::kIdCvttsd2si, 64, 32>, false},
    {"istofs", from_integer<Inst::kIdCvtsi2ss, 32, 32>, false},
    {"istofd", from_integer<Inst::kIdCvtsi2sd, 32, 64>, false},
    {"idtofs", from_integer<Inst::kIdCvtsi2ss, 64, 32>, false},
    {"idtofd", from_integer<Inst::kIdCvtsi2sd, 64, 64>, false},
    {"fstofd", convert<Inst::kIdCvtss2sd, 32, 64>, false},
    {"fdtofs", convert<Inst::kIdCvtsd2ss, 64, 32>, false},
    {"fstois", to_integer<Inst::kIdCvtss2si, 32, 32>, false},
    {"fstoistr", to_integer<Inst::kIdCvttss2si, 32, 32>, false},
    {"fstoid", to_integer<Inst::kIdCvtss2si, 32, 64>, false},
    {"fstoidtr", to_integer<Inst::kIdCvttss2si, 32, 64>, false},
    {"fdtois", to_integer<Inst::kIdCvtsd2si, 64, 32>, false},
    {"fdtoistr", to_integer<Inst::kIdCvttsd2si, 64, 32>, false},
    {"fdtoid", to_integer<Inst::kIdCvtsd2si, 64, 64>, false},
    {"fdtoidtr", to_integer<Inst::kIdCvttsd2si, 64, 64>, false},
    {"fadd_adds", kCombinedS<Inst::kIdAddss, Second::Add>, false},
    {"fadd_addd", kCombinedD<Inst::kIdAddsd, Second::Add>, false},
    {"fadd_subs", kCombinedS<Inst::kIdAddss, Second::Sub>, false},
    {"fadd_subd", kCombinedD<Inst::kIdAddsd, Second::Sub>, false},
    {"fadd_rsubs", kCombinedS<Inst::kIdAddss, Second::ReverseSub>, false},
    {"fadd_rsubd", kCombinedD<Inst::kIdAddsd, Second::ReverseSub>, false},
    {"fsub_adds", kCombinedS<Inst::kIdSubss, Second::Add>, false},
    {"fsub_addd", kCombinedD<Inst::kIdSubsd, Second::Add>, false},
    {"fsub_subs", kCombinedS<Inst::kIdSubss, Second::Sub>, false},
    {"fsub_subd", kCombinedD<Inst::kIdSubsd, Second::Sub>, false},
    {"fsub_rsubs", kCombinedS<Inst::kIdSubss, Second::ReverseSub>, false},
    {"fsub_rsubd", kCombinedD<Inst::kIdSubsd, Second::ReverseSub>, false},
    {"fmul_adds", kCombinedS<Inst::kIdMulss, Second::Add>, false},
    {"fmul_addd", kCombinedD<Inst::kIdMulsd, Second::Add>, false},
    {"fmul_subs", kCombinedS<Inst::kIdMulss, Second::Sub>, false},
    {"fmul_subd", kCombinedD<Inst::kIdMulsd, Second::Sub>, false},
    {"fmul_rsubs", kCombinedS<Inst::kIdMulss, Second::ReverseSub>, false},
    {"fmul_rsubd", kCombinedD<Inst::kIdMulsd, Second::ReverseSub>, false},
    {"fcmpeqs", mask<32, Eq>, false},
    {"fcmpeqd", mask<64, Eq>, false},
    {"fcmplts", mask<32, Lt>, false},
    {"fcmpltd", mask<64, Lt>, false},
    {"fcmples", mask<32, Le>, false},
    {"fcmpled", mask<64, Le>, false},
    {"fcmpuods", mask<32, Uod>, false},
    {"fcmpuodd", mask<64, Uod>, false},
    {"fcmpneqs", mask<32, Neq>, false},
    {"fcmpneqd", mask<64, Neq>, false},
    {"fcmpnlts", mask<32, Nlt>, false},
    {"fcmpnltd", mask<64, Nlt>, false},
    {"fcmpnles", mask<32, Nle>, false},
    {"fcmpnled", mask<64, Nle>, false},
    {"fcmpods", mask<32, Od>, false},
    {"fcmpodd", mask<64, Od>, false},
    {"fcmpeqsb", predicate<32, Eq>, false},
    {"fcmpeqdb", predicate<64, Eq>, false},
    {"fcmpltsb", predicate<32, Lt>, false},
    {"fcmpltdb", predicate<64, Lt>, false},
    {"fcmplesb", predicate<32, Le>, false},
    {"fcmpledb", predicate<64, Le>, false},
    {"fcmpuodsb", predicate<32, Uod>, false},
    {"fcmpuoddb", predicate<64, Uod>, false},
    {"fcmpneqsb", predicate<32, Neq>, false},
    {"fcmpneqdb", predicate<64, Neq>, false},
    {"fcmpnltsb", predicate<32, Nlt>, false},
    {"fcmpnltdb", predicate<64, Nlt>, false},
    {"fcmpnlesb", predicate<32, Nle>, false},
    {"fcmpnledb", predicate<64, Nle>, false},
    {"fcmpodsb", predicate<32, Od>, false},
    {"fcmpoddb", predicate<64, Od>, false},
};

}  // namespace

std::span<const Emitter> float_emitters() { return kEmitters; }

}  // namespace e2k::translate
