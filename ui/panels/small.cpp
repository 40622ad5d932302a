#include "ui/panels/small.h"

#include <fmt/format.h>

#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/panels/bundles.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

std::string frame_text(const Scene& scene, std::size_t depth) {
    const machine::FrameView& frame = scene.now.frames[depth];
    return fmt::format("{:2}  {}  {}  %r {}–{}", depth, place(scene.symbols(), frame.ip),
                       hex(frame.ip), frame.window_index,
                       frame.window_index + std::max<unsigned>(frame.size, 1) - 1);
}

/// A line that selects, follows a double click and has the bundle menu.
void address_line(const Scene& scene, std::uint64_t address, const std::string& text, bool current,
                  machine::CommandSink& sink) {
    const Theme& theme = scene.theme;
    Ink ink(scene);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    if (ImGui::Selectable("##line", scene.selection.bundle == address,
                          ImGuiSelectableFlags_AllowDoubleClick, {0, theme.row()})) {
        scene.selection.bundle = address;
        scene.selection.go_to = address;
    }
    if (ImGui::IsItemHovered()) scene.selection.hover_bundle = address;
    if (ImGui::BeginPopupContextItem("menu")) {
        bundle_menu(scene, address, sink);
        ImGui::EndPopup();
    }
    if (current) ink.fill(at, {at.x + theme.px(4), at.y + theme.row()}, theme.current);
    ink.text_fit({at.x + theme.px(8), at.y + theme.px(1)},
                 ImGui::GetContentRegionAvail().x - theme.px(8), current ? theme.text : theme.dim,
                 text);
    ink.end_row();
}

}  // namespace

void draw_call_stack(const Scene& scene, CallStackState&, machine::CommandSink& sink) {
    if (scene.now.frames.empty()) {
        empty_state(scene, tr("No call stack"), tr("Procedures appear when the program stops."));
        return;
    }
    ImGui::BeginChild("frames", {0, 0}, false);
    ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {0, 0});
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(scene.now.frames.size()), scene.theme.row());
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            const auto depth = static_cast<std::size_t>(i);
            ImGui::PushID(i);
            address_line(scene, scene.now.frames[depth].ip, frame_text(scene, depth), i == 0, sink);
            ImGui::PopID();
        }
    }
    ImGui::PopStyleVar();
    ImGui::EndChild();
}

std::string call_stack_text(const Scene& scene, const CallStackState&) {
    std::string out;
    for (std::size_t i = 0; i < scene.now.frames.size(); ++i) out += frame_text(scene, i) + "\n";
    return out;
}

void draw_breakpoints(const Scene& scene, BreakpointsState& state, machine::CommandSink& sink) {
    const Theme& theme = scene.theme;
    ImGui::SetNextItemWidth(
        std::max(theme.px(60), ImGui::GetContentRegionAvail().x - theme.px(64)));
    const bool entered =
        ImGui::InputTextWithHint("##place", tr("address or symbol"), state.place,
                                 sizeof state.place, ImGuiInputTextFlags_EnterReturnsTrue);
    ImGui::SameLine();
    if ((ImGui::Button(tr("Add"), {-1, 0}) || entered) && state.place[0]) {
        const std::uint64_t address = resolve_place(state.place, scene.symbols());
        if (address) {
            sink.send(machine::SetBreakpoint{address, true});
            state.place[0] = 0;
            state.error.clear();
        } else {
            state.error =
                trf("\"{}\" is no symbol and no hexadecimal address", std::string(state.place));
        }
    }
    if (!state.error.empty())
        ImGui::TextColored(ImGui::ColorConvertU32ToFloat4(theme.error), "%s", state.error.c_str());
    if (scene.now.breakpoints.empty()) {
        empty_state(scene, tr("No breakpoints"),
                    tr("Click the gutter of a bundle, press F9, or name a symbol above."));
        return;
    }
    ImGui::BeginChild("list", {0, 0}, false);
    for (std::uint64_t address : scene.now.breakpoints) {
        ImGui::PushID(reinterpret_cast<const void*>(static_cast<std::uintptr_t>(address)));
        Ink ink(scene);
        const ImVec2 at = ImGui::GetCursorScreenPos();
        if (ImGui::InvisibleButton("remove", {theme.row(), theme.row()}))
            sink.send(machine::SetBreakpoint{address, false});
        ink.dot({at.x + theme.row() / 2, at.y + theme.row() / 2}, theme.font_px() * 0.34f,
                theme.breakpoint, !ImGui::IsItemHovered());
        if (ImGui::IsItemHovered()) tool_tip(theme, tr("Remove"));
        ImGui::SameLine(0, 2);
        address_line(scene, address, place(scene.symbols(), address) + "  " + hex(address),
                     address == scene.now.ip, sink);
        ImGui::PopID();
    }
    ImGui::EndChild();
}

std::string breakpoints_text(const Scene& scene, const BreakpointsState&) {
    std::string out;
    for (std::uint64_t address : scene.now.breakpoints)
        out += place(scene.symbols(), address) + "  " + hex(address) + "\n";
    return out;
}

}  // namespace e2k::ui
