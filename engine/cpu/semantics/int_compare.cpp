// Family IntCompare: compares into a predicate (integer.md §7), the conditions of x86 after
// `cmp a, b` or `test a, b`.
#include <bit>
#include <type_traits>

#include "engine/cpu/semantics/families.h"
#include "engine/cpu/semantics/int_pieces.h"

namespace e2k::cpu {
namespace {

using namespace integer;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

template <class U>
constexpr auto as_signed(U v) {
    return static_cast<std::make_signed_t<U>>(v);
}

constexpr auto overflow = [](auto a, auto b) {
    const auto t = a - b;
    return sign_bit((a ^ b) & (a ^ t));
};
constexpr auto below = [](auto a, auto b) { return a < b; };
constexpr auto equal = [](auto a, auto b) { return a == b; };
constexpr auto below_or_equal = [](auto a, auto b) { return a <= b; };
constexpr auto sign = [](auto a, auto b) { return sign_bit(a - b); };
constexpr auto parity = [](auto a, auto b) { return std::popcount((a - b) & 0xffu) % 2 == 0; };
constexpr auto less = [](auto a, auto b) { return as_signed(a) < as_signed(b); };
constexpr auto less_or_equal = [](auto a, auto b) { return as_signed(a) <= as_signed(b); };

constexpr auto and_zero = [](auto a, auto b) { return (a & b) == 0; };
constexpr auto and_sign = [](auto a, auto b) { return sign_bit(a & b); };
constexpr auto and_parity = [](auto a, auto b) { return std::popcount(a & b & 0xffu) % 2 == 0; };
constexpr auto and_less_or_equal = [](auto a, auto b) { return as_signed(a & b) <= 0; };

template <auto condition, class U>
constexpr U64 compare(U64 a, U64 b, U64) {
    return condition(static_cast<U>(a), static_cast<U>(b)) ? 1 : 0;
}

constexpr SemanticEntry kEntries[] = {
    {"cmposb", SemKind::Int64, compare<overflow, U32>},
    {"cmpodb", SemKind::Int64, compare<overflow, U64>},
    {"cmpbsb", SemKind::Int64, compare<below, U32>},
    {"cmpbdb", SemKind::Int64, compare<below, U64>},
    {"cmpesb", SemKind::Int64, compare<equal, U32>},
    {"cmpedb", SemKind::Int64, compare<equal, U64>},
    {"cmpbesb", SemKind::Int64, compare<below_or_equal, U32>},
    {"cmpbedb", SemKind::Int64, compare<below_or_equal, U64>},
    {"cmpssb", SemKind::Int64, compare<sign, U32>},
    {"cmpsdb", SemKind::Int64, compare<sign, U64>},
    {"cmppsb", SemKind::Int64, compare<parity, U32>},
    {"cmppdb", SemKind::Int64, compare<parity, U64>},
    {"cmplsb", SemKind::Int64, compare<less, U32>},
    {"cmpldb", SemKind::Int64, compare<less, U64>},
    {"cmplesb", SemKind::Int64, compare<less_or_equal, U32>},
    {"cmpledb", SemKind::Int64, compare<less_or_equal, U64>},
    {"cmpandesb", SemKind::Int64, compare<and_zero, U32>},
    {"cmpandedb", SemKind::Int64, compare<and_zero, U64>},
    {"cmpandssb", SemKind::Int64, compare<and_sign, U32>},
    {"cmpandsdb", SemKind::Int64, compare<and_sign, U64>},
    {"cmpandpsb", SemKind::Int64, compare<and_parity, U32>},
    {"cmpandpdb", SemKind::Int64, compare<and_parity, U64>},
    {"cmpandlesb", SemKind::Int64, compare<and_less_or_equal, U32>},
    {"cmpandledb", SemKind::Int64, compare<and_less_or_equal, U64>},
};

}  // namespace

std::span<const SemanticEntry> int_compare_entries() { return kEntries; }

}  // namespace e2k::cpu
