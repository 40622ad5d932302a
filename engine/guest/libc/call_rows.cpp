// More functions that are a system call, or nearly: files, terminals, attributes, messages, timers,
// scheduling, memory.
#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "engine/guest/libc/guest_word.h"
#include "engine/guest/libc/thin_row.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kOpen = 5, kIoctl = 54, kSetpgid = 57, kStatfs = 99, kFstatfs = 100,
                        kSetresuid = 164, kSetresgid = 170, kWaitid = 322, kGetcpu = 327,
                        kMknodat = 337, kFaccessat2 = 434, kEpollPwait = 346, kSignalfd4 = 347,
                        kEventfd2 = 348, kFallocate = 356, kPpoll = 368, kPselect = 367,
                        kGetrandom = 385, kCloseRange = 431;
constexpr std::uint64_t kHere = static_cast<std::uint64_t>(AT_FDCWD);
constexpr std::uint64_t kSame = ~0ull;
constexpr std::uint64_t kMaskBytes = 8;

// --- files ---

Outcome<Value> creat_(LibraryCall& call) {
    return as_value(
        call.kernel(kOpen, call.pointer(0), O_CREAT | O_WRONLY | O_TRUNC, call.word(1)));
}
Outcome<Value> mkfifoat_(LibraryCall& call) {
    constexpr std::uint64_t kPermissions = 07777;
    return as_value(call.kernel(kMknodat, call.word(0), call.pointer(1),
                                S_IFIFO | (call.word(2) & kPermissions), 0));
}
Outcome<Value> eaccess_(LibraryCall& call) {
    return as_value(call.kernel(kFaccessat2, kHere, call.pointer(0), call.word(1), AT_EACCESS));
}
Outcome<Value> posix_fallocate_(LibraryCall& call) {
    return as_result(call.kernel(kFallocate, call.word(0), 0, call.word(1), call.word(2)));
}
Outcome<Value> closefrom_(LibraryCall& call) {
    const auto first = static_cast<std::uint64_t>(std::max(call.integer(0), 0));
    const auto done = call.kernel(kCloseRange, first, ~0u, 0);
    if (!done && done.error().kind != Trouble::Kind::Error) return tl::unexpected(done.error());
    return Value();
}

/// struct statvfs from struct statfs; both are as on the host.
template <std::uint32_t Number>
Outcome<Value> statvfs_(LibraryCall& call) {
    const auto room = call.library.heap.allocate(sizeof(struct statfs));
    if (!room) return tl::unexpected(room.error());
    auto got = call.kernel(Number, call.word(0), *room).and_then([&](std::int64_t) {
        return call.memory.load<struct statfs>(*room);
    });
    static_cast<void>(call.library.heap.release(*room));
    if (!got) return tl::unexpected(got.error());
    struct statvfs out {};
    out.f_bsize = static_cast<unsigned long>(got->f_bsize);
    out.f_frsize = static_cast<unsigned long>(got->f_frsize ? got->f_frsize : got->f_bsize);
    out.f_blocks = got->f_blocks;
    out.f_bfree = got->f_bfree;
    out.f_bavail = got->f_bavail;
    out.f_files = got->f_files;
    out.f_ffree = out.f_favail = got->f_ffree;
    std::memcpy(&out.f_fsid, &got->f_fsid, sizeof out.f_fsid);
    constexpr unsigned long kValid = 0x20;
    out.f_flag = static_cast<unsigned long>(got->f_flags) & ~kValid;
    out.f_namemax = static_cast<unsigned long>(got->f_namelen);
    return call.memory.store(call.pointer(1), out).map([] { return Value(0); });
}

/// What does not depend on the file, as the kernel of the guest has it.
Outcome<Value> pathconf_(LibraryCall& call) {
    switch (call.integer(1)) {
        case _PC_LINK_MAX:
            return Value(127);
        case _PC_MAX_CANON:
        case _PC_MAX_INPUT:
        case _PC_NAME_MAX:
            return Value(255);
        case _PC_PATH_MAX:
        case _PC_PIPE_BUF:
            return Value(4096);
        case _PC_CHOWN_RESTRICTED:
        case _PC_NO_TRUNC:
            return Value(1);
        case _PC_VDISABLE:
            return Value(0);
        default:
            return error(EINVAL);
    }
}

// --- terminals ---

template <std::uint64_t Request>
Outcome<Value> terminal(LibraryCall& call) {
    return as_value(call.kernel(kIoctl, call.word(0), Request, call.word(1)));
}
constexpr std::uint64_t kTcsbrk = 0x5409, kTcxonc = 0x540a, kTcflsh = 0x540b, kTiocgpgrp = 0x540f,
                        kTiocspgrp = 0x5410, kTiocgsid = 0x5429;
