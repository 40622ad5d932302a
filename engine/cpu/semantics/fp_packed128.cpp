// Family FpPacked128: four f32 or two f64 lanes in 128 bits (float.md §10).
#include "engine/cpu/semantics/fp_families.h"
#include "engine/cpu/semantics/fp_shapes.h"

namespace e2k::cpu {
namespace {

using namespace fp;

// Conversions take src2. Widening ones read its low 64 bits, narrowing ones return 64 bits.
V128 int32_to_s(V128, V128 b, V128) { return Packed128S::store(cvt_dq_ps(b)); }
V128 int32_to_d(V128, V128 b, V128) { return Packed128D::store(cvt_dq_pd(b)); }
V128 int64_to_s(V128, V128 b, V128) {
    return low64(bits(cvt_si64_ss(low64(b))) | bits(cvt_si64_ss(high64(b))) << 32);
}
V128 int64_to_d(V128, V128 b, V128) {
    return join64(bits(cvt_si64_sd(low64(b))), bits(cvt_si64_sd(high64(b))));
}
V128 s_to_d(V128, V128 b, V128) { return Packed128D::store(cvt_ps_pd(Packed128S::load(b))); }
V128 d_to_s(V128, V128 b, V128) { return Packed128S::store(cvt_pd_ps(Packed128D::load(b))); }
template <bool Truncate>
V128 s_to_int32(V128, V128 b, V128) {
    return ToInt<Truncate>::ps(Packed128S::load(b));
}
template <bool Truncate>
V128 d_to_int32(V128, V128 b, V128) {
    return ToInt<Truncate>::pd(Packed128D::load(b));
}
template <bool Truncate>
V128 s_to_int64(V128, V128 b, V128) {
    const std::uint64_t lanes = low64(b);
    return join64(ToInt<Truncate>::ss64(f32(lanes)), ToInt<Truncate>::ss64(f32(lanes >> 32)));
}
template <bool Truncate>
V128 d_to_int64(V128, V128 b, V128) {
    return join64(ToInt<Truncate>::sd64(f64(low64(b))), ToInt<Truncate>::sd64(f64(high64(b))));
}

constexpr SemanticEntry kEntries[] = {
    {"qpfadds", SemKind::Sse128, binary<Packed128S, Add>},
    {"qpfaddd", SemKind::Sse128, binary<Packed128D, Add>},
    {"qpfsubs", SemKind::Sse128, binary<Packed128S, Sub>},
    {"qpfsubd", SemKind::Sse128, binary<Packed128D, Sub>},
    {"qpfmuls", SemKind::Sse128, binary<Packed128S, Mul>},
    {"qpfmuld", SemKind::Sse128, binary<Packed128D, Mul>},
    {"qpfmins", SemKind::Sse128, binary<Packed128S, Min>},
    {"qpfmind", SemKind::Sse128, binary<Packed128D, Min>},
    {"qpfmaxs", SemKind::Sse128, binary<Packed128S, Max>},
    {"qpfmaxd", SemKind::Sse128, binary<Packed128D, Max>},
    {"qpfhadds", SemKind::Sse128, binary<Packed128S, HAdd>},
    {"qpfhsubs", SemKind::Sse128, binary<Packed128S, HSub>},
    {"qpfaddsubs", SemKind::Sse128, binary<Packed128S, AddSub>},
    {"qpfaddsubd", SemKind::Sse128, binary<Packed128D, AddSub>},
    {"qpfcmpeqs", SemKind::Sse128, binary<Packed128S, Compare<Relation::Eq>>},
    {"qpfcmpeqd", SemKind::Sse128, binary<Packed128D, Compare<Relation::Eq>>},
    {"qpfcmplts", SemKind::Sse128, binary<Packed128S, Compare<Relation::Lt>>},
    {"qpfcmpltd", SemKind::Sse128, binary<Packed128D, Compare<Relation::Lt>>},
    {"qpfcmples", SemKind::Sse128, binary<Packed128S, Compare<Relation::Le>>},
    {"qpfcmpled", SemKind::Sse128, binary<Packed128D, Compare<Relation::Le>>},
    {"qpfcmpuods", SemKind::Sse128, binary<Packed128S, Compare<Relation::Uod>>},
    {"qpfcmpuodd", SemKind::Sse128, binary<Packed128D, Compare<Relation::Uod>>},
    {"qpfcmpneqs", SemKind::Sse128, binary<Packed128S, Compare<Relation::Neq>>},
    {"qpfcmpneqd", SemKind::Sse128, binary<Packed128D, Compare<Relation::Neq>>},
    {"qpfcmpnlts", SemKind::Sse128, binary<Packed128S, Compare<Relation::Nlt>>},
    {"qpfcmpnltd", SemKind::Sse128, binary<Packed128D, Compare<Relation::Nlt>>},
    {"qpfcmpnles", SemKind::Sse128, binary<Packed128S, Compare<Relation::Nle>>},
    {"qpfcmpnled", SemKind::Sse128, binary<Packed128D, Compare<Relation::Nle>>},
    {"qpfcmpods", SemKind::Sse128, binary<Packed128S, Compare<Relation::Od>>},
    {"qpfcmpodd", SemKind::Sse128, binary<Packed128D, Compare<Relation::Od>>},
    {"qpistofs", SemKind::Sse128, int32_to_s},
    {"qpistofd", SemKind::Sse128, int32_to_d},
    {"qpidtofs", SemKind::Sse128, int64_to_s},
    {"qpidtofd", SemKind::Sse128, int64_to_d},
    {"qpfstofd", SemKind::Sse128, s_to_d},
    {"qpfdtofs", SemKind::Sse128, d_to_s},
    {"qpfstois", SemKind::Sse128, s_to_int32<false>},
    {"qpfstoistr", SemKind::Sse128, s_to_int32<true>},
    {"qpfdtois", SemKind::Sse128, d_to_int32<false>},
    {"qpfdtoistr", SemKind::Sse128, d_to_int32<true>},
    {"qpfstoid", SemKind::Sse128, s_to_int64<false>},
    {"qpfstoidtr", SemKind::Sse128, s_to_int64<true>},
    {"qpfdtoid", SemKind::Sse128, d_to_int64<false>},
    {"qpfdtoidtr", SemKind::Sse128, d_to_int64<true>},
    {"qpfstoifs", SemKind::Sse128, round_integral<Packed128S>},
    {"qpfdtoifd", SemKind::Sse128, round_integral<Packed128D>},
};

}  // namespace

std::span<const SemanticEntry> fp_packed128_entries() { return kEntries; }

}  // namespace e2k::cpu
