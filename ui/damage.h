// What of a picture differs from the one before: redrawing only that makes a software renderer
// fast enough to follow a running guest.
#pragma once

#include <string>
#include <vector>

#include <imgui.h>

namespace e2k::ui {

/// Whole pixels, x0 <= x < x1.
struct PixelRect {
    int x0 = 0, y0 = 0, x1 = 0, y1 = 0;

    bool empty() const { return x0 >= x1 || y0 >= y1; }
    bool touches(const PixelRect& other) const {
        return x0 < other.x1 && other.x0 < x1 && y0 < other.y1 && other.y0 < y1;
    }
    PixelRect joined(const PixelRect& other) const;
    PixelRect common(const PixelRect& other) const;
    long area() const { return empty() ? 0 : static_cast<long>(x1 - x0) * (y1 - y0); }
};

class Damage {
public:
    /// Rectangles outside which `picture` looks like the one given before; they do not overlap.
    std::vector<PixelRect> update(const ImDrawData& picture);
    /// The next picture is new everywhere (other size, other fonts).
    void forget() { known_ = false; }

private:
    struct Triangle {
        ImDrawVert corner[3];
        ImVec4 clip;
        ImTextureID texture;
    };
    struct List {
        std::string owner;
        std::vector<Triangle> triangles;
    };
    class Areas;

    static void flatten(const ImDrawList& from, List& to);
    static bool same(const Triangle& a, const Triangle& b);
    static void compare(const List& before, const List& after, Areas& areas);

    bool known_ = false;
    PixelRect screen_;
    std::vector<List> before_, after_;
};

}  // namespace e2k::ui
