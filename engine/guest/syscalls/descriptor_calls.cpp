// The table of descriptors: numbers that are made, copied, closed, and what fcntl says about them.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

std::int64_t sys_close(Call& call) { return -call.process.fds.close(call.integer(0)); }

std::int64_t sys_close_range(Call& call) {
    constexpr std::uint64_t kUnshare = 2, kCloexec = 4;
    const auto first = static_cast<std::uint32_t>(call.arg[0]);
    const auto last = static_cast<std::uint32_t>(call.arg[1]);
    const auto flags = static_cast<std::uint32_t>(call.arg[2]);
    if (first > last || (flags & ~(kUnshare | kCloexec))) return -EINVAL;
    for (const int fd : call.process.fds.open_numbers()) {
        if (static_cast<std::uint32_t>(fd) < first || static_cast<std::uint32_t>(fd) > last)
            continue;
        if (flags & kCloexec)
            fcntl(call.process.fds.host(fd), F_SETFD, FD_CLOEXEC);
        else
            call.process.fds.close(fd);
    }
    return 0;
}

/// Copies a descriptor: to the lowest number ≥ `least`, or to exactly `exact`.
std::int64_t duplicate(Call& call, bool cloexec, int least, std::optional<int> exact) {
    FdTable& fds = call.process.fds;
    const int from = call.integer(0);
    const int host = fds.host(from);
    if (host < 0) return -EBADF;
    if (exact && (*exact < 0 || *exact >= fds.limit())) return -EBADF;
    if (least < 0 || least >= fds.limit()) return least == 0 ? -EMFILE : -EINVAL;
    const int copy = fcntl(host, cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, 3);
    if (copy < 0) return -errno;
    const int stream = fds.stream(from);
    const auto placed = exact ? fds.set(*exact, copy, stream) : fds.add(copy, least, stream);
    return placed ? *placed : -placed.error();
}

std::int64_t sys_dup(Call& call) { return duplicate(call, false, 0, {}); }
std::int64_t sys_dup2(Call& call) {
    if (call.integer(0) == call.integer(1)) return call.fd(0) < 0 ? -EBADF : call.integer(1);
    return duplicate(call, false, 0, call.integer(1));
}
std::int64_t sys_dup3(Call& call) {
    const auto flags = static_cast<std::uint32_t>(call.arg[2]);
    if (call.integer(0) == call.integer(1) || (flags & ~std::uint32_t{O_CLOEXEC})) return -EINVAL;
    return duplicate(call, flags & O_CLOEXEC, 0, call.integer(1));
}

std::int64_t make_pipe(Call& call, int flags) {
    std::array<int, 2> host{};
    if (pipe2(host.data(), flags) != 0) return -errno;
    FdTable& fds = call.process.fds;
    const auto reader = fds.add(host[0]);
    const auto writer = fds.add(host[1]);
    std::int64_t error = 0;
    if (!reader || !writer)
        error = -EMFILE;
    else if (!call.put(call.arg[0], std::array<std::int32_t, 2>{*reader, *writer}))
        error = -EFAULT;
    if (error) {
        if (reader) fds.close(*reader);
        if (writer) fds.close(*writer);
    }
    return error;
}
std::int64_t sys_pipe(Call& call) { return make_pipe(call, 0); }
std::int64_t sys_pipe2(Call& call) { return make_pipe(call, call.integer(1)); }

// --- fcntl ---

// Commands whose argument is a number that means the same on the host.
constexpr std::array kNumbers{F_GETFD,      F_SETFD,      F_GETFL,     F_SETFL,    F_GETOWN,
                              F_SETSIG,     F_GETSIG,     F_GETLEASE,  F_SETLEASE, F_NOTIFY,
                              F_GETPIPE_SZ, F_SETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS};

std::int64_t host_fcntl(const Call& call, int command, std::uint64_t argument) {
    return Call::host(SYS_fcntl, static_cast<std::uint64_t>(call.fd(0)),
                      static_cast<std::uint64_t>(command), argument);
}

std::int64_t lock_file(Call& call, int command) {
    struct flock lock {};
    if (call.fd(0) < 0) return -EBADF;
    if (!call.get(call.arg[2], lock)) return -EFAULT;
    const std::int64_t result =
        call.blocking(SYS_fcntl, static_cast<std::uint64_t>(call.fd(0)),
                      static_cast<std::uint64_t>(command), reinterpret_cast<std::uint64_t>(&lock));
    if (result == 0 && (command == F_GETLK || command == F_OFD_GETLK))
        return call.put_result(call.arg[2], lock);
    return result;
}

