// Family PackedShuffle: operations that move lanes (packed.md §5, §6, §7). src1 is the high part
// of a joined {a:b}. The literal of an operation arrives as c.
#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/cpu/semantics/families.h"
#include "engine/cpu/semantics/packed_shapes.h"

namespace e2k::cpu {
namespace {

using namespace packed;
using U128 = unsigned __int128;

constexpr U128 join(U64 high, U64 low) { return U128{high} << 64 | low; }
V128 join128(U64 high, U64 low) { return Bits128::store<U64>({low, high}); }
U64 high64(V128 v) { return Bits128::load<U64>(v)[1]; }
U64 low64(V128 v) { return Bits128::low64(v); }

// --- packing and interleaving ---

/// Lanes of b saturated into the low half, lanes of a into the high half.
template <class W, class Wide, class Narrow>
constexpr typename W::Word pack(typename W::Word a, typename W::Word b, typename W::Word) {
    const auto high = W::template load<Wide>(a), low = W::template load<Wide>(b);
    typename W::template Lanes<Narrow> d{};
    for (std::size_t i = 0; i < low.size(); ++i) {
        d[i] = saturate<Narrow>(low[i]);
        d[low.size() + i] = saturate<Narrow>(high[i]);
    }
    return W::template store<Narrow>(d);
}

/// Even lanes from b, odd lanes from a, out of their low or high halves.
template <class L, bool high>
constexpr U64 interleave(U64 a, U64 b, U64) {
    const auto x = Bits64::load<L>(a), y = Bits64::load<L>(b);
    Bits64::Lanes<L> d{};
    constexpr std::size_t half = d.size() / 2, first = high ? half : 0;
    for (std::size_t i = 0; i < half; ++i) {
        d[2 * i] = y[first + i];
        d[2 * i + 1] = x[first + i];
    }
    return Bits64::store<L>(d);
}

// --- joined shifts, extract, insert, selection by literal ---

constexpr U128 shift_left(U64 a, U64 b, U64 bytes) {
    return bytes < 16 ? join(a, b) << (8 * bytes) : 0;
}
constexpr U128 shift_right(U64 a, U64 b, U64 bytes) {
    return bytes < 16 ? join(a, b) >> (8 * bytes) : 0;
}
constexpr U64 shift_left_high(U64 a, U64 b, U64 c) {
    return static_cast<U64>(shift_left(a, b, c) >> 64);
}
constexpr U64 shift_left_low(U64 a, U64 b, U64 c) { return static_cast<U64>(shift_left(a, b, c)); }
constexpr U64 shift_right_high(U64 a, U64 b, U64 c) {
    return static_cast<U64>(shift_right(a, b, c) >> 64);
}
constexpr U64 shift_right_low(U64 a, U64 b, U64 c) {
    return static_cast<U64>(shift_right(a, b, c));
}

constexpr U64 extract_half(U64 a, U64 b, U64 c) {
    return Bits64::load<U16>((c & 4) != 0 ? a : b)[c & 3];
}
constexpr U64 insert_half(U64 a, U64 b, U64 c) {
    auto lanes = Bits64::load<U16>(a);
    lanes[c & 3] = static_cast<U16>(b);
    return Bits64::store<U16>(lanes);
}
constexpr U64 shuffle_halves(U64, U64 b, U64 c) {
    const auto source = Bits64::load<U16>(b);
    Bits64::Lanes<U16> d{};
    for (std::size_t i = 0; i < d.size(); ++i) d[i] = source[c >> 2 * i & 3];
    return Bits64::store<U16>(d);
}
constexpr U64 shuffle_words(U64 a, U64 b, U64 c) {
    const auto high = Bits64::load<U32>(a), low = Bits64::load<U32>(b);
    Bits64::Lanes<U32> d{};
    for (std::size_t i = 0; i < d.size(); ++i) {
        const U64 selector = c >> 2 * i & 3;
        d[i] = (selector & 2) != 0 ? high[selector & 1] : low[selector & 1];
    }
    return Bits64::store<U32>(d);
}

// --- sign bits ---

/// Sign bits of the lanes, lane 0 in bit 0.
template <class W, class L>
constexpr U64 signs(typename W::Word v) {
    const auto lanes = W::template load<L>(v);
    U64 mask = 0;
    for (std::size_t i = 0; i < lanes.size(); ++i)
        mask |= U64{lanes[i]} >> (sizeof(L) * 8 - 1) << i;
    return mask;
}
template <class L>
constexpr U64 joined_signs(U64 a, U64 b, U64) {
    return signs<Bits64, L>(a) << (8 / sizeof(L)) | signs<Bits64, L>(b);
}
V128 signs_to_mask(V128, V128 b, V128) { return Bits128::from_low64(signs<Bits128, U8>(b)); }
V128 mask_to_signs(V128 a, V128 b, V128) {
    auto lanes = Bits128::load<U8>(a);
    const U64 mask = low64(b);
    for (std::size_t i = 0; i < lanes.size(); ++i)
        lanes[i] = static_cast<U8>((lanes[i] & 0x7f) | (mask >> i & 1) << 7);
    return Bits128::store<U8>(lanes);
}

// --- byte permutations ---

constexpr U8 reverse(U8 v) {
    v = static_cast<U8>((v & 0xf0) >> 4 | (v & 0x0f) << 4);
    v = static_cast<U8>((v & 0xcc) >> 2 | (v & 0x33) << 2);
    return static_cast<U8>((v & 0xaa) >> 1 | (v & 0x55) << 1);
}
/// Modifiers of a selected byte, in the order of their application.
constexpr U8 modify(U8 v, bool invert, bool reversed, bool fill_with_sign) {
    if (invert) v = static_cast<U8>(~v);
    if (reversed) v = reverse(v);
    if (fill_with_sign) v = (v & 0x80) != 0 ? 0xff : 0;
    return v;
}

/// One byte of pshufb: a constant, or a byte of {a:b} with modifiers.
constexpr U8 shuffled_byte(const Bits64::Lanes<U8>& a, const Bits64::Lanes<U8>& b, U8 descriptor) {
    constexpr std::array<U8, 8> constants{0, 0, 0x7f, 0, 0x80, 0, 0xff, 0};
    if ((descriptor & 0x80) != 0) return constants[descriptor >> 4 & 7];
    const U8 byte = (descriptor & 8) != 0 ? a[descriptor & 7] : b[descriptor & 7];
    return modify(byte, descriptor & 0x10, descriptor & 0x20, descriptor & 0x40);
}
constexpr U64 shuffle_bytes(U64 a, U64 b, U64 c) {
    const auto high = Bits64::load<U8>(a), low = Bits64::load<U8>(b);
    auto d = Bits64::load<U8>(c);
    for (U8& byte : d) byte = shuffled_byte(high, low, byte);
    return Bits64::store<U8>(d);
}
V128 shuffle_bytes128(V128 a, V128 b, V128 c) {
    return join128(shuffle_bytes(high64(a), low64(a), high64(c)),
                   shuffle_bytes(high64(b), low64(b), low64(c)));
}
V128 permute_bytes(V128 a, V128 b, V128 c) {
    const auto high = Bits128::load<U8>(a), low = Bits128::load<U8>(b);
    auto d = Bits128::load<U8>(c);
    for (U8& byte : d) {
        const U8 source = (byte & 0x10) != 0 ? high[byte & 15] : low[byte & 15];
        byte = modify(source, byte & 0x20, byte & 0x40, byte & 0x80);
    }
    return Bits128::store<U8>(d);
}

/// Bit 7 of byte i of c selects b instead of a.
template <class W>
constexpr typename W::Word blend(typename W::Word a, typename W::Word b, typename W::Word c) {
    const auto x = W::template load<U8>(a), y = W::template load<U8>(b);
    auto d = W::template load<U8>(c);
    for (std::size_t i = 0; i < d.size(); ++i) d[i] = (d[i] & 0x80) != 0 ? y[i] : x[i];
    return W::template store<U8>(d);
}

// --- 128-bit helpers ---

V128 join_halves(V128 a, V128 b, V128) { return join128(low64(a), low64(b)); }
V128 swap_halves(V128, V128 b, V128) { return join128(low64(b), high64(b)); }
V128 swap_words(V128, V128 b, V128) {
    auto words = Bits128::load<U32>(b);
    std::swap(words[0], words[1]);
    std::swap(words[2], words[3]);
    return Bits128::store<U32>(words);
}
template <U8 byte>
V128 extend_with(V128, V128 b, V128) {
    constexpr U64 repeat = 0x0101'0101'0101'0101;
    return join128(repeat * byte, low64(b));
}

constexpr SemanticEntry kEntries[] = {
    entry<Bits64>("qpacksshb", pack<Bits64, S16, std::int8_t>),
    entry<Bits64>("qpackushb", pack<Bits64, S16, U8>),
    entry<Bits64>("qpacksswh", pack<Bits64, S32, S16>),
    entry<Bits64>("qpackuswh", pack<Bits64, S32, U16>),
    entry<Bits128>("qpacksshb", pack<Bits128, S16, std::int8_t>),
    entry<Bits128>("qpackushb", pack<Bits128, S16, U8>),
    entry<Bits128>("qpacksswh", pack<Bits128, S32, S16>),
    entry<Bits128>("qpackuswh", pack<Bits128, S32, U16>),
    {"punpcklbh", SemKind::Int64, interleave<U8, false>},
    {"punpcklhw", SemKind::Int64, interleave<U16, false>},
    {"punpcklwd", SemKind::Int64, interleave<U32, false>},
    {"punpckhbh", SemKind::Int64, interleave<U8, true>},
    {"punpckhhw", SemKind::Int64, interleave<U16, true>},
    {"punpckhwd", SemKind::Int64, interleave<U32, true>},
    {"psllqh", SemKind::Int64, shift_left_high},
    {"psllql", SemKind::Int64, shift_left_low},
    {"psrlqh", SemKind::Int64, shift_right_high},
    {"psrlql", SemKind::Int64, shift_right_low},
    {"pextrh", SemKind::Int64, extract_half},
    {"pinsh", SemKind::Int64, insert_half},
    {"pshufh", SemKind::Int64, shuffle_halves},
    {"pshufw", SemKind::Int64, shuffle_words},
    {"pmovmskb", SemKind::Int64, joined_signs<U8>},
    {"pmovmskps", SemKind::Int64, joined_signs<U32>},
    {"pmovmskpd", SemKind::Int64, joined_signs<U64>},
    {"pshufb", SemKind::Int64, shuffle_bytes},
    {"qpshufb", SemKind::Int128, shuffle_bytes128},
    {"qppermb", SemKind::Int128, permute_bytes},
    entry<Bits64>("qpmerge", blend<Bits64>),
    entry<Bits128>("qpmerge", blend<Bits128>),
    {"qppackdl", SemKind::Int128, join_halves},
    {"qpswitchd", SemKind::Int128, swap_halves},
    {"qpswitchw", SemKind::Int128, swap_words},
    {"qpsgn2mskb", SemKind::Int128, signs_to_mask},
    {"qpmsk2sgnb", SemKind::Int128, mask_to_signs},
    {"qpcext_0x00", SemKind::Int128, extend_with<0x00>},
    {"qpcext_0x7f", SemKind::Int128, extend_with<0x7f>},
    {"qpcext_0x80", SemKind::Int128, extend_with<0x80>},
    {"qpcext_0xff", SemKind::Int128, extend_with<0xff>},
};

}  // namespace

std::span<const SemanticEntry> packed_shuffle_entries() { return kEntries; }

}  // namespace e2k::cpu
