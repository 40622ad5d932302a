// Where the operations of a bundle stand: in a column for each unit where the panel is wide enough,
// else one after the other, wrapped as wholes. A token is never broken. Measured in characters.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "ui/bundle_cells.h"

namespace e2k::ui {

/// The units, and behind them the empty cycles.
inline constexpr std::size_t kPauseColumn = kUnits, kChipColumns = kUnits + 1;

/// How a table is laid out.
struct Arrangement {
    bool columns = false;
    float room = 0;                                   ///< characters
    std::array<float, kChipColumns> left{}, width{};  ///< of the columns
    bool operator==(const Arrangement&) const = default;
};

/// A token on one line of a chip, or a part of a row in another view.
struct Piece {
    std::string_view text;
    TokenKind kind;
};
using TokenLine = std::vector<Piece>;

/// One operation, placed.
struct Chip {
    std::size_t unit = 0;  ///< kPauseColumn: empty cycles
    bool last = false;     ///< of its unit
    float left = 0, width = 0;
    std::size_t line = 0;          ///< of the row, its first
    std::vector<TokenLine> lines;  ///< pieces point into the GridRow, or at `own`
    bool numbered = false;         ///< its unit is named in front
};

/// The arrangement for rows in `room` characters. Columns take what nearly all of their cells need
/// and an empty lane two characters; if they do not fit there are none.
Arrangement arrange(const std::vector<GridRow>& rows, float room);
/// The chips of a row, in order of the units.
std::vector<Chip> place_chips(const GridRow& row, const Arrangement& arrangement);
/// Lines that they take, at least one.
std::size_t lines_of(const std::vector<Chip>& chips);
/// "0" for ALC0, "C", "P", "A"; "" for empty cycles.
std::string_view chip_name(std::size_t unit);

}  // namespace e2k::ui
