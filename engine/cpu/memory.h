// A view of guest memory: what the interpreter and translated code need, without knowing who maps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace e2k::cpu {

inline constexpr unsigned kPageShift = 12;
inline constexpr std::uint64_t kPageSize = 1ull << kPageShift;
/// Guest addresses run from 0 to kGuestSpace-1; anything above is never mapped (1 TiB).
inline constexpr unsigned kGuestSpaceBits = 40;
inline constexpr std::uint64_t kGuestSpace = 1ull << kGuestSpaceBits;
/// Host addresses below guest address 0 that are reserved too and never mapped: what a checked
/// address and a small offset add up to cannot reach anything else (extent.h).
inline constexpr std::uint64_t kGuestGuard = 1ull << 37;
inline constexpr std::uint64_t kGuestPages = kGuestSpace >> kPageShift;

/// Bits of one byte of the page map (one byte per guest page).
enum PageBits : std::uint8_t {
    kPageRead = 1,
    kPageWrite = 2,
    kPageExec = 4,
    kPageMapped = 8,  ///< tells ACCERR from MAPERR
    kPageFile = 16,   ///< backed by a file that may shrink: touching it can raise SIGBUS
};

/// Guest address 0 is at host address `base`; kGuestSpace bytes are reserved there, unmapped pages
/// are PROT_NONE. `pages` has kGuestPages entries (lazily backed zero pages).
struct MemoryView {
    std::uint8_t* base = nullptr;
    const std::uint8_t* pages = nullptr;

    /// Permission bits of a page; other threads may be changing them.
    std::uint8_t page(std::uint64_t number) const {
        return __atomic_load_n(&pages[number], __ATOMIC_RELAXED);
    }
    /// True if [address, address+size) lies inside the space and every page has all of `bits`.
    /// size 1..4096.
    bool allows(std::uint64_t address, unsigned size, std::uint8_t bits) const {
        if (address >= kGuestSpace - 4096) return false;
        const std::uint64_t first = address >> kPageShift;
        if ((page(first) & bits) != bits) return false;
        const std::uint64_t last = (address + size - 1) >> kPageShift;
        return last == first || (page(last) & bits) == bits;
    }
    // Guest threads may race on guest memory; what they then see is the host's affair (both
    // architectures order accesses alike), and no concern of the thread sanitizer.
    template <class T>
    [[gnu::no_sanitize_thread]] T load(std::uint64_t address) const {
        T v;
        std::memcpy(&v, base + address, sizeof v);
        return v;
    }
    template <class T>
    [[gnu::no_sanitize_thread]] void store(std::uint64_t address, const T& v) const {
        std::memcpy(base + address, &v, sizeof v);
    }
    /// Bytes out of and into guest memory, without a check.
    void copy_out(std::uint64_t address, void* to, std::size_t size) const {
        copy(to, base + address, size);
    }
    void copy_in(std::uint64_t address, const void* from, std::size_t size) const {
        copy(base + address, from, size);
    }

private:
    /// Not memcpy: the thread sanitizer watches that whoever calls it.
    static void copy(void* to, const void* from, std::size_t size) {
        asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    }
};

}  // namespace e2k::cpu
