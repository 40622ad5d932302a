// mremap: mappings grow, shrink and move.
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

#include "engine/guest/address_space_impl.h"
#include "engine/guest/memory_observer.h"

namespace e2k::guest {

namespace {

int host_flags(const Mapping& m) {
    return (m.region.shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED | MAP_NORESERVE |
           (m.file ? 0 : MAP_ANONYMOUS);
}

}  // namespace

/// Moves the pages without ever leaving a hole in the reservation.
tl::expected<void, int> AddressSpace::Impl::move_host(const Mapping& m, std::uint64_t old_size,
                                                      std::uint64_t to, std::uint64_t new_size) {
    std::uint8_t* const from = host(m.region.begin);
    constexpr int kMove = MREMAP_MAYMOVE | MREMAP_FIXED;
    const std::uint64_t common = std::min(old_size, new_size);
    void* moved = mremap(from, common, common, kMove | MREMAP_DONTUNMAP, host(to));
    if (moved == MAP_FAILED) moved = mremap(from, common, common, kMove, host(to));
    if (moved == MAP_FAILED) return tl::unexpected(errno);
    if (!reserve_host(m.region.begin, m.region.begin + old_size)) return tl::unexpected(errno);
    if (new_size > common &&
        mmap(host(to) + common, new_size - common, host_prot(m.region.prot), host_flags(m), m.fd,
             m.file ? static_cast<off_t>(m.region.file_offset + common) : 0) == MAP_FAILED)
        return tl::unexpected(errno);
    return {};
}

/// The mapping that begins at m's address becomes longer where it is.
tl::expected<void, int> AddressSpace::Impl::grow(const Mapping& m, std::uint64_t new_size,
                                                 bool& code) {
    const std::uint64_t old_end = m.region.end, size = old_end - m.region.begin;
    if (mmap(host(old_end), new_size - size, host_prot(m.region.prot), host_flags(m), m.fd,
             m.file ? static_cast<off_t>(m.region.file_offset + size) : 0) == MAP_FAILED)
        return tl::unexpected(errno);
    Mapping& grown = mappings.beginning_at(m.region.begin);
    grown.region.end = m.region.begin + new_size;
    code |= publish(grown);
    advise(grown);
    return {};
}

tl::expected<void, int> AddressSpace::Impl::move(Mapping m, std::uint64_t new_size,
                                                 std::uint64_t to, bool keep_old, bool& code) {
    const Region old = m.region;
    if (!claim(to, to + new_size)) return tl::unexpected(ENOMEM);
    auto done = move_host(m, old.end - old.begin, to, new_size);
    if (!done) return done;
    mappings.hold(m);  // forgetting the old place must not close its descriptor
    forget(to, to + new_size, code);
    if (!keep_old) {
        forget(old.begin, old.end, code);
        release_zones(old.begin, old.end);
    } else if (mmap(host(old.begin), old.end - old.begin, host_prot(old.prot), host_flags(m), -1,
                    0) == MAP_FAILED) {
        return tl::unexpected(errno);
    }
    m.region.begin = to;
    m.region.end = to + new_size;
    code |= publish(m);
    advise(m);
    mappings.insert(m);
    mappings.drop(m);
    return {};
}

tl::expected<std::uint64_t, int> AddressSpace::remap(std::uint64_t old_address,
                                                     std::uint64_t old_size, std::uint64_t new_size,
                                                     bool may_move,
                                                     std::optional<std::uint64_t> fixed,
                                                     bool keep_old) {
    if (!is_aligned(old_address) || new_size == 0) return tl::unexpected(EINVAL);
    if (keep_old && page_up(old_size) != page_up(new_size)) return tl::unexpected(EINVAL);
    if (fixed && (!is_aligned(*fixed) || !in_space(*fixed, new_size) || *fixed == 0))
        return tl::unexpected(EINVAL);
    if (!in_space(old_address, old_size)) return tl::unexpected(EFAULT);
    if (new_size > cpu::kAddressEnd) return tl::unexpected(ENOMEM);
    old_size = page_up(old_size);
    new_size = page_up(new_size);
    if (fixed && *fixed < old_address + old_size && old_address < *fixed + new_size)
        return tl::unexpected(EINVAL);
    const std::uint64_t old_end = old_address + old_size;
    bool code = false;
    std::uint64_t result = old_address;
    {
        std::unique_lock lock(impl_->mutex);
        MappingList& mappings = impl_->mappings;
        const Mapping* found = mappings.mapping_at(old_address);
        if (!found) return tl::unexpected(EFAULT);
        // Duplicating shared pages is not offered.
        if (old_size == 0) return tl::unexpected(EINVAL);
        if (new_size < old_size) {
            auto done = impl_->unmap_locked(old_address + new_size, old_end, code);
            if (!done) return tl::unexpected(done.error());
            old_size = new_size;
        }
        if (old_size != new_size || fixed || keep_old) {
            if (old_address + old_size > mappings.mapping_at(old_address)->region.end)
                return tl::unexpected(EFAULT);
            mappings.split(old_address);
            mappings.split(old_address + old_size);
            const Mapping m = *mappings.mapping_at(old_address);
            if (keep_old && (m.file || m.region.shared)) return tl::unexpected(EINVAL);
            const std::uint64_t new_end = old_address + new_size;
            const bool stays = !fixed && !keep_old && in_space(old_address, new_size) &&
                               mappings.free_range(old_address + old_size, new_end) && !m.shm &&
                               (m.file || !m.region.shared) && impl_->claim(old_address, new_end);
            tl::expected<void, int> done;
            if (stays) {
                done = impl_->grow(m, new_size, code);
            } else {
                const auto gap = fixed ? fixed : mappings.find_gap(new_size);
                if (!may_move || !gap) return tl::unexpected(ENOMEM);
                result = *gap;
                done = impl_->move(m, new_size, result, keep_old, code);
            }
            if (!done) return tl::unexpected(done.error());
        }
    }
    impl_->announce(code, old_address, old_end);
    if (result != old_address) impl_->announce(code, result, result + new_size);
    if (MemoryObserver* const observer = observer_of(view_.base))
        observer->moved({old_address, old_end - old_address, result, new_size, keep_old});
    return result;
}

}  // namespace e2k::guest
