#include "ui/panels/panel.h"

#include <array>

#include "ui/workbench.h"

namespace e2k::ui {

namespace {

using machine::CommandSink;

/// A row of the list from a panel's state member and its two functions.
template <auto Member, auto Draw, auto Text>
constexpr PanelInfo row(PanelId id, const char* name, const char* title, const char* help) {
    return {
        id,
        name,
        title,
        help,
        [](const Scene& scene, PanelStates& states, CommandSink& sink) {
            Draw(scene, states.*Member, sink);
        },
        [](const Scene& scene, const PanelStates& states) { return Text(scene, states.*Member); }};
}

constexpr std::array<PanelInfo, kPanels> kList = {
    row<&PanelStates::bundles, draw_bundles, bundles_text>(
        PanelId::Bundles, "bundles", "Bundles",
        "The program, one wide instruction a row: a cell for each unit that works in that cycle"),
    row<&PanelStates::registers, draw_registers, registers_text>(
        PanelId::Registers, "registers", "Register windows",
        "Registers of the current procedure and where its window lies in the register file"),
    row<&PanelStates::host_code, draw_host_code, host_code_text>(
        PanelId::HostCode, "host-code", "Host code",
        "The x86-64 instructions the translator made of the region at the cursor"),
    row<&PanelStates::syscalls, draw_syscalls, syscalls_text>(
        PanelId::Syscalls, "syscalls", "System calls", "What the program asked of Linux"),
    row<&PanelStates::console, draw_console, console_text>(
        PanelId::Console, "console", "Console", "What the program prints; its standard input"),
    row<&PanelStates::call_stack, draw_call_stack, call_stack_text>(
        PanelId::CallStack, "call-stack", "Call stack", "Procedures on the chain stack"),
    row<&PanelStates::breakpoints, draw_breakpoints, breakpoints_text>(
        PanelId::Breakpoints, "breakpoints", "Breakpoints", "Where the program will stop"),
    row<&PanelStates::memory, draw_memory, memory_text>(
        PanelId::Memory, "memory", "Memory", "Bytes of the program's memory at the last stop"),
};

constexpr bool named_as_promised() {
    for (std::size_t i = 0; i < kList.size(); ++i) {
        if (kList[i].id != static_cast<PanelId>(i)) return false;
        if (std::string_view(kList[i].name) != kPanelNames[i]) return false;
    }
    return kList.size() == kPanelNames.size();
}
static_assert(named_as_promised(), "kPanelNames of ui/workbench.h lists the same panels");

}  // namespace

const PanelInfo& panel_info(PanelId id) { return kList[static_cast<std::size_t>(id)]; }

std::optional<PanelId> panel_by_name(std::string_view name) {
    for (const PanelInfo& info : kList) {
        if (name == info.name) return info.id;
    }
    return std::nullopt;
}

}  // namespace e2k::ui
