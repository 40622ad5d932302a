#include "ui/panels/bundle_row.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/panels/bundle_wrap.h"

namespace e2k::ui {

namespace {

using machine::CommandSink;

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

}  // namespace

float gutter_width(const Theme& theme, int depth) {
    const float arrows = depth > 0 ? theme.px(6) * static_cast<float>(depth + 1) : 0;
    return theme.px(14) + theme.font_px() * 0.7f + arrows;
}

float label_height(const Theme& theme) { return theme.row() + theme.px(3); }

void draw_bundle_row(const Scene& scene, BundlesState& state, std::size_t index, float table_left,
                     float table_right, CommandSink& sink) {
    const Theme& theme = scene.theme;
    const GridRow& row = state.rows[index];
    ImGui::TableNextRow(0, state.tops[index + 1] - state.tops[index]);
    ImGui::TableSetColumnIndex(0);
    Ink ink(scene);
    RowPlace place{};
    place.top = ImGui::GetCursorScreenPos().y - ImGui::GetStyle().CellPadding.y;
    place.bottom = place.top + state.tops[index + 1] - state.tops[index];
    state.rows_top = place.top - state.tops[index];
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
    const float x = place.left + gutter_width(theme, state.arrow_depth);
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

}  // namespace e2k::ui
