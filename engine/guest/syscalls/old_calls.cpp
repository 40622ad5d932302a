// Calls that newer programs do without.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <vector>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

/// Only the kernel issues it, after a stop; a program that does finds nothing to go on with.
std::int64_t sys_restart_syscall(Call&) { return -EINTR; }

/// The return from a handler is not a call here: what a program names so is no frame.
std::int64_t sys_sigreturn(Call& call) {
    call.writes_result = false;
    call.next = call.process.force(call.thread, SiginfoE2k::kernel(SIGSEGV),
                                   "SIGSEGV: sigreturn outside of a signal handler's return");
    return 0;
}

struct UstatE2k {
    std::int32_t free_blocks = 0, pad = 0;
    std::uint64_t free_inodes = 0;
    std::array<char, 16> names{};
};
static_assert(sizeof(UstatE2k) == 32);

std::int64_t sys_ustat(Call& call) {
    UstatE2k result;
    const std::int64_t error = Call::host(SYS_ustat, call.arg[0], word(&result));
    return error < 0 ? error : call.put_result(call.arg[1], result);
}

/// A library file; no format of this century can be loaded so.
std::int64_t sys_uselib(Call& call) {
    auto at = host_path(call, kAtFdCwd, call.arg[0], Touch::Look);
    if (!at) return -at.error();
    struct stat st {};
    if (fstatat(at->dirfd(), at->c_str(), &st, 0) != 0) return -errno;
    return S_ISREG(st.st_mode) ? -ENOEXEC : -EACCES;
}

// --- readdir: one entry a call ---

/// linux_dirent64 up to the name.
struct HostEntry {
    std::uint64_t inode;
    std::int64_t next;
    std::uint16_t length;
    std::uint8_t type;
};
constexpr std::size_t kNameAt = 19;
/// {inode, offset, length of the name, name}
constexpr std::size_t kOldNameAt = 18;

std::int64_t sys_readdir(Call& call) {
    std::array<std::uint8_t, 1024> buffer{};
    const int fd = call.fd(0);
    const std::int64_t offset = Call::host(SYS_lseek, word(fd), 0, SEEK_CUR);
    const std::int64_t n = Call::host(SYS_getdents64, word(fd), word(buffer.data()), buffer.size());
    if (n <= 0) return n;
    HostEntry entry{};
    std::memcpy(&entry, buffer.data(), kNameAt);
    const auto* name = reinterpret_cast<const char*>(buffer.data()) + kNameAt;
    const std::size_t length = strnlen(name, entry.length - kNameAt);
    if (const auto back = Call::host(SYS_lseek, word(fd), word(entry.next), SEEK_SET); back < 0)
        return back;
    std::vector<std::uint8_t> old(kOldNameAt + length + 1);
    const auto name_length = static_cast<std::uint16_t>(length);
    std::memcpy(old.data(), &entry.inode, 8);
    std::memcpy(old.data() + 8, &offset, 8);
    std::memcpy(old.data() + 16, &name_length, 2);
    std::memcpy(old.data() + kOldNameAt, name, length);
    return call.memory().write(call.arg[1], old.data(), old.size()) ? 1 : -EFAULT;
}

// --- sysfs: the names of the kinds of file systems ---

std::vector<std::string> file_systems() {
    std::vector<std::string> names;
    std::ifstream file("/proc/filesystems");
    for (std::string line; std::getline(file, line);)
        names.push_back(line.substr(line.find('\t') + 1));
    return names;
}

std::int64_t sys_sysfs(Call& call) {
    enum Option : int { kIndexOf = 1, kNameOf = 2, kCount = 3 };
    switch (call.integer(0)) {
        case kIndexOf: {
            const auto wanted = call.memory().read_string(call.arg[1], 256);
            if (!wanted) return -EFAULT;
            const auto names = file_systems();
            const auto at = std::ranges::find(names, *wanted);
            return at == names.end() ? -EINVAL : at - names.begin();
        }
        case kNameOf: {
            const auto names = file_systems();
            const auto index = static_cast<std::uint32_t>(call.arg[1]);
            if (index >= names.size()) return -EINVAL;
            const std::string& name = names[index];
            return call.memory().write(call.arg[2], name.c_str(), name.size() + 1) ? 0 : -EFAULT;
        }
        case kCount:
            return static_cast<std::int64_t>(file_systems().size());
        default:
            return -EINVAL;
    }
}

/// The kernel's log: reading it where the host lets everybody, nothing else.
std::int64_t sys_syslog(Call& call) {
    enum Action : int { kClose = 0, kOpen = 1, kReadAll = 3, kUnread = 9, kSize = 10 };
    const int action = call.integer(0);
    if (action < kClose || action > kSize) return -EINVAL;
    if (action == kClose || action == kOpen) return 0;
    const bool looks = action == kReadAll || action == kUnread || action == kSize;
    if (!looks || call.process.options.policy.sandbox) return -EPERM;
    if (action != kReadAll) return Call::host(SYS_syslog, call.arg[0], 0, 0);
    if (call.arg[1] == 0 || call.integer(2) < 0) return -EINVAL;
    const auto length = static_cast<std::uint64_t>(call.integer(2));
    const std::int64_t n =
        Call::host(SYS_syslog, call.arg[0], call.pointer(call.arg[1], length), length);
    if (n > 0) call.memory().note_write(call.arg[1], static_cast<std::uint64_t>(n));
    return n;
}

/// The kernel keeps these two for nonlinear mappings, which it makes of ordinary ones.
std::int64_t sys_remap_file_pages(Call& call) {
    const auto region = call.memory().region_at(call.arg[0]);
    if (call.arg[2] != 0 || !region || !region->shared || region->name.empty()) return -EINVAL;
    const std::uint64_t first = call.arg[0] & ~(cpu::kPageSize - 1);
    const std::uint64_t size = call.arg[1] & ~(cpu::kPageSize - 1);
    if (size == 0 || size > region->end - first) return -EINVAL;
    // Only the arrangement that is there already.
    const std::uint64_t page = (region->file_offset + first - region->begin) / cpu::kPageSize;
    return page == call.arg[3] ? 0 : -EINVAL;
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{0, "restart_syscall", {}, sys_restart_syscall},
    SyscallRow{62, "ustat", {Hex, Ptr}, sys_ustat},
    SyscallRow{86, "uselib", {Path}, sys_uselib},
    SyscallRow{89, "readdir", {Fd, Ptr, UInt}, sys_readdir},
    SyscallRow{103, "syslog", {Int, Ptr, Int}, sys_syslog},
    SyscallRow{119, "sigreturn", {}, sys_sigreturn},
    SyscallRow{135, "sysfs", {Int, Hex, Hex}, sys_sysfs},
    SyscallRow{305, "remap_file_pages", {Ptr, Size, Prot, Hex, MapFlags}, sys_remap_file_pages},
};

}  // namespace

std::span<const SyscallRow> old_rows() { return kRows; }

}  // namespace e2k::guest
