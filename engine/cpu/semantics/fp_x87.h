// Host x87 instructions as functions, for the FP80 semantics only. Volatile assembly for the
// reasons given in fp_sse.h. A value of type long double is an x87 stack entry; moving it through
// memory as 80 bits, as the compiler may do between two of these, is exact and raises nothing.
#pragma once

#include <cstdint>

#include "engine/cpu/semantics.h"
#include "engine/cpu/semantics/fp_sse.h"

namespace e2k::cpu::fp::x87 {

/// Operand and result types of fx* names: X = FP80, S = f32, D = f64.
struct X {
    static long double load(V128 v) {
        long double r;
        __asm__ volatile("fldt %1" : "=t"(r) : "m"(v));
        return r;
    }
    static V128 store(long double v) {
        V128 r = _mm_setzero_si128();
        __asm__ volatile("fstpt %0" : "+m"(r) : "t"(v) : "st");
        return r;
    }
};
struct S {
    static long double load(V128 v) {
        long double r;
        __asm__ volatile("flds %1" : "=t"(r) : "m"(v));
        return r;
    }
    static V128 store(long double v) {
        std::uint32_t r;
        __asm__ volatile("fstps %0" : "=m"(r) : "t"(v) : "st");
        return _mm_cvtsi32_si128(static_cast<int>(r));
    }
};
struct D {
    static long double load(V128 v) {
        long double r;
        __asm__ volatile("fldl %1" : "=t"(r) : "m"(v));
        return r;
    }
    static V128 store(long double v) {
        std::uint64_t r;
        __asm__ volatile("fstpl %0" : "=m"(r) : "t"(v) : "st");
        return low64(r);
    }
};

// %st is a, %st(1) is b: with %st as the destination the AT&T and Intel spellings of fsub and fdiv
// agree.
struct Add {
    static long double apply(long double a, long double b) {
        __asm__ volatile("fadd %2, %0" : "=t"(a) : "0"(a), "u"(b));
        return a;
    }
};
struct Sub {
    static long double apply(long double a, long double b) {
        __asm__ volatile("fsub %2, %0" : "=t"(a) : "0"(a), "u"(b));
        return a;
    }
};
struct RSub {
    static long double apply(long double a, long double b) {
        __asm__ volatile("fsubr %2, %0" : "=t"(a) : "0"(a), "u"(b));
        return a;
    }
};
struct Mul {
    static long double apply(long double a, long double b) {
        __asm__ volatile("fmul %2, %0" : "=t"(a) : "0"(a), "u"(b));
        return a;
    }
};
struct Div {
    static long double apply(long double a, long double b) {
        __asm__ volatile("fdiv %2, %0" : "=t"(a) : "0"(a), "u"(b));
        return a;
    }
};
/// a * 2^trunc(b), one rounding.
struct Scale {
    static long double apply(long double a, long double b) {
        __asm__ volatile("fscale" : "=t"(a) : "0"(a), "u"(b));
        return a;
    }
};

inline long double sqrt(long double a) {
    __asm__ volatile("fsqrt" : "=t"(a) : "0"(a));
    return a;
}

inline long double load_int32(V128 v) {
    long double r;
    __asm__ volatile("fildl %1" : "=t"(r) : "m"(v));
    return r;
}
inline long double load_int64(V128 v) {
    long double r;
    __asm__ volatile("fildll %1" : "=t"(r) : "m"(v));
    return r;
}
/// Out of range or NaN: the sign bit alone and IE.
template <bool Truncate>
V128 store_int32(long double v) {
    std::uint32_t r;
    if constexpr (Truncate)
        __asm__ volatile("fisttpl %0" : "=m"(r) : "t"(v) : "st");
    else
        __asm__ volatile("fistpl %0" : "=m"(r) : "t"(v) : "st");
    return _mm_cvtsi32_si128(static_cast<int>(r));
}
template <bool Truncate>
V128 store_int64(long double v) {
    std::uint64_t r;
    if constexpr (Truncate)
        __asm__ volatile("fisttpll %0" : "=m"(r) : "t"(v) : "st");
    else
        __asm__ volatile("fistpll %0" : "=m"(r) : "t"(v) : "st");
    return low64(r);
}

/// ZF, PF, CF of FUCOMI (Quiet) or FCOMI in their EFLAGS positions.
template <bool Quiet>
std::uint32_t compare_flags(long double a, long double b) {
    bool z, p, c;
    if constexpr (Quiet)
        __asm__ volatile("fucomi %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "t"(a), "u"(b));
    else
        __asm__ volatile("fcomi %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "t"(a), "u"(b));
    return (z ? 0x40u : 0u) | (p ? 0x04u : 0u) | (c ? 0x01u : 0u);
}

}  // namespace e2k::cpu::fp::x87
