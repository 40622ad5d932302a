// Family Plog: every three-input truth table, bit by bit (packed.md §9).
#include <array>
#include <cstddef>
#include <utility>

#include "engine/cpu/semantics/families.h"
#include "engine/cpu/semantics/packed_shapes.h"

namespace e2k::cpu {
namespace {

using namespace packed;

/// The OR of the table's minterms; the compiler reduces it.
template <unsigned table>
constexpr U64 look_up(U64 a, U64 b, U64 c) {
    U64 d = 0;
    if constexpr ((table & 0x01) != 0) d |= ~a & ~b & ~c;
    if constexpr ((table & 0x02) != 0) d |= ~a & ~b & c;
    if constexpr ((table & 0x04) != 0) d |= ~a & b & ~c;
    if constexpr ((table & 0x08) != 0) d |= ~a & b & c;
    if constexpr ((table & 0x10) != 0) d |= a & ~b & ~c;
    if constexpr ((table & 0x20) != 0) d |= a & ~b & c;
    if constexpr ((table & 0x40) != 0) d |= a & b & ~c;
    if constexpr ((table & 0x80) != 0) d |= a & b & c;
    return d;
}

template <class W, unsigned table>
constexpr typename W::Word truth_table(typename W::Word a, typename W::Word b, typename W::Word c) {
    const auto x = W::template load<U64>(a), y = W::template load<U64>(b),
               z = W::template load<U64>(c);
    typename W::template Lanes<U64> d{};
    for (std::size_t i = 0; i < d.size(); ++i) d[i] = look_up<table>(x[i], y[i], z[i]);
    return W::template store<U64>(d);
}

template <class W, unsigned... tables>
constexpr std::array<typename W::Fn, 256> functions(std::integer_sequence<unsigned, tables...>) {
    return {truth_table<W, tables>...};
}
template <class W>
constexpr auto kTables = functions<W>(std::make_integer_sequence<unsigned, 256>{});

}  // namespace

/// Spread over the opcode: bit 7 is ALES bit 8 (syllables.md §2.2).
std::uint8_t plog_table(const isa::Operation& row) {
    return static_cast<std::uint8_t>((row.opcode2 & 1) << 7 | (row.opcode & 0x7f));
}

Fn64 plog(std::uint8_t table) { return kTables<Bits64>[table]; }
Fn128 qplog(std::uint8_t table) { return kTables<Bits128>[table]; }

}  // namespace e2k::cpu
