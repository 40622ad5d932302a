// Family IntCombined: two steps in one operation (integer.md §9). The names and functions are
// the product of the lists of first and second steps.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "engine/cpu/semantics/families.h"
#include "engine/cpu/semantics/int_pieces.h"

namespace e2k::cpu {
namespace {

using namespace integer;

template <class... Ops>
struct List {};

/// `<first>_<second>` and the width letter, e.g. "shl_addd".
template <class First, class Second, class U>
struct CombinedName {
    static constexpr std::size_t kSize = First::kName.size() + Second::kName.size() + 2;
    static constexpr std::array<char, kSize> kText = [] {
        std::array<char, kSize> text{};
        auto end = std::copy(First::kName.begin(), First::kName.end(), text.begin());
        *end++ = '_';
        end = std::copy(Second::kName.begin(), Second::kName.end(), end);
        *end = sizeof(U) == 4 ? 's' : 'd';
        return text;
    }();
    static constexpr std::string_view kView{kText.data(), kSize};
};

struct IsetRange {
    int first, last;
};
template <class First>
constexpr IsetRange kIsets{isa::kMinIset, isa::kMaxIset};
template <>
constexpr IsetRange kIsets<GetfByByte>{isa::kMinIset, 4};
template <>
constexpr IsetRange kIsets<GetfByField>{5, isa::kMaxIset};

template <class First, class Second, class U>
constexpr SemanticEntry entry() {
    return {CombinedName<First, Second, U>::kView, SemKind::Int64, combined<First, Second, U>,
            kIsets<First>.first, kIsets<First>.last};
}

template <class First, class... Seconds>
constexpr auto entries_of(List<Seconds...>) {
    return std::array{entry<First, Seconds, std::uint32_t>()...,
                      entry<First, Seconds, std::uint64_t>()...};
}

using Seconds = List<And, AndNot, Or, OrNot, Xor, XorNot, Add, Sub, ReverseSub>;

template <class... Firsts>
constexpr auto product(List<Firsts...>) {
    const auto rows = std::array{entries_of<Firsts>(Seconds{})...};
    return rows;
}

constexpr auto kRows = product(List<And, AndNot, Or, OrNot, Xor, XorNot, Add, Sub, Shl, Shr, Sar,
                                    Scl, Scr, GetfByByte, GetfByField, Selected>{});

}  // namespace

std::span<const SemanticEntry> int_combined_entries() {
    // Rows of a nested std::array lie one after another.
    return {kRows.front().data(), kRows.size() * kRows.front().size()};
}

}  // namespace e2k::cpu
