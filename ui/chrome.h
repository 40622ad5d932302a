// Everything around the panels that is drawn but decides nothing: tool bar, banner, status line,
// notices, start page.
#pragma once

#include "ui/application.h"

namespace e2k::ui {

struct Chrome {
    static void tool_bar(Application& app, const Scene& scene);
    static void banner(Application& app, const Scene& scene);
    static void status_line(Application& app, const Scene& scene);
    static void notices(Application& app, const Scene& scene);
    static void start_page(Application& app, const Scene& scene);
};

/// "paused at main+0x18", "exited with code 0", …
std::string state_text(const Scene& scene);

}  // namespace e2k::ui
