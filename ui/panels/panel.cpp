#include "ui/panels/panel.h"

#include <array>

namespace e2k::ui {

namespace {

using machine::CommandSink;

/// A row of the list from a panel's state member and its two functions. `Fresh`: its state belongs
/// to a program and goes with it.
template <auto Member, auto Draw, auto Text, bool Fresh>
constexpr PanelInfo row(PanelId id, const char* title, const char* key, const char* places,
                        const char* help) {
    return {
        id,
        kPanelNames[static_cast<std::size_t>(id)],
        title,
        help,
        key,
        places,
        [](const Scene& scene, PanelStates& states, CommandSink& sink) {
            Draw(scene, states.*Member, sink);
        },
        [](const Scene& scene, const PanelStates& states) { return Text(scene, states.*Member); },
        [](PanelStates& states) {
            if constexpr (Fresh) states.*Member = {};
        }};
}

using S = PanelStates;

constexpr std::array<PanelInfo, kPanels> kList = {
    row<&S::bundles, draw_bundles, bundles_text, true>(
        PanelId::Bundles, "Bundles", "Alt+1", "aaaaaa",
        "The program, one wide instruction a row: a cell for each unit that works in that cycle"),
    row<&S::registers, draw_registers, registers_text, false>(
        PanelId::Registers, "Register windows", "Alt+2", "ccccdd",
        "Registers of the current procedure and where its window lies in the register file"),
    row<&S::host_code, draw_host_code, host_code_text, true>(
        PanelId::HostCode, "Host code", "Alt+3", "de--cb",
        "The x86-64 instructions the translator made of the region at the cursor"),
    row<&S::syscalls, draw_syscalls, syscalls_text, false>(
        PanelId::Syscalls, "System calls", "Alt+4", "bfbebd", "What the program asked of Linux"),
    row<&S::console, draw_console, console_text, true>(
        PanelId::Console, "Console", "Alt+5", "bbbebd",
        "What the program prints; its standard input"),
    row<&S::call_stack, draw_call_stack, call_stack_text, false>(
        PanelId::CallStack, "Call stack", "Alt+6", "cdccdd", "Procedures on the chain stack"),
    row<&S::breakpoints, draw_breakpoints, breakpoints_text, false>(
        PanelId::Breakpoints, "Breakpoints", "Alt+7", "bbccbd", "Where the program will stop"),
    row<&S::memory, draw_memory, memory_text, true>(
        PanelId::Memory, "Memory", "Alt+8", "cdccdd",
        "Bytes of the program's memory at the last stop"),
    row<&S::xray, draw_xray, xray_text, false>(
        PanelId::Xray, "X-ray", "Alt+9", "aaBBaa",
        "The current bundle taken apart: what it reads, computes and writes, before it does"),
    row<&S::state, draw_state, state_text, false>(
        PanelId::State, "Predicates · loop", "Alt+0", "cccddd",
        "Predicates, prepared transfers, the loop and the array access unit"),
    row<&S::quality, draw_quality, quality_text, false>(
        PanelId::Quality, "Quality", "Alt+Q", "de--cc",
        "All translated regions: executions, share of the work, host instructions an operation"),
    row<&S::lesson, draw_lesson, lesson_text, false>(
        PanelId::Lesson, "Lesson", "Alt+L", "de----",
        "Lessons that play beside the panels: read, predict, look"),
    row<&S::source, draw_source, source_text, false>(
        PanelId::Source, "Source", "Alt+S", "aaaaaa",
        "The program's assembler source: change it, F6 assembles it and starts again"),
};

constexpr bool in_order() {
    for (std::size_t i = 0; i < kList.size(); ++i) {
        if (kList[i].id != static_cast<PanelId>(i)) return false;
        if (std::string_view(kList[i].places).size() != 6) return false;
    }
    return true;
}
static_assert(in_order(), "the rows stand in the order of PanelId");

}  // namespace

const PanelInfo& panel_info(PanelId id) { return kList[static_cast<std::size_t>(id)]; }

std::span<const PanelInfo> panels() { return kList; }

std::optional<PanelId> panel_by_name(std::string_view name) {
    for (const PanelInfo& info : kList) {
        if (name == info.name) return info.id;
    }
    return std::nullopt;
}

}  // namespace e2k::ui
