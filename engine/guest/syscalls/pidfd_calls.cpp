// Processes by descriptor or number: pidfds, memory and descriptors of another process. A guest
// knows the inside of no process but its own.
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <fstream>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

/// The process behind a guest descriptor; EBADF if it is no pidfd, ESRCH if the process is gone.
tl::expected<int, int> process_behind(const Call& call, unsigned argument) {
    const int host = call.fd(argument);
    if (host < 0) return tl::unexpected(EBADF);
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(host));
    for (std::string line; std::getline(info, line);) {
        if (!line.starts_with("Pid:")) continue;
        const std::size_t digits = line.find_first_not_of(" \t", 4);
        int pid = -1;
        if (digits != std::string::npos)
            std::from_chars(line.data() + digits, line.data() + line.size(), pid);
        if (pid <= 0) return tl::unexpected(ESRCH);
        return pid;
    }
    return tl::unexpected(EBADF);
}

bool is_own_thread(const Call& call, int pid) {
    return call.process.find_thread(static_cast<std::uint32_t>(pid)) != nullptr;
}

std::int64_t sys_pidfd_open(Call& call) {
    const int pid = call.integer(0);
    if (pid <= 0) return -EINVAL;
    if (pid != call.process.pid && is_own_thread(call, pid)) return -EINVAL;  // not a leader
    if (!may_touch_process(call.process, pid)) return -EPERM;
    return adopt_fd(call, Call::host(SYS_pidfd_open, word(pid), call.arg[1]));
}

std::int64_t sys_pidfd_send_signal(Call& call) {
    constexpr std::uint32_t kThread = 1, kThreadGroup = 2, kProcessGroup = 4;
    const int signal = call.integer(1);
    const auto scope = static_cast<std::uint32_t>(call.arg[3]);
    if (scope != 0 && scope != kThread && scope != kThreadGroup && scope != kProcessGroup)
        return -EINVAL;
    const auto pid = process_behind(call, 0);
    if (!pid) return -pid.error();
    if (signal < 0 || signal > kSignals) return -EINVAL;
    const bool own = *pid == call.process.pid;
    SiginfoE2k info =
        SiginfoE2k::sent(signal, SI_USER, call.process.pid, static_cast<int>(getuid()));
    if (call.arg[2]) {
        if (!call.get(call.arg[2], info)) return -EFAULT;
        if (info.signo != signal) return -EINVAL;
        if (!own && (info.code >= 0 || info.code == SI_TKILL)) return -EPERM;
    }
    if (!may_signal(call.process, *pid, signal)) return -EPERM;
    if (own && scope != kProcessGroup) {
        if (signal) call.process.post(info);
        return 0;
    }
    // A group may hold processes that are not the guest's.
    if (scope == kProcessGroup && (call.process.sandbox() || call.process.window)) return -EPERM;
    siginfo_t host = siginfo_to_host(info);
    return Call::host(SYS_pidfd_send_signal, word(call.fd(0)), call.arg[1],
                      call.arg[2] ? word(&host) : 0, call.arg[3]);
}

