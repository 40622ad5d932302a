#include "ui/workspace.h"

#include <algorithm>
#include <cmath>

#include <imgui_internal.h>
#include <nlohmann/json.hpp>

#include "ui/ink.h"

namespace e2k::ui {

namespace {

using P = PanelId;

constexpr float kGap = 5;  ///< splitter thickness, unscaled
constexpr float kMinColumn = 160, kMinRow = 90;

Workspace debug_layout(bool wide) {
    if (wide)
        return {"debug",
                {{0.45f, {{0.70f, {P::Bundles}}, {0.30f, {P::Console, P::Breakpoints}}}},
                 {0.26f, {{0.72f, {P::Registers}}, {0.28f, {P::CallStack, P::Memory}}}},
                 {0.29f, {{0.62f, {P::HostCode}}, {0.38f, {P::Syscalls}}}}}};
    return {"debug",
            {{0.60f, {{0.68f, {P::Bundles}}, {0.32f, {P::Syscalls, P::Console, P::Breakpoints}}}},
             {0.40f, {{0.56f, {P::Registers, P::CallStack, P::Memory}}, {0.44f, {P::HostCode}}}}}};
}

Workspace teach_layout(bool wide) {
    if (wide)
        return {"teach",
                {{0.62f, {{0.76f, {P::Bundles}}, {0.24f, {P::Console, P::Syscalls}}}},
                 {0.38f, {{1, {P::Registers, P::CallStack, P::Memory, P::Breakpoints}}}}}};
    return {"teach",
            {{0.56f, {{0.72f, {P::Bundles}}, {0.28f, {P::Console, P::Syscalls}}}},
             {0.44f, {{1, {P::Registers, P::CallStack, P::Memory, P::Breakpoints}}}}}};
}

Workspace translate_layout(bool wide) {
    if (wide)
        return {"translate",
                {{0.40f, {{1, {P::Bundles}}}},
                 {0.38f, {{1, {P::HostCode}}}},
                 {0.22f,
                  {{0.6f, {P::Registers, P::CallStack, P::Memory}},
                   {0.4f, {P::Console, P::Syscalls}}}}}};
    return {"translate",
            {{0.48f, {{0.74f, {P::Bundles}}, {0.26f, {P::Console, P::Syscalls, P::Breakpoints}}}},
             {0.52f, {{0.70f, {P::HostCode}}, {0.30f, {P::Registers, P::CallStack, P::Memory}}}}}};
}

/// Sum of weights is kept at 1 so that a dragged splitter changes two neighbours only.
template <class List>
void normalise(List& list) {
    float sum = 0;
    for (const auto& item : list) sum += item.weight;
    for (auto& item : list) item.weight = sum > 0 ? item.weight / sum : 1;
}

void tidy(Workspace& workspace) {
    for (Column& column : workspace.columns) {
        std::erase_if(column.cells, [](const Cell& cell) { return cell.tabs.empty(); });
        normalise(column.cells);
    }
    std::erase_if(workspace.columns, [](const Column& column) { return column.cells.empty(); });
    normalise(workspace.columns);
}

void take_out(Workspace& workspace, PanelId panel) {
    for (Column& column : workspace.columns) {
        for (Cell& cell : column.cells) std::erase(cell.tabs, panel);
    }
}

}  // namespace

Workspace default_workspace(const std::string& layout, bool wide) {
    if (layout == "teach") return teach_layout(wide);
    if (layout == "translate") return translate_layout(wide);
    return debug_layout(wide);
}

bool Workspace::shows(PanelId panel) const {
    for (const Column& column : columns) {
        for (const Cell& cell : column.cells) {
            if (std::find(cell.tabs.begin(), cell.tabs.end(), panel) != cell.tabs.end())
                return true;
        }
    }
    return false;
}

void Workspace::reveal(PanelId panel) {
    Cell* largest = nullptr;
    float most = 0;
    for (Column& column : columns) {
        for (Cell& cell : column.cells) {
            const auto at = std::find(cell.tabs.begin(), cell.tabs.end(), panel);
            if (at != cell.tabs.end()) {
                cell.select = static_cast<int>(at - cell.tabs.begin());
                return;
            }
            if (column.weight * cell.weight >= most) {
                most = column.weight * cell.weight;
                largest = &cell;
            }
        }
    }
    if (!largest) {
        columns.push_back({1, {{1, {panel}}}});
        return;
    }
    largest->tabs.push_back(panel);
    largest->select = static_cast<int>(largest->tabs.size()) - 1;
}

void Workspace::close(PanelId panel) {
    take_out(*this, panel);
    tidy(*this);
}

void Workspace::move(PanelId panel, std::size_t column, std::size_t cell) {
    if (column >= columns.size() || cell >= columns[column].cells.size()) return;
    take_out(*this, panel);
    Cell& to = columns[column].cells[cell];
    to.tabs.push_back(panel);
    to.select = static_cast<int>(to.tabs.size()) - 1;
    tidy(*this);
}

void Workspace::to_new_column(PanelId panel) {
    take_out(*this, panel);
    columns.push_back(
        {columns.empty() ? 1 : 1.0f / static_cast<float>(columns.size()), {{1, {panel}}}});
    tidy(*this);
}

void Workspace::to_new_row(PanelId panel, std::size_t column) {
    if (column >= columns.size()) return;
    take_out(*this, panel);
    auto& cells = columns[column].cells;
    cells.push_back({1.0f / static_cast<float>(std::max<std::size_t>(1, cells.size())), {panel}});
    tidy(*this);
}

nlohmann::json to_json(const Workspace& workspace) {
    auto columns = nlohmann::json::array();
    for (const Column& column : workspace.columns) {
        auto cells = nlohmann::json::array();
        for (const Cell& cell : column.cells) {
            auto tabs = nlohmann::json::array();
            for (PanelId panel : cell.tabs) tabs.push_back(panel_info(panel).name);
            cells.push_back({{"weight", cell.weight}, {"tabs", tabs}, {"active", cell.active}});
        }
        columns.push_back({{"weight", column.weight}, {"cells", cells}});
    }
    return columns;
}

Workspace workspace_from_json(const nlohmann::json& json, const Workspace& fallback) {
    Workspace out;
    out.layout = fallback.layout;
    try {
        for (const auto& column_json : json) {
            Column column;
            column.weight = column_json.at("weight").get<float>();
            for (const auto& cell_json : column_json.at("cells")) {
                Cell cell;
                cell.weight = cell_json.at("weight").get<float>();
                cell.select = cell_json.value("active", 0);
                for (const auto& tab : cell_json.at("tabs")) {
                    const auto panel = panel_by_name(tab.get<std::string>());
                    if (panel && !out.shows(*panel)) cell.tabs.push_back(*panel);
                }
                if (!(cell.weight > 0) || !std::isfinite(cell.weight)) return fallback;
                column.cells.push_back(std::move(cell));
            }
            if (!(column.weight > 0) || !std::isfinite(column.weight)) return fallback;
            out.columns.push_back(std::move(column));
        }
    } catch (const nlohmann::json::exception&) {
        return fallback;
    }
    tidy(out);
    return out.columns.empty() ? fallback : out;
}

// --- drawing ---

namespace {

/// Where a tab's menu sends its panel.
struct Move {
    enum class Kind : std::uint8_t { None, Close, Cell, NewColumn, NewRow } kind = Kind::None;
    PanelId panel{};
    std::size_t column = 0, cell = 0;
};

void tab_menu(const Workspace& workspace, PanelId panel, std::size_t own_column, Move& move) {
    if (!ImGui::BeginPopupContextItem()) return;
    ImGui::TextDisabled("Move to");
    for (std::size_t c = 0; c < workspace.columns.size(); ++c) {
        for (std::size_t r = 0; r < workspace.columns[c].cells.size(); ++r) {
            const Cell& cell = workspace.columns[c].cells[r];
            if (std::find(cell.tabs.begin(), cell.tabs.end(), panel) != cell.tabs.end()) continue;
            const std::string label = std::string("beside ") + panel_info(cell.tabs[0]).title;
            if (ImGui::MenuItem(label.c_str())) move = {Move::Kind::Cell, panel, c, r};
        }
    }
    if (ImGui::MenuItem("a new row below")) move = {Move::Kind::NewRow, panel, own_column, 0};
    if (ImGui::MenuItem("a new column")) move = {Move::Kind::NewColumn, panel, 0, 0};
    ImGui::Separator();
    if (ImGui::MenuItem("Close")) move = {Move::Kind::Close, panel, 0, 0};
    ImGui::EndPopup();
}

void draw_cell(Workspace& workspace, std::size_t column, std::size_t index, const Theme& theme,
               ImVec2 size, const std::function<void(PanelId)>& draw, Move& move) {
    Cell& cell = workspace.columns[column].cells[index];
    ImGui::BeginChild("cell", size, false,
                      ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
    if (ImGui::BeginTabBar("tabs",
                           ImGuiTabBarFlags_FittingPolicyResizeDown | ImGuiTabBarFlags_NoTooltip)) {
        for (std::size_t t = 0; t < cell.tabs.size(); ++t) {
            const PanelInfo& info = panel_info(cell.tabs[t]);
            const ImGuiTabItemFlags flags = cell.select == static_cast<int>(t)
                                                ? ImGuiTabItemFlags_SetSelected
                                                : ImGuiTabItemFlags_None;
            const bool open = ImGui::BeginTabItem(info.title, nullptr, flags);
            tab_menu(workspace, info.id, column, move);
            if (ImGui::IsItemHovered()) tool_tip(theme, info.help);
            if (!open) continue;
            cell.active = static_cast<int>(t);
            const ImVec2 tab = ImGui::GetItemRectMin();
            ImGui::GetWindowDrawList()->AddRectFilled(
                tab, {ImGui::GetItemRectMax().x, tab.y + theme.px(2)}, theme.selection,
                theme.px(2));
            ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {theme.px(6), theme.px(4)});
            ImGui::BeginChild(info.name, {0, 0}, false,
                              ImGuiWindowFlags_AlwaysUseWindowPadding |
                                  ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoScrollbar |
                                  ImGuiWindowFlags_NoScrollWithMouse);
            ImGui::PopStyleVar();
            draw(info.id);
            ImGui::EndChild();
            ImGui::EndTabItem();
        }
        cell.select = -1;
        ImGui::EndTabBar();
    }
    ImGui::EndChild();
}

/// Drags weight between two neighbours; `total` pixels share a sum of weights of 1.
void splitter(const char* id, ImVec2 at, ImVec2 size, bool vertical, float total, float least,
              float& before, float& after, const Theme& theme) {
    ImGui::SetCursorScreenPos(at);
    ImGui::InvisibleButton(id, size);
    const bool active = ImGui::IsItemActive(), hovered = ImGui::IsItemHovered();
    if (hovered || active)
        ImGui::SetMouseCursor(vertical ? ImGuiMouseCursor_ResizeEW : ImGuiMouseCursor_ResizeNS);
    if (active) {
        const ImVec2 delta = ImGui::GetIO().MouseDelta;
        const float sum = before + after;
        const float low = std::min(least / total, sum / 2);
        before = std::clamp(before + (vertical ? delta.x : delta.y) / total, low, sum - low);
        after = sum - before;
    }
    if (hovered && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left))
        before = after = (before + after) / 2;
    if (active || hovered)
        ImGui::GetWindowDrawList()->AddRectFilled(at, {at.x + size.x, at.y + size.y},
                                                  with_alpha(theme.selection, active ? 0.6f : 0.3f),
                                                  theme.px(2));
}

}  // namespace

