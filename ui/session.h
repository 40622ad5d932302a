// One window with one application: the frame loop, shared by the program and the window tests.
#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "ui/application.h"
#include "ui/script.h"
#include "ui/window.h"

namespace e2k::ui {

class Session {
public:
    /// The window must outlive the session; fonts and style are set up here.
    Session(Window& window, Source& source, Settings& settings, ApplicationOptions options);

    Application& app() { return app_; }
    Window& window() { return window_; }

    /// Takes over news and draws one frame.
    void frame();
    /// Draws when there is input, a new snapshot or an animation; sleeps otherwise. Returns when
    /// the window is closed, `max_frames` are drawn (0 = no limit) or the script failed.
    tl::expected<void, std::string> run(Script& script, int max_frames);

private:
    bool wants_frame(bool input);

    Window& window_;
    Application app_;
    int settle_ = 3;  ///< frames still to draw after the last input: hover and layout settle late
};

}  // namespace e2k::ui
