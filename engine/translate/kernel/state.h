// Entering and leaving a kernel: whether the state is one in which its code may run, and what the
// loop's counters and indices are after some of its passes.
#pragma once

#include <cstdint>

#include "engine/cpu/state.h"
#include "engine/translate/kernel/facts.h"

namespace e2k::translate {

/// Fewer passes are not worth the check.
inline constexpr unsigned kFewestPasses = 2;

/// Everything of an area but its index.
std::uint64_t fixed_part(const cpu::AauArea& area);

/// Passes of the loop from `lsr` on until its end.
std::uint64_t passes_left(const cpu::LoopState& lsr);
/// Loops without an end are left after so many passes and entered again.
inline constexpr unsigned kEndlessPasses = 1 << 20;

/// Whether the counters are those of a kernel that is worth entering: the prologue is over.
bool counters_fit(const cpu::LoopState& lsr, const KernelFacts& facts);

/// The number of passes to run from `state`, which the code counts down to 0, and the guest
/// addresses its pointers begin with. 0: something is not as the code needs it.
std::uint64_t begin_kernel(const cpu::CpuState* state, const KernelFacts* facts,
                           std::uint64_t* pointers);

/// Brings loop counters and array indices up to date in front of bundle `position` of a pass;
/// `left` passes, this one included, are still to come.
void end_kernel(cpu::CpuState* state, const KernelFacts* facts, std::uint64_t left,
                std::uint64_t position);

}  // namespace e2k::translate
