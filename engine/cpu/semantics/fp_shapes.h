// How the operands of an FP operation lie in registers, and the functions that apply an SSE
// operation to them: the shapes scalar, packed 64 and packed 128 of float.md.
#pragma once

#include <cstddef>
#include <utility>

#include "engine/cpu/semantics.h"
#include "engine/cpu/semantics/fp_sse.h"

namespace e2k::cpu::fp {

/// One f32 in bits 31:0.
struct ScalarS {
    using Image = std::uint64_t;
    using Vector = __m128;
    static Vector load(Image v) { return f32(v); }
    static Image store(Vector v) { return bits(v); }
    template <class Op>
    static Vector apply(Vector a, Vector b) {
        return Op::ss(a, b);
    }
    template <class Op>
    static Vector apply(Vector a) {
        return Op::ss(a);
    }
};

/// One f64 in bits 63:0 (also the shape of pf*d).
struct ScalarD {
    using Image = std::uint64_t;
    using Vector = __m128d;
    static Vector load(Image v) { return f64(v); }
    static Image store(Vector v) { return bits(v); }
    template <class Op>
    static Vector apply(Vector a, Vector b) {
        return Op::sd(a, b);
    }
    template <class Op>
    static Vector apply(Vector a) {
        return Op::sd(a);
    }
};

/// Two f32 lanes in bits 63:0. The upper lanes of the host register are zero: no operation of
/// these shapes raises a flag for 0 op 0, whatever the rounding mode.
struct Packed64S {
    using Image = std::uint64_t;
    using Vector = __m128;
    static Vector load(Image v) { return _mm_castsi128_ps(low64(v)); }
    static Image store(Vector v) { return low64(_mm_castps_si128(v)); }
    template <class Op>
    static Vector apply(Vector a, Vector b) {
        if constexpr (Op::kHorizontal)
            return Op::ps(_mm_movelh_ps(a, b), _mm_setzero_ps());
        else
            return Op::ps(a, b);
    }
    template <class Op>
    static Vector apply(Vector a) {
        return Op::ps(a);
    }
};

/// Four f32 lanes.
struct Packed128S {
    using Image = V128;
    using Vector = __m128;
    static Vector load(Image v) { return _mm_castsi128_ps(v); }
    static Image store(Vector v) { return _mm_castps_si128(v); }
    template <class Op>
    static Vector apply(Vector a, Vector b) {
        return Op::ps(a, b);
    }
    template <class Op>
    static Vector apply(Vector a) {
        return Op::ps(a);
    }
};

/// Two f64 lanes.
struct Packed128D {
    using Image = V128;
    using Vector = __m128d;
    static Vector load(Image v) { return _mm_castsi128_pd(v); }
    static Image store(Vector v) { return _mm_castpd_si128(v); }
    template <class Op>
    static Vector apply(Vector a, Vector b) {
        return Op::pd(a, b);
    }
    template <class Op>
    static Vector apply(Vector a) {
        return Op::pd(a);
    }
};

/// d = a op b
template <class Shape, class Op>
typename Shape::Image binary(typename Shape::Image a, typename Shape::Image b,
                             typename Shape::Image) {
    return Shape::store(Shape::template apply<Op>(Shape::load(a), Shape::load(b)));
}

/// t = a op1 b; d = c op2 t: two roundings, flags of both (float.md §8).
template <class Shape, class Op1, class Op2>
typename Shape::Image combined(typename Shape::Image a, typename Shape::Image b,
                               typename Shape::Image c) {
    const auto t = Shape::template apply<Op1>(Shape::load(a), Shape::load(b));
    return Shape::store(Shape::template apply<Op2>(Shape::load(c), t));
}

/// Predicate of a scalar compare.
template <class Shape, Relation R>
std::uint64_t predicate(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    return binary<Shape, Compare<R>>(a, b, c) & 1;
}

/// Control operand of a rounding to integral value, from either kind of register.
inline std::size_t round_control(std::uint64_t a) { return a & 15; }
inline std::size_t round_control(V128 a) { return low64(a) & 15; }

template <class Shape, int... Control>
typename Shape::Vector round_by(std::size_t control, typename Shape::Vector v,
                                std::integer_sequence<int, Control...>) {
    using Function = typename Shape::Vector (*)(typename Shape::Vector);
    static constexpr Function kByControl[] = {Shape::template apply<Round<Control>>...};
    return kByControl[control](v);
}

/// d = b rounded to an integral value as the control operand a says (float.md §6).
template <class Shape>
typename Shape::Image round_integral(typename Shape::Image a, typename Shape::Image b,
                                     typename Shape::Image) {
    return Shape::store(
        round_by<Shape>(round_control(a), Shape::load(b), std::make_integer_sequence<int, 16>{}));
}

}  // namespace e2k::cpu::fp
