// Floating point beyond scalar arithmetic: packed lanes, rounding to integral values, compares to
// flags, fused multiply-add (float.md §5, §6, §9, §10). The two lanes of a 64-bit packed
// operand are computed with zeros above them, which raise no flags.
#include <array>

#include "engine/cpu/semantics/fp_fma.h"
#include "engine/translate/emitters.h"

namespace e2k::translate {
namespace {

using asmjit::imm;
using asmjit::InstId;
using asmjit::x86::Gp;
using asmjit::x86::Xmm;
namespace x86 = asmjit::x86;
namespace Inst = x86::Inst;

/// Valid bits of operands and result; 64: two f32 lanes, or one f64 by a scalar instruction.
enum Shape { PairS, ScalarD, QuadS, PairD };
constexpr unsigned bits_of(Shape shape) { return shape == PairS || shape == ScalarD ? 64 : 128; }

/// A new register with the first operand, and the second one as the instruction may read it.
struct Lanes {
    Xmm d, y;
};
template <Shape S>
Lanes load(OpContext& c, cpu::exec::RegRef first, cpu::exec::RegRef second) {
    const Xmm x = c.v.use_xmm(first, bits_of(S)), y = c.v.use_xmm(second, bits_of(S));
    const Xmm d = c.v.def_xmm();
    if (S != PairS) {
        c.a.movaps(d, x);
        return {d, y};
    }
    c.a.movq(x86::xmm15, y);
    c.a.movq(d, x);
    return {d, x86::xmm15};
}

template <InstId Id, Shape S>
void binary(OpContext& c) {
    const Lanes l = load<S>(c, c.op.a, c.op.b);
    c.a.emit(Id, l.d, l.y);
    c.v.set_result(l.d, bits_of(S));
}

/// Pairs of a into the low half, of b into the high half.
template <InstId Id, Shape S>
void horizontal(OpContext& c) {
    if (S == QuadS) return binary<Id, S>(c);
    const Lanes l = load<S>(c, c.op.a, c.op.b);
    c.a.punpcklqdq(l.d, l.y);
    c.a.emit(Id, l.d, l.d);
    c.v.set_result(l.d, 64);
}

enum Relation { Eq, Lt, Le, Uod, Neq, Nlt, Nle, Od };  // the immediate of CMPPS

template <InstId Id, Shape S, Relation R>
void compare(OpContext& c) {
    const Lanes l = load<S>(c, c.op.a, c.op.b);
    c.a.emit(Id, l.d, l.y, imm(static_cast<int>(R)));
    c.v.set_result(l.d, bits_of(S));
}

/// Conversions of src2, lane by lane.
template <InstId Id, unsigned From, unsigned To>
void convert(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.b, From);
    const Xmm d = c.v.def_xmm();
    if (From == 64 && To == 64) {
        c.a.movq(d, x);
        c.a.emit(Id, d, d);
    } else {
        c.a.emit(Id, d, x);
    }
    c.v.set_result(d, To);
}

/// Between two lanes and two 64-bit integers, one after the other through general registers.
template <InstId Id, unsigned From, std::uint8_t Second>
void to_wide_integers(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.b, From);
    const Xmm d = c.v.def_xmm();
    c.a.emit(Id, x86::rax, x);
    c.a.pshufd(x86::xmm15, x, imm(Second));
    c.a.emit(Id, x86::rcx, x86::xmm15);
    c.a.movq(d, x86::rax);
    c.a.movq(x86::xmm15, x86::rcx);
    c.a.punpcklqdq(d, x86::xmm15);
    c.v.set_result(d, 128);
}

template <InstId Id, InstId Join, unsigned To>
void from_wide_integers(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.b, 128);
    const Xmm d = c.v.def_xmm();
    c.a.movq(x86::rax, x);
    c.a.pextrq(x86::rcx, x, imm(1));
    c.a.xorps(d, d);
    c.a.emit(Id, d, x86::rax);
    c.a.xorps(x86::xmm15, x86::xmm15);
    c.a.emit(Id, x86::xmm15, x86::rcx);
    c.a.emit(Join, d, x86::xmm15);
    c.v.set_result(d, To);
}

