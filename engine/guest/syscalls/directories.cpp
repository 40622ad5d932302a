// Names in the file system: stat, links, directories, attributes of files.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include <climits>
#include <cstring>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kNoDirectory = ~0ull;  ///< beside an absolute path

/// Runs `host(dirfd, path)` on the resolved path.
template <class F>
std::int64_t with_path(Call& call, int dirfd, std::uint64_t path, Touch touch, bool follow,
                       F&& host) {
    auto at = host_path(call, dirfd, path, touch, follow);
    if (!at) return -at.error();
    return host(static_cast<std::uint64_t>(at->dirfd()), at->pointer(), *at);
}

/// Two paths of one operation. `follow`: the first one is meant to be followed.
template <class F>
std::int64_t with_paths(Call& call, int dir_a, std::uint64_t a, int dir_b, std::uint64_t b,
                        F&& host, bool follow = false) {
    auto from = host_path(call, dir_a, a, Touch::Change, follow);
    if (!from) return -from.error();
    auto to = host_path(call, dir_b, b, Touch::Change, false);
    if (!to) return -to.error();
    return host(static_cast<std::uint64_t>(from->dirfd()), from->pointer(),
                static_cast<std::uint64_t>(to->dirfd()), to->pointer());
}

// --- stat ---

tl::expected<struct stat, std::int64_t> stat_path(Call& call, int dirfd, std::uint64_t path,
                                                  std::uint64_t flags) {
    struct stat st {};
    const bool follow = !(flags & AT_SYMLINK_NOFOLLOW);
    auto at = host_path(call, dirfd, path, Touch::Look, follow);
    if (!at) return tl::unexpected<std::int64_t>(-at.error());
    int directory = at->dirfd();
    if (at->text().empty()) {
        if (!(flags & AT_EMPTY_PATH)) return tl::unexpected<std::int64_t>(-ENOENT);
        directory = dirfd == kAtFdCwd ? call.process.cwd : call.process.fds.host(dirfd);
    }
    if (fstatat(directory, at->c_str(), &st, static_cast<int>(flags)) != 0)
        return tl::unexpected<std::int64_t>(-errno);
    return st;
}

tl::expected<struct stat, std::int64_t> stat_fd(Call& call) {
    struct stat st {};
    if (fstat(call.fd(0), &st) != 0) return tl::unexpected<std::int64_t>(-errno);
    return st;
}

template <class Layout>
std::int64_t store_stat(Call& call, std::uint64_t to,
                        const tl::expected<struct stat, std::int64_t>& st) {
    return st ? call.put_result(to, Layout(*st)) : st.error();
}

std::int64_t sys_stat(Call& call) {
    return store_stat<StatE2k>(call, call.arg[1], stat_path(call, kAtFdCwd, call.arg[0], 0));
}
std::int64_t sys_lstat(Call& call) {
    return store_stat<StatE2k>(call, call.arg[1],
                               stat_path(call, kAtFdCwd, call.arg[0], AT_SYMLINK_NOFOLLOW));
}
std::int64_t sys_fstat(Call& call) { return store_stat<StatE2k>(call, call.arg[1], stat_fd(call)); }
std::int64_t sys_newfstatat(Call& call) {
    return store_stat<StatE2k>(call, call.arg[2],
                               stat_path(call, call.integer(0), call.arg[1], call.arg[3]));
}
std::int64_t sys_stat64(Call& call) {
    return store_stat<Stat64E2k>(call, call.arg[1], stat_path(call, kAtFdCwd, call.arg[0], 0));
}
std::int64_t sys_lstat64(Call& call) {
    return store_stat<Stat64E2k>(call, call.arg[1],
                                 stat_path(call, kAtFdCwd, call.arg[0], AT_SYMLINK_NOFOLLOW));
}
std::int64_t sys_fstat64(Call& call) {
    return store_stat<Stat64E2k>(call, call.arg[1], stat_fd(call));
}
std::int64_t sys_fstatat64(Call& call) {
    return store_stat<Stat64E2k>(call, call.arg[2],
                                 stat_path(call, call.integer(0), call.arg[1], call.arg[3]));
}

