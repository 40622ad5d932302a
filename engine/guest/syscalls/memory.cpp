// The guest's address space as system calls see it.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kPage = cpu::kPageSize;
constexpr bool is_aligned(std::uint64_t address) { return (address & (kPage - 1)) == 0; }
constexpr std::uint64_t page_up(std::uint64_t a) { return (a + kPage - 1) & ~(kPage - 1); }

std::int64_t value_of(const tl::expected<std::uint64_t, int>& result) {
    return result ? static_cast<std::int64_t>(*result) : -result.error();
}
std::int64_t value_of(const tl::expected<void, int>& result) {
    return result ? 0 : -result.error();
}

std::int64_t map(Call& call, std::uint64_t offset) {
    const MapRequest request = decode_map_flags(call.arg[3]);
    if (!is_aligned(offset)) return -EINVAL;
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
    if (call.arg[1] == 0) return -EINVAL;
    if (request.error) return -request.error;
    using Place = AddressSpace::Place;
    const Place place = request.no_replace ? Place::FixedNoReplace
                        : request.fixed    ? Place::Fixed
                        : request.first32  ? Place::First32
                                           : Place::Hint;
    int prot = call.integer(2) & kProtMask;
    constexpr std::uint32_t kReadImpliesExec = 0x0400000;  // personality
    if ((prot & kProtRead) && (call.process.self_state.personality & kReadImpliesExec))
        prot |= kProtExec;
    MemoryGrowth growth{.bytes = (call.arg[1] + kPage - 1) & ~(kPage - 1),
                        .data = !request.shared && (call.arg[2] & kProtWrite)};
    if (request.fixed) {
        growth.replaced_begin = call.arg[0];
        growth.replaced_end = call.arg[0] + growth.bytes;
    }
    if (!within_limits(call.process, growth)) return -ENOMEM;
    const auto at = call.memory().map(call.arg[0], call.arg[1], prot, place, request.shared, fd,
                                      offset, std::move(name), !request.no_reserve);
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
    constexpr std::uint64_t kSemaphores = 8, kGrowsDown = 0x20, kGrowsUp = 0x40,
                            kCodeUnit = 0xff'ff00;
    const std::uint64_t prot = call.arg[2];
    std::uint64_t begin = call.arg[0], length = call.arg[1];
    const std::uint64_t grows = prot & (kGrowsDown | kGrowsUp);
    if (grows == (kGrowsDown | kGrowsUp) || !is_aligned(begin)) return -EINVAL;
    if (length == 0) return 0;
    if (prot & ~(kProtMask | kSemaphores | kGrowsDown | kGrowsUp | kCodeUnit)) return -EINVAL;
    if (grows) {
        // To the end of an area that grows; only the stack is one, and it grows downwards.
        const auto region = call.memory().region_at(begin);
        if (!region) return -ENOMEM;
        if (grows == kGrowsUp || region->name != "[stack]") return -EINVAL;
        length += begin - region->begin;
        begin = region->begin;
    }
    return value_of(call.memory().protect(begin, length, static_cast<int>(prot) & kProtMask));
}

std::int64_t sys_mremap(Call& call) {
    constexpr std::uint64_t kFlags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
    const std::uint64_t flags = call.arg[3];
    if (flags & ~kFlags) return -EINVAL;
    const bool may_move = (flags & MREMAP_MAYMOVE) != 0;
    std::optional<std::uint64_t> fixed;
    if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !may_move) return -EINVAL;
    if (flags & MREMAP_FIXED) fixed = call.arg[4];
    if (call.arg[2] > call.arg[1]) {
        const auto region = call.memory().region_at(call.arg[0]);
        const bool data = region && !region->shared && (region->prot & kProtWrite);
        if (!within_limits(call.process, {.bytes = call.arg[2] - call.arg[1], .data = data}))
            return -ENOMEM;
    }
    return value_of(call.memory().remap(call.arg[0], call.arg[1], call.arg[2], may_move, fixed,
                                        (flags & MREMAP_DONTUNMAP) != 0));
}

