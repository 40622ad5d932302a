// fscales and fscaled against the x87 unit: its FSCALE has range to spare for f32 and f64, so that
// only the conversion back rounds.
#include <gtest/gtest.h>

#include <random>

#include "tests/cpu/fp_support.h"

namespace e2k::cpu {
namespace {

using test::Bits128;

struct Outcome {
    std::uint64_t value;
    std::uint32_t flags;
    bool operator==(const Outcome&) const = default;
};

Outcome by_semantics(bool wide, std::uint64_t a, std::uint64_t b, std::uint32_t mode) {
    std::uint32_t pfpfr = 0x1f80 | mode << 13, fpcr = 0x37f, fpsr = 0;
    const Bits128 r = test::apply(*test::fp_entry(wide ? "fscaled" : "fscales"), {a, 0}, {b, 0}, {},
                                  pfpfr, fpcr, fpsr);
    return {r.low, pfpfr & 0x3d};
}

Outcome by_x87(bool wide, std::uint64_t a, std::uint64_t b, std::uint32_t mode) {
    std::uint32_t pfpfr = 0x1f80, fpcr = 0x37f | mode << 10, fpsr = 0;
    const auto run = [&](const char* name, Bits128 x, Bits128 y) {
        return test::apply(*test::fp_entry(name), x, y, {}, pfpfr, fpcr, fpsr);
    };
    const Bits128 extended = run(wide ? "fdtofx" : "fstofx", {}, {a, 0});
    const Bits128 scaled = run("fxscalesx", extended, {b, 0});
    const Bits128 r = run(wide ? "fxtofd" : "fxtofs", {}, scaled);
    return {r.low, fpsr & 0x3d};
}

void compare_all(bool wide) {
    std::mt19937_64 random(7);
    const std::uint64_t mask = wide ? ~std::uint64_t{0} : 0xffff'ffff;
    for (int i = 0; i < 200'000; ++i) {
        std::uint64_t a = random() & mask;
        if (i % 3 == 0) a &= wide ? 0x800f'ffff'ffff'ffff : 0x807f'ffff;  // zero, denormal
        if (i % 7 == 0) a &= a << 20;
        auto exponent = static_cast<std::int32_t>(random() % 5000) - 2500;
        if (i % 5 == 0) exponent = static_cast<std::int32_t>(random() % 300) - 150;
        // FSCALE is exact for a f32 or f64 only while the result stays in the 80-bit range.
        const auto b = static_cast<std::uint32_t>(exponent);
        const auto mode = static_cast<std::uint32_t>(random() % 4);
        const Outcome got = by_semantics(wide, a, b, mode), expected = by_x87(wide, a, b, mode);
        ASSERT_EQ(got, expected) << std::hex << "a " << a << std::dec << " b " << exponent << " rc "
                                 << mode << std::hex << ": " << got.value << " flags " << got.flags
                                 << ", expected " << expected.value << " flags " << expected.flags;
    }
}

TEST(FpScale, F32) { compare_all(false); }
TEST(FpScale, F64) { compare_all(true); }

TEST(FpScale, ExtremeExponents) {
    constexpr std::uint64_t kOneD = 0x3ff0'0000'0000'0000, kInfinityD = 0x7ff0'0000'0000'0000;
    EXPECT_EQ(by_semantics(true, kOneD, 0x7fff'ffff, 0), (Outcome{kInfinityD, 0x28}));
    EXPECT_EQ(by_semantics(true, kOneD, 0x8000'0000, 0), (Outcome{0, 0x30}));
    EXPECT_EQ(by_semantics(true, kOneD, 0x8000'0000, 2), (Outcome{1, 0x30}));
    EXPECT_EQ(by_semantics(true, 0, 0x7fff'ffff, 0), (Outcome{0, 0}));
    EXPECT_EQ(by_semantics(false, 0x3f80'0000, 0x7fff'ffff, 3), (Outcome{0x7f7f'ffff, 0x28}));
}

}  // namespace
}  // namespace e2k::cpu