/// Whom signals of the descriptor go to: the process or group with this number.
bool may_own(const Call& call, int pid) {
    const int process = pid < 0 ? -pid : pid;
    return process == 0 || may_touch_process(call.process, process);
}

std::int64_t set_owner(Call& call) {
    const int pid = call.integer(2);
    if (!may_own(call, pid)) return -EPERM;
    return host_fcntl(call, F_SETOWN, static_cast<std::uint64_t>(static_cast<std::int64_t>(pid)));
}

/// f_owner_ex with a type of any value: what the guest wrote is of no enumeration.
struct OwnerWords {
    std::int32_t type = 0, number = 0;
};
static_assert(sizeof(OwnerWords) == sizeof(f_owner_ex));

/// F_SETOWN_EX, F_GETOWN_EX. The host knows the guest's threads by other numbers: a thread of the
/// guest stands for its process, which is where the workbench looks for a thread to run a handler.
std::int64_t owner_in_words(Call& call, int command) {
    OwnerWords owner;
    const auto at = reinterpret_cast<std::uint64_t>(&owner);
    if (command == F_GETOWN_EX) {
        const std::int64_t result = host_fcntl(call, command, at);
        return result < 0 ? result : call.put_result(call.arg[2], owner);
    }
    if (call.fd(0) < 0) return -EBADF;
    if (!call.get(call.arg[2], owner)) return -EFAULT;
    if (owner.type == F_OWNER_TID &&
        call.process.find_thread(static_cast<std::uint32_t>(owner.number)))
        owner = {F_OWNER_PID, call.process.pid};
    if (!may_own(call, owner.number)) return -EPERM;
    return host_fcntl(call, command, at);
}

/// F_GET_RW_HINT and its like: 64 bits in memory.
std::int64_t hint_in_memory(Call& call, int command) {
    std::uint64_t hint = 0;
    const bool sets = command == F_SET_RW_HINT || command == F_SET_FILE_RW_HINT;
    if (call.fd(0) < 0) return -EBADF;
    if (sets && !call.get(call.arg[2], hint)) return -EFAULT;
    const std::int64_t result = host_fcntl(call, command, reinterpret_cast<std::uint64_t>(&hint));
    return result < 0 || sets ? result : call.put_result(call.arg[2], hint);
}

std::int64_t sys_fcntl(Call& call) {
    int command = call.integer(1);
    // The 32-bit library's names of the lock commands (structs.md §2).
    if (command >= 12 && command <= 14) command -= 7;
    // Beside a window this process is the window: its end is not the guest's to choose.
    if (command == F_SETSIG && call.process.window && is_windows_own(call.integer(2)))
        return call.fd(0) < 0 ? -EBADF : -EPERM;
    if (std::ranges::find(kNumbers, command) != kNumbers.end())
        return host_fcntl(call, command, call.arg[2]);
    switch (command) {
        case F_DUPFD:
        case F_DUPFD_CLOEXEC: {
            const int least = call.integer(2);
            if (call.fd(0) >= 0 && (least < 0 || least >= call.process.fds.limit())) return -EINVAL;
            return duplicate(call, command == F_DUPFD_CLOEXEC, least, {});
        }
        case F_GETLK:
        case F_SETLK:
        case F_SETLKW:
        case F_OFD_GETLK:
        case F_OFD_SETLK:
        case F_OFD_SETLKW:
            return lock_file(call, command);
        case F_SETOWN:
            return set_owner(call);
        case F_SETOWN_EX:
        case F_GETOWN_EX:
            return owner_in_words(call, command);
        case F_GET_RW_HINT:
        case F_SET_RW_HINT:
        case F_GET_FILE_RW_HINT:
        case F_SET_FILE_RW_HINT:
            return hint_in_memory(call, command);
        default:
            return call.fd(0) < 0 ? -EBADF : -EINVAL;
    }
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{6, "close", {Fd}, sys_close},
    SyscallRow{41, "dup", {Fd}, sys_dup},
    SyscallRow{42, "pipe", {FdPairOut}, sys_pipe},
    SyscallRow{55, "fcntl", {Fd, FcntlCommand, Hex}, sys_fcntl},
    SyscallRow{63, "dup2", {Fd, Fd}, sys_dup2},
    SyscallRow{221, "fcntl64", {Fd, FcntlCommand, Hex}, sys_fcntl},
    SyscallRow{251, "pipe2", {FdPairOut, OpenFlags}, sys_pipe2},
    SyscallRow{358, "dup3", {Fd, Fd, OpenFlags}, sys_dup3},
    SyscallRow{431, "close_range", {UInt, UInt, Hex}, sys_close_range},
};

}  // namespace

std::span<const SyscallRow> descriptor_rows() { return kRows; }

}  // namespace e2k::guest
