// The operating-system window: GLFW, OpenGL 3.3, Dear ImGui's back ends, reading pixels back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "ui/canvas.h"
#include "ui/key_layout.h"
#include "ui/theme.h"

struct GLFWwindow;

namespace e2k::ui {

struct WindowOptions {
    std::string title = "E2K Workbench";
    int width = 1440, height = 900;
    bool visible = true;   ///< false: draw into a framebuffer object of exactly this size
    double scale = 0;      ///< 0 = the monitor's content scale
    std::string ini_path;  ///< Dear ImGui's own settings are read from it; "" = none
};

/// Top-down RGBA rows.
struct Image {
    int width = 0, height = 0;
    std::vector<std::uint8_t> rgba;

    /// Colour at a pixel, as Dear ImGui packs it.
    ImU32 at(int x, int y) const;
    /// Error text if the file cannot be written.
    tl::expected<void, std::string> write_png(const std::string& path) const;
};

/// One window and one Dear ImGui context. All calls from the thread that created it.
class Window {
public:
    /// Fails with a message fit for the terminal: no display, no OpenGL 3.3.
    static tl::expected<std::unique_ptr<Window>, std::string> create(const WindowOptions& options);
    ~Window();
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    double scale() const { return scale_; }
    bool should_close() const;
    void request_close();
    int width() const;
    int height() const;
    void set_title(const std::string& title);
    void set_clipboard(const std::string& text);
    /// Dear ImGui's own settings (widths of table columns), to be kept in a file.
    std::string ini_text() const;

    /// Sleeps until input, a wake-up or the timeout. True if there was input.
    bool wait(double timeout_seconds);
    /// Any thread: ends `wait`.
    static void wake();

    /// (Re)builds the font atlas; between frames only.
    void use_fonts(Theme& theme);
    void begin_frame();
    /// Renders what changed and presents; `background` is the clear colour.
    void end_frame(ImU32 background);
    /// Draws the next frame completely.
    void redraw_all() { canvas_->forget(); }
    /// Pixels of the last frame.
    Image read_pixels() const;

    /// Sends a key press and release as the keyboard would; the key is named by its letter.
    void inject_key(int glfw_key, bool ctrl, bool shift, bool alt);
    /// Mouse for the next frames, in window pixels; used by scripts and tests. Overrides the real
    /// one until `release_mouse`.
    void inject_mouse(float x, float y, bool left, bool right, float wheel = 0);
    void release_mouse() { fake_mouse_ = false; }

    GLFWwindow* handle() { return window_; }

private:
    Window() = default;
    void watch_input();
    void watch_keys();

    GLFWwindow* window_ = nullptr;
    bool offscreen_ = false;  ///< the canvas is the only picture
    std::unique_ptr<Canvas> canvas_;
    bool exposed_ = true;  ///< the window must be shown again though nothing changed
    double scale_ = 1;
    KeyLayout layout_;
    bool fake_mouse_ = false;
    struct {
        float x = 0, y = 0, wheel = 0;
        bool left = false, right = false;
    } mouse_;
    bool backends_ = false;
    bool input_arrived_ = false;
    struct Tap {
        int key, mods;
    };
    std::vector<Tap> taps_;       ///< keys pressed since the last frame
    std::vector<int> held_keys_;  ///< released after the frame that saw them pressed
};

}  // namespace e2k::ui
