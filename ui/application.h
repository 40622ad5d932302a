// The workbench's frame around the panels: menus, tool bar, banner, status line, notices, start
// page; turns actions into commands.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ui/actions.h"
#include "ui/file_dialog.h"
#include "ui/palette.h"
#include "ui/panels/panel.h"
#include "ui/scene.h"
#include "ui/settings.h"
#include "ui/start_page.h"
#include "ui/text.h"
#include "ui/workspace.h"

namespace e2k::ui {

struct ApplicationOptions {
    machine::LaunchOptions launch;     ///< of programs opened from the window; argv is replaced
    std::vector<std::string> demos;    ///< start page
    std::vector<std::string> lessons;  ///< files, in the order of the course
    /// Where a sandboxed program gets a directory of its own to work and write in, made when it is
    /// opened; empty: programs begin where the workbench was started.
    std::string scratch;
    bool still = false;  ///< deterministic picture
    bool hints = false;  ///< show the first-use strip even so
    /// WorkbenchOptions::keep and the folder it writes to; empty: nothing is kept.
    std::function<std::string(const std::string& name, const std::string& text)> keep;
    std::string folder;
};

/// Pictures and timings of the last frames, for the status line.
struct FrameClock {
    double milliseconds = 0;  ///< smoothed cost of building and drawing a frame
    double frames_per_second = 0;
};

class Application {
public:
    Application(Source& source, Settings& settings, ApplicationOptions options);

    /// Takes over snapshot and logs; true if there is something new to draw.
    bool update();
    /// Draws one frame into the current Dear ImGui context, between NewFrame and Render.
    void draw();

    void perform(Action action);
    void open(const std::string& path, std::vector<std::string> arguments,
              const std::optional<std::string>& argv0 = std::nullopt);
    /// Programs may write below `directory` from now on; the one that is open starts again.
    void allow(const std::string& directory);
    /// Of the programs opened from now on; the one that is open starts again with it.
    void set_clock(const cpu::ClockOptions& clock);
    void use_layout(const std::string& name);
    /// Plays a lesson; a faulty one says what is wrong with it.
    void begin_lesson(const std::string& path);
    /// Texts from the next frame on; remembered.
    void use_language(Language language);

    Theme& theme() { return theme_; }
    PanelStates& panels() { return panels_; }
    Workspace& workspace() { return workspace_; }
    Selection& selection() { return selection_; }
    Logs& logs() { return logs_; }
    const machine::Snapshot& snapshot() const { return *snapshot_; }
    machine::CommandSink& sink() { return source_; }
    std::string text(PanelId panel);
    FrameClock& clock() { return clock_; }
    const FrameClock& clock() const { return clock_; }
    bool quit_requested() const { return quit_; }
    /// True once after the font size changed: the atlas must be rebuilt before the next frame.
    bool take_font_change();
    /// Text a panel really drew in the next frame: give the panel, draw, read `captured`.
    void capture(std::optional<PanelId> panel) { capture_panel_ = panel; }
    const std::string& captured() const { return captured_.text; }

private:
    Scene scene(TextCapture* capture = nullptr);
    bool can(Action action) const;
    void menu_item(Action action, bool checked = false);
    void open_again();
    void give_scratch(machine::Open& command);
    void draw_menus();
    // Around the panels (chrome.cpp, tool_bar.cpp, start_page.cpp)
    void draw_tool_bar(const Scene& scene);
    void draw_thread_chooser(const Scene& scene);
    void draw_banner(const Scene& scene);
    void draw_status_line(const Scene& scene);
    void draw_notices(const Scene& scene);
    void draw_start_page(const Scene& scene);
    void draw_hints(const Scene& scene);
    void draw_keys_and_marks();
    void obey(const PaletteChoice& choice);
    void press_keys();
    void attend_quality();
    // What the panels of lessons and of the source ask for (lesson_desk.cpp, source_desk.cpp)
    void attend_lesson();
    void list_lessons();
    void show_lesson();
    lessons::Stage stage_of(const std::string& program);
    void attend_source();
    void load_source();
    void assemble_source();
    void save_source(const std::string& path);
    void note_run();
    void clock_menu();
    void draw_panel(PanelId panel);
    void draw_overlays();
    void remember_view();
    void go_back(int direction);

    Source& source_;
    Settings& settings_;
    ApplicationOptions options_;
    Theme theme_;
    Workspace workspace_;
    PanelStates panels_;
    Selection selection_;
    Logs logs_;
    Changes changes_;
    FileDialog files_;
    Palette palette_;
    machine::Open opened_;  ///< the last program
    FrameClock clock_;
    std::shared_ptr<const machine::Snapshot> snapshot_;
    std::uint64_t seen_stop_ip_ = 0, seen_stop_bundles_ = 0;
    std::uint64_t dismissed_banner_ = 0;  ///< bundle counter of the stop whose banner was closed
    std::vector<std::uint64_t> history_;  ///< places shown
    std::size_t history_at_ = 0;
    float usual_size_ = 0;           ///< of the font in all layouts but Teach; 0: not known yet
    bool waited_for_input_ = false;  ///< the console has been shown for the call in progress
    StartPage start_page_;
    double speed_ = 1;  ///< slider, 1 = unlimited
    std::optional<PanelId> capture_panel_;
    TextCapture captured_;
    bool quit_ = false, font_changed_ = false, about_ = false;
};

/// Bundles a second for a slider position; 0 = unlimited (position 1).
double speed_of(double position);

}  // namespace e2k::ui