std::int64_t sys_brk(Call& call) {
    const std::uint64_t now = call.memory().set_brk(0);
    if (call.arg[0] > now &&
        !within_limits(call.process, {.bytes = call.arg[0] - now, .data = true}))
        return static_cast<std::int64_t>(now);
    return static_cast<std::int64_t>(call.memory().set_brk(call.arg[0]));
}

// --- calls about ranges of mappings ---

/// Host system call `number` for each part of the range; 0 or -errno, -ENOMEM where nothing is.
std::int64_t on_parts(Call& call, std::uint64_t begin, std::uint64_t length, long number,
                      std::uint64_t extra = 0) {
    return -call.memory().for_each_part(
        begin, length, [&](const Region&, std::uint8_t* at, std::uint64_t size) {
            return static_cast<int>(
                -Call::host(number, reinterpret_cast<std::uint64_t>(at), size, extra));
        });
}

/// Whether page contents of a mapping come from somewhere that the host does not know: what
/// "forget what was written" would give cannot be had there.
bool is_program_image(const Region& region, const Process::Impl& process) {
    return region.name == process.executable;
}

bool is_advice(int advice) {
    constexpr int kCollapse = 25, kDontNeedLocked = 24, kHwPoison = 100, kSoftOffline = 101;
    constexpr int kHoles[] = {5, 6, 7};  // of the list that ends with MADV_POPULATE_WRITE
    return (advice >= MADV_NORMAL && advice <= MADV_POPULATE_WRITE &&
            std::ranges::find(kHoles, advice) == std::end(kHoles)) ||
           advice == kDontNeedLocked || advice == kCollapse || advice == kHwPoison ||
           advice == kSoftOffline;
}

std::int64_t advise(Call& call, std::uint64_t begin, std::uint64_t length, int advice) {
    constexpr int kDontNeedLocked = 24, kHwPoison = 100, kSoftOffline = 101;
    if (!is_advice(advice) || !is_aligned(begin)) return -EINVAL;
    const std::uint64_t rounded = page_up(length), end = begin + rounded;
    if ((length != 0 && rounded == 0) || end < begin) return -EINVAL;
    if (rounded == 0) return 0;
    AddressSpace& memory = call.memory();
    switch (advice) {
        case kHwPoison:
        case kSoftOffline:
            return -EPERM;
        case MADV_DONTDUMP:  // the host's: what a core of the workbench would hold
        case MADV_DODUMP:
            return memory.covered(begin, rounded) ? 0 : -ENOMEM;
        case MADV_WIPEONFORK:
        case MADV_KEEPONFORK:
        case MADV_DONTFORK:
        case MADV_DOFORK:
            return -memory.advise_fork(begin, rounded, advice);
        default:
            break;
    }
    const bool forgets = advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_REMOVE ||
                         advice == kDontNeedLocked;
    const int error = memory.for_each_part(
        begin, rounded, [&](const Region& region, std::uint8_t* at, std::uint64_t size) {
            if (forgets && is_program_image(region, call.process)) return EINVAL;
            return static_cast<int>(-Call::host(SYS_madvise, reinterpret_cast<std::uint64_t>(at),
                                                size, static_cast<std::uint64_t>(advice)));
        });
    if (forgets) memory.note_write(begin, rounded);
    return -error;
}

std::int64_t sys_madvise(Call& call) {
    return advise(call, call.arg[0], call.arg[1], call.integer(2));
}

std::int64_t sys_msync(Call& call) {
    const std::uint64_t begin = call.arg[0], flags = call.arg[2],
                        end = begin + page_up(call.arg[1]);
    if (flags & ~std::uint64_t{MS_ASYNC | MS_INVALIDATE | MS_SYNC}) return -EINVAL;
    if (!is_aligned(begin)) return -EINVAL;
    if ((flags & MS_ASYNC) && (flags & MS_SYNC)) return -EINVAL;
    if (end < begin) return -ENOMEM;
    return end == begin ? 0 : on_parts(call, begin, end - begin, SYS_msync, flags);
}

