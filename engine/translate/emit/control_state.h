// Where control state lies, and which results of a bundle are not those of its six operations.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/cpu/state.h"

namespace e2k::translate {

/// Numbers for HostValues::start_operation() beyond the lanes 0..5: three results of the predicate
/// logic, the decision of the transfer, MLOCK, and elements of array loads.
inline constexpr unsigned kPluResult = 6, kConditionResult = 9, kMlockResult = 10,
                          kElementResult = 12;

/// Of %ctprN, N from 1.
constexpr std::size_t ctpr_offset(unsigned n) {
    return offsetof(cpu::CpuState, ctpr) + (n - 1) * sizeof(cpu::Ctpr);
}

/// Of a field of LoopState.
constexpr std::size_t lsr_offset(std::size_t field) { return offsetof(cpu::CpuState, lsr) + field; }

/// tag, opc and ipd of a CTPR as the 8 bytes that hold them.
constexpr std::uint64_t ctpr_image(cpu::CtprTag tag, unsigned opc, unsigned ipd) {
    return static_cast<std::uint64_t>(tag) | std::uint64_t{opc} << 8 | std::uint64_t{ipd} << 16;
}
static_assert(offsetof(cpu::Ctpr, tag) == 8 && offsetof(cpu::Ctpr, opc) == 9 &&
              offsetof(cpu::Ctpr, ipd) == 10);

}  // namespace e2k::translate
