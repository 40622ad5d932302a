// Family FpFma: fused multiply-add, scalar and 128-bit (float.md §9).
#include "engine/cpu/semantics/fp_fma.h"

#include "engine/cpu/semantics/fp_families.h"
#include "engine/cpu/semantics/fp_shapes.h"

namespace e2k::cpu::fp {
namespace {

/// What is added to the product in even and odd lanes, and the sign of the product.
struct Signs {
    bool negate_product, negate_even, negate_odd;
};
constexpr Signs kMadd{false, false, false};
constexpr Signs kMsub{false, true, true};
constexpr Signs kNegMadd{true, false, false};
constexpr Signs kNegMsub{true, true, true};
constexpr Signs kMaddEvenSubOdd{false, false, true};
constexpr Signs kMsubEvenAddOdd{false, true, false};

// The 132 form (destination = destination * operand + middle): its NaN priority is a, b, c.
// A macro, because an assembly template cannot be a template parameter.
#define E2K_FMA_INSTRUCTION(Name, mnemonic)                                           \
    struct Name {                                                                     \
        static __m128 ps(__m128 a, __m128 b, __m128 c) {                              \
            __asm__ volatile(mnemonic "132ps %1, %2, %0" : "+x"(a) : "x"(b), "x"(c)); \
            return a;                                                                 \
        }                                                                             \
        static __m128d pd(__m128d a, __m128d b, __m128d c) {                          \
            __asm__ volatile(mnemonic "132pd %1, %2, %0" : "+x"(a) : "x"(b), "x"(c)); \
            return a;                                                                 \
        }                                                                             \
    }
E2K_FMA_INSTRUCTION(HostMadd, "vfmadd");
E2K_FMA_INSTRUCTION(HostMsub, "vfmsub");
E2K_FMA_INSTRUCTION(HostNegMadd, "vfnmadd");
E2K_FMA_INSTRUCTION(HostNegMsub, "vfnmsub");
E2K_FMA_INSTRUCTION(HostMaddEvenSubOdd, "vfmsubadd");
E2K_FMA_INSTRUCTION(HostMsubEvenAddOdd, "vfmaddsub");
#undef E2K_FMA_INSTRUCTION

/// The family by the host's instructions. Scalars are lane 0 of the packed form; the other lanes
/// hold zeros, which raise nothing.
template <class I>
struct Host {
    static std::uint64_t s(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
        return bits(I::ps(f32(a), f32(b), f32(c)));
    }
    static std::uint64_t d(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
        return bits(I::pd(f64(a), f64(b), f64(c)));
    }
    static V128 qs(V128 a, V128 b, V128 c) {
        return Packed128S::store(
            I::ps(Packed128S::load(a), Packed128S::load(b), Packed128S::load(c)));
    }
    static V128 qd(V128 a, V128 b, V128 c) {
        return Packed128D::store(
            I::pd(Packed128D::load(a), Packed128D::load(b), Packed128D::load(c)));
    }
};

/// The family by integer arithmetic.
template <Signs G>
struct Soft {
    static std::uint64_t s(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
        return fma_f32(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b),
                       static_cast<std::uint32_t>(c), G.negate_product, G.negate_even);
    }
    static std::uint64_t d(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
        return fma_f64(a, b, c, G.negate_product, G.negate_even);
    }
    static std::uint64_t pair(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
        const std::uint64_t odd =
            fma_f32(static_cast<std::uint32_t>(a >> 32), static_cast<std::uint32_t>(b >> 32),
                    static_cast<std::uint32_t>(c >> 32), G.negate_product, G.negate_odd);
        return s(a, b, c) | odd << 32;
    }
    static V128 qs(V128 a, V128 b, V128 c) {
        return join64(pair(low64(a), low64(b), low64(c)), pair(high64(a), high64(b), high64(c)));
    }
    static V128 qd(V128 a, V128 b, V128 c) {
        return join64(d(low64(a), low64(b), low64(c)),
                      fma_f64(high64(a), high64(b), high64(c), G.negate_product, G.negate_odd));
    }
};

template <class Madd, class Msub, class NegMadd, class NegMsub, class MaddEvenSubOdd,
          class MsubEvenAddOdd>
constexpr SemanticEntry kEntries[] = {
    {"fmas", SemKind::Sse64, Madd::s},
    {"fmad", SemKind::Sse64, Madd::d},
    {"fmss", SemKind::Sse64, Msub::s},
    {"fmsd", SemKind::Sse64, Msub::d},
    {"fnmas", SemKind::Sse64, NegMadd::s},
    {"fnmad", SemKind::Sse64, NegMadd::d},
    {"fnmss", SemKind::Sse64, NegMsub::s},
    {"fnmsd", SemKind::Sse64, NegMsub::d},
    {"qpfmas", SemKind::Sse128, Madd::qs},
    {"qpfmad", SemKind::Sse128, Madd::qd},
    {"qpfmss", SemKind::Sse128, Msub::qs},
    {"qpfmsd", SemKind::Sse128, Msub::qd},
    {"qpfnmas", SemKind::Sse128, NegMadd::qs},
    {"qpfnmad", SemKind::Sse128, NegMadd::qd},
    {"qpfnmss", SemKind::Sse128, NegMsub::qs},
    {"qpfnmsd", SemKind::Sse128, NegMsub::qd},
    {"qpfmass", SemKind::Sse128, MaddEvenSubOdd::qs},
    {"qpfmasd", SemKind::Sse128, MaddEvenSubOdd::qd},
    {"qpfmsas", SemKind::Sse128, MsubEvenAddOdd::qs},
    {"qpfmsad", SemKind::Sse128, MsubEvenAddOdd::qd},
};

}  // namespace

bool host_has_fma() { return __builtin_cpu_supports("fma"); }

std::span<const SemanticEntry> host_fma_entries() {
    return kEntries<Host<HostMadd>, Host<HostMsub>, Host<HostNegMadd>, Host<HostNegMsub>,
                    Host<HostMaddEvenSubOdd>, Host<HostMsubEvenAddOdd>>;
}

std::span<const SemanticEntry> soft_fma_entries() {
    return kEntries<Soft<kMadd>, Soft<kMsub>, Soft<kNegMadd>, Soft<kNegMsub>, Soft<kMaddEvenSubOdd>,
                    Soft<kMsubEvenAddOdd>>;
}

}  // namespace e2k::cpu::fp

namespace e2k::cpu {

std::span<const SemanticEntry> fp_fma_entries() {
    return fp::host_has_fma() ? fp::host_fma_entries() : fp::soft_fma_entries();
}

}  // namespace e2k::cpu
