#include "ui/session.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <imgui.h>

namespace e2k::ui {

namespace {

using Seconds = std::chrono::duration<double>;

constexpr int kSettleFrames = 3;
constexpr double kRoomyWidth = 1600;  ///< unscaled; narrower windows start with smaller text
constexpr double kIdleSeconds = 0.5;  ///< longest sleep: the caret and rates move at this pace
constexpr double kScriptSeconds = 0.005;
constexpr Seconds kFastest{1.0 / 60}, kSlowest{1.0 / 36};
constexpr double kShare = 4;       ///< frames' cost : time between them, while the guest runs
constexpr double kEarly = 0.0005;  ///< a frame may come this much before it is due

}  // namespace

double seconds_left(std::chrono::duration<double> interval,
                    std::chrono::steady_clock::duration passed) {
    return std::max(0.0, Seconds(interval - passed).count());
}

Session::Session(Window& window, Source& source, Settings& settings, ApplicationOptions options)
    : window_(window), app_(source, settings, std::move(options)) {
    app_.theme().scale = static_cast<float>(window.scale());
    const bool chosen = settings.font_size > 0;
    if (!chosen) app_.theme().size = window.width() / window.scale() < kRoomyWidth ? 13 : 14;
    apply_style(app_.theme());
    window_.use_fonts(app_.theme());
}

void Session::frame() {
    last_frame_ = Clock::now();
    const double begin = FrameStats::thread_seconds();
    app_.update();
    if (app_.take_font_change()) {
        apply_style(app_.theme());
        window_.use_fonts(app_.theme());
    }
    window_.begin_frame();
    app_.draw();
    const double built = FrameStats::thread_seconds();
    window_.end_frame(app_.theme().background);
    const double end = FrameStats::thread_seconds();
    if (stats_)
        stats_->add({built - begin, end - built, ImGui::GetIO().MetricsRenderVertices},
                    app_.snapshot());
    const double ms = (end - begin) * 1e3;
    FrameClock& clock = app_.clock();
    clock.milliseconds = clock.milliseconds == 0 ? ms : clock.milliseconds * 0.9 + ms * 0.1;
}

void Session::note_news(bool input) {
    if (input) {
        settle_ = kSettleFrames;
        input_due_ = true;
    }
    // A running guest brings the next picture soon; only a stop needs time to settle.
    if (app_.update()) settle_ = std::max(settle_, app_.snapshot().live ? 1 : 2);
    if (ImGui::GetIO().WantTextInput) settle_ = std::max(settle_, 1);
}

/// Shortest time between two frames. A picture that only follows a running guest takes at most
/// about a quarter of a core where it can, and never falls below kSlowest.
std::chrono::duration<double> Session::interval() const {
    if (input_due_ || !app_.snapshot().live) return kFastest;
    const std::chrono::duration<double> wanted(app_.clock().milliseconds * 1e-3 * kShare);
    return std::clamp(wanted, kFastest, kSlowest);
}

double Session::until_due() const { return seconds_left(interval(), Clock::now() - last_frame_); }

bool Session::turn(double most) {
    note_news(window_.wait(settle_ > 0 ? std::min(most, until_due()) : most));
    if (settle_ == 0 || until_due() > kEarly) return false;
    settle_ = std::max(0, settle_ - 1);
    if (settle_ == 0) input_due_ = false;
    frame();
    return true;
}

tl::expected<void, std::string> Session::run(Script& script, int max_frames) {
    int drawn = 0;
    while (!window_.should_close() && !app_.quit_requested()) {
        const bool scripted = !script.finished();
        if (!scripted && max_frames == 0) {
            turn(kIdleSeconds);
            continue;
        }
        const bool input = window_.wait(!scripted ? until_due() : settle_ > 0 ? 0 : kScriptSeconds);
        if (scripted) {
            if (auto error = script.step(app_, window_)) return tl::unexpected(*error);
            if (!script.output().empty()) {
                std::fwrite(script.output().data(), 1, script.output().size(), stdout);
                script.clear_output();
            }
        }
        const bool counting = max_frames > 0 && !scripted;
        note_news(input);
        settle_ = std::max(0, settle_ - 1);
        if (settle_ == 0) input_due_ = false;
        frame();
        if (counting && ++drawn >= max_frames) break;
    }
    return {};
}

}  // namespace e2k::ui
