// Who and where the guest is: ids, groups, sessions, uname.
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <climits>
#include <cstring>
#include <vector>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

std::int64_t sys_getpid(Call& call) { return call.process.pid; }
std::int64_t sys_gettid(Call& call) { return call.thread.tid; }

/// Calls without pointers that mean the same on the host.
template <long Number>
std::int64_t pass(Call& call) {
    return Call::host(Number, call.arg[0], call.arg[1], call.arg[2]);
}

/// Calls that change the host process: it must be the guest's own, not the window's.
template <long Number>
std::int64_t pass_change(Call& call) {
    return call.process.owns_host_process() ? pass<Number>(call) : -EPERM;
}

/// Calls that name a process in their first argument.
template <long Number>
std::int64_t pass_for_process(Call& call) {
    const bool own = call.process.find_thread(static_cast<std::uint32_t>(call.arg[0])) != nullptr;
    if (Number == SYS_setpgid && (own || call.arg[0] == 0) && !call.process.owns_host_process())
        return -EPERM;
    return Call::host(Number, own ? 0 : call.arg[0], call.arg[1]);
}

/// uname(2) for the guest: 0 or -errno.
int guest_name(const Call& call, utsname& name) {
    if (uname(&name) != 0) return -errno;
    std::memset(name.machine, 0, sizeof name.machine);
    std::strcpy(name.machine, "e2k");
    const std::string& release = call.process.options.kernel_release;
    if (release.empty()) return 0;
    std::memset(name.release, 0, sizeof name.release);
    release.copy(name.release, sizeof name.release - 1);
    return 0;
}

std::int64_t sys_uname(Call& call) {
    utsname name{};
    if (const int error = guest_name(call, name)) return error;
    return call.put_result(call.arg[0], name);
}

std::int64_t sys_olduname(Call& call) {
    utsname name{};
    if (const int error = guest_name(call, name)) return error;
    return call.memory().write(call.arg[0], &name, 5 * sizeof name.sysname) ? 0 : -EFAULT;
}

template <long Number>
std::int64_t three_ids(Call& call) {
    std::array<std::uint32_t, 3> ids{};
    const std::int64_t result = Call::host(Number, reinterpret_cast<std::uint64_t>(&ids[0]),
                                           reinterpret_cast<std::uint64_t>(&ids[1]),
                                           reinterpret_cast<std::uint64_t>(&ids[2]));
    if (result < 0) return result;
    for (unsigned i = 0; i < 3; ++i)
        if (!call.put(call.arg[i], ids[i])) return -EFAULT;
    return 0;
}

std::int64_t sys_getgroups(Call& call) {
    const int size = call.integer(0);
    if (size < 0) return -EINVAL;
    const int count = getgroups(0, nullptr);
    if (count < 0) return -errno;
    if (size == 0) return count;
    if (size < count) return -EINVAL;
    std::vector<gid_t> groups(static_cast<std::size_t>(count));
    const int n = getgroups(count, groups.data());
    if (n < 0) return -errno;
    return call.memory().write(call.arg[1], groups.data(),
                               static_cast<std::size_t>(n) * sizeof(gid_t))
               ? n
               : -EFAULT;
}

std::int64_t sys_getrandom(Call& call) {
    const std::uint64_t length = std::min<std::uint64_t>(call.arg[1], INT_MAX);
    if (call.process.options.seed && (call.arg[2] & ~std::uint64_t{7}) == 0) {
        constexpr std::uint64_t kMostAtOnce = 1 << 20;
        std::vector<std::uint8_t> bytes(std::min(length, kMostAtOnce));
        call.process.seeded_random(bytes);
        if (!call.memory().write(call.arg[0], bytes.data(), bytes.size())) return -EFAULT;
        return static_cast<std::int64_t>(bytes.size());
    }
    const std::int64_t n =
        call.blocking(SYS_getrandom, call.pointer(call.arg[0], length), length, call.arg[2]);
    if (n > 0) call.memory().note_write(call.arg[0], static_cast<std::uint64_t>(n));
    return n;
}

std::int64_t refuse_eperm(Call&) { return -EPERM; }

