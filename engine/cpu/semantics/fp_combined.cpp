// Family FpCombined: two-step scalar operations, each step rounded (float.md §8).
#include "engine/cpu/semantics/fp_families.h"
#include "engine/cpu/semantics/fp_shapes.h"

namespace e2k::cpu {
namespace {

using namespace fp;

constexpr SemanticEntry kEntries[] = {
    {"fadd_adds", SemKind::Sse64, combined<ScalarS, Add, Add>},
    {"fadd_addd", SemKind::Sse64, combined<ScalarD, Add, Add>},
    {"fadd_subs", SemKind::Sse64, combined<ScalarS, Add, Sub>},
    {"fadd_subd", SemKind::Sse64, combined<ScalarD, Add, Sub>},
    {"fadd_rsubs", SemKind::Sse64, combined<ScalarS, Add, RSub>},
    {"fadd_rsubd", SemKind::Sse64, combined<ScalarD, Add, RSub>},
    {"fsub_adds", SemKind::Sse64, combined<ScalarS, Sub, Add>},
    {"fsub_addd", SemKind::Sse64, combined<ScalarD, Sub, Add>},
    {"fsub_subs", SemKind::Sse64, combined<ScalarS, Sub, Sub>},
    {"fsub_subd", SemKind::Sse64, combined<ScalarD, Sub, Sub>},
    {"fsub_rsubs", SemKind::Sse64, combined<ScalarS, Sub, RSub>},
    {"fsub_rsubd", SemKind::Sse64, combined<ScalarD, Sub, RSub>},
    {"fmul_adds", SemKind::Sse64, combined<ScalarS, Mul, Add>},
    {"fmul_addd", SemKind::Sse64, combined<ScalarD, Mul, Add>},
    {"fmul_subs", SemKind::Sse64, combined<ScalarS, Mul, Sub>},
    {"fmul_subd", SemKind::Sse64, combined<ScalarD, Mul, Sub>},
    {"fmul_rsubs", SemKind::Sse64, combined<ScalarS, Mul, RSub>},
    {"fmul_rsubd", SemKind::Sse64, combined<ScalarD, Mul, RSub>},
};

}  // namespace

std::span<const SemanticEntry> fp_combined_entries() { return kEntries; }

}  // namespace e2k::cpu
