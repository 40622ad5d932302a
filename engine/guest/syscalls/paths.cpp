// Which host file a guest path means, and whether the guest may touch it.
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <filesystem>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

// --- what the sandbox lets a guest see and change ---

bool is_device(const struct stat& st, std::initializer_list<std::pair<unsigned, unsigned>> list) {
    return S_ISCHR(st.st_mode) && std::ranges::any_of(list, [&](const auto& device) {
               return major(st.st_rdev) == device.first && minor(st.st_rdev) == device.second;
           });
}
/// null, zero, full, tty: written to, they keep nothing.
bool may_write_device(const struct stat& st) {
    return is_device(st, {{1, 3}, {1, 5}, {1, 7}, {5, 0}});
}
/// The same, random, urandom. Others act when they are opened, or hold what is not the guest's.
bool may_read_device(const struct stat& st) {
    return may_write_device(st) || is_device(st, {{1, 8}, {1, 9}});
}

/// A file without a name: pipe, socket, event, memory. The guest has it from its own calls.
bool anonymous(int target, const struct stat& st, const std::string& real) {
    if (!real.starts_with('/')) return true;
    struct statfs fs {};
    return real.starts_with("/memfd:") && st.st_nlink == 0 && fstatfs(target, &fs) == 0 &&
           (fs.f_type == TMPFS_MAGIC || fs.f_type == HUGETLBFS_MAGIC);
}

bool open_for_writing(int host) {
    const int flags = fcntl(host, F_GETFL);
    return flags >= 0 && !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY;
}

/// Files of /proc that are not about a process and tell of the machine what programs want to know.
bool is_machine_file(const std::string& path) {
    constexpr std::array kFiles{"/proc/cpuinfo",     "/proc/meminfo", "/proc/stat",
                                "/proc/uptime",      "/proc/loadavg", "/proc/version",
                                "/proc/filesystems", "/proc/devices", "/proc/cmdline"};
    return std::ranges::find(kFiles, path) != kFiles.end() || path.starts_with("/proc/sys/");
}

/// Other processes are not there for a sandboxed guest; neither is a second proc file system.
bool may_look(const Process::Impl& process, const Place& place) {
    const int at = place.target ? place.target.get() : place.directory.get();
    if (!on_proc(at)) return true;
    const std::string path = real_path(at) + (place.target ? "" : "/" + place.name);
    if (!(path + "/").starts_with("/proc/")) return false;
    const bool per_process = path.size() > 6 && path[6] >= '0' && path[6] <= '9';
    return !per_process || path == fmt::format("/proc/{}", process.pid) ||
           own_proc_entry(process, path).has_value();
}

void note_refusal(Sandbox& sandbox, const std::string& real) {
    const std::filesystem::path path(real);
    if (path.has_parent_path()) sandbox.note_refusal(path.parent_path(), path.filename());
}

/// The mode, owner, times and length of `target`, or the entry `name`, may be changed.
bool may_change(const Process::Impl& process, const Place& place) {
    Sandbox& sandbox = *process.sandbox();
    if (!place.target) {
        if (on_proc(place.directory.get())) return false;
        const std::string directory = real_path(place.directory.get());
        if (sandbox.may_change_entries(directory)) return true;
        sandbox.note_refusal(directory, place.name);
        return false;
    }
    if (on_proc(place.target.get())) return false;
    const std::string real = real_path(place.target.get());
    if (sandbox.may_change(real)) return true;
    struct stat st {};
    if (place.descriptor >= 0 && open_for_writing(process.fds.host(place.descriptor)) &&
        fstat(place.target.get(), &st) == 0 && anonymous(place.target.get(), st, real))
        return true;
    note_refusal(sandbox, real);
    return false;
}

/// Where the host is asked, once `place` is judged.
HostPath held(Place place, const std::string& written) {
    const int at = place.target ? place.target.get() : place.directory.get();
    std::string text = written;
    if (on_proc(at)) text = real_path(at) + (place.target ? "" : "/" + place.name);
    if (!place.target)
        return HostPath::entry(std::move(place.directory), std::move(place.name), std::move(text));
    if (place.whole) return HostPath::entry(std::move(place.target), ".", std::move(text));
    return HostPath::file(std::move(place.target), std::move(text));
}

