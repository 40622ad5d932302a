#include "ui/panels/source.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <imgui_internal.h>

#include "ui/actions.h"
#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/scoped.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

using Asked = SourceState::Asked;

constexpr std::size_t kMostRegisters = 12;  ///< named among the changes

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (true) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return lines;
        text.remove_prefix(end + 1);
    }
}

std::string signed_change(std::uint64_t before, std::uint64_t after) {
    return after >= before ? "+" + decimal_grouped(after - before)
                           : "−" + decimal_grouped(before - after);
}

std::string end_text(const RunNote& run) {
    return run.state == machine::RunState::Exited     ? trf("exited with code {}", run.exit)
           : run.state == machine::RunState::Signaled ? trf("killed by signal {}", run.exit)
                                                      : std::string(tr("failed"));
}

void note_output(std::vector<std::string>& out, const RunNote& before, const RunNote& after) {
    if (before.output == after.output) return;
    const auto a = lines_of(before.output), b = lines_of(after.output);
    std::size_t at = 0;
    while (at < a.size() && at < b.size() && a[at] == b[at]) ++at;
    const auto shown = [&](const auto& lines) {
        return at < lines.size() ? std::string(lines[at].substr(0, 60)) : std::string("–");
    };
    out.push_back(trf("output, line {}: \"{}\" → \"{}\"", at + 1, shown(a), shown(b)));
}

// --- the text ---

int on_edit(ImGuiInputTextCallbackData* data) {
    auto& state = *static_cast<SourceState*>(data->UserData);
    if (data->EventFlag == ImGuiInputTextFlags_CallbackResize) {
        state.text.resize(static_cast<std::size_t>(data->BufTextLen));
        data->Buf = state.text.data();
        return 0;
    }
    if (state.select_from >= 0) {
        data->SelectionStart = state.select_from;
        data->SelectionEnd = data->CursorPos = state.select_to;
        state.select_from = -1;
    }
    state.cursor = data->CursorPos;
    return 0;
}

/// The child window that Dear ImGui makes for the text.
ImGuiWindow* text_window() {
    const ImGuiWindow* parent = ImGui::GetCurrentWindow();
    for (ImGuiWindow* window : ImGui::GetCurrentContext()->Windows)
        if (window->ParentWindow == parent &&
            std::string_view(window->Name).find("##text") != std::string_view::npos)
            return window;
    return nullptr;
}

struct Place {
    float left, top, bottom;  ///< of the gutter
    float width;
    float first;  ///< y of line 1
    float line;   ///< height
};

/// The line that control is at, from 1; 0: it is elsewhere.
int current_line(const Scene& scene, const SourceState& state) {
    const auto* source = scene.now.source.get();
    if (!source || state.program != scene.now.program || scene.running()) return 0;
    const machine::SourceLine* line = source->at(scene.now.ip);
    if (!line || source->files[line->file] != std::filesystem::path(state.program).filename())
        return 0;
    return line->line;
}

std::string messages_at(const SourceState& state, int line) {
    std::string out;
    for (const isa::AssemblyError& error : state.errors)
        if (error.file.empty() && error.line == line)
            out += (out.empty() ? "" : "\n") + error.message;
    return out;
}

void draw_gutter(const Scene& scene, const SourceState& state, const Place& place,
                 std::size_t count, machine::CommandSink& sink) {
    const Theme& theme = scene.theme;
    Ink ink(scene);
    const auto clip =
        scoped::clip({place.left, place.top}, {place.left + place.width, place.bottom}, true);
    const int current = current_line(scene, state);
    const auto addresses = line_addresses(state, scene, count);
    const ImVec2 mouse = ImGui::GetIO().MousePos;
    const bool inside = ImGui::IsWindowHovered() && mouse.x >= place.left &&
                        mouse.x < place.left + place.width && mouse.y >= place.top &&
                        mouse.y < place.bottom;
    const auto begin = static_cast<std::size_t>(
        std::max(0.0f, std::floor((place.top - place.first) / place.line)));
    for (std::size_t i = begin; i < count; ++i) {
        const float y = place.first + static_cast<float>(i) * place.line;
        if (y > place.bottom) break;
        const int line = static_cast<int>(i) + 1;
        const std::string wrong = messages_at(state, line);
        const std::uint64_t address = addresses[i];
        const ImVec2 end{place.left + place.width - theme.px(4), y + place.line};
        if (!wrong.empty()) ink.fill({place.left, y}, end, with_alpha(theme.error, 0.35f));
        if (line == current)
            ink.fill({place.left, y}, {place.left + theme.px(4), end.y}, theme.current);
        if (address && has_breakpoint(scene.now, address))
            ink.dot({place.left + theme.px(10), y + place.line / 2}, place.line * 0.28f,
                    theme.breakpoint);
        ink.text_right(end.x - theme.px(2), y, wrong.empty() ? theme.dim : theme.error,
                       std::to_string(line));
        if (!inside || mouse.y < y || mouse.y >= end.y) continue;
        if (!wrong.empty()) tool_tip(theme, wrong);
        if (address && ImGui::IsMouseClicked(ImGuiMouseButton_Left))
            sink.send(machine::SetBreakpoint{address, !has_breakpoint(scene.now, address)});
    }
}

