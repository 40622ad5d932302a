#include "ui/application.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <imgui.h>

#include "ui/chrome.h"
#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/workbench.h"

namespace e2k::ui {

using machine::RunState;

namespace {
constexpr float kSmallestFont = 10, kLargestFont = 28;
constexpr float kWide = 1700;  ///< unscaled window width from which layouts have three columns
}  // namespace

Application::Application(Source& source, Settings& settings, ApplicationOptions options)
    : source_(source), settings_(settings), options_(std::move(options)) {
    snapshot_ = source_.snapshot();
    theme_.size = settings_.font_size >= kSmallestFont ? settings_.font_size : 14;
    set_colours(theme_, settings_.dark);
    changes_.update(*snapshot_);
}

Scene Application::scene(TextCapture* capture) {
    return {*snapshot_, changes_, logs_, theme_, selection_, capture, options_.still};
}

bool Application::update() {
    bool news = logs_.pull(source_);
    auto latest = source_.snapshot();
    if (latest == snapshot_ && snapshot_) return news;
    snapshot_ = std::move(latest);
    changes_.update(*snapshot_);
    // A new stop moves the cursor back to the current bundle.
    if (!snapshot_->live &&
        (snapshot_->ip != seen_stop_ip_ || snapshot_->counters.bundles != seen_stop_bundles_)) {
        seen_stop_ip_ = snapshot_->ip;
        seen_stop_bundles_ = snapshot_->counters.bundles;
        selection_.bundle = 0;
        panels_.host_code.asked = 0;
    }
    return true;
}

void Application::use_layout(const std::string& name) {
    if (std::ranges::find(kLayoutNames, name) == kLayoutNames.end()) return;
    if (!workspace_.columns.empty()) settings_.workspaces[workspace_.layout] = workspace_;
    const bool wide = ImGui::GetIO().DisplaySize.x / theme_.scale >= kWide;
    const auto saved = settings_.workspaces.find(name);
    workspace_ =
        saved != settings_.workspaces.end() ? saved->second : default_workspace(name, wide);
    workspace_.layout = name;
    settings_.layout = name;
    for (Column& column : workspace_.columns) {
        for (Cell& cell : column.cells) cell.select = cell.active;
    }
}

bool Application::take_font_change() {
    const bool changed = font_changed_;
    font_changed_ = false;
    return changed;
}

std::string Application::text(PanelId panel) { return panel_info(panel).text(scene(), panels_); }

void Application::open(const std::string& path, std::vector<std::string> arguments,
                       const std::optional<std::string>& argv0) {
    machine::Open command;
    command.path = path;
    command.options = options_.launch;
    command.options.tier =
        snapshot_->run_state == RunState::NoProgram ? options_.launch.tier : snapshot_->tier;
    command.options.process.argv = {argv0.value_or(path)};
    for (std::string& argument : arguments)
        command.options.process.argv.push_back(std::move(argument));
    give_scratch(command);
    logs_.clear();
    changes_ = Changes();
    selection_ = Selection();
    panels_.bundles = BundlesState();
    panels_.host_code = HostCodeState();
    panels_.console = ConsoleState();
    panels_.memory = MemoryState();
    settings_.remember_program(path);
    opened_ = command;
    source_.send(std::move(command));
}

void Application::give_scratch(machine::Open& command) {
    guest::ProcessOptions& process = command.options.process;
    if (options_.scratch.empty() || !process.policy.sandbox) return;
    const std::filesystem::path directory =
        std::filesystem::path(options_.scratch) / std::filesystem::path(command.path).filename();
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error)
        return logs_.notice(true, fmt::format("No directory for what the program writes: {}: {}",
                                              directory.string(), error.message()));
    process.working_directory = directory.string();
    process.policy.writable.push_back(directory.string());
    if (options_.still || settings_.scratch_said) return;
    settings_.scratch_said = true;
    logs_.notice(false, fmt::format("In the sandbox every program works, and may write, in a "
                                    "directory of its own: here {}",
                                    directory.string()));
}

void Application::allow(const std::string& directory) {
    options_.launch.process.policy.writable.push_back(directory);
    open_again();
}

void Application::set_clock(const cpu::ClockOptions& clock) {
    options_.launch.process.clock = clock;
    open_again();
}

void Application::open_again() {
    if (snapshot_->run_state == RunState::NoProgram) return;
    const std::vector<std::string>& argv = opened_.options.process.argv;
    open(std::string(opened_.path), {argv.begin() + 1, argv.end()}, std::string(argv.front()));
}

