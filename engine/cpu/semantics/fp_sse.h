// Host SSE instructions as functions, for the FP semantics only.
//
// Written as volatile assembly because the compiler treats FP addition and multiplication as
// commutative (swapping the operands changes which NaN survives), may fold or drop an operation
// whose only effect is a sticky flag, and may move it across a change of MXCSR. The first argument
// is always the instruction's destination operand, so with two NaNs the first one wins (the SSE
// rule, float.md §2).
#pragma once

#include <emmintrin.h>

#include <cstdint>

namespace e2k::cpu::fp {

/// One binary operation in its four SSE shapes: scalar/packed, f32/f64. Scalar forms keep the
/// upper lanes of `a`.
// A macro, because an assembly template cannot be a template parameter.
#define E2K_SSE_BINARY(Name, mnemonic)                                 \
    struct Name {                                                      \
        static constexpr bool kHorizontal = false;                     \
        static __m128 ss(__m128 a, __m128 b) {                         \
            __asm__ volatile(mnemonic "ss %1, %0" : "+x"(a) : "x"(b)); \
            return a;                                                  \
        }                                                              \
        static __m128 ps(__m128 a, __m128 b) {                         \
            __asm__ volatile(mnemonic "ps %1, %0" : "+x"(a) : "x"(b)); \
            return a;                                                  \
        }                                                              \
        static __m128d sd(__m128d a, __m128d b) {                      \
            __asm__ volatile(mnemonic "sd %1, %0" : "+x"(a) : "x"(b)); \
            return a;                                                  \
        }                                                              \
        static __m128d pd(__m128d a, __m128d b) {                      \
            __asm__ volatile(mnemonic "pd %1, %0" : "+x"(a) : "x"(b)); \
            return a;                                                  \
        }                                                              \
    }
E2K_SSE_BINARY(Add, "add");
E2K_SSE_BINARY(Sub, "sub");
E2K_SSE_BINARY(Mul, "mul");
E2K_SSE_BINARY(Div, "div");
E2K_SSE_BINARY(Min, "min");
E2K_SSE_BINARY(Max, "max");
#undef E2K_SSE_BINARY

/// Subtraction with the operands exchanged: b - a.
struct RSub {
    static constexpr bool kHorizontal = false;
    static __m128 ss(__m128 a, __m128 b) { return Sub::ss(b, a); }
    static __m128 ps(__m128 a, __m128 b) { return Sub::ps(b, a); }
    static __m128d sd(__m128d a, __m128d b) { return Sub::sd(b, a); }
    static __m128d pd(__m128d a, __m128d b) { return Sub::pd(b, a); }
};

/// Even lanes a - b, odd lanes a + b.
struct AddSub {
    static constexpr bool kHorizontal = false;
    static __m128 ps(__m128 a, __m128 b) {
        __asm__ volatile("addsubps %1, %0" : "+x"(a) : "x"(b));
        return a;
    }
    static __m128d pd(__m128d a, __m128d b) {
        __asm__ volatile("addsubpd %1, %0" : "+x"(a) : "x"(b));
        return a;
    }
};

/// Pair sums of a in the low half, of b in the high half.
struct HAdd {
    static constexpr bool kHorizontal = true;
    static __m128 ps(__m128 a, __m128 b) {
        __asm__ volatile("haddps %1, %0" : "+x"(a) : "x"(b));
        return a;
    }
};

/// Even minus odd lanes of a in the low half, of b in the high half.
struct HSub {
    static constexpr bool kHorizontal = true;
    static __m128 ps(__m128 a, __m128 b) {
        __asm__ volatile("hsubps %1, %0" : "+x"(a) : "x"(b));
        return a;
    }
};

/// The compare relations in the order of the CMPPS immediate (float.md §5).
enum class Relation { Eq, Lt, Le, Uod, Neq, Nlt, Nle, Od };

/// Compare giving all ones or zero per lane.
template <Relation R>
struct Compare {
    static constexpr bool kHorizontal = false;
    static __m128 ss(__m128 a, __m128 b) {
        __asm__ volatile("cmpss %2, %1, %0" : "+x"(a) : "x"(b), "i"(static_cast<int>(R)));
        return a;
    }
    static __m128 ps(__m128 a, __m128 b) {
        __asm__ volatile("cmpps %2, %1, %0" : "+x"(a) : "x"(b), "i"(static_cast<int>(R)));
        return a;
    }
    static __m128d sd(__m128d a, __m128d b) {
        __asm__ volatile("cmpsd %2, %1, %0" : "+x"(a) : "x"(b), "i"(static_cast<int>(R)));
        return a;
    }
    static __m128d pd(__m128d a, __m128d b) {
        __asm__ volatile("cmppd %2, %1, %0" : "+x"(a) : "x"(b), "i"(static_cast<int>(R)));
        return a;
    }
};

/// Compare setting ZF, PF, CF; returned in their EFLAGS positions (0x40, 0x04, 0x01).
/// Quiet: only a signalling NaN raises IE (UCOMIS), otherwise any NaN does (COMIS).
template <bool Quiet>
struct CompareFlags {
    static std::uint32_t pack(bool zero, bool parity, bool carry) {
        return (zero ? 0x40u : 0u) | (parity ? 0x04u : 0u) | (carry ? 0x01u : 0u);
    }
    static std::uint32_t ss(__m128 a, __m128 b) {
        bool z, p, c;
        if constexpr (Quiet)
            __asm__ volatile("ucomiss %4, %3"
                             : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c)
                             : "x"(a), "x"(b));
        else
            __asm__ volatile("comiss %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "x"(a), "x"(b));
        return pack(z, p, c);
    }
    static std::uint32_t sd(__m128d a, __m128d b) {
        bool z, p, c;
        if constexpr (Quiet)
            __asm__ volatile("ucomisd %4, %3"
                             : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c)
                             : "x"(a), "x"(b));
        else
            __asm__ volatile("comisd %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "x"(a), "x"(b));
        return pack(z, p, c);
    }
};

inline __m128 sqrt_ss(__m128 a) {
    __asm__ volatile("sqrtss %0, %0" : "+x"(a));
    return a;
}
inline __m128d sqrt_sd(__m128d a) {
    __asm__ volatile("sqrtsd %0, %0" : "+x"(a));
    return a;
}

/// Round to an integral value; Control is the SSE4.1 immediate (float.md §6).
template <int Control>
struct Round {
    static __m128 ss(__m128 a) {
        __asm__ volatile("roundss %1, %0, %0" : "+x"(a) : "i"(Control));
        return a;
    }
    static __m128 ps(__m128 a) {
        __asm__ volatile("roundps %1, %0, %0" : "+x"(a) : "i"(Control));
        return a;
    }
    static __m128d sd(__m128d a) {
        __asm__ volatile("roundsd %1, %0, %0" : "+x"(a) : "i"(Control));
        return a;
    }
    static __m128d pd(__m128d a) {
        __asm__ volatile("roundpd %1, %0, %0" : "+x"(a) : "i"(Control));
        return a;
    }
};

// --- conversions, named after the instruction; *_tr truncate ---

inline __m128d cvt_ss_sd(__m128 a) {
    __m128d r = _mm_setzero_pd();
    __asm__ volatile("cvtss2sd %1, %0" : "+x"(r) : "x"(a));
    return r;
}
inline __m128 cvt_sd_ss(__m128d a) {
    __m128 r = _mm_setzero_ps();
    __asm__ volatile("cvtsd2ss %1, %0" : "+x"(r) : "x"(a));
    return r;
}
inline __m128d cvt_ps_pd(__m128 a) {
    __m128d r;
    __asm__ volatile("cvtps2pd %1, %0" : "=x"(r) : "x"(a));
    return r;
}
inline __m128 cvt_pd_ps(__m128d a) {
    __m128 r;
    __asm__ volatile("cvtpd2ps %1, %0" : "=x"(r) : "x"(a));
    return r;
}
inline __m128 cvt_si32_ss(std::uint32_t a) {
    __m128 r = _mm_setzero_ps();
    __asm__ volatile("cvtsi2ssl %1, %0" : "+x"(r) : "r"(a));
    return r;
}
inline __m128 cvt_si64_ss(std::uint64_t a) {
    __m128 r = _mm_setzero_ps();
    __asm__ volatile("cvtsi2ssq %1, %0" : "+x"(r) : "r"(a));
    return r;
}
inline __m128d cvt_si32_sd(std::uint32_t a) {
    __m128d r = _mm_setzero_pd();
    __asm__ volatile("cvtsi2sdl %1, %0" : "+x"(r) : "r"(a));
    return r;
}
inline __m128d cvt_si64_sd(std::uint64_t a) {
    __m128d r = _mm_setzero_pd();
    __asm__ volatile("cvtsi2sdq %1, %0" : "+x"(r) : "r"(a));
    return r;
}
inline __m128 cvt_dq_ps(__m128i a) {
    __m128 r;
    __asm__ volatile("cvtdq2ps %1, %0" : "=x"(r) : "x"(a));
    return r;
}
inline __m128d cvt_dq_pd(__m128i a) {
    __m128d r;
    __asm__ volatile("cvtdq2pd %1, %0" : "=x"(r) : "x"(a));
    return r;
}

/// f32/f64 to integers, rounded by MXCSR.RC or truncated. Out of range or NaN: the sign bit alone
/// and IE.
template <bool Truncate>
struct ToInt {
    static std::uint32_t ss32(__m128 a) {
        std::uint32_t r;
        if constexpr (Truncate)
            __asm__ volatile("cvttss2si %1, %0" : "=r"(r) : "x"(a));
        else
            __asm__ volatile("cvtss2si %1, %0" : "=r"(r) : "x"(a));
        return r;
    }
    static std::uint64_t ss64(__m128 a) {
        std::uint64_t r;
        if constexpr (Truncate)
            __asm__ volatile("cvttss2si %1, %0" : "=r"(r) : "x"(a));
        else
            __asm__ volatile("cvtss2si %1, %0" : "=r"(r) : "x"(a));
        return r;
    }
    static std::uint32_t sd32(__m128d a) {
        std::uint32_t r;
        if constexpr (Truncate)
            __asm__ volatile("cvttsd2si %1, %0" : "=r"(r) : "x"(a));
        else
            __asm__ volatile("cvtsd2si %1, %0" : "=r"(r) : "x"(a));
        return r;
    }
    static std::uint64_t sd64(__m128d a) {
        std::uint64_t r;
        if constexpr (Truncate)
            __asm__ volatile("cvttsd2si %1, %0" : "=r"(r) : "x"(a));
        else
            __asm__ volatile("cvtsd2si %1, %0" : "=r"(r) : "x"(a));
        return r;
    }
    static __m128i ps(__m128 a) {
        __m128i r;
        if constexpr (Truncate)
            __asm__ volatile("cvttps2dq %1, %0" : "=x"(r) : "x"(a));
        else
            __asm__ volatile("cvtps2dq %1, %0" : "=x"(r) : "x"(a));
        return r;
    }
    static __m128i pd(__m128d a) {
        __m128i r;
        if constexpr (Truncate)
            __asm__ volatile("cvttpd2dq %1, %0" : "=x"(r) : "x"(a));
        else
            __asm__ volatile("cvtpd2dq %1, %0" : "=x"(r) : "x"(a));
        return r;
    }
};

// --- between register images and xmm ---

inline __m128i low64(std::uint64_t v) { return _mm_cvtsi64_si128(static_cast<long long>(v)); }
inline std::uint64_t low64(__m128i v) { return static_cast<std::uint64_t>(_mm_cvtsi128_si64(v)); }
inline std::uint64_t high64(__m128i v) { return low64(_mm_unpackhi_epi64(v, v)); }
inline __m128i join64(std::uint64_t low, std::uint64_t high) {
    return _mm_unpacklo_epi64(low64(low), low64(high));
}
inline __m128 f32(std::uint64_t v) {
    return _mm_castsi128_ps(_mm_cvtsi32_si128(static_cast<int>(static_cast<std::uint32_t>(v))));
}
inline __m128d f64(std::uint64_t v) { return _mm_castsi128_pd(low64(v)); }
inline std::uint64_t bits(__m128 v) {
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_castps_si128(v)));
}
inline std::uint64_t bits(__m128d v) { return low64(_mm_castpd_si128(v)); }

inline std::uint32_t read_mxcsr() {
    std::uint32_t v;
    __asm__ volatile("stmxcsr %0" : "=m"(v));
    return v;
}
inline void write_mxcsr(std::uint32_t v) { __asm__ volatile("ldmxcsr %0" : : "m"(v)); }

/// Sticky flags, equal bits in MXCSR, PFPFR, x87 status word and FPSR.
enum Flag : std::uint32_t {
    kInvalid = 0x01,
    kDenormal = 0x02,
    kZeroDivide = 0x04,
    kOverflow = 0x08,
    kUnderflow = 0x10,
    kInexact = 0x20,
    kAllFlags = 0x3f,
};

}  // namespace e2k::cpu::fp