/// A guest without the sandbox asks the host itself, except where names mean something else.
tl::expected<HostPath, int> trusted_path(const Process::Impl& process, int directory,
                                         std::string path, bool follow) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
    how.resolve = RESOLVE_NO_MAGICLINKS;
    const Handle plain(
        static_cast<int>(syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how)));
    if (plain ? !on_proc(plain.get()) : errno != ELOOP && errno != ENOENT)
        return HostPath(directory, std::move(path));
    auto place = resolve(process, directory, path, follow);
    if (!place) return tl::unexpected(place.error());
    if (place->redirected) return held(std::move(*place), path);
    const int at = place->target ? place->target.get() : place->directory.get();
    std::string text = path;
    if (on_proc(at)) text = real_path(at) + (place->target ? "" : "/" + place->name);
    return HostPath(directory, std::move(path), std::move(text));
}

std::int64_t open_text(const Call& call, const std::string& text, std::uint64_t flags) {
    const int fd = memfd_create("proc", (flags & O_CLOEXEC) ? MFD_CLOEXEC : 0u);
    if (fd < 0) return -errno;
    if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return -EIO;
    }
    return adopt_fd(call, fd);
}

}  // namespace

bool forbidden_file(int fd) {
    struct statfs fs {};
    if (fstatfs(fd, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC) return false;
    const std::string path = real_path(fd);
    for (const char* end : {"/mem", "/syscall", "/clear_refs", "/pagemap", "/kcore"})
        if (path.ends_with(end)) return true;
    return false;
}

HostPath::HostPath(int dirfd, std::string path, std::string text)
    : dirfd_(dirfd), path_(std::move(path)), text_(text.empty() ? path_ : std::move(text)) {}

HostPath HostPath::entry(Handle directory, std::string name, std::string text) {
    HostPath path(directory.get(), std::move(name), std::move(text));
    path.held_ = std::move(directory);
    path.pinned_ = true;
    return path;
}
HostPath HostPath::file(Handle target, std::string text) {
    HostPath path(-1, fmt::format("/proc/self/fd/{}", target.get()), std::move(text));
    path.held_ = std::move(target);
    return path;
}
std::string HostPath::absolute() const {
    return path_.starts_with('/') ? path_ : fmt::format("/proc/self/fd/{}/{}", dirfd_, path_);
}

tl::expected<HostPath, int> host_path(const Call& call, int dirfd, std::uint64_t address,
                                      Touch touch, bool follow) {
    auto text = call.memory().read_string(address, PATH_MAX);
    if (!text) return tl::unexpected(EFAULT);
    return host_path(call, dirfd, std::move(*text), touch, follow);
}

namespace {

/// Absolute paths mean the files of the Elbrus system, where it has them.
void look_into_sysroot(const Process::Impl& process, std::string& name, bool follow) {
    if (!process.sysroot) return;
    if (auto inside = process.sysroot->find(name, follow)) name = std::move(*inside);
}

}  // namespace

tl::expected<HostPath, int> host_path(const Call& call, int dirfd, std::string name, Touch touch,
                                      bool follow) {
    if (name.size() >= PATH_MAX) return tl::unexpected(ENAMETOOLONG);
    const Process::Impl& process = call.process;
    look_into_sysroot(process, name, follow);
    const int directory = dirfd == kAtFdCwd ? process.cwd : process.fds.host(dirfd);
    // ENOENT, or with AT_EMPTY_PATH the descriptor itself.
    if (name.empty()) {
        const bool allowed =
            touch == Touch::Look || !process.sandbox() || host_file(call, dirfd).has_value();
        return HostPath(allowed ? directory : -1, "");
    }
    if (!process.sandbox()) return trusted_path(process, directory, std::move(name), follow);
    auto place = resolve(process, directory, name, follow);
    if (!place) return tl::unexpected(place.error());
    if (follow && !place->target) return tl::unexpected(ENOENT);
    const bool allowed =
        touch == Touch::Change ? may_change(process, *place) : may_look(process, *place);
    if (!allowed) return tl::unexpected(EACCES);
    return held(std::move(*place), name);
}

tl::expected<HostPath, int> host_file(const Call& call, int fd) {
    const int host = call.process.fds.host(fd);
    if (host < 0) return tl::unexpected(EBADF);
    const std::string name = fmt::format("/proc/self/fd/{}", host);
    if (!call.process.sandbox()) return HostPath(-1, name);
    Place place;
    place.target = Handle(open(name.c_str(), O_PATH | O_CLOEXEC));
    if (!place.target) return tl::unexpected(errno);
    place.descriptor = fd;
    struct stat st {};
    const bool directory = fstat(place.target.get(), &st) == 0 && S_ISDIR(st.st_mode);
    if ((!directory && !open_for_writing(host)) || !may_change(call.process, place))
        return tl::unexpected(EACCES);
    return HostPath::file(std::move(place.target), name);
}

namespace {

constexpr std::uint64_t kTmpFile = O_TMPFILE;
constexpr std::uint64_t kPermissions = 0777;  ///< no setuid, setgid or sticky files

bool changes_files(std::uint64_t flags) {
    return !(flags & O_PATH) && ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) ||
                                 (flags & kTmpFile) == kTmpFile);
}

