#include "ui/panels/bundles.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <imgui_internal.h>

#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/panels/go_to.h"

namespace e2k::ui {

namespace {

using machine::CommandSink;

/// Columns: address, six lanes, control, predicates, AAU with literals, nop.
constexpr int kColumns = 11, kFirstUnit = 1, kControlColumn = 7, kAauColumn = 9, kNopColumn = 10;
constexpr float kMinCells = 5, kMaxCells = 30;

/// A piece of a token on one line of a cell.
struct Piece {
    std::string_view text;
    TokenKind kind;
};
using TokenLine = std::vector<Piece>;

/// Bytes of the first `count` characters.
std::size_t prefix_bytes(std::string_view text, std::size_t count) {
    std::size_t at = 0;
    for (; at < text.size() && count > 0; --count) {
        ++at;
        while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
    }
    return at;
}

float token_cells(const Token& token) { return static_cast<float>(columns(token.text)); }

/// Breaks one operation into lines of at most `room` characters: the whole on one line if it fits,
/// else the mnemonic alone, then operands, then guards.
void wrap(const OpText& op, float room, std::vector<TokenLine>& lines) {
    float total = -1;
    for (const auto* group : {&op.mnemonic, &op.operands, &op.guards}) {
        for (const Token& token : *group) total += token_cells(token) + 1;
    }
    lines.emplace_back();
    float used = 0;
    const auto put = [&](const Token& token) {
        const float width = token_cells(token);
        if (!lines.back().empty() && used + 1 + width > room) {
            lines.emplace_back();
            used = 0;
        }
        used += (lines.back().empty() ? 0 : 1) + width;
        std::string_view text = token.text;
        // A token longer than the cell continues on the next line rather than being cut.
        while (room >= 4 && static_cast<float>(columns(text)) > room) {
            const std::size_t end = prefix_bytes(text, static_cast<std::size_t>(room));
            lines.back().push_back({text.substr(0, end), token.kind});
            text.remove_prefix(end);
            lines.emplace_back();
            used = static_cast<float>(columns(text));
        }
        lines.back().push_back({text, token.kind});
    };
    const bool one_line = total <= room;
    for (const auto* group : {&op.mnemonic, &op.operands, &op.guards}) {
        if (!one_line && !lines.back().empty() && !group->empty()) {
            lines.emplace_back();
            used = 0;
        }
        for (const Token& token : *group) put(token);
    }
}

std::vector<TokenLine> wrap_cell(const std::vector<OpText>& ops, float room) {
    std::vector<TokenLine> lines;
    for (const OpText& op : ops) wrap(op, room, lines);
    return lines;
}

/// Width a cell likes: the longest of mnemonic, operands and guards.
float natural_cells(const std::vector<OpText>& ops) {
    float most = 0;
    for (const OpText& op : ops) {
        for (const auto* group : {&op.mnemonic, &op.operands, &op.guards}) {
            float line = -1;
            for (const Token& token : *group) line += token_cells(token) + 1;
            most = std::max(most, line);
        }
    }
    return most;
}

ImU32 token_colour(const Theme& theme, TokenKind kind) {
    switch (kind) {
        case TokenKind::Mnemonic:
            return theme.text;
        case TokenKind::Register:
            return theme.text;
        case TokenKind::Literal:
            return theme.literal;
        case TokenKind::Predicate:
            return theme.predicate_text;
        case TokenKind::Address:
            return theme.address;
        case TokenKind::Plain:
            return theme.dim;
        case TokenKind::Bad:
            return theme.error;
    }
    return theme.text;
}

ImU32 unit_colour(const Theme& theme, std::size_t unit) {
    if (unit < theme.lane.size()) return theme.lane[unit];
    return unit == 6 ? theme.control : unit == 7 ? theme.predicate : theme.aau;
}

// --- layout ---

void measure_columns(BundlesState& state) {
    state.wanted.fill(kMinCells);
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
        std::vector<float> widths;
        for (const GridRow& row : state.rows) {
            if (!row.cells[unit].empty()) widths.push_back(natural_cells(row.cells[unit]));
        }
        if (widths.empty()) continue;
        const std::size_t at = widths.size() * 85 / 100;
        std::nth_element(widths.begin(), widths.begin() + static_cast<std::ptrdiff_t>(at),
                         widths.end());
        // Lanes that work in few bundles get less than they would like.
        const float occupancy =
            static_cast<float>(widths.size()) / static_cast<float>(state.rows.size());
        state.wanted[kFirstUnit + unit] =
            std::clamp((widths[at] + 1) * (0.6f + 0.4f * occupancy), kMinCells + 1, kMaxCells);
    }
    // Addresses, literal words and nop counts never wrap: fixed widths.
    std::size_t digits = 7;
    for (const GridRow& row : state.rows) digits = std::max(digits, hex(row.address).size());
    state.wanted[0] = static_cast<float>(digits);
    state.wanted[kNopColumn] = 3;
    state.wanted[kControlColumn] = 11;  // "? ~LOOP_END"
    const bool literals = std::any_of(state.rows.begin(), state.rows.end(),
                                      [](const GridRow& row) { return !row.literals.empty(); });
    if (literals) state.wanted[kAauColumn] = std::max(state.wanted[kAauColumn], 8.0f);
}

/// Left of the address: the current bar and the breakpoint dot.
float gutter_width(const Theme& theme) { return theme.px(14) + theme.font_px() * 0.7f; }

bool is_fixed(int column) {
    return column == 0 || column == kControlColumn || column == kAauColumn || column == kNopColumn;
}

float label_height(const Theme& theme) { return theme.row() + theme.px(3); }

std::size_t line_count(const BundlesState& state, const GridRow& row,
                       const machine::CodeView::Row& source, const Theme& theme) {
    if (!row.error.empty()) return 1;
    if (state.view == BundlesState::View::Text) return std::max<std::size_t>(1, source.text.size());
    if (state.view == BundlesState::View::Raw) return (source.bundle.length / 4u + 3) / 4;
    std::size_t most = 1;
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
        const float room = std::floor(state.widths[kFirstUnit + unit] / theme.cell());
        std::size_t lines = wrap_cell(row.cells[unit], room).size();
        if (unit == 8) lines += row.literals.size();
        most = std::max(most, lines);
    }
    return most;
}

