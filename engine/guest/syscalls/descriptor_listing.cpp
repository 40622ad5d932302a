// The entries of /proc/self/fd and /proc/self/task: the guest's, not the workbench's.
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "engine/guest/syscalls/call.h"
#include "engine/guest/syscalls/resolve.h"

namespace e2k::guest {
namespace {

constexpr unsigned kOldCall = 141;  // getdents: the type stands at the end of an entry

/// "fd", "fdinfo" or "task" if the host descriptor is that directory of the guest's own process.
std::optional<std::string> descriptor_directory(const Process::Impl& process, int host) {
    struct statfs fs {};
    if (host < 0 || fstatfs(host, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC) return std::nullopt;
    const std::string path = real_path(host);
    const std::string own = fmt::format("/proc/{}/", process.pid);
    if (!path.starts_with(own)) return std::nullopt;
    const std::string name = path.substr(path.rfind('/') + 1);
    if (path == own + "task") return name;
    if (path == own + name || path.starts_with(own + "task/"))
        if (name == "fd" || name == "fdinfo") return name;
    return std::nullopt;
}

/// Collects entries as the kernel lays them out.
class Entries {
public:
    Entries(bool old_form, std::size_t room) : old_form_(old_form), room_(room) {}

    /// False if there is no room left.
    bool add(const std::string& name, std::uint64_t inode, std::int64_t next, std::uint8_t type) {
        const std::size_t head = old_form_ ? 18 : 19;
        const std::size_t used = head + name.size() + 1 + (old_form_ ? 1 : 0);
        const std::size_t length = (used + 7) & ~std::size_t{7};
        if (bytes_.size() + length > room_) return false;
        const std::size_t at = bytes_.size();
        bytes_.resize(at + length);
        const auto short_length = static_cast<std::uint16_t>(length);
        std::memcpy(&bytes_[at], &inode, 8);
        std::memcpy(&bytes_[at + 8], &next, 8);
        std::memcpy(&bytes_[at + 16], &short_length, 2);
        std::memcpy(&bytes_[at + head], name.data(), name.size());
        bytes_[old_form_ ? at + length - 1 : at + 18] = type;
        return true;
    }
    const std::vector<std::uint8_t>& bytes() const { return bytes_; }

private:
    bool old_form_;
    std::size_t room_;
    std::vector<std::uint8_t> bytes_;
};

std::uint64_t inode_of(int directory, const std::string& name) {
    struct stat st {};
    return fstatat(directory, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_ino : 1;
}

/// What the directory holds: ascending numbers.
std::vector<int> numbers_in(const Process::Impl& process, const std::string& kind) {
    if (kind != "task") return process.fds.open_numbers();
    std::vector<int> numbers;
    const std::lock_guard lock(process.thread_mutex);
    for (const auto& thread : process.threads) numbers.push_back(static_cast<int>(thread->tid));
    std::ranges::sort(numbers);
    return numbers;
}

}  // namespace

std::optional<std::int64_t> list_descriptors(const Call& call) {
    constexpr std::size_t kAtOnce = 1 << 16;
    const int host = call.fd(0);
    const auto kind = descriptor_directory(call.process, host);
    if (!kind) return std::nullopt;
    // Positions as in the kernel: 0 and 1 are the dots, n + 2 is descriptor n.
    std::int64_t position = lseek(host, 0, SEEK_CUR);
    if (position < 0) return -errno;
    Entries entries(call.number == kOldCall,
                    std::min<std::size_t>(static_cast<std::uint32_t>(call.arg[2]), kAtOnce));
    bool room = true;
    for (const char* dots : {".", ".."}) {
        const auto own = static_cast<std::int64_t>(std::strlen(dots)) - 1;
        if (!room || position != own) continue;
        room = entries.add(dots, inode_of(host, dots), own + 1, DT_DIR);
        if (room) ++position;
    }
    const std::uint8_t type = *kind == "fd" ? DT_LNK : *kind == "task" ? DT_DIR : DT_REG;
    for (const int number : numbers_in(call.process, *kind)) {
        if (!room || number + 2 < position) continue;
        const int inside = *kind == "task" ? number : call.process.fds.host(number);
        room = entries.add(std::to_string(number), inode_of(host, std::to_string(inside)),
                           number + 3, type);
        if (room) position = number + 3;
    }
    if (!room && entries.bytes().empty()) return -EINVAL;
    if (!call.memory().write(call.arg[1], entries.bytes().data(), entries.bytes().size()))
        return -EFAULT;
    if (lseek(host, position, SEEK_SET) < 0) return -errno;
    return static_cast<std::int64_t>(entries.bytes().size());
}

}  // namespace e2k::guest