/// A line under what is wrong.
void underline_errors(const Scene& scene, const SourceState& state, ImGuiWindow& window,
                      const Place& place, const std::vector<std::string_view>& lines) {
    const Theme& theme = scene.theme;
    const ImRect& room = window.InnerClipRect;
    window.DrawList->PushClipRect(room.Min, room.Max, true);
    for (const isa::AssemblyError& error : state.errors) {
        const auto at = static_cast<std::size_t>(error.line) - 1;
        if (!error.file.empty() || error.line < 1 || at >= lines.size()) continue;
        const float bottom = place.first + static_cast<float>(at + 1) * place.line - 1;
        if (bottom < room.Min.y || bottom > room.Max.y + place.line) continue;
        const std::string_view line = lines[at];
        const auto column = std::min(line.size(), static_cast<std::size_t>(error.column) - 1);
        const std::string_view marked =
            line.substr(column, std::max<std::size_t>(1, error.text.size()));
        const auto width = [&](std::string_view text) {
            return text.empty() ? 0 : ImGui::CalcTextSize(text.data(), text.data() + text.size()).x;
        };
        const float left = window.Pos.x + ImGui::GetStyle().FramePadding.x - window.Scroll.x +
                           width(line.substr(0, column));
        window.DrawList->AddLine({left, bottom},
                                 {left + std::max(theme.px(6), width(marked)), bottom},
                                 error.warning ? theme.warning : theme.error, theme.px(2));
    }
    window.DrawList->PopClipRect();
}

void draw_text(const Scene& scene, SourceState& state, float height, machine::CommandSink& sink) {
    const Theme& theme = scene.theme;
    ImGui::PushFont(theme.mono);
    const auto lines = lines_of(state.text);
    const float digits = static_cast<float>(std::to_string(lines.size()).size());
    Place place{};
    place.width = digits * theme.cell() + theme.px(26);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::SetCursorScreenPos({at.x + place.width, at.y});
    if (state.select_from >= 0) ImGui::SetKeyboardFocusHere();
    const auto paper = scoped::colour(ImGuiCol_FrameBg, theme.stripe);
    const auto flags = ImGuiInputTextFlags_AllowTabInput | ImGuiInputTextFlags_CallbackResize |
                       ImGuiInputTextFlags_CallbackAlways;
    if (ImGui::InputTextMultiline("##text", state.text.data(), state.text.capacity() + 1,
                                  {ImGui::GetContentRegionAvail().x, height}, flags, on_edit,
                                  &state))
        state.edited = true;
    state.focused = ImGui::IsItemActive();
    if (ImGuiWindow* window = text_window()) {
        place.left = at.x;
        place.top = at.y;
        place.bottom = at.y + height;
        place.line = ImGui::GetFontSize();
        place.first = window->Pos.y + ImGui::GetStyle().FramePadding.y - window->Scroll.y;
        draw_gutter(scene, state, place, lines.size(), sink);
        underline_errors(scene, state, *window, place, lines_of(state.text));
    }
    if (scene.capture) scene.capture->text += state.text + "\n";
    ImGui::PopFont();
}

// --- around it ---

void find_next(SourceState& state) {
    const std::string_view wanted = state.find;
    if (wanted.empty()) return;
    const auto from = static_cast<std::size_t>(std::max(0, state.cursor));
    std::size_t at = from < state.text.size() ? state.text.find(wanted, from) : std::string::npos;
    if (at == std::string::npos) at = state.text.find(wanted);
    if (at == std::string::npos) return;
    state.select_from = static_cast<int>(at);
    state.select_to = static_cast<int>(at + wanted.size());
}

