// Family PackedShift: all lanes by one count, the whole 64-bit src2 (packed.md §4).
#include <array>
#include <bit>
#include <cstddef>
#include <limits>

#include "engine/cpu/semantics/families.h"
#include "engine/cpu/semantics/packed_shapes.h"

namespace e2k::cpu {
namespace {

using namespace packed;

template <class L>
constexpr U64 kWidth = sizeof(L) * 8;

struct Left {
    template <class L>
    static constexpr L of(L a, U64 n) {
        return n < kWidth<L> ? static_cast<L>(a << n) : L{0};
    }
};
struct Right {  // arithmetic for signed lanes
    template <class L>
    static constexpr L of(L a, U64 n) {
        if (n < kWidth<L>) return static_cast<L>(a >> n);
        return a < 0 ? static_cast<L>(-1) : L{0};
    }
};
struct RotateRight {
    template <class L>
    static constexpr L of(L a, U64 n) {
        return std::rotr(a, static_cast<int>(n % kWidth<L>));
    }
};

template <class W, class L, class Op>
constexpr typename W::Word shift(typename W::Word a, typename W::Word b, typename W::Word) {
    auto lanes = W::template load<L>(a);
    const U64 n = W::low64(b);
    for (L& lane : lanes) lane = Op::of(lane, n);
    return W::template store<L>(lanes);
}

constexpr SemanticEntry kEntries[] = {
    entry<Bits64>("qpsllh", shift<Bits64, U16, Left>),
    entry<Bits64>("qpsllw", shift<Bits64, U32, Left>),
    entry<Bits64>("qpslld", shift<Bits64, U64, Left>),
    entry<Bits64>("qpsrlh", shift<Bits64, U16, Right>),
    entry<Bits64>("qpsrlw", shift<Bits64, U32, Right>),
    entry<Bits64>("qpsrld", shift<Bits64, U64, Right>),
    entry<Bits64>("qpsrah", shift<Bits64, S16, Right>),
    entry<Bits64>("qpsraw", shift<Bits64, S32, Right>),
    entry<Bits64>("qpsrcw", shift<Bits64, U32, RotateRight>),
    entry<Bits64>("qpsrcd", shift<Bits64, U64, RotateRight>),
    entry<Bits128>("qpsllh", shift<Bits128, U16, Left>),
    entry<Bits128>("qpsllw", shift<Bits128, U32, Left>),
    entry<Bits128>("qpslld", shift<Bits128, U64, Left>),
    entry<Bits128>("qpsrlh", shift<Bits128, U16, Right>),
    entry<Bits128>("qpsrlw", shift<Bits128, U32, Right>),
    entry<Bits128>("qpsrld", shift<Bits128, U64, Right>),
    entry<Bits128>("qpsrah", shift<Bits128, S16, Right>),
    entry<Bits128>("qpsraw", shift<Bits128, S32, Right>),
    entry<Bits128>("qpsrad", shift<Bits128, S64, Right>),
    entry<Bits128>("qpsrcw", shift<Bits128, U32, RotateRight>),
    entry<Bits128>("qpsrcd", shift<Bits128, U64, RotateRight>),
};

}  // namespace

std::span<const SemanticEntry> packed_shift_entries() { return kEntries; }

}  // namespace e2k::cpu
