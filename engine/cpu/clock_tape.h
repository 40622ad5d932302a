// Readings of the clock registers by a thread that is recorded or replayed.
#pragma once

#include <cstdint>

#include "engine/cpu/state.h"

namespace e2k::cpu {

class ClockTape {
public:
    virtual ~ClockTape() = default;
    /// What %clkr shows at state.bundles, where the clock says `now`.
    virtual std::uint64_t reading(const CpuState& state, std::uint64_t now) = 0;
};

/// Of the thread with this state; nullptr: none any more. False: too many threads have one.
bool set_clock_tape(const CpuState& state, ClockTape* tape);
ClockTape* clock_tape_of(const CpuState& state);

}  // namespace e2k::cpu
