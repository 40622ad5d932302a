#include "ui/panels/syscalls.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

constexpr int kColumns = 5;

bool contains_ignoring_case(std::string_view text, std::string_view what) {
    return std::search(text.begin(), text.end(), what.begin(), what.end(), [](char a, char b) {
               return std::tolower(static_cast<unsigned char>(a)) ==
                      std::tolower(static_cast<unsigned char>(b));
           }) != text.end();
}

/// Functions of the C library are told from system calls.
std::string name_of(const guest::SyscallRecord& call) {
    return call.library ? "libc: " + call.name : call.name;
}

std::string call_text(const guest::SyscallRecord& call) {
    return name_of(call) + "(" + call.arguments + ")";
}

std::string result_text(const guest::SyscallRecord& call) {
    std::string out = call.unknown ? tr("not implemented, ") : "";
    std::string_view text = call.result_text;
    if (text.empty()) return out + std::to_string(call.result);
    // The error's name says it all.
    if (call.failed && text.starts_with("-1 E")) text.remove_prefix(3);
    return out.append(text);
}

void refresh(const Scene& scene, SyscallsState& state) {
    if (state.revision == scene.logs.syscalls_revision() && state.applied == state.filter &&
        state.applied_errors == state.errors_only)
        return;
    state.revision = scene.logs.syscalls_revision();
    state.applied = state.filter;
    state.applied_errors = state.errors_only;
    state.rows.clear();
    const auto& calls = scene.logs.syscalls();
    for (std::size_t i = 0; i < calls.size(); ++i) {
        if (matches(calls[i], state.applied, state.errors_only)) state.rows.push_back(i);
    }
}

void call_tip(const Scene& scene, const guest::SyscallRecord& call) {
    std::string text = trf("{}\n= {}\n\nsystem call {} at {}, bundle {}, thread {}",
                           call_text(call), result_text(call), call.number,
                           place(scene.symbols(), call.ip), call.bundle, call.thread);
    if (!scene.still)
        text += "\n" + trf("{:.6f} s after the start, took {}", call.start_seconds,
                           duration(call.duration_seconds));
    if (call.unknown)
        text += std::string("\n") +
                tr("The workbench does not implement this call: it returned ENOSYS.");
    tool_tip(scene.theme, text);
}

/// Name bold, arguments normal, cut to the column; the tool tip has all of it.
void draw_call(const Scene& scene, Ink& ink, const guest::SyscallRecord& call, ImVec2 at,
               float room) {
    const Theme& theme = scene.theme;
    const ImU32 colour = call.unknown ? theme.warning : theme.text;
    const float x = ink.text(at, colour, call.name, Weight::Bold);
    ink.text_fit({x, at.y}, room - (x - at.x), theme.dim, "(" + call.arguments + ")");
}

