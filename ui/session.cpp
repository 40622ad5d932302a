#include "ui/session.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <imgui.h>

namespace e2k::ui {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSettleFrames = 3;
constexpr double kRoomyWidth = 1600;  ///< unscaled; narrower windows start with smaller text
constexpr double kIdleSeconds = 0.5;  ///< longest sleep: the caret and rates move at this pace
constexpr double kScriptSeconds = 0.005;

}  // namespace

Session::Session(Window& window, Source& source, Settings& settings, ApplicationOptions options)
    : window_(window), app_(source, settings, std::move(options)) {
    app_.theme().scale = static_cast<float>(window.scale());
    const bool chosen = settings.font_size > 0;
    if (!chosen) app_.theme().size = window.width() / window.scale() < kRoomyWidth ? 13 : 14;
    apply_style(app_.theme());
    window_.use_fonts(app_.theme());
}

void Session::frame() {
    const auto begin = Clock::now();
    app_.update();
    if (app_.take_font_change()) {
        apply_style(app_.theme());
        window_.use_fonts(app_.theme());
    }
    window_.begin_frame();
    app_.draw();
    window_.end_frame(app_.theme().background);
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    FrameClock& clock = app_.clock();
    clock.milliseconds = clock.milliseconds == 0 ? ms : clock.milliseconds * 0.9 + ms * 0.1;
}

bool Session::wants_frame(bool input) {
    if (input) settle_ = kSettleFrames;
    if (app_.update()) settle_ = std::max(settle_, 2);
    if (ImGui::GetIO().WantTextInput) settle_ = std::max(settle_, 1);
    if (settle_ == 0) return false;
    --settle_;
    return true;
}

tl::expected<void, std::string> Session::run(Script& script, int max_frames) {
    int drawn = 0;
    while (!window_.should_close() && !app_.quit_requested()) {
        const bool scripted = !script.finished();
        const double sleep = settle_ > 0 ? 0 : scripted ? kScriptSeconds : kIdleSeconds;
        const bool input = window_.wait(sleep);
        if (scripted) {
            if (auto error = script.step(app_, window_)) return tl::unexpected(*error);
            if (!script.output().empty()) {
                std::fwrite(script.output().data(), 1, script.output().size(), stdout);
                script.clear_output();
            }
        }
        const bool counting = max_frames > 0 && !scripted;
        if (!wants_frame(input) && !scripted && !counting) continue;
        frame();
        if (counting && ++drawn >= max_frames) break;
    }
    return {};
}

}  // namespace e2k::ui
