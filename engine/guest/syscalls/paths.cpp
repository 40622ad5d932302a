// Which host file a guest path means, and whether the guest may touch it.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr int kMaxLinks = 16;

bool below(const std::string& path, const std::string& directory) {
    return path.compare(0, directory.size(), directory) == 0 &&
           (path.size() == directory.size() || directory.ends_with('/') ||
            path[directory.size()] == '/');
}

bool writable(const Process::Impl& process, const std::string& path) {
    for (const char* device : {"/dev/null", "/dev/zero", "/dev/full", "/dev/tty"})
        if (path == device) return true;
    for (const std::string& directory : process.options.policy.writable) {
        std::array<char, PATH_MAX> real;
        if (realpath(directory.c_str(), real.data()) && below(path, real.data())) return true;
    }
    return false;
}

/// "/proc/self/exe", "/proc/<own pid>/exe" → "exe"; nullopt for other paths.
std::optional<std::string> own_proc_entry(const Process::Impl& process,
                                          const std::string& written) {
    const std::string path = plain_path(written);
    for (const std::string& prefix : {std::string("/proc/self/"), std::string("/proc/thread-self/"),
                                      fmt::format("/proc/{}/", process.pid)})
        if (path.starts_with(prefix)) return path.substr(prefix.size());
    return std::nullopt;
}

/// Descriptors named by path carry the guest's numbers.
std::string translate_descriptor_name(const Process::Impl& process, std::string path) {
    if (path == "/dev/stdin") path = "/dev/fd/0";
    if (path == "/dev/stdout") path = "/dev/fd/1";
    if (path == "/dev/stderr") path = "/dev/fd/2";
    std::string number;
    if (path.starts_with("/dev/fd/"))
        number = path.substr(8);
    else if (auto entry = own_proc_entry(process, path); entry && entry->starts_with("fd/"))
        number = entry->substr(3);
    if (number.empty() || number.size() > 5 ||
        number.find_first_not_of("0123456789") != std::string::npos)
        return path;
    return fmt::format("/proc/self/fd/{}", process.fds.host(std::atoi(number.c_str())));
}

/// Splits off the last component; pins the directory it is in, so that what the policy has judged
/// is what the call touches, whatever other threads do to the path meanwhile.
tl::expected<HostPath, int> pin(const Process::Impl& process, int dirfd, std::string path,
                                bool follow) {
    int from = dirfd;
    bool owned = false;
    auto release = [&] {
        if (owned) close(from);
    };
    for (int links = 0; links < kMaxLinks; ++links) {
        while (path.size() > 1 && path.ends_with('/')) path.pop_back();
        const std::size_t slash = path.rfind('/');
        std::string parent = slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : path.substr(0, slash);
        std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
        const bool whole = name.empty() || name == "." || name == "..";
        const int directory =
            openat(from, (whole ? path : parent).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        const int error = errno;
        release();
        if (directory < 0) return tl::unexpected(error);
        from = directory;
        owned = true;
        HostPath pinned(from, whole ? "." : name, true);
        std::string real = descriptor_path(from);
        if (!whole) real += (real.ends_with('/') ? "" : "/") + name;
        std::array<char, PATH_MAX> target;
        const ssize_t n =
            !follow || whole ? -1 : readlinkat(from, name.c_str(), target.data(), target.size());
        if (n < 0) {
            if (!writable(process, real)) return tl::unexpected(EACCES);
            return pinned;
        }
        path.assign(target.data(), static_cast<std::size_t>(n));
        const int kept = fcntl(from, F_DUPFD_CLOEXEC, 3);
        if (kept < 0) return tl::unexpected(errno);
        from = kept;  // `pinned` closes its own
    }
    release();
    return tl::unexpected(ELOOP);
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

std::string descriptor_path(int fd) {
    std::array<char, PATH_MAX> text;
    const ssize_t n =
        readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), text.data(), text.size());
    return n > 0 ? std::string(text.data(), static_cast<std::size_t>(n)) : std::string();
}

bool forbidden_file(const Process::Impl& process, int fd) {
    struct statfs fs {};
    if (fstatfs(fd, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC) return false;
    const std::string path = descriptor_path(fd);
    for (const char* end : {"/mem", "/syscall", "/clear_refs", "/pagemap", "/kcore"})
        if (path.ends_with(end)) return true;
    const bool per_process = path.size() > 6 && path[6] >= '0' && path[6] <= '9';
    return process.options.policy.sandbox && per_process;
}

bool may_change(const Process::Impl& process, const std::string& path) {
    return !process.options.policy.sandbox || writable(process, path);
}

HostPath::~HostPath() {
    if (owned_) close(dirfd_);
}

tl::expected<HostPath, int> host_path(const Call& call, int dirfd, std::uint64_t address,
                                      Touch touch, bool follow) {
    auto text = call.memory().read_string(address, PATH_MAX);
    if (!text) return tl::unexpected(EFAULT);
    return host_path(call, dirfd, std::move(*text), touch, follow);
}

tl::expected<HostPath, int> host_path(const Call& call, int dirfd, std::string name, Touch touch,
                                      bool follow) {
    if (name.size() >= PATH_MAX) return tl::unexpected(ENAMETOOLONG);
    if (name.empty()) return HostPath(-1, "");  // ENOENT, or AT_EMPTY_PATH at the caller
    const Process::Impl& process = call.process;
    std::string path = translate_descriptor_name(process, std::move(name));
    if (auto entry = own_proc_entry(process, path); entry && *entry == "exe" && follow)
        path = process.executable;
    int directory = process.cwd;
    if (!path.starts_with('/') && dirfd != kAtFdCwd) directory = process.fds.host(dirfd);
    if (touch == Touch::Change && process.options.policy.sandbox)
        return pin(process, directory, std::move(path), follow);
    return HostPath(directory, std::move(path));
}

std::int64_t open_file(Call& call, int dirfd, std::uint64_t path, std::uint64_t flags,
                       std::uint64_t mode) {
    const bool changes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) ||
                         (flags & O_TMPFILE) == O_TMPFILE;
    const bool follow = !(flags & O_NOFOLLOW);
    auto at = host_path(call, dirfd, path, changes ? Touch::Change : Touch::Look, follow);
    if (!at) return -at.error();
    if (!changes)
        if (auto text = guest_proc_file(call.process, at->text()))
            return open_text(call, *text, flags);
    if (at->pinned()) flags |= O_NOFOLLOW;
    const std::int64_t fd = call.blocking(SYS_openat, static_cast<std::uint64_t>(at->dirfd()),
                                          at->pointer(), flags, mode);
    if (fd >= 0 && forbidden_file(call.process, static_cast<int>(fd))) {
        close(static_cast<int>(fd));
        return -EACCES;
    }
    return adopt_fd(call, fd);
}

bool may_touch_process(const Process::Impl& process, int pid) {
    if (!process.options.policy.sandbox || pid == process.pid) return true;
    std::lock_guard lock(process.thread_mutex);
    return process.children.contains(pid);
}

}  // namespace e2k::guest