/// Opens what below /proc speaks of the guest; nullopt: `path` is no such file.
std::optional<std::int64_t> open_own(Call& call, const std::string& path, std::uint64_t flags) {
    if ((flags & O_PATH) || !plain_path(path).starts_with("/proc/")) return std::nullopt;
    if (is_memory_file(call.process, path)) return open_memory_file(call, flags);
    if (changes_files(flags)) return std::nullopt;
    const auto text = guest_proc_file(call.process, path);
    return text ? std::optional(open_text(call, *text, flags)) : std::nullopt;
}

/// What `open` of the file held by `place` may do in the sandbox: 0, or the error.
int may_open(const Process::Impl& process, const Place& place, std::uint64_t flags, bool changes) {
    const int target = place.target.get();
    struct stat st {};
    if (fstat(target, &st) != 0) return errno;
    if (flags & O_PATH) return 0;
    if (S_ISLNK(st.st_mode)) return ELOOP;
    const std::string real = real_path(target);
    if (process.pump && is_device(st, {{5, 0}})) return ENXIO;  // a window is no terminal
    if (changes) {
        if ((flags & kTmpFile) == kTmpFile)
            return process.sandbox()->may_change_entries(real) ? 0 : EACCES;
        if (may_write_device(st)) return 0;
        const bool ordinary = S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISFIFO(st.st_mode);
        if (ordinary && process.sandbox()->may_change(real)) return 0;
        if (ordinary) note_refusal(*process.sandbox(), real);
        return EACCES;
    }
    struct statfs fs {};
    if (fstatfs(target, &fs) != 0) return errno;
    if (fs.f_type == DEBUGFS_MAGIC || fs.f_type == TRACEFS_MAGIC) return EACCES;
    if (S_ISDIR(st.st_mode)) return 0;
    if (fs.f_type == PROC_SUPER_MAGIC) return is_machine_file(real) ? 0 : EACCES;
    if (S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode)) return 0;
    // Reading takes away what is in a pipe.
    if (S_ISFIFO(st.st_mode))
        return place.descriptor >= 0 || process.sandbox()->may_change(real) ? 0 : EACCES;
    return may_read_device(st) ? 0 : EACCES;
}

/// Opening the name of a descriptor means that descriptor once more, with what it may do.
std::int64_t open_again(Call& call, int guest, std::uint64_t flags) {
    const int host = call.process.fds.host(guest);
    if (changes_files(flags) && !open_for_writing(host)) return -EACCES;
    if ((flags & O_TRUNC) && ftruncate(host, 0) != 0 && errno != EINVAL) return -errno;
    return adopt_fd(call, Call::host(SYS_fcntl, static_cast<std::uint64_t>(host),
                                     (flags & O_CLOEXEC) ? F_DUPFD_CLOEXEC : F_DUPFD, 3));
}

}  // namespace

