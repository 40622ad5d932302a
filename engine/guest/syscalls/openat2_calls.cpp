// Names in the file system that newer calls give: openat2 and file handles.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::size_t kHowSize = sizeof(open_how);  // OPEN_HOW_SIZE_VER0
constexpr std::size_t kMostSize = 4096;
constexpr std::uint64_t kStaysBelow = RESOLVE_BENEATH | RESOLVE_IN_ROOT;

/// The structure with the rules about its size: what is longer must be zero behind the known part.
tl::expected<open_how, int> read_how(const Call& call) {
    const std::uint64_t size = call.arg[3];
    if (size < kHowSize) return tl::unexpected(EINVAL);
    if (size > kMostSize) return tl::unexpected(E2BIG);
    std::array<std::uint8_t, kMostSize> bytes{};
    if (!call.memory().read(call.arg[2], bytes.data(), size)) return tl::unexpected(EFAULT);
    if (std::any_of(bytes.begin() + kHowSize, bytes.end(), [](std::uint8_t b) { return b != 0; }))
        return tl::unexpected(E2BIG);
    open_how how{};
    std::memcpy(&how, bytes.data(), sizeof how);
    return how;
}

/// The host judges flags, mode and rules before it looks at the path: an empty one tells.
std::int64_t judge(const open_how& how) {
    const std::int64_t error =
        Call::host(SYS_openat2, word(kAtFdCwd), word(""), word(&how), sizeof how);
    return error == -ENOENT ? 0 : error;
}

std::int64_t host_openat2(int dirfd, const char* path, std::uint64_t flags, std::uint64_t mode,
                          std::uint64_t resolve) {
    const open_how how{flags, mode, resolve};
    return Call::host(SYS_openat2, word(dirfd), word(path), word(&how), sizeof how);
}

/// In the sandbox: first where the path leads by its rules, then what was found is judged.
std::int64_t open_judged(Call& call, int from, const std::string& path, const open_how& how) {
    const std::uint64_t rules = how.resolve | RESOLVE_NO_MAGICLINKS;
    Place place;
    const std::int64_t found =
        host_openat2(from, path.c_str(), O_PATH | O_CLOEXEC | (how.flags & O_NOFOLLOW), 0, rules);
    if (found >= 0) {
        place.target = Handle(static_cast<int>(found));
        return open_place(call, std::move(place), how.flags, how.mode);
    }
    if (found != -ENOENT || !(how.flags & O_CREAT)) return found;
    const std::size_t slash = path.rfind('/');
    place.name = slash == std::string::npos ? path : path.substr(slash + 1);
    const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const std::int64_t at =
        host_openat2(from, parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC, 0, rules);
    if (at < 0) return at;
    place.directory = Handle(static_cast<int>(at));
    if (place.name.empty()) return -EISDIR;
    return open_place(call, std::move(place), how.flags, how.mode);
}

std::int64_t open_by_rules(Call& call, const open_how& how) {
    const auto text = call.memory().read_string(call.arg[1], PATH_MAX);
    if (!text) return -EFAULT;
    if (text->size() >= PATH_MAX) return -ENAMETOOLONG;
    const int directory = call.integer(0);
    const int from = directory == kAtFdCwd ? call.process.cwd : call.process.fds.host(directory);
    if (call.process.sandbox()) return open_judged(call, from, *text, how);
    std::int64_t fd = 0;
    if ((how.resolve & kStaysBelow) || !text->starts_with('/')) {
        fd = call.blocking(SYS_openat2, word(from), word(text->c_str()), word(&how), sizeof how);
    } else {
        // Names that mean something of the guest's are translated; the rules hold for the rest.
        auto at = host_path(call, directory, call.arg[1], Touch::Look, !(how.flags & O_NOFOLLOW));
        if (!at) return -at.error();
        if ((how.resolve & RESOLVE_NO_MAGICLINKS) && at->c_str() != *text) return -ELOOP;
        fd = call.blocking(SYS_openat2, word(at->dirfd()), at->pointer(), word(&how), sizeof how);
    }
    if (fd >= 0 && forbidden_file(static_cast<int>(fd))) {
        close(static_cast<int>(fd));
        return -EACCES;
    }
    return adopt_fd(call, fd);
}

std::int64_t sys_openat2(Call& call) {
    const auto how = read_how(call);
    if (!how) return -how.error();
    if (const std::int64_t error = judge(*how)) return error;
    // Without rules about the way it is openat.
    if (how->resolve == 0)
        return open_file(call, call.integer(0), call.arg[1], how->flags, how->mode);
    return open_by_rules(call, *how);
}

// --- handles: a file's number in its file system; nothing here opens them ---

struct HandleHead {
    std::uint32_t bytes = 0;
    std::int32_t type = 0;
};
constexpr std::uint32_t kMaxHandle = 128;  // MAX_HANDLE_SZ

std::int64_t sys_name_to_handle_at(Call& call) {
    constexpr std::uint64_t kUniqueMount = 1;  // AT_HANDLE_MNT_ID_UNIQUE
    struct {
        HandleHead head;
        std::array<std::uint8_t, kMaxHandle> rest{};
    } handle;
    if (!call.get(call.arg[2], handle.head)) return -EFAULT;
    if (handle.head.bytes > kMaxHandle) return -EINVAL;
    auto at = host_path(call, call.integer(0), call.arg[1], Touch::Look,
                        (call.arg[4] & AT_SYMLINK_FOLLOW) != 0);
    if (!at) return -at.error();
    int directory = at->dirfd();
    if (at->text().empty() && (call.arg[4] & AT_EMPTY_PATH))
        directory = call.integer(0) == kAtFdCwd ? call.process.cwd : call.fd(0);
    std::uint64_t mount = 0;
    const std::int64_t result = Call::host(SYS_name_to_handle_at, word(directory), at->pointer(),
                                           word(&handle), word(&mount), call.arg[4]);
    if (result < 0 && result != -EOVERFLOW) return result;
    const std::size_t size =
        sizeof handle.head + (result == 0 ? std::min(handle.head.bytes, kMaxHandle) : 0);
    if (!call.memory().write(call.arg[2], &handle, size)) return -EFAULT;
    const std::size_t id = call.arg[4] & kUniqueMount ? 8 : 4;
    return call.memory().write(call.arg[3], &mount, id) ? result : -EFAULT;
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{400, "name_to_handle_at", {DirFd, Path, Ptr, Ptr, AtFlags}, sys_name_to_handle_at},
    SyscallRow{432, "openat2", {DirFd, Path, Ptr, Size}, sys_openat2},
};

}  // namespace

std::span<const SyscallRow> openat2_rows() { return kRows; }

}  // namespace e2k::guest