void lay_out(const Scene& scene, BundlesState& state) {
    const Theme& theme = scene.theme;
    state.tops.assign(1, 0);
    float y = 0;
    for (std::size_t i = 0; i < state.rows.size(); ++i) {
        if (!state.rows[i].label.empty()) y += label_height(theme);
        y += static_cast<float>(line_count(state, state.rows[i], state.code->rows[i], theme)) *
                 theme.row() +
             theme.px(4);
        state.tops.push_back(y);
    }
    state.laid_out = state.view;
    state.laid_out_font = theme.font_px();
}

/// Takes over new code; true if rows were rebuilt.
bool refresh(const Scene& scene, BundlesState& state) {
    if (!scene.now.code || state.code == scene.now.code) return false;
    state.code = scene.now.code;
    state.rows = grid_rows(*state.code, scene.symbols());
    measure_columns(state);
    state.fit_columns = true;
    state.tops.clear();
    return true;
}

int row_index(const BundlesState& state, std::uint64_t address) {
    const auto at =
        std::lower_bound(state.rows.begin(), state.rows.end(), address,
                         [](const GridRow& row, std::uint64_t a) { return row.address < a; });
    if (at == state.rows.end() || at->address != address) return -1;
    return static_cast<int>(at - state.rows.begin());
}

// --- drawing of one row ---

struct RowPlace {
    float top, bottom;  ///< without the label line
    float left, right;  ///< whole table
};

void draw_cell_tokens(Ink& ink, const std::vector<TokenLine>& lines, ImVec2 at, const Theme& theme,
                      bool off) {
    for (const TokenLine& line : lines) {
        float x = at.x;
        for (const Piece& token : line) {
            const ImU32 colour = off ? theme.dim : token_colour(theme, token.kind);
            const Weight weight = token.kind == TokenKind::Mnemonic ? Weight::Bold : Weight::Mono;
            const float begin = x;
            x = ink.text({x, at.y}, colour, token.text, weight);
            if (off) {
                const float y = std::round(at.y + theme.font_px() * 0.58f);
                ink.line({begin, y}, {x, y}, theme.dim);
            }
            x = ink.text({x, at.y}, colour, " ");
        }
        at.y += theme.row();
    }
}

