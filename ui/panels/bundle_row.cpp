#include "ui/panels/bundle_row.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/scoped.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

using machine::CommandSink;

constexpr float kRawCells = 22;  ///< a syllable with its name
constexpr int kMostComment = 2;  ///< lines of a comment above a bundle
constexpr int kMostBeside = 5;   ///< ... beside it

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
    float top, bottom;  ///< without the lines of label and comment
    float left, right;  ///< whole list
    float text;         ///< where operations begin
};

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

void draw_chip_tokens(Ink& ink, const Chip& chip, ImVec2 at, const Theme& theme, bool off) {
    for (const TokenLine& line : chip.lines) {
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

void pause_tip(const Theme& theme, const GridRow& row) {
    std::string text;
    if (row.nop) text = trf("{} empty cycles follow. ", row.nop);
    if (row.loop_mode) text += tr("Loop mode: stores are masked in prologue and last iteration.");
    tool_tip(theme, text);
}

void chip_tip(const Scene& scene, const BundlesState& state, std::size_t index, const Chip& chip) {
    const auto& source = state.code->rows[index];
    if (chip.unit == kPauseColumn) return pause_tip(scene.theme, state.rows[index]);
    if (chip.unit < isa::kChannels)
        return tool_tip(scene.theme,
                        explain_operation(scene, source.bundle, static_cast<int>(chip.unit)));
    tool_tip(scene.theme, explain_bundle(scene, source));
}

void draw_chip(const Scene& scene, const BundlesState& state, Ink& ink, std::size_t index,
               const Chip& chip, const RowPlace& place) {
    const Theme& theme = scene.theme;
    const float cell = theme.cell();
    const float x = place.text + chip.left * cell;
    const float y = place.top + theme.px(2) + static_cast<float>(chip.line) * theme.row();
    const float height = static_cast<float>(chip.lines.size()) * theme.row();
    const bool pause = chip.unit == kPauseColumn;
    float text = x;
    if (!pause)
        ink.fill({x - theme.px(6), y + theme.px(1)}, {x - theme.px(3), y + height - theme.px(2)},
                 unit_colour(theme, chip.unit), theme.px(1));
    if (chip.numbered) {
        // The number of the lane is a mark like the colour, not part of the text.
        ink.list().AddText(theme.mono, theme.font_px(), {std::round(x), std::round(y)}, theme.dim,
                           chip_name(chip.unit).data(), chip_name(chip.unit).data() + 1);
        text += 2 * cell;
    }
    const isa::Bundle& bundle = state.code->rows[index].bundle;
    draw_chip_tokens(ink, chip, {text, y}, theme, predicated_off(scene, bundle, chip.unit));
    if (chip.last) ink.end_cell();
    const float width = std::max(chip.width, 1.0f) * cell + theme.px(6);
    if (ImGui::IsWindowHovered() &&
        ImGui::IsMouseHoveringRect({x - theme.px(6), y}, {x + width, y + height}))
        chip_tip(scene, state, index, chip);
}

void draw_operations(const Scene& scene, const BundlesState& state, Ink& ink, std::size_t index,
                     const RowPlace& place) {
    const Theme& theme = scene.theme;
    const GridRow& row = state.rows[index];
    if (!row.error.empty()) {
        const ImVec2 at{place.text, place.top + theme.px(2)};
        const float x = ink.error_sign(at, theme.error);
        ink.text({x, at.y}, theme.error, row.error);
        return;
    }
    if (state.arrangement.columns) {  // a thin tick where a lane is idle
        for (std::size_t unit = 0; unit < isa::kChannels; ++unit) {
            if (!row.cells[unit].empty()) continue;
            const float x = place.text + state.arrangement.left[unit] * theme.cell() - theme.px(5);
            ink.fill({x, place.top + theme.px(4)}, {x + 1, place.top + theme.row()},
                     with_alpha(unit_colour(theme, unit), 0.35f));
        }
    }
    for (const Chip& chip : place_chips(row, state.arrangement))
        draw_chip(scene, state, ink, index, chip, place);
}

void draw_text_lines(const Scene& scene, const BundlesState& state, Ink& ink, std::size_t index,
                     const RowPlace& place) {
    const Theme& theme = scene.theme;
    const auto& source = state.code->rows[index];
    ImVec2 at{place.text, place.top + theme.px(2)};
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
        const std::size_t across = raw_columns(state);
        for (std::size_t i = 0; i < names.size(); ++i) {
            const ImVec2 cell{at.x + static_cast<float>(i % across) * theme.cell() * kRawCells,
                              at.y + static_cast<float>(i / across) * theme.row()};
            const float x = ink.text(cell, theme.dim, fmt::format("{:<12} ", names[i]));
            ink.text({x, cell.y}, theme.text, fmt::format("{:08x} ", source.bundle.words[i]));
        }
        ink.end_cell();
    }
}

void draw_gutter(const Scene& scene, const GridRow& row, Ink& ink, const RowPlace& place,
                 bool row_hovered, CommandSink& sink) {
    const Theme& theme = scene.theme;
    const float middle = place.top + theme.px(2) + theme.font_px() * 0.58f;
    const float radius = theme.font_px() * 0.34f;
    const ImVec2 centre{place.left + theme.px(7) + radius, middle};
    const bool on = has_breakpoint(scene.now, row.address);
    const bool hovered =
        row_hovered && ImGui::IsMouseHoveringRect({place.left, place.top},
                                                  {centre.x + radius + theme.px(4), place.bottom});
    if (on) {
        ink.dot(centre, radius, theme.breakpoint);
    } else if (hovered) {
        ink.dot(centre, radius, theme.breakpoint, false);
    }
    if (hovered) {
        tool_tip(theme,
                 on ? tr("Remove the breakpoint (F9)") : tr("Break before this bundle (F9)"));
        if (ImGui::IsMouseClicked(ImGuiMouseButton_Left))
            sink.send(machine::SetBreakpoint{row.address, !on});
    }
    if (row.address == scene.now.ip) {
        ink.fill({place.left, place.top}, {place.left + theme.px(4), place.bottom}, theme.current);
    }
}

/// How often the bundle was executed, as a bar below its address.
void draw_heat(const Scene& scene, const GridRow& row, Ink& ink, const RowPlace& place, float left,
               float width) {
    if (!scene.now.heat || scene.now.heat->most == 0) return;
    const auto* heat = scene.now.heat->at(row.address);
    if (!heat) return;
    const Theme& theme = scene.theme;
    const double part =
        static_cast<double>(heat->executions) / static_cast<double>(scene.now.heat->most);
    const ImVec2 a{left, place.top + theme.px(1) + theme.row()};
    ink.fill(a, {left + std::max(theme.px(2), width * static_cast<float>(part)), a.y + theme.px(3)},
             mix(theme.panel, theme.warning, 0.35f + 0.65f * static_cast<float>(part)));
    if (ImGui::IsWindowHovered() &&
        ImGui::IsMouseHoveringRect({left, place.top}, {left + width, place.bottom}))
        tool_tip(
            theme,
            trf("executed {} times\n{:.1f} % of the host instructions executed",
                decimal_grouped(heat->executions),
                100.0 * static_cast<double>(heat->instructions) /
                    static_cast<double>(std::max<std::uint64_t>(1, scene.now.heat->instructions))));
}

/// Selection, double click and context menu of a row; draws its background. True: the mouse is over
/// it.
bool row_interaction(const Scene& scene, const BundlesState& state, Ink& ink, std::size_t index,
                     const RowPlace& place, CommandSink& sink) {
    const GridRow& row = state.rows[index];
    const Theme& theme = scene.theme;
    const auto id = scoped::id(static_cast<int>(index));
    ImGui::SetCursorScreenPos({place.left, place.top});
    ImGui::InvisibleButton("row", {std::max(1.0f, place.right - place.left),
                                   std::max(1.0f, place.bottom - place.top)});
    // Pressing selects: the picture answers at once.
    const bool hovered = ImGui::IsItemHovered();
    if (hovered) {
        scene.selection.hover_bundle = row.address;
        if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) scene.selection.bundle = row.address;
        if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left) && row.target)
            scene.selection.go_to = row.target;
    }
    if (const auto menu = scoped::context_menu("menu")) {
        if (row.target && ImGui::MenuItem(tr("Go to branch target")))
            scene.selection.go_to = row.target;
        bundle_menu(scene, row.address, sink);
    }
    ImU32 background = index % 2 ? theme.stripe : theme.panel;
    if (row.address == scene.now.ip) background = mix(background, theme.current, 0.13f);
    if (scene.selection.hover_bundle == row.address)
        background = mix(background, theme.hover, 0.12f);
    if (state.finding && std::ranges::binary_search(state.found, index))
        background = mix(background, theme.selection, 0.16f);
    ink.fill({place.left, place.top}, {place.right, place.bottom}, background);
    return hovered;
}

