// Families PackedInt64 and PackedInt128: products, sums of differences, minimum with position
// (packed.md §3).
#include <array>
#include <cstddef>
#include <utility>

#include "engine/cpu/semantics/families.h"
#include "engine/cpu/semantics/packed_shapes.h"

namespace e2k::cpu {
namespace {

using namespace packed;

struct MulLow {  // U16 or U32
    template <class L>
    static constexpr L of(L a, L b) {
        return static_cast<L>(U32{a} * U32{b});
    }
};
struct MulHighSigned {
    static constexpr S16 of(S16 a, S16 b) { return static_cast<S16>((a * b) >> 16); }
};
struct MulHighUnsigned {
    static constexpr U16 of(U16 a, U16 b) { return static_cast<U16>((U32{a} * U32{b}) >> 16); }
};
struct MulHighRounded {
    static constexpr S16 of(S16 a, S16 b) { return static_cast<S16>((((a * b) >> 14) + 1) >> 1); }
};

constexpr U32 distance(U8 a, U8 b) { return static_cast<U32>(a > b ? a - b : b - a); }

/// 32-bit sums of products of signed halfwords; wraps only when all four factors are -32768.
template <class W>
constexpr typename W::Word multiply_add(typename W::Word a, typename W::Word b, typename W::Word) {
    const auto x = W::template load<S16>(a), y = W::template load<S16>(b);
    typename W::template Lanes<U32> d{};
    for (std::size_t i = 0; i < d.size(); ++i)
        d[i] =
            static_cast<U32>(x[2 * i] * y[2 * i]) + static_cast<U32>(x[2 * i + 1] * y[2 * i + 1]);
    return W::template store<U32>(d);
}

/// Saturated 16-bit sums of products; the bytes of a are signed, those of b unsigned.
template <class W>
constexpr typename W::Word multiply_add_bytes(typename W::Word a, typename W::Word b,
                                              typename W::Word) {
    const auto x = W::template load<S8>(a);
    const auto y = W::template load<U8>(b);
    typename W::template Lanes<S16> d{};
    for (std::size_t i = 0; i < d.size(); ++i)
        d[i] = saturate<S16>(x[2 * i] * y[2 * i] + x[2 * i + 1] * y[2 * i + 1]);
    return W::template store<S16>(d);
}

/// Unsigned byte i of the low half of a times signed halfword i of b, rounded, without 8 low bits.
template <class W>
constexpr typename W::Word multiply_bytes(typename W::Word a, typename W::Word b,
                                          typename W::Word) {
    const auto x = W::template load<U8>(a);
    const auto y = W::template load<S16>(b);
    typename W::template Lanes<S16> d{};
    for (std::size_t i = 0; i < d.size(); ++i) d[i] = static_cast<S16>((x[i] * y[i] + 0x80) >> 8);
    return W::template store<S16>(d);
}

/// Sum of the distances of the unsigned bytes, per 64 bits.
template <class W>
constexpr typename W::Word sum_of_distances(typename W::Word a, typename W::Word b,
                                            typename W::Word) {
    const auto x = W::template load<U8>(a), y = W::template load<U8>(b);
    typename W::template Lanes<U64> d{};
    for (std::size_t i = 0; i < x.size(); ++i) d[i / 8] += distance(x[i], y[i]);
    return W::template store<U64>(d);
}

/// The four bytes of b against four windows of each 64 bits of a.
template <class W>
constexpr typename W::Word windowed_distances(typename W::Word a, typename W::Word b,
                                              typename W::Word) {
    const auto x = W::template load<U8>(a), y = W::template load<U8>(b);
    typename W::template Lanes<U16> d{};
    for (std::size_t i = 0; i < d.size(); ++i)
        for (std::size_t k = 0; k < 4; ++k) {
            const std::size_t window = i / 4 * 8 + i % 4;
            d[i] = static_cast<U16>(d[i] + distance(x[window + k], y[k]));
        }
    return W::template store<U16>(d);
}

/// The least unsigned halfword of a (first positions) and b, with its lowest position in bits
/// 31:16.
template <class W>
constexpr typename W::Word minimum_position(typename W::Word a, typename W::Word b,
                                            typename W::Word) {
    U32 least = 0xffff, at = 0, position = 0;
    for (const auto& lanes : {W::template load<U16>(a), W::template load<U16>(b)})
        for (const U16 value : lanes) {
            if (value < least) {
                least = value;
                at = position;
            }
            ++position;
        }
    return W::from_low64(least | at << 16);
}

template <class W>
constexpr auto kShared = std::array{
    entry<W>("qpmullh", lanewise<W, U16, MulLow>),
    entry<W>("qpmullw", lanewise<W, U32, MulLow>),
    entry<W>("qpmulhh", lanewise<W, S16, MulHighSigned>),
    entry<W>("qpmulhuh", lanewise<W, U16, MulHighUnsigned>),
    entry<W>("qpmulhrsh", lanewise<W, S16, MulHighRounded>),
    entry<W>("qpmaddh", multiply_add<W>),
    entry<W>("qpmaddubsh", multiply_add_bytes<W>),
    entry<W>("qpmulubhh", multiply_bytes<W>),
    entry<W>("qpsadbw", sum_of_distances<W>),
    entry<W>("qphminposuh", minimum_position<W>),
};

template <std::size_t... I>
constexpr auto all(std::index_sequence<I...>) {
    return std::array{kShared<Bits64>[I]..., kShared<Bits128>[I]...,
                      SemanticEntry{"mpsadbh", SemKind::Int64, windowed_distances<Bits64>},
                      SemanticEntry{"qpmpsadbh", SemKind::Int128, windowed_distances<Bits128>}};
}
constexpr auto kEntries = all(std::make_index_sequence<kShared<Bits64>.size()>{});

}  // namespace

std::span<const SemanticEntry> packed_multiply_entries() { return kEntries; }

}  // namespace e2k::cpu
