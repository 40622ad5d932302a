// Drawing text and small marks inside panels. Everything a panel writes goes through here, so
// that tests can compare what was drawn with what the snapshot says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <imgui.h>

#include "ui/scene.h"

namespace e2k::ui {

enum class Weight : std::uint8_t { Mono, Bold, Prose };

/// A piece of text in one colour.
struct Run {
    std::string text;
    ImU32 colour = 0;
    Weight weight = Weight::Mono;
    bool struck = false;
};

class Ink {
public:
    /// Draws into the current window; clips to its rectangle as Dear ImGui does.
    explicit Ink(const Scene& scene);

    /// Returns the x after the text. U+2009 is drawn as a third of a character.
    float text(ImVec2 at, ImU32 colour, std::string_view text, Weight weight = Weight::Mono);
    float runs(ImVec2 at, const std::vector<Run>& runs);
    /// Right-aligned in [left, right].
    void text_right(float right, float y, ImU32 colour, std::string_view text,
                    Weight weight = Weight::Mono);
    /// Cut with an ellipsis when longer than `width`; true if it was cut.
    bool text_fit(ImVec2 at, float width, ImU32 colour, std::string_view text,
                  Weight weight = Weight::Mono);
    float width(std::string_view text, Weight weight = Weight::Mono) const;

    void fill(ImVec2 a, ImVec2 b, ImU32 colour, float rounding = 0);
    void frame(ImVec2 a, ImVec2 b, ImU32 colour, float rounding = 0, float thickness = 1);
    void line(ImVec2 a, ImVec2 b, ImU32 colour, float thickness = 1);
    void dot(ImVec2 centre, float radius, ImU32 colour, bool filled = true);
    void triangle(ImVec2 a, ImVec2 b, ImVec2 c, ImU32 colour);
    /// Diagonal lines inside a rectangle.
    void hatch(ImVec2 a, ImVec2 b, ImU32 colour, float step);
    /// Small "!" sign before error text, so that colour is not the only mark.
    float error_sign(ImVec2 at, ImU32 colour);

    /// Ends a row of captured text.
    void end_row();
    /// Separates cells of a row in captured text.
    void end_cell();

    ImDrawList& list() { return *list_; }
    const Theme& theme() const { return theme_; }

private:
    ImFont* font(Weight weight) const;

    ImDrawList* list_;
    const Theme& theme_;
    TextCapture* capture_;
};

/// Paragraph of dim prose centred in the current window: empty states.
void empty_state(const Scene& scene, std::string_view headline, std::string_view detail);
/// Tool tip of several lines, shown when the last item (or `hovered`) is under the mouse.
void tool_tip(const Theme& theme, std::string_view text);
/// One of a row of small buttons, lit while `on`; `help` (may be empty) is its tool tip. True: it
/// was pressed.
bool switch_button(const Theme& theme, const char* label, bool on, std::string_view help);
/// Colour of a value by stops since its last change.
ImU32 value_colour(const Theme& theme, std::uint8_t stops, ImU32 normal);

/// A row that names what follows, with a line up to the right end.
void section(const Scene& scene, std::string_view title);

}  // namespace e2k::ui
