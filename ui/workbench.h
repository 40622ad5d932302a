// The workbench window: entry point of the graphical front end.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "engine/machine/machine.h"
#include "ui/panel_names.h"

namespace e2k::ui {

inline guest::ProcessOptions in_the_sandbox() {
    guest::ProcessOptions options;
    options.policy.sandbox = true;
    return options;
}

/// What the command line asks of the window. Everything is optional: without a program the window
/// opens with its start page.
struct WorkbenchOptions {
    std::vector<std::string> argv;  ///< program and its arguments; empty: none opened
    /// Where settings are kept: a folder, announced before any program runs, and the files in it
    /// afterwards; the answer is empty or says why a file was not written. Both empty: nothing is
    /// kept. Programs change what files of this process are written with (umask, limits), so this
    /// is somebody else's work.
    std::function<void(const std::string& folder)> keep_in;
    std::function<std::string(const std::string& name, const std::string& text)> keep;
    std::optional<std::string> argv0;  ///< what the program is told it was called
    /// Of every program opened; its arguments and streams are the window's business.
    guest::ProcessOptions process = in_the_sandbox();
    std::string scratch;               ///< ApplicationOptions::scratch
    std::vector<std::string> demos;    ///< paths of programs offered on the start page
    std::vector<std::string> lessons;  ///< paths of lessons
    std::string lesson;                ///< one to begin with; empty: none
    machine::Tier tier = machine::Tier::Translator;

    std::string layout;  ///< "debug", "teach", "translate"; "" = as left last time
    int width = 0;       ///< window size in screen pixels, 0 = as left last time
    int height = 0;
    double scale = 0;      ///< interface scale, 0 = the monitor's
    double font_size = 0;  ///< unscaled pixels (13..28), 0 = as left last time
    std::string theme;     ///< "dark", "light"; "" = as left last time
    std::string language;  ///< "en", "ru"; "" = as left last time, else the locale's

    /// Draws `frames` frames without a visible window, writes a PNG and returns. Rendering is
    /// deterministic: no saved settings, no caret, no wall-clock figures.
    std::string screenshot;
    int frames = 0;                        ///< 0 = until the window is closed (8 for screenshots)
    bool frame_stats = false;              ///< a line a second about frames on standard error
    std::vector<std::string> dump_panels;  ///< print the text of these panels before returning
    /// Commands executed frame by frame, one per line (ui/README.md): "break main", "run",
    /// "wait stopped", "key F11", "dump registers", "screenshot FILE", "quit".
    std::string script;
};

/// Opens the window and returns when it closes: the process's exit code. The error says why no
/// window could be opened (no display, no OpenGL 3.3) and names the commands that need none.
tl::expected<int, std::string> run_workbench(const WorkbenchOptions& options);

/// Names that `layout` accepts, for help texts and completion; known without the window's module.
inline constexpr std::array kLayoutNames = {"debug", "teach", "translate"};

}  // namespace e2k::ui