std::int64_t sys_statx(Call& call) {
    struct statx st {};
    auto at = host_path(call, call.integer(0), call.arg[1], Touch::Look,
                        !(call.arg[2] & AT_SYMLINK_NOFOLLOW));
    if (!at) return -at.error();
    int directory = at->dirfd();
    if (at->text().empty() && (call.arg[2] & AT_EMPTY_PATH))
        directory = call.integer(0) == kAtFdCwd ? call.process.cwd : call.fd(0);
    if (statx(directory, at->c_str(), call.integer(2), static_cast<unsigned>(call.arg[3]), &st))
        return -errno;
    return call.put_result(call.arg[4], st);
}

std::int64_t sys_statfs(Call& call) {
    const bool sized = call.number == 306;
    if (sized && call.arg[1] != sizeof(struct statfs)) return -EINVAL;
    auto at = host_path(call, kAtFdCwd, call.arg[0], Touch::Look);
    if (!at) return -at.error();
    const int fd = openat(at->dirfd(), at->c_str(), O_PATH | O_CLOEXEC);
    if (fd < 0) return -errno;
    struct statfs fs {};
    const int error = fstatfs(fd, &fs) == 0 ? 0 : errno;
    close(fd);
    return error ? -error : call.put_result(call.arg[sized ? 2 : 1], fs);
}
std::int64_t sys_fstatfs(Call& call) {
    const bool sized = call.number == 307;
    if (sized && call.arg[1] != sizeof(struct statfs)) return -EINVAL;
    struct statfs fs {};
    if (fstatfs(call.fd(0), &fs) != 0) return -errno;
    return call.put_result(call.arg[sized ? 2 : 1], fs);
}

// --- names ---

std::int64_t access_at(Call& call, int dirfd, std::uint64_t path, std::uint64_t mode, long flags) {
    return with_path(call, dirfd, path, Touch::Look, !(flags & AT_SYMLINK_NOFOLLOW),
                     [&](std::uint64_t dir, std::uint64_t name, const HostPath&) {
                         return Call::host(SYS_faccessat2, dir, name, mode,
                                           static_cast<std::uint64_t>(flags));
                     });
}
std::int64_t sys_access(Call& call) {
    return access_at(call, kAtFdCwd, call.arg[0], call.arg[1], 0);
}
std::int64_t sys_faccessat(Call& call) {
    return access_at(call, call.integer(0), call.arg[1], call.arg[2], 0);
}
std::int64_t sys_faccessat2(Call& call) {
    return access_at(call, call.integer(0), call.arg[1], call.arg[2], call.integer(3));
}

std::int64_t read_link(Call& call, int dirfd, std::uint64_t path, std::uint64_t to,
                       std::uint64_t size) {
    if (static_cast<std::int32_t>(size) <= 0) return -EINVAL;
    auto at = host_path(call, dirfd, path, Touch::Look, false);
    if (!at) return -at.error();
    std::array<char, PATH_MAX> text;
    std::int64_t n = 0;
    if (own_proc_entry(call.process, plain_path(at->text())) == "exe") {
        n = static_cast<std::int64_t>(std::min(call.process.executable.size(), text.size()));
        std::memcpy(text.data(), call.process.executable.data(), static_cast<std::size_t>(n));
    } else {
        n = readlinkat(at->dirfd(), at->c_str(), text.data(), text.size());
        if (n < 0) return -errno;
    }
    n = std::min<std::int64_t>(n, static_cast<std::int32_t>(size));
    return call.memory().write(to, text.data(), static_cast<std::size_t>(n)) ? n : -EFAULT;
}
std::int64_t sys_readlink(Call& call) {
    return read_link(call, kAtFdCwd, call.arg[0], call.arg[1], call.arg[2]);
}
std::int64_t sys_readlinkat(Call& call) {
    return read_link(call, call.integer(0), call.arg[1], call.arg[2], call.arg[3]);
}

std::int64_t remove_at(Call& call, int dirfd, std::uint64_t path, std::uint64_t flags) {
    return with_path(call, dirfd, path, Touch::Change, false,
                     [&](std::uint64_t dir, std::uint64_t name, const HostPath&) {
                         return Call::host(SYS_unlinkat, dir, name, flags);
                     });
}
std::int64_t sys_unlink(Call& call) { return remove_at(call, kAtFdCwd, call.arg[0], 0); }
std::int64_t sys_rmdir(Call& call) { return remove_at(call, kAtFdCwd, call.arg[0], AT_REMOVEDIR); }
std::int64_t sys_unlinkat(Call& call) {
    return remove_at(call, call.integer(0), call.arg[1], call.arg[2]);
}

