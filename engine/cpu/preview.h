// What a bundle would do, found out on a copy of a thread's state: registers are those of the copy,
// stores are collected instead of made.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/cpu/memory.h"
#include "engine/cpu/state.h"
#include "engine/cpu/trap.h"
#include "engine/isa/bundle.h"

namespace e2k::cpu {

/// Bytes that a store would write.
struct PreviewStore {
    int channel = -1;
    std::uint64_t address = 0;
    std::vector<std::uint8_t> bytes;
};

struct PreviewResult {
    Stop stop;  ///< Budget: the bundle has run; a trap leaves the copy as it was
    std::vector<PreviewStore> stores;  ///< in the order of their execution
};

/// Runs `bundle` as if it stood at state.ip, on `state`, whose stacks must be its own. Memory is
/// only read. System calls are not made: the stop says which.
PreviewResult preview(const MemoryView& memory, CpuState& state, const isa::Bundle& bundle);

/// A copy of a CpuState with stacks of its own, so that something can be tried on it. Registers
/// have the same place in the window file as those of the original.
class StateCopy {
public:
    StateCopy();
    ~StateCopy();
    StateCopy(const StateCopy&) = delete;
    StateCopy& operator=(const StateCopy&) = delete;

    /// False: the host has no room for the stacks.
    bool take(const CpuState& from);
    CpuState& state();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace e2k::cpu
