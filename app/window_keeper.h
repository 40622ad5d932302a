// The process behind the window: it outlives it, ends what the guest leaves behind, and writes the
// window's files, untouched by anything that a guest sets for its process.
#pragma once

#include <string>
#include <string_view>

namespace e2k::app {

/// The window's side. A guest shares its process with the window: its umask, its limits, its
/// children. So the process is doubled before any guest exists: the copy becomes the window, the
/// caller stays behind as its keeper.
class WindowKeeper {
public:
    /// Returns in the window's process only. The keeper's own never returns: it ends as the window
    /// ended, when no process of the guest is left. Where no process can be made, the window does
    /// without.
    static WindowKeeper start();
    ~WindowKeeper();
    WindowKeeper(const WindowKeeper&) = delete;
    WindowKeeper& operator=(const WindowKeeper&) = delete;

    /// Names the folder, once and before a guest runs: there are no files in others.
    void keep_in(const std::string& folder);
    /// Has the keeper write one of its files as a whole. Empty, or why it did not.
    std::string keep(const std::string& name, const std::string& text);

private:
    explicit WindowKeeper(int channel) : channel_(channel) {}
    int channel_;  ///< to the keeper; -1: there is none
    std::string folder_;
};

}  // namespace e2k::app
