// What is known of the size of values must hold for every value.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>

#include "engine/translate/extent.h"

namespace e2k::translate {
namespace {

struct Bounds {
    __int128 low, high;  ///< both included
};

Bounds bounds_of(Extent e) {
    const __int128 size = __int128{1} << e.bits();
    if (e.is_natural()) return {0, size - 1};
    if (e.is_small()) return {-size, size - 1};
    if (e.bits() == 0) return {0, __int128{kCheckedSpace} - 1};
    return {-size, __int128{kCheckedSpace} + size - 1};
}

/// A value of the extent, mostly at its bounds. 128 bits: sums must not wrap.
__int128 value_of(Extent e, std::mt19937_64& random) {
    const auto [low, high] = bounds_of(e);
    switch (random() % 4) {
        case 0:
            return low;
        case 1:
            return high;
        default:
            return low + static_cast<__int128>(random()) % (high - low + 1);
    }
}

bool holds(Extent e, __int128 v) {
    return !e.known() || (v >= bounds_of(e).low && v <= bounds_of(e).high);
}

Extent any(std::mt19937_64& random) {
    const auto bits = static_cast<unsigned>(random() % 36);
    switch (random() % 3) {
        case 0:
            return Extent::natural(bits);
        case 1:
            return Extent::small(bits);
        default:
            return Extent::pointer(bits);
    }
}

TEST(Extent, HoldsForSumsAndDifferences) {
    std::mt19937_64 random(1);
    for (unsigned n = 0; n < 100'000; ++n) {
        const Extent x = any(random), y = any(random);
        const __int128 a = value_of(x, random), b = value_of(y, random);
        ASSERT_TRUE(holds(x + y, a + b)) << x.bits() << " + " << y.bits();
        ASSERT_TRUE(holds(x - y, a - b)) << x.bits() << " - " << y.bits();
        const auto by = static_cast<unsigned>(random() % 8);
        ASSERT_TRUE(holds(x.shifted(by), a << by)) << x.bits() << " << " << by;
        if (x.implies(y)) {
            ASSERT_TRUE(holds(y, a)) << x.bits() << " implies " << y.bits();
        }
    }
}

TEST(Extent, OfConstants) {
    for (const std::int64_t v : {0L, 1L, -1L, 2L, -2L, 7L, 8L, -8L, -9L, 1L << 34, -(1L << 34)})
        EXPECT_TRUE(holds(Extent::of(static_cast<std::uint64_t>(v)), v)) << v;
    EXPECT_FALSE(Extent::of(1ull << 40).known());
    EXPECT_FALSE(Extent::of(~std::uint64_t{0} << 40).known());
}

TEST(Extent, NothingKnownLeavesTheReservedRange) {
    // The worst that is still known, and an access of 16 bytes there.
    for (unsigned bits = 0; bits < 64; ++bits) {
        const Extent p = Extent::pointer(bits);
        if (!p.known()) continue;
        EXPECT_LE(std::uint64_t{1} << bits, cpu::kGuestGuard);
        EXPECT_LE(kCheckedSpace + (std::uint64_t{1} << bits) + 16, cpu::kGuestSpace);
    }
    EXPECT_FALSE((Extent::pointer(0) + Extent::pointer(0)).known());
    EXPECT_FALSE((Extent() + Extent::small(1)).known());
}

}  // namespace
}  // namespace e2k::translate
