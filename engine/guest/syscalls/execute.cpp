// execve: a new workbench for an Elbrus program, the program itself for the host's own.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <vector>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::size_t kMaxStrings = 1 << 16;

tl::expected<std::vector<std::string>, int> read_strings(const Call& call, std::uint64_t list) {
    std::vector<std::string> strings;
    for (std::uint64_t at = list; list != 0; at += 8) {
        std::uint64_t pointer = 0;
        if (!call.get(at, pointer)) return tl::unexpected(EFAULT);
        if (pointer == 0) break;
        auto text = call.memory().read_string(pointer, 1 << 17);
        if (!text) return tl::unexpected(EFAULT);
        strings.push_back(std::move(*text));
        if (strings.size() > kMaxStrings) return tl::unexpected(E2BIG);
    }
    return strings;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> list;
    list.reserve(strings.size() + 1);
    for (std::string& text : strings) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

/// The guest's descriptors under their own numbers, everything else closed.
void place_descriptors(const FdTable& fds) {
    constexpr int kHigh = FdTable::kLimit / 2;
    std::vector<std::pair<int, int>> moved;  // guest number, copy
    for (int guest : fds.open_numbers()) {
        const int host = fds.host(guest);
        if (fcntl(host, F_GETFD) & FD_CLOEXEC && guest > 2) continue;
        moved.emplace_back(guest, fcntl(host, F_DUPFD_CLOEXEC, kHigh));
    }
    int next = 0;
    for (const auto& [guest, copy] : moved) {
        if (guest > next) syscall(SYS_close_range, next, std::min(guest - 1, kHigh - 1), 0);
        if (copy >= 0) dup2(copy, guest);
        next = guest + 1;
    }
    if (next < kHigh) syscall(SYS_close_range, next, kHigh - 1, 0);
    syscall(SYS_close_range, kHigh, ~0u, 0);
}

bool is_elbrus(const std::string& path) {
    const auto image = ElfImage::load(path);
    return image.has_value();
}

}  // namespace

std::int64_t execute_program(Call& call, const HostPath& path, std::uint64_t argv,
                             std::uint64_t envp) {
    Process::Impl& p = call.process;
    // The window is not the guest's to replace; its forked children are.
    if (!p.owns_host_process()) return -EPERM;
    const int fd = openat(path.dirfd(), path.c_str(), O_PATH | O_CLOEXEC);
    if (fd < 0) return -errno;
    const std::string file = "/proc/self/fd/" + std::to_string(fd);
    std::array<char, 4096> real{};
    const ssize_t n = readlink(file.c_str(), real.data(), real.size() - 1);
    const int denied = access(file.c_str(), X_OK) == 0 ? 0 : errno;
    struct stat st {};
    const bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    close(fd);
    if (denied) return -denied;
    if (n <= 0 || !regular) return -EACCES;
    const std::string target = real.data();

    auto arguments = read_strings(call, argv);
    auto environment = read_strings(call, envp);
    if (!arguments || !environment) return -(arguments ? environment.error() : arguments.error());
    std::vector<std::string> command;
    std::string program = target;
    if (is_elbrus(target)) {
        if (p.options.exec_command.empty()) return -ENOSYS;
        program = p.options.exec_command.front();
        command = p.options.exec_command;
        command.push_back(target);
        if (!arguments->empty())
            command.insert(command.end(), arguments->begin() + 1, arguments->end());
    } else {
        if (p.options.policy.sandbox) return -EACCES;  // host code knows no policy
        command = *arguments;
    }
    if (fchdir(p.cwd) != 0) return -errno;
    place_descriptors(p.fds);
    signal(SIGPIPE, SIG_DFL);
    execve(program.c_str(), pointers(command).data(), pointers(*environment).data());
    // The descriptors are gone: there is no way back to the guest.
    _exit(127);
}

}  // namespace e2k::guest
