// Family Clmul: carry-less multiplication (packed.md §10).
#include "engine/cpu/semantics/families.h"

namespace e2k::cpu {
namespace {

constexpr std::uint64_t clmul_low(std::uint64_t a, std::uint64_t b, std::uint64_t) {
    std::uint64_t product = 0;
    for (unsigned i = 0; i < 64; ++i)
        if ((b >> i & 1) != 0) product ^= a << i;
    return product;
}
constexpr std::uint64_t clmul_high(std::uint64_t a, std::uint64_t b, std::uint64_t) {
    std::uint64_t product = 0;
    for (unsigned i = 1; i < 64; ++i)
        if ((b >> i & 1) != 0) product ^= a >> (64 - i);
    return product;
}

constexpr SemanticEntry kEntries[] = {
    {"clmull", SemKind::Int64, clmul_low},
    {"clmulh", SemKind::Int64, clmul_high},
};

}  // namespace

std::span<const SemanticEntry> clmul_entries() { return kEntries; }

}  // namespace e2k::cpu