/// A guard that is false now: the operation of the current bundle has no effect.
bool predicated_off(const Scene& scene, const isa::Bundle& bundle, std::size_t unit) {
    if (unit >= isa::kChannels || bundle.address != scene.now.ip || scene.running()) return false;
    for (const isa::PredicateRef& guard : bundle.als[unit].guards.span()) {
        if (guard.kind != isa::PredicateRef::Kind::Pred) continue;
        const bool value = scene.now.predicates[guard.index & 31] & cpu::kPredValue;
        if (value == guard.negated) return true;
    }
    return false;
}

void draw_unit_cell(const Scene& scene, const BundlesState& state, Ink& ink, std::size_t index,
                    std::size_t unit, const RowPlace& place) {
    const Theme& theme = scene.theme;
    const GridRow& row = state.rows[index];
    const auto& ops = row.cells[unit];
    const bool literals = unit == 8 && !row.literals.empty();
    if (ops.empty() && !literals) return;
    const float left = ImGui::GetCursorScreenPos().x;
    const float room = std::floor(state.widths[kFirstUnit + unit] / theme.cell());
    if (!ops.empty()) {
        ink.fill({left - theme.px(4), place.top + theme.px(2)},
                 {left - theme.px(1), place.bottom - theme.px(2)}, unit_colour(theme, unit),
                 theme.px(1));
    }
    ImVec2 at{left + theme.px(2), place.top + theme.px(2)};
    const auto lines = wrap_cell(ops, room);
    const isa::Bundle& bundle = state.code->rows[index].bundle;
    draw_cell_tokens(ink, lines, at, theme, predicated_off(scene, bundle, unit));
    at.y += static_cast<float>(lines.size()) * theme.row();
    if (literals) {
        for (const std::string& literal : row.literals) {
            ink.text(at, theme.dim, literal + " ");
            at.y += theme.row();
        }
    }
    ink.end_cell();
    const float right = left + state.widths[kFirstUnit + unit];
    if (!ImGui::IsWindowHovered() ||
        !ImGui::IsMouseHoveringRect({left - theme.px(4), place.top}, {right, place.bottom}))
        return;
    if (unit < isa::kChannels) {
        tool_tip(theme, explain_operation(scene, bundle, static_cast<int>(unit)));
    } else {
        tool_tip(theme, explain_bundle(scene, state.code->rows[index]));
    }
}

void draw_grid_cells(const Scene& scene, const BundlesState& state, Ink& ink, std::size_t index,
                     const RowPlace& place) {
    const Theme& theme = scene.theme;
    const GridRow& row = state.rows[index];
    if (!row.error.empty()) {
        ImGui::TableSetColumnIndex(kFirstUnit);
        const ImVec2 at{ImGui::GetCursorScreenPos().x, place.top + theme.px(2)};
        ImGui::PushClipRect({at.x, place.top}, {place.right, place.bottom}, false);
        const float x = ink.error_sign(at, theme.error);
        ink.text({x, at.y}, theme.error, row.error);
        ImGui::PopClipRect();
        return;
    }
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
        if (ImGui::TableSetColumnIndex(static_cast<int>(kFirstUnit + unit)))
            draw_unit_cell(scene, state, ink, index, unit, place);
    }
    if ((row.nop || row.loop_mode) && ImGui::TableSetColumnIndex(kNopColumn)) {
        const ImVec2 at{ImGui::GetCursorScreenPos().x, place.top + theme.px(2)};
        std::string text = row.nop ? std::to_string(row.nop) : "";
        if (row.loop_mode) text += "L";
        ink.text(at, theme.dim, text);
        ink.end_cell();
        if (ImGui::IsMouseHoveringRect({at.x, place.top}, {at.x + theme.px(30), place.bottom}))
            tool_tip(
                theme,
                fmt::format("{}{}", row.nop ? fmt::format("{} empty cycles follow. ", row.nop) : "",
                            row.loop_mode ? "Loop mode: stores are masked in prologue "
                                            "and last iteration."
                                          : ""));
    }
}