/// The mode of something new. In the sandbox: no setuid, setgid or sticky files.
std::uint64_t permitted(const Call& call, std::uint64_t mode) {
    return call.process.sandbox() ? mode & (S_IFMT | 0777) : mode;
}

std::int64_t make_directory(Call& call, int dirfd, std::uint64_t path, std::uint64_t mode) {
    return with_path(call, dirfd, path, Touch::Change, false,
                     [&](std::uint64_t dir, std::uint64_t name, const HostPath&) {
                         return Call::host(SYS_mkdirat, dir, name, permitted(call, mode));
                     });
}
std::int64_t sys_mkdir(Call& call) {
    return make_directory(call, kAtFdCwd, call.arg[0], call.arg[1]);
}
std::int64_t sys_mkdirat(Call& call) {
    return make_directory(call, call.integer(0), call.arg[1], call.arg[2]);
}

std::int64_t make_node(Call& call, int dirfd, std::uint64_t path, std::uint64_t mode,
                       std::uint64_t device) {
    return with_path(call, dirfd, path, Touch::Change, false,
                     [&](std::uint64_t dir, std::uint64_t name, const HostPath&) {
                         return Call::host(SYS_mknodat, dir, name, permitted(call, mode), device);
                     });
}
std::int64_t sys_mknod(Call& call) {
    return make_node(call, kAtFdCwd, call.arg[0], call.arg[1], call.arg[2]);
}
std::int64_t sys_mknodat(Call& call) {
    return make_node(call, call.integer(0), call.arg[1], call.arg[2], call.arg[3]);
}

std::int64_t rename_at(Call& call, int from_dir, std::uint64_t from, int to_dir, std::uint64_t to,
                       std::uint64_t flags) {
    return with_paths(call, from_dir, from, to_dir, to, [&](auto a, auto b, auto c, auto d) {
        return Call::host(SYS_renameat2, a, b, c, d, flags);
    });
}
std::int64_t sys_rename(Call& call) {
    return rename_at(call, kAtFdCwd, call.arg[0], kAtFdCwd, call.arg[1], 0);
}
std::int64_t sys_renameat(Call& call) {
    return rename_at(call, call.integer(0), call.arg[1], call.integer(2), call.arg[3], 0);
}
std::int64_t sys_renameat2(Call& call) {
    return rename_at(call, call.integer(0), call.arg[1], call.integer(2), call.arg[3], call.arg[4]);
}

std::int64_t sys_link(Call& call) {
    return with_paths(
        call, kAtFdCwd, call.arg[0], kAtFdCwd, call.arg[1],
        [](auto a, auto b, auto c, auto d) { return Call::host(SYS_linkat, a, b, c, d, 0); });
}
std::int64_t sys_linkat(Call& call) {
    return with_paths(
        call, call.integer(0), call.arg[1], call.integer(2), call.arg[3],
        [&](auto a, auto b, auto c, auto d) {
            return Call::host(SYS_linkat, a, b, c, d, call.arg[4]);
        },
        call.arg[4] & AT_SYMLINK_FOLLOW);
}

std::int64_t make_symlink(Call& call, std::uint64_t target, int dirfd, std::uint64_t path) {
    auto text = call.memory().read_string(target, PATH_MAX);
    if (!text) return -EFAULT;
    if (text->size() >= PATH_MAX) return -ENAMETOOLONG;
    return with_path(call, dirfd, path, Touch::Change, false,
                     [&](std::uint64_t dir, std::uint64_t name, const HostPath&) {
                         return Call::host(SYS_symlinkat,
                                           reinterpret_cast<std::uint64_t>(text->c_str()), dir,
                                           name);
                     });
}
std::int64_t sys_symlink(Call& call) {
    return make_symlink(call, call.arg[0], kAtFdCwd, call.arg[1]);
}
std::int64_t sys_symlinkat(Call& call) {
    return make_symlink(call, call.arg[0], call.integer(1), call.arg[2]);
}

