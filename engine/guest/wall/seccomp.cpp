// The filter of system calls: what the engine itself needs on the threads that execute the guest,
// and why. Everything else is answered with EPERM, whatever the first wall has let through.
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "engine/guest/syscalls/rules.h"
#include "engine/guest/wall.h"

namespace e2k::guest {
namespace {

constexpr int kFchmodat2 = 452;

/// Calls that are let through whatever their arguments are.
struct Needed {
    const char* reason;
    bool writing;  ///< only where there are writable directories
    std::vector<int> calls;
};

const std::vector<Needed>& needed() {
    static const std::vector<Needed> list{
        {"memory of the guest, of translated code and of the heap; what it is called changes "
         "nothing outside",
         false,
         {SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk, SYS_msync,
          SYS_mincore, SYS_mlock, SYS_mlock2, SYS_munlock, SYS_mlockall, SYS_munlockall,
          SYS_memfd_create, SYS_membarrier, SYS_mbind, SYS_get_mempolicy, SYS_set_mempolicy,
          SYS_set_mempolicy_home_node}},
        {"descriptors the guest has; opening them was judged, by Landlock too",
         false,
         {SYS_read,      SYS_write,           SYS_readv,       SYS_writev,    SYS_pread64,
          SYS_pwrite64,  SYS_preadv,          SYS_pwritev,     SYS_preadv2,   SYS_pwritev2,
          SYS_lseek,     SYS_close,           SYS_close_range, SYS_dup,       SYS_dup2,
          SYS_dup3,      SYS_fstat,           SYS_fstatfs,     SYS_getdents,  SYS_getdents64,
          SYS_ftruncate, SYS_fallocate,       SYS_fsync,       SYS_fdatasync, SYS_sync,
          SYS_syncfs,    SYS_sync_file_range, SYS_fadvise64,   SYS_readahead, SYS_flock,
          SYS_sendfile,  SYS_splice,          SYS_tee,         SYS_vmsplice,  SYS_copy_file_range,
          SYS_pipe,      SYS_pipe2,           SYS_fgetxattr,   SYS_flistxattr}},
        {"looking at files: free in the sandbox; opening for writing is Landlock's",
         false,
         {SYS_open,
          SYS_openat,
          SYS_openat2,
          SYS_access,
          SYS_faccessat,
          SYS_faccessat2,
          SYS_readlink,
          SYS_readlinkat,
          SYS_stat,
          SYS_lstat,
          SYS_newfstatat,
          SYS_statx,
          SYS_statfs,
          SYS_chdir,
          SYS_fchdir,
          SYS_getcwd,
          SYS_getxattr,
          SYS_lgetxattr,
          SYS_listxattr,
          SYS_llistxattr,
          SYS_inotify_init,
          SYS_inotify_init1,
          SYS_inotify_add_watch,
          SYS_inotify_rm_watch}},
        {"names below the writable directories, held there by Landlock",
         true,
         {SYS_mkdir, SYS_mkdirat, SYS_rmdir, SYS_unlink, SYS_unlinkat, SYS_rename, SYS_renameat,
          SYS_link, SYS_linkat, SYS_symlink, SYS_symlinkat, SYS_truncate}},
        {"owners, times and attributes of what the guest has written; Landlock knows no right for "
         "them: where they apply is the first wall's alone",
         true,
         {SYS_chown, SYS_lchown, SYS_fchown, SYS_fchownat, SYS_utime, SYS_utimes, SYS_utimensat,
          SYS_futimesat, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr,
          SYS_lremovexattr, SYS_fremovexattr}},
        {"waiting for descriptors, and descriptors that are events",
         false,
         {SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6, SYS_epoll_create, SYS_epoll_create1,
          SYS_epoll_ctl, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_eventfd,
          SYS_eventfd2, SYS_signalfd4, SYS_timerfd_create, SYS_timerfd_settime,
          SYS_timerfd_gettime}},
        {"pairs of sockets, and sockets the guest was started with; none of these calls names "
         "another one",
         false,
         {SYS_accept, SYS_accept4, SYS_listen, SYS_shutdown, SYS_recvfrom, SYS_recvmsg,
          SYS_recvmmsg, SYS_getsockname, SYS_getpeername, SYS_getsockopt}},
        {"clocks, sleeps and timers of this process",
         false,
         {SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday,
          SYS_time, SYS_times, SYS_timer_create, SYS_timer_settime, SYS_timer_gettime,
          SYS_timer_getoverrun, SYS_timer_delete, SYS_setitimer, SYS_getitimer, SYS_alarm}},
        {"signals: handlers and masks of the engine; sending them is held to the guest's own "
         "processes by Landlock",
         false,
         {SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigpending,
          SYS_rt_sigtimedwait, SYS_rt_sigsuspend, SYS_sigaltstack, SYS_restart_syscall, SYS_pause,
          SYS_kill, SYS_tgkill, SYS_tkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
          SYS_pidfd_send_signal, SYS_pidfd_open}},
        {"threads and children, for the guest's and for the translator's",
         false,
         {SYS_fork,
          SYS_vfork,
          SYS_exit,
          SYS_exit_group,
          SYS_wait4,
          SYS_waitid,
          SYS_futex,
          SYS_futex_waitv,
          SYS_set_robust_list,
          SYS_get_robust_list,
          SYS_rseq,
          SYS_set_tid_address,
          SYS_arch_prctl,
          SYS_sched_yield,
          SYS_getcpu,
          SYS_sched_getaffinity,
          SYS_sched_getscheduler,
          SYS_sched_getparam,
          SYS_sched_getattr,
          SYS_sched_get_priority_max,
          SYS_sched_get_priority_min,
          SYS_sched_rr_get_interval,
          SYS_getpriority,
          SYS_ioprio_get,
          SYS_ustat}},
        {"who and where this process is, and what it may use",
         false,
         {SYS_getpid,      SYS_gettid,    SYS_getppid,   SYS_getpgid,  SYS_getpgrp,   SYS_getsid,
          SYS_setpgid,     SYS_setsid,    SYS_getuid,    SYS_geteuid,  SYS_getgid,    SYS_getegid,
          SYS_getresuid,   SYS_getresgid, SYS_setuid,    SYS_setgid,   SYS_setreuid,  SYS_setregid,
          SYS_setresuid,   SYS_setresgid, SYS_setfsuid,  SYS_setfsgid, SYS_getgroups, SYS_capget,
          SYS_getrlimit,   SYS_setrlimit, SYS_getrusage, SYS_sysinfo,  SYS_uname,     SYS_umask,
          SYS_personality, SYS_getrandom, SYS_kcmp}},
        {"System V objects the guest has made; the numbers are the first wall's",
         false,
         {SYS_shmat, SYS_shmdt, SYS_shmctl, SYS_semop, SYS_semtimedop, SYS_semctl, SYS_msgsnd,
          SYS_msgrcv, SYS_msgctl}},
    };
    return list;
}

/// A call that is let through with certain arguments only. Several rows of a call: any of them.
struct Narrowed {
    const char* reason;
    bool writing;
    int call;
    std::vector<scmp_arg_cmp> arguments;
};

constexpr std::uint64_t kLow32 = 0xffff'ffff;
scmp_arg_cmp is(unsigned argument, std::uint64_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, kLow32, value & kLow32};
}
scmp_arg_cmp bits(unsigned argument, std::uint64_t mask, std::uint64_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

std::vector<Narrowed> narrowed() {
    constexpr std::uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                          CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                          CLONE_NEWNET;
    constexpr std::uint64_t kRights = S_ISUID | S_ISGID;
    constexpr std::uint64_t kWhiteout = 4;
    std::vector<Narrowed> list{
        {"threads and children, in no namespace of their own",
         false,
         SYS_clone,
         {bits(0, kNamespaces, 0)}},
        {"local sockets only", false, SYS_socket, {is(0, AF_UNIX)}},
        {"local sockets only", false, SYS_socketpair, {is(0, AF_UNIX)}},
        {"to the other end, not to a name (sendmsg would hide one)",
         false,
         SYS_sendto,
         {{4, SCMP_CMP_EQ, 0, 0}}},
        {"options without addresses; others concern the network",
         false,
         SYS_setsockopt,
         {is(1, SOL_SOCKET)}},
        {"objects that nobody else finds by a key", false, SYS_shmget, {is(0, IPC_PRIVATE)}},
        {"objects that nobody else finds by a key", false, SYS_semget, {is(0, IPC_PRIVATE)}},
        {"objects that nobody else finds by a key", false, SYS_msgget, {is(0, IPC_PRIVATE)}},
        {"limits of this process", false, SYS_prlimit64, {is(0, 0)}},
        {"priority of this process", false, SYS_setpriority, {is(0, PRIO_PROCESS), is(1, 0)}},
        {"input and output of this process", false, SYS_ioprio_set, {is(0, 1), is(1, 0)}},
        {"processors of this process", false, SYS_sched_setaffinity, {is(0, 0)}},
        {"no real-time process", false, SYS_sched_setscheduler, {is(0, 0), is(1, SCHED_OTHER)}},
        {"no real-time process", false, SYS_sched_setscheduler, {is(0, 0), is(1, SCHED_BATCH)}},
        {"no real-time process", false, SYS_sched_setscheduler, {is(0, 0), is(1, SCHED_IDLE)}},
        {"no real-time process", false, SYS_sched_setparam, {is(0, 0)}},
        {"no setuid or setgid files", true, SYS_chmod, {bits(1, kRights, 0)}},
        {"no setuid or setgid files", true, SYS_fchmod, {bits(1, kRights, 0)}},
        {"no setuid or setgid files", true, SYS_fchmodat, {bits(2, kRights, 0)}},
        {"no setuid or setgid files", true, kFchmodat2, {bits(2, kRights, 0)}},
        {"no device left behind", true, SYS_renameat2, {bits(4, kWhiteout, 0)}},
    };
    for (const std::uint64_t kind : {std::uint64_t{0}, std::uint64_t{S_IFREG},
                                     std::uint64_t{S_IFIFO}, std::uint64_t{S_IFSOCK}}) {
        list.push_back({"no devices", true, SYS_mknod, {bits(1, S_IFMT | kRights, kind)}});
        list.push_back({"no devices", true, SYS_mknodat, {bits(2, S_IFMT | kRights, kind)}});
    }
    for (const std::uint32_t request : sandbox_controls())
        list.push_back({"the requests of the first wall", false, SYS_ioctl, {is(1, request)}});
    for (const int option : sandbox_process_controls())
        list.push_back({"what concerns this process alone",
                        false,
                        SYS_prctl,
                        {is(0, static_cast<std::uint32_t>(option))}});
    for (const int command :
         {F_DUPFD,      F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,     F_GETFL,     F_SETFL,
          F_GETLK,      F_SETLK,         F_SETLKW,    F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
          F_GETPIPE_SZ, F_SETPIPE_SZ,    F_ADD_SEALS, F_GET_SEALS, F_GETLEASE,  F_SETOWN,
          F_GETOWN,     F_GETOWN_EX,     F_GETSIG})
        list.push_back({"no leases and notifications",
                        false,
                        SYS_fcntl,
                        {is(1, static_cast<std::uint32_t>(command))}});
    return list;
}

int add_rules(scmp_filter_ctx filter, bool writing) {
    for (const Needed& group : needed()) {
        if (group.writing && !writing) continue;
        for (const int call : group.calls)
            if (const int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0); r != 0) return r;
    }
    for (const Narrowed& row : narrowed()) {
        if (row.writing && !writing) continue;
        const int r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, row.call,
                                             static_cast<unsigned>(row.arguments.size()),
                                             row.arguments.data());
        if (r != 0 && r != -EEXIST) return r;
    }
    // Its arguments lie in memory: the C library then uses clone, which shows them.
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SYS_clone3, 0);
}

}  // namespace

tl::expected<bool, std::string> raise_filter(const Sandbox& sandbox) {
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) return false;  // the kernel has none
    const std::unique_ptr<void, decltype(&seccomp_release)> filter(
        seccomp_init(SCMP_ACT_ERRNO(EPERM)), seccomp_release);
    if (!filter) return tl::unexpected<std::string>("no memory");
    constexpr unsigned kTree = 2;  // searched by number, not from the first to the last
    seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, kTree);
    int r = add_rules(filter.get(), !sandbox.writable().empty());
    if (r == 0) r = seccomp_load(filter.get());
    if (r == -EINVAL || r == -EOPNOTSUPP || r == -ENOSYS) return false;
    if (r != 0) return tl::unexpected<std::string>(std::strerror(-r));
    return true;
}

}  // namespace e2k::guest