void go_to_line(SourceState& state, int line) {
    std::size_t at = 0;
    for (int n = 1; n < line && at < state.text.size(); ++n) {
        const std::size_t end = state.text.find('\n', at);
        if (end == std::string::npos) break;
        at = end + 1;
    }
    const std::size_t end = std::min(state.text.find('\n', at), state.text.size());
    state.select_from = static_cast<int>(at);
    state.select_to = static_cast<int>(end);
}

void draw_save_as(const Scene& scene, SourceState& state) {
    const auto popup = scoped::popup("save-as");
    if (!popup) return;
    ImGui::SetNextItemWidth(scene.theme.px(380));
    const bool entered = ImGui::InputText("##path", state.save_as, sizeof state.save_as,
                                          ImGuiInputTextFlags_EnterReturnsTrue);
    ImGui::SameLine();
    if ((ImGui::Button(tr("Save")) || entered) && state.save_as[0]) {
        state.asked = Asked::SaveAs;
        ImGui::CloseCurrentPopup();
    }
}

void draw_tools(const Scene& scene, SourceState& state) {
    const Theme& theme = scene.theme;
    const auto button = [&](const char* label, bool enabled, const std::string& help) {
        bool pressed = false;
        {
            const auto off = scoped::disabled(!enabled);
            pressed = ImGui::SmallButton(label);
        }
        if (ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled)) tool_tip(theme, help);
        ImGui::SameLine(0, theme.px(4));
        return pressed;
    };
    const auto helped = [](Action action) {
        const ActionInfo& info = action_info(action);
        return fmt::format("{} ({})", tr(info.help), info.keys);
    };
    if (button(tr("Assemble"), true, helped(Action::Assemble))) state.asked = Asked::Assemble;
    if (button(tr("Save"), state.changed(), helped(Action::SaveSource))) state.asked = Asked::Save;
    if (button(tr("Save as…"), true, tr("Write it to another file and go on with that"))) {
        fmt::format_to_n(state.save_as, sizeof state.save_as - 1, "{}", state.path).out[0] = 0;
        ImGui::OpenPopup("save-as");
    }
    draw_save_as(scene, state);
    if (button(tr("Find…"), true, tr("Look for text in the source (Ctrl+F); F3 finds the next")))
        state.finding = state.open_find = true;
    const std::string name = std::filesystem::path(state.path).filename().string();
    ImGui::TextDisabled("%s%s", name.c_str(), state.changed() ? " *" : "");
    if (ImGui::IsItemHovered())
        tool_tip(theme, state.changed() ? trf("{}\nNot saved", state.path) : state.path);
    if (state.finding) {
        if (std::exchange(state.open_find, false)) ImGui::SetKeyboardFocusHere();
        ImGui::SetNextItemWidth(theme.px(180));
        const bool entered =
            ImGui::InputTextWithHint("##find", tr("text"), state.find, sizeof state.find,
                                     ImGuiInputTextFlags_EnterReturnsTrue);
        ImGui::SameLine();
        if (entered || ImGui::SmallButton(tr("Next"))) find_next(state);
        ImGui::SameLine();
        if (ImGui::SmallButton("x##find") || keys_pressed("Escape")) state.finding = false;
    }
    if (state.finding && keys_pressed("F3")) find_next(state);
}

/// Below the text: what is wrong, else what the last change changed.
std::vector<std::pair<int, std::string>> remarks(const SourceState& state) {
    std::vector<std::pair<int, std::string>> out;
    for (const isa::AssemblyError& error : state.errors)
        out.emplace_back(error.file.empty() ? error.line : 0,
                         fmt::format("{}{}: {}", error.file.empty() ? "" : error.file + ":",
                                     error.line, error.message));
    if (!out.empty() || !state.last) return out;
    out.emplace_back(
        0, trf("This run: {} bundles, {} operations, {}", decimal_grouped(state.last->bundles),
               decimal_grouped(state.last->operations), end_text(*state.last)));
    if (!state.before) return out;
    const auto changes = run_changes(*state.before, *state.last);
    if (changes.empty()) out.emplace_back(0, tr("Nothing changed against the run before"));
    for (const std::string& change : changes) out.emplace_back(0, change);
    return out;
}

