#include "ui/script.h"

#include <chrono>

#include <fmt/format.h>

#include "ui/panels/bundles.h"

namespace e2k::ui {

using machine::RunState;

namespace {

constexpr double kOpenTimeout = 30;

double seconds_now() {
    using namespace std::chrono;
    return duration<double>(steady_clock::now().time_since_epoch()).count();
}

bool stopped(RunState state) { return state != RunState::Running && state != RunState::NoProgram; }

}  // namespace

Script::Script(std::string_view text) {
    if (auto commands = parse_script(text))
        commands_ = std::move(*commands);
    else
        wrong_ = std::move(commands.error());
}

/// `wait stopped` after a command that makes the guest run must not be satisfied by the stop it
/// started from, so it also asks for progress.
bool Script::waiting(Application& app) {
    if (wait_for_.empty()) return false;
    const auto& now = app.snapshot();
    bool done = false;
    const bool ended = stopped(now.run_state) && now.run_state != RunState::Paused;
    if (wait_for_ == "stopped")
        done = ended || (stopped(now.run_state) && now.sequence > wait_after_);
    if (wait_for_ == "paused")
        done = now.run_state == RunState::Paused && now.sequence > wait_after_;
    if (wait_for_ == "running") done = now.run_state == RunState::Running;
    if (wait_for_ == "exited") done = now.run_state == RunState::Exited;
    if (wait_for_ == "program") done = now.run_state != RunState::NoProgram;
    if (wait_for_ == "region") done = now.region != nullptr;
    if (wait_for_ == "output") done = !app.logs().console().empty();
    if (done) {
        wait_for_.clear();
        frames_ = 3;  // let panels take the new picture over
    }
    return !done;
}

std::optional<std::string> Script::step(Application& app, Window& window) {
    if (!wrong_.empty()) return wrong_;
    if (drawn_ && frames_ == 0) {
        output_ += app.captured();
        app.capture(std::nullopt);
        drawn_.reset();
    }
    if (frames_ > 0) {
        --frames_;
        return std::nullopt;
    }
    if (waiting(app)) {
        // Nothing will ever come of a program that could not be opened.
        if (app.snapshot().run_state == RunState::NoProgram && !app.snapshot().banner.empty() &&
            app.snapshot().sequence > opened_after_)
            return app.snapshot().banner;
        if (seconds_now() > deadline_)
            return fmt::format(
                "script: timed out waiting for \"{}\" (line \"{}\"); the program is {}", wait_for_,
                commands_[at_ - 1].line, static_cast<int>(app.snapshot().run_state));
        return std::nullopt;
    }
    while (at_ < commands_.size() && frames_ == 0 && wait_for_.empty())
        if (auto error = execute(commands_[at_++], app, window)) return error;
    return std::nullopt;
}

void Script::start_waiting(const std::string& condition, double timeout) {
    wait_for_ = condition;
    deadline_ = seconds_now() + timeout;
}

void Script::control(const ScriptCommand& command, Application& app) {
    wait_after_ = app.snapshot().sequence;
    frames_ = 1;
    switch (command.verb) {
        case ScriptVerb::Run:
            return app.sink().send(machine::Run{});
        case ScriptVerb::Pause:
            return app.sink().send(machine::Pause{});
        case ScriptVerb::Step:
            return app.sink().send(machine::StepBundle{command.count});
        case ScriptVerb::Over:
            return app.sink().send(machine::StepOver{});
        case ScriptVerb::Out:
            return app.sink().send(machine::StepOut{});
        default:
            return app.perform(Action::Restart);
    }
}

std::optional<std::string> Script::go(const ScriptCommand& command, Application& app) {
    const std::uint64_t address = resolve_place(command.argument, app.snapshot().symbols.get());
    if (!address)
        return fmt::format("script: \"{}\": no such place \"{}\"", command.line, command.argument);
    if (command.verb == ScriptVerb::Break) app.sink().send(machine::SetBreakpoint{address, true});
    if (command.verb == ScriptVerb::GoTo) app.selection().go_to = address;
    if (command.verb == ScriptVerb::RunTo) {
        wait_after_ = app.snapshot().sequence;
        app.sink().send(machine::RunTo{address});
    }
    frames_ = 2;
    return std::nullopt;
}

std::optional<std::string> Script::execute(const ScriptCommand& command, Application& app,
                                           Window& window) {
    const auto& [x, y, left, right] = command.mouse;
    const auto& [key, ctrl, shift, alt] = command.key;
    switch (command.verb) {
        case ScriptVerb::Wait:
            start_waiting(command.argument, command.timeout);
            break;
        case ScriptVerb::Frames:
            frames_ = command.count;
            break;
        case ScriptVerb::Key:
            wait_after_ = app.snapshot().sequence;
            window.inject_key(key, ctrl, shift, alt);
            frames_ = 2;
            break;
        case ScriptVerb::Mouse:
            window.inject_mouse(x, y, left, right);
            frames_ = 2;
            break;
        case ScriptVerb::Type:
            ImGui::GetIO().AddInputCharactersUTF8(command.argument.c_str());
            frames_ = 2;
            break;
        case ScriptVerb::Open:
            opened_after_ = app.snapshot().sequence;
            app.open(command.argument, {});
            start_waiting("program", kOpenTimeout);
            break;
        case ScriptVerb::Run:
        case ScriptVerb::Pause:
        case ScriptVerb::Step:
        case ScriptVerb::Over:
        case ScriptVerb::Out:
        case ScriptVerb::Restart:
            control(command, app);
            break;
        case ScriptVerb::Break:
        case ScriptVerb::RunTo:
        case ScriptVerb::GoTo:
            return go(command, app);
        case ScriptVerb::Input:
            app.sink().send(machine::Input{command.argument + "\n", false});
            break;
        case ScriptVerb::Clock: {
            const auto clock = cpu::ClockOptions::parse(command.argument);
            if (!clock) return fmt::format("script: \"{}\": {}", command.line, clock.error());
            opened_after_ = app.snapshot().sequence;
            app.set_clock(*clock);
            start_waiting("program", kOpenTimeout);
            break;
        }
        case ScriptVerb::Layout:
            app.use_layout(command.argument);
            frames_ = 3;
            break;
        case ScriptVerb::Show:
            app.workspace().reveal(*command.panel);
            frames_ = 3;
            break;
        case ScriptVerb::Dump:
            output_ += app.text(*command.panel);
            break;
        case ScriptVerb::Drawn:
            app.capture(command.panel);
            drawn_ = command.panel;
            frames_ = 1;
            break;
        case ScriptVerb::Screenshot:
            if (auto written = window.read_pixels().write_png(command.argument); !written)
                return written.error();
            break;
        case ScriptVerb::Quit:
            app.perform(Action::Quit);
            break;
    }
    return std::nullopt;
}

}  // namespace e2k::ui
