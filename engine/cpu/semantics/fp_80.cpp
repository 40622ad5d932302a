// Family Fp80: 80-bit operations on the host's x87 unit (float80.md). Names are
// fx<op><type of src2><type of result> with src1 FP80; V128 holds any operand.
#include "engine/cpu/semantics/fp_families.h"
#include "engine/cpu/semantics/fp_x87.h"

namespace e2k::cpu {
namespace {

using namespace fp::x87;
using fp::high64;
using fp::join64;
using fp::low64;
using fp::Relation;

/// Result at precision FPCR.PC, then rounded once more when R is narrower (float80.md §2).
template <class Op, class A, class B, class R>
V128 arithmetic(V128 a, V128 b, V128) {
    // The operand in %st(1) is loaded first.
    const long double second = B::load(b);
    const long double first = A::load(a);
    return R::store(Op::apply(first, second));
}

V128 scale(V128 a, V128 b, V128) {
    const long double exponent = load_int32(b);
    return X::store(Scale::apply(X::load(a), exponent));
}

// Three-step root: only the last step's value matters, and it needs the argument alone
// (float80.md §5).
template <class T>
V128 root_seed(V128, V128 b, V128) {
    return X::store(T::load(b));
}
V128 root_refine(V128, V128 b, V128) { return b; }
template <class T>
V128 root(V128 a, V128, V128) {
    return X::store(sqrt(T::load(a)));
}

/// x87 condition flags of a against b. Quiet: IE on signalling NaNs only.
template <class B, bool Quiet>
std::uint32_t flags_of(V128 a, V128 b) {
    const long double second = B::load(b);
    const long double first = X::load(a);
    return compare_flags<Quiet>(first, second);
}

template <class B, bool Quiet>
V128 flags(V128 a, V128 b, V128) {
    return low64(flags_of<B, Quiet>(a, b));
}

template <class B, Relation R>
V128 predicate(V128 a, V128 b, V128) {
    constexpr bool kOrdering =
        R == Relation::Lt || R == Relation::Le || R == Relation::Nlt || R == Relation::Nle;
    const std::uint32_t f = flags_of<B, !kOrdering>(a, b);
    const bool unordered = f == 0x45, equal = f == 0x40, less = f == 0x01;
    switch (R) {
        case Relation::Eq:
            return low64(equal);
        case Relation::Lt:
            return low64(less);
        case Relation::Le:
            return low64(less || equal);
        case Relation::Uod:
            return low64(unordered);
        case Relation::Neq:
            return low64(!equal);
        case Relation::Nlt:
            return low64(!less);
        case Relation::Nle:
            return low64(!(less || equal));
        case Relation::Od:
            return low64(!unordered);
    }
}

V128 s_to_x(V128, V128 b, V128) { return X::store(S::load(b)); }
V128 d_to_x(V128, V128 b, V128) { return X::store(D::load(b)); }
V128 x_to_s(V128, V128 b, V128) { return S::store(X::load(b)); }
V128 x_to_d(V128, V128 b, V128) { return D::store(X::load(b)); }
V128 int32_to_x(V128, V128 b, V128) { return X::store(load_int32(b)); }
V128 int64_to_x(V128, V128 b, V128) { return X::store(load_int64(b)); }
template <bool Truncate>
V128 x_to_int32(V128, V128 b, V128) {
    return store_int32<Truncate>(X::load(b));
}
template <bool Truncate>
V128 x_to_int64(V128, V128 b, V128) {
    return store_int64<Truncate>(X::load(b));
}

constexpr std::uint64_t kSignAndExponent = 0xffff, kSign = 0x8000;

V128 move(V128, V128 b, V128) { return join64(low64(b), high64(b) & kSignAndExponent); }
V128 move_absolute(V128, V128 b, V128) {
    return join64(low64(b), high64(b) & kSignAndExponent & ~kSign);
}
V128 move_negated(V128, V128 b, V128) {
    return join64(low64(b), (high64(b) & kSignAndExponent) ^ kSign);
}
V128 upper_part(V128, V128 b, V128) { return low64(high64(b) & kSignAndExponent); }
V128 from_parts(V128 a, V128 b, V128) { return join64(low64(a), low64(b) & kSignAndExponent); }

constexpr SemanticEntry kEntries[] = {
    {"fxaddss", SemKind::X87, arithmetic<Add, X, S, S>},
    {"fxadddd", SemKind::X87, arithmetic<Add, X, D, D>},
    {"fxaddsx", SemKind::X87, arithmetic<Add, X, S, X>},
    {"fxadddx", SemKind::X87, arithmetic<Add, X, D, X>},
    {"fxaddxx", SemKind::X87, arithmetic<Add, X, X, X>},
    {"fxaddxd", SemKind::X87, arithmetic<Add, X, X, D>},
    {"fxaddxs", SemKind::X87, arithmetic<Add, X, X, S>},
    {"fxsubss", SemKind::X87, arithmetic<Sub, X, S, S>},
    {"fxsubdd", SemKind::X87, arithmetic<Sub, X, D, D>},
    {"fxsubsx", SemKind::X87, arithmetic<Sub, X, S, X>},
    {"fxsubdx", SemKind::X87, arithmetic<Sub, X, D, X>},
    {"fxsubxx", SemKind::X87, arithmetic<Sub, X, X, X>},
    {"fxsubxd", SemKind::X87, arithmetic<Sub, X, X, D>},
    {"fxsubxs", SemKind::X87, arithmetic<Sub, X, X, S>},
    {"fxmulss", SemKind::X87, arithmetic<Mul, X, S, S>},
    {"fxmuldd", SemKind::X87, arithmetic<Mul, X, D, D>},
    {"fxmulsx", SemKind::X87, arithmetic<Mul, X, S, X>},
    {"fxmuldx", SemKind::X87, arithmetic<Mul, X, D, X>},
    {"fxmulxx", SemKind::X87, arithmetic<Mul, X, X, X>},
    {"fxmulxd", SemKind::X87, arithmetic<Mul, X, X, D>},
    {"fxmulxs", SemKind::X87, arithmetic<Mul, X, X, S>},
    {"fxdivss", SemKind::X87, arithmetic<Div, X, S, S>},
    {"fxdivdd", SemKind::X87, arithmetic<Div, X, D, D>},
    {"fxdivsx", SemKind::X87, arithmetic<Div, X, S, X>},
    {"fxdivdx", SemKind::X87, arithmetic<Div, X, D, X>},
    {"fxdivxx", SemKind::X87, arithmetic<Div, X, X, X>},
    {"fxdivxd", SemKind::X87, arithmetic<Div, X, X, D>},
    {"fxdivxs", SemKind::X87, arithmetic<Div, X, X, S>},
    {"fxrsubss", SemKind::X87, arithmetic<RSub, X, S, S>},
    {"fxrsubdd", SemKind::X87, arithmetic<RSub, X, D, D>},
    {"fxrsubsx", SemKind::X87, arithmetic<RSub, X, S, X>},
    {"fxrsubdx", SemKind::X87, arithmetic<RSub, X, D, X>},
    // src1 has the named type, src2 is FP80.
    {"fxdivtss", SemKind::X87, arithmetic<Div, S, X, S>},
    {"fxdivtdd", SemKind::X87, arithmetic<Div, D, X, D>},
    {"fxdivtsx", SemKind::X87, arithmetic<Div, S, X, X>},
    {"fxdivtdx", SemKind::X87, arithmetic<Div, D, X, X>},
    {"fxscalesx", SemKind::X87, scale},
    {"fxsqrtisx", SemKind::X87, root_seed<S>},
    {"fxsqrtusx", SemKind::X87, root_refine},
    {"fxsqrttsx", SemKind::X87, root<S>},
    {"fxsqrtidx", SemKind::X87, root_seed<D>},
    {"fxsqrtudx", SemKind::X87, root_refine},
    {"fxsqrttdx", SemKind::X87, root<D>},
    {"fxsqrtixx", SemKind::X87, root_seed<X>},
    {"fxsqrtuxx", SemKind::X87, root_refine},
    {"fxsqrttxx", SemKind::X87, root<X>},
    {"fxcmpeqsb", SemKind::X87, predicate<S, Relation::Eq>},
    {"fxcmpeqdb", SemKind::X87, predicate<D, Relation::Eq>},
    {"fxcmpeqxb", SemKind::X87, predicate<X, Relation::Eq>},
    {"fxcmpltsb", SemKind::X87, predicate<S, Relation::Lt>},
    {"fxcmpltdb", SemKind::X87, predicate<D, Relation::Lt>},
    {"fxcmpltxb", SemKind::X87, predicate<X, Relation::Lt>},
    {"fxcmplesb", SemKind::X87, predicate<S, Relation::Le>},
    {"fxcmpledb", SemKind::X87, predicate<D, Relation::Le>},
    {"fxcmplexb", SemKind::X87, predicate<X, Relation::Le>},
    {"fxcmpuodsb", SemKind::X87, predicate<S, Relation::Uod>},
    {"fxcmpuoddb", SemKind::X87, predicate<D, Relation::Uod>},
    {"fxcmpuodxb", SemKind::X87, predicate<X, Relation::Uod>},
    {"fxcmpneqsb", SemKind::X87, predicate<S, Relation::Neq>},
    {"fxcmpneqdb", SemKind::X87, predicate<D, Relation::Neq>},
    {"fxcmpneqxb", SemKind::X87, predicate<X, Relation::Neq>},
    {"fxcmpnltsb", SemKind::X87, predicate<S, Relation::Nlt>},
    {"fxcmpnltdb", SemKind::X87, predicate<D, Relation::Nlt>},
    {"fxcmpnltxb", SemKind::X87, predicate<X, Relation::Nlt>},
    {"fxcmpnlesb", SemKind::X87, predicate<S, Relation::Nle>},
    {"fxcmpnledb", SemKind::X87, predicate<D, Relation::Nle>},
    {"fxcmpnlexb", SemKind::X87, predicate<X, Relation::Nle>},
    {"fxcmpodsb", SemKind::X87, predicate<S, Relation::Od>},
    {"fxcmpoddb", SemKind::X87, predicate<D, Relation::Od>},
    {"fxcmpodxb", SemKind::X87, predicate<X, Relation::Od>},
    {"fxcmpodsf", SemKind::X87, flags<S, false>},
    {"fxcmpoddf", SemKind::X87, flags<D, false>},
    {"fxcmpodxf", SemKind::X87, flags<X, false>},
    {"fxcmpudsf", SemKind::X87, flags<S, true>},
    {"fxcmpuddf", SemKind::X87, flags<D, true>},
    {"fxcmpudxf", SemKind::X87, flags<X, true>},
    {"fstofx", SemKind::X87, s_to_x},
    {"fdtofx", SemKind::X87, d_to_x},
    {"fxtofs", SemKind::X87, x_to_s},
    {"fxtofd", SemKind::X87, x_to_d},
    {"istofx", SemKind::X87, int32_to_x},
    {"idtofx", SemKind::X87, int64_to_x},
    {"fxtois", SemKind::X87, x_to_int32<false>},
    {"fxtoistr", SemKind::X87, x_to_int32<true>},
    {"fxtoid", SemKind::X87, x_to_int64<false>},
    {"fxtoidtr", SemKind::X87, x_to_int64<true>},
    {"movx", SemKind::Int128, move},
    {"movxa", SemKind::Int128, move_absolute},
    {"movxc", SemKind::Int128, move_negated},
    {"movfi", SemKind::Int128, upper_part},
    {"movif", SemKind::Int128, from_parts},
};

}  // namespace

std::span<const SemanticEntry> fp80_entries() { return kEntries; }

}  // namespace e2k::cpu
