// How a thread is scheduled and what it may do: sched_setattr, ioprio, capabilities.
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::uint32_t kFirstSize = 48;   // SCHED_ATTR_SIZE_VER0
constexpr std::uint32_t kMostSize = 4096;  // a page, as in the kernel

/// The host's name of the process or thread `pid`: 0 is the calling thread, and stands for each
/// thread of the guest.
tl::expected<int, int> schedule_target(const Call& call, int pid) {
    if (pid < 0) return tl::unexpected(EINVAL);
    if (pid == 0 || call.process.find_thread(static_cast<std::uint32_t>(pid))) return 0;
    if (!may_touch_process(call.process, pid)) return tl::unexpected(EPERM);
    return pid;
}

std::int64_t sys_sched_getattr(Call& call) {
    const auto size = static_cast<std::uint32_t>(call.arg[2]);
    if (call.integer(0) < 0 || call.arg[1] == 0 || size < kFirstSize || size > kMostSize ||
        (call.arg[3] & 0xffff'ffff))
        return -EINVAL;
    const auto pid = schedule_target(call, call.integer(0));
    if (!pid) return -pid.error();
    std::vector<std::uint8_t> attributes(size);
    const std::int64_t result =
        Call::host(SYS_sched_getattr, word(*pid), word(attributes.data()), size, 0);
    if (result < 0) return result;
    return call.memory().write(call.arg[1], attributes.data(), size) ? result : -EFAULT;
}

std::int64_t sys_sched_setattr(Call& call) {
    if (call.integer(0) < 0 || call.arg[1] == 0 || (call.arg[2] & 0xffff'ffff)) return -EINVAL;
    std::uint32_t size = 0;
    if (!call.get(call.arg[1], size)) return -EFAULT;
    const std::uint32_t given = size ? size : kFirstSize;
    std::vector<std::uint8_t> attributes(std::clamp(given, kFirstSize, kMostSize));
    const bool fits = given == attributes.size();
    if (fits && !call.memory().read(call.arg[1], attributes.data(), given)) return -EFAULT;
    std::memcpy(attributes.data(), &size, sizeof size);
    const auto pid = schedule_target(call, call.integer(0));
    if (!pid) return -pid.error();
    std::uint32_t policy = 0;
    std::memcpy(&policy, attributes.data() + 4, sizeof policy);
    // A guest in real time could stop the machine.
    const bool ordinary = policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE;
    if (fits && !ordinary && call.process.options.policy.sandbox) return -EPERM;
    const std::int64_t result =
        Call::host(SYS_sched_setattr, word(*pid), word(attributes.data()), 0);
    if (result == -E2BIG) {  // the size the kernel knows
        std::memcpy(&size, attributes.data(), sizeof size);
        if (!call.put(call.arg[1], size)) return -EFAULT;
    }
    return result;
}

// --- priority of input and output ---

enum IoPriorityOf : int { kIoProcess = 1, kIoGroup = 2, kIoUser = 3 };

/// Process, group or user of an ioprio call. In the sandbox and beside a window, a group or a user
/// means the guest alone.
std::int64_t io_priority(Call& call, long number) {
    const int which = call.integer(0);
    if (which < kIoProcess || which > kIoUser) return -EINVAL;
    const bool setting = number == SYS_ioprio_set;
    const bool alone = call.process.options.policy.sandbox || !call.process.owns_host_process();
    int kind = which, who = call.integer(1);
    if (which == kIoProcess) {
        const auto pid = schedule_target(call, who);
        if (!pid) return pid.error() == EINVAL ? -ESRCH : -pid.error();
        who = *pid;
    } else if (alone) {
        if (who != 0) return -EPERM;
        kind = kIoProcess;
    }
    return Call::host(number, word(kind), word(who), setting ? call.arg[2] : 0);
}
std::int64_t sys_ioprio_set(Call& call) { return io_priority(call, SYS_ioprio_set); }
std::int64_t sys_ioprio_get(Call& call) { return io_priority(call, SYS_ioprio_get); }

// --- capabilities: equal on both sides ---

struct CapabilityHeader {
    std::uint32_t version = 0;
    std::int32_t pid = 0;
};
using CapabilitySets =
    std::array<std::uint32_t, 6>;  ///< two of {effective, permitted, inheritable}

/// Bytes of the sets in that version; 0: no such version.
std::size_t bytes_of_version(std::uint32_t version) {
    constexpr std::size_t kOne = 12, kTwo = 24;
    if (version == _LINUX_CAPABILITY_VERSION_1) return kOne;
    return version == _LINUX_CAPABILITY_VERSION_2 || version == _LINUX_CAPABILITY_VERSION_3 ? kTwo
                                                                                            : 0;
}

/// Checks the header as the kernel does: an unknown version is answered with the one it prefers.
std::int64_t read_header(const Call& call, CapabilityHeader& header) {
    if (!call.get(call.arg[0], header)) return -EFAULT;
    if (bytes_of_version(header.version)) return 0;
    return call.put(call.arg[0], std::uint32_t{_LINUX_CAPABILITY_VERSION_3}) ? -EINVAL : -EFAULT;
}

std::int64_t sys_capget(Call& call) {
    CapabilityHeader header;
    if (const auto error = read_header(call, header))
        return error == -EINVAL && call.arg[1] == 0 ? 0 : error;
    const auto pid = schedule_target(call, header.pid);
    if (!pid) return -pid.error();
    header.pid = *pid;
    CapabilitySets sets{};
    const std::int64_t result = Call::host(SYS_capget, word(&header), word(sets.data()));
    if (result < 0 || call.arg[1] == 0) return result;
    return call.memory().write(call.arg[1], sets.data(), bytes_of_version(header.version))
               ? result
               : -EFAULT;
}

std::int64_t sys_capset(Call& call) {
    CapabilityHeader header;
    if (const auto error = read_header(call, header)) return error;
    const bool own = header.pid == 0 || header.pid == static_cast<int>(call.thread.tid);
    if (!own || !call.process.owns_host_process()) return -EPERM;
    header.pid = 0;
    CapabilitySets sets{};
    if (!call.memory().read(call.arg[1], sets.data(), bytes_of_version(header.version)))
        return -EFAULT;
    return Call::host(SYS_capset, word(&header), word(sets.data()));
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{184, "capget", {Ptr, Ptr}, sys_capget},
    SyscallRow{185, "capset", {Ptr, Ptr}, sys_capset},
    SyscallRow{287, "sched_setattr", {Int, Ptr, Hex}, sys_sched_setattr},
    SyscallRow{288, "sched_getattr", {Int, Ptr, UInt, Hex}, sys_sched_getattr},
    SyscallRow{289, "ioprio_set", {Int, Int, Hex}, sys_ioprio_set},
    SyscallRow{290, "ioprio_get", {Int, Int}, sys_ioprio_get},
};

}  // namespace

std::span<const SyscallRow> schedule_rows() { return kRows; }

}  // namespace e2k::guest
