// The kinds of rules a system call can have in the sandbox. For rules.cpp.
#pragma once

#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "engine/guest/syscalls/rules.h"

namespace e2k::guest::rule {

inline Sandbox& sandbox(const Call& call) { return *call.process.sandbox(); }

/// Reaches nothing but the guest's own memory, threads and clocks, descriptors it has already, and
/// what every process may know about the machine.
inline int harmless(const Call&) { return 0; }

/// Names files: host_path() and open_file() ask the sandbox about each of them.
inline int paths(const Call&) { return 0; }

/// Belongs to the machine, to other processes, or is no use to a program that may reach neither.
inline int refused(const Call&) { return EPERM; }

inline bool own_process(const Call& call, int pid) {
    return pid == 0 || may_touch_process(call.process, pid) ||
           (pid > 0 && call.process.find_thread(static_cast<std::uint32_t>(pid)));
}
/// Argument N names a process or thread: the guest's own ones only.
template <unsigned N>
int process(const Call& call) {
    return own_process(call, call.integer(N)) ? 0 : EPERM;
}
inline int two_processes(const Call& call) {
    return own_process(call, call.integer(0)) && own_process(call, call.integer(1)) ? 0 : EPERM;
}
/// kill: the handler itself goes through the members of a group.
inline int process_or_group(const Call& call) {
    return call.integer(0) <= 0 ? 0 : process<0>(call);
}
/// setpgid: the group must be one of the guest's.
inline int process_and_group(const Call& call) { return two_processes(call); }
/// Groups and users are more than the guest.
inline int priority_target(const Call& call) {
    return call.integer(0) == PRIO_PROCESS ? process<1>(call) : EPERM;
}
/// A real-time process can starve the machine.
inline int scheduling(const Call& call) {
    const int policy = call.integer(1);
    if (policy != SCHED_OTHER && policy != SCHED_BATCH && policy != SCHED_IDLE) return EPERM;
    return process<0>(call);
}
/// A clock of the machine or of the guest; the others name processes and descriptors.
inline int clock(const Call& call) {
    return call.integer(0) >= 0 || ((~call.integer(0) >> 3) == 0 && (call.integer(0) & 7) != 3)
               ? 0
               : EINVAL;
}

/// A new System V object: keys are known to every process of the machine.
inline int private_key(const Call& call) {
    return static_cast<std::int32_t>(call.arg[0]) == IPC_PRIVATE ? 0 : EACCES;
}
template <Sandbox::Object Kind>
int object(const Call& call) {
    return sandbox(call).owns_object(Kind, call.integer(0)) ? 0 : EACCES;
}

/// Sockets between the guest's own processes: pairs. Names lead to others.
inline int local_socket(const Call& call) { return call.integer(0) == AF_UNIX ? 0 : EACCES; }
inline int no_names(const Call&) { return EACCES; }
inline int unnamed_target(const Call& call) { return call.arg[4] == 0 ? 0 : EACCES; }

/// Descriptor N, and all that goes with its open file, may be changed.
inline int open_for_writing(int host) {
    const int flags = fcntl(host, F_GETFL);
    if (flags < 0) return EBADF;
    if (flags & O_PATH) return EBADF;
    return (flags & O_ACCMODE) == O_RDONLY ? EACCES : 0;
}
template <unsigned N>
int written_descriptor(const Call& call) {
    return open_for_writing(call.fd(N));
}
/// A lock holds others up: only on what the guest may write. Letting go is free.
inline int lock(const Call& call) {
    constexpr int kUnlock = 8;
    return call.integer(1) & kUnlock ? 0 : written_descriptor<0>(call);
}

inline int file_control(const Call& call) {
    switch (call.integer(1)) {
        case F_DUPFD:
        case F_DUPFD_CLOEXEC:
        case F_GETFD:
        case F_SETFD:
        case F_GETFL:
        case F_SETFL:
        case F_GETLK:
        case F_OFD_GETLK:
        case 12:  // F_GETLK of the 32-bit library
        case F_GETPIPE_SZ:
        case F_SETPIPE_SZ:
        case F_GET_SEALS:
        case F_GETLEASE:
        case F_GETOWN:
        case F_GETOWN_EX:
        case F_GETSIG:
            return 0;
        case F_SETLK:
        case F_SETLKW:
        case F_OFD_SETLK:
        case F_OFD_SETLKW:
        case 13:
        case 14:
        case F_ADD_SEALS:
            return written_descriptor<0>(call);
        case F_SETOWN: {
            const int owner = call.integer(2);
            return own_process(call, owner < 0 ? -owner : owner) ? 0 : EPERM;
        }
        default:
            return EPERM;  // leases and notifications hold up or watch others
    }
}

struct ControlRule {
    std::uint32_t request;
    bool changes;
};
constexpr std::uint32_t kTcgets2 = 0x802c542a, kTcsets2 = 0x402c542b, kTcsetsw2 = 0x402c542c,
                        kTcsetsf2 = 0x402c542d, kTiocgexcl = 0x80045440;
/// Requests that change a terminal which others use too, or that push input into it, are missing.
constexpr std::array kControls{
    ControlRule{TCGETS, false},
    ControlRule{kTcgets2, false},
    ControlRule{kTiocgexcl, false},
    ControlRule{TIOCGWINSZ, false},
    ControlRule{TIOCGPGRP, false},
    ControlRule{TIOCGSID, false},
    ControlRule{TIOCOUTQ, false},
    ControlRule{TIOCGPTN, false},
    ControlRule{FIONREAD, false},
    ControlRule{FIONBIO, false},
    ControlRule{FIOASYNC, false},
    ControlRule{FIOCLEX, false},
    ControlRule{FIONCLEX, false},
    ControlRule{FIGETBSZ, false},
    ControlRule{FS_IOC_GETFLAGS, false},
    ControlRule{FS_IOC_GETVERSION, false},
    ControlRule{FS_IOC_FSGETXATTR, false},
    ControlRule{BLKSSZGET, false},
    ControlRule{TCSETS, true},
    ControlRule{TCSETSW, true},
    ControlRule{TCSETSF, true},
    ControlRule{kTcsets2, true},
    ControlRule{kTcsetsw2, true},
    ControlRule{kTcsetsf2, true},
    ControlRule{TCSBRK, true},
    ControlRule{TCXONC, true},
    ControlRule{TCFLSH, true},
};
inline int device_control(const Call& call) {
    const auto request = static_cast<std::uint32_t>(call.arg[1]);
    const auto rule = std::ranges::find(kControls, request, &ControlRule::request);
    if (call.fd(0) < 0) return EBADF;
    if (rule == kControls.end()) return ENOTTY;
    return rule->changes ? written_descriptor<0>(call) : 0;
}

/// What concerns the guest's process alone.
constexpr std::array<int, 25> kProcessControls{PR_SET_KEEPCAPS,
                                               PR_GET_TIMING,
                                               PR_SET_TIMING,
                                               PR_SET_THP_DISABLE,
                                               PR_GET_SPECULATION_CTRL,
                                               PR_MCE_KILL_GET,
                                               PR_SET_PDEATHSIG,
                                               PR_GET_PDEATHSIG,
                                               PR_GET_DUMPABLE,
                                               PR_SET_DUMPABLE,
                                               PR_GET_KEEPCAPS,
                                               PR_SET_NAME,
                                               PR_GET_NAME,
                                               PR_GET_SECCOMP,
                                               PR_CAPBSET_READ,
                                               PR_GET_SECUREBITS,
                                               PR_SET_TIMERSLACK,
                                               PR_GET_TIMERSLACK,
                                               PR_SET_CHILD_SUBREAPER,
                                               PR_GET_CHILD_SUBREAPER,
                                               PR_SET_NO_NEW_PRIVS,
                                               PR_GET_NO_NEW_PRIVS,
                                               PR_GET_TID_ADDRESS,
                                               PR_GET_THP_DISABLE,
                                               PR_SET_VMA};
inline int process_control(const Call& call) {
    return std::ranges::find(kProcessControls, call.integer(0)) != kProcessControls.end() ? 0
                                                                                          : EINVAL;
}

/// mknod, mknodat: files, pipes and sockets; no devices.
template <unsigned N>
int node(const Call& call) {
    const auto kind = call.arg[N] & S_IFMT;
    return kind == 0 || kind == S_IFREG || kind == S_IFIFO || kind == S_IFSOCK ? 0 : EPERM;
}
/// No program of the guest runs with the rights of whoever started the workbench.
template <unsigned N>
int mode(const Call& call) {
    return call.arg[N] & (S_ISUID | S_ISGID) ? EPERM : 0;
}
/// renameat2 leaves a device node behind when asked for a whiteout.
inline int rename_flags(const Call& call) {
    constexpr std::uint64_t kNoReplace = 1, kExchange = 2;
    return call.arg[4] & ~(kNoReplace | kExchange) ? EPERM : 0;
}

}  // namespace e2k::guest::rule
