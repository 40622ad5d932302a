// A guest as it was at one place of a run. Pages that are equal in neighbouring checkpoints exist
// once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/guest/address_space.h"
#include "engine/history/log.h"
#include "engine/history/state_image.h"

namespace e2k::history {

using Page = std::array<std::uint8_t, cpu::kPageSize>;
/// Null: zeros.
using PagePointer = std::shared_ptr<const Page>;

struct PageRun {
    std::uint64_t begin = 0;  ///< guest address, or offset in a stack area
    std::vector<PagePointer> pages;
};

/// A place of a run: so many bundles, and so many events of the log, have been executed. At one
/// bundle there can be several.
struct Position {
    std::uint64_t bundle = 0, events = 0;
    auto operator<=>(const Position&) const = default;
};

class Checkpoint {
public:
    /// What stands there now; shares the pages that it has in common with `before` (may be null).
    static std::shared_ptr<Checkpoint> take(const guest::AddressSpace& memory,
                                            const cpu::CpuState& state, const Checkpoint* before);
    /// Puts everything back. False: the host has refused a mapping.
    bool restore(guest::AddressSpace& memory, cpu::CpuState& state) const;

    /// Bytes of pages that are none of the checkpoint it was made after.
    std::uint64_t own_bytes() const { return own_bytes_; }

    Position position;
    LogPlace place;
    std::vector<EventKind> recent;  ///< events at this bundle, in order

private:
    StateImage image_{};
    std::uint64_t window_ = 0, depth_ = 0;
    std::vector<guest::Region> regions_;
    std::vector<PageRun> memory_;    ///< one for each region, by address
    std::array<PageRun, 3> stacks_;  ///< registers, their tags, frames
    std::uint64_t own_bytes_ = 0;
};

}  // namespace e2k::history