void draw_row(const Scene& scene, const guest::SyscallRecord& call, machine::CommandSink& sink) {
    const Theme& theme = scene.theme;
    Ink ink(scene);
    ImGui::TableNextRow(0, theme.row());
    ImGui::TableSetColumnIndex(0);
    const float top = ImGui::GetCursorScreenPos().y;
    const float y = top;
    if (ImGui::Selectable(
            "##call", scene.selection.bundle == call.ip && call.ip,
            ImGuiSelectableFlags_SpanAllColumns | ImGuiSelectableFlags_AllowDoubleClick,
            {0, theme.row() - ImGui::GetStyle().ItemSpacing.y})) {
        scene.selection.bundle = call.ip;
        if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) scene.selection.go_to = call.ip;
    }
    const bool hovered = ImGui::IsItemHovered();
    if (ImGui::BeginPopupContextItem("menu")) {
        bundle_menu(scene, call.ip, sink);
        ImGui::Separator();
        if (ImGui::MenuItem(tr("Copy call")))
            ImGui::SetClipboardText((call_text(call) + " = " + result_text(call)).c_str());
        ImGui::EndPopup();
    }
    ImGui::SameLine(0, 0);
    ink.text({ImGui::GetCursorScreenPos().x, y}, theme.dim,
             std::to_string(scene.logs.number_of(call)));
    ink.end_cell();
    if (ImGui::TableSetColumnIndex(1)) {
        ink.text({ImGui::GetCursorScreenPos().x, y}, theme.dim, decimal_grouped(call.bundle));
        ink.end_cell();
    }
    if (ImGui::TableSetColumnIndex(2)) {
        draw_call(scene, ink, call, {ImGui::GetCursorScreenPos().x, y},
                  ImGui::GetContentRegionAvail().x);
        ink.end_cell();
    }
    if (ImGui::TableSetColumnIndex(3)) {
        ImVec2 at{ImGui::GetCursorScreenPos().x, y};
        const ImU32 colour = call.unknown ? theme.warning : call.failed ? theme.error : theme.text;
        const float left = at.x;
        if (call.failed || call.unknown) at.x = ink.error_sign(at, colour);
        ink.text_fit(at, ImGui::GetContentRegionAvail().x - (at.x - left), colour,
                     result_text(call));
        ink.end_cell();
    }
    if (ImGui::TableSetColumnIndex(4)) {
        ink.text({ImGui::GetCursorScreenPos().x, y}, theme.dim,
                 scene.still ? "–" : duration(call.duration_seconds));
        ink.end_cell();
    }
    ink.end_row();
    if (hovered) call_tip(scene, call);
}

/// A call that waits is a row like the others, at the end.
void draw_call_in_progress(const Scene& scene) {
    if (!scene.now.in_system_call) return;
    const Theme& theme = scene.theme;
    Ink ink(scene);
    ImGui::TableNextRow(0, theme.row());
    ImGui::TableSetColumnIndex(0);
    ink.text(ImGui::GetCursorScreenPos(), theme.dim, "…");
    ink.end_cell();
    if (ImGui::TableSetColumnIndex(1)) {
        ink.text(ImGui::GetCursorScreenPos(), theme.dim,
                 decimal_grouped(scene.now.counters.bundles));
        ink.end_cell();
    }
    if (ImGui::TableSetColumnIndex(2)) {
        ink.text_fit(ImGui::GetCursorScreenPos(), ImGui::GetContentRegionAvail().x, theme.current,
                     scene.now.call, Weight::Bold);
        ink.end_cell();
    }
    if (ImGui::TableSetColumnIndex(3)) {
        ink.text_fit(ImGui::GetCursorScreenPos(), ImGui::GetContentRegionAvail().x, theme.current,
                     tr("waits"), Weight::Prose);
        ink.end_cell();
    }
    ink.end_row();
}

void draw_tools(const Scene& scene, SyscallsState& state) {
    const Theme& theme = scene.theme;
    ImGui::SetNextItemWidth(
        std::max(theme.px(90), ImGui::GetContentRegionAvail().x - theme.px(250)));
    ImGui::InputTextWithHint("##filter", tr("filter: words in name, arguments, result"),
                             state.filter, sizeof state.filter);
    ImGui::SameLine();
    ImGui::Checkbox(tr("errors"), &state.errors_only);
    if (ImGui::IsItemHovered())
        tool_tip(theme, tr("Only calls that failed or are not implemented"));
    ImGui::SameLine();
    ImGui::Checkbox(tr("follow"), &state.follow);
    if (ImGui::IsItemHovered()) tool_tip(theme, tr("Keep the newest call in view"));
    ImGui::SameLine();
    const std::string count = decimal_grouped(scene.logs.syscalls_total());
    ImGui::TextDisabled("%s", without_thin_spaces(count).c_str());
    if (ImGui::IsItemHovered())
        tool_tip(theme, trf("{} calls, {} no longer kept", scene.logs.syscalls_total(),
                            scene.logs.syscalls_dropped()));
}

}  // namespace

