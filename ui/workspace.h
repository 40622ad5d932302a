// Columns and rows of tabbed cells that fill the window; Dear ImGui 1.86 has no docking.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "ui/panels/panel.h"

namespace e2k::ui {

struct Cell {
    float weight = 1;
    std::vector<PanelId> tabs;
    int active = 0;
    int select = -1;  ///< tab to bring to the front in the next frame
};

struct Column {
    float weight = 1;
    std::vector<Cell> cells;
};

struct Workspace {
    std::string layout = "debug";
    std::vector<Column> columns;

    bool shows(PanelId panel) const;
    /// Brings the panel's tab to the front, adding it where there is most room if it is closed.
    void reveal(PanelId panel);
    void close(PanelId panel);
    void move(PanelId panel, std::size_t column, std::size_t cell);
    void to_new_column(PanelId panel);
    void to_new_row(PanelId panel, std::size_t column);
};

/// The named arrangement as delivered. `wide` windows get three columns.
Workspace default_workspace(const std::string& layout, bool wide);

nlohmann::json to_json(const Workspace& workspace);
/// The saved arrangement, or `fallback` if the text does not describe one.
Workspace workspace_from_json(const nlohmann::json& json, const Workspace& fallback);

/// Fills the rest of the current window; `draw` draws a panel into the current child window.
void draw_workspace(Workspace& workspace, const Theme& theme,
                    const std::function<void(PanelId)>& draw);

}  // namespace e2k::ui
