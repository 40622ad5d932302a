#include "ui/panels/bundles.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <imgui_internal.h>

#include "engine/lessons/value.h"
#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/panels/branches.h"
#include "ui/panels/bundle_row.h"
#include "ui/panels/go_to.h"
#include "ui/scoped.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

using machine::CommandSink;

constexpr float kSourceCells = 34;  ///< of the column with source lines, at least
constexpr float kRoomyCells = 120;  ///< of the list, from which it has that column
constexpr float kSourceShare = 0.34f;

// --- layout ---

std::size_t line_count(const BundlesState& state, std::size_t index) {
    const GridRow& row = state.rows[index];
    const machine::CodeView::Row& source = state.code->rows[index];
    if (!row.error.empty()) return 1;
    if (state.view == BundlesState::View::Text) return std::max<std::size_t>(1, source.text.size());
    if (state.view == BundlesState::View::Raw) {
        const std::size_t across = raw_columns(state);
        return (source.bundle.length / 4u + across - 1) / across;
    }
    return lines_of(place_chips(row, state.arrangement));
}

void lay_out(const Scene& scene, BundlesState& state, float room) {
    const Theme& theme = scene.theme;
    std::size_t digits = 7;
    if (!state.rows.empty()) digits = std::max(digits, hex(state.rows.back().address).size());
    state.text_left = gutter_width(theme, state.arrow_depth) +
                      (static_cast<float>(digits) + 1) * theme.cell() + theme.px(8);
    const bool comments =
        state.show_source &&
        std::ranges::any_of(state.comments, [](const std::string& c) { return !c.empty(); });
    float right = room - theme.px(4);
    state.source_left = 0;
    if (comments && room >= kRoomyCells * theme.cell()) {
        state.source_left =
            room - std::max(kSourceCells * theme.cell(), std::round(room * kSourceShare));
        right = state.source_left - theme.px(10);
    }
    state.text_room = right - state.text_left;
    state.arrangement =
        arrange(state.rows, std::max(16.0f, std::floor((right - state.text_left) / theme.cell())));
    state.tops.assign(1, 0);
    float y = 0;
    for (std::size_t i = 0; i < state.rows.size(); ++i) {
        if (!state.rows[i].label.empty()) y += label_height(theme);
        y += comment_height(theme, state, i);
        float height = static_cast<float>(line_count(state, i)) * theme.row();
        if (state.source_left > 0)
            height = std::max(height, comment_column_height(
                                          theme, state, i, room - state.source_left - theme.px(4)));
        y += height + theme.px(4);
        state.tops.push_back(y);
    }
    state.laid_out = state.view;
    state.laid_out_font = theme.font_px();
    state.laid_out_room = room;
    state.laid_out_source = state.show_source;
}

/// Takes over new code.
void refresh(const Scene& scene, BundlesState& state) {
    if (!scene.now.code || (state.code == scene.now.code && state.source == scene.now.source))
        return;
    state.code = scene.now.code;
    state.source = scene.now.source;
    state.rows = grid_rows(*state.code, scene.symbols());
    state.comments.clear();
    for (const GridRow& row : state.rows)
        state.comments.push_back(state.show_source ? source_comment(state.source.get(), row.address)
                                                   : std::string());
    state.branches = find_branches(*state.code);
    state.arrow_depth = branch_depth(state.branches);
    state.tops.clear();
    state.found_for.clear();
    state.keep_top = state.top_address != 0;
}

int row_index(const BundlesState& state, std::uint64_t address) {
    const auto at =
        std::lower_bound(state.rows.begin(), state.rows.end(), address,
                         [](const GridRow& row, std::uint64_t a) { return row.address < a; });
    if (at == state.rows.end() || at->address != address) return -1;
    return static_cast<int>(at - state.rows.begin());
}

/// Names of the columns, where there are any.
void draw_header(const Scene& scene, const BundlesState& state) {
    if (state.view != BundlesState::View::Grid || !state.arrangement.columns) return;
    const Theme& theme = scene.theme;
    const Scene quiet{scene.now, scene.changes, scene.logs, scene.theme, scene.selection};
    Ink ink(quiet);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x;
    const float height = theme.row() + theme.px(2);
    ink.fill(at, {at.x + width, at.y + height}, theme.header, theme.px(2));
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
        const float room = state.arrangement.width[unit] * theme.cell() + theme.px(8);
        std::string_view name = title_of(static_cast<Unit>(unit));
        if (ink.width(name, Weight::Prose) > room) name = chip_name(unit);
        ink.text({at.x + state.text_left + state.arrangement.left[unit] * theme.cell(),
                  at.y + theme.px(1)},
                 theme.dim, name, Weight::Prose);
    }
    if (state.source_left > 0)
        ink.text({at.x + state.source_left, at.y + theme.px(1)}, theme.dim, tr("Source"),
                 Weight::Prose);
    ImGui::Dummy({width, height});
}

