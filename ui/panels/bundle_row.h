// One row of the bundle grid.
#pragma once

#include "ui/panels/bundles.h"

namespace e2k::ui {

// Columns: address, six lanes, control, predicates, AAU with literals, nop.
inline constexpr int kBundleColumns = 11, kFirstUnit = 1, kControlColumn = 7, kAauColumn = 9,
                     kNopColumn = 10;

/// Left of the address: the current bar, the breakpoint dot, branch arrows `depth` deep.
float gutter_width(const Theme& theme, int depth);
/// Height of the line with a symbol's name above a row.
float label_height(const Theme& theme);
/// Draws row `index` into the current table, which ends at `table_left` and `table_right`.
void draw_bundle_row(const Scene& scene, BundlesState& state, std::size_t index, float table_left,
                     float table_right, machine::CommandSink& sink);

}  // namespace e2k::ui
