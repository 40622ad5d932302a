// Family Select: merge by predicate (integer.md §8). The interpreter selects (P ? src2 : src1)
// and passes the selected operand as a.
#include "engine/cpu/semantics/families.h"

namespace e2k::cpu {
namespace {

constexpr std::uint64_t selected32(std::uint64_t a, std::uint64_t, std::uint64_t) {
    return static_cast<std::uint32_t>(a);
}
constexpr std::uint64_t selected64(std::uint64_t a, std::uint64_t, std::uint64_t) { return a; }
V128 selected128(V128 a, V128, V128) { return a; }

constexpr SemanticEntry kEntries[] = {
    {"merges", SemKind::Int64, selected32},
    {"merged", SemKind::Int64, selected64},
    {"pmrgp", SemKind::Int64, selected64},
    {"qpmrgp", SemKind::Int128, selected128},
};

}  // namespace

std::span<const SemanticEntry> select_entries() { return kEntries; }

}  // namespace e2k::cpu
