// Family FpCompare: 32- and 64-bit compares to a mask, a predicate or x86 flags
// (float.md §5).
#include "engine/cpu/semantics/fp_families.h"
#include "engine/cpu/semantics/fp_shapes.h"

namespace e2k::cpu {
namespace {

using namespace fp;

/// Flags word in EFLAGS positions: 0 above, 0x01 below, 0x40 equal, 0x45 unordered.
template <bool Quiet>
std::uint64_t flags_s(std::uint64_t a, std::uint64_t b, std::uint64_t) {
    return CompareFlags<Quiet>::ss(f32(a), f32(b));
}
template <bool Quiet>
std::uint64_t flags_d(std::uint64_t a, std::uint64_t b, std::uint64_t) {
    return CompareFlags<Quiet>::sd(f64(a), f64(b));
}

constexpr SemanticEntry kEntries[] = {
    {"fcmpeqs", SemKind::Sse64, binary<ScalarS, Compare<Relation::Eq>>},
    {"fcmpeqd", SemKind::Sse64, binary<ScalarD, Compare<Relation::Eq>>},
    {"fcmplts", SemKind::Sse64, binary<ScalarS, Compare<Relation::Lt>>},
    {"fcmpltd", SemKind::Sse64, binary<ScalarD, Compare<Relation::Lt>>},
    {"fcmples", SemKind::Sse64, binary<ScalarS, Compare<Relation::Le>>},
    {"fcmpled", SemKind::Sse64, binary<ScalarD, Compare<Relation::Le>>},
    {"fcmpuods", SemKind::Sse64, binary<ScalarS, Compare<Relation::Uod>>},
    {"fcmpuodd", SemKind::Sse64, binary<ScalarD, Compare<Relation::Uod>>},
    {"fcmpneqs", SemKind::Sse64, binary<ScalarS, Compare<Relation::Neq>>},
    {"fcmpneqd", SemKind::Sse64, binary<ScalarD, Compare<Relation::Neq>>},
    {"fcmpnlts", SemKind::Sse64, binary<ScalarS, Compare<Relation::Nlt>>},
    {"fcmpnltd", SemKind::Sse64, binary<ScalarD, Compare<Relation::Nlt>>},
    {"fcmpnles", SemKind::Sse64, binary<ScalarS, Compare<Relation::Nle>>},
    {"fcmpnled", SemKind::Sse64, binary<ScalarD, Compare<Relation::Nle>>},
    {"fcmpods", SemKind::Sse64, binary<ScalarS, Compare<Relation::Od>>},
    {"fcmpodd", SemKind::Sse64, binary<ScalarD, Compare<Relation::Od>>},
    {"fcmpeqsb", SemKind::Sse64, predicate<ScalarS, Relation::Eq>},
    {"fcmpeqdb", SemKind::Sse64, predicate<ScalarD, Relation::Eq>},
    {"fcmpltsb", SemKind::Sse64, predicate<ScalarS, Relation::Lt>},
    {"fcmpltdb", SemKind::Sse64, predicate<ScalarD, Relation::Lt>},
    {"fcmplesb", SemKind::Sse64, predicate<ScalarS, Relation::Le>},
    {"fcmpledb", SemKind::Sse64, predicate<ScalarD, Relation::Le>},
    {"fcmpuodsb", SemKind::Sse64, predicate<ScalarS, Relation::Uod>},
    {"fcmpuoddb", SemKind::Sse64, predicate<ScalarD, Relation::Uod>},
    {"fcmpneqsb", SemKind::Sse64, predicate<ScalarS, Relation::Neq>},
    {"fcmpneqdb", SemKind::Sse64, predicate<ScalarD, Relation::Neq>},
    {"fcmpnltsb", SemKind::Sse64, predicate<ScalarS, Relation::Nlt>},
    {"fcmpnltdb", SemKind::Sse64, predicate<ScalarD, Relation::Nlt>},
    {"fcmpnlesb", SemKind::Sse64, predicate<ScalarS, Relation::Nle>},
    {"fcmpnledb", SemKind::Sse64, predicate<ScalarD, Relation::Nle>},
    {"fcmpodsb", SemKind::Sse64, predicate<ScalarS, Relation::Od>},
    {"fcmpoddb", SemKind::Sse64, predicate<ScalarD, Relation::Od>},
    {"fcmpodsf", SemKind::Sse64, flags_s<false>},
    {"fcmpoddf", SemKind::Sse64, flags_d<false>},
    {"fcmpudsf", SemKind::Sse64, flags_s<true>},
    {"fcmpuddf", SemKind::Sse64, flags_d<true>},
};

}  // namespace

std::span<const SemanticEntry> fp_compare_entries() { return kEntries; }

}  // namespace e2k::cpu
