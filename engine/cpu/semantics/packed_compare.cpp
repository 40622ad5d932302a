// Family PackedComparePred: a predicate from all lanes (packed.md §8). Names end in op (any
// lane satisfies the relation) or ap (all lanes do).
#include <array>
#include <cstddef>
#include <utility>

#include "engine/cpu/semantics/families.h"
#include "engine/cpu/semantics/packed_shapes.h"

namespace e2k::cpu {
namespace {

using namespace packed;

struct Equal {
    template <class L>
    static constexpr bool of(L a, L b) {
        return a == b;
    }
};
struct Greater {
    template <class L>
    static constexpr bool of(L a, L b) {
        return a > b;
    }
};

template <class W, class L, class Relation>
constexpr std::size_t count(typename W::Word a, typename W::Word b) {
    const auto x = W::template load<L>(a), y = W::template load<L>(b);
    std::size_t holds = 0;
    for (std::size_t i = 0; i < x.size(); ++i) holds += Relation::of(x[i], y[i]) ? 1 : 0;
    return holds;
}
template <class W, class L, class Relation>
constexpr typename W::Word any(typename W::Word a, typename W::Word b, typename W::Word) {
    return W::from_low64(count<W, L, Relation>(a, b) != 0);
}
template <class W, class L, class Relation>
constexpr typename W::Word all(typename W::Word a, typename W::Word b, typename W::Word) {
    constexpr std::size_t lanes = typename W::template Lanes<L>{}.size();
    return W::from_low64(count<W, L, Relation>(a, b) == lanes);
}

template <class W>
constexpr auto kForms = std::array{
    entry<W>("qpcmpeqbop", any<W, U8, Equal>),    entry<W>("qpcmpeqbap", all<W, U8, Equal>),
    entry<W>("qpcmpeqhop", any<W, U16, Equal>),   entry<W>("qpcmpeqhap", all<W, U16, Equal>),
    entry<W>("qpcmpeqwop", any<W, U32, Equal>),   entry<W>("qpcmpeqwap", all<W, U32, Equal>),
    entry<W>("qpcmpeqdop", any<W, U64, Equal>),   entry<W>("qpcmpeqdap", all<W, U64, Equal>),
    entry<W>("qpcmpgtbop", any<W, S8, Greater>),  entry<W>("qpcmpgtbap", all<W, S8, Greater>),
    entry<W>("qpcmpgthop", any<W, S16, Greater>), entry<W>("qpcmpgthap", all<W, S16, Greater>),
    entry<W>("qpcmpgtwop", any<W, S32, Greater>), entry<W>("qpcmpgtwap", all<W, S32, Greater>),
    entry<W>("qpcmpgtdop", any<W, S64, Greater>), entry<W>("qpcmpgtdap", all<W, S64, Greater>),
};

template <std::size_t... I>
constexpr auto both_widths(std::index_sequence<I...>) {
    return std::array{kForms<Bits64>[I]..., kForms<Bits128>[I]...};
}
constexpr auto kEntries = both_widths(std::make_index_sequence<kForms<Bits64>.size()>{});

}  // namespace

std::span<const SemanticEntry> packed_compare_entries() { return kEntries; }

}  // namespace e2k::cpu