using enum Arg;
constexpr std::array kRows{
    SyscallRow{20, "getpid", {}, sys_getpid},
    SyscallRow{23, "setuid", {Int}, pass_change<SYS_setuid>},
    SyscallRow{24, "getuid", {}, pass<SYS_getuid>},
    SyscallRow{46, "setgid", {Int}, pass_change<SYS_setgid>},
    SyscallRow{47, "getgid", {}, pass<SYS_getgid>},
    SyscallRow{49, "geteuid", {}, pass<SYS_geteuid>},
    SyscallRow{50, "getegid", {}, pass<SYS_getegid>},
    SyscallRow{57, "setpgid", {Int, Int}, pass_for_process<SYS_setpgid>},
    SyscallRow{64, "getppid", {}, pass<SYS_getppid>},
    SyscallRow{65, "getpgrp", {}, pass<SYS_getpgrp>},
    SyscallRow{66, "setsid", {}, pass_change<SYS_setsid>},
    SyscallRow{70, "setreuid", {Int, Int}, pass_change<SYS_setreuid>},
    SyscallRow{71, "setregid", {Int, Int}, pass_change<SYS_setregid>},
    SyscallRow{74, "sethostname", {Text, Size}, refuse_eperm},
    SyscallRow{80, "getgroups", {Int, Ptr}, sys_getgroups},
    SyscallRow{81, "setgroups", {Int, Ptr}, refuse_eperm},
    SyscallRow{109, "olduname", {Ptr}, sys_olduname},
    SyscallRow{121, "setdomainname", {Text, Size}, refuse_eperm},
    SyscallRow{122, "uname", {UtsnameOut}, sys_uname},
    SyscallRow{132, "getpgid", {Int}, pass_for_process<SYS_getpgid>},
    SyscallRow{138, "setfsuid", {Int}, pass_change<SYS_setfsuid>},
    SyscallRow{139, "setfsgid", {Int}, pass_change<SYS_setfsgid>},
    SyscallRow{147, "getsid", {Int}, pass_for_process<SYS_getsid>},
    SyscallRow{164, "setresuid", {Int, Int, Int}, pass_change<SYS_setresuid>},
    SyscallRow{165, "getresuid", {WordOut, WordOut, WordOut}, three_ids<SYS_getresuid>},
    SyscallRow{170, "setresgid", {Int, Int, Int}, pass_change<SYS_setresgid>},
    SyscallRow{171, "getresgid", {WordOut, WordOut, WordOut}, three_ids<SYS_getresgid>},
    SyscallRow{199, "getuid32", {}, pass<SYS_getuid>},
    SyscallRow{200, "getgid32", {}, pass<SYS_getgid>},
    SyscallRow{201, "geteuid32", {}, pass<SYS_geteuid>},
    SyscallRow{202, "getegid32", {}, pass<SYS_getegid>},
    SyscallRow{203, "setreuid32", {Int, Int}, pass_change<SYS_setreuid>},
    SyscallRow{204, "setregid32", {Int, Int}, pass_change<SYS_setregid>},
    SyscallRow{208, "setresuid32", {Int, Int, Int}, pass_change<SYS_setresuid>},
    SyscallRow{209, "getresuid32", {WordOut, WordOut, WordOut}, three_ids<SYS_getresuid>},
    SyscallRow{210, "setresgid32", {Int, Int, Int}, pass_change<SYS_setresgid>},
    SyscallRow{211, "getresgid32", {WordOut, WordOut, WordOut}, three_ids<SYS_getresgid>},
    SyscallRow{213, "setuid32", {Int}, pass_change<SYS_setuid>},
    SyscallRow{214, "setgid32", {Int}, pass_change<SYS_setgid>},
    SyscallRow{215, "setfsuid32", {Int}, pass_change<SYS_setfsuid>},
    SyscallRow{216, "setfsgid32", {Int}, pass_change<SYS_setfsgid>},
    SyscallRow{244, "gettid", {}, sys_gettid},
    SyscallRow{385, "getrandom", {Ptr, Size, Hex}, sys_getrandom},
};

}  // namespace

std::span<const SyscallRow> identity_rows() { return kRows; }

}  // namespace e2k::guest