void draw_text_lines(const Scene& scene, const BundlesState& state, Ink& ink, std::size_t index,
                     const RowPlace& place) {
    const Theme& theme = scene.theme;
    const auto& source = state.code->rows[index];
    ImGui::TableSetColumnIndex(kFirstUnit);
    ImVec2 at{ImGui::GetCursorScreenPos().x, place.top + theme.px(2)};
    ImGui::PushClipRect({at.x - theme.px(4), place.top}, {place.right, place.bottom}, false);
    if (!source.valid) {
        const float x = ink.error_sign(at, theme.error);
        ink.text({x, at.y}, theme.error, source.error);
    } else if (state.view == BundlesState::View::Text) {
        for (const std::string& line : source.text) {
            ink.text(at, theme.text, line);
            ink.end_cell();
            at.y += theme.row();
        }
    } else {
        const auto names = syllable_names(source.bundle);
        for (std::size_t i = 0; i < names.size(); ++i) {
            const ImVec2 cell{at.x + static_cast<float>(i % 4) * theme.cell() * 23,
                              at.y + static_cast<float>(i / 4) * theme.row()};
            const float x = ink.text(cell, theme.dim, fmt::format("{:<12} ", names[i]));
            ink.text({x, cell.y}, theme.text, fmt::format("{:08x} ", source.bundle.words[i]));
        }
        ink.end_cell();
    }
    ImGui::PopClipRect();
}

void draw_gutter(const Scene& scene, const GridRow& row, Ink& ink, const RowPlace& place,
                 CommandSink& sink) {
    const Theme& theme = scene.theme;
    const float middle = place.top + theme.px(2) + theme.font_px() * 0.58f;
    const float radius = theme.font_px() * 0.34f;
    const ImVec2 centre{place.left + theme.px(7) + radius, middle};
    const bool on = has_breakpoint(scene.now, row.address);
    const bool hovered =
        ImGui::IsWindowHovered() &&
        ImGui::IsMouseHoveringRect({place.left, place.top},
                                   {centre.x + radius + theme.px(4), place.bottom});
    if (on) {
        ink.dot(centre, radius, theme.breakpoint);
    } else if (hovered) {
        ink.dot(centre, radius, theme.breakpoint, false);
    }
    if (hovered) {
        tool_tip(theme, on ? "Remove the breakpoint (F9)" : "Break before this bundle (F9)");
        if (ImGui::IsMouseClicked(ImGuiMouseButton_Left))
            sink.send(machine::SetBreakpoint{row.address, !on});
    }
    if (row.address == scene.now.ip) {
        ink.fill({place.left, place.top}, {place.left + theme.px(4), place.bottom}, theme.current);
    }
}

/// Selection, double click and context menu of a row; draws its background.
void row_interaction(const Scene& scene, BundlesState& state, std::size_t index,
                     const RowPlace& place, CommandSink& sink) {
    const GridRow& row = state.rows[index];
    const Theme& theme = scene.theme;
    ImGui::PushID(static_cast<int>(index));
    ImGui::PushStyleColor(ImGuiCol_Header, 0);
    ImGui::PushStyleColor(ImGuiCol_HeaderHovered, 0);
    ImGui::PushStyleColor(ImGuiCol_HeaderActive, 0);
    ImGui::SetCursorScreenPos({ImGui::GetCursorScreenPos().x, place.top});
    if (ImGui::Selectable("##row", false,
                          ImGuiSelectableFlags_SpanAllColumns |
                              ImGuiSelectableFlags_AllowDoubleClick |
                              ImGuiSelectableFlags_AllowItemOverlap,
                          {0, place.bottom - place.top - ImGui::GetStyle().ItemSpacing.y / 2})) {
        scene.selection.bundle = row.address;
        if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left) && row.target)
            scene.selection.go_to = row.target;
    }
    if (ImGui::IsItemHovered()) scene.selection.hover_bundle = row.address;
    ImGui::PopStyleColor(3);
    if (ImGui::BeginPopupContextItem("menu")) {
        if (row.target && ImGui::MenuItem("Go to branch target"))
            scene.selection.go_to = row.target;
        bundle_menu(scene, row.address, sink);
        ImGui::EndPopup();
    }
    ImGui::PopID();
    ImU32 background = index % 2 ? theme.stripe : theme.panel;
    if (row.address == scene.now.ip) background = mix(background, theme.current, 0.13f);
    if (scene.selection.hover_bundle == row.address)
        background = mix(background, theme.hover, 0.12f);
    ImGui::TableSetBgColor(ImGuiTableBgTarget_RowBg0, background);
}