/// Other code shows the same place at the same height, if it holds it.
void restore_scroll(BundlesState& state) {
    if (!state.keep_top) return;
    state.keep_top = false;
    const int index = row_index(state, state.top_address);
    if (index < 0) return;
    const float wanted = state.tops[static_cast<std::size_t>(index)] + state.top_offset;
    if (std::abs(wanted - ImGui::GetScrollY()) > 0.5f) ImGui::SetScrollY(wanted);
}

/// A long section is shown in part: whoever scrolls to the end of a part sees the next one.
void ask_for_more(BundlesState& state, CommandSink& sink) {
    const machine::CodeView& code = *state.code;
    if (state.rows.empty() || state.asked_more == code.generation) return;
    const float wheel = ImGui::IsWindowHovered() ? ImGui::GetIO().MouseWheel : 0;
    const bool dragged =
        ImGui::IsMouseDragging(ImGuiMouseButton_Left) &&
        ImGui::GetActiveID() == ImGui::GetWindowScrollbarID(ImGui::GetCurrentWindow(), ImGuiAxis_Y);
    const bool down = (wheel < 0 || dragged) && ImGui::GetScrollY() >= ImGui::GetScrollMaxY();
    const bool up = (wheel > 0 || dragged) && ImGui::GetScrollY() <= 0;
    std::uint64_t from = 0;
    if (down && code.end < code.whole_end) from = state.rows.back().address;
    if (up && code.begin > code.whole_begin) from = state.rows.front().address - 8;
    if (!from) return;
    sink.send(machine::ShowCode{from});
    state.asked_more = code.generation;
}

void scroll_if_needed(const Scene& scene, BundlesState& state) {
    if (!state.scroll_to) return;
    const int index = row_index(state, state.scroll_to);
    if (index < 0) return;
    const auto i = static_cast<std::size_t>(index);
    const float top = state.tops[i], bottom = state.tops[i + 1];
    const float view = ImGui::GetScrollY(), height = ImGui::GetWindowHeight();
    const bool visible = top >= view && bottom + scene.theme.row() * 2 <= view + height;
    if (!visible) ImGui::SetScrollY(std::max(0.0f, top - height * 0.3f));
    if (--state.scroll_frames <= 0) state.scroll_to = 0;
}

/// Brings `address` into view in the next frames.
void show_row(BundlesState& state, std::uint64_t address, int frames = 3) {
    state.scroll_to = address;
    state.scroll_frames = frames;
}

/// Up and Down move the selection while the list has the keyboard.
void move_selection(const Scene& scene, BundlesState& state) {
    if (!ImGui::IsWindowFocused(ImGuiFocusedFlags_ChildWindows) || ImGui::GetIO().WantTextInput ||
        ImGui::GetIO().KeyAlt || ImGui::GetIO().KeyCtrl || state.rows.empty())
        return;
    const auto pressed = [](ImGuiKey key) { return ImGui::IsKeyPressed(ImGui::GetKeyIndex(key)); };
    const int step = (pressed(ImGuiKey_DownArrow) ? 1 : 0) - (pressed(ImGuiKey_UpArrow) ? 1 : 0) +
                     (pressed(ImGuiKey_PageDown) ? 10 : 0) - (pressed(ImGuiKey_PageUp) ? 10 : 0);
    if (step == 0) return;
    const int at = row_index(state, scene.cursor());
    const int last = static_cast<int>(state.rows.size()) - 1;
    const auto index = static_cast<std::size_t>(std::clamp(std::max(at, 0) + step, 0, last));
    scene.selection.bundle = state.rows[index].address;
    show_row(state, scene.selection.bundle, 1);
}