std::int64_t open_place(Call& call, Place place, std::uint64_t flags, std::uint64_t mode) {
    const bool changes = changes_files(flags);
    Process::Impl& process = call.process;
    if (!may_look(process, place)) return -EACCES;
    if (!place.target) {  // not to be followed, or not there
        place.target = Handle(
            openat(place.directory.get(), place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (!place.target && (errno != ENOENT || !(flags & O_CREAT))) return -errno;
    }
    if (!place.target) {
        if (!may_change(process, place)) return -EACCES;
        return adopt_fd(call,
                        call.blocking(SYS_openat, static_cast<std::uint64_t>(place.directory.get()),
                                      reinterpret_cast<std::uint64_t>(place.name.c_str()),
                                      flags | O_NOFOLLOW, mode & kPermissions));
    }
    if ((flags & O_CREAT) && (flags & O_EXCL)) return -EEXIST;
    if (changes && place.descriptor >= 0 && !(flags & O_PATH))
        return open_again(call, place.descriptor, flags);
    if (on_proc(place.target.get()))
        if (const auto fd = open_own(call, real_path(place.target.get()), flags)) return *fd;
    if (const int error = may_open(process, place, flags, changes)) {
        // "/dev/stdin" of a terminal: what the guest has open it may read on.
        if (error != EACCES || place.descriptor < 0) return -error;
        return open_again(call, place.descriptor, flags);
    }
    if (flags & O_PATH) {
        if ((flags & O_DIRECTORY) && !place.whole) {
            struct stat st {};
            if (fstat(place.target.get(), &st) == 0 && !S_ISDIR(st.st_mode)) return -ENOTDIR;
        }
        if (!(flags & O_CLOEXEC)) fcntl(place.target.get(), F_SETFD, 0);
        return adopt_fd(call, place.target.release());
    }
    const std::string name = fmt::format("/proc/self/fd/{}", place.target.get());
    constexpr std::uint64_t kDone = O_CREAT | O_EXCL | O_NOFOLLOW;
    return adopt_fd(call, call.blocking(SYS_openat, static_cast<std::uint64_t>(AT_FDCWD),
                                        reinterpret_cast<std::uint64_t>(name.c_str()),
                                        flags & ~kDone, mode & kPermissions));
}

std::int64_t open_file(Call& call, int dirfd, std::uint64_t path, std::uint64_t flags,
                       std::uint64_t mode) {
    const bool changes = changes_files(flags);
    const bool follow = !(flags & O_NOFOLLOW) && !((flags & O_CREAT) && (flags & O_EXCL));
    auto text = call.memory().read_string(path, PATH_MAX);
    if (!text) return -EFAULT;
    if (text->size() >= PATH_MAX) return -ENAMETOOLONG;
    if (text->empty()) return -ENOENT;
    // Also of threads, whose numbers only the guest knows.
    if (const auto fd = open_own(call, *text, flags)) return *fd;
    if (call.process.sandbox()) {
        const int start = dirfd == kAtFdCwd ? call.process.cwd : call.process.fds.host(dirfd);
        look_into_sysroot(call.process, *text, follow);
        auto place = resolve(call.process, start, *text, follow);
        if (!place) return -place.error();
        return open_place(call, std::move(*place), flags, mode);
    }
    auto at = host_path(call, dirfd, path, changes ? Touch::Change : Touch::Look, follow);
    if (!at) return -at.error();
    if (const auto fd = open_own(call, at->text(), flags)) return *fd;
    if (at->pinned()) flags |= O_NOFOLLOW;
    const std::int64_t fd = call.blocking(SYS_openat, static_cast<std::uint64_t>(at->dirfd()),
                                          at->pointer(), flags, mode);
    if (fd >= 0 && forbidden_file(static_cast<int>(fd))) {
        close(static_cast<int>(fd));
        return -EACCES;
    }
    return adopt_fd(call, fd);
}

bool may_touch_process(const Process::Impl& process, int pid) {
    const Sandbox* sandbox = process.sandbox();
    // The window's process is the sandbox's first one; to children it is none of theirs.
    return !sandbox || pid == process.pid || (pid != process.window && sandbox->owns_process(pid));
}

}  // namespace e2k::guest
