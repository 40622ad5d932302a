// A view of guest memory: what the interpreter and translated code need, without knowing who maps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace e2k::cpu {

inline constexpr unsigned kPageShift = 12;
inline constexpr std::uint64_t kPageSize = 1ull << kPageShift;
/// Guest addresses below kGuestSpace are offsets into the reserved host range: what translated code
/// reaches directly. (The thread sanitizer leaves little room.)
#ifdef E2K_SMALL_GUEST_SPACE
inline constexpr unsigned kGuestSpaceBits = 40, kZonePlaceBits = 1;
#else
inline constexpr unsigned kGuestSpaceBits = 44, kZonePlaceBits = 8;
#endif
inline constexpr std::uint64_t kGuestSpace = 1ull << kGuestSpaceBits;
/// End of a program's addresses (process.md §4).
inline constexpr std::uint64_t kAddressEnd = 0xd000'0000'0000;
/// Host addresses below guest address 0 that are reserved too and never mapped: what a checked
/// address and a small offset add up to cannot reach anything else (extent.h).
inline constexpr std::uint64_t kGuestGuard = 1ull << 37;
/// Addresses from kGuestSpace to kAddressEnd are more than a host has. They are divided into zones;
/// a zone in use has a place behind the linear part of the reserved range. Only the interpreter and
/// system calls get there.
inline constexpr unsigned kZoneBits = 36;
inline constexpr std::uint64_t kZoneSize = 1ull << kZoneBits;
inline constexpr std::uint64_t kZones = kAddressEnd >> kZoneBits;
inline constexpr unsigned kZonePlaces = 1u << kZonePlaceBits;
inline constexpr std::uint64_t kFirstZonePlace = kGuestSpace + kGuestGuard;
/// Bytes of the reserved range from guest address 0 on.
inline constexpr std::uint64_t kReserved = kFirstZonePlace + kZonePlaces * kZoneSize;
inline constexpr std::uint64_t kGuestPages = kReserved >> kPageShift;
/// The table of zones lies in front of the page map: of each zone its place, counted from 1, or 0.
using ZonePlace = std::uint16_t;
inline constexpr std::uint64_t kZoneTableBytes =
    (kZones * sizeof(ZonePlace) + kPageSize - 1) & ~(kPageSize - 1);

/// Bits of one byte of the page map (one byte per guest page).
enum PageBits : std::uint8_t {
    kPageRead = 1,
    kPageWrite = 2,
    kPageExec = 4,
    kPageMapped = 8,    ///< tells ACCERR from MAPERR
    kPageWatched = 32,  ///< somebody wants to know of accesses (page_watch.h)
    kPageFile = 16,     ///< backed by a file that may shrink: touching it can raise SIGBUS
};

/// Guest address 0 is at host address `base`; kReserved bytes are reserved there, unmapped pages
/// are PROT_NONE. `pages` has kGuestPages entries (lazily backed zero pages), by offset from base.
struct MemoryView {
    std::uint8_t* base = nullptr;
    const std::uint8_t* pages = nullptr;

    /// Permission bits of a page; other threads may be changing them.
    std::uint8_t page(std::uint64_t number) const {
        return __atomic_load_n(&pages[number], __ATOMIC_RELAXED);
    }
    /// Offset from `base` of a guest address; kNowhere in a zone without place.
    std::uint64_t place(std::uint64_t address) const {
        return address < kGuestSpace ? address : place_in_zone(address);
    }
    static constexpr std::uint64_t kNowhere = ~0ull;

    /// True if [address, address+size) lies inside the space and every page has all of `bits`, and
    /// its file, if any, still has it. size 1..4096.
    bool allows(std::uint64_t address, unsigned size, std::uint8_t bits) const {
        // Pages of files and watched ones are looked at more closely.
        const std::uint8_t usual = bits | kPageFile | kPageWatched;
        if (address >= kGuestSpace - 4096) return allows_unusual(address, size, bits);
        const std::uint64_t first = address >> kPageShift;
        const std::uint64_t last = (address + size - 1) >> kPageShift;
        if ((page(first) & usual) == bits && (last == first || (page(last) & usual) == bits))
            [[likely]]
            return true;
        return allows_unusual(address, size, bits);
    }
    // Guest threads may race on guest memory; what they then see is the host's affair (both
    // architectures order accesses alike), and no concern of the thread sanitizer.
    // The address must be one that allows() has allowed.
    template <class T>
    [[gnu::no_sanitize_thread]] T load(std::uint64_t address) const {
        T v;
        std::memcpy(&v, base + place(address), sizeof v);
        return v;
    }
    template <class T>
    [[gnu::no_sanitize_thread]] void store(std::uint64_t address, const T& v) const {
        std::memcpy(base + place(address), &v, sizeof v);
    }
    /// Bytes out of and into guest memory, at most up to the end of a zone; false if some of it
    /// cannot be accessed in the host. Rights in the page map are not looked at.
    [[nodiscard]] bool copy_out(std::uint64_t address, void* to, std::size_t size) const;
    [[nodiscard]] bool copy_in(std::uint64_t address, const void* from, std::size_t size) const;

private:
    std::uint64_t place_in_zone(std::uint64_t address) const;
    bool allows_unusual(std::uint64_t address, unsigned size, std::uint8_t bits) const;
};

}  // namespace e2k::cpu