void draw_remarks(const Scene& scene, SourceState& state, float height) {
    const Theme& theme = scene.theme;
    const auto child = scoped::child("remarks", {0, height});
    int id = 0;
    for (const auto& [line, text] : remarks(state)) {
        const auto scope = scoped::id(id++);
        Ink ink(scene);
        const ImVec2 at = ImGui::GetCursorScreenPos();
        if (ImGui::Selectable("##remark", false, 0, {0, theme.row()}) && line > 0)
            go_to_line(state, line);
        const bool wrong = !state.errors.empty();
        float x = at.x + theme.px(4);
        if (wrong) x = ink.error_sign({x, at.y}, theme.error);
        if (ink.text_fit({x, at.y}, ImGui::GetContentRegionAvail().x - (x - at.x),
                         wrong ? theme.text : theme.dim, text, Weight::Prose) &&
            ImGui::IsItemHovered())
            tool_tip(theme, text);
        ink.end_row();
    }
}

}  // namespace

std::vector<std::string> run_changes(const RunNote& before, const RunNote& after) {
    std::vector<std::string> out;
    const auto count = [&](const char* what, std::uint64_t a, std::uint64_t b) {
        if (a != b)
            out.push_back(fmt::format("{} {} → {} ({})", what, decimal_grouped(a),
                                      decimal_grouped(b), signed_change(a, b)));
    };
    count(tr("bundles"), before.bundles, after.bundles);
    count(tr("operations"), before.operations, after.operations);
    if (before.state != after.state || before.exit != after.exit)
        out.push_back(fmt::format("{} → {}", end_text(before), end_text(after)));
    note_output(out, before, after);
    std::string registers;
    std::size_t named = 0;
    for (std::size_t i = 0; i < std::min(before.window.size(), after.window.size()); ++i) {
        if (before.window[i] == after.window[i]) continue;
        if (named++ == kMostRegisters) {
            registers += " …";
            break;
        }
        registers += fmt::format("{}%dr{} {:#x} → {:#x}", registers.empty() ? "" : ",  ", i,
                                 before.window[i], after.window[i]);
    }
    if (!registers.empty()) out.push_back(registers);
    return out;
}

std::vector<std::uint64_t> line_addresses(const SourceState& state, const Scene& scene,
                                          std::size_t lines) {
    std::vector<std::uint64_t> out(lines, 0);
    const auto* source = scene.now.source.get();
    if (!source || state.program != scene.now.program) return out;
    const std::string name = std::filesystem::path(state.program).filename().string();
    for (const machine::SourceLine& line : source->lines) {
        if (source->files[line.file] != name || line.line < 1) continue;
        const auto at = static_cast<std::size_t>(line.line) - 1;
        const bool code = scene.now.code && scene.now.code->row_at(line.address);
        if (at < lines && !out[at] && code) out[at] = line.address;
    }
    return out;
}

void draw_source(const Scene& scene, SourceState& state, machine::CommandSink& sink) {
    state.drawn = true;
    if (state.path.empty()) {
        empty_state(scene, tr("No source"),
                    tr("A program that ends in .s can be changed here: open one of the "
                       "demonstrations."));
        return;
    }
    draw_tools(scene, state);
    const float rows = static_cast<float>(std::min<std::size_t>(remarks(state).size(), 5));
    const float below =
        rows > 0 ? rows * (scene.theme.row() + ImGui::GetStyle().ItemSpacing.y) + scene.theme.px(4)
                 : 0;
    const float height = std::max(scene.theme.row() * 3, ImGui::GetContentRegionAvail().y - below);
    draw_text(scene, state, height, sink);
    if (rows > 0) draw_remarks(scene, state, 0);
}

std::string source_text(const Scene& scene, const SourceState& state) {
    const auto lines = lines_of(state.text);
    const int current = current_line(scene, state);
    const auto addresses = line_addresses(state, scene, lines.size());
    std::string out = state.path.empty() ? std::string()
                                         : std::filesystem::path(state.path).filename().string() +
                                               (state.changed() ? " *\n" : "\n");
    if (state.path.empty()) return out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const int line = static_cast<int>(i) + 1;
        out += fmt::format("{} {}{}{}\n", line, line == current ? "▶" : " ",
                           addresses[i] && has_breakpoint(scene.now, addresses[i]) ? "●" : " ",
                           lines[i]);
        if (const std::string wrong = messages_at(state, line); !wrong.empty())
            out += "! " + wrong + "\n";
    }
    for (const auto& [line, text] : remarks(state)) out += "= " + text + "\n";
    return out;
}

}  // namespace e2k::ui
