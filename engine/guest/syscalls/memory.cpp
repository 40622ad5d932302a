// The guest's address space as system calls see it.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kPage = cpu::kPageSize;

std::int64_t value_of(const tl::expected<std::uint64_t, int>& result) {
    return result ? static_cast<std::int64_t>(*result) : -result.error();
}
std::int64_t value_of(const tl::expected<void, int>& result) {
    return result ? 0 : -result.error();
}

std::int64_t map(Call& call, std::uint64_t offset) {
    const MapRequest request = decode_map_flags(call.arg[3]);
    if (!request.valid || call.arg[1] == 0 || (offset & (kPage - 1))) return -EINVAL;
    int fd = -1;
    std::string name;
    if (!request.anonymous) {
        fd = call.fd(4);
        if (fd < 0) return -EBADF;
        std::array<char, 4096> path;
        const std::string link = "/proc/self/fd/" + std::to_string(fd);
        const ssize_t n = readlink(link.c_str(), path.data(), path.size());
        name = n > 0 ? std::string(path.data(), static_cast<std::size_t>(n)) : "file";
    }
    if (request.no_replace) {
        // Refuse instead of replacing: every page of the range must be free.
        const std::uint64_t end = call.arg[0] + call.arg[1];
        for (const Region& r : call.memory().regions())
            if (r.begin < end && call.arg[0] < r.end) return -EEXIST;
    }
    const auto at = call.memory().map(call.arg[0], call.arg[1], call.integer(2) & kProtMask,
                                      request.fixed, request.shared, fd, offset, std::move(name));
    return value_of(at);
}

std::int64_t sys_mmap(Call& call) { return map(call, call.arg[5]); }
std::int64_t sys_mmap2(Call& call) {
    if (call.arg[5] >> 52) return -EOVERFLOW;
    return map(call, call.arg[5] * kPage);
}
std::int64_t sys_munmap(Call& call) {
    return value_of(call.memory().unmap(call.arg[0], call.arg[1]));
}
std::int64_t sys_mprotect(Call& call) {
    return value_of(call.memory().protect(call.arg[0], call.arg[1], call.integer(2) & kProtMask));
}

std::int64_t sys_mremap(Call& call) {
    const std::uint64_t flags = call.arg[3];
    if (flags & ~std::uint64_t{MREMAP_MAYMOVE | MREMAP_FIXED}) return -EINVAL;
    const bool may_move = (flags & MREMAP_MAYMOVE) != 0;
    std::optional<std::uint64_t> fixed;
    if (flags & MREMAP_FIXED) {
        if (!may_move) return -EINVAL;
        fixed = call.arg[4];
    }
    return value_of(call.memory().remap(call.arg[0], call.arg[1], call.arg[2], may_move, fixed));
}

std::int64_t sys_brk(Call& call) {
    return static_cast<std::int64_t>(call.memory().set_brk(call.arg[0]));
}

/// [address, address+length) rounded to pages; nullptr if it is not all mapped.
std::uint8_t* mapped_range(Call& call, std::uint64_t address, std::uint64_t& length) {
    length = (length + kPage - 1) & ~(kPage - 1);
    std::uint8_t* at = call.memory().host(address, length);
    if (!at) return nullptr;
    const cpu::MemoryView view = call.memory().view();
    for (std::uint64_t page = address / kPage; page < (address + length) / kPage; ++page)
        if (!(view.page(page) & cpu::kPageMapped)) return nullptr;
    return at;
}

std::int64_t sys_madvise(Call& call) {
    if (call.arg[0] & (kPage - 1)) return -EINVAL;
    std::uint64_t length = call.arg[1];
    std::uint8_t* at = mapped_range(call, call.arg[0], length);
    if (!at) return -ENOMEM;
    switch (call.integer(2)) {
        case MADV_DONTNEED:
        case MADV_FREE:
        case MADV_REMOVE:
            return Call::host(SYS_madvise, reinterpret_cast<std::uint64_t>(at), length,
                              call.arg[2]);
        default:
            return 0;  // advice only
    }
}

/// Calls that only need the range in the host: msync, mlock, munlock, mincore.
std::int64_t on_range(Call& call, long number, std::uint64_t extra) {
    if (call.arg[0] & (kPage - 1)) return -EINVAL;
    std::uint64_t length = call.arg[1];
    std::uint8_t* at = mapped_range(call, call.arg[0], length);
    if (!at) return -ENOMEM;
    return call.blocking(number, reinterpret_cast<std::uint64_t>(at), length, extra);
}
std::int64_t sys_msync(Call& call) { return on_range(call, SYS_msync, call.arg[2]); }
std::int64_t sys_mlock(Call& call) {
    const std::uint64_t offset = call.arg[0] & (kPage - 1);
    call.arg[0] -= offset;
    call.arg[1] += offset;
    return on_range(call, call.number == 151 ? SYS_munlock : SYS_mlock, 0);
}
std::int64_t sys_mlock2(Call& call) {
    constexpr std::uint64_t kOnFault = 1;
    if (call.arg[2] & 0xffff'ffff & ~kOnFault) return -EINVAL;
    if (!(call.arg[2] & kOnFault)) return sys_mlock(call);
    const std::uint64_t offset = call.arg[0] & (kPage - 1);
    call.arg[0] -= offset;
    call.arg[1] += offset;
    return on_range(call, SYS_mlock2, kOnFault);
}
std::int64_t sys_mincore(Call& call) {
    const std::uint64_t pages = (call.arg[1] + kPage - 1) / kPage;
    return on_range(call, SYS_mincore, call.pointer(call.arg[2], pages));
}
std::int64_t sys_mlockall(Call&) { return 0; }  // nothing the guest could observe

using enum Arg;
constexpr std::array kRows{
    SyscallRow{45, "brk", {Ptr}, sys_brk},
    SyscallRow{90, "mmap", {Ptr, Size, Prot, MapFlags, Fd, Hex}, sys_mmap},
    SyscallRow{91, "munmap", {Ptr, Size}, sys_munmap},
    SyscallRow{125, "mprotect", {Ptr, Size, Prot}, sys_mprotect},
    SyscallRow{144, "msync", {Ptr, Size, Hex}, sys_msync},
    SyscallRow{150, "mlock", {Ptr, Size}, sys_mlock},
    SyscallRow{151, "munlock", {Ptr, Size}, sys_mlock},
    SyscallRow{152, "mlockall", {Hex}, sys_mlockall},
    SyscallRow{153, "munlockall", {}, sys_mlockall},
    SyscallRow{163, "mremap", {Ptr, Size, Size, RemapFlags, Ptr}, sys_mremap},
    SyscallRow{192, "mmap2", {Ptr, Size, Prot, MapFlags, Fd, Hex}, sys_mmap2},
    SyscallRow{218, "mincore", {Ptr, Size, Ptr}, sys_mincore},
    SyscallRow{219, "madvise", {Ptr, Size, Advice}, sys_madvise},
    SyscallRow{391, "mlock2", {Ptr, Size, Hex}, sys_mlock2},
};

}  // namespace

std::span<const SyscallRow> memory_rows() { return kRows; }

}  // namespace e2k::guest
