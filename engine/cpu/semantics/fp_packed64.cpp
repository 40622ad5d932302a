// Family FpPacked64: two f32 lanes or one f64 in 64 bits (float.md §10).
#include "engine/cpu/semantics/fp_families.h"
#include "engine/cpu/semantics/fp_shapes.h"

namespace e2k::cpu {
namespace {

using namespace fp;

template <bool Truncate>
std::uint64_t lanes_to_int32(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return low64(ToInt<Truncate>::ps(Packed64S::load(b)));
}
std::uint64_t int32_to_lanes(std::uint64_t, std::uint64_t b, std::uint64_t) {
    return Packed64S::store(cvt_dq_ps(low64(b)));
}

constexpr SemanticEntry kEntries[] = {
    {"pfadds", SemKind::Sse64, binary<Packed64S, Add>},
    {"pfaddd", SemKind::Sse64, binary<ScalarD, Add>},
    {"pfsubs", SemKind::Sse64, binary<Packed64S, Sub>},
    {"pfsubd", SemKind::Sse64, binary<ScalarD, Sub>},
    {"pfmuls", SemKind::Sse64, binary<Packed64S, Mul>},
    {"pfmuld", SemKind::Sse64, binary<ScalarD, Mul>},
    {"pfmins", SemKind::Sse64, binary<Packed64S, Min>},
    {"pfmind", SemKind::Sse64, binary<ScalarD, Min>},
    {"pfmaxs", SemKind::Sse64, binary<Packed64S, Max>},
    {"pfmaxd", SemKind::Sse64, binary<ScalarD, Max>},
    {"pfhadds", SemKind::Sse64, binary<Packed64S, HAdd>},
    {"pfhsubs", SemKind::Sse64, binary<Packed64S, HSub>},
    {"pfaddsubs", SemKind::Sse64, binary<Packed64S, AddSub>},
    // Scalar in spite of the prefix.
    {"pfdivs", SemKind::Sse64, binary<ScalarS, Div>},
    {"pfdivd", SemKind::Sse64, binary<ScalarD, Div>},
    {"pfcmpeqs", SemKind::Sse64, binary<Packed64S, Compare<Relation::Eq>>},
    {"pfcmpeqd", SemKind::Sse64, binary<ScalarD, Compare<Relation::Eq>>},
    {"pfcmplts", SemKind::Sse64, binary<Packed64S, Compare<Relation::Lt>>},
    {"pfcmpltd", SemKind::Sse64, binary<ScalarD, Compare<Relation::Lt>>},
    {"pfcmples", SemKind::Sse64, binary<Packed64S, Compare<Relation::Le>>},
    {"pfcmpled", SemKind::Sse64, binary<ScalarD, Compare<Relation::Le>>},
    {"pfcmpuods", SemKind::Sse64, binary<Packed64S, Compare<Relation::Uod>>},
    {"pfcmpuodd", SemKind::Sse64, binary<ScalarD, Compare<Relation::Uod>>},
    {"pfcmpneqs", SemKind::Sse64, binary<Packed64S, Compare<Relation::Neq>>},
    {"pfcmpneqd", SemKind::Sse64, binary<ScalarD, Compare<Relation::Neq>>},
    {"pfcmpnlts", SemKind::Sse64, binary<Packed64S, Compare<Relation::Nlt>>},
    {"pfcmpnltd", SemKind::Sse64, binary<ScalarD, Compare<Relation::Nlt>>},
    {"pfcmpnles", SemKind::Sse64, binary<Packed64S, Compare<Relation::Nle>>},
    {"pfcmpnled", SemKind::Sse64, binary<ScalarD, Compare<Relation::Nle>>},
    {"pfcmpods", SemKind::Sse64, binary<Packed64S, Compare<Relation::Od>>},
    {"pfcmpodd", SemKind::Sse64, binary<ScalarD, Compare<Relation::Od>>},
    {"pfstois", SemKind::Sse64, lanes_to_int32<false>},
    {"pfstoistr", SemKind::Sse64, lanes_to_int32<true>},
    {"pistofs", SemKind::Sse64, int32_to_lanes},
    {"pfstoifs", SemKind::Sse64, round_integral<Packed64S>},
};

}  // namespace

std::span<const SemanticEntry> fp_packed64_entries() { return kEntries; }

}  // namespace e2k::cpu