void draw_list(const Scene& scene, BundlesState& state, CommandSink& sink) {
    const Theme& theme = scene.theme;
    const float room = ImGui::GetContentRegionAvail().x - ImGui::GetStyle().ScrollbarSize;
    const bool moved = state.tops.size() != state.rows.size() + 1 || state.laid_out != state.view ||
                       state.laid_out_font != theme.font_px() ||
                       std::abs(state.laid_out_room - room) > 0.5f ||
                       state.laid_out_source != state.show_source;
    if (moved) lay_out(scene, state, room);
    draw_header(scene, state);
    const auto list = scoped::child("grid", {0, 0},
                                    ImGuiWindowFlags_AlwaysVerticalScrollbar |
                                        ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoNav);
    move_selection(scene, state);
    restore_scroll(state);
    scroll_if_needed(scene, state);
    ask_for_more(state, sink);

    // Rows have different heights, so the list is clipped by the sums of heights.
    const float view = ImGui::GetScrollY(), end = view + ImGui::GetWindowHeight();
    const auto first_at = std::upper_bound(state.tops.begin(), state.tops.end(), view);
    std::size_t first = first_at == state.tops.begin()
                            ? 0
                            : static_cast<std::size_t>(first_at - state.tops.begin()) - 1;
    first = std::min(first, state.rows.size() - 1);
    state.top_address = state.rows[first].address;
    state.top_offset = view - state.tops[first];
    const ImVec2 origin = ImGui::GetCursorScreenPos();  // of the first row, scrolled or not
    state.rows_top = origin.y;
    const float right = origin.x + room;
    for (std::size_t i = first; i < state.rows.size() && state.tops[i] < end; ++i)
        draw_bundle_row(scene, state, i, origin.x, right, origin.y + state.tops[i], sink);
    const ImVec2 corner = ImGui::GetWindowPos();
    draw_branches(scene, state, {origin.x, corner.y}, {right, corner.y + ImGui::GetWindowHeight()});
    ImGui::SetCursorScreenPos(origin);
    ImGui::Dummy({1, state.tops.back()});
}

// --- find ---

bool contains_ignoring_case(std::string_view text, std::string_view what) {
    return std::search(text.begin(), text.end(), what.begin(), what.end(), [](char a, char b) {
               return std::tolower(static_cast<unsigned char>(a)) ==
                      std::tolower(static_cast<unsigned char>(b));
           }) != text.end();
}

/// The found row behind (or before) the cursor, around the ends.
void go_to_found(const Scene& scene, BundlesState& state, bool back) {
    if (state.found.empty()) return;
    const std::uint64_t cursor = scene.cursor();
    const auto address = [&](std::size_t row) { return state.rows[row].address; };
    const auto next = back ? std::ranges::lower_bound(state.found, cursor, {}, address)
                           : std::ranges::upper_bound(state.found, cursor, {}, address);
    std::size_t row = 0;
    if (back)
        row = next == state.found.begin() ? state.found.back() : *std::prev(next);
    else
        row = next == state.found.end() ? state.found.front() : *next;
    scene.selection.bundle = address(row);
    show_row(state, scene.selection.bundle);
}

void draw_find(const Scene& scene, BundlesState& state) {
    if (std::exchange(state.open_find, false)) {
        state.finding = true;
        ImGui::SetKeyboardFocusHere();
    }
    if (!state.finding) return;
    const Theme& theme = scene.theme;
    ImGui::SetNextItemWidth(std::min(theme.px(240), ImGui::GetContentRegionAvail().x * 0.45f));
    const bool entered =
        ImGui::InputTextWithHint("##find", tr("find in the whole section"), state.sought,
                                 sizeof state.sought, ImGuiInputTextFlags_EnterReturnsTrue);
    if ((ImGui::IsItemActive() || ImGui::IsItemDeactivated()) &&
        ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_Escape)))
        state.finding = false;
    if (state.found_for != state.sought) {
        state.found_for = state.sought;
        state.found = find_in_bundles(state.rows, state.comments, state.sought);
    }
    if (entered) {
        go_to_found(scene, state, ImGui::GetIO().KeyShift);
        ImGui::SetKeyboardFocusHere(-1);
    }
    ImGui::SameLine();
    if (ImGui::SmallButton("<")) go_to_found(scene, state, true);
    if (ImGui::IsItemHovered()) tool_tip(theme, tr("The one before (Shift+Enter)"));
    ImGui::SameLine(0, 2);
    if (ImGui::SmallButton(">")) go_to_found(scene, state, false);
    if (ImGui::IsItemHovered()) tool_tip(theme, tr("The next one (Enter)"));
    ImGui::SameLine();
    const auto at = std::ranges::find_if(
        state.found, [&](std::size_t row) { return state.rows[row].address == scene.cursor(); });
    if (!state.sought[0])
        ImGui::TextDisabled("%s", tr("operations, labels, addresses, comments"));
    else if (at != state.found.end())
        ImGui::TextDisabled(
            "%s", trf("{} of {}", at - state.found.begin() + 1, state.found.size()).c_str());
    else
        ImGui::TextDisabled("%s", trf("{} found", state.found.size()).c_str());
    ImGui::SameLine();
    if (ImGui::SmallButton("x##find")) state.finding = false;
    if (!state.finding) state.found.clear();
}

