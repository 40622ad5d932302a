// The menu bar, and the list of keys.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <imgui.h>

#include "ui/application.h"
#include "ui/ink.h"
#include "ui/scoped.h"
#include "ui/text.h"

namespace e2k::ui {

void Application::clock_menu() {
    if (!ImGui::BeginMenu(tr("Clock"))) return;
    constexpr const char* kVirtual[] = {"1M", "100M", "1G", "step:1s", "step:11s"};
    const std::string now = options_.launch.process.clock.text();
    bool listed = now.empty();
    if (ImGui::MenuItem(tr("The host's"), nullptr, now.empty())) set_clock({});
    ImGui::Separator();
    const auto item = [&](const std::string& text) {
        const auto clock = cpu::ClockOptions::parse(text);
        if (!clock) return;
        const std::string label = clock->step ? trf("{} at each reading", text.substr(5))
                                              : trf("{} bundles a second", text);
        if (ImGui::MenuItem(label.c_str(), nullptr, text == now)) set_clock(*clock);
        if (ImGui::IsItemHovered())
            tool_tip(theme_,
                     tr("Virtual time: every run reads the same times, sleeping takes none.\nThe "
                        "program starts again"));
        listed |= text == now;
    };
    for (const char* text : kVirtual) item(text);
    if (!listed) item(now);
    ImGui::EndMenu();
}

void Application::menu_item(Action action, bool checked) {
    const ActionInfo& info = action_info(action);
    if (ImGui::MenuItem(tr(info.name), *info.keys ? info.keys : nullptr, checked, can(action)))
        perform(action);
    if (ImGui::IsItemHovered()) tool_tip(theme_, tr(info.help));
}

void Application::draw_menus() {
    if (!ImGui::BeginMenuBar()) return;
    if (ImGui::BeginMenu(tr("File"))) {
        menu_item(Action::Open);
        if (ImGui::BeginMenu(tr("Open again"), !settings_.recent.empty())) {
            std::string chosen;
            for (const std::string& path : settings_.recent) {
                if (ImGui::MenuItem(path.c_str())) chosen = path;
            }
            if (!chosen.empty()) open(chosen, {});
            ImGui::EndMenu();
        }
        menu_item(Action::SaveSource);
        ImGui::Separator();
        menu_item(Action::Quit);
        ImGui::EndMenu();
    }
    if (ImGui::BeginMenu(tr("Run"))) {
        for (Action action :
             {Action::RunPause, Action::StepInto, Action::StepOver, Action::StepOut})
            menu_item(action);
        ImGui::Separator();
        menu_item(Action::ToggleBreakpoint);
        menu_item(Action::EndOfFile);
        ImGui::Separator();
        clock_menu();
        ImGui::Separator();
        menu_item(Action::Restart);
        menu_item(Action::Assemble);
        menu_item(Action::Kill);
        ImGui::EndMenu();
    }
    if (ImGui::BeginMenu(tr("View"))) {
        for (const PanelInfo& info : ui::panels()) {
            const bool shown = workspace_.shows(info.id);
            if (ImGui::MenuItem(tr(info.title), info.key, shown))
                shown ? workspace_.close(info.id) : workspace_.reveal(info.id);
            if (ImGui::IsItemHovered()) tool_tip(theme_, tr(info.help));
        }
        ImGui::Separator();
        for (Action action : {Action::Palette, Action::GoTo, Action::Find, Action::ShowCurrent,
                              Action::Back, Action::Forward})
            menu_item(action);
        ImGui::Separator();
        menu_item(Action::ToggleTheme, !theme_.dark);
        menu_item(Action::FontLarger);
        menu_item(Action::FontSmaller);
        ImGui::Separator();
        menu_item(Action::English, language() == Language::English);
        menu_item(Action::Russian, language() == Language::Russian);
        ImGui::EndMenu();
    }
    if (ImGui::BeginMenu(tr("Layout"))) {
        menu_item(Action::LayoutDebug, workspace_.layout == "debug");
        menu_item(Action::LayoutTeach, workspace_.layout == "teach");
        menu_item(Action::LayoutTranslate, workspace_.layout == "translate");
        ImGui::Separator();
        menu_item(Action::ResetLayout);
        ImGui::EndMenu();
    }
    if (ImGui::BeginMenu(tr("Help"))) {
        if (ImGui::MenuItem(tr("Keys and marks"))) about_ = true;
        ImGui::EndMenu();
    }
    if (!snapshot_->program.empty()) {
        const ImVec2 size = ImGui::CalcTextSize(snapshot_->program.c_str());
        const float right = ImGui::GetWindowWidth() - size.x - theme_.px(12);
        if (right > ImGui::GetCursorPosX() + theme_.px(20)) {
            ImGui::SetCursorPosX(right);
            ImGui::TextDisabled("%s", snapshot_->program.c_str());
        }
    }
    ImGui::EndMenuBar();
}

void Application::draw_keys_and_marks() {
    if (std::exchange(about_, false)) ImGui::OpenPopup("###keys");
    const std::string title = std::string(tr("Keys and marks")) + "###keys";
    const ImVec2 display = ImGui::GetIO().DisplaySize;
    ImGui::SetNextWindowSize({std::min(theme_.px(560), display.x), 0});
    const auto modal = scoped::modal(title.c_str(), ImGuiWindowFlags_NoResize);
    if (!modal) return;
    if (const auto table = scoped::table("keys", 2, 0)) {
        ImGui::TableSetupColumn("keys", ImGuiTableColumnFlags_WidthFixed, theme_.px(130));
        const auto line = [](const char* keys, const char* help) {
            ImGui::TableNextColumn();
            ImGui::TextUnformatted(keys);
            ImGui::TableNextColumn();
            ImGui::TextUnformatted(help);
        };
        for (const ActionInfo& info : actions())
            if (*info.keys) line(info.keys, tr(info.help));
        line("Alt+1 … Alt+0, Q, L, S", tr("Show a panel"));
    }
    ImGui::Separator();
    ImGui::TextWrapped(
        "%s",
        tr("Amber bar: current bundle. Amber text: changed at the last stop. Blue frame: "
           "selection. "
           "Struck through: its predicate is off. Red hatch: diagnostic value. Each of the six "
           "lanes has one colour, the same in bundles and host code."));
    if (ImGui::Button(tr("Close")) || ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_Escape)))
        ImGui::CloseCurrentPopup();
}

}  // namespace e2k::ui
