// The list of panels. A panel is one file: its state, a pure draw function over the scene, and the
// same rows as plain text.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ui/panel_names.h"
#include "ui/panels/bundles.h"
#include "ui/panels/console.h"
#include "ui/panels/host_code.h"
#include "ui/panels/lesson.h"
#include "ui/panels/memory.h"
#include "ui/panels/quality.h"
#include "ui/panels/registers.h"
#include "ui/panels/small.h"
#include "ui/panels/source.h"
#include "ui/panels/state.h"
#include "ui/panels/syscalls.h"
#include "ui/panels/xray.h"
#include "ui/scene.h"

namespace e2k::ui {

struct PanelStates {
    BundlesState bundles;
    RegistersState registers;
    HostCodeState host_code;
    SyscallsState syscalls;
    ConsoleState console;
    CallStackState call_stack;
    BreakpointsState breakpoints;
    MemoryState memory;
    XrayState xray;
    StateState state;
    QualityState quality;
    LessonState lesson;
    SourceState source;
};

/// One row of the list: all that the frame around the panels knows about a panel.
struct PanelInfo {
    PanelId id;
    const char* name;   ///< on the command line and in settings
    const char* title;  ///< on the tab, in English (ui/text.h)
    const char* help;   ///< tool tip of the tab
    const char* key;    ///< shows the panel
    /// Its cell (a, b, …; ui/workspace.cpp) in each default layout, - if it is not in it, a
    /// capital if it is in front: debug,
    /// teach, translate, of each for narrow and wide windows.
    const char* places;
    void (*draw)(const Scene&, PanelStates&, machine::CommandSink&);
    std::string (*text)(const Scene&, const PanelStates&);
    void (*reset)(PanelStates&);  ///< another program was opened
};

const PanelInfo& panel_info(PanelId id);
/// In the order of PanelId.
std::span<const PanelInfo> panels();
std::optional<PanelId> panel_by_name(std::string_view name);

}  // namespace e2k::ui
