// The panels by name: known without the window's module, for help texts and completion. What a
// panel is stands in its row of panels/panel.cpp.
#pragma once

#include <array>
#include <cstdint>

namespace e2k::ui {

enum class PanelId : std::uint8_t {
    Bundles,
    Registers,
    HostCode,
    Syscalls,
    Console,
    CallStack,
    Breakpoints,
    Memory,
    Xray,
    State,
    Quality,
    Lesson,
    Source,
};

/// Accepted by WorkbenchOptions::dump_panels, scripts and settings; in the order of PanelId.
inline constexpr std::array kPanelNames = {
    "bundles", "registers", "host-code", "syscalls", "console", "call-stack", "breakpoints",
    "memory",  "xray",      "state",     "quality",  "lesson",  "source"};
inline constexpr int kPanels = static_cast<int>(kPanelNames.size());

}  // namespace e2k::ui
