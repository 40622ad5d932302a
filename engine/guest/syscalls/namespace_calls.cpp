// Roots and name spaces. They belong to the whole host process, so a guest cannot have its own; the
// parts that change nothing work.
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

/// The errors of a path come before the lack of the right to use it.
std::int64_t sys_chroot(Call& call) {
    auto at = host_path(call, kAtFdCwd, call.arg[0], Touch::Look);
    if (!at) return -at.error();
    const int fd = openat(at->dirfd(), at->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    const std::string self = "/proc/self/fd/" + std::to_string(fd);
    const int denied = access(self.c_str(), X_OK) == 0 ? 0 : errno;
    close(fd);
    return denied ? -denied : -EPERM;
}

constexpr std::uint64_t kTimeSpace = 0x80;  // CLONE_NEWTIME
constexpr std::uint64_t kSpaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                  CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | kTimeSpace;
constexpr std::uint64_t kShared = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM;
constexpr std::uint64_t kThreads = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;

std::int64_t sys_unshare(Call& call) {
    const std::uint64_t flags = call.arg[0];
    if (flags & ~(kSpaces | kShared | kThreads)) return -EINVAL;
    const bool alone = [&] {
        std::lock_guard lock(call.process.thread_mutex);
        return call.process.threads.size() <= 1;
    }();
    if ((flags & kThreads) && !alone) return -EINVAL;
    if (flags & kSpaces) return -EPERM;
    if (flags & CLONE_SYSVSEM) {
        const std::int64_t result = Call::host(SYS_unshare, CLONE_SYSVSEM);
        if (result < 0) return result;
    }
    // A thread has what it shares with no other; threads share their tables for good.
    return alone || !(flags & (CLONE_FS | CLONE_FILES)) ? 0 : -EPERM;
}

std::int64_t sys_setns(Call& call) {
    if (call.arg[1] & 0xffff'ffff & ~kSpaces) return -EINVAL;
    const int fd = call.fd(0);
    struct statfs fs {};
    if (fstatfs(fd, &fs) != 0) return -errno;
    return fs.f_type == NSFS_MAGIC ? -EPERM : -EINVAL;
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{61, "chroot", {Path}, sys_chroot},
    SyscallRow{364, "unshare", {CloneFlags}, sys_unshare},
    SyscallRow{379, "setns", {Fd, CloneFlags}, sys_setns},
};

}  // namespace

std::span<const SyscallRow> namespace_rows() { return kRows; }

}  // namespace e2k::guest
