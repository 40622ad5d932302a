#include "engine/guest/syscalls/resolve.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <climits>
#include <utility>

#include <fmt/format.h>

namespace e2k::guest {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel

/// openat that fails with ELOOP where a name of /proc would jump to an open file.
int open_plain(int directory, const std::string& path, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_PATH | O_CLOEXEC);
    how.resolve = RESOLVE_NO_MAGICLINKS;
    return static_cast<int>(syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how));
}

std::optional<std::string> link_text(int directory, const std::string& name) {
    std::array<char, PATH_MAX> text;
    const ssize_t n = readlinkat(directory, name.c_str(), text.data(), text.size());
    if (n < 0) return std::nullopt;
    return std::string(text.data(), static_cast<std::size_t>(n));
}

std::string descriptor_name(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

std::optional<int> number(const std::string& text) {
    int value = 0;
    const auto r = std::from_chars(text.data(), text.data() + text.size(), value);
    if (r.ec != std::errc() || r.ptr != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

class Resolver {
public:
    explicit Resolver(const Process::Impl& process) : process_(process) {}

    tl::expected<Place, int> run(int start, std::string path, bool follow) {
        const bool must_be_directory = path.size() > 1 && path.ends_with('/');
        while (path.size() > 1 && path.ends_with('/')) path.pop_back();
        const std::size_t slash = path.rfind('/');
        std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
        const bool whole = name.empty() || name == "." || name == "..";
        Place place;
        if (whole) {
            auto directory = walk(start, path);
            if (!directory) return tl::unexpected(directory.error());
            place.target = std::move(*directory);
            place.whole = true;
            place.redirected = redirected_;
            return place;
        }
        const std::string parent = slash == std::string::npos ? "."
                                   : slash == 0               ? "/"
                                                              : path.substr(0, slash);
        auto directory = walk(start, parent);
        if (!directory) return tl::unexpected(directory.error());
        place.directory = std::move(*directory);
        place.name = std::move(name);
        return last(std::move(place), follow || must_be_directory);
    }

private:
    /// Follows the last component, or not.
    tl::expected<Place, int> last(Place place, bool follow) {
        const int directory = place.directory.get();
        if (auto link = own_link(directory, place.name); link && follow) {
            redirected_ = true;
            if (++links_ > kMaxLinks) return tl::unexpected(ELOOP);
            return run(directory, *link, true);
        }
        if (auto special = descriptor_in(directory, place.name)) {
            place.redirected = redirected_ = true;
            place.descriptor = special->first;
            place.name = std::to_string(special->second);
            if (special->second < 0) return tl::unexpected(ENOENT);
            if (place.descriptor < 0 || follow) {  // "cwd" and "exe" have no link of their own
                place.target =
                    Handle(open(descriptor_name(special->second).c_str(), O_PATH | O_CLOEXEC));
                if (!place.target) return tl::unexpected(errno);
            }
            return place;
        }
        place.redirected = redirected_;
        if (!follow) return place;
        if (int host = -1; descriptor_info(directory, place.name, host)) {
            place.name = std::to_string(host);
            place.redirected = redirected_ = true;
        }
        place.target = Handle(open_plain(directory, place.name, 0));
        if (place.target) return place;
        const int error = errno;
        if (error != ENOENT && error != ELOOP) return tl::unexpected(error);
        auto text = link_text(directory, place.name);
        if (!text) return place;  // does not exist: may be created
        if (++links_ > kMaxLinks) return tl::unexpected(ELOOP);
        if (on_proc(directory)) return jump(std::move(place));
        return run(directory, *text, true);
    }

    /// A magic link of another process.
    tl::expected<Place, int> jump(Place place) {
        if (process_.sandbox()) return tl::unexpected(EACCES);
        place.target =
            Handle(openat(place.directory.get(), place.name.c_str(), O_PATH | O_CLOEXEC));
        if (!place.target) return tl::unexpected(errno);
        place.redirected = redirected_ = true;
        return place;
    }

    /// If `directory` is one of the guest's own in /proc and `name` stands for an open file there:
    /// the guest's number (-1: it has none) and the host's descriptor (-1: no such file).
    std::optional<std::pair<int, int>> descriptor_in(int directory, const std::string& name) {
        if (!on_proc(directory)) return std::nullopt;
        const auto entry = own_proc_entry(process_, real_path(directory) + "/" + name);
        if (!entry) return std::nullopt;
        if (*entry == "cwd") return std::pair(-1, process_.cwd);
        if (!entry->starts_with("fd/")) return std::nullopt;
        const auto guest = number(name);
        return std::pair(guest.value_or(-1), guest ? process_.fds.host(*guest) : -1);
    }

    /// "/proc/self/fdinfo/N": the host's number of the guest's descriptor N.
    bool descriptor_info(int directory, const std::string& name, int& host) {
        if (!on_proc(directory)) return false;
        const auto entry = own_proc_entry(process_, real_path(directory) + "/" + name);
        if (!entry || !entry->starts_with("fdinfo/")) return false;
        const auto guest = number(name);
        host = guest ? process_.fds.host(*guest) : -1;
        return true;
    }

    /// What the guest's own "exe" and "root" in /proc lead to.
    std::optional<std::string> own_link(int directory, const std::string& name) {
        if ((name != "exe" && name != "root") || !on_proc(directory)) return std::nullopt;
        const auto entry = own_proc_entry(process_, real_path(directory) + "/" + name);
        if (!entry || *entry != name) return std::nullopt;
        return name == "exe" ? process_.executable : "/";
    }

    /// The directory at `path`.
    tl::expected<Handle, int> walk(int start, const std::string& path) {
        Handle at(open_plain(start, path, O_DIRECTORY));
        if (at) return at;
        if (errno != ELOOP && errno != ENOENT) return tl::unexpected(errno);
        // By components, to find the name that needs a meaning of its own.
        Handle from(path.starts_with('/') ? open("/", O_PATH | O_CLOEXEC)
                                          : open_plain(start, ".", O_DIRECTORY));
        if (!from) return tl::unexpected(errno);
        for (std::size_t begin = 0; begin < path.size();) {
            const std::size_t end = std::min(path.find('/', begin), path.size());
            const std::string name = path.substr(begin, end - begin);
            begin = end + 1;
            if (name.empty() || name == ".") continue;
            auto next = enter(std::move(from), name);
            if (!next) return next;
            from = std::move(*next);
        }
        return from;
    }

    tl::expected<Handle, int> enter(Handle from, const std::string& name) {
        if (name == "..") {
            Handle up(open_plain(from.get(), name, O_DIRECTORY));
            if (!up) return tl::unexpected(errno);
            return up;
        }
        Place place;
        place.directory = std::move(from);
        place.name = name;
        auto found = last(std::move(place), true);
        if (!found) return tl::unexpected(found.error());
        if (!found->target) return tl::unexpected(ENOENT);
        return std::move(found->target);
    }

    const Process::Impl& process_;
    int links_ = 0;
    bool redirected_ = false;
};

}  // namespace

Handle& Handle::operator=(Handle&& other) noexcept {
    if (this == &other) return *this;
    if (fd_ >= 0) close(fd_);
    fd_ = other.release();
    return *this;
}
Handle::~Handle() {
    if (fd_ >= 0) close(fd_);
}
int Handle::release() { return std::exchange(fd_, -1); }

tl::expected<Place, int> resolve(const Process::Impl& process, int start, const std::string& path,
                                 bool follow) {
    if (start < 0 && !path.starts_with('/')) return tl::unexpected(EBADF);
    return Resolver(process).run(start, path, follow);
}

std::string real_path(int fd) {
    return link_text(AT_FDCWD, descriptor_name(fd)).value_or(std::string());
}

bool on_proc(int fd) {
    struct statfs fs {};
    return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

std::optional<std::string> own_proc_entry(const Process::Impl& process, const std::string& path) {
    for (const std::string& prefix : {std::string("/proc/self/"), std::string("/proc/thread-self/"),
                                      fmt::format("/proc/{}/", process.pid)}) {
        if (!path.starts_with(prefix)) continue;
        std::string entry = path.substr(prefix.size());
        constexpr std::string_view kTask = "task/";
        if (!entry.starts_with(kTask)) return entry;
        const std::size_t slash = entry.find('/', kTask.size());
        return slash == std::string::npos ? entry : entry.substr(slash + 1);
    }
    return std::nullopt;
}

}  // namespace e2k::guest