std::int64_t sys_pidfd_getfd(Call& call) {
    if (call.arg[2] & 0xffff'ffff) return -EINVAL;
    const auto pid = process_behind(call, 0);
    if (!pid) return -pid.error();
    if (*pid != call.process.pid) return -EPERM;  // the other's numbers are its workbench's
    FdTable& fds = call.process.fds;
    const int guest = call.integer(1), host = fds.host(guest);
    if (host < 0) return -EBADF;
    const int copy = fcntl(host, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return -errno;
    const auto placed = fds.add(copy, 0, fds.stream(guest));
    return placed ? *placed : -placed.error();
}

/// Advice about pages of a process; it is checked, and nothing more is promised.
std::int64_t sys_process_madvise(Call& call) {
    constexpr int kCold = 20, kPageOut = 21, kCollapse = 25;
    const int advice = call.integer(3);
    if (call.arg[4] & 0xffff'ffff) return -EINVAL;
    const auto ranges = guest_iovec(call, call.arg[1], call.arg[2]);
    if (!ranges) return -ranges.error();
    const auto pid = process_behind(call, 0);
    if (!pid) return -pid.error();
    if (*pid != call.process.pid) return -EPERM;
    if (advice != MADV_WILLNEED && advice != kCold && advice != kPageOut && advice != kCollapse)
        return -EINVAL;
    std::int64_t total = 0;
    for (std::size_t i = 0; i < ranges->size(); ++i) {
        iovec range{};
        if (!call.get(call.arg[1] + i * sizeof range, range)) return -EFAULT;
        const auto at = reinterpret_cast<std::uint64_t>(range.iov_base);
        if (at % cpu::kPageSize) return total ? total : -EINVAL;
        if (range.iov_len && !call.memory().region_at(at)) return total ? total : -ENOMEM;
        total += static_cast<std::int64_t>(range.iov_len);
    }
    return total;
}

std::int64_t sys_process_mrelease(Call& call) {
    if (call.arg[1] & 0xffff'ffff) return -EINVAL;
    const auto pid = process_behind(call, 0);
    if (!pid) return -pid.error();
    if (*pid == call.process.pid) return -EINVAL;  // it is not dying
    if (!may_touch_process(call.process, *pid)) return -EPERM;
    return Call::host(SYS_process_mrelease, word(call.fd(0)), 0);
}

/// process_vm_readv and process_vm_writev. Both lists are the guest's addresses, so both sides are
/// its own memory.
std::int64_t copy_memory(Call& call, bool writing) {
    if (call.arg[5] != 0) return -EINVAL;
    const auto local = guest_iovec(call, call.arg[1], call.arg[2]);
    if (!local) return -local.error();
    const auto remote = guest_iovec(call, call.arg[3], call.arg[4]);
    if (!remote) return -remote.error();
    if (local->empty() || remote->empty()) return 0;
    const int pid = call.integer(0);
    if (pid != call.process.pid && !is_own_thread(call, pid))
        return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH ? -ESRCH : -EPERM;
    const std::int64_t n =
        Call::host(writing ? SYS_process_vm_writev : SYS_process_vm_readv, word(getpid()),
                   word(local->data()), local->size(), word(remote->data()), remote->size(), 0);
    note_iovec(call, writing ? *remote : *local, n);
    return n;
}
std::int64_t sys_process_vm_readv(Call& call) { return copy_memory(call, false); }
std::int64_t sys_process_vm_writev(Call& call) { return copy_memory(call, true); }

/// struct kcmp_epoll_slot
struct EpollSlot {
    std::uint32_t epoll = 0, target = 0, offset = 0;
};

std::int64_t compare_descriptors(Call& call, int kind) {
    EpollSlot slot;
    const int first = call.process.fds.host(static_cast<int>(call.arg[3]));
    if (first < 0) return -EBADF;
    std::uint64_t second = word(&slot);
    if (kind == KCMP_EPOLL_TFD) {
        if (!call.get(call.arg[4], slot)) return -EFAULT;
        const int epoll = call.process.fds.host(static_cast<int>(slot.epoll));
        const int target = call.process.fds.host(static_cast<int>(slot.target));
        if (epoll < 0 || target < 0) return -EBADF;
        slot.epoll = static_cast<std::uint32_t>(epoll);
        slot.target = static_cast<std::uint32_t>(target);
    } else {
        const int other = call.process.fds.host(static_cast<int>(call.arg[4]));
        if (other < 0) return -EBADF;
        second = word(other);
    }
    return Call::host(SYS_kcmp, word(getpid()), word(getpid()), word(kind), word(first), second);
}

std::int64_t sys_kcmp(Call& call) {
    const int kind = call.integer(2);
    auto own = [&](unsigned i) {
        return call.integer(i) == call.process.pid || is_own_thread(call, call.integer(i));
    };
    for (unsigned i = 0; i < 2; ++i) {
        if (call.integer(i) <= 0) return -ESRCH;
        if (!own(i) && !may_touch_process(call.process, call.integer(i))) return -EPERM;
    }
    const bool both = own(0) && own(1);
    if (kind < 0 || kind >= KCMP_TYPES) return -EINVAL;
    if (kind == KCMP_FILE || kind == KCMP_EPOLL_TFD)
        return both ? compare_descriptors(call, kind) : -EPERM;
    if (both) return 0;  // the threads of a guest share all the rest
    return Call::host(SYS_kcmp, call.arg[0], call.arg[1], word(kind), 0, 0);
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{205, "pidfd_send_signal", {Fd, Signal, Ptr, Hex}, sys_pidfd_send_signal},
    SyscallRow{206, "pidfd_open", {Int, Hex}, sys_pidfd_open},
    SyscallRow{380, "process_vm_readv", {Int, IovOut, Size, Ptr, Size, Hex}, sys_process_vm_readv},
    SyscallRow{381, "process_vm_writev", {Int, IovIn, Size, Ptr, Size, Hex}, sys_process_vm_writev},
    SyscallRow{382, "kcmp", {Int, Int, Int, Hex, Hex}, sys_kcmp},
    SyscallRow{433, "pidfd_getfd", {Fd, Int, Hex}, sys_pidfd_getfd},
    SyscallRow{435, "process_madvise", {Fd, Ptr, Size, Advice, Hex}, sys_process_madvise},
    SyscallRow{442, "process_mrelease", {Fd, Hex}, sys_process_mrelease},
};

}  // namespace

siginfo_t siginfo_to_host(const SiginfoE2k& info) {
    siginfo_t host{};
    host.si_signo = info.signo;
    host.si_code = info.code;
    host.si_pid = info.u.sender.pid;
    host.si_uid = static_cast<uid_t>(info.u.sender.uid);
    host.si_value.sival_ptr = reinterpret_cast<void*>(info.u.sender.value);
    return host;
}

std::span<const SyscallRow> pidfd_rows() { return kRows; }

}  // namespace e2k::guest
