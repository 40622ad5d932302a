// What the workbench remembers between runs, in $XDG_CONFIG_HOME/e2k-workbench.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ui/workspace.h"

namespace e2k::ui {

/// Files of config_folder(): these settings, and those of Dear ImGui.
inline constexpr const char* kSettingsFile = "workbench.json";
inline constexpr const char* kIniFile = "imgui.ini";

struct Settings {
    int width = 1440, height = 900;
    float font_size = 0;  ///< unscaled pixels, 0 = by the width of the window
    bool dark = true;
    std::string layout = "debug";
    std::string language;                         ///< "en", "ru"; "" = the locale's
    bool hints_closed = false;                    ///< the strip for the first use is not wanted
    float teach_font_size = 0;                    ///< of the Teach layout; 0 = kTeachFont
    std::map<std::string, Workspace> workspaces;  ///< by layout name; only those seen before
    std::vector<std::string> recent;              ///< programs, newest first
    std::string folder;                           ///< of the open dialog
    /// Pages read of lessons, by the names of their files.
    std::map<std::string, unsigned> lessons;
    bool scratch_said = false;  ///< the user knows where sandboxed programs work

    void remember_program(const std::string& path);
};

/// Folder of the settings, created if needed; "" if there is no place for it.
std::string config_folder();
/// What the text of a settings file says; defaults where it says nothing usable. Never fails.
Settings parse_settings(std::string_view text);
/// The text that parse_settings() reads back.
std::string settings_text(const Settings& settings);
/// What the file says; defaults where it is missing.
Settings load_settings(const std::string& folder);

}  // namespace e2k::ui
