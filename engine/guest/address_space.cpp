// Guest memory: a reserved host range, a byte of permissions per page, a list of mappings.
//
// Every change of the mappings keeps the whole range reserved: pages are replaced (MAP_FIXED),
// never freed, so that no allocation of the workbench can land inside the guest's space.
#include "engine/guest/address_space.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "engine/guest/address_space_impl.h"
#include "engine/guest/memory_observer.h"

namespace e2k::guest {
namespace {

using cpu::kPageShift;
using cpu::kPageSize;

/// A reservation of this size has no rights in the page map: it would cost memory for nothing.
constexpr std::uint64_t kLargeReservation = 1ull << 30;

std::uint8_t page_bits(int prot) {
    unsigned bits = cpu::kPageMapped;
    if (prot & (kProtRead | kProtWrite | kProtExec)) bits |= cpu::kPageRead;
    if (prot & kProtWrite) bits |= cpu::kPageWrite;
    if (prot & kProtExec) bits |= cpu::kPageExec;
    return static_cast<std::uint8_t>(bits);
}

}  // namespace

int host_prot(int prot) {
    int p = PROT_NONE;
    if (prot & (kProtRead | kProtWrite | kProtExec)) p |= PROT_READ;
    if (prot & kProtWrite) p |= PROT_WRITE;
    return p;
}

bool AddressSpace::Impl::claim(std::uint64_t begin, std::uint64_t end) {
    // The last page below the zones is never given away: MemoryView::allows relies on it.
    if (end < cpu::kGuestSpace) return true;
    if (begin < cpu::kGuestSpace || end > cpu::kAddressEnd - kPageSize) return false;
    return space.claim_zones(begin, end);
}

bool AddressSpace::Impl::set_pages(std::uint64_t begin, std::uint64_t end, std::uint8_t bits) {
    if (begin >= end) return false;
    std::uint64_t first = space.view().place(begin) >> kPageShift;
    const std::uint64_t last = first + ((end - begin) >> kPageShift);
    if (bits != 0) static_cast<void>(space.writable_pages(first, last - first));
    bool code = false;
    while (first < last) {
        const auto [from, to] = space.used_pages(first, last);
        for (std::uint64_t page = from; page < to; ++page) {
            auto& at = const_cast<std::uint8_t&>(space.view().pages[page]);
            code |= (at & cpu::kPageExec) != 0;
            if (at != bits) __atomic_store_n(&at, bits, __ATOMIC_RELAXED);
        }
        first = to;
    }
    return code;
}

bool AddressSpace::Impl::publish(const Mapping& m) {
    const Region& r = m.region;
    const std::uint8_t bits = page_bits(r.prot);
    if (!m.file) {
        const bool large = r.prot == kProtNone && r.end - r.begin >= kLargeReservation;
        return set_pages(r.begin, r.end, large ? 0 : bits);
    }
    struct stat st {};
    std::uint64_t size = 0;
    if (fstat(m.fd, &st) == 0) size = static_cast<std::uint64_t>(st.st_size);
    const std::uint64_t live = S_ISREG(st.st_mode) && size > r.file_offset
                                   ? page_up(std::min(size - r.file_offset, r.end - r.begin))
                                   : (S_ISREG(st.st_mode) ? 0 : r.end - r.begin);
    bool code = set_pages(r.begin, r.begin + live, bits | cpu::kPageFile);
    code |= set_pages(r.begin + live, r.end, cpu::kPageMapped | cpu::kPageFile);
    return code;
}

bool AddressSpace::Impl::reserve_host(std::uint64_t begin, std::uint64_t end) {
    return mmap(host(begin), end - begin, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

void AddressSpace::Impl::announce(bool code, std::uint64_t begin, std::uint64_t end) const {
    if (!code) return;
    std::function<void(std::uint64_t, std::uint64_t)> callback;
    {
        std::lock_guard lock(callback_mutex);
        callback = code_change;
    }
    if (callback) callback(begin, end);
}

void AddressSpace::Impl::forget(std::uint64_t begin, std::uint64_t end, bool& code) {
    mappings.split(begin);
    mappings.split(end);
    mappings.each_in(begin, end,
                     [&](const Mapping& m) { code |= set_pages(m.region.begin, m.region.end, 0); });
    mappings.erase(begin, end);
}

tl::expected<void, int> AddressSpace::Impl::unmap_locked(std::uint64_t begin, std::uint64_t end,
                                                         bool& code) {
    mappings.split(begin);
    mappings.split(end);
    int error = 0;
    mappings.each_in(begin, end, [&](Mapping& m) {
        if (error == 0 && !reserve_host(m.region.begin, m.region.end)) error = errno;
    });
    if (error != 0) return tl::unexpected(error);
    forget(begin, end, code);
    release_zones(begin, end);
    return {};
}

void AddressSpace::Impl::release_zones(std::uint64_t begin, std::uint64_t end) {
    if (end <= cpu::kGuestSpace) return;
    const std::uint64_t first = std::max(begin, cpu::kGuestSpace) >> cpu::kZoneBits;
    for (std::uint64_t zone = first; zone <= (end - 1) >> cpu::kZoneBits; ++zone)
        if (mappings.free_range(zone << cpu::kZoneBits, (zone + 1) << cpu::kZoneBits))
            space.release_zone(zone);
}

void AddressSpace::Impl::advise(const Mapping& m) const {
    if (m.wipe_on_fork)
        madvise(host(m.region.begin), m.region.end - m.region.begin, MADV_WIPEONFORK);
}

tl::expected<std::unique_ptr<AddressSpace>, std::string> AddressSpace::create() {
    std::unique_ptr<AddressSpace> space(new AddressSpace);
    space->impl_ = std::make_unique<Impl>();
    Impl& impl = *space->impl_;
    if (!impl.space.reserve())
        return tl::unexpected(fmt::format(
            "cannot reserve {} TiB of address space for the guest: {}; raise the limit on virtual "
            "memory (ulimit -v unlimited)",
            (cpu::kReserved + cpu::kGuestGuard) >> 40, std::strerror(errno)));
    space->view_ = impl.space.view();
    return space;
}

AddressSpace::~AddressSpace() = default;

tl::expected<std::uint64_t, int> AddressSpace::map(std::uint64_t address, std::uint64_t length,
                                                   int prot, Place place, bool shared, int fd,
                                                   std::uint64_t offset, std::string name,
                                                   bool reserve) {
    const bool fixed = place == Place::Fixed || place == Place::FixedNoReplace;
    if (length == 0 || !is_aligned(offset)) return tl::unexpected(EINVAL);
    if (length > cpu::kAddressEnd) return tl::unexpected(ENOMEM);
    length = page_up(length);
    if (fd >= 0 && offset + length < offset) return tl::unexpected(EOVERFLOW);
    if (fixed && !is_aligned(address)) return tl::unexpected(EINVAL);
    bool code = false;
    std::uint64_t at = fixed || address > cpu::kAddressEnd ? address : page_up(address);
    std::string kept_name = observer_of(view_.base) ? name : std::string();
    {
        std::unique_lock lock(impl_->mutex);
        MappingList& mappings = impl_->mappings;
        if (fixed) {
            if (!in_space(at, length)) return tl::unexpected(ENOMEM);
            if (at == 0) return tl::unexpected(EPERM);
            if (place == Place::FixedNoReplace && !mappings.free_range(at, at + length))
                return tl::unexpected(EEXIST);
            if (!impl_->claim(at, at + length)) return tl::unexpected(ENOMEM);
        } else {
            const std::uint64_t limit =
                place == Place::First32 ? kFirst32Limit : cpu::kAddressEnd - kPageSize;
            const bool fits = at != 0 && at <= limit && length <= limit - at &&
                              mappings.free_range(at, at + length) && impl_->claim(at, at + length);
            auto gap = fits ? std::optional(at)
                       : place == Place::First32
                           ? mappings.find_gap(kFirst32Base, kFirst32Limit, length)
                           : mappings.find_gap(length);
            if (!gap) return tl::unexpected(ENOMEM);
            at = *gap;
        }
        Mapping m;
        m.region = {at, at + length, prot, shared, std::move(name), fd >= 0 ? offset : 0};
        if (fd >= 0) {
            struct stat st {};
            if (fstat(fd, &st) != 0) return tl::unexpected(errno);
            m.file = true;
            m.device = st.st_dev;
            m.inode = st.st_ino;
        }
        const int flags = (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED |
                          (reserve ? 0 : MAP_NORESERVE) | (fd < 0 ? MAP_ANONYMOUS : 0);
        if (mmap(impl_->host(at), length, host_prot(prot), flags, fd, static_cast<off_t>(offset)) ==
            MAP_FAILED) {
            const int error = errno;
            impl_->release_zones(at, at + length);
            return tl::unexpected(error);
        }
        if (m.file) {
            m.fd = fcntl(fd, F_DUPFD_CLOEXEC, 512);
            if (m.fd < 0) m.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
            if (m.fd < 0) {
                const int error = errno;
                static_cast<void>(impl_->reserve_host(at, at + length));
                static_cast<void>(impl_->unmap_locked(at, at + length, code));
                return tl::unexpected(error);
            }
        }
        impl_->forget(at, at + length, code);
        code |= impl_->publish(m);
        mappings.insert(std::move(m));
        mappings.merge_around(at);
    }
    impl_->announce(code, at, at + length);
    if (MemoryObserver* const observer = observer_of(view_.base))
        observer->mapped({at, at + length, prot, shared, std::move(kept_name), offset}, fd >= 0,
                         shared && fd >= 0);
    return at;
}

tl::expected<void, int> AddressSpace::unmap(std::uint64_t address, std::uint64_t length) {
    if (length == 0 || !is_aligned(address)) return tl::unexpected(EINVAL);
    if (!in_space(address, length)) return tl::unexpected(EINVAL);
    const std::uint64_t end = address + page_up(length);
    bool code = false;
    {
        std::unique_lock lock(impl_->mutex);
        auto done = impl_->unmap_locked(address, end, code);
        if (!done) return done;
    }
    impl_->announce(code, address, end);
    if (MemoryObserver* const observer = observer_of(view_.base)) observer->unmapped(address, end);
    return {};
}

tl::expected<void, int> AddressSpace::protect(std::uint64_t address, std::uint64_t length,
                                              int prot) {
    if (!is_aligned(address)) return tl::unexpected(EINVAL);
    if (length == 0) return {};
    if (!in_space(address, length)) return tl::unexpected(ENOMEM);
    const std::uint64_t end = address + page_up(length);
    bool code = false;
    int error = 0;
    {
        std::unique_lock lock(impl_->mutex);
        impl_->mappings.split(address);
        impl_->mappings.split(end);
        // Up to the first gap, as the kernel does it.
        std::uint64_t at = address;
        impl_->mappings.each_in(address, end, [&](Mapping& m) {
            if (error != 0 || m.region.begin != at) return;
            const std::uint64_t size = m.region.end - m.region.begin;
            if (mprotect(impl_->host(at), size, host_prot(prot)) != 0) {
                error = errno;
                return;
            }
            at = m.region.end;
            m.region.prot = prot;
            code |= impl_->publish(m);
        });
        if (error == 0 && at < end) error = ENOMEM;
        impl_->mappings.merge_around(address);
    }
    impl_->announce(code, address, end);
    if (MemoryObserver* const observer = observer_of(view_.base))
        observer->protection(address, end - address, prot);
    if (error != 0) return tl::unexpected(error);
    return {};
}

void AddressSpace::clear() {
    restore_forced_pages();
    std::vector<std::pair<std::uint64_t, std::uint64_t>> code_ranges;
    {
        std::unique_lock lock(impl_->mutex);
        std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
        for (const auto& [begin, m] : impl_->mappings.all())
            ranges.emplace_back(begin, m.region.end);
        for (const auto& [begin, end] : ranges) {
            bool code = false;
            static_cast<void>(impl_->unmap_locked(begin, end, code));
            if (code) code_ranges.emplace_back(begin, end);
        }
        impl_->brk_start = impl_->brk = 0;
    }
    for (const auto& [begin, end] : code_ranges) impl_->announce(true, begin, end);
    if (MemoryObserver* const observer = observer_of(view_.base)) observer->cleared();
}

void AddressSpace::start_brk(std::uint64_t brk) {
    std::unique_lock lock(impl_->mutex);
    impl_->brk_start = impl_->brk = brk;
}

std::uint64_t AddressSpace::heap_start() const {
    std::shared_lock lock(impl_->mutex);
    return impl_->brk_start;
}

std::uint64_t AddressSpace::set_brk(std::uint64_t brk) {
    std::uint64_t old_top = 0, new_top = 0, current = 0;
    {
        std::shared_lock lock(impl_->mutex);
        current = impl_->brk;
        // A program linked above the usual place has its heap there.
        constexpr std::uint64_t kHighHeap = 1ull << 36;
        const std::uint64_t limit = impl_->brk_start <= kProgramLimit
                                        ? kProgramLimit
                                        : page_down(impl_->brk_start) + kHighHeap;
        if (brk < impl_->brk_start || brk > limit) return current;
        old_top = page_up(current);
        new_top = page_up(brk);
        if (new_top > old_top && !impl_->mappings.free_range(old_top, new_top)) return current;
    }
    if (new_top > old_top) {
        if (!map(old_top, new_top - old_top, kProtRead | kProtWrite, true, false, -1, 0, "[heap]"))
            return current;
    } else if (new_top < old_top) {
        if (!unmap(new_top, old_top - new_top)) return current;
    }
    std::unique_lock lock(impl_->mutex);
    return impl_->brk = brk;
}

tl::expected<std::uint64_t, int> AddressSpace::attach_shm(int id, std::uint64_t address,
                                                          int flags) {
    shmid_ds ds{};
    if (shmctl(id, IPC_STAT, &ds) != 0) return tl::unexpected(errno);
    if (flags & SHM_RND) address = page_down(address);
    if (address & (kPageSize - 1)) return tl::unexpected(EINVAL);
    const std::uint64_t length = page_up(ds.shm_segsz);
    bool code = false;
    std::uint64_t at = address;
    {
        std::unique_lock lock(impl_->mutex);
        if (at == 0) {
            auto gap = impl_->mappings.find_gap(length);
            if (!gap) return tl::unexpected(ENOMEM);
            at = *gap;
        } else if (!in_space(at, length) ||
                   (!impl_->mappings.free_range(at, at + length) && !(flags & SHM_REMAP))) {
            return tl::unexpected(EINVAL);
        }
        if (!impl_->claim(at, at + length)) return tl::unexpected(EINVAL);
        const int keep = flags & (SHM_RDONLY | SHM_EXEC);
        if (shmat(id, impl_->host(at), keep | SHM_REMAP) == reinterpret_cast<void*>(-1))
            return tl::unexpected(errno);
        Mapping m;
        int prot = kProtRead;
        if (!(flags & SHM_RDONLY)) prot |= kProtWrite;
        if (flags & SHM_EXEC) prot |= kProtExec;
        m.region = {at, at + length, prot, true, fmt::format("/SYSV{:08x}", ds.shm_perm.__key), 0};
        m.shm = true;
        impl_->forget(at, at + length, code);
        code |= impl_->publish(m);
        impl_->mappings.insert(std::move(m));
    }
    impl_->announce(code, at, at + length);
    if (MemoryObserver* const observer = observer_of(view_.base))
        observer->mapped({at, at + length, kProtRead, true, "segment", 0}, true, true);
    return at;
}

tl::expected<void, int> AddressSpace::detach_shm(std::uint64_t address) {
    std::uint64_t length = 0;
    {
        std::shared_lock lock(impl_->mutex);
        const Mapping* m = impl_->mappings.mapping_at(address);
        if (!m || !m->shm || m->region.begin != address) return tl::unexpected(EINVAL);
        length = m->region.end - m->region.begin;
    }
    return unmap(address, length);  // replacing the pages detaches the segment
}

}  // namespace e2k::guest
