// Inside of AddressSpace; for the files address_space*.cpp only.
#pragma once

#include <functional>
#include <mutex>
#include <shared_mutex>

#include "engine/cpu/guest_space.h"
#include "engine/guest/mapping_list.h"
#include "engine/guest/watched_pages.h"

namespace e2k::guest {

constexpr std::uint64_t page_down(std::uint64_t a) { return a & ~(cpu::kPageSize - 1); }
constexpr std::uint64_t page_up(std::uint64_t a) { return page_down(a + cpu::kPageSize - 1); }
constexpr bool is_aligned(std::uint64_t a) { return (a & (cpu::kPageSize - 1)) == 0; }

/// Whether [address, address+length) are addresses of a program.
constexpr bool in_space(std::uint64_t address, std::uint64_t length) {
    return address <= cpu::kAddressEnd && length <= cpu::kAddressEnd - address;
}

/// What the host must allow: fetching is reading for us, and x86 cannot write without reading.
int host_prot(int prot);

struct AddressSpace::Impl {
    mutable std::shared_mutex mutex;
    MappingList mappings;
    cpu::GuestSpace space;
    std::uint64_t brk_start = 0, brk = 0;
    std::function<void(std::uint64_t, std::uint64_t)> code_change;
    mutable std::mutex callback_mutex;
    WatchedPages watched{space};

    /// Host address; the place must have been claimed.
    std::uint8_t* host(std::uint64_t address) const {
        return space.base() + space.view().place(address);
    }
    /// Makes sure that [begin, end) has a place in the host; false if it cannot have one.
    bool claim(std::uint64_t begin, std::uint64_t end);

    /// Sets the permission bytes; true if executable pages were among them.
    bool set_pages(std::uint64_t begin, std::uint64_t end, std::uint8_t bits);
    /// Permission bytes of a mapping: pages wholly past the end of a file are mapped but dead.
    bool publish(const Mapping& m);
    /// Replaces pages by reserved ones.
    bool reserve_host(std::uint64_t begin, std::uint64_t end);
    void announce(bool code, std::uint64_t begin, std::uint64_t end) const;
    /// Whether all pages have `bits`; more than one zone is no obstacle.
    bool allowed(std::uint64_t address, std::size_t size, std::uint8_t bits) const;
    /// The mappings of a range, their pages and rights go; zones that become empty too.
    tl::expected<void, int> unmap_locked(std::uint64_t begin, std::uint64_t end, bool& code);
    /// Only forgets them: the pages are about to be replaced.
    void forget(std::uint64_t begin, std::uint64_t end, bool& code);
    void release_zones(std::uint64_t begin, std::uint64_t end);
    /// Host advice that a mapping's new pages need.
    void advise(const Mapping& m) const;

    // address_space_remap.cpp
    tl::expected<void, int> move_host(const Mapping& m, std::uint64_t old_size, std::uint64_t to,
                                      std::uint64_t new_size);
    tl::expected<void, int> grow(const Mapping& m, std::uint64_t new_size, bool& code);
    tl::expected<void, int> move(Mapping m, std::uint64_t new_size, std::uint64_t to, bool keep_old,
                                 bool& code);
};

}  // namespace e2k::guest
