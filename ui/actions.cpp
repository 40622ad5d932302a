#include "ui/actions.h"

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#include <imgui_internal.h>

#include <array>
#include <charconv>

namespace e2k::ui {

namespace {

constexpr std::array kActions = {
    ActionInfo{Action::Open, "Open…", "Ctrl+O", "Open a program"},
    ActionInfo{Action::Quit, "Quit", "Ctrl+Q", "Close the workbench"},
    ActionInfo{Action::RunPause, "Run / Pause", "F5", "Run the program, or stop it where it is"},
    ActionInfo{Action::StepInto, "Step into", "F11", "Execute one bundle"},
    ActionInfo{Action::StepOver, "Step over", "F10",
               "Execute one bundle; a call runs until it returns"},
    ActionInfo{Action::StepOut, "Step out", "Shift+F11", "Run until this procedure returns"},
    ActionInfo{Action::Restart, "Restart", "Ctrl+Shift+F5",
               "Start the program again, stopped before its first bundle"},
    ActionInfo{Action::Kill, "Kill", "Shift+F5", "End the program"},
    ActionInfo{Action::ToggleBreakpoint, "Toggle breakpoint", "F9",
               "Break before the selected bundle"},
    ActionInfo{Action::GoTo, "Go to…", "Ctrl+G", "Show an address or symbol"},
    ActionInfo{Action::ShowCurrent, "Show current bundle", "Alt+Home",
               "Back to where the program stands"},
    ActionInfo{Action::Back, "Back", "Alt+Left", "Place shown before"},
    ActionInfo{Action::Forward, "Forward", "Alt+Right", "Undo Back"},
    ActionInfo{Action::LayoutDebug, "Debug", "Ctrl+1",
               "Bundles, registers, host code, calls, console"},
    ActionInfo{Action::LayoutTeach, "Teach", "Ctrl+2", "Bundles and registers, large"},
    ActionInfo{Action::LayoutTranslate, "Translate", "Ctrl+3",
               "Bundles and host code side by side"},
    ActionInfo{Action::ResetLayout, "Reset this layout", "", "Undo moved tabs and splitters"},
    ActionInfo{Action::ToggleTheme, "Light theme", "", "Dark or light colours"},
    ActionInfo{Action::FontLarger, "Larger text", "Ctrl+=", "Larger text everywhere"},
    ActionInfo{Action::FontSmaller, "Smaller text", "Ctrl+-", "Smaller text everywhere"},
    ActionInfo{Action::Palette, "Command palette", "Ctrl+P",
               "Every action, panel, symbol, address and demo by name"},
    ActionInfo{Action::Find, "Find in the code…", "Ctrl+F", "Look for text in the whole section"},
    ActionInfo{Action::English, "English", "", "Texts in English"},
    ActionInfo{Action::Russian, "Русский", "", "Texts in Russian"},
    ActionInfo{Action::EndOfFile, "End of input", "Ctrl+D", "End of the program's standard input"},
    ActionInfo{Action::Assemble, "Assemble and restart", "F6",
               "Assemble the source as it stands in the window and start it"},
    ActionInfo{Action::SaveSource, "Save source", "Ctrl+S", "Write the source to its file"},
};

struct NamedKey {
    std::string_view name;
    int key;
};
constexpr std::array kNamedKeys = {
    NamedKey{"Home", GLFW_KEY_HOME},      NamedKey{"End", GLFW_KEY_END},
    NamedKey{"Left", GLFW_KEY_LEFT},      NamedKey{"Right", GLFW_KEY_RIGHT},
    NamedKey{"Up", GLFW_KEY_UP},          NamedKey{"Down", GLFW_KEY_DOWN},
    NamedKey{"PageUp", GLFW_KEY_PAGE_UP}, NamedKey{"PageDown", GLFW_KEY_PAGE_DOWN},
    NamedKey{"Enter", GLFW_KEY_ENTER},    NamedKey{"Escape", GLFW_KEY_ESCAPE},
    NamedKey{"Tab", GLFW_KEY_TAB},        NamedKey{"Space", GLFW_KEY_SPACE},
    NamedKey{"Delete", GLFW_KEY_DELETE},  NamedKey{"Backspace", GLFW_KEY_BACKSPACE},
    NamedKey{"=", GLFW_KEY_EQUAL},        NamedKey{"-", GLFW_KEY_MINUS},
};

int key_by_name(std::string_view name) {
    for (const NamedKey& named : kNamedKeys) {
        if (named.name == name) return named.key;
    }
    if (name.size() == 1) {
        const char c = name[0];
        if (c >= 'A' && c <= 'Z') return GLFW_KEY_A + (c - 'A');
        if (c >= 'a' && c <= 'z') return GLFW_KEY_A + (c - 'a');
        if (c >= '0' && c <= '9') return GLFW_KEY_0 + (c - '0');
    }
    if (name.size() >= 2 && name[0] == 'F') {
        int number = 0;
        const auto [end, error] =
            std::from_chars(name.data() + 1, name.data() + name.size(), number);
        if (error == std::errc() && end == name.data() + name.size() && number >= 1 && number <= 25)
            return GLFW_KEY_F1 + number - 1;
    }
    return -1;
}

}  // namespace

std::span<const ActionInfo> actions() { return kActions; }

const ActionInfo& action_info(Action action) { return kActions[static_cast<std::size_t>(action)]; }

bool parse_keys(std::string_view text, int& key, bool& ctrl, bool& shift, bool& alt) {
    ctrl = shift = alt = false;
    while (true) {
        const std::size_t plus = text.find('+');
        if (plus == std::string_view::npos || plus + 1 >= text.size()) break;
        const std::string_view name = text.substr(0, plus);
        if (name == "Ctrl") {
            ctrl = true;
        } else if (name == "Shift") {
            shift = true;
        } else if (name == "Alt") {
            alt = true;
        } else {
            return false;
        }
        text.remove_prefix(plus + 1);
    }
    key = key_by_name(text);
    return key >= 0;
}

bool keys_pressed(std::string_view keys) {
    const ImGuiIO& io = ImGui::GetIO();
    int key = -1;
    bool ctrl = false, shift = false, alt = false;
    if (!parse_keys(keys, key, ctrl, shift, alt)) return false;
    if (io.KeyCtrl != ctrl || io.KeyShift != shift || io.KeyAlt != alt) return false;
    // Dear ImGui 1.86 indexes keys by GLFW's codes. Holding a step key repeats it.
    if (!ImGui::IsKeyPressed(key, true)) return false;
    // Alt alone leads into the menu bar; this is not Alt alone.
    if (alt) ImGui::GetCurrentContext()->NavWindowingToggleLayer = false;
    return true;
}

std::optional<Action> pressed_action() {
    for (const ActionInfo& info : kActions)
        if (keys_pressed(info.keys)) return info.action;
    return std::nullopt;
}

}  // namespace e2k::ui