bool matches(const guest::SyscallRecord& call, std::string_view filter, bool errors_only) {
    if (errors_only && !call.failed && !call.unknown) return false;
    while (!filter.empty()) {
        const std::size_t blank = filter.find(' ');
        const std::string_view word = filter.substr(0, blank);
        filter.remove_prefix(blank == std::string_view::npos ? filter.size() : blank + 1);
        if (word.empty()) continue;
        if (!contains_ignoring_case(name_of(call), word) &&
            !contains_ignoring_case(call.arguments, word) &&
            !contains_ignoring_case(call.result_text, word))
            return false;
    }
    return true;
}

void draw_syscalls(const Scene& scene, SyscallsState& state, machine::CommandSink& sink) {
    refresh(scene, state);
    if (scene.logs.syscalls().empty() && !scene.now.in_system_call) {
        empty_state(scene, tr("No system call yet"),
                    tr("Every request of the program to Linux is listed here with its decoded "
                       "arguments and result."));
        return;
    }
    draw_tools(scene, state);
    constexpr ImGuiTableFlags kFlags = ImGuiTableFlags_ScrollY | ImGuiTableFlags_Resizable |
                                       ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerV;
    ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, {scene.theme.px(5), 0});
    if (ImGui::BeginTable("calls", kColumns, kFlags)) {
        const float cell = scene.theme.cell();
        ImGui::TableSetupScrollFreeze(0, 1);
        ImGui::TableSetupColumn("#", ImGuiTableColumnFlags_WidthFixed, cell * 4);
        ImGui::TableSetupColumn(tr("bundle"), ImGuiTableColumnFlags_WidthFixed, cell * 8);
        ImGui::TableSetupColumn(tr("call"), ImGuiTableColumnFlags_WidthStretch, 3);
        ImGui::TableSetupColumn(tr("result"), ImGuiTableColumnFlags_WidthStretch, 1.7f);
        ImGui::TableSetupColumn(tr("time"), ImGuiTableColumnFlags_WidthFixed, cell * 7);
        ImGui::TableNextRow(ImGuiTableRowFlags_Headers, scene.theme.row() + scene.theme.px(4));
        for (int i = 0; i < kColumns; ++i) {
            if (!ImGui::TableSetColumnIndex(i)) continue;
            ImGui::PushStyleColor(ImGuiCol_Text, scene.theme.dim);
            ImGui::TableHeader(ImGui::TableGetColumnName(i));
            ImGui::PopStyleColor();
        }
        ImGuiListClipper clipper;
        clipper.Begin(static_cast<int>(state.rows.size()), scene.theme.row());
        while (clipper.Step()) {
            for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
                ImGui::PushID(i);
                draw_row(scene, scene.logs.syscalls()[state.rows[static_cast<std::size_t>(i)]],
                         sink);
                ImGui::PopID();
            }
        }
        draw_call_in_progress(scene);
        if (state.follow && ImGui::GetScrollY() < ImGui::GetScrollMaxY())
            ImGui::SetScrollY(ImGui::GetScrollMaxY() + scene.theme.row());
        if (state.follow && ImGui::IsWindowHovered() && ImGui::GetIO().MouseWheel > 0)
            state.follow = false;
        ImGui::EndTable();
    }
    ImGui::PopStyleVar();
}

std::string syscalls_text(const Scene& scene, const SyscallsState& state) {
    std::string out;
    for (const guest::SyscallRecord& call : scene.logs.syscalls()) {
        if (!matches(call, state.filter, state.errors_only)) continue;
        out += fmt::format("{} | {} | {} | {}{} | {}\n", scene.logs.number_of(call), call.bundle,
                           call_text(call), call.failed || call.unknown ? "! " : "",
                           result_text(call), scene.still ? "–" : duration(call.duration_seconds));
    }
    if (scene.now.in_system_call)
        out += fmt::format("… | {} | {} | {}\n", scene.now.counters.bundles, scene.now.call,
                           tr("waits"));
    return out;
}

}  // namespace e2k::ui
