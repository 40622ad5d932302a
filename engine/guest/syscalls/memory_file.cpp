// /proc/self/mem: the guest's memory as a file. Behind the descriptor stands an empty, sealed file
// of the host, which keeps the position and what the guest asked to do with it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kPage = cpu::kPageSize;

/// As the kernel's, access through the file does not ask for the page's protection; only what is
/// mapped shared stays as it is. `copy` is tried again with the protection lifted.
template <class Copy>
bool copy_by_force(AddressSpace& memory, std::uint64_t address, int needed, Copy&& copy) {
    if (copy()) return true;
    const auto region = memory.region_at(address);
    if (!region || (region->prot & needed) == needed) return false;
    if (region->shared && (needed & kProtWrite)) return false;
    const std::uint64_t page = address & ~(kPage - 1);
    if (!memory.protect(page, kPage, region->prot | needed)) return false;
    const bool done = copy();
    static_cast<void>(memory.protect(page, kPage, region->prot));
    return done;
}

}  // namespace

std::int64_t open_memory_file(Call& call, std::uint64_t flags) {
    const Handle empty(memfd_create("mem", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    constexpr int kNothing = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    if (!empty || fcntl(empty.get(), F_ADD_SEALS, kNothing) != 0) return -errno;
    const int mode = static_cast<int>(flags & (O_ACCMODE | O_CLOEXEC));
    const int host = open(fmt::format("/proc/self/fd/{}", empty.get()).c_str(), mode);
    if (host < 0) return -errno;
    call.process.has_memory_files = true;
    const auto placed = call.process.fds.add(host, 0, FdTable::kGuestMemory);
    return placed ? *placed : -placed.error();
}

std::optional<std::int64_t> use_memory_file(Call& call, const MemoryFileUse& use) {
    if (!call.process.has_memory_files) return std::nullopt;
    const int fd = call.integer(0);
    if (call.process.fds.stream(fd) != FdTable::kGuestMemory) return std::nullopt;
    const int host = call.process.fds.host(fd);
    const int forbidden = use.writes ? O_RDONLY : O_WRONLY;
    if ((fcntl(host, F_GETFL) & O_ACCMODE) == forbidden) return -EBADF;
    const std::int64_t begin = use.position ? *use.position : lseek(host, 0, SEEK_CUR);
    if (begin < 0) return -EINVAL;

    AddressSpace& memory = call.memory();
    std::array<std::uint8_t, kPage> bytes{};
    std::uint64_t done = 0;
    std::int64_t error = 0;
    while (done < use.length && error == 0) {
        const std::uint64_t at = static_cast<std::uint64_t>(begin) + done;
        const std::uint64_t n = std::min(use.length - done, kPage - at % kPage);
        const auto load = [&](std::uint64_t from) { return memory.read(from, bytes.data(), n); };
        const auto store = [&](std::uint64_t to) { return memory.write(to, bytes.data(), n); };
        if (use.writes) {
            if (!load(use.buffer + done))
                error = -EFAULT;
            else if (!copy_by_force(memory, at, kProtRead | kProtWrite, [&] { return store(at); }))
                error = -EIO;
        } else if (!copy_by_force(memory, at, kProtRead, [&] { return load(at); })) {
            error = -EIO;
        } else if (!store(use.buffer + done)) {
            error = -EFAULT;
        }
        if (error == 0) done += n;
    }
    if (done == 0) return error;
    if (!use.position) lseek(host, begin + static_cast<std::int64_t>(done), SEEK_SET);
    return static_cast<std::int64_t>(done);
}

}  // namespace e2k::guest
