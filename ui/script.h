// Commands that drive the window without a person: tests, screenshots, demonstrations. One command
// a line, executed between frames (ui/README.md lists them).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ui/application.h"
#include "ui/script_text.h"
#include "ui/window.h"

namespace e2k::ui {

class Script {
public:
    explicit Script(std::string_view text);

    bool finished() const {
        return at_ >= commands_.size() && frames_ == 0 && wait_for_.empty() && !drawn_ &&
               wrong_.empty();
    }
    /// Executes what is due before the next frame. The error text names the line at fault; one that
    /// parse_script() finds comes before anything is executed.
    std::optional<std::string> step(Application& app, Window& window);
    /// What `dump` and `drawn` printed so far.
    const std::string& output() const { return output_; }
    void clear_output() { output_.clear(); }

private:
    std::optional<std::string> execute(const ScriptCommand& command, Application& app,
                                       Window& window);
    /// Commands about a place in the guest's code.
    std::optional<std::string> go(const ScriptCommand& command, Application& app);
    /// Commands that make the guest run or stop.
    void control(const ScriptCommand& command, Application& app);
    void start_waiting(const std::string& condition, double timeout);
    bool waiting(Application& app);

    std::vector<ScriptCommand> commands_;
    std::string wrong_;  ///< what parse_script() said
    std::size_t at_ = 0;
    std::uint64_t frames_ = 0;  ///< to draw before the next command
    std::string wait_for_;
    double deadline_ = 0;
    std::uint64_t wait_after_ = 0;    ///< snapshot sequence a wait must get beyond
    std::uint64_t opened_after_ = 0;  ///< the same for the news that a program cannot be opened
    std::optional<PanelId> drawn_;
    std::string output_;
};

}  // namespace e2k::ui
