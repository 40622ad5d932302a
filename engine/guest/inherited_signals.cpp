#include "engine/guest/inherited_signals.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

namespace e2k::guest {
namespace {

/// sigaction as the kernel has it: the C library hides two signals and part of every mask.
struct KernelAction {
    std::uint64_t handler = 0, flags = 0, restorer = 0, mask = 0;
};

InheritedSignals look() {
    InheritedSignals found;
    for (int signal = 1; signal <= 64; ++signal) {
        KernelAction action;
        if (syscall(SYS_rt_sigaction, signal, nullptr, &action, sizeof action.mask) == 0 &&
            action.handler == reinterpret_cast<std::uint64_t>(SIG_IGN))
            found.ignored |= 1ull << (signal - 1);
    }
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &found.blocked, sizeof found.blocked);
    return found;
}

}  // namespace

const InheritedSignals& inherited_signals() {
    static const InheritedSignals found = look();
    return found;
}

void receive_all_signals() {
    const std::uint64_t none = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
}

}  // namespace e2k::guest
