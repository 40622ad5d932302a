// The list of panels. A panel is one file: its state, a pure draw function over the scene, and the
// same rows as plain text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ui/panels/bundles.h"
#include "ui/panels/console.h"
#include "ui/panels/host_code.h"
#include "ui/panels/memory.h"
#include "ui/panels/registers.h"
#include "ui/panels/small.h"
#include "ui/panels/syscalls.h"
#include "ui/scene.h"

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
};
inline constexpr int kPanels = 8;

struct PanelStates {
    BundlesState bundles;
    RegistersState registers;
    HostCodeState host_code;
    SyscallsState syscalls;
    ConsoleState console;
    CallStackState call_stack;
    BreakpointsState breakpoints;
    MemoryState memory;
};

struct PanelInfo {
    PanelId id;
    const char* name;   ///< on the command line and in settings
    const char* title;  ///< on the tab
    const char* help;   ///< tool tip of the tab
    void (*draw)(const Scene&, PanelStates&, machine::CommandSink&);
    std::string (*text)(const Scene&, const PanelStates&);
};

const PanelInfo& panel_info(PanelId id);
std::optional<PanelId> panel_by_name(std::string_view name);

}  // namespace e2k::ui
