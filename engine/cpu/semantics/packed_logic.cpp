// Family PackedLogic (packed.md §2).
#include "engine/cpu/semantics/families.h"
#include "engine/cpu/semantics/int_pieces.h"

namespace e2k::cpu {
namespace {

using U64 = std::uint64_t;

V128 and128(V128 a, V128 b, V128) { return _mm_and_si128(a, b); }
/// a & ~b, where the host's operation inverts its first operand.
V128 and_not128(V128 a, V128 b, V128) { return _mm_andnot_si128(b, a); }
V128 or128(V128 a, V128 b, V128) { return _mm_or_si128(a, b); }
V128 xor128(V128 a, V128 b, V128) { return _mm_xor_si128(a, b); }

constexpr SemanticEntry kEntries[] = {
    {"pandd", SemKind::Int64, integer::binary<integer::And, U64>},
    {"pandnd", SemKind::Int64, integer::binary<integer::AndNot, U64>},
    {"pord", SemKind::Int64, integer::binary<integer::Or, U64>},
    {"pxord", SemKind::Int64, integer::binary<integer::Xor, U64>},
    {"qpand", SemKind::Int128, and128},
    {"qpandn", SemKind::Int128, and_not128},
    {"qpor", SemKind::Int128, or128},
    {"qpxor", SemKind::Int128, xor128},
};

}  // namespace

std::span<const SemanticEntry> packed_logic_entries() { return kEntries; }

}  // namespace e2k::cpu
