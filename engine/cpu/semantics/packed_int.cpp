// Families PackedInt64 and PackedInt128: lane-wise arithmetic and compares (packed.md §2).
#include <algorithm>
#include <array>
#include <type_traits>

#include "engine/cpu/semantics/families.h"
#include "engine/cpu/semantics/packed_shapes.h"

namespace e2k::cpu {
namespace {

using namespace packed;

// Modulo arithmetic takes unsigned lanes.
struct Add {
    template <class L>
    static constexpr L of(L a, L b) {
        return static_cast<L>(a + b);
    }
};
struct Sub {
    template <class L>
    static constexpr L of(L a, L b) {
        return static_cast<L>(a - b);
    }
};
// Saturation and rounding average are for lanes of 8 and 16 bits.
struct AddSat {
    template <class L>
    static constexpr L of(L a, L b) {
        return saturate<L>(a + b);
    }
};
struct SubSat {
    template <class L>
    static constexpr L of(L a, L b) {
        return saturate<L>(a - b);
    }
};
struct Average {
    template <class L>
    static constexpr L of(L a, L b) {
        return static_cast<L>((a + b + 1) >> 1);
    }
};
struct Min {
    template <class L>
    static constexpr L of(L a, L b) {
        return std::min(a, b);
    }
};
struct Max {
    template <class L>
    static constexpr L of(L a, L b) {
        return std::max(a, b);
    }
};
struct EqualMask {
    template <class L>
    static constexpr L of(L a, L b) {
        return static_cast<L>(a == b ? -1 : 0);
    }
};
struct GreaterMask {
    template <class L>
    static constexpr L of(L a, L b) {
        return static_cast<L>(a > b ? -1 : 0);
    }
};
/// a with the sign of b multiplied in; the most negative number stays itself.
struct Sign {
    template <class L>
    static constexpr L of(L a, L b) {
        if (b == 0) return 0;
        return b > 0 ? a : static_cast<L>(U32{0} - static_cast<U32>(a));
    }
};

template <class W>
constexpr auto kEntries = std::array{
    entry<W>("qpaddb", lanewise<W, U8, Add>),
    entry<W>("qpaddh", lanewise<W, U16, Add>),
    entry<W>("qpaddw", lanewise<W, U32, Add>),
    entry<W>("qpaddd", lanewise<W, U64, Add>),
    entry<W>("qpsubb", lanewise<W, U8, Sub>),
    entry<W>("qpsubh", lanewise<W, U16, Sub>),
    entry<W>("qpsubw", lanewise<W, U32, Sub>),
    entry<W>("qpsubd", lanewise<W, U64, Sub>),
    entry<W>("qpaddsb", lanewise<W, S8, AddSat>),
    entry<W>("qpaddsh", lanewise<W, S16, AddSat>),
    entry<W>("qpaddusb", lanewise<W, U8, AddSat>),
    entry<W>("qpaddush", lanewise<W, U16, AddSat>),
    entry<W>("qpsubsb", lanewise<W, S8, SubSat>),
    entry<W>("qpsubsh", lanewise<W, S16, SubSat>),
    entry<W>("qpsubusb", lanewise<W, U8, SubSat>),
    entry<W>("qpsubush", lanewise<W, U16, SubSat>),
    entry<W>("qpminsb", lanewise<W, S8, Min>),
    entry<W>("qpminsh", lanewise<W, S16, Min>),
    entry<W>("qpminsw", lanewise<W, S32, Min>),
    entry<W>("qpminub", lanewise<W, U8, Min>),
    entry<W>("qpminuh", lanewise<W, U16, Min>),
    entry<W>("qpminuw", lanewise<W, U32, Min>),
    entry<W>("qpmaxsb", lanewise<W, S8, Max>),
    entry<W>("qpmaxsh", lanewise<W, S16, Max>),
    entry<W>("qpmaxsw", lanewise<W, S32, Max>),
    entry<W>("qpmaxub", lanewise<W, U8, Max>),
    entry<W>("qpmaxuh", lanewise<W, U16, Max>),
    entry<W>("qpmaxuw", lanewise<W, U32, Max>),
    entry<W>("qpavgusb", lanewise<W, U8, Average>),
    entry<W>("qpavgush", lanewise<W, U16, Average>),
    entry<W>("qpcmpeqb", lanewise<W, U8, EqualMask>),
    entry<W>("qpcmpeqh", lanewise<W, U16, EqualMask>),
    entry<W>("qpcmpeqw", lanewise<W, U32, EqualMask>),
    entry<W>("qpcmpeqd", lanewise<W, U64, EqualMask>),
    entry<W>("qpcmpgtb", lanewise<W, S8, GreaterMask>),
    entry<W>("qpcmpgth", lanewise<W, S16, GreaterMask>),
    entry<W>("qpcmpgtw", lanewise<W, S32, GreaterMask>),
    entry<W>("qpcmpgtd", lanewise<W, S64, GreaterMask>),
    entry<W>("qpsignb", lanewise<W, S8, Sign>),
    entry<W>("qpsignh", lanewise<W, S16, Sign>),
    entry<W>("qpsignw", lanewise<W, S32, Sign>),
    entry<W>("qphaddh", horizontal<W, U16, Add>),
    entry<W>("qphaddw", horizontal<W, U32, Add>),
    entry<W>("qphsubh", horizontal<W, U16, Sub>),
    entry<W>("qphsubw", horizontal<W, U32, Sub>),
    entry<W>("qphaddsh", horizontal<W, S16, AddSat>),
    entry<W>("qphsubsh", horizontal<W, S16, SubSat>),
};

}  // namespace

std::span<const SemanticEntry> packed_int64_entries() { return kEntries<Bits64>; }
std::span<const SemanticEntry> packed_int128_entries() { return kEntries<Bits128>; }

}  // namespace e2k::cpu