void draw_workspace(Workspace& workspace, const Theme& theme,
                    const std::function<void(PanelId)>& draw) {
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const ImVec2 room = ImGui::GetContentRegionAvail();
    const float gap = std::round(theme.px(kGap));
    Move move;
    float x = origin.x;
    auto& columns = workspace.columns;
    const float width_total = room.x - gap * static_cast<float>(columns.size() - 1);
    for (std::size_t c = 0; c < columns.size(); ++c) {
        ImGui::PushID(static_cast<int>(c));
        const bool last_column = c + 1 == columns.size();
        const float width =
            last_column ? origin.x + room.x - x : std::round(width_total * columns[c].weight);
        auto& cells = columns[c].cells;
        const float height_total = room.y - gap * static_cast<float>(cells.size() - 1);
        float y = origin.y;
        for (std::size_t r = 0; r < cells.size(); ++r) {
            ImGui::PushID(static_cast<int>(r));
            const bool last_row = r + 1 == cells.size();
            const float height =
                last_row ? origin.y + room.y - y : std::round(height_total * cells[r].weight);
            ImGui::SetCursorScreenPos({x, y});
            draw_cell(workspace, c, r, theme, {width, height}, draw, move);
            y += height;
            if (!last_row)
                splitter("row", {x, y}, {width, gap}, false, height_total, theme.px(kMinRow),
                         cells[r].weight, cells[r + 1].weight, theme);
            y += gap;
            ImGui::PopID();
        }
        x += width;
        if (!last_column)
            splitter("column", {x, origin.y}, {gap, room.y}, true, width_total,
                     theme.px(kMinColumn), columns[c].weight, columns[c + 1].weight, theme);
        x += gap;
        ImGui::PopID();
    }
    switch (move.kind) {
        case Move::Kind::None:
            break;
        case Move::Kind::Close:
            workspace.close(move.panel);
            break;
        case Move::Kind::Cell:
            workspace.move(move.panel, move.column, move.cell);
            break;
        case Move::Kind::NewColumn:
            workspace.to_new_column(move.panel);
            break;
        case Move::Kind::NewRow:
            workspace.to_new_row(move.panel, move.column);
            break;
    }
}

}  // namespace e2k::ui
