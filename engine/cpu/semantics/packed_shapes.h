// Packed integers in a 64-bit or 128-bit register as arrays of lanes, and the functions that apply
// an operation lane by lane. Lane 0 is the least significant. The 128-bit form of most operations
// has the 64-bit form's name with a leading q, so that families list names once.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "engine/cpu/semantics.h"

namespace e2k::cpu::packed {

// Lane types.
using U8 = std::uint8_t;
using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;
using S8 = std::int8_t;
using S16 = std::int16_t;
using S32 = std::int32_t;
using S64 = std::int64_t;

/// A 64-bit register.
struct Bits64 {
    using Word = std::uint64_t;
    using Fn = Fn64;
    static constexpr SemKind kKind = SemKind::Int64;
    template <class L>
    using Lanes = std::array<L, 8 / sizeof(L)>;

    template <class L>
    static constexpr Lanes<L> load(Word v) {
        return std::bit_cast<Lanes<L>>(v);
    }
    template <class L>
    static constexpr Word store(const Lanes<L>& v) {
        return std::bit_cast<Word>(v);
    }
    static constexpr std::uint64_t low64(Word v) { return v; }
    static constexpr Word from_low64(std::uint64_t v) { return v; }
    static constexpr std::string_view name(std::string_view qname) { return qname.substr(1); }
};

/// A 128-bit register.
struct Bits128 {
    using Word = V128;
    using Fn = Fn128;
    static constexpr SemKind kKind = SemKind::Int128;
    template <class L>
    using Lanes = std::array<L, 16 / sizeof(L)>;

    template <class L>
    static Lanes<L> load(Word v) {
        Lanes<L> lanes;
        std::memcpy(lanes.data(), &v, sizeof v);
        return lanes;
    }
    template <class L>
    static Word store(const Lanes<L>& lanes) {
        Word v;
        std::memcpy(&v, lanes.data(), sizeof v);
        return v;
    }
    static std::uint64_t low64(Word v) { return static_cast<std::uint64_t>(_mm_cvtsi128_si64(v)); }
    static Word from_low64(std::uint64_t v) { return _mm_cvtsi64_si128(static_cast<long long>(v)); }
    static constexpr std::string_view name(std::string_view qname) { return qname; }
};

/// The registration of the form for register width W.
template <class W>
constexpr SemanticEntry entry(std::string_view qname, typename W::Fn function) {
    return {W::name(qname), W::kKind, function};
}

/// d[i] = Op(a[i], b[i]).
template <class W, class L, class Op>
constexpr typename W::Word lanewise(typename W::Word a, typename W::Word b, typename W::Word) {
    const auto x = W::template load<L>(a), y = W::template load<L>(b);
    typename W::template Lanes<L> d{};
    for (std::size_t i = 0; i < d.size(); ++i) d[i] = Op::of(x[i], y[i]);
    return W::template store<L>(d);
}

/// Pairs of a into the low half, pairs of b into the high half: Op(even lane, odd lane).
template <class W, class L, class Op>
constexpr typename W::Word horizontal(typename W::Word a, typename W::Word b, typename W::Word) {
    const auto x = W::template load<L>(a), y = W::template load<L>(b);
    typename W::template Lanes<L> d{};
    for (std::size_t i = 0; i < d.size() / 2; ++i) {
        d[i] = Op::of(x[2 * i], x[2 * i + 1]);
        d[d.size() / 2 + i] = Op::of(y[2 * i], y[2 * i + 1]);
    }
    return W::template store<L>(d);
}

/// v clamped to the range of L.
template <class L>
constexpr L saturate(std::int32_t v) {
    constexpr auto low = static_cast<std::int32_t>(std::numeric_limits<L>::min()),
                   high = static_cast<std::int32_t>(std::numeric_limits<L>::max());
    return static_cast<L>(v < low ? low : v > high ? high : v);
}

}  // namespace e2k::cpu::packed
