// Host faults in translated code: SIGSEGV and SIGBUS whose program counter lies in a registered
// code range leave the region. Faults on the walls of the hardware stacks are noted in the state
// (cpu/stack_watch.h), whatever code touched them. cpu/host_faults.h has the handlers.
#pragma once

#include <cstdint>

namespace e2k::translate {

/// A range of translated code and where to continue after a fault in it. `fault_pc` of the running
/// thread receives the program counter.
struct CodeRange {
    std::uint64_t begin = 0, end = 0;
    std::uint64_t resume = 0;  ///< code that leaves the region; registers are as at the fault
};

/// Registers a range for the life of the object; the first one takes over the signals' handlers.
class FaultGuard {
public:
    explicit FaultGuard(const CodeRange& range);
    ~FaultGuard();
    FaultGuard(const FaultGuard&) = delete;
    FaultGuard& operator=(const FaultGuard&) = delete;

    /// False: too many ranges are registered; code in this one must not be run.
    bool active() const { return slot_ >= 0; }
    /// Program counter of this thread's last fault.
    static std::uint64_t fault_pc();
    /// Whether that fault was on a wall of the hardware stacks.
    static bool fault_on_wall();

private:
    int slot_ = -1;
};

}  // namespace e2k::translate
