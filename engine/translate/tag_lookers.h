// Which bundles of a region look at tags that are visible now.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/translate/plan.h"

namespace e2k::translate {

/// Addresses of bundles, other than the region's first, that may look at something that is
/// diagnostic in `state`, which stands at the region's entry.
std::vector<std::uint64_t> tag_lookers(const Plan& plan, const cpu::CpuState& state);

}  // namespace e2k::translate
