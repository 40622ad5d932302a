// Colours, fonts and measures of the workbench. A colour has one meaning everywhere.
#pragma once

#include <array>
#include <string>

#include <imgui.h>

#include "engine/translate/quality.h"

namespace e2k::ui {

struct Theme {
    bool dark = true;
    float size = 14;  ///< font size, unscaled pixels
    float scale = 1;
    ImFont* mono = nullptr;       ///< code and numbers
    ImFont* mono_bold = nullptr;  ///< mnemonics, the current line
    ImFont* prose = nullptr;
    bool system_fonts = false;  ///< false: built-in Latin font, symbols are drawn as shapes only

    ImU32 background, panel, stripe, header, line, text, dim;
    ImU32 selection;    ///< frame of the selected thing
    ImU32 hover;        ///< tint under the mouse and of linked rows
    ImU32 current;      ///< amber: current bundle, values changed since the last stop
    ImU32 changed;      ///< text of a value changed at the last stop
    ImU32 changed_old;  ///< ... one stop ago
    ImU32 error, warning, good, breakpoint;
    ImU32 literal, address, predicate_text;
    std::array<ImU32, 6> lane;
    ImU32 control, predicate, aau;
    std::array<ImU32, translate::kReasons> reason;  ///< indexed by translate::Reason

    float px(float unscaled) const { return unscaled * scale; }
    float font_px() const { return size * scale; }
    float row() const;   ///< height of a text row
    float cell() const;  ///< advance of a fixed-width character
};

/// Colours of the dark or light theme; fonts are left as they are.
void set_colours(Theme& theme, bool dark);
/// Applies colours and measures to Dear ImGui's style.
void apply_style(const Theme& theme);
/// Fills the font atlas of the current context: DejaVu from the system at the theme's size, or the
/// built-in font when it is not installed.
void load_fonts(Theme& theme);

/// `a` mixed with `b`: 0 gives a, 1 gives b.
ImU32 mix(ImU32 a, ImU32 b, float t);
ImU32 with_alpha(ImU32 colour, float alpha);

}  // namespace e2k::ui
