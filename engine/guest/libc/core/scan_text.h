// Where %s, %c and %[ put what they read.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string_view>

#include "engine/guest/libc/core/heap.h"

namespace e2k::guest::libc {

/// The characters of %[...]: `set` begins behind '['. The number of bytes up to and with ']', or 0:
/// the format ends inside.
std::size_t parse_scan_set(std::string_view set, std::bitset<256>& characters);

/// Bytes (or 32-bit characters) to guest memory: the guest's own, or a block that grows with them.
class ScanText {
public:
    enum class Place : std::uint8_t { Nowhere, Given, Allocated };

    ScanText(GuestMemory memory, Heap& heap, Place place, std::uint64_t address, bool wide)
        : memory_(memory), heap_(heap), place_(place), address_(address), wide_(wide) {}

    Outcome<void> add(int c);
    /// Writes what has been collected, with a null character if `terminated`.
    Outcome<void> finish(bool terminated);
    /// Frees an allocated block.
    void drop();
    std::uint64_t address() const { return address_; }
    std::uint64_t count() const { return count_; }

private:
    Outcome<void> flush();
    Outcome<void> make_room(std::uint64_t bytes);

    GuestMemory memory_;
    Heap& heap_;
    Place place_;
    std::uint64_t address_;
    bool wide_;
    std::uint64_t count_ = 0;    ///< characters
    std::uint64_t written_ = 0;  ///< bytes
    std::uint64_t room_ = 0;     ///< bytes of the allocated block
    std::array<char, 256> piece_{};
    std::size_t used_ = 0;
};

}  // namespace e2k::guest::libc
