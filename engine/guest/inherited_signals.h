// Which signals the caller of the workbench ignores and blocks: Linux lets a program inherit both.
#pragma once

#include <cstdint>

namespace e2k::guest {

struct InheritedSignals {
    std::uint64_t ignored = 0, blocked = 0;  ///< bit n-1
};

/// As found when first asked for, before the workbench sets up handlers of its own.
const InheritedSignals& inherited_signals();

/// The calling thread receives all signals: those that the guest blocks wait in its own queue.
void receive_all_signals();

}  // namespace e2k::guest
