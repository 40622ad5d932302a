// Exact state where translated code hands a bundle back: the table that the emitter made says
// which values memory lacks and where they are.
#pragma once

#include "engine/cpu/state.h"
#include "engine/translate/host_frame.h"
#include "engine/translate/region.h"

namespace e2k::translate {

/// Brings state, counters and state.ip to the start of the bundle at `point`; `saved` are the host
/// registers at the place.
void recover(const RecoveryPoint& point, const SavedRegisters& saved, cpu::CpuState& state);

}  // namespace e2k::translate
