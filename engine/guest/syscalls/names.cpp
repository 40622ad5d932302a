#include "engine/guest/syscalls/names.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <ctime>

#include <fmt/format.h>

namespace e2k::guest {
namespace {

#define E2K_NAMED(constant) \
    Named { static_cast<std::uint64_t>(constant), #constant }

constexpr Named kOpenAccess[] = {E2K_NAMED(O_RDONLY), E2K_NAMED(O_WRONLY), E2K_NAMED(O_RDWR)};
constexpr Named kOpenFlags[] = {
    E2K_NAMED(O_CREAT),    E2K_NAMED(O_EXCL),        E2K_NAMED(O_NOCTTY),  E2K_NAMED(O_TRUNC),
    E2K_NAMED(O_APPEND),   E2K_NAMED(O_NONBLOCK),    E2K_NAMED(O_SYNC),    E2K_NAMED(O_DSYNC),
    E2K_NAMED(O_DIRECT),   {0100000, "O_LARGEFILE"}, E2K_NAMED(O_TMPFILE), E2K_NAMED(O_DIRECTORY),
    E2K_NAMED(O_NOFOLLOW), E2K_NAMED(O_NOATIME),     E2K_NAMED(O_CLOEXEC), E2K_NAMED(O_PATH),
};
constexpr Named kAtFlags[] = {E2K_NAMED(AT_SYMLINK_NOFOLLOW), E2K_NAMED(AT_REMOVEDIR),
                              E2K_NAMED(AT_SYMLINK_FOLLOW), E2K_NAMED(AT_NO_AUTOMOUNT),
                              E2K_NAMED(AT_EMPTY_PATH)};
constexpr Named kAccess[] = {E2K_NAMED(R_OK), E2K_NAMED(W_OK), E2K_NAMED(X_OK)};
constexpr Named kWhence[] = {E2K_NAMED(SEEK_SET), E2K_NAMED(SEEK_CUR), E2K_NAMED(SEEK_END),
                             E2K_NAMED(SEEK_DATA), E2K_NAMED(SEEK_HOLE)};
constexpr Named kProt[] = {E2K_NAMED(PROT_READ), E2K_NAMED(PROT_WRITE), E2K_NAMED(PROT_EXEC)};
// E2K's own values (structs.md §1).
constexpr Named kMapType[] = {{1, "MAP_SHARED"}, {2, "MAP_PRIVATE"}, {3, "MAP_SHARED_VALIDATE"}};
constexpr Named kMapFlags[] = {
    {0x10, "MAP_ANONYMOUS"},   {0x100, "MAP_FIXED"},
    {0x800, "MAP_DENYWRITE"},  {0x1000, "MAP_GROWSDOWN"},
    {0x2000, "MAP_GROWSUP"},   {0x4000, "MAP_EXECUTABLE"},
    {0x8000, "MAP_LOCKED"},    {0x10000, "MAP_NORESERVE"},
    {0x20000, "MAP_POPULATE"}, {0x40000, "MAP_NONBLOCK"},
    {0x80000, "MAP_FIRST32"},  {0x100000, "MAP_WRITECOMBINED"},
    {0x200000, "MAP_HUGETLB"}, {0x400000, "MAP_FIXED_NOREPLACE"},
};
constexpr Named kRemap[] = {E2K_NAMED(MREMAP_MAYMOVE), E2K_NAMED(MREMAP_FIXED)};
constexpr Named kAdvice[] = {E2K_NAMED(MADV_NORMAL),     E2K_NAMED(MADV_RANDOM),
                             E2K_NAMED(MADV_SEQUENTIAL), E2K_NAMED(MADV_WILLNEED),
                             E2K_NAMED(MADV_DONTNEED),   E2K_NAMED(MADV_FREE),
                             E2K_NAMED(MADV_REMOVE),     E2K_NAMED(MADV_DONTFORK),
                             E2K_NAMED(MADV_HUGEPAGE),   E2K_NAMED(MADV_NOHUGEPAGE)};
constexpr Named kClone[] = {
    E2K_NAMED(CLONE_VM),
    E2K_NAMED(CLONE_FS),
    E2K_NAMED(CLONE_FILES),
    E2K_NAMED(CLONE_SIGHAND),
    E2K_NAMED(CLONE_VFORK),
    E2K_NAMED(CLONE_PARENT),
    E2K_NAMED(CLONE_THREAD),
    E2K_NAMED(CLONE_SYSVSEM),
    E2K_NAMED(CLONE_SETTLS),
    E2K_NAMED(CLONE_PARENT_SETTID),
    E2K_NAMED(CLONE_CHILD_CLEARTID),
    E2K_NAMED(CLONE_CHILD_SETTID),
    E2K_NAMED(CLONE_DETACHED),
};
constexpr Named kCloneSignal[] = {E2K_NAMED(SIGCHLD)};
constexpr Named kFcntl[] = {
    E2K_NAMED(F_DUPFD),  E2K_NAMED(F_GETFD),      E2K_NAMED(F_SETFD),
    E2K_NAMED(F_GETFL),  E2K_NAMED(F_SETFL),      E2K_NAMED(F_GETLK),
    E2K_NAMED(F_SETLK),  E2K_NAMED(F_SETLKW),     E2K_NAMED(F_DUPFD_CLOEXEC),
    E2K_NAMED(F_GETOWN), E2K_NAMED(F_GETPIPE_SZ), E2K_NAMED(F_SETPIPE_SZ),
    {12, "F_GETLK64"},   {13, "F_SETLK64"},       {14, "F_SETLKW64"},
};
constexpr Named kIoctl[] = {
    E2K_NAMED(TCGETS),     E2K_NAMED(TCSETS),     E2K_NAMED(TCSETSW),   E2K_NAMED(TCSETSF),
    E2K_NAMED(TIOCGWINSZ), E2K_NAMED(TIOCSWINSZ), E2K_NAMED(TIOCGPGRP), E2K_NAMED(TIOCSPGRP),
    E2K_NAMED(FIONREAD),   E2K_NAMED(FIONBIO),    E2K_NAMED(FIOASYNC),  E2K_NAMED(FIOCLEX),
};
constexpr Named kFutexOp[] = {
    E2K_NAMED(FUTEX_WAIT),        E2K_NAMED(FUTEX_WAKE),    E2K_NAMED(FUTEX_REQUEUE),
    E2K_NAMED(FUTEX_CMP_REQUEUE), E2K_NAMED(FUTEX_WAKE_OP), E2K_NAMED(FUTEX_WAIT_BITSET),
    E2K_NAMED(FUTEX_WAKE_BITSET), E2K_NAMED(FUTEX_LOCK_PI), E2K_NAMED(FUTEX_UNLOCK_PI),
};
constexpr Named kFutexFlags[] = {E2K_NAMED(FUTEX_PRIVATE_FLAG), E2K_NAMED(FUTEX_CLOCK_REALTIME)};
constexpr Named kMaskHow[] = {E2K_NAMED(SIG_BLOCK), E2K_NAMED(SIG_UNBLOCK), E2K_NAMED(SIG_SETMASK)};
constexpr Named kClocks[] = {
    E2K_NAMED(CLOCK_REALTIME),           E2K_NAMED(CLOCK_MONOTONIC),
    E2K_NAMED(CLOCK_PROCESS_CPUTIME_ID), E2K_NAMED(CLOCK_THREAD_CPUTIME_ID),
    E2K_NAMED(CLOCK_MONOTONIC_RAW),      E2K_NAMED(CLOCK_REALTIME_COARSE),
    E2K_NAMED(CLOCK_MONOTONIC_COARSE),   E2K_NAMED(CLOCK_BOOTTIME),
};
constexpr Named kItimers[] = {{0, "ITIMER_REAL"}, {1, "ITIMER_VIRTUAL"}, {2, "ITIMER_PROF"}};
constexpr Named kWait[] = {E2K_NAMED(WNOHANG), E2K_NAMED(WUNTRACED), E2K_NAMED(WEXITED),
                           E2K_NAMED(WCONTINUED), E2K_NAMED(WNOWAIT)};
constexpr Named kResources[] = {
    {RLIMIT_CPU, "RLIMIT_CPU"},   {RLIMIT_FSIZE, "RLIMIT_FSIZE"},
    {RLIMIT_DATA, "RLIMIT_DATA"}, {RLIMIT_STACK, "RLIMIT_STACK"},
    {RLIMIT_CORE, "RLIMIT_CORE"}, {RLIMIT_NOFILE, "RLIMIT_NOFILE"},
    {RLIMIT_AS, "RLIMIT_AS"},     {RLIMIT_NPROC, "RLIMIT_NPROC"},
    {10001, "RLIMIT_P_STACK"},    {10002, "RLIMIT_PC_STACK"},
};
constexpr Named kDomains[] = {E2K_NAMED(AF_UNSPEC), E2K_NAMED(AF_UNIX),    E2K_NAMED(AF_INET),
                              E2K_NAMED(AF_INET6),  E2K_NAMED(AF_NETLINK), E2K_NAMED(AF_PACKET)};
constexpr Named kSocketTypes[] = {{SOCK_STREAM, "SOCK_STREAM"},
                                  {SOCK_DGRAM, "SOCK_DGRAM"},
                                  {SOCK_RAW, "SOCK_RAW"},
                                  {SOCK_SEQPACKET, "SOCK_SEQPACKET"}};
constexpr Named kSocketFlags[] = {{SOCK_NONBLOCK, "SOCK_NONBLOCK"}, {SOCK_CLOEXEC, "SOCK_CLOEXEC"}};
constexpr Named kEpollOps[] = {E2K_NAMED(EPOLL_CTL_ADD), E2K_NAMED(EPOLL_CTL_DEL),
                               E2K_NAMED(EPOLL_CTL_MOD)};
#undef E2K_NAMED

constexpr std::uint64_t kAll = ~0ull;
struct KindNames {
    Arg kind;
    NameSet set;
};
constexpr KindNames kKinds[] = {
    {Arg::OpenFlags, {O_ACCMODE, kOpenAccess, kOpenFlags}},
    {Arg::AtFlags, {0, {}, kAtFlags}},
    {Arg::AccessMode, {0, {}, kAccess, "F_OK"}},
    {Arg::Whence, {kAll, kWhence, {}}},
    {Arg::Prot, {0, {}, kProt, "PROT_NONE"}},
    {Arg::MapFlags, {3, kMapType, kMapFlags}},
    {Arg::RemapFlags, {0, {}, kRemap}},
    {Arg::Advice, {kAll, kAdvice, {}}},
    {Arg::CloneFlags, {0xff, kCloneSignal, kClone}},
    {Arg::FcntlCommand, {kAll, kFcntl, {}}},
    {Arg::IoctlRequest, {kAll, kIoctl, {}}},
    {Arg::FutexOp, {0x7f, kFutexOp, kFutexFlags}},
    {Arg::MaskHow, {kAll, kMaskHow, {}}},
    {Arg::Clock, {kAll, kClocks, {}}},
    {Arg::ItimerWhich, {kAll, kItimers, {}}},
    {Arg::WaitOptions, {0, {}, kWait}},
    {Arg::Resource, {kAll, kResources, {}}},
    {Arg::SocketDomain, {kAll, kDomains, {}}},
    {Arg::SocketType, {0xf, kSocketTypes, kSocketFlags}},
    {Arg::EpollOp, {kAll, kEpollOps, {}}},
};

}  // namespace

const NameSet* names_of(Arg kind) {
    const auto* it = std::ranges::find(kKinds, kind, &KindNames::kind);
    return it == std::end(kKinds) ? nullptr : &it->set;
}

std::string name_flags(const NameSet& set, std::uint64_t value) {
    std::string text;
    auto add = [&](const std::string& word) {
        text += fmt::format("{}{}", text.empty() ? "" : "|", word);
    };
    value &= 0xffff'ffff;
    if (set.value_mask) {
        const std::uint64_t selected = value & set.value_mask;
        const auto it = std::ranges::find(set.values, selected, &Named::value);
        if (it != set.values.end()) {
            add(it->name);
        } else if (selected) {
            add(set.value_mask == kAll ? fmt::format("{}", static_cast<std::int32_t>(selected))
                                       : fmt::format("0x{:x}", selected));
        }
        value &= ~set.value_mask;
    }
    for (const Named& flag : set.flags) {
        if (flag.value == 0 || (value & flag.value) != flag.value) continue;
        add(flag.name);
        value &= ~flag.value;
    }
    if (value) add(fmt::format("0x{:x}", value));
    return text.empty() ? set.zero : text;
}

std::string errno_name(int error) {
    const char* name = strerrorname_np(error);
    return name ? name : fmt::format("errno {}", error);
}

}  // namespace e2k::guest
