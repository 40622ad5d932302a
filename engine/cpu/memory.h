// A view of guest memory: what the interpreter and translated code need, without knowing who maps.
#pragma once

#include <cstdint>
#include <cstring>

namespace e2k::cpu {

inline constexpr unsigned kPageShift = 12;
inline constexpr std::uint64_t kPageSize = 1ull << kPageShift;
/// Guest addresses run from 0 to kGuestSpace-1; anything above is never mapped (1 TiB).
inline constexpr unsigned kGuestSpaceBits = 40;
inline constexpr std::uint64_t kGuestSpace = 1ull << kGuestSpaceBits;
inline constexpr std::uint64_t kGuestPages = kGuestSpace >> kPageShift;

/// Bits of one byte of the page map (one byte per guest page).
enum PageBits : std::uint8_t {
    kPageRead = 1,
    kPageWrite = 2,
    kPageExec = 4,
    kPageMapped = 8,  ///< tells ACCERR from MAPERR
    kPageCode = 16,   ///< some translation or decoded bundle was made from this page
    kPageFile = 32,   ///< backed by a file that may shrink: touching it can raise SIGBUS
};

/// Guest address 0 is at host address `base`; kGuestSpace bytes are reserved there, unmapped pages
/// are PROT_NONE. `pages` has kGuestPages entries (lazily backed zero pages).
struct MemoryView {
    std::uint8_t* base = nullptr;
    const std::uint8_t* pages = nullptr;

    /// True if [address, address+size) lies inside the space and every page has all of `bits`.
    /// size 1..4096.
    bool allows(std::uint64_t address, unsigned size, std::uint8_t bits) const {
        if (address >= kGuestSpace - 4096) return false;
        const std::uint64_t first = address >> kPageShift;
        if ((pages[first] & bits) != bits) return false;
        const std::uint64_t last = (address + size - 1) >> kPageShift;
        return last == first || (pages[last] & bits) == bits;
    }
    template <class T>
    T load(std::uint64_t address) const {
        T v;
        std::memcpy(&v, base + address, sizeof v);
        return v;
    }
    template <class T>
    void store(std::uint64_t address, const T& v) const {
        std::memcpy(base + address, &v, sizeof v);
    }
};

}  // namespace e2k::cpu
