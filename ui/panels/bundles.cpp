#include "ui/panels/bundles.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <imgui_internal.h>

#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/panels/branches.h"
#include "ui/panels/bundle_row.h"
#include "ui/panels/bundle_wrap.h"
#include "ui/panels/go_to.h"

namespace e2k::ui {

namespace {

using machine::CommandSink;

constexpr int kColumns = kBundleColumns;
constexpr float kMinCells = 5, kMaxCells = 30;

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

bool is_fixed(int column) {
    return column == 0 || column == kControlColumn || column == kAauColumn || column == kNopColumn;
}
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
    state.branches = find_branches(*state.code);
    state.arrow_depth = branch_depth(state.branches);
    measure_columns(state);
    state.fit_columns = true;
    state.tops.clear();
    state.keep_top = state.top_address != 0;
    return true;
}

int row_index(const BundlesState& state, std::uint64_t address) {
    const auto at =
        std::lower_bound(state.rows.begin(), state.rows.end(), address,
                         [](const GridRow& row, std::uint64_t a) { return row.address < a; });
    if (at == state.rows.end() || at->address != address) return -1;
    return static_cast<int>(at - state.rows.begin());
}
// --- the table ---

/// Hands the natural widths to the table; what the user dragged is kept until other code shows.
void fit_columns(BundlesState& state, const Theme& theme) {
    ImGuiTable* table = ImGui::GetCurrentContext()->CurrentTable;
    if (!table || table->ColumnsCount != kColumns) return;
    for (int i = 0; i < kColumns; ++i) {
        const float width = state.wanted[static_cast<std::size_t>(i)] * theme.cell() + theme.px(4);
        if (is_fixed(i)) {
            table->Columns[i].WidthRequest =
                width + (i == 0 ? gutter_width(theme, state.arrow_depth) : 0);
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
    restore_scroll(state);
    scroll_if_needed(scene, state);
    ask_for_more(state, sink);

    // Rows have different heights, so the list is clipped by the sums of heights.
    const float view = ImGui::GetScrollY(), end = view + ImGui::GetWindowHeight();
    const auto first_at = std::upper_bound(state.tops.begin(), state.tops.end(), view);
    std::size_t first = first_at == state.tops.begin()
                            ? 0
                            : static_cast<std::size_t>(first_at - state.tops.begin()) - 1;
    first = std::min(first, state.rows.empty() ? 0 : state.rows.size() - 1);
    if (!state.rows.empty()) {
        state.top_address = state.rows[first].address;
        state.top_offset = view - state.tops[first];
    }
    const float left = table->InnerClipRect.Min.x, right = table->InnerClipRect.Max.x;
    if (first > 0) ImGui::TableNextRow(0, state.tops[first]);
    std::size_t i = first;
    for (; i < state.rows.size() && state.tops[i] < end; ++i)
        draw_bundle_row(scene, state, i, left, right, sink);
    const float header = scene.theme.row() + scene.theme.px(4);
    draw_branches(scene, state, {left, table->InnerClipRect.Min.y + header},
                  {right, table->InnerClipRect.Max.y});
    if (i < state.rows.size()) ImGui::TableNextRow(0, state.tops.back() - state.tops[i]);
    ImGui::EndTable();
}

void draw_tools(const Scene& scene, BundlesState& state) {
    const auto view = [&](const char* label, BundlesState::View which, const char* help) {
        if (!switch_button(scene.theme, label, state.view == which, help)) return;
        state.view = which;
        state.scroll_to = scene.cursor();
        state.scroll_frames = 2;
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
                    "The bundles around the current address appear when the "
                    "program stops.");
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
