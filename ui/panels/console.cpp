#include "ui/panels/console.h"

#include <algorithm>

#include "ui/format.h"
#include "ui/ink.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

bool accepts_input(const Scene& scene, const ConsoleState& state) {
    using machine::RunState;
    return !state.end_of_file &&
           (scene.now.run_state == RunState::Paused || scene.now.run_state == RunState::Running);
}

/// Control characters would draw as boxes: show a tab as blanks and the rest as dots.
std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\t') {
            out.append(8 - columns(out) % 8, ' ');
        } else {
            out += byte < 0x20 || byte == 0x7f ? '.' : c;
        }
    }
    return out;
}

void draw_lines(const Scene& scene, ConsoleState& state, float height) {
    const Theme& theme = scene.theme;
    ImGui::BeginChild("output", {0, height}, false, ImGuiWindowFlags_HorizontalScrollbar);
    const auto& lines = scene.logs.console();
    const float line_height = theme.row() * 0.93f;
    float widest = 0;
    ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {0, 0});
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(lines.size()), line_height);
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            Ink ink(scene);
            const Logs::Line& line = lines[static_cast<std::size_t>(i)];
            const ImVec2 at = ImGui::GetCursorScreenPos();
            const ImU32 colour = line.fd == 2   ? theme.error
                                 : line.fd == 0 ? theme.selection
                                                : theme.text;
            if (line.fd == 2)
                ink.fill({at.x, at.y + 1}, {at.x + theme.px(2), at.y + line_height - 1},
                         theme.error);
            const std::string text = printable(line.text);
            const float x = ink.text({at.x + theme.px(6), at.y}, colour, text);
            ink.end_row();
            widest = std::max(widest, x - at.x);
            ImGui::Dummy({widest, line_height});
        }
    }
    ImGui::PopStyleVar();
    if (state.follow && ImGui::GetScrollY() < ImGui::GetScrollMaxY())
        ImGui::SetScrollY(ImGui::GetScrollMaxY() + line_height);
    if (ImGui::IsWindowHovered() && ImGui::GetIO().MouseWheel > 0) state.follow = false;
    if (ImGui::IsWindowHovered() && ImGui::GetIO().MouseWheel < 0 &&
        ImGui::GetScrollY() >= ImGui::GetScrollMaxY() - line_height * 4)
        state.follow = true;
    if (ImGui::BeginPopupContextWindow("menu")) {
        if (ImGui::MenuItem(tr("Copy all"))) {
            std::string all;
            for (const Logs::Line& line : lines) all += line.text + "\n";
            ImGui::SetClipboardText(all.c_str());
        }
        ImGui::MenuItem(tr("Follow"), nullptr, &state.follow);
        ImGui::EndPopup();
    }
    ImGui::EndChild();
}

void draw_input(const Scene& scene, ConsoleState& state, machine::CommandSink& sink) {
    const bool open = accepts_input(scene, state);
    ImGui::BeginDisabled(!open);
    ImGui::PushFont(scene.theme.mono);
    ImGui::SetNextItemWidth(-scene.theme.px(60));
    if (state.focus) {
        ImGui::SetKeyboardFocusHere();
        state.focus = false;
    }
    const char* hint = state.end_of_file       ? tr("end of file was sent")
                       : scene.now.reads_input ? tr("the program waits for this line: type, Enter")
                       : open                  ? tr("input for the program, Enter sends the line")
                                               : tr("the program reads no more input");
    if (ImGui::InputTextWithHint("##input", hint, state.input, sizeof state.input,
                                 ImGuiInputTextFlags_EnterReturnsTrue)) {
        std::string line = std::string(state.input) + "\n";
        state.echo += line;
        sink.send(machine::Input{std::move(line), false});
        state.input[0] = 0;
        state.focus = true;
    }
    ImGui::PopFont();
    ImGui::SameLine();
    if (ImGui::Button("EOF", {-1, 0})) {
        sink.send(machine::Input{"", true});
        state.end_of_file = true;
    }
    ImGui::EndDisabled();
    if (ImGui::IsItemHovered()) tool_tip(scene.theme, tr("End of the program's input (Ctrl+D)"));
}

}  // namespace

void draw_console(const Scene& scene, ConsoleState& state, machine::CommandSink& sink) {
    const float input = ImGui::GetFrameHeightWithSpacing();
    const float height = std::max(scene.theme.row(), ImGui::GetContentRegionAvail().y - input);
    if (scene.logs.console().empty()) {
        ImGui::BeginChild("output", {0, height}, false);
        empty_state(scene, tr("No output yet"),
                    tr("What the program writes to standard output and error."));
        ImGui::EndChild();
    } else {
        draw_lines(scene, state, height);
    }
    draw_input(scene, state, sink);
}

std::string console_text(const Scene& scene, const ConsoleState&) {
    std::string out;
    for (const Logs::Line& line : scene.logs.console()) out += printable(line.text) + "\n";
    return out;
}

}  // namespace e2k::ui