void draw_row(const Scene& scene, BundlesState& state, std::size_t index, float table_left,
              float table_right, CommandSink& sink) {
    const Theme& theme = scene.theme;
    const GridRow& row = state.rows[index];
    ImGui::TableNextRow(0, state.tops[index + 1] - state.tops[index]);
    ImGui::TableSetColumnIndex(0);
    Ink ink(scene);
    RowPlace place{};
    place.top = ImGui::GetCursorScreenPos().y - ImGui::GetStyle().CellPadding.y;
    place.bottom = place.top + state.tops[index + 1] - state.tops[index];
    place.left = table_left;
    place.right = table_right;
    if (!row.label.empty()) {
        ImGui::PushClipRect({place.left, place.top}, {place.right, place.bottom}, false);
        ink.fill({place.left, place.top}, {place.right, place.top + label_height(theme)},
                 theme.header);
        ink.text({place.left + theme.px(8), place.top + theme.px(3)}, theme.text,
                 "<" + row.label + ">", Weight::Bold);
        ink.end_row();
        ImGui::PopClipRect();
        place.top += label_height(theme);
    }
    row_interaction(scene, state, index, place, sink);
    ImGui::PushClipRect({place.left, place.top}, {place.right, place.bottom}, true);
    draw_gutter(scene, row, ink, place, sink);
    ImGui::PopClipRect();
    const bool current = row.address == scene.now.ip;
    if (scene.capture) {
        scene.capture->text += current ? "▶ " : "  ";
        scene.capture->text += has_breakpoint(scene.now, row.address) ? "● " : "  ";
    }
    const float x = place.left + gutter_width(theme);
    ink.text({x, place.top + theme.px(2)}, current ? theme.changed : theme.dim, hex(row.address),
             current ? Weight::Bold : Weight::Mono);
    ink.end_cell();
    if (state.view == BundlesState::View::Grid) {
        draw_grid_cells(scene, state, ink, index, place);
    } else {
        draw_text_lines(scene, state, ink, index, place);
    }
    ink.end_row();
    if (scene.selection.bundle == row.address) {
        ImGui::PushClipRect({place.left, place.top}, {place.right, place.bottom}, false);
        ink.frame({place.left + 1, place.top}, {place.right - 1, place.bottom - 1}, theme.selection,
                  theme.px(2), theme.px(1.5f));
        ImGui::PopClipRect();
    }
}

// --- the table ---

/// Hands the natural widths to the table; what the user dragged is kept until other code shows.
void fit_columns(BundlesState& state, const Theme& theme) {
    ImGuiTable* table = ImGui::GetCurrentContext()->CurrentTable;
    if (!table || table->ColumnsCount != kColumns) return;
    for (int i = 0; i < kColumns; ++i) {
        const float width = state.wanted[static_cast<std::size_t>(i)] * theme.cell() + theme.px(4);
        if (is_fixed(i)) {
            table->Columns[i].WidthRequest = width + (i == 0 ? gutter_width(theme) : 0);
        } else {
            table->Columns[i].StretchWeight = width + theme.px(10);
        }
    }
    state.fit_columns = false;
}

void set_up_columns(const BundlesState& state) {
    static constexpr const char* kNames[kColumns] = {"Address", "ALC0",      "ALC1", "ALC2",
                                                     "ALC3",    "ALC4",      "ALC5", "Control",
                                                     "PLU",     "AAU · lit", "nop"};
    ImGui::TableSetupScrollFreeze(0, 1);
    for (int i = 0; i < kColumns; ++i)
        ImGui::TableSetupColumn(
            kNames[i],
            is_fixed(i) ? ImGuiTableColumnFlags_WidthFixed : ImGuiTableColumnFlags_WidthStretch,
            state.wanted[static_cast<std::size_t>(i)] * 8);
}

void draw_header(const Scene& scene, const BundlesState& state) {
    const Theme& theme = scene.theme;
    ImGui::TableNextRow(ImGuiTableRowFlags_Headers, theme.row() + theme.px(4));
    for (int i = 0; i < kColumns; ++i) {
        if (!ImGui::TableSetColumnIndex(i)) continue;
        const bool grid = state.view == BundlesState::View::Grid;
        const char* name = ImGui::TableGetColumnName(i);
        if (!grid && i > 1) name = "";
        if (!grid && i == 1) name = state.view == BundlesState::View::Text ? "Text" : "Words";
        ImGui::PushStyleColor(ImGuiCol_Text, theme.dim);
        ImGui::PushID(i);
        ImGui::TableHeader(name);
        ImGui::PopID();
        ImGui::PopStyleColor();
    }
}

