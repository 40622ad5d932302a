#include "ui/script.h"

#include <chrono>
#include <sstream>

#include <fmt/format.h>

#include "ui/panels/bundles.h"

namespace e2k::ui {

using machine::RunState;

namespace {

constexpr double kDefaultTimeout = 30;

double seconds_now() {
    using namespace std::chrono;
    return duration<double>(steady_clock::now().time_since_epoch()).count();
}

bool stopped(RunState state) { return state != RunState::Running && state != RunState::NoProgram; }

}  // namespace

Script::Script(const std::string& text) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const std::size_t first = line.find_first_not_of(" \t");
        if (first == std::string::npos || line[first] == '#') continue;
        lines_.push_back(line.substr(first));
    }
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
        if (seconds_now() > deadline_)
            return fmt::format(
                "script: timed out waiting for \"{}\" (line \"{}\"); the program is {}", wait_for_,
                lines_[at_ - 1], static_cast<int>(app.snapshot().run_state));
        return std::nullopt;
    }
    while (at_ < lines_.size() && frames_ == 0 && wait_for_.empty()) {
        const std::string line = lines_[at_++];
        if (auto error = execute(line, app, window)) return error;
    }
    return std::nullopt;
}

std::optional<std::string> Script::execute(const std::string& line, Application& app,
                                           Window& window) {
    std::istringstream in(line);
    std::string name, argument;
    in >> name;
    std::getline(in >> std::ws, argument);
    const auto place = [&]() { return resolve_place(argument, app.snapshot().symbols.get()); };
    const auto unknown = [&](const char* what) {
        return fmt::format("script: \"{}\": {} \"{}\"", line, what, argument);
    };
    if (name == "wait") {
        std::istringstream words(argument);
        double timeout = kDefaultTimeout;
        words >> wait_for_ >> timeout;
        deadline_ = seconds_now() + timeout;
    } else if (name == "frames") {
        frames_ = std::max(1, std::atoi(argument.c_str()));
    } else if (name == "key") {
        int key = 0;
        bool ctrl = false, shift = false, alt = false;
        if (!parse_keys(argument, key, ctrl, shift, alt)) return unknown("no such key");
        wait_after_ = app.snapshot().sequence;
        window.inject_key(key, ctrl, shift, alt);
        frames_ = 2;
    } else if (name == "mouse") {
        float x = 0, y = 0;
        std::string button;
        std::istringstream(argument) >> x >> y >> button;
        window.inject_mouse(x, y, button == "left", button == "right");
        frames_ = 2;
    } else if (name == "type") {
        ImGui::GetIO().AddInputCharactersUTF8(argument.c_str());
        frames_ = 2;
    } else if (name == "open") {
        app.open(argument, {});
        wait_for_ = "program";
        deadline_ = seconds_now() + kDefaultTimeout;
    } else if (name == "run" || name == "pause" || name == "step" || name == "over" ||
               name == "out" || name == "restart") {
        wait_after_ = app.snapshot().sequence;
        if (name == "run") app.sink().send(machine::Run{});
        if (name == "pause") app.sink().send(machine::Pause{});
        if (name == "step")
            app.sink().send(machine::StepBundle{
                static_cast<std::uint64_t>(std::max(1, std::atoi(argument.c_str())))});
        if (name == "over") app.sink().send(machine::StepOver{});
        if (name == "out") app.sink().send(machine::StepOut{});
        if (name == "restart") app.perform(Action::Restart);
        frames_ = 1;
    } else if (name == "break" || name == "run-to" || name == "goto") {
        const std::uint64_t address = place();
        if (!address) return unknown("no such place");
        if (name == "break") app.sink().send(machine::SetBreakpoint{address, true});
        if (name == "goto") app.selection().go_to = address;
        if (name == "run-to") {
            wait_after_ = app.snapshot().sequence;
            app.sink().send(machine::RunTo{address});
        }
        frames_ = 2;
    } else if (name == "input") {
        app.sink().send(machine::Input{argument + "\n", false});
    } else if (name == "layout") {
        app.use_layout(argument);
        frames_ = 3;
    } else if (name == "show") {
        const auto panel = panel_by_name(argument);
        if (!panel) return unknown("no such panel");
        app.workspace().reveal(*panel);
        frames_ = 3;
    } else if (name == "dump" || name == "drawn") {
        const auto panel = panel_by_name(argument);
        if (!panel) return unknown("no such panel");
        if (name == "dump") {
            output_ += app.text(*panel);
        } else {
            app.capture(panel);
            drawn_ = panel;
            frames_ = 1;
        }
    } else if (name == "screenshot") {
        if (auto written = window.read_pixels().write_png(argument); !written)
            return written.error();
    } else if (name == "quit") {
        app.perform(Action::Quit);
    } else {
        return fmt::format("script: unknown command \"{}\"", line);
    }
    return std::nullopt;
}

}  // namespace e2k::ui
