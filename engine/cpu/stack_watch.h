// The second line of defence around the hardware stacks: their walls (HardwareStacks) fault when
// they are touched, and that becomes a fault of the guest that was running.
#pragma once

#include "engine/cpu/state.h"

namespace e2k::cpu {

/// While it lives, `state` is the one whose walls this host thread may touch. They nest.
class StackWatch {
public:
    explicit StackWatch(CpuState& state);
    ~StackWatch();
    StackWatch(const StackWatch&) = delete;
    StackWatch& operator=(const StackWatch&) = delete;

    /// The innermost one's state; nullptr: this thread executes no guest now.
    static CpuState* current() noexcept;
    /// Whether `address` lies in what is reserved for the stacks of this thread's state: a fault
    /// there has touched a wall. Async-signal-safe, as the next.
    static bool on_wall(const void* address) noexcept;
    /// Notes the fault in the state, which is interrupted, and puts an empty page at the place, so
    /// that the access can be repeated. False: it is none of these walls.
    static bool absorb(const void* address) noexcept;

private:
    CpuState* before_;
};

}  // namespace e2k::cpu