void scroll_if_needed(const Scene& scene, BundlesState& state) {
    if (!state.scroll_to) return;
    const int index = row_index(state, state.scroll_to);
    if (index < 0) return;
    const auto i = static_cast<std::size_t>(index);
    const float header = scene.theme.row() + scene.theme.px(8);
    const float top = state.tops[i], bottom = state.tops[i + 1];
    const float view = ImGui::GetScrollY(), height = ImGui::GetWindowHeight() - header;
    const bool visible = top >= view && bottom + scene.theme.row() * 2 <= view + height;
    if (!visible) ImGui::SetScrollY(std::max(0.0f, top - height * 0.3f));
    if (--state.scroll_frames <= 0) state.scroll_to = 0;
}

void draw_table(const Scene& scene, BundlesState& state, CommandSink& sink) {
    constexpr ImGuiTableFlags kFlags =
        ImGuiTableFlags_ScrollY | ImGuiTableFlags_Resizable | ImGuiTableFlags_BordersInnerV |
        ImGuiTableFlags_NoSavedSettings | ImGuiTableFlags_NoPadOuterX;
    ImGui::PushStyleVar(ImGuiStyleVar_CellPadding,
                        {scene.theme.px(3), ImGui::GetStyle().CellPadding.y});
    const bool open = ImGui::BeginTable("grid", kColumns, kFlags);
    ImGui::PopStyleVar();
    if (!open) return;
    set_up_columns(state);
    if (state.fit_columns) fit_columns(state, scene.theme);
    draw_header(scene, state);

    const ImGuiTable* table = ImGui::GetCurrentContext()->CurrentTable;
    bool moved = state.tops.size() != state.rows.size() + 1 || state.laid_out != state.view ||
                 state.laid_out_font != scene.theme.font_px();
    for (int i = 0; i < kColumns; ++i) {
        const float width = table->Columns[i].WorkMaxX - table->Columns[i].WorkMinX;
        float& known = state.widths[static_cast<std::size_t>(i)];
        if (std::abs(known - width) > 0.5f) {
            known = width;
            moved = true;
        }
    }
    if (moved) lay_out(scene, state);
    scroll_if_needed(scene, state);

    // Rows have different heights, so the list is clipped by the sums of heights.
    const float view = ImGui::GetScrollY(), end = view + ImGui::GetWindowHeight();
    const auto first_at = std::upper_bound(state.tops.begin(), state.tops.end(), view);
    std::size_t first = first_at == state.tops.begin()
                            ? 0
                            : static_cast<std::size_t>(first_at - state.tops.begin()) - 1;
    first = std::min(first, state.rows.empty() ? 0 : state.rows.size() - 1);
    const float left = table->InnerClipRect.Min.x, right = table->InnerClipRect.Max.x;
    if (first > 0) ImGui::TableNextRow(0, state.tops[first]);
    std::size_t i = first;
    for (; i < state.rows.size() && state.tops[i] < end; ++i)
        draw_row(scene, state, i, left, right, sink);
    if (i < state.rows.size()) ImGui::TableNextRow(0, state.tops.back() - state.tops[i]);
    ImGui::EndTable();
}

void draw_tools(const Scene& scene, BundlesState& state) {
    const auto view = [&](const char* label, BundlesState::View which, const char* help) {
        const bool on = state.view == which;
        if (on) ImGui::PushStyleColor(ImGuiCol_Button, ImGui::GetStyleColorVec4(ImGuiCol_Header));
        if (ImGui::SmallButton(label)) {
            state.view = which;
            state.scroll_to = scene.cursor();
            state.scroll_frames = 2;
        }
        if (on) ImGui::PopStyleColor();
        if (ImGui::IsItemHovered()) tool_tip(scene.theme, help);
        ImGui::SameLine(0, 2);
    };
    view("Grid", BundlesState::View::Grid, "One column a unit");
    view("Text", BundlesState::View::Text, "The disassembler's lines");
    view("Raw", BundlesState::View::Raw, "The syllables, in memory order");
    ImGui::SameLine(0, 12);
    if (ImGui::SmallButton("Go to…")) state.open_go_to = true;
    if (ImGui::IsItemHovered()) tool_tip(scene.theme, "Show an address or a symbol (Ctrl+G)");
    ImGui::SameLine(0, 2);
    if (ImGui::SmallButton("Current")) {
        scene.selection.bundle = 0;
        scene.selection.go_to = scene.now.ip;
    }
    if (ImGui::IsItemHovered()) tool_tip(scene.theme, "Back to the current bundle (Alt+Home)");
    ImGui::SameLine(0, 12);
    const std::string where = place(scene.symbols(), scene.cursor());
    Ink ink(scene);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float room = ImGui::GetContentRegionAvail().x - scene.theme.px(4);
    // Not part of the rows, so not captured.
    const Scene quiet{scene.now, scene.changes, scene.logs, scene.theme, scene.selection};
    if (room > scene.theme.px(60)) Ink(quiet).text_fit({at.x, at.y}, room, scene.theme.dim, where);
    ImGui::NewLine();
}

}  // namespace