void comment_tip(const Scene& scene, const BundlesState& state, std::uint64_t address) {
    const machine::SourceLine* line = state.source ? state.source->at(address) : nullptr;
    if (!line) return;
    tool_tip(scene.theme,
             fmt::format("{}:{}{}\n\n{}", state.source->files[line->file], line->line,
                         line->note.empty() ? "" : "  (" + line->note + ")", line->text));
}

/// The source's words: in their column, or above the operations.
void draw_comment(const Scene& scene, const BundlesState& state, Ink& ink, std::size_t index,
                  ImVec2 at, float width, float height) {
    const std::string& comment = state.comments[index];
    if (comment.empty()) return;
    const Theme& theme = scene.theme;
    const auto clip = scoped::clip(at, {at.x + width, at.y + height}, true);
    ink.list().AddText(theme.prose, theme.font_px(), {std::round(at.x), std::round(at.y)},
                       theme.dim, comment.data(), comment.data() + comment.size(), width);
    if (ImGui::IsWindowHovered() && ImGui::IsMouseHoveringRect(at, {at.x + width, at.y + height}))
        comment_tip(scene, state, state.rows[index].address);
}

/// Of prose in at most so many lines, whole ones.
float text_height(const Theme& theme, const std::string& text, float width, int most) {
    if (text.empty()) return 0;
    const float height =
        theme.prose
            ->CalcTextSizeA(theme.font_px(), FLT_MAX, width, text.data(), text.data() + text.size())
            .y;
    return std::min(height, theme.font_px() * static_cast<float>(most));
}

}  // namespace

