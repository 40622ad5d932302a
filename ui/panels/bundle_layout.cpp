#include "ui/panels/bundle_layout.h"

#include <algorithm>

#include "ui/format.h"

namespace e2k::ui {

namespace {

constexpr float kStub = 2, kGap = 2, kName = 2;
constexpr float kWidestColumn = 30;  ///< longer tokens (names of templates) make no columns
constexpr std::size_t kUsual = 92;   ///< percent of the cells that a column is made for

float token_width(const Token& token) { return static_cast<float>(columns(token.text)); }

/// Width of tokens side by side.
float group_width(const std::vector<Token>& tokens) {
    float width = -1;
    for (const Token& token : tokens) width += token_width(token) + 1;
    return std::max(0.0f, width);
}

float whole_width(const OpText& op) {
    float width = group_width(op.mnemonic);
    for (const auto* group : {&op.operands, &op.guards})
        if (!group->empty()) width += 1 + group_width(*group);
    return width;
}

/// What a column likes: the longest of mnemonic, operands and guards.
float natural_width(const OpText& op) {
    return std::max({group_width(op.mnemonic), group_width(op.operands), group_width(op.guards)});
}

float longest_token(const OpText& op) {
    float width = 0;
    for (const auto* group : {&op.mnemonic, &op.operands, &op.guards})
        for (const Token& token : *group) width = std::max(width, token_width(token));
    return width;
}

/// On one line if that fits, else mnemonic, operands and guards each on lines of their own.
/// `indent`: of the lines behind the first, characters.
std::vector<TokenLine> wrap(const OpText& op, float room, std::size_t indent) {
    std::vector<TokenLine> lines(1);
    const bool one_line = whole_width(op) <= room;
    float used = 0;
    const auto new_line = [&] {
        lines.emplace_back();
        if (indent)
            lines.back().push_back(
                {std::string_view("    ").substr(0, indent - 1), TokenKind::Plain});
        used = static_cast<float>(indent);
    };
    for (const auto* group : {&op.mnemonic, &op.operands, &op.guards}) {
        const bool begins_line = !one_line && group != &op.mnemonic && !group->empty();
        if (begins_line && used + 1 + group_width(*group) > room) new_line();
        for (const Token& token : *group) {
            const float width = token_width(token);
            const bool first = lines.back().empty() || used == static_cast<float>(indent);
            if (!first && used + 1 + width > room) new_line();
            used += (used > static_cast<float>(lines.size() > 1 ? indent : 0) ? 1 : 0) + width;
            lines.back().push_back({token.text, token.kind});
        }
    }
    return lines;
}

float width_of(const std::vector<TokenLine>& lines) {
    float most = 0;
    for (const TokenLine& line : lines) {
        float width = -1;
        for (const Piece& piece : line) width += static_cast<float>(columns(piece.text)) + 1;
        most = std::max(most, width);
    }
    return most;
}

std::vector<Chip> in_columns(const GridRow& row, const Arrangement& arrangement) {
    std::vector<Chip> chips;
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
        std::size_t line = 0;
        for (const OpText& op : row.cells[unit]) {
            Chip& chip = chips.emplace_back();
            chip.unit = unit;
            chip.last = &op == &row.cells[unit].back();
            chip.left = arrangement.left[unit];
            chip.width = arrangement.width[unit];
            chip.line = line;
            chip.lines = wrap(op, arrangement.width[unit], 0);
            line += chip.lines.size();
        }
    }
    return chips;
}

std::vector<Chip> in_flow(const GridRow& row, float room) {
    std::vector<Chip> chips;
    float x = 0;
    std::size_t line = 0, height = 1;  // of the line that chips stand in
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
        for (const OpText& op : row.cells[unit]) {
            Chip chip;
            chip.unit = unit;
            chip.last = &op == &row.cells[unit].back();
            chip.numbered = true;
            chip.width = kName + whole_width(op);
            if (x > 0 && x + chip.width > room) {
                line += height;
                x = 0;
                height = 1;
            }
            chip.lines = wrap(op, std::max(8.0f, room - kName), 2);
            chip.width = kName + width_of(chip.lines);
            chip.left = x;
            chip.line = line;
            height = std::max(height, chip.lines.size());
            x += chip.width + kGap;
            chips.push_back(std::move(chip));
        }
    }
    return chips;
}

/// Empty cycles stand behind everything else.
void place_pause(const GridRow& row, const Arrangement& arrangement, std::vector<Chip>& chips) {
    if (row.pause.empty()) return;
    Chip chip;
    chip.unit = kPauseColumn;
    chip.last = true;
    chip.width = static_cast<float>(row.pause.size());
    chip.lines = {{Piece{row.pause, TokenKind::Plain}}};
    if (arrangement.columns) {
        chip.left = arrangement.left[kPauseColumn];
    } else if (!chips.empty()) {
        const Chip& before = chips.back();
        chip.left = before.left + before.width + kGap;
        chip.line = before.line;
        if (chip.left + chip.width > arrangement.room) {
            chip.left = 0;
            chip.line = lines_of(chips);
        }
    }
    chips.push_back(std::move(chip));
}

}  // namespace

Arrangement arrange(const std::vector<GridRow>& rows, float room) {
    Arrangement out;
    out.room = room;
    float x = 0;
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
        std::vector<float> widths;
        float least = 0;
        for (const GridRow& row : rows) {
            float cell = 0;
            for (const OpText& op : row.cells[unit]) {
                cell = std::max(cell, natural_width(op));
                least = std::max(least, longest_token(op));
            }
            if (cell > 0) widths.push_back(cell);
        }
        float width = kStub;
        if (!widths.empty()) {
            const auto at =
                widths.begin() + static_cast<std::ptrdiff_t>((widths.size() - 1) * kUsual / 100);
            std::nth_element(widths.begin(), at, widths.end());
            width = std::max(*at, least);
        }
        if (width > kWidestColumn) return out;
        out.left[unit] = x;
        out.width[unit] = width;
        x += width + kGap;
    }
    std::size_t pause = 0;
    for (const GridRow& row : rows) pause = std::max(pause, row.pause.size());
    out.left[kPauseColumn] = x;
    out.width[kPauseColumn] = static_cast<float>(pause);
    out.columns = x + static_cast<float>(pause) <= room;
    return out;
}

std::vector<Chip> place_chips(const GridRow& row, const Arrangement& arrangement) {
    std::vector<Chip> chips =
        arrangement.columns ? in_columns(row, arrangement) : in_flow(row, arrangement.room);
    place_pause(row, arrangement, chips);
    return chips;
}

std::size_t lines_of(const std::vector<Chip>& chips) {
    std::size_t most = 1;
    for (const Chip& chip : chips) most = std::max(most, chip.line + chip.lines.size());
    return most;
}

std::string_view chip_name(std::size_t unit) {
    static constexpr std::array<std::string_view, kChipColumns> kNames = {"0", "1", "2", "3", "4",
                                                                          "5", "C", "P", "A", ""};
    return kNames[unit];
}

}  // namespace e2k::ui