std::uint64_t resolve_place(std::string_view text, const guest::SymbolTable* symbols) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    if (text.empty()) return 0;
    std::string_view name = text;
    std::uint64_t offset = 0;
    const auto number = [](std::string_view digits, std::uint64_t& value) {
        if (digits.starts_with("0x")) digits.remove_prefix(2);
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        return error == std::errc() && end == digits.data() + digits.size() && !digits.empty();
    };
    if (const std::size_t plus = text.find('+'); plus != std::string_view::npos) {
        name = text.substr(0, plus);
        if (!number(text.substr(plus + 1), offset)) return 0;
    }
    if (symbols) {
        if (const guest::Symbol* symbol = symbols->by_name(name)) return symbol->address + offset;
    }
    std::uint64_t value = 0;
    return number(name, value) ? value + offset : 0;
}

void draw_bundles(const Scene& scene, BundlesState& state, CommandSink& sink) {
    refresh(scene, state);
    if (scene.selection.go_to) {
        state.scroll_to = scene.selection.go_to;
        state.scroll_frames = 3;
        if (scene.selection.go_to != scene.now.ip) scene.selection.bundle = scene.selection.go_to;
        if (row_index(state, state.scroll_to) < 0 && state.asked_code != state.scroll_to) {
            sink.send(machine::ShowCode{state.scroll_to});
            state.asked_code = state.scroll_to;
        }
        scene.selection.go_to = 0;
    }
    if (!scene.now.live && scene.now.ip != state.last_ip) {
        state.last_ip = scene.now.ip;
        state.asked_code = 0;
        if (state.follow) {
            state.scroll_to = scene.now.ip;
            state.scroll_frames = 3;
        }
    }
    draw_tools(scene, state);
    draw_go_to(scene, state);
    if (state.rows.empty()) {
        empty_state(scene, "No code to show yet",
                    "The bundles around the current address appear when the program stops.");
        return;
    }
    draw_table(scene, state, sink);
}

std::string bundles_text(const Scene& scene, const BundlesState& state) {
    std::string out;
    if (!scene.now.code) return out;
    for (const auto& source : scene.now.code->rows) {
        const GridRow row = grid_row(source, scene.symbols());
        if (!row.label.empty()) out += "<" + row.label + ">\n";
        out += row.address == scene.now.ip ? "▶ " : "  ";
        out += has_breakpoint(scene.now, row.address) ? "● " : "  ";
        out += hex(row.address) + " | ";
        if (!row.error.empty()) {
            out += "! " + row.error + "\n";
            continue;
        }
        if (state.view == BundlesState::View::Text) {
            for (const std::string& line : source.text) out += line + " | ";
        } else if (state.view == BundlesState::View::Raw) {
            const auto names = syllable_names(source.bundle);
            for (std::size_t i = 0; i < names.size(); ++i)
                out += fmt::format("{:<12} {:08x} ", names[i], source.bundle.words[i]);
            out += " | ";
        } else {
            for (std::size_t unit = 0; unit < kUnits; ++unit) {
                std::string cell;
                for (const OpText& op : row.cells[unit]) cell += op.joined() + " ";
                if (unit == 8) {
                    for (const std::string& literal : row.literals) cell += literal + " ";
                }
                if (!cell.empty()) out += cell + " | ";
            }
            if (row.nop || row.loop_mode)
                out += fmt::format("{}{} | ", row.nop ? std::to_string(row.nop) : "",
                                   row.loop_mode ? "L" : "");
        }
        out += "\n";
    }
    return out;
}

}  // namespace e2k::ui
