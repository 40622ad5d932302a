// Family IntMul: multiplications (integer.md §3).
#include "engine/cpu/semantics/families.h"

namespace e2k::cpu {
namespace {

using U64 = std::uint64_t;

constexpr std::int64_t sext32(U64 v) { return static_cast<std::int32_t>(v); }
constexpr U64 zext32(U64 v) { return static_cast<std::uint32_t>(v); }

constexpr U64 mul32(U64 a, U64 b, U64) { return zext32(a * b); }
constexpr U64 mul64(U64 a, U64 b, U64) { return a * b; }
constexpr U64 umul_wide(U64 a, U64 b, U64) { return zext32(a) * zext32(b); }
constexpr U64 smul_wide(U64 a, U64 b, U64) { return static_cast<U64>(sext32(a) * sext32(b)); }

constexpr U64 umul_high(U64 a, U64 b, U64) {
    return static_cast<U64>((static_cast<unsigned __int128>(a) * b) >> 64);
}
constexpr U64 smul_high(U64 a, U64 b, U64) {
    const auto product =
        static_cast<__int128>(static_cast<std::int64_t>(a)) * static_cast<std::int64_t>(b);
    return static_cast<U64>(product >> 64);
}

constexpr SemanticEntry kEntries[] = {
    {"muls", SemKind::Int64, mul32},       {"muld", SemKind::Int64, mul64},
    {"umulx", SemKind::Int64, umul_wide},  {"smulx", SemKind::Int64, smul_wide},
    {"umulhd", SemKind::Int64, umul_high}, {"smulhd", SemKind::Int64, smul_high},
};

}  // namespace

std::span<const SemanticEntry> int_mul_entries() { return kEntries; }

}  // namespace e2k::cpu
