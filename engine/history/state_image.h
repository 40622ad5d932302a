// A CpuState without what belongs to the host: words that can be compared, kept and put back.
#pragma once

#include <array>
#include <cstdint>

#include "engine/cpu/state.h"
#include "engine/guest/address_space.h"

namespace e2k::history {

using StateImage = std::array<std::uint64_t, sizeof(cpu::CpuState) / sizeof(std::uint64_t)>;
static_assert(sizeof(StateImage) == sizeof(cpu::CpuState));

/// Pointers and what only the host needs are 0; where the window and the chain are is left out.
StateImage image_of(const cpu::CpuState& state);
/// Everything else of `state` stays. `window` and `depth` are where they are now; false: there is
/// no such place in the stacks of `state`.
bool put_image(const StateImage& image, std::uint64_t window, std::uint64_t depth,
               cpu::CpuState& state);

/// A number that tells states apart: registers of the window, globals, predicates, CTPRs, place.
std::uint64_t state_check(const cpu::CpuState& state);
/// The same for everything the guest can ever see: all registers, frames and memory.
std::uint64_t full_check(const cpu::CpuState& state, const guest::AddressSpace& memory);
std::uint64_t memory_check(const guest::AddressSpace& memory);

}  // namespace e2k::history
