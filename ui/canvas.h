// The picture of the window, kept between frames: only what changed is drawn again.
#pragma once

#include <imgui.h>

#include "ui/damage.h"

namespace e2k::ui {

/// An OpenGL framebuffer of the window's size. Needs a current context, also to be destroyed.
class Canvas {
public:
    Canvas() = default;
    ~Canvas();
    Canvas(const Canvas&) = delete;
    Canvas& operator=(const Canvas&) = delete;

    /// False if OpenGL refuses a framebuffer of this size.
    bool resize(int width, int height);
    /// Brings the picture up to date; false if nothing had changed.
    bool draw(ImDrawData& picture, ImU32 background);
    /// Everything is drawn by the next draw().
    void forget() { damage_.forget(); }
    /// Copies the picture to the window's own framebuffer.
    void present() const;
    void bind() const;

    int width() const { return width_; }
    int height() const { return height_; }

private:
    unsigned framebuffer_ = 0, colour_ = 0;
    int width_ = 0, height_ = 0;
    Damage damage_;
};

}  // namespace e2k::ui
