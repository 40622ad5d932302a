// The rare cases of guest memory: zones of high addresses, pages of files that may have shrunk.
#include "engine/cpu/memory.h"

#include <atomic>

#include "engine/cpu/host_faults.h"
#include "engine/cpu/page_watch.h"
#include "engine/cpu/stack_watch.h"

namespace e2k::cpu {
namespace {

std::atomic<PageWatch*> page_watch{nullptr};
std::atomic<const std::uint8_t*> watched_base{nullptr};

void tell_watch(const MemoryView& memory, std::uint64_t address, unsigned size, std::uint8_t bits) {
    PageWatch* const watch = page_watch.load();
    if (watch && watched_base.load() == memory.base)
        watch->touched(StackWatch::current(), address, size, (bits & kPageWrite) != 0);
}

}  // namespace

void set_page_watch(const std::uint8_t* base, PageWatch* watch) {
    if (!watch && watched_base.load() != base) return;
    page_watch = watch;
    watched_base = watch ? base : nullptr;
}

std::uint64_t MemoryView::place_in_zone(std::uint64_t address) const {
    if (address >= kAddressEnd) return kNowhere;
    const auto* const table = reinterpret_cast<const ZonePlace*>(pages - kZoneTableBytes);
    const ZonePlace at = __atomic_load_n(&table[address >> kZoneBits], __ATOMIC_RELAXED);
    if (at == 0) return kNowhere;
    return kFirstZonePlace + ((at - 1ull) << kZoneBits) + (address & (kZoneSize - 1));
}

bool MemoryView::allows_unusual(std::uint64_t address, unsigned size, std::uint8_t bits) const {
    if (address >= kAddressEnd - 4096) return false;
    const std::uint64_t first = place(address), last = place(address + size - 1);
    // What lies side by side for the guest does so in the host, or is not mapped.
    if (first == kNowhere || last != first + size - 1) return false;
    for (std::uint64_t at = first;;) {
        const std::uint8_t now = page(at >> kPageShift);
        if ((now & bits) != bits) return false;
        const bool touched = (bits & (kPageRead | kPageWrite | kPageExec)) != 0;
        if ((now & kPageWatched) && touched) tell_watch(*this, address, size, bits);
        if ((now & kPageFile) && touched && !can_touch(base + at)) return false;
        if (at >> kPageShift == last >> kPageShift) return true;
        at = last;
    }
}

bool MemoryView::copy_out(std::uint64_t address, void* to, std::size_t size) const {
    const std::uint64_t at = place(address);
    return at != kNowhere && guarded_copy(to, base + at, size);
}

bool MemoryView::copy_in(std::uint64_t address, const void* from, std::size_t size) const {
    const std::uint64_t at = place(address);
    return at != kNowhere && guarded_copy(base + at, from, size);
}

}  // namespace e2k::cpu
