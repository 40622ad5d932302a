// The host range that holds a guest's memory, and its page map.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "engine/cpu/memory.h"

namespace e2k::cpu {

struct GuardedRange;

/// kReserved bytes of reserved host addresses (PROT_NONE: nothing is mapped yet), the guard below
/// them, and one permission byte per guest page. Costs address space only; pages appear when they
/// are mapped.
class GuestSpace {
public:
    GuestSpace() = default;
    GuestSpace(GuestSpace&& other) noexcept;
    GuestSpace& operator=(GuestSpace&& other) noexcept;
    GuestSpace(const GuestSpace&) = delete;
    GuestSpace& operator=(const GuestSpace&) = delete;
    ~GuestSpace();

    /// False if the host refuses; errno tells why.
    bool reserve();

    MemoryView view() const { return {base_, pages_}; }
    std::uint8_t* base() const { return base_; }
    /// Permission bytes of `count` pages from the one at offset `first` on, for their owner, who
    /// alone writes them.
    std::uint8_t* writable_pages(std::uint64_t first, std::uint64_t count);

    /// The first page of [first, end) whose permission byte may be other than 0, and the end of the
    /// stretch of such; both `end` if there is none.
    std::pair<std::uint64_t, std::uint64_t> used_pages(std::uint64_t first,
                                                       std::uint64_t end) const;

    /// Gives the zones of [begin, end), addresses from kGuestSpace on, their places: side by side,
    /// also with neighbours that have one. False: no room.
    bool claim_zones(std::uint64_t begin, std::uint64_t end);
    /// Takes a zone's place back; nothing may be mapped there.
    void release_zone(std::uint64_t zone);
    /// Bytes from `address` on that lie side by side in the host, mapped or not; 0: no place.
    std::uint64_t contiguous(std::uint64_t address) const;
    /// Guest address of an offset from base().
    std::optional<std::uint64_t> address_at(std::uint64_t offset) const;
    /// The next page that was made accessible by force (host_faults.h); with its guest address.
    struct Forced {
        std::uint64_t address;
        bool replaced;
    };
    std::optional<Forced> next_forced_page();

private:
    ZonePlace* zones() const;
    bool places_free(std::uint64_t first, std::uint64_t count) const;
    std::optional<std::uint64_t> find_places(std::uint64_t count) const;

    std::uint8_t* base_ = nullptr;
    std::uint8_t* pages_ = nullptr;
    std::vector<bool> writable_ = {};  ///< pieces of the page map
    GuardedRange* guarded_ = nullptr;
};

}  // namespace e2k::cpu
