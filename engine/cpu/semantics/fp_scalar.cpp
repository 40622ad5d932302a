// Family FpScalar: 32- and 64-bit arithmetic, square roots, scaling (float.md §2, §3, §4, §7).
#include <algorithm>
#include <bit>

#include "engine/cpu/semantics/fp_families.h"
#include "engine/cpu/semantics/fp_shapes.h"

namespace e2k::cpu {
namespace {

using namespace fp;

std::uint64_t sqrt_s(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return bits(sqrt_ss(f32(b)));
}

/// First step of the 64-bit root. The hardware's seed is unknown and has no influence on the
/// result of the second step: hand the argument on (float.md §4).
std::uint64_t sqrt_seed(std::uint64_t, std::uint64_t b, std::uint64_t) { return b; }

/// Second step: a is the original argument, the seed is ignored.
std::uint64_t sqrt_d(std::uint64_t a, std::uint64_t, std::uint64_t) {
    return bits(sqrt_sd(f64(a)));
}

constexpr std::uint64_t kOneS = 0x3f80'0000;

// Hardware approximates; exact values do not depend on the host (float.md §4).
std::uint64_t reciprocal(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return bits(Div::ss(f32(kOneS), f32(b)));
}
std::uint64_t reciprocal_sqrt(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return bits(Div::ss(f32(kOneS), sqrt_ss(f32(b))));
}

constexpr int kBiasD = 1023;
constexpr std::uint64_t kFractionD = (std::uint64_t{1} << 52) - 1;
constexpr std::uint64_t kInfinityD = 0x7ff0'0000'0000'0000;
constexpr std::uint64_t kSignD = 0x8000'0000'0000'0000;

/// 2^exponent for a normal exponent.
__m128d power_of_two(int exponent) {
    return f64(static_cast<std::uint64_t>(exponent + kBiasD) << 52);
}

/// a * 2^b for f32: exact in f64, then one rounding. Beyond +-600 nothing changes any more.
std::uint64_t scale_s(std::uint64_t a, std::uint64_t b, std::uint64_t) {
    const int exponent = std::clamp(static_cast<std::int32_t>(b), -600, 600);
    return bits(cvt_sd_ss(Mul::sd(cvt_ss_sd(f32(a)), power_of_two(exponent))));
}

/// a * 2^b for f64: brings a to an exponent at which one multiplication by a power of two does the
/// whole rounding.
std::uint64_t scale_d(std::uint64_t a, std::uint64_t b, std::uint64_t) {
    const __m128d value = f64(a);
    const std::uint64_t magnitude = a & ~kSignD;
    if (magnitude == 0 || magnitude >= kInfinityD) return bits(Mul::sd(value, power_of_two(0)));
    (void)CompareFlags<true>::sd(value, value);  // raises DE for a denormal a, nothing else
    int exponent = static_cast<int>(magnitude >> 52) - kBiasD;
    std::uint64_t fraction = magnitude & kFractionD;
    if (exponent == -kBiasD) {
        const int shift = std::countl_zero(fraction) - 11;
        fraction = (fraction << shift) & kFractionD;
        exponent = 1 - kBiasD - shift;
    }
    // Far outside the format the result is the same as just outside it.
    const std::int64_t target = std::clamp<std::int64_t>(
        std::int64_t{exponent} + static_cast<std::int32_t>(b), -1200, 1200);
    const int start = target < 0 ? -200 : 200;
    const std::uint64_t significand =
        (a & kSignD) | static_cast<std::uint64_t>(start + kBiasD) << 52 | fraction;
    const int rest = static_cast<int>(target) - start;  // within -1000..1000
    return bits(Mul::sd(f64(significand), power_of_two(rest)));
}

constexpr SemanticEntry kEntries[] = {
    {"fadds", SemKind::Sse64, binary<ScalarS, Add>},
    {"faddd", SemKind::Sse64, binary<ScalarD, Add>},
    {"fsubs", SemKind::Sse64, binary<ScalarS, Sub>},
    {"fsubd", SemKind::Sse64, binary<ScalarD, Sub>},
    {"fmuls", SemKind::Sse64, binary<ScalarS, Mul>},
    {"fmuld", SemKind::Sse64, binary<ScalarD, Mul>},
    {"fdivs", SemKind::Sse64, binary<ScalarS, Div>},
    {"fdivd", SemKind::Sse64, binary<ScalarD, Div>},
    {"fmins", SemKind::Sse64, binary<ScalarS, Min>},
    {"fmind", SemKind::Sse64, binary<ScalarD, Min>},
    {"fmaxs", SemKind::Sse64, binary<ScalarS, Max>},
    {"fmaxd", SemKind::Sse64, binary<ScalarD, Max>},
    {"fsqrts", SemKind::Sse64, sqrt_s},
    {"fsqrtid", SemKind::Int64, sqrt_seed},
    {"fsqrttd", SemKind::Sse64, sqrt_d},
    {"pfsqrts", SemKind::Sse64, sqrt_s},
    {"pfsqrttd", SemKind::Sse64, sqrt_d},
    {"frcps", SemKind::Sse64, reciprocal},
    {"frsqrts", SemKind::Sse64, reciprocal_sqrt},
    {"fscales", SemKind::Sse64, scale_s},
    {"fscaled", SemKind::Sse64, scale_d},
};

}  // namespace

std::span<const SemanticEntry> fp_scalar_entries() { return kEntries; }

}  // namespace e2k::cpu
