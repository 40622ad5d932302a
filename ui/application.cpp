#include "ui/application.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <imgui.h>

#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/scoped.h"
#include "ui/workbench.h"

namespace e2k::ui {

using machine::RunState;

namespace {
constexpr float kSmallestFont = 10, kLargestFont = 28;
constexpr float kTeachFont = 18;  ///< of the Teach layout, until another is chosen
constexpr float kWide = 1700;     ///< unscaled window width from which layouts have three columns
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

namespace {

/// A guest that waits in a call looks as before: only the time it has waited has changed.
bool looks_alike(const machine::Snapshot& a, const machine::Snapshot& b) {
    return a.live && b.live && a.in_system_call && b.in_system_call && a.call == b.call &&
           a.reads_input == b.reads_input && a.run_state == b.run_state && a.tier == b.tier &&
           a.profile == b.profile && a.program == b.program && a.thread == b.thread &&
           a.threads == b.threads && a.counters.bundles == b.counters.bundles &&
           a.counters.syscalls == b.counters.syscalls &&
           a.counters.bundles_per_second == b.counters.bundles_per_second &&
           a.breakpoints == b.breakpoints && a.code == b.code && a.region == b.region &&
           a.memory == b.memory && a.quality == b.quality && a.heat == b.heat;
}

}  // namespace

bool Application::update() {
    bool news = logs_.pull(source_);
    auto latest = source_.snapshot();
    if (latest == snapshot_ && snapshot_) return news;
    if (snapshot_ && looks_alike(*latest, *snapshot_)) {
        snapshot_ = std::move(latest);
        return news;
    }
    snapshot_ = std::move(latest);
    changes_.update(*snapshot_);
    // Who waits for a line gets the place where it is typed.
    if (snapshot_->reads_input && !waited_for_input_) workspace_.reveal(PanelId::Console);
    waited_for_input_ = snapshot_->reads_input;
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
    if (usual_size_ == 0) usual_size_ = theme_.size;
    const float teach = settings_.teach_font_size > 0 ? settings_.teach_font_size
                                                      : std::max(kTeachFont, usual_size_);
    const float size = name == "teach" ? teach : usual_size_;
    font_changed_ = font_changed_ || size != theme_.size;
    theme_.size = size;
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
    for (const PanelInfo& panel : ui::panels()) panel.reset(panels_);
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
        return logs_.notice(true, trf("No directory for what the program writes: {}: {}",
                                      directory.string(), error.message()));
    process.working_directory = directory.string();
    process.policy.writable.push_back(directory.string());
    if (options_.still || settings_.scratch_said || panels_.lesson.player) return;
    settings_.scratch_said = true;
    logs_.notice(false, trf("In the sandbox every program works, and may write, in a "
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

bool Application::can(Action action) const {
    const RunState state = snapshot_->run_state;
    const bool paused = state == RunState::Paused;
    switch (action) {
        case Action::RunPause:
            return state != RunState::NoProgram && state != RunState::Failed;
        case Action::StepInto:
        case Action::StepOver:
        case Action::StepOut:
            return paused;
        case Action::Restart:
            return state != RunState::NoProgram;
        case Action::Kill:
        case Action::EndOfFile:
            return paused || state == RunState::Running;
        case Action::Assemble:
        case Action::SaveSource:
            return !panels_.source.path.empty();
        case Action::ToggleBreakpoint:
        case Action::GoTo:
        case Action::Find:
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
                // After its end the program runs once more.
                if (snapshot_->run_state != RunState::Paused) perform(Action::Restart);
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
            (workspace_.layout == "teach" ? settings_.teach_font_size : settings_.font_size) =
                theme_.size;
            if (workspace_.layout != "teach") usual_size_ = theme_.size;
            font_changed_ = true;
            break;
        case Action::Palette:
            palette_.open();
            break;
        case Action::Find:
            if (panels_.source.focused) {
                panels_.source.finding = panels_.source.open_find = true;
                break;
            }
            workspace_.reveal(PanelId::Bundles);
            panels_.bundles.open_find = true;
            break;
        case Action::English:
            use_language(Language::English);
            break;
        case Action::Russian:
            use_language(Language::Russian);
            break;
        case Action::Assemble:
            panels_.source.asked = SourceState::Asked::Assemble;
            break;
        case Action::SaveSource:
            panels_.source.asked = SourceState::Asked::Save;
            break;
        case Action::EndOfFile:
            source_.send(machine::Input{"", true});
            panels_.console.end_of_file = true;
            break;
    }
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
    draw_notices(scene());
    if (auto choice = files_.draw(theme_)) open(choice->path, std::move(choice->arguments));
    settings_.folder = files_.folder().empty() ? settings_.folder : files_.folder();
    draw_keys_and_marks();
    std::vector<std::string> recent =
        options_.still ? std::vector<std::string>() : settings_.recent;
    if (const auto choice = palette_.draw(theme_, options_.demos, recent, snapshot_->symbols.get()))
        obey(*choice);
}

void Application::obey(const PaletteChoice& choice) {
    switch (choice.kind) {
        case PaletteChoice::Kind::Action:
            return perform(choice.action);
        case PaletteChoice::Kind::Panel:
            return workspace_.reveal(choice.panel);
        case PaletteChoice::Kind::Place:
            workspace_.reveal(PanelId::Bundles);
            selection_.go_to = choice.address;
            return;
        case PaletteChoice::Kind::Program:
            return open(choice.path, {});
    }
}

void Application::press_keys() {
    if (files_.is_open() || palette_.is_open()) return;
    if (const auto action = pressed_action()) perform(*action);
    for (const PanelInfo& panel : ui::panels())
        if (keys_pressed(panel.key)) workspace_.reveal(panel.id);
}

void Application::use_language(Language language) {
    set_language(language);
    settings_.language = language_code(language);
}

void Application::draw() {
    const ImVec2 display = ImGui::GetIO().DisplaySize;
    if (workspace_.columns.empty()) use_layout(settings_.layout);
    if (workspace_.columns.empty()) use_layout(kLayoutNames.front());  // a name from elsewhere
    press_keys();
    selection_.hover_bundle = 0;
    selection_.hovered_reg = std::exchange(selection_.hover_reg, RegisterRef{});
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(display);
    ImGui::Begin("workbench", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                     ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_MenuBar |
                     ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoSavedSettings |
                     ImGuiWindowFlags_NoScrollWithMouse);
    draw_menus();
    const Scene view = scene();
    draw_tool_bar(view);
    draw_banner(view);
    const float status = theme_.row() + theme_.px(6);
    ImGui::BeginChild("body", {0, -status}, false,
                      ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoScrollbar |
                          ImGuiWindowFlags_NoScrollWithMouse);
    if (view.has_program()) {
        draw_hints(view);
        draw_workspace(workspace_, theme_, [this](PanelId panel) { draw_panel(panel); });
    } else {
        draw_start_page(view);
    }
    ImGui::EndChild();
    draw_status_line(view);
    ImGui::End();
    draw_overlays();
    remember_view();
    if (!panels_.console.echo.empty()) {
        logs_.echo_input(panels_.console.echo);
        panels_.console.echo.clear();
    }
    attend_quality();
    attend_lesson();
    attend_source();
}

/// Nothing is assessed that nobody sees; what the panel exports is kept.
void Application::attend_quality() {
    QualityState& quality = panels_.quality;
    const bool drawn = std::exchange(quality.drawn, false);
    if (quality.watched && !drawn && !snapshot_->profile) {
        source_.send(machine::WatchQuality{false});
        quality.watched = false;
    }
    if (quality.exported.empty()) return;
    const std::string text = std::exchange(quality.exported, {});
    ImGui::SetClipboardText(text.c_str());
    if (!options_.keep) return logs_.notice(false, tr("The table has been copied"));
    const std::string why = options_.keep(quality.exported_as, text);
    if (why.empty())
        logs_.notice(false, trf("The table has been copied, and saved as {}/{}", options_.folder,
                                quality.exported_as));
    else
        logs_.notice(true, trf("{} is not saved: {}", quality.exported_as, why));
}

}  // namespace e2k::ui
