// Which bundles of a region look at tags that are visible now.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/translate/plan.h"

namespace e2k::translate {

/// A bundle that may look at something that is diagnostic.
struct TagLooker {
    std::uint64_t address = 0;
    bool always = false;  ///< even if it looks at the tags of its operands itself (TagPlaces)
};

/// Those of a plan, while `state` stands at the region's entry.
std::vector<TagLooker> tag_lookers(const Plan& plan, const cpu::CpuState& state);

}  // namespace e2k::translate
