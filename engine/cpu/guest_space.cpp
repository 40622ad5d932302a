#include "engine/cpu/guest_space.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <utility>

#include "engine/cpu/host_faults.h"

namespace e2k::cpu {
namespace {

/// Where the host is asked to place the space; 0 leaves it to the host. Only a hint, for tools
/// that divide up the host's address space themselves (CMake option E2K_GUEST_SPACE_AT).
#ifndef E2K_GUEST_SPACE_AT
#define E2K_GUEST_SPACE_AT 0
#endif
constexpr std::uintptr_t kPlace = E2K_GUEST_SPACE_AT;
/// The page map becomes writable in pieces of so many entries: 8 GiB of the guest's memory.
constexpr std::uint64_t kMapPiece = 2u << 20;

std::uint8_t* map(std::uintptr_t place, std::uint64_t size, int protection) {
    void* p = mmap(reinterpret_cast<void*>(place), size, protection,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(p);
}

}  // namespace

GuestSpace::GuestSpace(GuestSpace&& other) noexcept { *this = std::move(other); }

GuestSpace& GuestSpace::operator=(GuestSpace&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(pages_, other.pages_);
    std::swap(writable_, other.writable_);
    std::swap(guarded_, other.guarded_);
    return *this;
}

GuestSpace::~GuestSpace() {
    unregister_guarded_range(guarded_);
    if (base_) munmap(base_ - kGuestGuard, kGuestGuard + kReserved);
    if (pages_) munmap(pages_ - kZoneTableBytes, kZoneTableBytes + kGuestPages);
}

bool GuestSpace::reserve() {
    GuestSpace fresh;
    std::uint8_t* const guard = map(kPlace, kGuestGuard + kReserved, PROT_NONE);
    if (!guard) return false;
    fresh.base_ = guard + kGuestGuard;
    // Read only, so that it counts for nothing: the parts that are used become writable.
    std::uint8_t* const table = map(0, kZoneTableBytes + kGuestPages, PROT_READ);
    if (!table) return false;
    fresh.pages_ = table + kZoneTableBytes;
    if (mprotect(table, kZoneTableBytes, PROT_READ | PROT_WRITE) != 0) return false;
    fresh.writable_.resize(kGuestPages / kMapPiece + 1);
    // Core dumps of the workbench need not carry the reservation.
    madvise(fresh.base_, kReserved, MADV_DONTDUMP);
    fresh.guarded_ = register_guarded_range(fresh.base_, kReserved, fresh.pages_);
    std::swap(*this, fresh);
    return true;
}

std::uint8_t* GuestSpace::writable_pages(std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t piece = first / kMapPiece; count && piece <= (first + count - 1) / kMapPiece;
         ++piece) {
        if (writable_[piece]) continue;
        std::uint8_t* const begin = pages_ + piece * kMapPiece;
        const std::uint64_t size = std::min(kMapPiece, kGuestPages - piece * kMapPiece);
        // Out of memory for a page map is out of memory for the page.
        if (mprotect(begin, size, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
        writable_[piece] = true;
    }
    return pages_ + first;
}

std::pair<std::uint64_t, std::uint64_t> GuestSpace::used_pages(std::uint64_t first,
                                                               std::uint64_t end) const {
    while (first < end && !writable_[first / kMapPiece])
        first = (first / kMapPiece + 1) * kMapPiece;
    if (first >= end) return {end, end};
    return {first, std::min(end, (first / kMapPiece + 1) * kMapPiece)};
}

ZonePlace* GuestSpace::zones() const {
    return reinterpret_cast<ZonePlace*>(pages_ - kZoneTableBytes);
}

bool GuestSpace::places_free(std::uint64_t first, std::uint64_t count) const {
    if (first + count > kZonePlaces) return false;
    return std::none_of(zones(), zones() + kZones, [&](ZonePlace at) {
        return at != 0 && at - 1u >= first && at - 1u < first + count;
    });
}

/// Free places in a row, with a free one on both sides if there are some: neighbours may come.
std::optional<std::uint64_t> GuestSpace::find_places(std::uint64_t count) const {
    for (const std::uint64_t around : {1, 0}) {
        for (std::uint64_t first = around; first + count + around <= kZonePlaces; ++first)
            if (places_free(first - around, count + 2 * around)) return first;
    }
    return std::nullopt;
}

bool GuestSpace::claim_zones(std::uint64_t begin, std::uint64_t end) {
    const std::uint64_t first = begin >> kZoneBits, last = (end - 1) >> kZoneBits;
    ZonePlace* const table = zones();
    // Where the first one belongs, if a zone of the range or beside it has its place already.
    std::optional<std::uint64_t> wanted;
    for (std::uint64_t zone = first == 0 ? first : first - 1;
         zone <= std::min(last + 1, kZones - 1); ++zone) {
        if (table[zone] == 0) continue;
        const auto at = static_cast<std::int64_t>(table[zone]) - 1 -
                        (static_cast<std::int64_t>(zone) - static_cast<std::int64_t>(first));
        if (at < 0 || (wanted && *wanted != static_cast<std::uint64_t>(at))) return false;
        wanted = static_cast<std::uint64_t>(at);
    }
    if (!wanted) wanted = find_places(last - first + 1);
    if (!wanted) return false;
    for (std::uint64_t zone = first; zone <= last; ++zone)
        if (table[zone] == 0 && !places_free(*wanted + (zone - first), 1)) return false;
    for (std::uint64_t zone = first; zone <= last; ++zone)
        __atomic_store_n(&table[zone], static_cast<ZonePlace>(*wanted + (zone - first) + 1),
                         __ATOMIC_RELAXED);
    return true;
}

void GuestSpace::release_zone(std::uint64_t zone) {
    __atomic_store_n(&zones()[zone], ZonePlace{0}, __ATOMIC_RELAXED);
}

std::uint64_t GuestSpace::contiguous(std::uint64_t address) const {
    if (address < kGuestSpace) return kGuestSpace - address;
    if (address >= kAddressEnd || view().place(address) == MemoryView::kNowhere) return 0;
    std::uint64_t zone = address >> kZoneBits;
    while (zone + 1 < kZones && zones()[zone + 1] == zones()[zone] + 1) ++zone;
    return ((zone + 1) << kZoneBits) - address;
}

std::optional<std::uint64_t> GuestSpace::address_at(std::uint64_t offset) const {
    if (offset < kGuestSpace) return offset;
    if (offset < kFirstZonePlace || offset >= kReserved) return std::nullopt;
    const std::uint64_t at = offset - kFirstZonePlace, place = (at >> kZoneBits) + 1;
    const auto* const zone = std::find(zones(), zones() + kZones, static_cast<ZonePlace>(place));
    if (zone == zones() + kZones) return std::nullopt;
    return (static_cast<std::uint64_t>(zone - zones()) << kZoneBits) + (at & (kZoneSize - 1));
}

std::optional<GuestSpace::Forced> GuestSpace::next_forced_page() {
    const auto page = cpu::next_forced_page(guarded_);
    if (!page) return std::nullopt;
    const auto address = address_at(page->offset);
    if (!address) return std::nullopt;
    return Forced{*address, page->replaced};
}

}  // namespace e2k::cpu