Outcome<Value> tcdrain_(LibraryCall& call) {
    return as_value(call.kernel(kIoctl, call.word(0), kTcsbrk, 1));
}
Outcome<Value> tcsendbreak_(LibraryCall& call) {
    return as_value(call.kernel(kIoctl, call.word(0), kTcsbrk, 0));
}
Outcome<Value> tcsetpgrp_(LibraryCall& call) {
    const std::uint64_t at = call.thread().scratch_address();
    if (auto done = call.memory.store(at, call.integer(1)); !done)
        return tl::unexpected(done.error());
    return as_value(call.kernel(kIoctl, call.word(0), kTiocspgrp, at));
}
/// The number of a process that the terminal knows.
template <std::uint64_t Request>
Outcome<Value> terminal_number(LibraryCall& call) {
    const std::uint64_t at = call.thread().scratch_address();
    if (auto done = call.kernel(kIoctl, call.word(0), Request, at); !done)
        return tl::unexpected(done.error());
    return call.memory.load<std::int32_t>(at).map([](std::int32_t id) { return Value(id); });
}

/// struct termios is the host's (program_rows.cpp, tcgetattr).
template <class F>
Outcome<Value> change_termios(LibraryCall& call, F&& change) {
    auto settings = call.memory.load<termios>(call.pointer(0));
    if (!settings) return tl::unexpected(settings.error());
    if (change(*settings) != 0) return error(EINVAL);
    return call.memory.store(call.pointer(0), *settings).map([] { return Value(0); });
}
Outcome<Value> cfmakeraw_(LibraryCall& call) {
    return change_termios(call, [](termios& settings) {
        cfmakeraw(&settings);
        return 0;
    });
}
Outcome<Value> cfsetispeed_(LibraryCall& call) {
    return change_termios(call,
                          [&](termios& t) { return cfsetispeed(&t, call.unsigned_integer(1)); });
}
Outcome<Value> cfsetospeed_(LibraryCall& call) {
    return change_termios(call,
                          [&](termios& t) { return cfsetospeed(&t, call.unsigned_integer(1)); });
}
Outcome<Value> cfsetspeed_(LibraryCall& call) {
    return change_termios(call,
                          [&](termios& t) { return cfsetspeed(&t, call.unsigned_integer(1)); });
}
template <speed_t (*Get)(const termios*)>
Outcome<Value> cfgetspeed(LibraryCall& call) {
    const auto settings = call.memory.load<termios>(call.pointer(0));
    if (!settings) return tl::unexpected(settings.error());
    return Value(Get(&*settings));
}

// --- users and processes ---

Outcome<Value> seteuid_(LibraryCall& call) {
    return as_value(call.kernel(kSetresuid, kSame, call.word(0), kSame));
}
Outcome<Value> setegid_(LibraryCall& call) {
    return as_value(call.kernel(kSetresgid, kSame, call.word(0), kSame));
}
Outcome<Value> setpgrp_(LibraryCall& call) { return as_value(call.kernel(kSetpgid, 0, 0)); }
Outcome<Value> waitid_(LibraryCall& call) {
    return as_value(
        call.kernel(kWaitid, call.word(0), call.word(1), call.pointer(2), call.word(3), 0));
}
Outcome<Value> sched_getcpu_(LibraryCall& call) {
    const std::uint64_t at = call.thread().scratch_address();
    if (auto done = call.kernel(kGetcpu, at, 0, 0); !done) return tl::unexpected(done.error());
    return call.memory.load<std::int32_t>(at).map([](std::int32_t cpu) { return Value(cpu); });
}
Outcome<Value> getentropy_(LibraryCall& call) {
    constexpr std::uint64_t kMost = 256;
    if (call.size(1) > kMost) return error(EIO);
    for (std::uint64_t done = 0; done < call.size(1);) {
        const auto got = call.kernel(kGetrandom, call.pointer(0) + done, call.size(1) - done, 0);
        if (!got) return tl::unexpected(got.error());
        done += static_cast<std::uint64_t>(*got);
    }
    return Value(0);
}

// --- waiting ---

