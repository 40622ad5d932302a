// Commands that drive the window without a person: tests, screenshots, demonstrations. One command
// a line, executed between frames (ui/README.md lists them).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ui/application.h"
#include "ui/window.h"

namespace e2k::ui {

class Script {
public:
    explicit Script(const std::string& text);

    bool finished() const {
        return at_ >= lines_.size() && frames_ == 0 && wait_for_.empty() && !drawn_;
    }
    /// Executes what is due before the next frame. The error text names the line at fault.
    std::optional<std::string> step(Application& app, Window& window);
    /// What `dump` and `drawn` printed so far.
    const std::string& output() const { return output_; }
    void clear_output() { output_.clear(); }

private:
    std::optional<std::string> execute(const std::string& line, Application& app, Window& window);
    bool waiting(Application& app);

    std::vector<std::string> lines_;
    std::size_t at_ = 0;
    int frames_ = 0;  ///< to draw before the next command
    std::string wait_for_;
    double deadline_ = 0;
    std::uint64_t wait_after_ = 0;  ///< snapshot sequence a wait must get beyond
    std::optional<PanelId> drawn_;
    std::string output_;
};

}  // namespace e2k::ui
