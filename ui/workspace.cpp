#include "ui/workspace.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <imgui_internal.h>
#include <nlohmann/json.hpp>

#include "ui/ink.h"
#include "ui/scoped.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

constexpr float kGap = 5;  ///< splitter thickness, unscaled
constexpr float kMinColumn = 160, kMinRow = 90;

/// Weights of an arrangement: columns, and in each its cells, named a, b, … in reading order. Which
/// panels they hold stands in the panels' rows.
struct Skeleton {
    struct Column {
        float weight;
        std::vector<float> cells;
    };
    const char* layout;
    int place;  ///< of PanelInfo::places, for narrow windows; wide ones have the next
    std::vector<Column> narrow, wide;
};

const std::vector<Skeleton>& skeletons() {
    static const std::vector<Skeleton> all = {
        {"debug",
         0,
         {{0.60f, {0.68f, 0.32f}}, {0.40f, {0.56f, 0.44f}}},
         {{0.45f, {0.70f, 0.30f}}, {0.26f, {0.72f, 0.28f}}, {0.29f, {0.62f, 0.38f}}}},
        {"teach",
         2,
         {{0.60f, {0.55f, 0.45f}}, {0.40f, {0.62f, 0.38f}}},
         {{0.56f, {0.58f, 0.42f}}, {0.44f, {0.42f, 0.34f, 0.24f}}}},
        {"translate",
         4,
         {{0.48f, {0.74f, 0.26f}}, {0.52f, {0.70f, 0.30f}}},
         {{0.36f, {1}}, {0.34f, {1}}, {0.30f, {0.55f, 0.45f}}}},
    };
    return all;
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
    const auto& all = skeletons();
    auto skeleton = std::ranges::find_if(all, [&](const auto& s) { return layout == s.layout; });
    if (skeleton == all.end()) skeleton = all.begin();
    Workspace out;
    out.layout = skeleton->layout;
    char cell = 'a';
    for (const Skeleton::Column& from : wide ? skeleton->wide : skeleton->narrow) {
        Column& column = out.columns.emplace_back(Column{from.weight, {}});
        for (const float weight : from.cells) {
            Cell& to = column.cells.emplace_back(Cell{weight, {}});
            for (const PanelInfo& panel : panels()) {
                const char place = panel.places[skeleton->place + (wide ? 1 : 0)];
                const bool in_front = place == cell - 'a' + 'A';
                if (in_front) to.active = static_cast<int>(to.tabs.size());
                if (place == cell || in_front) to.tabs.push_back(panel.id);
            }
            ++cell;
        }
    }
    tidy(out);
    return out;
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
    const scoped::Scope menu = scoped::context_menu();
    if (!menu) return;
    ImGui::TextDisabled("%s", tr("Move to"));
    for (std::size_t c = 0; c < workspace.columns.size(); ++c) {
        for (std::size_t r = 0; r < workspace.columns[c].cells.size(); ++r) {
            const Cell& cell = workspace.columns[c].cells[r];
            if (std::find(cell.tabs.begin(), cell.tabs.end(), panel) != cell.tabs.end()) continue;
            const std::string label = trf("beside {}", tr(panel_info(cell.tabs[0]).title));
            if (ImGui::MenuItem(label.c_str())) move = {Move::Kind::Cell, panel, c, r};
        }
    }
    if (ImGui::MenuItem(tr("a new row below"))) move = {Move::Kind::NewRow, panel, own_column, 0};
    if (ImGui::MenuItem(tr("a new column"))) move = {Move::Kind::NewColumn, panel, 0, 0};
    ImGui::Separator();
    if (ImGui::MenuItem(tr("Close"))) move = {Move::Kind::Close, panel, 0, 0};
}

void draw_cell(Workspace& workspace, std::size_t column, std::size_t index, const Theme& theme,
               ImVec2 size, const std::function<void(PanelId)>& draw, Move& move) {
    Cell& cell = workspace.columns[column].cells[index];
    const auto child = scoped::child(
        "cell", size, ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
    const auto bar = scoped::tab_bar(
        "tabs", ImGuiTabBarFlags_FittingPolicyResizeDown | ImGuiTabBarFlags_NoTooltip);
    if (!bar) return;
    for (std::size_t t = 0; t < cell.tabs.size(); ++t) {
        const PanelInfo& info = panel_info(cell.tabs[t]);
        const ImGuiTabItemFlags flags = cell.select == static_cast<int>(t)
                                            ? ImGuiTabItemFlags_SetSelected
                                            : ImGuiTabItemFlags_None;
        // The part behind ### is what Dear ImGui knows the tab by, in every language.
        const std::string label = fmt::format("{}###{}", tr(info.title), info.name);
        const bool open = ImGui::BeginTabItem(label.c_str(), nullptr, flags);
        tab_menu(workspace, info.id, column, move);
        if (ImGui::IsItemHovered()) tool_tip(theme, fmt::format("{}\n{}", tr(info.help), info.key));
        if (!open) continue;
        cell.active = static_cast<int>(t);
        const ImVec2 tab = ImGui::GetItemRectMin();
        ImGui::GetWindowDrawList()->AddRectFilled(
            tab, {ImGui::GetItemRectMax().x, tab.y + theme.px(2)}, theme.selection, theme.px(2));
        {
            ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {theme.px(6), theme.px(4)});
            const auto panel = scoped::child(
                info.name, {0, 0},
                ImGuiWindowFlags_AlwaysUseWindowPadding | ImGuiWindowFlags_NoBackground |
                    ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
            ImGui::PopStyleVar();
            draw(info.id);
        }
        ImGui::EndTabItem();
    }
    cell.select = -1;
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