/// mlock, mlock2, munlock: any address; all of its page counts.
std::int64_t lock_pages(Call& call, long number, std::uint64_t flags) {
    const std::uint64_t begin = call.arg[0] & ~(kPage - 1);
    const std::uint64_t length = page_up(call.arg[1] + (call.arg[0] & (kPage - 1)));
    if (begin + length < begin || length < call.arg[1]) return -EINVAL;
    return length == 0 ? 0 : on_parts(call, begin, length, number, flags);
}
std::int64_t sys_mlock(Call& call) { return lock_pages(call, SYS_mlock, 0); }
std::int64_t sys_munlock(Call& call) { return lock_pages(call, SYS_munlock, 0); }
std::int64_t sys_mlock2(Call& call) {
    if (call.integer(2) & ~MLOCK_ONFAULT) return -EINVAL;
    return lock_pages(call, SYS_mlock2, call.arg[2]);
}

/// Locking everything would lock the workbench: nothing the guest could observe is missing.
std::int64_t sys_mlockall(Call& call) {
    const int flags = call.integer(0);
    if (flags == 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
        return -EINVAL;
    return 0;
}
std::int64_t sys_munlockall(Call&) { return 0; }

std::int64_t sys_mincore(Call& call) {
    const std::uint64_t begin = call.arg[0], length = page_up(call.arg[1]);
    if (!is_aligned(begin)) return -EINVAL;
    if (call.arg[1] > cpu::kAddressEnd || begin > cpu::kAddressEnd - length) return -ENOMEM;
    constexpr std::uint64_t kChunk = 4096;  // pages at a time
    std::array<std::uint8_t, kChunk> pages;
    for (std::uint64_t done = 0; done < length; done += kChunk * kPage) {
        const std::uint64_t size = std::min(kChunk * kPage, length - done);
        auto* to = pages.data();
        const int error = call.memory().for_each_part(
            begin + done, size, [&](const Region&, std::uint8_t* at, std::uint64_t part) {
                if (mincore(at, part, to) != 0) return errno;
                to += part / kPage;
                return 0;
            });
        if (error) return -error;
        if (!call.memory().write(call.arg[2] + done / kPage, pages.data(), size / kPage))
            return -EFAULT;
    }
    return 0;
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{45, "brk", {Ptr}, sys_brk},
    SyscallRow{90, "mmap", {Ptr, Size, Prot, MapFlags, Fd, Hex}, sys_mmap},
    SyscallRow{91, "munmap", {Ptr, Size}, sys_munmap},
    SyscallRow{125, "mprotect", {Ptr, Size, Prot}, sys_mprotect},
    SyscallRow{144, "msync", {Ptr, Size, Hex}, sys_msync},
    SyscallRow{150, "mlock", {Ptr, Size}, sys_mlock},
    SyscallRow{151, "munlock", {Ptr, Size}, sys_munlock},
    SyscallRow{152, "mlockall", {Hex}, sys_mlockall},
    SyscallRow{153, "munlockall", {}, sys_munlockall},
    SyscallRow{163, "mremap", {Ptr, Size, Size, RemapFlags, Ptr}, sys_mremap},
    SyscallRow{192, "mmap2", {Ptr, Size, Prot, MapFlags, Fd, Hex}, sys_mmap2},
    SyscallRow{218, "mincore", {Ptr, Size, Ptr}, sys_mincore},
    SyscallRow{219, "madvise", {Ptr, Size, Advice}, sys_madvise},
    SyscallRow{391, "mlock2", {Ptr, Size, Hex}, sys_mlock2},
};

}  // namespace

std::span<const SyscallRow> memory_rows() { return kRows; }

}  // namespace e2k::guest
