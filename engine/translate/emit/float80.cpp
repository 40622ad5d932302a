// 80-bit floating point on the host's x87 unit (float80.md): the instructions of the semantic
// functions, with operands and results in memory. The stack is empty between operations.
#include "engine/translate/emitters.h"

namespace e2k::translate {
namespace {

using asmjit::imm;
using asmjit::InstId;
using asmjit::x86::Gp;
using asmjit::x86::Mem;
using asmjit::x86::Xmm;
using cpu::exec::RegRef;
using cpu::exec::Space;
namespace x86 = asmjit::x86;
namespace Inst = x86::Inst;

/// Types of operands and results, as in the names: FP80, f32, f64, and integers.
enum Type { X, S, D, Word, Long };

constexpr unsigned size_of(Type type) {
    switch (type) {
        case X:
            return 10;
        case S:
        case Word:
            return 4;
        default:
            return 8;
    }
}

/// Literals are in no memory the unit could load from.
template <bool UsesA>
bool in_registers(const OpContext& c) {
    return c.op.b.space != Space::Literal && (!UsesA || c.op.a.space != Space::Literal);
}
bool first_in_register(const OpContext& c) { return c.op.a.space != Space::Literal; }
bool second_in_register(const OpContext& c) { return c.op.b.space != Space::Literal; }

void push(OpContext& c, RegRef r, Type type) {
    const Mem at = c.v.in_memory(r, size_of(type));
    type == Word || type == Long ? c.a.fild(at) : c.a.fld(at);
}

/// An FP80 result from the scratch slot: significand in the low half, 16 bits above it.
void take_extended(OpContext& c) {
    const Xmm d = c.v.def_xmm();
    c.a.mov(x86::rax, c.v.scratch(8));
    c.a.movzx(x86::ecx, c.v.scratch(2, 8));
    c.a.movq(d, x86::rax);
    c.a.pinsrw(d, x86::ecx, imm(4));
    c.v.set_result(d, 128);
}

/// Pops the top of the stack as the result.
void pop(OpContext& c, Type type) {
    c.a.fstp(c.v.scratch(size_of(type)));
    if (type == X) return take_extended(c);
    if (type == S) {
        const Gp d = c.v.def();
        c.a.mov(d.r32(), c.v.scratch(4));
        return c.v.set_result(d);
    }
    const Xmm d = c.v.def_xmm();
    c.a.movsd(d, c.v.scratch(8));
    c.v.set_result(d, 64);
}

void drop(OpContext& c) { c.a.fstp(x86::st0); }

/// %st = a, %st(1) = b: %st = a op b.
template <InstId Id, Type A, Type B, Type R>
void arithmetic(OpContext& c) {
    push(c, c.op.b, B);
    push(c, c.op.a, A);
    c.a.emit(Id, x86::st0, x86::st1);
    pop(c, R);
    drop(c);
}

template <Type A>
void root(OpContext& c) {
    push(c, c.op.a, A);
    c.a.fsqrt();
    pop(c, X);
}

/// a * 2^b.
void scale(OpContext& c) {
    push(c, c.op.b, Word);
    push(c, c.op.a, X);
    c.a.fscale();
    pop(c, X);
    drop(c);
}

template <Type From, Type To>
void convert(OpContext& c) {
    push(c, c.op.b, From);
    pop(c, To);
}

template <InstId Id, unsigned Bytes>
void to_integer(OpContext& c) {
    push(c, c.op.b, X);
    c.a.emit(Id, c.v.scratch(Bytes));
    const Gp d = c.v.def();
    c.a.mov(Bytes == 4 ? d.r32() : d, c.v.scratch(Bytes));
    c.v.set_result(d);
}

/// eax = ZF, PF, CF of a against b in their EFLAGS positions.
template <Type B, bool Quiet>
void compare(OpContext& c) {
    push(c, c.op.b, B);
    push(c, c.op.a, X);
    Quiet ? c.a.fucomi(x86::st1) : c.a.fcomi(x86::st1);
    c.a.lahf();
    drop(c);
    drop(c);
    c.a.movzx(x86::eax, x86::ah);
    c.a.and_(x86::eax, imm(0x45));
}

template <Type B, bool Quiet>
void flags(OpContext& c) {
    compare<B, Quiet>(c);
    const Gp d = c.v.def();
    c.a.mov(d.r32(), x86::eax);
    c.v.set_result(d);
}

enum class Relation { Equal, Less, LessOrEqual, Unordered };

/// The flags are 0 (above), 0x01 (below), 0x40 (equal) or 0x45 (unordered).
template <Type B, Relation R, bool Negated>
void predicate(OpContext& c) {
    compare<B, R == Relation::Equal || R == Relation::Unordered>(c);
    const Gp d = c.v.def();
    if (R == Relation::LessOrEqual) {
        c.a.dec(x86::eax);
        c.a.cmp(x86::eax, imm(0x3f));
        Negated ? c.a.seta(d.r8()) : c.a.setbe(d.r8());
    } else {
        constexpr int kWanted = R == Relation::Equal ? 0x40 : R == Relation::Less ? 0x01 : 0x45;
        c.a.cmp(x86::eax, imm(kWanted));
        Negated ? c.a.setne(d.r8()) : c.a.sete(d.r8());
    }
    c.v.set_result(d);
}

// --- moves ---

enum class Sign { Keep, Clear, Flip };

template <Sign S>
void move(OpContext& c) {
    const Xmm d = c.v.def_xmm();
    c.a.movzx(x86::eax, c.v.in_memory(c.op.b, 2, 8));
    if (S == Sign::Clear) c.a.and_(x86::eax, imm(0x7fff));
    if (S == Sign::Flip) c.a.xor_(x86::eax, imm(0x8000));
    c.a.movq(d, c.v.in_memory(c.op.b, 8));
    c.a.pinsrw(d, x86::eax, imm(4));
    c.v.set_result(d, 128);
}

void upper_part(OpContext& c) {
    const Gp d = c.v.def();
    c.a.movzx(d.r32(), c.v.in_memory(c.op.b, 2, 8));
    c.v.set_result(d);
}

void from_parts(OpContext& c) {
    const Xmm x = c.v.use_xmm(c.op.a, 64);
    const Gp y = c.v.use(c.op.b, 32);
    const Xmm d = c.v.def_xmm();
    c.a.movq(d, x);
    c.a.pinsrw(d, y.r32(), imm(4));
    c.v.set_result(d, 128);
}

constexpr Emitter kEmitters[] = {
    {"fxaddss", arithmetic<Inst::kIdFadd, X, S, S>, false, in_registers<true>},
    {"fxadddd", arithmetic<Inst::kIdFadd, X, D, D>, false, in_registers<true>},
    {"fxaddsx", arithmetic<Inst::kIdFadd, X, S, X>, false, in_registers<true>},
    {"fxadddx", arithmetic<Inst::kIdFadd, X, D, X>, false, in_registers<true>},
    {"fxaddxx", arithmetic<Inst::kIdFadd, X, X, X>, false, in_registers<true>},
    {"fxaddxd", arithmetic<Inst::kIdFadd, X, X, D>, false, in_registers<true>},
    {"fxaddxs", arithmetic<Inst::kIdFadd, X, X, S>, false, in_registers<true>},
    {"fxsubss", arithmetic<Inst::kIdFsub, X, S, S>, false, in_registers<true>},
    {"fxsubdd", arithmetic<Inst::kIdFsub, X, D, D>, false, in_registers<true>},
    {"fxsubsx", arithmetic<Inst::kIdFsub, X, S, X>, false, in_registers<true>},
    {"fxsubdx", arithmetic<Inst::kIdFsub, X, D, X>, false, in_registers<true>},
    {"fxsubxx", arithmetic<Inst::kIdFsub, X, X, X>, false, in_registers<true>},
    {"fxsubxd", arithmetic<Inst::kIdFsub, X, X, D>, false, in_registers<true>},
    {"fxsubxs", arithmetic<Inst::kIdFsub, X, X, S>, false, in_registers<true>},
    {"fxmulss", arithmetic<Inst::kIdFmul, X, S, S>, false, in_registers<true>},
    {"fxmuldd", arithmetic<Inst::kIdFmul, X, D, D>, false, in_registers<true>},
    {"fxmulsx", arithmetic<Inst::kIdFmul, X, S, X>, false, in_registers<true>},
    {"fxmuldx", arithmetic<Inst::kIdFmul, X, D, X>, false, in_registers<true>},
    {"fxmulxx", arithmetic<Inst::kIdFmul, X, X, X>, false, in_registers<true>},
    {"fxmulxd", arithmetic<Inst::kIdFmul, X, X, D>, false, in_registers<true>},
    {"fxmulxs", arithmetic<Inst::kIdFmul, X, X, S>, false, in_registers<true>},
    {"fxdivss", arithmetic<Inst::kIdFdiv, X, S, S>, false, in_registers<true>},
    {"fxdivdd", arithmetic<Inst::kIdFdiv, X, D, D>, false, in_registers<true>},
    {"fxdivsx", arithmetic<Inst::kIdFdiv, X, S, X>, false, in_registers<true>},
    {"fxdivdx", arithmetic<Inst::kIdFdiv, X, D, X>, false, in_registers<true>},
    {"fxdivxx", arithmetic<Inst::kIdFdiv, X, X, X>, false, in_registers<true>},
    {"fxdivxd", arithmetic<Inst::kIdFdiv, X, X, D>, false, in_registers<true>},
    {"fxdivxs", arithmetic<Inst::kIdFdiv, X, X, S>, false, in_registers<true>},
    {"fxrsubss", arithmetic<Inst::kIdFsubr, X, S, S>, false, in_registers<true>},
    {"fxdivtss", arithmetic<Inst::kIdFdiv, S, X, S>, false, in_registers<true>},
    {"fxrsubdd", arithmetic<Inst::kIdFsubr, X, D, D>, false, in_registers<true>},
    {"fxdivtdd", arithmetic<Inst::kIdFdiv, D, X, D>, false, in_registers<true>},
    {"fxrsubsx", arithmetic<Inst::kIdFsubr, X, S, X>, false, in_registers<true>},
    {"fxdivtsx", arithmetic<Inst::kIdFdiv, S, X, X>, false, in_registers<true>},
    {"fxrsubdx", arithmetic<Inst::kIdFsubr, X, D, X>, false, in_registers<true>},
    {"fxdivtdx", arithmetic<Inst::kIdFdiv, D, X, X>, false, in_registers<true>},
    {"fxsqrttsx", root<S>, false, first_in_register},
    {"fxsqrttdx", root<D>, false, first_in_register},
    {"fxsqrttxx", root<X>, false, first_in_register},
    {"fxscalesx", scale, false, in_registers<true>},
    // The first two steps of the root hand its argument on (float80.md §5).
    {"fxsqrtisx", convert<S, X>, false, second_in_register},
    {"fxsqrtidx", convert<D, X>, false, second_in_register},
    {"fxsqrtixx", convert<X, X>, false, second_in_register},
    {"fxsqrtusx", move<Sign::Keep>, false, second_in_register},
    {"fxsqrtudx", move<Sign::Keep>, false, second_in_register},
    {"fxsqrtuxx", move<Sign::Keep>, false, second_in_register},
    {"fxcmpeqsb", predicate<S, Relation::Equal, false>, false, in_registers<true>},
    {"fxcmpltsb", predicate<S, Relation::Less, false>, false, in_registers<true>},
    {"fxcmplesb", predicate<S, Relation::LessOrEqual, false>, false, in_registers<true>},
    {"fxcmpuodsb", predicate<S, Relation::Unordered, false>, false, in_registers<true>},
    {"fxcmpneqsb", predicate<S, Relation::Equal, true>, false, in_registers<true>},
    {"fxcmpnltsb", predicate<S, Relation::Less, true>, false, in_registers<true>},
    {"fxcmpnlesb", predicate<S, Relation::LessOrEqual, true>, false, in_registers<true>},
    {"fxcmpodsb", predicate<S, Relation::Unordered, true>, false, in_registers<true>},
    {"fxcmpodsf", flags<S, false>, false, in_registers<true>},
    {"fxcmpudsf", flags<S, true>, false, in_registers<true>},
    {"fxcmpeqdb", predicate<D, Relation::Equal, false>, false, in_registers<true>},
    {"fxcmpltdb", predicate<D, Relation::Less, false>, false, in_registers<true>},
    {"fxcmpledb", predicate<D, Relation::LessOrEqual, false>, false, in_registers<true>},
    {"fxcmpuoddb", predicate<D, Relation::Unordered, false>, false, in_registers<true>},
    {"fxcmpneqdb", predicate<D, Relation::Equal, true>, false, in_registers<true>},
    {"fxcmpnltdb", predicate<D, Relation::Less, true>, false, in_registers<true>},
    {"fxcmpnledb", predicate<D, Relation::LessOrEqual, true>, false, in_registers<true>},
    {"fxcmpoddb", predicate<D, Relation::Unordered, true>, false, in_registers<true>},
    {"fxcmpoddf", flags<D, false>, false, in_registers<true>},
    {"fxcmpuddf", flags<D, true>, false, in_registers<true>},
    {"fxcmpeqxb", predicate<X, Relation::Equal, false>, false, in_registers<true>},
    {"fxcmpltxb", predicate<X, Relation::Less, false>, false, in_registers<true>},
    {"fxcmplexb", predicate<X, Relation::LessOrEqual, false>, false, in_registers<true>},
    {"fxcmpuodxb", predicate<X, Relation::Unordered, false>, false, in_registers<true>},
    {"fxcmpneqxb", predicate<X, Relation::Equal, true>, false, in_registers<true>},
    {"fxcmpnltxb", predicate<X, Relation::Less, true>, false, in_registers<true>},
    {"fxcmpnlexb", predicate<X, Relation::LessOrEqual, true>, false, in_registers<true>},
    {"fxcmpodxb", predicate<X, Relation::Unordered, true>, false, in_registers<true>},
    {"fxcmpodxf", flags<X, false>, false, in_registers<true>},
    {"fxcmpudxf", flags<X, true>, false, in_registers<true>},
    {"fstofx", convert<S, X>, false, second_in_register},
    {"fdtofx", convert<D, X>, false, second_in_register},
    {"fxtofs", convert<X, S>, false, second_in_register},
    {"fxtofd", convert<X, D>, false, second_in_register},
    {"istofx", convert<Word, X>, false, second_in_register},
    {"idtofx", convert<Long, X>, false, second_in_register},
    {"fxtois", to_integer<Inst::kIdFistp, 4>, false, second_in_register},
    {"fxtoistr", to_integer<Inst::kIdFisttp, 4>, false, second_in_register},
    {"fxtoid", to_integer<Inst::kIdFistp, 8>, false, second_in_register},
    {"fxtoidtr", to_integer<Inst::kIdFisttp, 8>, false, second_in_register},
    {"movx", move<Sign::Keep>, false, second_in_register},
    {"movxa", move<Sign::Clear>, false, second_in_register},
    {"movxc", move<Sign::Flip>, false, second_in_register},
    {"movfi", upper_part, false, second_in_register},
    {"movif", from_parts, false},
};

}  // namespace

std::span<const Emitter> float80_emitters() { return kEmitters; }

}  // namespace e2k::translate