void Application::clock_menu() {
    if (!ImGui::BeginMenu("Clock")) return;
    constexpr const char* kVirtual[] = {"1M", "100M", "1G", "step:1s", "step:11s"};
    const std::string now = options_.launch.process.clock.text();
    bool listed = now.empty();
    if (ImGui::MenuItem("The host's", nullptr, now.empty())) set_clock({});
    ImGui::Separator();
    const auto item = [&](const std::string& text) {
        const auto clock = cpu::ClockOptions::parse(text);
        if (!clock) return;
        const std::string label =
            clock->step ? text.substr(5) + " at each reading" : text + " bundles a second";
        if (ImGui::MenuItem(label.c_str(), nullptr, text == now)) set_clock(*clock);
        if (ImGui::IsItemHovered())
            tool_tip(theme_,
                     "Virtual time: every run reads the same times, sleeping takes none.\nThe "
                     "program starts again");
        listed |= text == now;
    };
    for (const char* text : kVirtual) item(text);
    if (!listed) item(now);
    ImGui::EndMenu();
}

bool Application::can(Action action) const {
    const RunState state = snapshot_->run_state;
    const bool paused = state == RunState::Paused;
    switch (action) {
        case Action::RunPause:
            return paused || state == RunState::Running;
        case Action::StepInto:
        case Action::StepOver:
        case Action::StepOut:
            return paused;
        case Action::Restart:
            return state != RunState::NoProgram;
        case Action::Kill:
        case Action::EndOfFile:
            return paused || state == RunState::Running;
        case Action::ToggleBreakpoint:
        case Action::GoTo:
        case Action::ShowCurrent:
            return state != RunState::NoProgram;
        case Action::Back:
            return history_at_ > 1;
        case Action::Forward:
            return history_at_ < history_.size();
        default:
            return true;
    }
}

void Application::remember_view() {
    const std::uint64_t place = selection_.go_to;
    if (!place || (history_at_ > 0 && history_[history_at_ - 1] == place)) return;
    history_.resize(history_at_);
    history_.push_back(place);
    history_at_ = history_.size();
}

void Application::go_back(int direction) {
    history_at_ = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(history_at_) + direction);
    selection_.go_to = history_[history_at_ - 1];
}

void Application::perform(Action action) {
    if (!can(action)) return;
    switch (action) {
        case Action::Open:
            files_.open(settings_.folder);
            break;
        case Action::Quit:
            quit_ = true;
            break;
        case Action::RunPause:
            if (snapshot_->run_state == RunState::Running) {
                source_.send(machine::Pause{});
            } else {
                source_.send(machine::Run{});
            }
            break;
        case Action::StepInto:
            source_.send(machine::StepBundle{1});
            break;
        case Action::StepOver:
            source_.send(machine::StepOver{});
            break;
        case Action::StepOut:
            source_.send(machine::StepOut{});
            break;
        case Action::Restart:
            logs_.clear();
            changes_ = Changes();
            panels_.console.end_of_file = false;
            panels_.memory.asked_size = 0;  // the new program has not been asked
            panels_.memory.before.reset();
            source_.send(machine::Restart{});
            break;
        case Action::Kill:
            source_.send(machine::Kill{});
            break;
        case Action::ToggleBreakpoint: {
            const std::uint64_t at = scene().cursor();
            if (at) source_.send(machine::SetBreakpoint{at, !has_breakpoint(*snapshot_, at)});
            break;
        }
        case Action::GoTo:
            workspace_.reveal(PanelId::Bundles);
            panels_.bundles.open_go_to = true;
            break;
        case Action::ShowCurrent:
            selection_.bundle = 0;
            selection_.go_to = snapshot_->ip;
            break;
        case Action::Back:
            go_back(-1);
            break;
        case Action::Forward:
            go_back(+1);
            break;
        case Action::LayoutDebug:
            use_layout("debug");
            break;
        case Action::LayoutTeach:
            use_layout("teach");
            break;
        case Action::LayoutTranslate:
            use_layout("translate");
            break;
        case Action::ResetLayout: {
            const std::string name = workspace_.layout;
            workspace_.columns.clear();
            settings_.workspaces.erase(name);
            use_layout(name);
            break;
        }
        case Action::ToggleTheme:
            set_colours(theme_, !theme_.dark);
            settings_.dark = theme_.dark;
            apply_style(theme_);
            break;
        case Action::FontLarger:
        case Action::FontSmaller:
            theme_.size = std::clamp(theme_.size + (action == Action::FontLarger ? 1.0f : -1.0f),
                                     kSmallestFont, kLargestFont);
            settings_.font_size = theme_.size;
            font_changed_ = true;
            break;
        case Action::EndOfFile:
            source_.send(machine::Input{"", true});
            panels_.console.end_of_file = true;
            break;
    }
}

void Application::menu_item(Action action, bool checked) {
    const ActionInfo& info = action_info(action);
    if (ImGui::MenuItem(info.name, *info.keys ? info.keys : nullptr, checked, can(action)))
        perform(action);
    if (ImGui::IsItemHovered()) tool_tip(theme_, info.help);
}

