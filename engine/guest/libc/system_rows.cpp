// Functions of <unistd.h>, <fcntl.h>, <sys/…>, <sched.h> and <signal.h> that are system calls with
// the same arguments, or nearly.
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "engine/guest/libc/guest_word.h"
#include "engine/guest/libc/thin_row.h"

namespace e2k::guest::libc {
namespace {

constexpr std::uint32_t kBrk = 45, kWait4 = 114, kNanosleep = 162, kGetcwd = 183, kSendto = 406,
                        kRecvfrom = 407, kUname = 122, kTgkill = 308, kGetpid = 20,
                        kSigaction = 174, kSigprocmask = 175, kSigpending = 176, kSigsuspend = 179,
                        kSigtimedwait = 177, kPrlimit = 375, kKill = 37, kClockNanosleep = 269,
                        kGetpriority = 96, kSetpriority = 97, kPipe2 = 251, kSchedGet = 250,
                        kUtimensat = 333;

// --- processes ---

Outcome<Value> wait_(LibraryCall& call) {
    return as_value(call.kernel(kWait4, ~0ull, call.pointer(0)));
}
Outcome<Value> nice_(LibraryCall& call) {
    const auto before = call.kernel(kGetpriority, 0, 0);
    if (!before) return tl::unexpected(before.error());
    const std::int64_t now = 20 - *before + call.integer(0);
    const auto done = call.kernel(kSetpriority, 0, 0, static_cast<std::uint64_t>(now));
    if (!done) return done.error().error == EACCES ? error(EPERM) : tl::unexpected(done.error());
    return call.kernel(kGetpriority, 0, 0).map([](std::int64_t v) { return Value(20 - v); });
}
/// The system call gives 20 - priority, which is never an error.
Outcome<Value> getpriority_(LibraryCall& call) {
    return call.kernel(kGetpriority, call.word(0), call.word(1)).map([](std::int64_t v) {
        return Value(20 - v);
    });
}

// --- memory ---

Outcome<Value> sbrk_(LibraryCall& call) {
    const auto before = call.kernel(kBrk, 0);
    if (!before) return tl::unexpected(before.error());
    if (call.word(0) == 0) return as_value(before);
    const std::uint64_t wanted = static_cast<std::uint64_t>(*before) + call.word(0);
    const auto now = call.kernel(kBrk, wanted);
    if (!now) return tl::unexpected(now.error());
    if (static_cast<std::uint64_t>(*now) != wanted) return error(ENOMEM);
    return as_value(before);
}

// --- paths ---

Outcome<Value> getcwd_(LibraryCall& call) {
    constexpr std::uint64_t kPathMax = 4096;
    const std::uint64_t at = call.pointer(0);
    if (at != 0) {
        if (call.size(1) == 0) return error(EINVAL);
        const auto done = call.kernel(kGetcwd, at, call.size(1));
        return done.map([&](std::int64_t) { return Value(at); });
    }
    const auto room = call.library.heap.allocate(call.size(1) ? call.size(1) : kPathMax);
    if (!room) return tl::unexpected(room.error());
    const auto done = call.kernel(kGetcwd, *room, call.size(1) ? call.size(1) : kPathMax);
    if (!done) static_cast<void>(call.library.heap.release(*room));
    return done.map([&](std::int64_t) { return Value(*room); });
}
Outcome<Value> pipe_(LibraryCall& call) {
    return as_value(call.kernel(kPipe2, call.pointer(0), 0));
}
Outcome<Value> futimens_(LibraryCall& call) {
    return as_value(call.kernel(kUtimensat, call.word(0), 0, call.pointer(1), 0));
}
Outcome<Value> gethostname_(LibraryCall& call) {
    constexpr std::uint64_t kNode = 65, kField = 65, kBytes = 390;
    const auto room = call.library.heap.allocate(kBytes);
    if (!room) return tl::unexpected(room.error());
    auto name = call.kernel(kUname, *room).and_then([&](std::int64_t) {
        return call.memory.text(*room + kNode, kField);
    });
    static_cast<void>(call.library.heap.release(*room));
    if (!name) return tl::unexpected(name.error());
    const bool fits = name->size() < call.size(1);
    if (!fits) name->resize(call.size(1));
    const std::size_t bytes = name->size() + (fits ? 1 : 0);
    if (auto done = call.memory.write(call.pointer(0), name->c_str(), bytes); !done)
        return tl::unexpected(done.error());
    if (!fits) return error(ENAMETOOLONG);
    return Value(0);
}

// --- sockets ---

Outcome<Value> send_(LibraryCall& call) {
    return as_value(
        call.kernel(kSendto, call.word(0), call.pointer(1), call.size(2), call.word(3)));
}
Outcome<Value> recv_(LibraryCall& call) {
    return as_value(
        call.kernel(kRecvfrom, call.word(0), call.pointer(1), call.size(2), call.word(3)));
}

// --- sleeping ---

/// Sleeps; what is left of the time, if a handler has cut it short.
Outcome<timespec> sleep_for(LibraryCall& call, const timespec& time) {
    const std::uint64_t from = call.thread().scratch_address(), left = from + sizeof time;
    if (auto done = call.memory.store(from, time); !done) return tl::unexpected(done.error());
    const auto done = call.kernel(kNanosleep, from, left);
    if (done) return timespec{};
    if (done.error().kind != Trouble::Kind::Error) return tl::unexpected(done.error());
    return call.memory.load<timespec>(left);
}
Outcome<Value> sleep_(LibraryCall& call) {
    return sleep_for(call, {static_cast<time_t>(call.unsigned_integer(0)), 0})
        .map([](const timespec& left) {
            return Value(static_cast<unsigned>(left.tv_sec + (left.tv_nsec >= 500'000'000)));
        });
}
Outcome<Value> usleep_(LibraryCall& call) {
    const std::uint32_t microseconds = call.unsigned_integer(0);
    return sleep_for(call, {microseconds / 1'000'000, microseconds % 1'000'000 * 1000L})
        .and_then([](const timespec& left) -> Outcome<Value> {
            if (left.tv_sec != 0 || left.tv_nsec != 0) return error(EINTR);
            return Value(0);
        });
}
/// clock_nanosleep returns the error.
Outcome<Value> clock_nanosleep_(LibraryCall& call) {
    return as_result(
        call.kernel(kClockNanosleep, call.word(0), call.word(1), call.pointer(2), call.pointer(3)));
}

// --- signals ---

constexpr std::uint64_t kSetBytes = 128, kKernelSetBytes = 8;

Outcome<Value> raise_(LibraryCall& call) {
    const auto pid = call.kernel(kGetpid);
    if (!pid) return tl::unexpected(pid.error());
    return as_value(call.kernel(kTgkill, static_cast<std::uint64_t>(*pid), call.system.thread.tid,
                                call.word(0)));
}
Outcome<Value> killpg_(LibraryCall& call) {
    if (call.integer(0) < 0) return error(EINVAL);
    return as_value(call.kernel(kKill, static_cast<std::uint64_t>(-std::int64_t{call.integer(0)}),
                                call.word(1)));
}

/// rt_sigaction with the kernel's structures in the thread's scratch memory.
Outcome<SigactionE2k> change_action(LibraryCall& call, std::uint64_t signal,
                                    const SigactionE2k* action) {
    const std::uint64_t next = call.thread().scratch_address();
    const std::uint64_t before = next + sizeof(SigactionE2k);
    if (action)
        if (auto done = call.memory.store(next, *action); !done)
            return tl::unexpected(done.error());
    const auto done = call.kernel(kSigaction, signal, action ? next : 0, before, kKernelSetBytes);
    if (!done) return tl::unexpected(done.error());
    return call.memory.load<SigactionE2k>(before);
}
/// BSD's: the handler stays, calls go on.
Outcome<Value> signal_(LibraryCall& call) {
    SigactionE2k action;
    action.handler = call.pointer(1);
    action.flags = SA_RESTART;
    const int number = call.integer(0);
    if (number >= 1 && number <= kSignals) action.mask = signal_bit(number);
    const auto before = change_action(call, call.word(0), &action);
    if (!before && before.error().kind == Trouble::Kind::Error) {
        call.set_errno(before.error().error);
        return Value(-1);
    }
    return before.map([](const SigactionE2k& a) { return Value(a.handler); });
}
/// The C library's structure: handler@0, mask@8 (128 bytes), flags@136, restorer@144.
Outcome<Value> sigaction_(LibraryCall& call) {
    constexpr std::uint64_t kMask = 8, kFlags = 136, kRestorer = 144;
    const GuestMemory& memory = call.memory;
    const std::uint64_t from = call.pointer(1), to = call.pointer(2);
    SigactionE2k action;
    if (from != 0) {
        const auto handler = memory.load<std::uint64_t>(from);
        const auto mask = memory.load<std::uint64_t>(from + kMask);
        const auto flags = memory.load<std::int32_t>(from + kFlags);
        const auto restorer = memory.load<std::uint64_t>(from + kRestorer);
        if (!handler) return tl::unexpected(handler.error());
        if (!mask) return tl::unexpected(mask.error());
        if (!flags) return tl::unexpected(flags.error());
        if (!restorer) return tl::unexpected(restorer.error());
        action.handler = *handler;
        action.mask = *mask;
        action.flags = static_cast<std::uint64_t>(static_cast<std::int64_t>(*flags));
        action.restorer = *restorer;
    }
    const auto before = change_action(call, call.word(0), from != 0 ? &action : nullptr);
    if (!before) return tl::unexpected(before.error());
    if (to == 0) return Value(0);
    struct {
        std::uint64_t handler = 0, mask[16] = {};
        std::int32_t flags = 0, pad = 0;
        std::uint64_t restorer = 0;
    } old;
    static_assert(sizeof old == 152);
    old.handler = before->handler;
    old.mask[0] = before->mask;
    old.flags = static_cast<std::int32_t>(before->flags);
    old.restorer = before->restorer;
    return memory.store(to, old).map([] { return Value(0); });
}
Outcome<Value> sigprocmask_(LibraryCall& call) {
    return as_value(
        call.kernel(kSigprocmask, call.word(0), call.pointer(1), call.pointer(2), kKernelSetBytes));
}
/// pthread_sigmask returns the error.
Outcome<Value> pthread_sigmask_(LibraryCall& call) { return as_result(sigprocmask_(call)); }
Outcome<Value> sigpending_(LibraryCall& call) {
    return as_value(call.kernel(kSigpending, call.pointer(0), kKernelSetBytes));
}
Outcome<Value> sigsuspend_(LibraryCall& call) {
    return as_value(call.kernel(kSigsuspend, call.pointer(0), kKernelSetBytes));
}
Outcome<Value> sigtimedwait_(LibraryCall& call) {
    return as_value(call.kernel(kSigtimedwait, call.pointer(0), call.pointer(1), call.pointer(2),
                                kKernelSetBytes));
}
Outcome<Value> sigwaitinfo_(LibraryCall& call) {
    return as_value(
        call.kernel(kSigtimedwait, call.pointer(0), call.pointer(1), 0, kKernelSetBytes));
}
Outcome<Value> sigwait_(LibraryCall& call) {
    const auto signal = call.kernel(kSigtimedwait, call.pointer(0), 0, 0, kKernelSetBytes);
    if (!signal && signal.error().kind == Trouble::Kind::Error) return Value(signal.error().error);
    if (!signal) return tl::unexpected(signal.error());
    return call.memory.store(call.pointer(1), static_cast<std::int32_t>(*signal)).map([] {
        return Value(0);
    });
}

template <std::uint8_t Byte>
Outcome<Value> fill_set(LibraryCall& call) {
    return call.memory.fill(call.pointer(0), Byte, kSetBytes).map([] { return Value(0); });
}
/// The word of a set that has `signal`, and its bit.
struct SetPlace {
    std::uint64_t address = 0, bit = 0;
};
Outcome<SetPlace> set_place(const LibraryCall& call) {
    const int signal = call.integer(1);
    if (signal < 1 || signal > kSignals) return error(EINVAL);
    return SetPlace{call.pointer(0), signal_bit(signal)};
}
template <bool Add>
Outcome<Value> change_set(LibraryCall& call) {
    const auto place = set_place(call);
    if (!place) return tl::unexpected(place.error());
    const auto word = call.memory.load<std::uint64_t>(place->address);
    if (!word) return tl::unexpected(word.error());
    return call.memory.store(place->address, Add ? *word | place->bit : *word & ~place->bit)
        .map([] { return Value(0); });
}
Outcome<Value> sigismember_(LibraryCall& call) {
    const auto place = set_place(call);
    if (!place) return tl::unexpected(place.error());
    return call.memory.load<std::uint64_t>(place->address).map([&](std::uint64_t word) {
        return Value((word & place->bit) != 0 ? 1 : 0);
    });
}

// --- limits ---

Outcome<Value> getrlimit_(LibraryCall& call) {
    return as_value(call.kernel(kPrlimit, 0, call.word(0), 0, call.pointer(1)));
}
Outcome<Value> setrlimit_(LibraryCall& call) {
    return as_value(call.kernel(kPrlimit, 0, call.word(0), call.pointer(1), 0));
}
Outcome<Value> getdtablesize_(LibraryCall& call) { return Value(call.system.process.fds.limit()); }
Outcome<Value> sched_getaffinity_(LibraryCall& call) {
    const auto bytes = call.kernel(kSchedGet, call.word(0), call.size(1), call.pointer(2));
    if (!bytes) return tl::unexpected(bytes.error());
    const auto got = static_cast<std::uint64_t>(*bytes);
    if (got >= call.size(1)) return Value(0);
    return call.memory.fill(call.pointer(2) + got, 0, call.size(1) - got).map([] {
        return Value(0);
    });
}

constexpr std::array kRows{
    Row{"read", "l(i,p,L)", thin<3>},
    Row{"write", "l(i,p,L)", thin<4>},
    Row{"open", "i(s,i,...)", thin<5>},
    Row{"open64", "i(s,i,...)", thin<5>},
    Row{"__open_2", "i(s,i)", thin<5>},
    Row{"__open64_2", "i(s,i)", thin<5>},
    Row{"close", "i(i)", thin<6>},
    Row{"openat", "i(i,s,i,...)", thin<335>},
    Row{"openat64", "i(i,s,i,...)", thin<335>},
    Row{"__openat_2", "i(i,s,i)", thin<335>},
    Row{"__openat64_2", "i(i,s,i)", thin<335>},
    Row{"lseek", "l(i,l,i)", thin<19>},
    Row{"lseek64", "l(i,l,i)", thin<19>},
    Row{"access", "i(s,i)", thin<33>},
    Row{"faccessat", "i(i,s,i,i)", thin<345>},
    Row{"link", "i(s,s)", thin<9>},
    Row{"linkat", "i(i,s,i,s,i)", thin<341>},
    Row{"unlink", "i(s)", thin<10>},
    Row{"unlinkat", "i(i,s,i)", thin<339>},
    Row{"symlink", "i(s,s)", thin<83>},
    Row{"symlinkat", "i(s,i,s)", thin<342>},
    Row{"readlink", "l(s,p,L)", thin<85>},
    Row{"readlinkat", "l(i,s,p,L)", thin<343>},
    Row{"rename", "i(s,s)", thin<38>},
    Row{"renameat", "i(i,s,i,s)", thin<340>},
    Row{"mkdir", "i(s,u)", thin<39>},
    Row{"mkdirat", "i(i,s,u)", thin<336>},
    Row{"rmdir", "i(s)", thin<40>},
    Row{"chdir", "i(s)", thin<12>},
    Row{"fchdir", "i(i)", thin<133>},
    Row{"chroot", "i(s)", thin<61>},
    Row{"getcwd", "p(p,L)", getcwd_},
    Row{"dup", "i(i)", thin<41>},
    Row{"dup2", "i(i,i)", thin<63>},
    Row{"dup3", "i(i,i,i)", thin<358>},
    Row{"pipe", "i(p)", pipe_},
    Row{"pipe2", "i(p,i)", thin<251>},
    Row{"fcntl", "i(i,i,...)", thin<55>},
    Row{"fcntl64", "i(i,i,...)", thin<55>},
    Row{"ioctl", "i(i,L,...)", thin<54>},
    Row{"flock", "i(i,i)", thin<143>},
    Row{"fsync", "i(i)", thin<118>},
    Row{"fdatasync", "i(i)", thin<148>},
    Row{"sync", "v()", thin<36>},
    Row{"truncate", "i(s,l)", thin<92>},
    Row{"truncate64", "i(s,l)", thin<92>},
    Row{"ftruncate", "i(i,l)", thin<93>},
    Row{"ftruncate64", "i(i,l)", thin<93>},
    Row{"chmod", "i(s,u)", thin<15>},
    Row{"fchmod", "i(i,u)", thin<94>},
    Row{"fchmodat", "i(i,s,u,i)", thin<344>},
    Row{"chown", "i(s,u,u)", thin<182>},
    Row{"fchown", "i(i,u,u)", thin<95>},
    Row{"lchown", "i(s,u,u)", thin<16>},
    Row{"fchownat", "i(i,s,u,u,i)", thin<338>},
    Row{"umask", "u(u)", thin<60>},
    Row{"utime", "i(s,p)", thin<30>},
    Row{"utimes", "i(s,p)", thin<309>},
    Row{"utimensat", "i(i,s,p,i)", thin<333>},
    Row{"futimens", "i(i,p)", futimens_},
    Row{"pread", "l(i,p,L,l)", thin<180>},
    Row{"pread64", "l(i,p,L,l)", thin<180>},
    Row{"pwrite", "l(i,p,L,l)", thin<181>},
    Row{"pwrite64", "l(i,p,L,l)", thin<181>},
    Row{"readv", "l(i,p,i)", thin<145>},
    Row{"writev", "l(i,p,i)", thin<146>},
    Row{"sendfile", "l(i,i,p,L)", thin<187>},
    Row{"sendfile64", "l(i,i,p,L)", thin<187>},
    Row{"statfs", "i(s,p)", thin<99>},
    Row{"fstatfs", "i(i,p)", thin<100>},
    Row{"statfs64", "i(s,p)", thin<99>},
    Row{"fstatfs64", "i(i,p)", thin<100>},
    Row{"getppid", "i()", thin<64>},
    Row{"getuid", "u()", thin<24>},
    Row{"geteuid", "u()", thin<49>},
    Row{"getgid", "u()", thin<47>},
    Row{"getegid", "u()", thin<50>},
    Row{"setuid", "i(u)", thin<23>},
    Row{"setgid", "i(u)", thin<46>},
    Row{"setreuid", "i(u,u)", thin<70>},
    Row{"setregid", "i(u,u)", thin<71>},
    Row{"setresuid", "i(u,u,u)", thin<164>},
    Row{"setresgid", "i(u,u,u)", thin<170>},
    Row{"getresuid", "i(p,p,p)", thin<165>},
    Row{"getresgid", "i(p,p,p)", thin<171>},
    Row{"getgroups", "i(i,p)", thin<80>},
    Row{"setgroups", "i(L,p)", thin<81>},
    Row{"getpgid", "i(i)", thin<132>},
    Row{"setpgid", "i(i,i)", thin<57>},
    Row{"getpgrp", "i()", thin<65>},
    Row{"getsid", "i(i)", thin<147>},
    Row{"setsid", "i()", thin<66>},
    Row{"kill", "i(i,i)", thin<37>},
    Row{"killpg", "i(i,i)", killpg_},
    Row{"raise", "i(i)", raise_},
    Row{"alarm", "u(u)", thin<27>},
    Row{"pause", "i()", thin<29>},
    Row{"nice", "i(i)", nice_},
    Row{"getpriority", "i(i,u)", getpriority_},
    Row{"setpriority", "i(i,u,i)", thin<97>},
    Row{"wait", "i(p)", wait_},
    Row{"wait4", "i(i,p,i,p)", thin<114>},
    Row{"execve", "i(s,p,p)", thin<11>},
    Row{"getrusage", "i(i,p)", thin<77>},
    Row{"getrlimit", "i(i,p)", getrlimit_},
    Row{"getrlimit64", "i(i,p)", getrlimit_},
    Row{"setrlimit", "i(i,p)", setrlimit_},
    Row{"setrlimit64", "i(i,p)", setrlimit_},
    Row{"getdtablesize", "i()", getdtablesize_},
    Row{"sysinfo", "i(p)", thin<116>},
    Row{"times", "l(p)", thin<43>},
    Row{"gettimeofday", "i(p,p)", thin<78>},
    Row{"settimeofday", "i(p,p)", thin<79>},
    Row{"clock_getres", "i(i,p)", thin<268>},
    Row{"nanosleep", "i(p,p)", thin<162>},
    Row{"clock_nanosleep", "i(i,i,p,p)", clock_nanosleep_},
    Row{"sleep", "u(u)", sleep_},
    Row{"usleep", "i(u)", usleep_},
    Row{"setitimer", "i(i,p,p)", thin<104>},
    Row{"getitimer", "i(i,p)", thin<105>},
    Row{"select", "i(i,p,p,p,p)", thin<142>},
    Row{"poll", "i(p,L,i)", thin<168>},
    Row{"epoll_create", "i(i)", thin<302>},
    Row{"epoll_create1", "i(i)", thin<360>},
    Row{"epoll_ctl", "i(i,i,i,p)", thin<303>},
    Row{"epoll_wait", "i(i,p,i,i)", thin<304>},
    Row{"inotify_init", "i()", thin<291>},
    Row{"inotify_init1", "i(i)", thin<359>},
    Row{"inotify_add_watch", "i(i,s,u)", thin<292>},
    Row{"inotify_rm_watch", "i(i,i)", thin<293>},
    Row{"socket", "i(i,i,i)", thin<403>},
    Row{"socketpair", "i(i,i,i,p)", thin<414>},
    Row{"bind", "i(i,p,u)", thin<410>},
    Row{"connect", "i(i,p,u)", thin<404>},
    Row{"listen", "i(i,i)", thin<411>},
    Row{"accept", "i(i,p,p)", thin<405>},
    Row{"accept4", "i(i,p,p,i)", thin<286>},
    Row{"getsockname", "i(i,p,p)", thin<412>},
    Row{"getpeername", "i(i,p,p)", thin<413>},
    Row{"sendto", "l(i,p,L,i,p,u)", thin<406>},
    Row{"recvfrom", "l(i,p,L,i,p,p)", thin<407>},
    Row{"send", "l(i,p,L,i)", send_},
    Row{"recv", "l(i,p,L,i)", recv_},
    Row{"sendmsg", "l(i,p,i)", thin<408>},
    Row{"recvmsg", "l(i,p,i)", thin<409>},
    Row{"shutdown", "i(i,i)", thin<393>},
    Row{"setsockopt", "i(i,i,i,p,u)", thin<415>},
    Row{"getsockopt", "i(i,i,i,p,p)", thin<416>},
    Row{"mmap", "l(p,L,i,i,i,l)", thin<90>},
    Row{"mmap64", "l(p,L,i,i,i,l)", thin<90>},
    Row{"munmap", "i(p,L)", thin<91>},
    Row{"mprotect", "i(p,L,i)", thin<125>},
    Row{"msync", "i(p,L,i)", thin<144>},
    Row{"madvise", "i(p,L,i)", thin<219>},
    Row{"mlock", "i(p,L)", thin<150>},
    Row{"munlock", "i(p,L)", thin<151>},
    Row{"mlockall", "i(i)", thin<152>},
    Row{"munlockall", "i()", thin<153>},
    Row{"sbrk", "l(l)", sbrk_},
    Row{"gethostname", "i(p,L)", gethostname_},
    Row{"sched_yield", "i()", thin<158>},
    Row{"sched_getaffinity", "i(i,L,p)", sched_getaffinity_},
    Row{"sched_setaffinity", "i(i,L,p)", thin<249>},
    Row{"prctl", "i(i,...)", thin<172>},
    Row{"getrandom", "l(p,L,u)", thin<385>},
    Row{"shmctl", "i(i,i,p)", thin<279>},
    Row{"semget", "i(i,i,i)", thin<274>},
    Row{"semop", "i(i,p,L)", thin<277>},
    Row{"semctl", "i(i,i,i,...)", thin<275>},
    Row{"signal", "l(i,F)", signal_},
    Row{"bsd_signal", "l(i,F)", signal_},
    Row{"sigaction", "i(i,p,p)", sigaction_},
    Row{"sigprocmask", "i(i,p,p)", sigprocmask_},
    Row{"pthread_sigmask", "i(i,p,p)", pthread_sigmask_},
    Row{"sigpending", "i(p)", sigpending_},
    Row{"sigsuspend", "i(p)", sigsuspend_},
    Row{"sigtimedwait", "i(p,p,p)", sigtimedwait_},
    Row{"sigwaitinfo", "i(p,p)", sigwaitinfo_},
    Row{"sigwait", "i(p,p)", sigwait_},
    Row{"sigaltstack", "i(p,p)", thin<186>},
    Row{"sigemptyset", "i(p)", fill_set<0>},
    Row{"sigfillset", "i(p)", fill_set<0xff>},
    Row{"sigaddset", "i(p,i)", change_set<true>},
    Row{"sigdelset", "i(p,i)", change_set<false>},
    Row{"sigismember", "i(p,i)", sigismember_},
};

}  // namespace

std::span<const Row> system_rows() { return kRows; }

}  // namespace e2k::guest::libc
