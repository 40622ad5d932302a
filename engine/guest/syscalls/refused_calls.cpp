// Calls that a guest gets no use of, each with the error Linux has for a caller like it.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

/// Whatever is asked: the caller has not the right (administration of the machine), or the kernel
/// was made without the thing.
template <int Error>
std::int64_t refuse(Call&) {
    return -Error;
}

/// The same after the kernel has copied the names it was given: argument k is looked at if bit k of
/// `Names` is set.
template <int Error, unsigned Names>
std::int64_t refuse_after_names(Call& call) {
    for (unsigned k = 0; k < call.arg.size(); ++k)
        if ((Names >> k & 1) && !call.memory().read_string(call.arg[k], PATH_MAX)) return -EFAULT;
    return -Error;
}

/// The same after a look at descriptor argument 0: the guest has none of the kind it must be.
template <int Error>
std::int64_t refuse_after_fd(Call& call) {
    return call.fd(0) < 0 ? -EBADF : -Error;
}

/// 0 if the path is there.
std::int64_t look(Call& call, int dirfd, std::uint64_t path) {
    auto at = host_path(call, dirfd, path, Touch::Look);
    if (!at) return -at.error();
    struct stat st {};
    return fstatat(at->dirfd(), at->c_str(), &st, 0) == 0 ? 0 : -errno;
}

std::int64_t sys_mount(Call& call) {
    for (unsigned k : {0u, 2u, 4u})  // source, type and options may be absent
        if (call.arg[k] && !call.memory().read_string(call.arg[k], PATH_MAX)) return -EFAULT;
    const std::int64_t error = look(call, kAtFdCwd, call.arg[1]);
    return error ? error : -EPERM;
}

