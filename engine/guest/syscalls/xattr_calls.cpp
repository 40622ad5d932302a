// Extended attributes of files.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

// The kernel's XATTR_NAME_MAX, XATTR_SIZE_MAX and XATTR_LIST_MAX.
constexpr std::size_t kMaxName = 255, kMaxValue = 65536, kMaxList = 65536;

/// What a call works on: the host's number of its f… form and that form's first argument, or the
/// file's name in /proc, under which the path it had been given was resolved once.
class Target {
public:
    static tl::expected<Target, int> by_path(const Call& call, Touch touch, bool follow) {
        auto at = host_path(call, kAtFdCwd, call.arg[0], touch, follow);
        if (!at) return tl::unexpected(at.error());
        const int flags = O_PATH | O_CLOEXEC | (!follow || at->pinned() ? O_NOFOLLOW : 0);
        const int fd = openat(at->dirfd(), at->c_str(), flags);
        if (fd < 0) return tl::unexpected(errno);
        return Target(fd, "/proc/self/fd/" + std::to_string(fd));
    }
    static Target by_descriptor(const Call& call) { return Target(call.fd(0), ""); }
    static tl::expected<Target, int> by_judged_descriptor(const Call& call) {
        const auto file = host_file(call, call.integer(0));
        if (!file) return tl::unexpected(file.error());
        const int fd = open(file->c_str(), O_PATH | O_CLOEXEC);
        if (fd < 0) return tl::unexpected(errno);
        return Target(fd, "/proc/self/fd/" + std::to_string(fd));
    }
    Target(Target&& other) noexcept : fd_(other.fd_), name_(std::move(other.name_)) {
        other.name_.clear();
    }
    Target& operator=(Target&&) = delete;
    ~Target() {
        if (!name_.empty()) close(fd_);
    }

    /// `of_path` is the host call that takes a path, `of_fd` the one that takes a descriptor.
    std::int64_t host(long of_path, long of_fd, std::uint64_t b, std::uint64_t c = 0,
                      std::uint64_t d = 0, std::uint64_t e = 0) const {
        return name_.empty() ? Call::host(of_fd, word(fd_), b, c, d, e)
                             : Call::host(of_path, word(name_.c_str()), b, c, d, e);
    }

private:
    Target(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
    int fd_;
    std::string name_;  ///< empty: the guest's own descriptor
};

enum class By : std::uint8_t { Path, Link, Descriptor };

/// Runs `work(target)` on the file that the first argument names.
template <By Kind, class F>
std::int64_t on_target(Call& call, Touch touch, F&& work) {
    if constexpr (Kind == By::Descriptor) {
        if (touch == Touch::Look || !call.process.sandbox())
            return work(Target::by_descriptor(call));
        const auto target = Target::by_judged_descriptor(call);
        return target ? work(*target) : -target.error();
    } else {
        const auto target = Target::by_path(call, touch, Kind == By::Path);
        return target ? work(*target) : -target.error();
    }
}

/// In the sandbox a guest sets no attributes that the system gives a meaning (rights, labels).
bool is_free(const Call& call, const std::string& name) {
    return !call.process.sandbox() || name.starts_with("user.");
}

tl::expected<std::string, int> attribute_name(const Call& call) {
    auto name = call.memory().read_string(call.arg[1], kMaxName + 1);
    if (!name) return tl::unexpected(EFAULT);
    if (name->empty() || name->size() > kMaxName) return tl::unexpected(ERANGE);
    return std::move(*name);
}

template <By Kind>
std::int64_t set_attribute(Call& call) {
    constexpr std::uint64_t kFlags = 3;  // XATTR_CREATE, XATTR_REPLACE
    if (call.arg[4] & 0xffff'ffff & ~kFlags) return -EINVAL;
    const auto name = attribute_name(call);
    if (!name) return -name.error();
    if (!is_free(call, *name)) return -EPERM;
    if (call.arg[3] > kMaxValue) return -E2BIG;
    std::vector<std::uint8_t> value(call.arg[3]);
    if (!call.memory().read(call.arg[2], value.data(), value.size())) return -EFAULT;
    return on_target<Kind>(call, Touch::Change, [&](const Target& target) {
        return target.host(SYS_setxattr, SYS_fsetxattr, word(name->c_str()), word(value.data()),
                           value.size(), call.arg[4]);
    });
}

/// The bytes that `fill(buffer, size)` gives, for guest memory; size 0 asks how many there are.
template <class F>
std::int64_t give(Call& call, std::uint64_t to, std::uint64_t size, std::size_t most, F&& fill) {
    if (size == 0) return fill(0, 0);
    std::vector<std::uint8_t> bytes(std::min<std::uint64_t>(size, most));
    const std::int64_t n = fill(word(bytes.data()), bytes.size());
    if (n < 0) return n;
    return call.memory().write(to, bytes.data(), static_cast<std::size_t>(n)) ? n : -EFAULT;
}

template <By Kind>
std::int64_t get_attribute(Call& call) {
    const auto name = attribute_name(call);
    if (!name) return -name.error();
    return on_target<Kind>(call, Touch::Look, [&](const Target& target) {
        return give(call, call.arg[2], call.arg[3], kMaxValue, [&](auto buffer, auto size) {
            return target.host(SYS_getxattr, SYS_fgetxattr, word(name->c_str()), buffer, size);
        });
    });
}

template <By Kind>
std::int64_t list_attributes(Call& call) {
    return on_target<Kind>(call, Touch::Look, [&](const Target& target) {
        return give(call, call.arg[1], call.arg[2], kMaxList, [&](auto buffer, auto size) {
            return target.host(SYS_listxattr, SYS_flistxattr, buffer, size);
        });
    });
}

template <By Kind>
std::int64_t remove_attribute(Call& call) {
    const auto name = attribute_name(call);
    if (!name) return -name.error();
    if (!is_free(call, *name)) return -EPERM;
    return on_target<Kind>(call, Touch::Change, [&](const Target& target) {
        return target.host(SYS_removexattr, SYS_fremovexattr, word(name->c_str()));
    });
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{232, "setxattr", {Path, Text, InBuffer, Size, Hex}, set_attribute<By::Path>},
    SyscallRow{233, "lsetxattr", {Path, Text, InBuffer, Size, Hex}, set_attribute<By::Link>},
    SyscallRow{234, "fsetxattr", {Fd, Text, InBuffer, Size, Hex}, set_attribute<By::Descriptor>},
    SyscallRow{235, "getxattr", {Path, Text, OutBuffer, Size}, get_attribute<By::Path>},
    SyscallRow{236, "lgetxattr", {Path, Text, OutBuffer, Size}, get_attribute<By::Link>},
    SyscallRow{237, "fgetxattr", {Fd, Text, OutBuffer, Size}, get_attribute<By::Descriptor>},
    SyscallRow{238, "listxattr", {Path, OutBuffer, Size}, list_attributes<By::Path>},
    SyscallRow{239, "llistxattr", {Path, OutBuffer, Size}, list_attributes<By::Link>},
    SyscallRow{240, "flistxattr", {Fd, OutBuffer, Size}, list_attributes<By::Descriptor>},
    SyscallRow{241, "removexattr", {Path, Text}, remove_attribute<By::Path>},
    SyscallRow{242, "lremovexattr", {Path, Text}, remove_attribute<By::Link>},
    SyscallRow{243, "fremovexattr", {Fd, Text}, remove_attribute<By::Descriptor>},
};

}  // namespace

std::span<const SyscallRow> xattr_rows() { return kRows; }

}  // namespace e2k::guest