Outcome<Value> epoll_pwait_(LibraryCall& call) {
    return as_value(call.kernel(kEpollPwait, call.word(0), call.pointer(1), call.word(2),
                                call.word(3), call.pointer(4), kMaskBytes));
}
/// The system call changes the time, the function does not.
Outcome<std::uint64_t> copied_time(LibraryCall& call, std::uint64_t address) {
    if (address == 0) return 0;
    const auto time = call.memory.load<timespec>(address);
    if (!time) return tl::unexpected(time.error());
    const std::uint64_t at = call.thread().scratch_address();
    return call.memory.store(at, *time).map([&] { return at; });
}
Outcome<Value> ppoll_(LibraryCall& call) {
    const auto time = copied_time(call, call.pointer(2));
    if (!time) return tl::unexpected(time.error());
    call.restartable = false;
    return as_value(
        call.kernel(kPpoll, call.pointer(0), call.word(1), *time, call.pointer(3), kMaskBytes));
}
Outcome<Value> pselect_(LibraryCall& call) {
    const auto time = copied_time(call, call.pointer(4));
    if (!time) return tl::unexpected(time.error());
    const std::uint64_t mask = call.thread().scratch_address() + sizeof(timespec);
    if (auto done = call.memory.store(mask, std::array{call.word(5), kMaskBytes}); !done)
        return tl::unexpected(done.error());
    call.restartable = false;
    return as_value(call.kernel(kPselect, call.word(0), call.pointer(1), call.pointer(2),
                                call.pointer(3), *time, mask));
}
Outcome<Value> eventfd_read_(LibraryCall& call) {
    constexpr std::uint32_t kRead = 3;
    const auto got = call.kernel(kRead, call.word(0), call.pointer(1), 8);
    if (!got) return tl::unexpected(got.error());
    return Value(*got == 8 ? 0 : -1);
}
Outcome<Value> eventfd_write_(LibraryCall& call) {
    constexpr std::uint32_t kWrite = 4;
    const std::uint64_t at = call.thread().scratch_address();
    if (auto done = call.memory.store(at, call.word(1)); !done) return tl::unexpected(done.error());
    const auto put = call.kernel(kWrite, call.word(0), at, 8);
    if (!put) return tl::unexpected(put.error());
    return Value(*put == 8 ? 0 : -1);
}
Outcome<Value> signalfd_(LibraryCall& call) {
    return as_value(
        call.kernel(kSignalfd4, call.word(0), call.pointer(1), kMaskBytes, call.word(2)));
}