std::int64_t sys_umount(Call& call) {
    constexpr std::uint64_t kFlags = 15;
    if (call.number == 52 && (call.arg[1] & 0xffff'ffff & ~kFlags)) return -EINVAL;
    const std::int64_t error = look(call, kAtFdCwd, call.arg[0]);
    return error ? error : -EPERM;
}

/// Another kernel would have counters; there are none for an Elbrus processor here.
std::int64_t sys_perf_event_open(Call& call) {
    std::array<std::uint32_t, 2> type_and_size{};
    if (call.arg[4] & ~std::uint64_t{15}) return -EINVAL;
    return call.get(call.arg[0], type_and_size) ? -ENOENT : -EFAULT;
}

/// The host's C library has registered the thread's area; there is one for each thread.
std::int64_t sys_rseq(Call& call) {
    constexpr std::uint64_t kUnregister = 1, kLeast = 32;
    if (call.arg[2] & 0xffff'ffff & ~kUnregister) return -EINVAL;
    if ((call.arg[2] & kUnregister) || call.arg[0] % kLeast ||
        static_cast<std::uint32_t>(call.arg[1]) < kLeast)
        return -EINVAL;
    return call.memory().region_at(call.arg[0]) ? -EBUSY : -EFAULT;
}

/// A filter would see the host's numbers.
std::int64_t sys_seccomp(Call& call) {
    constexpr std::uint32_t kActionAvailable = 2;
    if (static_cast<std::uint32_t>(call.arg[0]) != kActionAvailable) return -EINVAL;
    std::uint32_t action = 0;
    if (call.arg[1] & 0xffff'ffff) return -EINVAL;
    return call.get(call.arg[2], action) ? -EOPNOTSUPP : -EFAULT;
}

std::int64_t sys_fanotify_mark(Call& call) {
    return call.fd(0) < 0 ? -EBADF : -EINVAL;  // the guest has no such descriptor
}

std::int64_t sys_quotactl(Call& call) {
    if (call.arg[1] && !call.memory().read_string(call.arg[1], PATH_MAX)) return -EFAULT;
    return -EPERM;
}

/// Keys belong to the user and the session on the host, not to the guest.
std::int64_t sys_add_key(Call& call) {
    for (unsigned k : {0u, 1u})
        if (!call.memory().read_string(call.arg[k], PATH_MAX)) return -EFAULT;
    const std::uint64_t first = call.arg[2], last = first + call.arg[3] - 1;
    if (call.arg[3] > (1 << 20) - 1) return -EINVAL;
    if (call.arg[3] && first && (!call.memory().region_at(first) || !call.memory().region_at(last)))
        return -EFAULT;
    return -EACCES;
}

std::int64_t sys_request_key(Call& call) {
    for (unsigned k : {0u, 1u})
        if (!call.memory().read_string(call.arg[k], PATH_MAX)) return -EFAULT;
    if (call.arg[2] && !call.memory().read_string(call.arg[2], PATH_MAX)) return -EFAULT;
    return -ENOKEY;
}

using enum Arg;
constexpr std::array kRows{
    // The machine: file systems, swap, accounting, the console, the kernel itself.
    SyscallRow{21, "mount", {Text, Path, Text, Hex, Ptr}, sys_mount},
    SyscallRow{22, "umount", {Path}, sys_umount},
    SyscallRow{51, "acct", {Path}, refuse<EPERM>},
    SyscallRow{52, "umount2", {Path, Hex}, sys_umount},
    SyscallRow{87, "swapon", {Path, Hex}, refuse<EPERM>},
    SyscallRow{101, "ioperm", {Hex, Hex, Int}, refuse<EPERM>},
    SyscallRow{111, "vhangup", {}, refuse<EPERM>},
    SyscallRow{115, "swapoff", {Path}, refuse<EPERM>},
    SyscallRow{131, "quotactl", {Hex, Path, Int, Ptr}, sys_quotactl},
    SyscallRow{217, "pivot_root", {Path, Path}, refuse<EPERM>},
    SyscallRow{282, "open_tree", {DirFd, Path, Hex}, refuse_after_names<EPERM, 2>},
    SyscallRow{283, "move_mount", {DirFd, Path, DirFd, Path, Hex}, refuse<EPERM>},
    SyscallRow{301, "lookup_dcookie", {Hex, Ptr, Size}, refuse<EPERM>},
    SyscallRow{321, "kexec_load", {Hex, Hex, Ptr, Hex}, refuse<EPERM>},
    SyscallRow{387, "bpf", {Int, Ptr, UInt}, refuse<EPERM>},
    SyscallRow{427, "fsopen", {Text, Hex}, refuse<EPERM>},
    SyscallRow{428, "fsconfig", {Fd, UInt, Text, Ptr, Int}, refuse_after_fd<EINVAL>},
    SyscallRow{429, "fsmount", {Fd, Hex, Hex}, refuse<EPERM>},
    SyscallRow{430, "fspick", {DirFd, Path, Hex}, refuse<EPERM>},
    SyscallRow{437, "mount_setattr", {DirFd, Path, Hex, Ptr, Size}, refuse<EPERM>},
    SyscallRow{438, "quotactl_fd", {Fd, UInt, Int, Ptr}, refuse_after_fd<EPERM>},
    // Doors into the host's kernel whose requests hold addresses and descriptors that no table here
    // could translate; kernels are set up to refuse them to users.
    SyscallRow{256, "io_uring_setup", {UInt, Ptr}, refuse<EPERM>},
    SyscallRow{
        257, "io_uring_enter", {Fd, UInt, UInt, Hex, Ptr, Size}, refuse_after_fd<EOPNOTSUPP>},
    SyscallRow{258, "io_uring_register", {Fd, UInt, Ptr, UInt}, refuse_after_fd<EOPNOTSUPP>},
    SyscallRow{363, "perf_event_open", {Ptr, Int, Int, Fd, Hex}, sys_perf_event_open},
    SyscallRow{389, "userfaultfd", {Hex}, refuse<EPERM>},
    // Events of whole file systems, which carry descriptors of the host.
    SyscallRow{373, "fanotify_init", {Hex, Hex}, refuse<EPERM>},
    SyscallRow{374, "fanotify_mark", {Fd, Hex, Hex, DirFd, Path}, sys_fanotify_mark},
    // Any file by its number, past every path and so past every rule about paths.
    SyscallRow{401, "open_by_handle_at", {Fd, Ptr, OpenFlags}, refuse<EPERM>},
    SyscallRow{323, "add_key", {Text, Text, Ptr, Size, Int}, sys_add_key},
    SyscallRow{324, "request_key", {Text, Text, Text, Int}, sys_request_key},
    SyscallRow{325, "keyctl", {Int, Hex, Hex, Hex, Hex}, refuse<EPERM>},
    // Restrictions that bind host threads, the emulator's own work with them.
    SyscallRow{284, "rseq", {Ptr, UInt, Hex, Hex}, sys_rseq},
    SyscallRow{392, "seccomp", {UInt, Hex, Ptr}, sys_seccomp},
    SyscallRow{439, "landlock_create_ruleset", {Ptr, Size, Hex}, refuse<EOPNOTSUPP>},
    SyscallRow{440, "landlock_add_rule", {Fd, Int, Ptr, Hex}, refuse<EOPNOTSUPP>},
    SyscallRow{441, "landlock_restrict_self", {Fd, Hex}, refuse<EOPNOTSUPP>},
};

}  // namespace

std::span<const SyscallRow> refused_rows() { return kRows; }

}  // namespace e2k::guest
