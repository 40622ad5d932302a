// The scanf family.
#pragma once

#include <cstdint>

#include "engine/guest/libc/core/arguments.h"
#include "engine/guest/libc/core/heap.h"
#include "engine/guest/libc/core/scan_source.h"

namespace e2k::guest::libc {

/// Reads what `format` says and stores it where the arguments point. Numbers are rounded as the
/// host's rounding mode says; the caller sets that to the guest's. `heap` is for %ms and its like.
///
/// Result: the number of values stored; -1 if the input ended before the first.
Outcome<int> scan(GuestMemory memory, Heap& heap, CharacterSource& source, std::uint64_t format,
                  VariableArguments arguments);

}  // namespace e2k::guest::libc
