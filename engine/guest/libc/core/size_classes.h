// Sizes of the heap's small blocks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace e2k::guest::libc {

/// 16, 32 … 128, then four sizes to each doubling: at most a fifth of a block is unused.
inline constexpr std::uint64_t kLargestSmall = 32 * 1024;
inline constexpr std::size_t kSizeClasses = 40;

inline constexpr std::array<std::uint32_t, kSizeClasses> kClassSize = [] {
    std::array<std::uint32_t, kSizeClasses> sizes{};
    std::size_t n = 0;
    for (std::uint32_t size = 16; size <= 128; size += 16) sizes[n++] = size;
    for (std::uint32_t base = 128; base < kLargestSmall; base *= 2)
        for (std::uint32_t part = 1; part <= 4; ++part) sizes[n++] = base + base / 4 * part;
    return sizes;
}();

/// The class of every number of 16-byte units.
inline constexpr std::array<std::uint8_t, kLargestSmall / 16 + 1> kClassOfUnits = [] {
    std::array<std::uint8_t, kLargestSmall / 16 + 1> classes{};
    std::uint8_t c = 0;
    for (std::size_t units = 0; units < classes.size(); ++units) {
        while (kClassSize[c] < units * 16) ++c;
        classes[units] = c;
    }
    return classes;
}();

/// Of a size up to kLargestSmall.
constexpr unsigned class_of(std::uint64_t size) { return kClassOfUnits[(size + 15) / 16]; }

/// Bytes of memory that blocks of a class are cut from.
constexpr std::uint64_t slab_bytes(unsigned size_class) {
    return kClassSize[size_class] <= 8 * 1024 ? 64 * 1024 : 256 * 1024;
}

}  // namespace e2k::guest::libc
