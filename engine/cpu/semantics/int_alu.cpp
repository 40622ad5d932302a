// Family IntAlu: addition, subtraction, logic (integer.md §1).
#include "engine/cpu/semantics/families.h"
#include "engine/cpu/semantics/int_pieces.h"

namespace e2k::cpu {
namespace {

using namespace integer;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

constexpr U64 add_carry(U64 a, U64 b, U64 c) { return a + b + (c & 1); }
constexpr U64 sub_borrow(U64 a, U64 b, U64 c) { return a - b - (c & 1); }

constexpr U64 carry_of_add(U64 a, U64 b, U64 c) {
    return (c & 1) != 0 ? a + b + 1 <= a : a + b < a;
}
constexpr U64 borrow_of_sub(U64 a, U64 b, U64 c) { return (c & 1) != 0 ? a <= b : a < b; }

constexpr SemanticEntry kEntries[] = {
    {"adds", SemKind::Int64, binary<Add, U32>},     {"addd", SemKind::Int64, binary<Add, U64>},
    {"subs", SemKind::Int64, binary<Sub, U32>},     {"subd", SemKind::Int64, binary<Sub, U64>},
    {"ands", SemKind::Int64, binary<And, U32>},     {"andd", SemKind::Int64, binary<And, U64>},
    {"andns", SemKind::Int64, binary<AndNot, U32>}, {"andnd", SemKind::Int64, binary<AndNot, U64>},
    {"ors", SemKind::Int64, binary<Or, U32>},       {"ord", SemKind::Int64, binary<Or, U64>},
    {"orns", SemKind::Int64, binary<OrNot, U32>},   {"ornd", SemKind::Int64, binary<OrNot, U64>},
    {"xors", SemKind::Int64, binary<Xor, U32>},     {"xord", SemKind::Int64, binary<Xor, U64>},
    {"xorns", SemKind::Int64, binary<XorNot, U32>}, {"xornd", SemKind::Int64, binary<XorNot, U64>},
    {"addcd", SemKind::Int64, add_carry},           {"addcd_c", SemKind::Int64, carry_of_add},
    {"subcd", SemKind::Int64, sub_borrow},          {"subcd_c", SemKind::Int64, borrow_of_sub},
};

}  // namespace

std::span<const SemanticEntry> int_alu_entries() { return kEntries; }

}  // namespace e2k::cpu