void draw_tools(const Scene& scene, BundlesState& state, CommandSink& sink) {
    const auto view = [&](const char* label, BundlesState::View which, const char* help) {
        if (!switch_button(scene.theme, label, state.view == which, help)) return;
        state.view = which;
        show_row(state, scene.cursor(), 2);
    };
    view(tr("Grid"), BundlesState::View::Grid, tr("Operations by unit"));
    view(tr("Text"), BundlesState::View::Text, tr("The disassembler's lines"));
    view(tr("Raw"), BundlesState::View::Raw, tr("The syllables, in memory order"));
    ImGui::SameLine(0, 12);
    const auto toggle = [&](const char* label, bool on, const char* help) {
        return switch_button(scene.theme, label, on, help);
    };
    if (state.source &&
        toggle(tr("Source"), state.show_source, tr("Comments of the source beside the bundles"))) {
        state.show_source = !state.show_source;
        state.source = nullptr;  // comments are looked up again
    }
    if (toggle(tr("Follow"), state.follow, tr("Keep the current bundle in view")))
        state.follow = !state.follow;
    if (toggle(tr("Heat"), scene.now.profile && scene.now.heat,
               tr("Count how often every bundle is executed, as a bar under its address"))) {
        const bool on = !(scene.now.profile && scene.now.heat);
        sink.send(machine::SetProfile{on});
        sink.send(machine::WatchQuality{on});
    }
    ImGui::SameLine(0, 12);
    if (ImGui::SmallButton(tr("Go to…"))) state.open_go_to = true;
    if (ImGui::IsItemHovered()) tool_tip(scene.theme, tr("Show an address or a symbol (Ctrl+G)"));
    ImGui::SameLine(0, 2);
    if (ImGui::SmallButton(tr("Find…"))) state.open_find = true;
    if (ImGui::IsItemHovered())
        tool_tip(scene.theme, tr("Look for text in the whole section (Ctrl+F)"));
    ImGui::SameLine(0, 2);
    if (ImGui::SmallButton(tr("Current"))) {
        scene.selection.bundle = 0;
        scene.selection.go_to = scene.now.ip;
    }
    if (ImGui::IsItemHovered()) tool_tip(scene.theme, tr("Back to the current bundle (Alt+Home)"));
    ImGui::SameLine(0, 12);
    const std::string where = place(scene.symbols(), scene.cursor());
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float room = ImGui::GetContentRegionAvail().x - scene.theme.px(4);
    // Not part of the rows, so not captured.
    const Scene quiet{scene.now, scene.changes, scene.logs, scene.theme, scene.selection};
    if (room > scene.theme.px(60)) Ink(quiet).text_fit({at.x, at.y}, room, scene.theme.dim, where);
    ImGui::NewLine();
}

}  // namespace

std::string source_comment(const machine::SourceLines* source, std::uint64_t address) {
    const machine::SourceLine* line = source ? source->at(address) : nullptr;
    if (!line || line->address != address) return {};
    return line->comment;
}

std::vector<std::size_t> find_in_bundles(const std::vector<GridRow>& rows,
                                         const std::vector<std::string>& comments,
                                         std::string_view text) {
    std::vector<std::size_t> found;
    if (text.empty()) return found;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const GridRow& row = rows[i];
        bool here = contains_ignoring_case(row.label, text) ||
                    contains_ignoring_case(hex(row.address), text) ||
                    (i < comments.size() && contains_ignoring_case(comments[i], text));
        for (const auto& cell : row.cells)
            for (const OpText& op : cell) here = here || contains_ignoring_case(op.joined(), text);
        if (here) found.push_back(i);
    }
    return found;
}

std::uint64_t resolve_place(std::string_view text, const guest::SymbolTable* symbols) {
    return lessons::place_address(text, symbols);
}

void draw_bundles(const Scene& scene, BundlesState& state, CommandSink& sink) {
    refresh(scene, state);
    if (scene.selection.go_to) {
        show_row(state, scene.selection.go_to);
        if (scene.selection.go_to != scene.now.ip) scene.selection.bundle = scene.selection.go_to;
        if (row_index(state, state.scroll_to) < 0 && state.asked_code != state.scroll_to) {
            sink.send(machine::ShowCode{state.scroll_to});
            state.asked_code = state.scroll_to;
        }
        scene.selection.go_to = 0;
    }
    if ((!scene.now.live || scene.slow_motion()) && scene.now.ip != state.last_ip) {
        state.last_ip = scene.now.ip;
        state.asked_code = 0;
        if (state.follow) show_row(state, scene.now.ip);
    }
    draw_tools(scene, state, sink);
    draw_find(scene, state);
    draw_go_to(scene, state);
    if (state.rows.empty()) {
        empty_state(scene, tr("No code to show yet"),
                    tr("The bundles around the current address appear when the program stops."));
        return;
    }
    draw_list(scene, state, sink);
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
                if (!cell.empty()) out += cell + " | ";
            }
            if (!row.pause.empty()) out += row.pause + " | ";
        }
        const std::string comment =
            state.show_source ? source_comment(scene.now.source.get(), row.address) : "";
        if (!comment.empty()) out += comment + " | ";
        out += "\n";
    }
    return out;
}

}  // namespace e2k::ui
