// What is where in guest memory, and copies into it and out of it.
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>

#include "engine/guest/address_space_impl.h"
#include "engine/guest/memory_observer.h"

namespace e2k::guest {

using cpu::kPageShift;
using cpu::kPageSize;

bool AddressSpace::Impl::allowed(std::uint64_t address, std::size_t size, std::uint8_t bits) const {
    if (size == 0) return true;
    if (!in_space(address, size)) return false;
    const cpu::MemoryView view = space.view();
    const std::uint64_t first = view.place(address), last = view.place(address + size - 1);
    if (first == cpu::MemoryView::kNowhere || last != first + size - 1) return false;
    for (std::uint64_t page = first >> kPageShift; page <= last >> kPageShift; ++page)
        if ((view.page(page) & bits) != bits) return false;
    return true;
}

bool AddressSpace::refresh_file_pages(std::optional<std::uint64_t> address) {
    const auto readable = [&] {
        const std::uint64_t place = view_.place(*address);
        return place != cpu::MemoryView::kNowhere &&
               (view_.page(place >> kPageShift) & cpu::kPageRead) != 0;
    };
    const bool before = address && readable();
    restore_forced_pages();
    std::unique_lock lock(impl_->mutex);
    if (!address) {
        for (const auto& [begin, m] : impl_->mappings.all())
            if (m.file) impl_->publish(m);
        return false;
    }
    const Mapping* m = impl_->mappings.mapping_at(*address);
    if (!m || !m->file) return false;
    impl_->publish(*m);
    return !before && readable();
}

void AddressSpace::restore_forced_pages() {
    auto forced = impl_->space.next_forced_page();
    if (!forced) return;
    std::unique_lock lock(impl_->mutex);
    for (; forced; forced = impl_->space.next_forced_page()) {
        const Mapping* m = impl_->mappings.mapping_at(forced->address);
        if (!m) {
            static_cast<void>(impl_->reserve_host(forced->address, forced->address + kPageSize));
            impl_->set_pages(forced->address, forced->address + kPageSize, 0);
            continue;
        }
        const Region& r = m->region;
        std::uint8_t* const at = impl_->host(forced->address);
        if (forced->replaced && m->file)
            static_cast<void>(mmap(at, kPageSize, host_prot(r.prot),
                                   (r.shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED, m->fd,
                                   static_cast<off_t>(r.file_offset + forced->address - r.begin)));
        else
            static_cast<void>(mprotect(at, kPageSize, host_prot(r.prot)));
        impl_->publish(*m);
    }
}

std::vector<Region> AddressSpace::regions() const {
    std::shared_lock lock(impl_->mutex);
    std::vector<Region> all;
    all.reserve(impl_->mappings.all().size());
    for (const auto& [begin, m] : impl_->mappings.all()) all.push_back(m.region);
    return all;
}

std::optional<Region> AddressSpace::region_at(std::uint64_t address) const {
    std::shared_lock lock(impl_->mutex);
    const Mapping* m = impl_->mappings.mapping_at(address);
    return m ? std::optional(m->region) : std::nullopt;
}

bool AddressSpace::covered(std::uint64_t address, std::uint64_t size) const {
    if (!in_space(address, size)) return false;
    std::shared_lock lock(impl_->mutex);
    return impl_->mappings.covered(address, address + size);
}

int AddressSpace::for_each_part(
    std::uint64_t address, std::uint64_t size,
    const std::function<int(const Region&, std::uint8_t*, std::uint64_t)>& visit) {
    if (!in_space(address, size)) return ENOMEM;
    std::shared_lock lock(impl_->mutex);
    const std::uint64_t end = address + size;
    bool gap = false;
    for (std::uint64_t at = address; at < end;) {
        const Mapping* m = impl_->mappings.mapping_or_next(at);
        if (!m || m->region.begin >= end) return ENOMEM;
        gap |= m->region.begin > at;
        const std::uint64_t begin = std::max(at, m->region.begin);
        at = std::min(end, m->region.end);
        if (const int error = visit(m->region, impl_->host(begin), at - begin)) return error;
    }
    return gap ? ENOMEM : 0;
}

int AddressSpace::advise_fork(std::uint64_t address, std::uint64_t size, int advice) {
    if (!in_space(address, size)) return ENOMEM;
    std::unique_lock lock(impl_->mutex);
    const std::uint64_t end = address + size;
    const bool covered = impl_->mappings.covered(address, end);
    impl_->mappings.split(address);
    impl_->mappings.split(end);
    int error = 0;
    impl_->mappings.each_in(address, end, [&](Mapping& m) {
        if (error != 0) return;
        const bool wipe = advice == MADV_WIPEONFORK || advice == MADV_KEEPONFORK;
        if (!wipe) {
            m.dont_fork = advice == MADV_DONTFORK;
            return;
        }
        if (madvise(impl_->host(m.region.begin), m.region.end - m.region.begin, advice) != 0)
            error = errno;
        else
            m.wipe_on_fork = advice == MADV_WIPEONFORK;
    });
    impl_->mappings.merge_around(address);
    return error != 0 ? error : covered ? 0 : ENOMEM;
}

void AddressSpace::on_code_change(std::function<void(std::uint64_t, std::uint64_t)> callback) {
    std::lock_guard lock(impl_->callback_mutex);
    impl_->code_change = std::move(callback);
}

std::uint8_t* AddressSpace::host(std::uint64_t address, std::uint64_t size) const {
    // Nothing of no size has a place either (read(fd, p, 0) with p beyond everything).
    const bool placed = view_.place(address) != cpu::MemoryView::kNowhere;
    if (!placed || size > reach(address)) return nullptr;
    if (MemoryObserver* const observer = observer_of(view_.base))
        observer->may_write(address, size);
    return impl_->host(address);
}

std::uint64_t AddressSpace::guest(const void* host) const {
    const auto offset =
        static_cast<std::uint64_t>(static_cast<const std::uint8_t*>(host) - view_.base);
    return impl_->space.address_at(offset).value_or(cpu::kAddressEnd);
}

std::uint64_t AddressSpace::reach(std::uint64_t address) const {
    const std::uint64_t room = impl_->space.contiguous(address);
    return address < cpu::kGuestSpace ? room - std::min(room, kPageSize) : room;
}

WatchedPages& AddressSpace::watched() { return impl_->watched; }

void AddressSpace::note_write(std::uint64_t address, std::uint64_t size) {
    if (size == 0 || reach(address) < size) return;
    bool code = false;
    const std::uint64_t first = view_.place(address);
    for (std::uint64_t page = first >> kPageShift; page <= (first + size - 1) >> kPageShift; ++page)
        code |= (view_.page(page) & cpu::kPageExec) != 0;
    impl_->announce(code, address, address + size);
    if (MemoryObserver* const observer = observer_of(view_.base)) observer->written(address, size);
}

void AddressSpace::lock_for_fork() {
    impl_->mutex.lock();
    impl_->callback_mutex.lock();
}

void AddressSpace::unlock_after_fork(bool in_child) {
    impl_->callback_mutex.unlock();
    if (!in_child) {
        impl_->mutex.unlock();
        return;
    }
    // A reader-writer lock knows its writer by thread id, and the child has another one.
    new (&impl_->mutex) std::shared_mutex;
    std::vector<Region> gone;
    for (const auto& [begin, m] : impl_->mappings.all())
        if (m.dont_fork) gone.push_back(m.region);
    for (const Region& r : gone) static_cast<void>(unmap(r.begin, r.end - r.begin));
}

bool AddressSpace::read(std::uint64_t address, void* to, std::size_t size) const {
    if (size == 0) return true;
    std::shared_lock lock(impl_->mutex);
    return impl_->allowed(address, size, cpu::kPageRead) && view_.copy_out(address, to, size);
}

bool AddressSpace::write(std::uint64_t address, const void* from, std::size_t size) {
    if (size == 0) return true;
    if (MemoryObserver* const observer = observer_of(view_.base))
        observer->may_write(address, size);
    {
        std::shared_lock lock(impl_->mutex);
        if (!impl_->allowed(address, size, cpu::kPageWrite) || !view_.copy_in(address, from, size))
            return false;
    }
    note_write(address, size);
    return true;
}

std::optional<std::string> AddressSpace::read_string(std::uint64_t address,
                                                     std::size_t limit) const {
    std::string text;
    std::array<char, 256> chunk{};
    while (text.size() < limit) {
        const std::uint64_t in_page = kPageSize - (address & (kPageSize - 1));
        const std::size_t size =
            std::min<std::uint64_t>({in_page, chunk.size(), limit - text.size()});
        if (!read(address, chunk.data(), size)) return std::nullopt;
        const std::size_t length = strnlen(chunk.data(), size);
        text.append(chunk.data(), length);
        if (length < size) return text;
        address += size;
    }
    return text;
}

}  // namespace e2k::guest
