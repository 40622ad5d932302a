// What menus, tool bar and keyboard can ask for: one table, so that every key is shown where its
// action is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace e2k::ui {

enum class Action : std::uint8_t {
    Open,
    Quit,
    RunPause,
    StepInto,
    StepOver,
    StepOut,
    Restart,
    Kill,
    ToggleBreakpoint,
    GoTo,
    ShowCurrent,
    Back,
    Forward,
    LayoutDebug,
    LayoutTeach,
    LayoutTranslate,
    ResetLayout,
    ToggleTheme,
    FontLarger,
    FontSmaller,
    Palette,
    Find,
    English,
    Russian,
    EndOfFile,
    Assemble,
    SaveSource,
};

struct ActionInfo {
    Action action;
    const char* name;  ///< menu text
    const char* keys;  ///< "Shift+F11", "" = none
    const char* help;  ///< tool tip
};

std::span<const ActionInfo> actions();
const ActionInfo& action_info(Action action);
/// The action whose keys were pressed this frame, if any.
std::optional<Action> pressed_action();

/// Were these keys pressed this frame, with just these modifiers?
bool keys_pressed(std::string_view keys);
/// Parses "Ctrl+Shift+F5" or "G" into a GLFW key and modifiers; false if it names no key.
bool parse_keys(std::string_view text, int& key, bool& ctrl, bool& shift, bool& alt);

}  // namespace e2k::ui
