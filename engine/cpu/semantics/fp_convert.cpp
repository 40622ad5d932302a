// Family FpConvert: scalar conversions between f32, f64 and integers (float.md §6).
#include "engine/cpu/semantics/fp_families.h"
#include "engine/cpu/semantics/fp_shapes.h"

namespace e2k::cpu {
namespace {

using namespace fp;

// The operand is src2; int32 results are zero-extended.
std::uint64_t int32_to_s(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return bits(cvt_si32_ss(static_cast<std::uint32_t>(b)));
}
std::uint64_t int32_to_d(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return bits(cvt_si32_sd(static_cast<std::uint32_t>(b)));
}
std::uint64_t int64_to_s(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return bits(cvt_si64_ss(b));
}
std::uint64_t int64_to_d(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return bits(cvt_si64_sd(b));
}
std::uint64_t s_to_d(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return bits(cvt_ss_sd(f32(b)));
}
std::uint64_t d_to_s(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return bits(cvt_sd_ss(f64(b)));
}
template <bool Truncate>
std::uint64_t s_to_int32(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return ToInt<Truncate>::ss32(f32(b));
}
template <bool Truncate>
std::uint64_t s_to_int64(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return ToInt<Truncate>::ss64(f32(b));
}
template <bool Truncate>
std::uint64_t d_to_int32(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return ToInt<Truncate>::sd32(f64(b));
}
template <bool Truncate>
std::uint64_t d_to_int64(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return ToInt<Truncate>::sd64(f64(b));
}

constexpr SemanticEntry kEntries[] = {
    {"istofs", SemKind::Sse64, int32_to_s},
    {"istofd", SemKind::Sse64, int32_to_d},
    {"idtofs", SemKind::Sse64, int64_to_s},
    {"idtofd", SemKind::Sse64, int64_to_d},
    {"fstofd", SemKind::Sse64, s_to_d},
    {"fdtofs", SemKind::Sse64, d_to_s},
    {"fstois", SemKind::Sse64, s_to_int32<false>},
    {"fstoistr", SemKind::Sse64, s_to_int32<true>},
    {"fstoid", SemKind::Sse64, s_to_int64<false>},
    {"fstoidtr", SemKind::Sse64, s_to_int64<true>},
    {"fdtois", SemKind::Sse64, d_to_int32<false>},
    {"fdtoistr", SemKind::Sse64, d_to_int32<true>},
    {"fdtoid", SemKind::Sse64, d_to_int64<false>},
    {"fdtoidtr", SemKind::Sse64, d_to_int64<true>},
    {"fstoifs", SemKind::Sse64, round_integral<ScalarS>},
    {"fdtoifd", SemKind::Sse64, round_integral<ScalarD>},
    // Scalar in spite of the prefix (float.md §10).
    {"pfstofd", SemKind::Sse64, s_to_d},
    {"pfdtofs", SemKind::Sse64, d_to_s},
    {"pfdtois", SemKind::Sse64, d_to_int32<false>},
    {"pfdtoistr", SemKind::Sse64, d_to_int32<true>},
    {"pfdtoifd", SemKind::Sse64, round_integral<ScalarD>},
};

}  // namespace

std::span<const SemanticEntry> fp_convert_entries() { return kEntries; }

}  // namespace e2k::cpu
