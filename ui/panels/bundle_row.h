// One row of the list of bundles.
#pragma once

#include "ui/panels/bundles.h"

namespace e2k::ui {

/// Left of the address: the current bar, the breakpoint dot, branch arrows `depth` deep.
float gutter_width(const Theme& theme, int depth);
/// Height of the line with a symbol's name above a row.
float label_height(const Theme& theme);
/// Height of the comment that stands above a bundle where there is no column for it; 0: none.
float comment_height(const Theme& theme, const BundlesState& state, std::size_t index);
/// Height of the comment in the column that there is for it; 0: none.
float comment_column_height(const Theme& theme, const BundlesState& state, std::size_t index,
                            float width);
/// Syllables of the raw view side by side.
std::size_t raw_columns(const BundlesState& state);
/// Draws row `index` into the current window between `left` and `right`, its top at `top`.
void draw_bundle_row(const Scene& scene, BundlesState& state, std::size_t index, float left,
                     float right, float top, machine::CommandSink& sink);

}  // namespace e2k::ui