constexpr std::uint8_t kUpperHalf = 0xee, kSecondLane = 0x55;  // as PSHUFD takes them

bool known_control(const OpContext& c) { return c.v.constant(c.op.a, 32).has_value(); }

/// src1 is the instruction's immediate.
template <InstId Id, unsigned Bits, bool Pair = false>
void round(OpContext& c) {
    const auto control = static_cast<unsigned>(*c.v.constant(c.op.a, 32) & 15);
    const Xmm x = c.v.use_xmm(c.op.b, Bits);
    const Xmm d = c.v.def_xmm();
    Pair ? c.a.movq(d, x) : c.a.movaps(d, x);
    c.a.emit(Id, d, d, imm(control));
    c.v.set_result(d, Bits);
}

/// ZF, PF, CF in their EFLAGS positions.
template <InstId Id, unsigned Bits>
void flags(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, Bits), y = c.v.use_xmm(c.op.b, Bits);
    const Gp d = c.v.def();
    c.a.emit(Id, x, y);
    c.a.lahf();
    c.a.movzx(x86::eax, x86::ah);  // the high byte has no name beside r8..r15
    c.a.and_(x86::eax, imm(0x45));
    c.a.mov(d.r32(), x86::eax);
    c.v.set_result(d);
}

bool host_fma(const OpContext&) {
    static const bool has = cpu::fp::host_has_fma();
    return has;
}

/// d = a * b + c with the signs of the instruction; the 132 form has NaN priority a, b, c.
template <InstId Id, unsigned Bits>
void fused(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, Bits), y = c.v.use_xmm(c.op.b, Bits),
              z = c.v.use_xmm(c.op.c, Bits);
    const Xmm d = c.v.def_xmm();
    c.a.movaps(d, x);
    c.a.emit(Id, d, z, y);
    c.v.set_result(d, Bits);
}

template <InstId Id, unsigned Bits>
constexpr Emitter fma(std::string_view name) {
    return {name, fused<Id, Bits>, false, host_fma};
}

