// Finds kernels and what is worth knowing about them. Pure functions of the code and the state.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "engine/translate/kernel/facts.h"

namespace e2k::translate {

/// So many bundles a pass may have, and so many the code may be made of: a copy of the pass for
/// each position of the rotating registers.
inline constexpr unsigned kLargestPass = 24, kLargestKernel = 400;

struct KernelPlace {
    const cpu::MemoryView& memory;
    int iset = 0;  ///< as in Plan::iset
    std::uint64_t header = 0;
    Config config;  ///< at the header
    /// Where no region may run through.
    const std::function<bool(std::uint64_t)>& is_breakpoint;
};

/// The kernel that begins at a place, if there is one.
std::optional<KernelShape> find_kernel(const KernelPlace& place);

/// Whether a bundle could close a kernel.
bool closes_kernel(const cpu::exec::ExecBundle& b);

/// What the kernel relies on if it is to run from `state`; null: it cannot. `apart`: each stream
/// has a pointer of its own.
std::unique_ptr<KernelFacts> kernel_facts(const KernelShape& shape, const cpu::CpuState& state,
                                          bool apart);

/// The passes of the prologue, one after another, then a loop with a copy of the pass for each
/// position. What KernelFacts knows is gone from the bundles: counters, indices, masks of stores.
Plan plan_kernel(const KernelShape& shape, Config config, int iset, unsigned prologue);

}  // namespace e2k::translate
