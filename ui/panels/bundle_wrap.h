// Breaking the cells of the bundle grid into lines that fit their columns.
#pragma once

#include <string_view>
#include <vector>

#include "ui/bundle_cells.h"

namespace e2k::ui {

/// A piece of a token on one line of a cell.
struct Piece {
    std::string_view text;
    TokenKind kind;
};
using TokenLine = std::vector<Piece>;

/// Lines of a cell `room` characters wide. The pieces point into `ops`.
std::vector<TokenLine> wrap_cell(const std::vector<OpText>& ops, float room);
/// Width a cell likes: the longest of mnemonic, operands and guards.
float natural_cells(const std::vector<OpText>& ops);

}  // namespace e2k::ui
