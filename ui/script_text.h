// The text of a script as commands: everything that can be known to be wrong without a window is
// found before the first command runs (ui/README.md lists the commands).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "ui/workspace.h"

namespace e2k::ui {

enum class ScriptVerb : std::uint8_t {
    Wait,
    Frames,
    Key,
    Mouse,
    Type,
    Open,
    Run,
    Pause,
    Step,
    Over,
    Out,
    Restart,
    Break,
    RunTo,
    GoTo,
    Input,
    Clock,
    Layout,
    Show,
    Dump,
    Drawn,
    Screenshot,
    Quit,
};

struct ScriptKey {
    int key = 0;  ///< GLFW's number
    bool ctrl = false, shift = false, alt = false;
};

struct ScriptMouse {
    float x = 0, y = 0;  ///< pixels of the window
    bool left = false, right = false;
};

/// One line of a script; which of the members count depends on the verb.
struct ScriptCommand {
    ScriptVerb verb = ScriptVerb::Wait;
    std::string line;              ///< as written, for messages
    std::string argument;          ///< text behind the verb; of Wait what is waited for
    std::uint64_t count = 1;       ///< Frames, Step
    double timeout = 30;           ///< seconds, Wait
    ScriptKey key;                 ///< Key
    ScriptMouse mouse;             ///< Mouse
    std::optional<PanelId> panel;  ///< Show, Dump, Drawn
};

/// The commands in order; empty lines and those that begin with # are left out. The error names the
/// line at fault.
tl::expected<std::vector<ScriptCommand>, std::string> parse_script(std::string_view text);

}  // namespace e2k::ui