constexpr std::array kRows{
    // files
    Row{"creat", "i(s,u)", creat_},
    Row{"creat64", "i(s,u)", creat_},
    Row{"mkfifoat", "i(i,s,u)", mkfifoat_},
    Row{"mknodat", "i(i,s,u,L)", thin<kMknodat>},
    Row{"eaccess", "i(s,i)", eaccess_},
    Row{"euidaccess", "i(s,i)", eaccess_},
    Row{"fallocate", "i(i,i,l,l)", thin<kFallocate>},
    Row{"fallocate64", "i(i,i,l,l)", thin<kFallocate>},
    Row{"posix_fallocate", "i(i,l,l)", posix_fallocate_},
    Row{"posix_fallocate64", "i(i,l,l)", posix_fallocate_},
    Row{"statx", "i(i,s,i,u,p)", thin<402>},
    Row{"statvfs", "i(s,p)", statvfs_<kStatfs>},
    Row{"statvfs64", "i(s,p)", statvfs_<kStatfs>},
    Row{"fstatvfs", "i(i,p)", statvfs_<kFstatfs>},
    Row{"fstatvfs64", "i(i,p)", statvfs_<kFstatfs>},
    Row{"pathconf", "l(s,i)", pathconf_},
    Row{"fpathconf", "l(i,i)", pathconf_},
    Row{"renameat2", "i(i,s,i,s,u)", thin<384>},
    Row{"copy_file_range", "l(i,p,i,p,L,u)", thin<394>},
    Row{"splice", "l(i,p,i,p,L,u)", thin<329>},
    Row{"tee", "l(i,i,L,u)", thin<331>},
    Row{"sync_file_range", "i(i,l,l,u)", thin<357>},
    Row{"syncfs", "i(i)", thin<377>},
    Row{"readahead", "l(i,l,L)", thin<245>},
    Row{"getdents64", "l(i,p,L)", thin<220>},
    Row{"close_range", "i(u,u,i)", thin<kCloseRange>},
    Row{"closefrom", "v(i)", closefrom_},
    Row{"setxattr", "i(s,s,p,L,i)", thin<232>},
    Row{"lsetxattr", "i(s,s,p,L,i)", thin<233>},
    Row{"fsetxattr", "i(i,s,p,L,i)", thin<234>},
    Row{"getxattr", "l(s,s,p,L)", thin<235>},
    Row{"lgetxattr", "l(s,s,p,L)", thin<236>},
    Row{"fgetxattr", "l(i,s,p,L)", thin<237>},
    Row{"listxattr", "l(s,p,L)", thin<238>},
    Row{"llistxattr", "l(s,p,L)", thin<239>},
    Row{"flistxattr", "l(i,p,L)", thin<240>},
    Row{"removexattr", "i(s,s)", thin<241>},
    Row{"lremovexattr", "i(s,s)", thin<242>},
    Row{"fremovexattr", "i(i,s)", thin<243>},
    Row{"name_to_handle_at", "i(i,s,p,p,i)", thin<400>},
    Row{"open_by_handle_at", "i(i,p,i)", thin<401>},
    // terminals
    Row{"tcsetpgrp", "i(i,i)", tcsetpgrp_},
    Row{"tcgetpgrp", "i(i)", terminal_number<kTiocgpgrp>},
    Row{"tcgetsid", "i(i)", terminal_number<kTiocgsid>},
    Row{"tcflush", "i(i,i)", terminal<kTcflsh>},
    Row{"tcflow", "i(i,i)", terminal<kTcxonc>},
    Row{"tcdrain", "i(i)", tcdrain_},
    Row{"tcsendbreak", "i(i,i)", tcsendbreak_},
    Row{"cfmakeraw", "v(p)", cfmakeraw_},
    Row{"cfsetispeed", "i(p,u)", cfsetispeed_},
    Row{"cfsetospeed", "i(p,u)", cfsetospeed_},
    Row{"cfsetspeed", "i(p,u)", cfsetspeed_},
    Row{"cfgetispeed", "u(p)", cfgetspeed<cfgetispeed>},
    Row{"cfgetospeed", "u(p)", cfgetspeed<cfgetospeed>},
    // users, processes, the machine
    Row{"seteuid", "i(u)", seteuid_},
    Row{"setegid", "i(u)", setegid_},
    Row{"setpgrp", "i()", setpgrp_},
    Row{"waitid", "i(i,u,p,i)", waitid_},
    Row{"gettid", "i()", thin<244>},
    Row{"unshare", "i(i)", thin<364>},
    Row{"setns", "i(i,i)", thin<379>},
    Row{"mount", "i(s,s,s,L,p)", thin<21>},
    Row{"umount2", "i(s,i)", thin<52>},
    Row{"personality", "i(L)", thin<136>},
    Row{"ptrace", "l(l,i,p,p)", thin<26>},
    Row{"sethostname", "i(s,L)", thin<74>},
    Row{"setdomainname", "i(s,L)", thin<121>},
    Row{"klogctl", "i(i,p,i)", thin<103>},
    Row{"capget", "i(p,p)", thin<184>},
    Row{"capset", "i(p,p)", thin<185>},
    Row{"prlimit", "i(i,i,p,p)", thin<375>},
    Row{"vhangup", "i()", thin<111>},
    Row{"process_vm_readv", "l(i,p,L,p,L,L)", thin<380>},
    Row{"process_vm_writev", "l(i,p,L,p,L,L)", thin<381>},
    // scheduling
    Row{"sched_setparam", "i(i,p)", thin<154>},
    Row{"sched_getparam", "i(i,p)", thin<155>},
    Row{"sched_setscheduler", "i(i,i,p)", thin<156>},
    Row{"sched_getscheduler", "i(i)", thin<157>},
    Row{"sched_get_priority_max", "i(i)", thin<159>},
    Row{"sched_get_priority_min", "i(i)", thin<160>},
    Row{"sched_rr_get_interval", "i(i,p)", thin<161>},
    Row{"sched_getcpu", "i()", sched_getcpu_},
    // memory
    Row{"mremap", "p(p,L,L,i,p)", thin<163>},
    Row{"mincore", "i(p,L,p)", thin<218>},
    Row{"memfd_create", "i(s,u)", thin<386>},
    Row{"getentropy", "i(p,L)", getentropy_},
    // waiting, time
    Row{"epoll_pwait", "i(i,p,i,i,p)", epoll_pwait_},
    Row{"ppoll", "i(p,L,p,p)", ppoll_},
    Row{"pselect", "i(i,p,p,p,p,p)", pselect_},
    Row{"eventfd", "i(u,i)", thin<kEventfd2>},
    Row{"eventfd_read", "i(i,p)", eventfd_read_},
    Row{"eventfd_write", "i(i,L)", eventfd_write_},
    Row{"signalfd", "i(i,p,i)", signalfd_},
    Row{"timerfd_create", "i(i,i)", thin<351>},
    Row{"timerfd_settime", "i(i,i,p,p)", thin<352>},
    Row{"timerfd_gettime", "i(i,p)", thin<353>},
    Row{"clock_settime", "i(i,p)", thin<266>},
    // messages
    Row{"msgget", "i(i,i)", thin<270>},
    Row{"msgctl", "i(i,i,p)", thin<271>},
    Row{"msgrcv", "l(i,p,L,l,i)", thin<272>},
    Row{"msgsnd", "i(i,p,L,i)", thin<273>},
    Row{"recvmmsg", "i(i,p,u,i,p)", thin<349>},
    Row{"sendmmsg", "i(i,p,u,i)", thin<378>},
};

}  // namespace

std::span<const Row> call_rows() { return kRows; }

}  // namespace e2k::guest::libc
