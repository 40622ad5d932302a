// Newer calls of threads: clone3, futex_waitv.
#include <linux/futex.h>
#include <linux/sched.h>
#include <sys/syscall.h>

#include <csignal>
#include <cstring>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

/// struct clone_args
struct CloneArguments {
    std::uint64_t flags = 0, pidfd = 0, child_tid = 0, parent_tid = 0, exit_signal = 0, stack = 0,
                  stack_size = 0, tls = 0, set_tid = 0, set_tid_size = 0, cgroup = 0;
};
constexpr std::size_t kFirstSize = 64, kMostSize = 4096;

constexpr std::uint64_t kDefaultActions = 0x1'0000'0000;  // CLONE_CLEAR_SIGHAND

/// Handlers become SIG_DFL; what is ignored stays so.
void forget_handlers(Process::Impl& process) {
    constexpr std::uint64_t kIgnore = 1;
    std::lock_guard lock(process.signal_mutex);
    for (SigactionE2k& action : process.actions)
        if (action.handler != kIgnore) action = {};
}

std::int64_t sys_clone3(Call& call) {
    const std::uint64_t size = call.arg[1];
    if (size < kFirstSize) return -EINVAL;
    if (size > kMostSize) return -E2BIG;
    std::array<std::uint8_t, kMostSize> bytes{};
    if (!call.memory().read(call.arg[0], bytes.data(), size)) return -EFAULT;
    for (std::size_t i = sizeof(CloneArguments); i < size; ++i)
        if (bytes[i]) return -E2BIG;
    CloneArguments a;
    std::memcpy(&a, bytes.data(), sizeof a);
    constexpr std::uint64_t kInCgroup = 0x2'0000'0000, kKnown = 0x3'ffff'ffff;
    if ((a.flags & ~kKnown) || (a.flags & (CSIGNAL | CLONE_DETACHED))) return -EINVAL;
    if ((a.stack == 0) != (a.stack_size == 0)) return -EINVAL;
    if (a.exit_signal > static_cast<std::uint64_t>(kSignals)) return -EINVAL;
    if ((a.flags & (CLONE_THREAD | CLONE_PARENT)) && a.exit_signal) return -EINVAL;
    if (a.set_tid_size || (a.flags & kInCgroup)) return -EPERM;
    if ((a.flags & CLONE_PIDFD) && (a.flags & CLONE_THREAD)) return -EINVAL;
    const std::int64_t pid = clone_guest(
        call, {(a.flags & ~std::uint64_t{CLONE_PIDFD | kDefaultActions}) | a.exit_signal,
               a.stack + a.stack_size, a.stack, a.parent_tid, a.child_tid, a.tls});
    if (call.next != Next::Continue) return pid;  // the parent of a vfork is asked to wait again
    if (pid == 0 && (a.flags & kDefaultActions)) forget_handlers(call.process);
    if (pid <= 0 || !(a.flags & CLONE_PIDFD)) return pid;
    const std::int64_t fd = adopt_fd(call, Call::host(SYS_pidfd_open, word(pid), 0));
    if (fd < 0) return fd;
    return call.put(a.pidfd, static_cast<std::int32_t>(fd)) ? pid : -EFAULT;
}

/// struct futex_waitv
struct Waiter {
    std::uint64_t value = 0, address = 0;
    std::uint32_t flags = 0, reserved = 0;
};
static_assert(sizeof(Waiter) == 24);

std::int64_t sys_futex_waitv(Call& call) {
    constexpr std::uint32_t kMost = 128, kWord32 = 2, kPrivate = 128;
    const auto count = static_cast<std::uint32_t>(call.arg[1]);
    if ((call.arg[2] & 0xffff'ffff) || count == 0 || count > kMost || call.arg[0] == 0)
        return -EINVAL;
    timespec end{};
    if (call.arg[3]) {
        if (call.integer(4) != CLOCK_MONOTONIC && call.integer(4) != CLOCK_REALTIME) return -EINVAL;
        if (!call.get(call.arg[3], end)) return -EFAULT;
        if (end.tv_sec < 0 || end.tv_nsec < 0 || end.tv_nsec > 999'999'999) return -EINVAL;
    }
    std::vector<Waiter> waiters(count);
    if (!call.memory().read(call.arg[0], waiters.data(), count * sizeof(Waiter))) return -EFAULT;
    for (Waiter& one : waiters) {
        if ((one.flags & ~kPrivate) != kWord32 || one.reserved || one.address % 4) return -EINVAL;
        one.address = call.pointer(one.address, 4);
    }
    return call.blocking(SYS_futex_waitv, word(waiters.data()), count, 0,
                         call.arg[3] ? word(&end) : 0, call.arg[4]);
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{426, "clone3", {Ptr, Size}, sys_clone3},
    SyscallRow{443, "futex_waitv", {Ptr, UInt, Hex, TimespecIn, Clock}, sys_futex_waitv},
};

}  // namespace

std::span<const SyscallRow> clone3_rows() { return kRows; }

}  // namespace e2k::guest