// --- attributes ---

std::int64_t change_mode(Call& call, int dirfd, std::uint64_t path, std::uint64_t mode) {
    return with_path(call, dirfd, path, Touch::Change, true,
                     [&](std::uint64_t dir, std::uint64_t name, const HostPath&) {
                         return Call::host(SYS_fchmodat, dir, name, mode);
                     });
}
std::int64_t sys_chmod(Call& call) { return change_mode(call, kAtFdCwd, call.arg[0], call.arg[1]); }
std::int64_t sys_fchmodat(Call& call) {
    return change_mode(call, call.integer(0), call.arg[1], call.arg[2]);
}
std::int64_t sys_fchmod(Call& call) {
    if (!call.process.sandbox())
        return Call::host(SYS_fchmod, static_cast<std::uint64_t>(call.fd(0)), call.arg[1]);
    const auto file = host_file(call, call.integer(0));
    return file ? Call::host(SYS_fchmodat, kNoDirectory, file->pointer(), call.arg[1])
                : -file.error();
}

std::int64_t change_owner(Call& call, int dirfd, std::uint64_t path, std::uint64_t user,
                          std::uint64_t group, std::uint64_t flags) {
    return with_path(call, dirfd, path, Touch::Change, !(flags & AT_SYMLINK_NOFOLLOW),
                     [&](std::uint64_t dir, std::uint64_t name, const HostPath&) {
                         return Call::host(SYS_fchownat, dir, name, user, group, flags);
                     });
}
std::int64_t sys_chown(Call& call) {
    return change_owner(call, kAtFdCwd, call.arg[0], call.arg[1], call.arg[2], 0);
}
std::int64_t sys_lchown(Call& call) {
    return change_owner(call, kAtFdCwd, call.arg[0], call.arg[1], call.arg[2], AT_SYMLINK_NOFOLLOW);
}
std::int64_t sys_fchownat(Call& call) {
    return change_owner(call, call.integer(0), call.arg[1], call.arg[2], call.arg[3], call.arg[4]);
}
std::int64_t sys_fchown(Call& call) {
    if (!call.process.sandbox())
        return Call::host(SYS_fchown, static_cast<std::uint64_t>(call.fd(0)), call.arg[1],
                          call.arg[2]);
    const auto file = host_file(call, call.integer(0));
    return file ? Call::host(SYS_fchownat, kNoDirectory, file->pointer(), call.arg[1], call.arg[2],
                             0)
                : -file.error();
}

std::int64_t sys_truncate(Call& call) {
    auto at = host_path(call, kAtFdCwd, call.arg[0], Touch::Change);
    if (!at) return -at.error();
    // By its name in /proc: opening a pipe for writing would wait for a reader.
    const int fd =
        openat(at->dirfd(), at->c_str(), O_PATH | O_CLOEXEC | (at->pinned() ? O_NOFOLLOW : 0));
    if (fd < 0) return -errno;
    const std::string self = "/proc/self/fd/" + std::to_string(fd);
    const int error = truncate(self.c_str(), static_cast<off_t>(call.arg[1])) == 0 ? 0 : errno;
    close(fd);
    if (!error) call.memory().refresh_file_pages();
    return -error;
}

