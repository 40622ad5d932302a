// Arrows beside the bundles: where the transfers of the code in view go.
#pragma once

#include <vector>

#include "ui/panels/bundles.h"

namespace e2k::ui {

inline constexpr int kBranchColumns = 4;  ///< for arrows that are drawn whole

/// Transfers whose source and target are both rows of `code`: `ibranch`, and `ct` on a register
/// that a `disp` has prepared on every way to it. Calls have none. Short arrows lie inside long
/// ones; of those that find no free column (`kBranchColumns`) only the ends are drawn.
std::vector<Branch> find_branches(const machine::CodeView& code);
/// Columns that the arrows take.
int branch_depth(const std::vector<Branch>& branches);
/// Draws the arrows of the rows in view into the gutter, whose left edge is `min.x`; nothing
/// outside [`min`, `max`).
void draw_branches(const Scene& scene, const BundlesState& state, ImVec2 min, ImVec2 max);

}  // namespace e2k::ui
