// Operation table: Three-input truth tables.
// Columns: operation.h, `Operation`.
#include <array>
#include <string_view>

#include "engine/isa/table/rows.h"

namespace e2k::isa::table {
namespace {

using F = Format;
using W = Width;

constexpr unsigned kTables = 256;
constexpr std::string_view kAnyTable = "bit-wise three-input truth table";

/// Tables that have a name of their own.
struct NamedTable {
    std::string_view suffix;
    unsigned table;
    std::string_view formula;
};
constexpr NamedTable kNamed[] = {
    {"and", 0x80, "d = a & b & c"}, {"mjr", 0xe8, "d = majority(a,b,c)"},
    {"or", 0xfe, "d = a | b | c"},  {"sel3", 0xd8, "d = (c & b) | (~c & a)  [table 0xd8]"},
    {"xor", 0x96, "d = a ^ b ^ c"},
};

/// Mnemonics of one operation: the table in hexadecimal (canonical), in decimal, by its name.
struct Names {
    static constexpr std::size_t kLongest = sizeof "qplog_0x00";
    using Text = std::array<char, kLongest>;
    std::array<Text, kTables> hexadecimal{}, decimal{};
    std::array<Text, std::size(kNamed)> named{};
};

constexpr void write(Names::Text& to, std::string_view prefix, std::string_view rest) {
    std::size_t n = 0;
    for (const char c : prefix) to[n++] = c;
    for (const char c : rest) to[n++] = c;
}

constexpr Names names_of(std::string_view prefix) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    Names names;
    for (unsigned t = 0; t < kTables; ++t) {
        const char hex[] = {'0', 'x', kDigits[t / 16], kDigits[t % 16]};
        write(names.hexadecimal[t], prefix, {hex, sizeof hex});
        const char decimal[] = {kDigits[t / 100], kDigits[t / 10 % 10], kDigits[t % 10]};
        const std::size_t zeros = t < 10 ? 2 : t < 100 ? 1 : 0;
        write(names.decimal[t], prefix, std::string_view(decimal, sizeof decimal).substr(zeros));
    }
    for (std::size_t i = 0; i < std::size(kNamed); ++i)
        write(names.named[i], prefix, kNamed[i].suffix);
    return names;
}
constexpr Names kScalarNames = names_of("plog_"), kQuadNames = names_of("qplog_");

/// The table's upper bit is the lowest one of the second opcode, its others are the first
/// (packed.md §9).
constexpr Operation row(const Names::Text& name, unsigned table, bool quad, std::uint16_t flags,
                        std::string_view formula) {
    const W w = quad ? W::P : W::D;
    const std::uint8_t second = static_cast<std::uint8_t>((quad ? 0x12 : 0x10) | table >> 7);
    flags |= OpFlag::Ambiguous | OpFlag::UserMode;
    if (quad) flags |= bit(OpFlag::Src3Literal);
    return {.mnemonic = name.data(),
            .format = F::Alopf21,
            .family = Family::Plog,
            .channels = 0b011011,
            .opcode = static_cast<std::uint8_t>(table & 0x7f),
            .opcode2 = second,
            .opce1 = -1,
            .opce2 = -1,
            .cmpopce = -1,
            .iset_min = 5,
            .iset_max = 7,
            .src1 = w,
            .src2 = w,
            .src3 = w,
            .src4 = W::None,
            .dst = w,
            .print_sizes = "dddd",
            .pair = Pair::None,
            .flags = flags,
            .latency = 0,
            .summary = formula};
}

constexpr std::size_t kRowsOfOne = 2 * kTables + std::size(kNamed);

constexpr std::array<Operation, 2 * kRowsOfOne> make_rows() {
    std::array<Operation, 2 * kRowsOfOne> rows{};
    std::size_t n = 0;
    for (const bool quad : {false, true}) {
        const Names& names = quad ? kQuadNames : kScalarNames;
        for (unsigned t = 0; t < kTables; ++t) {
            rows[n++] = row(names.hexadecimal[t], t, quad, 0, kAnyTable);
            rows[n++] = row(names.decimal[t], t, quad, bit(OpFlag::Alias), kAnyTable);
        }
        for (std::size_t i = 0; i < std::size(kNamed); ++i)
            rows[n++] =
                row(names.named[i], kNamed[i].table, quad, bit(OpFlag::Alias), kNamed[i].formula);
    }
    return rows;
}

constexpr auto kRows = make_rows();

}  // namespace

std::span<const Operation> plog_rows() { return kRows; }

}  // namespace e2k::isa::table