float gutter_width(const Theme& theme, int depth) {
    const float arrows = depth > 0 ? theme.px(6) * static_cast<float>(depth + 1) : 0;
    return theme.px(14) + theme.font_px() * 0.7f + arrows;
}

float label_height(const Theme& theme) { return theme.row() + theme.px(3); }

float comment_height(const Theme& theme, const BundlesState& state, std::size_t index) {
    if (state.source_left > 0) return 0;
    const float height = text_height(theme, state.comments[index], state.text_room, kMostComment);
    return height > 0 ? height + theme.px(3) : 0;
}

float comment_column_height(const Theme& theme, const BundlesState& state, std::size_t index,
                            float width) {
    return text_height(theme, state.comments[index], width, kMostBeside);
}

std::size_t raw_columns(const BundlesState& state) {
    return std::max<std::size_t>(1, static_cast<std::size_t>(state.arrangement.room / kRawCells));
}

void draw_bundle_row(const Scene& scene, BundlesState& state, std::size_t index, float left,
                     float right, float top, CommandSink& sink) {
    const Theme& theme = scene.theme;
    const GridRow& row = state.rows[index];
    Ink ink(scene);
    RowPlace place{};
    place.top = top;
    place.bottom = top + state.tops[index + 1] - state.tops[index];
    place.left = left;
    place.right = right;
    place.text = left + state.text_left;
    if (!row.label.empty()) {
        ink.fill({left, top}, {right, top + label_height(theme)}, theme.header);
        ink.text({left + theme.px(8), top + theme.px(3)}, theme.text, "<" + row.label + ">",
                 Weight::Bold);
        ink.end_row();
        place.top += label_height(theme);
    }
    const bool hovered = row_interaction(scene, state, ink, index, place, sink);
    draw_gutter(scene, row, ink, place, hovered, sink);
    const float text_right = state.source_left > 0 ? left + state.source_left : right;
    if (const float height = comment_height(theme, state, index)) {
        draw_comment(scene, state, ink, index, {place.text - theme.px(6), place.top + theme.px(2)},
                     state.text_room, height - theme.px(3));
        place.top += height;
    } else if (state.source_left > 0) {
        const float width = right - left - state.source_left - theme.px(4);
        draw_comment(scene, state, ink, index, {left + state.source_left, place.top + theme.px(2)},
                     width, comment_column_height(theme, state, index, width));
    }
    const bool current = row.address == scene.now.ip;
    if (scene.capture) {
        scene.capture->text += current ? "▶ " : "  ";
        scene.capture->text += has_breakpoint(scene.now, row.address) ? "● " : "  ";
    }
    const float x = left + gutter_width(theme, state.arrow_depth);
    const std::string address = hex(row.address);
    ink.text({x, place.top + theme.px(2)}, current ? theme.changed : theme.dim, address,
             current ? Weight::Bold : Weight::Mono);
    ink.end_cell();
    draw_heat(scene, row, ink, place, x, ink.width(address));
    {
        const auto clip = scoped::clip({left, place.top}, {text_right, place.bottom}, true);
        if (state.view == BundlesState::View::Grid) {
            draw_operations(scene, state, ink, index, place);
        } else {
            draw_text_lines(scene, state, ink, index, place);
        }
    }
    if (scene.capture && !state.comments[index].empty())
        scene.capture->text += state.comments[index] + " | ";
    ink.end_row();
    if (scene.selection.bundle == row.address)
        ink.frame({left + 1, top + (row.label.empty() ? 0 : label_height(theme))},
                  {right - 1, place.bottom - 1}, theme.selection, theme.px(2), theme.px(1.5f));
}

}  // namespace e2k::ui