constexpr Emitter kEmitters[] = {
    {"pfadds", binary<Inst::kIdAddps, PairS>, false},
    {"pfaddd", binary<Inst::kIdAddsd, ScalarD>, false},
    {"pfsubs", binary<Inst::kIdSubps, PairS>, false},
    {"pfsubd", binary<Inst::kIdSubsd, ScalarD>, false},
    {"pfmuls", binary<Inst::kIdMulps, PairS>, false},
    {"pfmuld", binary<Inst::kIdMulsd, ScalarD>, false},
    {"pfmins", binary<Inst::kIdMinps, PairS>, false},
    {"pfmind", binary<Inst::kIdMinsd, ScalarD>, false},
    {"pfmaxs", binary<Inst::kIdMaxps, PairS>, false},
    {"pfmaxd", binary<Inst::kIdMaxsd, ScalarD>, false},
    {"qpfmins", binary<Inst::kIdMinps, QuadS>, false},
    {"qpfmind", binary<Inst::kIdMinpd, PairD>, false},
    {"qpfmaxs", binary<Inst::kIdMaxps, QuadS>, false},
    {"qpfmaxd", binary<Inst::kIdMaxpd, PairD>, false},
    {"pfaddsubs", binary<Inst::kIdAddsubps, PairS>, false},
    {"qpfaddsubs", binary<Inst::kIdAddsubps, QuadS>, false},
    {"qpfaddsubd", binary<Inst::kIdAddsubpd, PairD>, false},
    {"pfhadds", horizontal<Inst::kIdHaddps, PairS>, false},
    {"pfhsubs", horizontal<Inst::kIdHsubps, PairS>, false},
    {"qpfhadds", horizontal<Inst::kIdHaddps, QuadS>, false},
    {"qpfhsubs", horizontal<Inst::kIdHsubps, QuadS>, false},
    {"pfdivd", binary<Inst::kIdDivsd, ScalarD>, false},
    {"pfcmpeqs", compare<Inst::kIdCmpps, PairS, Eq>, false},
    {"pfcmpeqd", compare<Inst::kIdCmpsd, ScalarD, Eq>, false},
    {"qpfcmpeqs", compare<Inst::kIdCmpps, QuadS, Eq>, false},
    {"qpfcmpeqd", compare<Inst::kIdCmppd, PairD, Eq>, false},
    {"pfcmplts", compare<Inst::kIdCmpps, PairS, Lt>, false},
    {"pfcmpltd", compare<Inst::kIdCmpsd, ScalarD, Lt>, false},
    {"qpfcmplts", compare<Inst::kIdCmpps, QuadS, Lt>, false},
    {"qpfcmpltd", compare<Inst::kIdCmppd, PairD, Lt>, false},
    {"pfcmples", compare<Inst::kIdCmpps, PairS, Le>, false},
    {"pfcmpled", compare<Inst::kIdCmpsd, ScalarD, Le>, false},
    {"qpfcmples", compare<Inst::kIdCmpps, QuadS, Le>, false},
    {"qpfcmpled", compare<Inst::kIdCmppd, PairD, Le>, false},
    {"pfcmpuods", compare<Inst::kIdCmpps, PairS, Uod>, false},
    {"pfcmpuodd", compare<Inst::kIdCmpsd, ScalarD, Uod>, false},
    {"qpfcmpuods", compare<Inst::kIdCmpps, QuadS, Uod>, false},
    {"qpfcmpuodd", compare<Inst::kIdCmppd, PairD, Uod>, false},
    {"pfcmpneqs", compare<Inst::kIdCmpps, PairS, Neq>, false},
    {"pfcmpneqd", compare<Inst::kIdCmpsd, ScalarD, Neq>, false},
    {"qpfcmpneqs", compare<Inst::kIdCmpps, QuadS, Neq>, false},
    {"qpfcmpneqd", compare<Inst::kIdCmppd, PairD, Neq>, false},
    {"pfcmpnlts", compare<Inst::kIdCmpps, PairS, Nlt>, false},
    {"pfcmpnltd", compare<Inst::kIdCmpsd, ScalarD, Nlt>, false},
    {"qpfcmpnlts", compare<Inst::kIdCmpps, QuadS, Nlt>, false},
    {"qpfcmpnltd", compare<Inst::kIdCmppd, PairD, Nlt>, false},
    {"pfcmpnles", compare<Inst::kIdCmpps, PairS, Nle>, false},
    {"pfcmpnled", compare<Inst::kIdCmpsd, ScalarD, Nle>, false},
    {"qpfcmpnles", compare<Inst::kIdCmpps, QuadS, Nle>, false},
    {"qpfcmpnled", compare<Inst::kIdCmppd, PairD, Nle>, false},
    {"pfcmpods", compare<Inst::kIdCmpps, PairS, Od>, false},
    {"pfcmpodd", compare<Inst::kIdCmpsd, ScalarD, Od>, false},
    {"qpfcmpods", compare<Inst::kIdCmpps, QuadS, Od>, false},
    {"qpfcmpodd", compare<Inst::kIdCmppd, PairD, Od>, false},
    {"pfstois", convert<Inst::kIdCvtps2dq, 64, 64>, false},
    {"pfstoistr", convert<Inst::kIdCvttps2dq, 64, 64>, false},
    {"pistofs", convert<Inst::kIdCvtdq2ps, 64, 64>, false},
    {"qpfstois", convert<Inst::kIdCvtps2dq, 128, 128>, false},
    {"qpfstoistr", convert<Inst::kIdCvttps2dq, 128, 128>, false},
    {"qpistofs", convert<Inst::kIdCvtdq2ps, 128, 128>, false},
    {"qpistofd", convert<Inst::kIdCvtdq2pd, 64, 128>, false},
    {"qpfstofd", convert<Inst::kIdCvtps2pd, 64, 128>, false},
    {"qpfdtofs", convert<Inst::kIdCvtpd2ps, 128, 128>, false},
    {"qpfdtois", convert<Inst::kIdCvtpd2dq, 128, 128>, false},
    {"qpfdtoistr", convert<Inst::kIdCvttpd2dq, 128, 128>, false},
    {"qpfstoid", to_wide_integers<Inst::kIdCvtss2si, 64, kSecondLane>, false},
    {"qpfstoidtr", to_wide_integers<Inst::kIdCvttss2si, 64, kSecondLane>, false},
    {"qpfdtoid", to_wide_integers<Inst::kIdCvtsd2si, 128, kUpperHalf>, false},
    {"qpfdtoidtr", to_wide_integers<Inst::kIdCvttsd2si, 128, kUpperHalf>, false},
    {"qpidtofs", from_wide_integers<Inst::kIdCvtsi2ss, Inst::kIdUnpcklps, 64>, false},
    {"qpidtofd", from_wide_integers<Inst::kIdCvtsi2sd, Inst::kIdPunpcklqdq, 128>, false},
    {"fstoifs", round<Inst::kIdRoundss, 32>, false, known_control},
    {"fdtoifd", round<Inst::kIdRoundsd, 64>, false, known_control},
    {"pfdtoifd", round<Inst::kIdRoundsd, 64>, false, known_control},
    {"pfstoifs", round<Inst::kIdRoundps, 64, true>, false, known_control},
    {"qpfstoifs", round<Inst::kIdRoundps, 128>, false, known_control},
    {"qpfdtoifd", round<Inst::kIdRoundpd, 128>, false, known_control},
    {"fcmpodsf", flags<Inst::kIdComiss, 32>, false},
    {"fcmpoddf", flags<Inst::kIdComisd, 64>, false},
    {"fcmpudsf", flags<Inst::kIdUcomiss, 32>, false},
    {"fcmpuddf", flags<Inst::kIdUcomisd, 64>, false},
    fma<Inst::kIdVfmadd132ss, 32>("fmas"),
    fma<Inst::kIdVfmadd132sd, 64>("fmad"),
    fma<Inst::kIdVfmadd132ps, 128>("qpfmas"),
    fma<Inst::kIdVfmadd132pd, 128>("qpfmad"),
    fma<Inst::kIdVfmsub132ss, 32>("fmss"),
    fma<Inst::kIdVfmsub132sd, 64>("fmsd"),
    fma<Inst::kIdVfmsub132ps, 128>("qpfmss"),
    fma<Inst::kIdVfmsub132pd, 128>("qpfmsd"),
    fma<Inst::kIdVfnmadd132ss, 32>("fnmas"),
    fma<Inst::kIdVfnmadd132sd, 64>("fnmad"),
    fma<Inst::kIdVfnmadd132ps, 128>("qpfnmas"),
    fma<Inst::kIdVfnmadd132pd, 128>("qpfnmad"),
    fma<Inst::kIdVfnmsub132ss, 32>("fnmss"),
    fma<Inst::kIdVfnmsub132sd, 64>("fnmsd"),
    fma<Inst::kIdVfnmsub132ps, 128>("qpfnmss"),
    fma<Inst::kIdVfnmsub132pd, 128>("qpfnmsd"),
    fma<Inst::kIdVfmsubadd132ps, 128>("qpfmass"),
    fma<Inst::kIdVfmsubadd132pd, 128>("qpfmasd"),
    fma<Inst::kIdVfmaddsub132ps, 128>("qpfmsas"),
    fma<Inst::kIdVfmaddsub132pd, 128>("qpfmsad"),
};

}  // namespace

std::span<const Emitter> float_packed_emitters() { return kEmitters; }

}  // namespace e2k::translate
