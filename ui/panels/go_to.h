// The go-to box of the bundles panel: address or symbol, with completion.
#pragma once

#include "ui/panels/bundles.h"

namespace e2k::ui {

/// Draws the popup while it is open; opens it when the state asks.
void draw_go_to(const Scene& scene, BundlesState& state);

}  // namespace e2k::ui
