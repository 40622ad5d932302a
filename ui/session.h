// One window with one application: the frame loop, shared by the program and the window tests.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "ui/application.h"
#include "ui/frame_stats.h"
#include "ui/script.h"
#include "ui/window.h"

namespace e2k::ui {

/// Seconds until `interval` is over of which `passed` is behind us.
double seconds_left(std::chrono::duration<double> interval,
                    std::chrono::steady_clock::duration passed);

class Session {
public:
    /// The window must outlive the session; fonts and style are set up here.
    Session(Window& window, Source& source, Settings& settings, ApplicationOptions options);

    Application& app() { return app_; }
    Window& window() { return window_; }

    /// Prints a line a second about the cost of frames.
    void print_stats(std::FILE* out) { stats_.emplace(out); }
    /// Takes over news and draws one frame.
    void frame();
    /// One turn of run() without a script: sleeps until there is something to do, at most so long,
    /// and draws a frame if one is due; true if it did.
    bool turn(double most);
    /// No frame is to come before the next news.
    bool settled() const { return settle_ == 0; }
    /// Draws when there is input, a new snapshot or an animation; sleeps otherwise. Returns when
    /// the window is closed, `max_frames` are drawn (0 = no limit) or the script failed.
    tl::expected<void, std::string> run(Script& script, int max_frames);

private:
    using Clock = std::chrono::steady_clock;

    void note_news(bool input);
    std::chrono::duration<double> interval() const;
    double until_due() const;

    Window& window_;
    Application app_;
    std::optional<FrameStats> stats_;
    Clock::time_point last_frame_{};
    bool input_due_ = false;  ///< the next frame answers input
    int settle_ = 3;  ///< frames still to draw after the last input: hover and layout settle late
};

}  // namespace e2k::ui