void Application::draw_menus() {
    if (!ImGui::BeginMenuBar()) return;
    if (ImGui::BeginMenu("File")) {
        menu_item(Action::Open);
        if (ImGui::BeginMenu("Open again", !settings_.recent.empty())) {
            std::string chosen;
            for (const std::string& path : settings_.recent) {
                if (ImGui::MenuItem(path.c_str())) chosen = path;
            }
            if (!chosen.empty()) open(chosen, {});
            ImGui::EndMenu();
        }
        ImGui::Separator();
        menu_item(Action::Quit);
        ImGui::EndMenu();
    }
    if (ImGui::BeginMenu("Run")) {
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
        menu_item(Action::Kill);
        ImGui::EndMenu();
    }
    if (ImGui::BeginMenu("View")) {
        for (int i = 0; i < kPanels; ++i) {
            const PanelInfo& info = panel_info(static_cast<PanelId>(i));
            const bool shown = workspace_.shows(info.id);
            if (ImGui::MenuItem(info.title, nullptr, shown))
                shown ? workspace_.close(info.id) : workspace_.reveal(info.id);
            if (ImGui::IsItemHovered()) tool_tip(theme_, info.help);
        }
        ImGui::Separator();
        for (Action action : {Action::GoTo, Action::ShowCurrent, Action::Back, Action::Forward})
            menu_item(action);
        ImGui::Separator();
        menu_item(Action::ToggleTheme, !theme_.dark);
        menu_item(Action::FontLarger);
        menu_item(Action::FontSmaller);
        ImGui::EndMenu();
    }
    if (ImGui::BeginMenu("Layout")) {
        menu_item(Action::LayoutDebug, workspace_.layout == "debug");
        menu_item(Action::LayoutTeach, workspace_.layout == "teach");
        menu_item(Action::LayoutTranslate, workspace_.layout == "translate");
        ImGui::Separator();
        menu_item(Action::ResetLayout);
        ImGui::EndMenu();
    }
    if (ImGui::BeginMenu("Help")) {
        if (ImGui::MenuItem("Keys and marks")) about_ = true;
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

void Application::draw_panel(PanelId panel) {
    TextCapture* capture = nullptr;
    if (capture_panel_ == panel) {
        captured_.text.clear();
        capture = &captured_;
    }
    const Scene view = scene(capture);
    panel_info(panel).draw(view, panels_, source_);
}

void Application::draw_overlays() {
    Chrome::notices(*this, scene());
    if (auto choice = files_.draw(theme_)) open(choice->path, std::move(choice->arguments));
    settings_.folder = files_.folder().empty() ? settings_.folder : files_.folder();
    if (about_) {
        ImGui::OpenPopup("Keys and marks");
        about_ = false;
    }
    ImGui::SetNextWindowSize({theme_.px(520), 0});
    if (!ImGui::BeginPopupModal("Keys and marks", nullptr, ImGuiWindowFlags_NoResize)) return;
    if (ImGui::BeginTable("keys", 2)) {
        ImGui::TableSetupColumn("keys", ImGuiTableColumnFlags_WidthFixed, theme_.px(130));
        for (const ActionInfo& info : actions()) {
            if (!*info.keys) continue;
            ImGui::TableNextColumn();
            ImGui::TextUnformatted(info.keys);
            ImGui::TableNextColumn();
            ImGui::TextUnformatted(info.help);
        }
        ImGui::EndTable();
    }
    ImGui::Separator();
    ImGui::TextWrapped(
        "Amber bar: current bundle. Amber text: changed at the last stop. Blue frame: selection. "
        "Struck "
        "through: its predicate is off. Red hatch: diagnostic value. Each of the six lanes has one "
        "colour, the same in bundles and host code.");
    if (ImGui::Button("Close") || ImGui::IsKeyPressed(ImGui::GetKeyIndex(ImGuiKey_Escape)))
        ImGui::CloseCurrentPopup();
    ImGui::EndPopup();
}

void Application::draw() {
    const ImVec2 display = ImGui::GetIO().DisplaySize;
    if (workspace_.columns.empty()) use_layout(settings_.layout);
    if (workspace_.columns.empty()) use_layout(kLayoutNames.front());  // a name from elsewhere
    if (!files_.is_open()) {
        if (const auto action = pressed_action()) perform(*action);
    }
    selection_.hover_bundle = 0;
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(display);
    ImGui::Begin("workbench", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                     ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_MenuBar |
                     ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoSavedSettings |
                     ImGuiWindowFlags_NoScrollWithMouse);
    draw_menus();
    const Scene view = scene();
    Chrome::tool_bar(*this, view);
    Chrome::banner(*this, view);
    const float status = theme_.row() + theme_.px(6);
    ImGui::BeginChild("body", {0, -status}, false,
                      ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoScrollbar |
                          ImGuiWindowFlags_NoScrollWithMouse);
    if (view.has_program()) {
        draw_workspace(workspace_, theme_, [this](PanelId panel) { draw_panel(panel); });
    } else {
        Chrome::start_page(*this, view);
    }
    ImGui::EndChild();
    Chrome::status_line(*this, view);
    ImGui::End();
    draw_overlays();
    remember_view();
    if (!panels_.console.echo.empty()) {
        logs_.echo_input(panels_.console.echo);
        panels_.console.echo.clear();
    }
}

}  // namespace e2k::ui