std::int64_t set_times(Call& call, int dirfd, std::uint64_t path, const timespec* times,
                       std::uint64_t flags) {
    const auto pointer = reinterpret_cast<std::uint64_t>(times);
    if (path == 0) {  // futimens: the descriptor itself
        if (dirfd == kAtFdCwd) return -EFAULT;
        if (!call.process.sandbox())
            return Call::host(SYS_utimensat,
                              static_cast<std::uint64_t>(call.process.fds.host(dirfd)), 0, pointer,
                              flags);
        const auto file = host_file(call, dirfd);
        return file ? Call::host(SYS_utimensat, kNoDirectory, file->pointer(), pointer, flags)
                    : -file.error();
    }
    return with_path(call, dirfd, path, Touch::Change, !(flags & AT_SYMLINK_NOFOLLOW),
                     [&](std::uint64_t dir, std::uint64_t name, const HostPath&) {
                         return Call::host(SYS_utimensat, dir, name, pointer, flags);
                     });
}
std::int64_t sys_utimensat(Call& call) {
    std::array<timespec, 2> times{};
    if (call.arg[2] && !call.get(call.arg[2], times)) return -EFAULT;
    return set_times(call, call.integer(0), call.arg[1], call.arg[2] ? times.data() : nullptr,
                     call.arg[3]);
}
std::int64_t set_timevals(Call& call, int dirfd, std::uint64_t path, std::uint64_t from) {
    std::array<timeval, 2> values{};
    if (from && !call.get(from, values)) return -EFAULT;
    std::array<timespec, 2> times{};
    for (std::size_t i = 0; i < 2; ++i) {
        if (values[i].tv_usec < 0 || values[i].tv_usec > 999'999) return -EINVAL;
        times[i] = {values[i].tv_sec, values[i].tv_usec * 1000};
    }
    return set_times(call, dirfd, path, from ? times.data() : nullptr, 0);
}
std::int64_t sys_utimes(Call& call) {
    return set_timevals(call, kAtFdCwd, call.arg[0], call.arg[1]);
}
std::int64_t sys_futimesat(Call& call) {
    return set_timevals(call, call.integer(0), call.arg[1], call.arg[2]);
}
std::int64_t sys_utime(Call& call) {
    struct utimbuf stamp {};
    if (call.arg[1] && !call.get(call.arg[1], stamp)) return -EFAULT;
    const std::array<timespec, 2> times{timespec{stamp.actime, 0}, timespec{stamp.modtime, 0}};
    return set_times(call, kAtFdCwd, call.arg[0], call.arg[1] ? times.data() : nullptr, 0);
}

// --- working directory ---

std::int64_t enter(Call& call, std::int64_t fd) {
    if (fd < 0) return fd;
    const std::string self = "/proc/self/fd/" + std::to_string(fd);
    if (access(self.c_str(), X_OK) != 0) {
        const int error = errno;
        close(static_cast<int>(fd));
        return -error;
    }
    close(call.process.cwd);
    call.process.cwd = static_cast<int>(fd);
    return 0;
}
std::int64_t sys_chdir(Call& call) {
    constexpr std::uint64_t kFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    return enter(call, with_path(call, kAtFdCwd, call.arg[0], Touch::Look, true,
                                 [&](std::uint64_t dir, std::uint64_t name, const HostPath&) {
                                     return Call::host(SYS_openat, dir, name, kFlags, 0);
                                 }));
}
std::int64_t sys_fchdir(Call& call) {
    if (call.fd(0) < 0) return -EBADF;
    return enter(call, Call::host(SYS_openat, static_cast<std::uint64_t>(call.fd(0)),
                                  reinterpret_cast<std::uint64_t>("."),
                                  O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
}
std::int64_t sys_getcwd(Call& call) {
    std::array<char, PATH_MAX> text;
    const std::string self = "/proc/self/fd/" + std::to_string(call.process.cwd);
    const ssize_t n = readlink(self.c_str(), text.data(), text.size() - 1);
    if (n < 0) return -errno;
    text[static_cast<std::size_t>(n)] = '\0';
    struct stat st {};
    if (fstat(call.process.cwd, &st) == 0 && st.st_nlink == 0) return -ENOENT;
    if (call.arg[1] < static_cast<std::uint64_t>(n) + 1) return -ERANGE;
    return call.memory().write(call.arg[0], text.data(), static_cast<std::size_t>(n) + 1) ? n + 1
                                                                                          : -EFAULT;
}
std::int64_t sys_umask(Call& call) { return Call::host(SYS_umask, call.arg[0]); }

using enum Arg;
constexpr std::array kRows{
    SyscallRow{9, "link", {Path, Path}, sys_link},
    SyscallRow{10, "unlink", {Path}, sys_unlink},
    SyscallRow{12, "chdir", {Path}, sys_chdir},
    SyscallRow{14, "mknod", {Path, Mode, Hex}, sys_mknod},
    SyscallRow{15, "chmod", {Path, Mode}, sys_chmod},
    SyscallRow{16, "lchown", {Path, Int, Int}, sys_lchown},
    SyscallRow{30, "utime", {Path, Ptr}, sys_utime},
    SyscallRow{33, "access", {Path, AccessMode}, sys_access},
    SyscallRow{38, "rename", {Path, Path}, sys_rename},
    SyscallRow{39, "mkdir", {Path, Mode}, sys_mkdir},
    SyscallRow{40, "rmdir", {Path}, sys_rmdir},
    SyscallRow{60, "umask", {Mode}, sys_umask},
    SyscallRow{83, "symlink", {Text, Path}, sys_symlink},
    SyscallRow{85, "readlink", {Path, OutBuffer, Size}, sys_readlink},
    SyscallRow{92, "truncate", {Path, Long}, sys_truncate},
    SyscallRow{94, "fchmod", {Fd, Mode}, sys_fchmod},
    SyscallRow{95, "fchown", {Fd, Int, Int}, sys_fchown},
    SyscallRow{99, "statfs", {Path, Ptr}, sys_statfs},
    SyscallRow{100, "fstatfs", {Fd, Ptr}, sys_fstatfs},
    SyscallRow{106, "stat", {Path, StatOut}, sys_stat},
    SyscallRow{107, "lstat", {Path, StatOut}, sys_lstat},
    SyscallRow{108, "fstat", {Fd, StatOut}, sys_fstat},
    SyscallRow{133, "fchdir", {Fd}, sys_fchdir},
    SyscallRow{182, "chown", {Path, Int, Int}, sys_chown},
    SyscallRow{183, "getcwd", {OutBuffer, Size}, sys_getcwd},
    SyscallRow{195, "stat64", {Path, Ptr}, sys_stat64},
    SyscallRow{196, "lstat64", {Path, Ptr}, sys_lstat64},
    SyscallRow{197, "fstat64", {Fd, Ptr}, sys_fstat64},
    SyscallRow{198, "lchown32", {Path, Int, Int}, sys_lchown},
    SyscallRow{207, "fchown32", {Fd, Int, Int}, sys_fchown},
    SyscallRow{212, "chown32", {Path, Int, Int}, sys_chown},
    SyscallRow{224, "newfstatat", {DirFd, Path, StatOut, AtFlags}, sys_newfstatat},
    SyscallRow{306, "statfs64", {Path, Size, Ptr}, sys_statfs},
    SyscallRow{307, "fstatfs64", {Fd, Size, Ptr}, sys_fstatfs},
    SyscallRow{309, "utimes", {Path, Ptr}, sys_utimes},
    SyscallRow{333, "utimensat", {DirFd, Path, Ptr, AtFlags}, sys_utimensat},
    SyscallRow{336, "mkdirat", {DirFd, Path, Mode}, sys_mkdirat},
    SyscallRow{337, "mknodat", {DirFd, Path, Mode, Hex}, sys_mknodat},
    SyscallRow{338, "fchownat", {DirFd, Path, Int, Int, AtFlags}, sys_fchownat},
    SyscallRow{339, "unlinkat", {DirFd, Path, AtFlags}, sys_unlinkat},
    SyscallRow{340, "renameat", {DirFd, Path, DirFd, Path}, sys_renameat},
    SyscallRow{341, "linkat", {DirFd, Path, DirFd, Path, AtFlags}, sys_linkat},
    SyscallRow{342, "symlinkat", {Text, DirFd, Path}, sys_symlinkat},
    SyscallRow{343, "readlinkat", {DirFd, Path, OutBuffer, Size}, sys_readlinkat},
    SyscallRow{344, "fchmodat", {DirFd, Path, Mode}, sys_fchmodat},
    SyscallRow{345, "faccessat", {DirFd, Path, AccessMode}, sys_faccessat},
    SyscallRow{361, "fstatat64", {DirFd, Path, Ptr, AtFlags}, sys_fstatat64},
    SyscallRow{362, "futimesat", {DirFd, Path, Ptr}, sys_futimesat},
    SyscallRow{384, "renameat2", {DirFd, Path, DirFd, Path, Hex}, sys_renameat2},
    SyscallRow{402, "statx", {DirFd, Path, AtFlags, Hex, Ptr}, sys_statx},
    SyscallRow{434, "faccessat2", {DirFd, Path, AccessMode, AtFlags}, sys_faccessat2},
};

}  // namespace

std::span<const SyscallRow> directory_rows() { return kRows; }

}  // namespace e2k::guest
