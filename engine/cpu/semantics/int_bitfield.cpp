// Family IntBitfield: fields, extensions, bit reversal and counts (integer.md §5, §6).
#include <bit>

#include "engine/cpu/semantics/families.h"
#include "engine/cpu/semantics/int_pieces.h"

namespace e2k::cpu {
namespace {

using namespace integer;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

/// src1 selects the width of the number in src2 and whether it is unsigned.
constexpr U64 extend(U64 a, U64 b, U64) {
    const unsigned unused = (a & 3) == 0 ? 56 : (a & 3) == 1 ? 48 : 32;
    const U64 top = b << unused;
    return (a & 4) != 0 ? top >> unused
                        : static_cast<U64>(static_cast<std::int64_t>(top) >> unused);
}

/// The result stays rotated: the field's place is bit 0.
template <class U>
constexpr U64 insert_field(U64 a, U64 b, U64 c) {
    const Field<U> field(static_cast<U>(b));
    const U rotated = field.rotate(static_cast<U>(a));
    return (rotated & ~field.mask()) | (static_cast<U>(c) & field.mask());
}

template <class U>
constexpr U64 reverse_bits(U64, U64 b, U64) {
    U64 reversed = 0;
    for (unsigned i = 0; i < kWidth<U>; ++i) reversed = reversed << 1 | (b >> i & 1);
    return reversed;
}
template <class U>
constexpr U64 leading_zeros(U64, U64 b, U64) {
    return static_cast<U64>(std::countl_zero(static_cast<U>(b)));
}
template <class U>
constexpr U64 population(U64, U64 b, U64) {
    return static_cast<U64>(std::popcount(static_cast<U>(b)));
}

constexpr SemanticEntry kEntries[] = {
    {"sxt", SemKind::Int64, extend},
    {"getfs", SemKind::Int64, binary<GetfByByte, U32>, 1, 4},
    {"getfd", SemKind::Int64, binary<GetfByByte, U64>, 1, 4},
    {"getfs", SemKind::Int64, binary<GetfByField, U32>, 5, 7},
    {"getfd", SemKind::Int64, binary<GetfByField, U64>, 5, 7},
    {"getfzs", SemKind::Int64, binary<Getfz, U32>},
    {"getfzd", SemKind::Int64, binary<Getfz, U64>},
    {"insfs", SemKind::Int64, insert_field<U32>},
    {"insfd", SemKind::Int64, insert_field<U64>},
    {"bitrevs", SemKind::Int64, reverse_bits<U32>},
    {"bitrevd", SemKind::Int64, reverse_bits<U64>},
    {"lzcnts", SemKind::Int64, leading_zeros<U32>},
    {"lzcntd", SemKind::Int64, leading_zeros<U64>},
    {"popcnts", SemKind::Int64, population<U32>},
    {"popcntd", SemKind::Int64, population<U64>},
};

}  // namespace

std::span<const SemanticEntry> int_bitfield_entries() { return kEntries; }

}  // namespace e2k::cpu
