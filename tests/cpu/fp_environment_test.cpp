// FpEnvironment: the guest's control registers act on the host, flags come back, and the host's own
// environment is restored.
#include <gtest/gtest.h>

#include "engine/cpu/semantics/fp_sse.h"
#include "tests/cpu/fp_support.h"

namespace e2k::cpu {
namespace {

std::uint16_t host_control_word() {
    std::uint16_t v;
    __asm__ volatile("fnstcw %0" : "=m"(v));
    return v;
}

constexpr std::uint64_t kOneS = 0x3f80'0000, kTinyS = 0x3300'0000, kLeastNormalS = 0x0080'0000,
                        kHalfS = 0x3f00'0000;

std::uint64_t add_s(std::uint64_t a, std::uint64_t b) {
    return test::fp_entry("fadds")->fn64(a, b, 0);
}
std::uint64_t mul_s(std::uint64_t a, std::uint64_t b) {
    return test::fp_entry("fmuls")->fn64(a, b, 0);
}
V128 add_x(V128 a, V128 b) { return test::fp_entry("fxaddxx")->fn128(a, b, a); }

V128 one_x() { return test::to_v128({0x8000'0000'0000'0000, 0x3fff}); }
V128 tiny_x() { return test::to_v128({0x8000'0000'0000'0000, 0x3fff - 70}); }

TEST(FpEnvironment, RoundingModesActPerUnit) {
    std::uint32_t pfpfr = 0x1f80 | 2 << 13, fpcr = 0x37f | 1 << 10, fpsr = 0;
    const FpEnvironment environment(pfpfr, fpcr, fpsr);
    EXPECT_EQ(add_s(kOneS, kTinyS), kOneS + 1);                                      // up
    EXPECT_EQ(test::from_v128(add_x(one_x(), tiny_x())), test::from_v128(one_x()));  // down
}

TEST(FpEnvironment, FlagsAreCollectedInTheirOwnRegister) {
    std::uint32_t pfpfr = 0x1f80, fpcr = 0x37f, fpsr = 0;
    {
        FpEnvironment environment(pfpfr, fpcr, fpsr);
        add_s(kOneS, kTinyS);
        EXPECT_EQ(pfpfr, 0x1f80u) << "not folded yet";
        environment.fold();
        EXPECT_EQ(pfpfr, 0x1fa0u);
        EXPECT_EQ(fpsr, 0u);
        add_x(one_x(), tiny_x());
    }
    EXPECT_EQ(pfpfr, 0x1fa0u);
    EXPECT_EQ(fpsr, 0x20u);
}

TEST(FpEnvironment, ReloadMakesGuestWritesEffective) {
    std::uint32_t pfpfr = 0x1f80, fpcr = 0x37f, fpsr = 0;
    {
        FpEnvironment environment(pfpfr, fpcr, fpsr);
        add_s(kOneS, kTinyS);
        add_x(one_x(), tiny_x());
        pfpfr = 0x1f80 | 2 << 13;  // the guest clears its flags and rounds up
        fpsr = 0;
        environment.reload();
        EXPECT_EQ(add_s(kOneS, kOneS), 0x4000'0000u);
        environment.fold();
        EXPECT_EQ(pfpfr, 0x1f80u | 2 << 13);
        EXPECT_EQ(fpsr, 0u);
        EXPECT_EQ(add_s(kOneS, kTinyS), kOneS + 1);
    }
    EXPECT_EQ(pfpfr, 0x1fa0u | 2 << 13);
}

TEST(FpEnvironment, StickyFlagsStay) {
    std::uint32_t pfpfr = 0x1f80 | 0x04, fpcr = 0x37f, fpsr = 0x08;
    { const FpEnvironment environment(pfpfr, fpcr, fpsr); }
    EXPECT_EQ(pfpfr, 0x1f84u);
    EXPECT_EQ(fpsr, 0x08u);
}

TEST(FpEnvironment, FlushToZero) {
    std::uint32_t pfpfr = 0x9f80, fpcr = 0x37f, fpsr = 0;
    {
        const FpEnvironment environment(pfpfr, fpcr, fpsr);
        EXPECT_EQ(mul_s(kLeastNormalS, kHalfS), 0u);
    }
    EXPECT_EQ(pfpfr & 0x3f, 0x30u);
    pfpfr = 0x1f80;
    {
        const FpEnvironment environment(pfpfr, fpcr, fpsr);
        EXPECT_EQ(mul_s(kLeastNormalS, kHalfS), kLeastNormalS / 2);
    }
    EXPECT_EQ(pfpfr & 0x3f, 0u);
}

TEST(FpEnvironment, UnmaskedExceptionsNeverReachTheHost) {
    std::uint32_t pfpfr = 0, fpcr = 0x340, fpsr = 0;
    {
        const FpEnvironment environment(pfpfr, fpcr, fpsr);
        EXPECT_EQ(test::fp_entry("fdivs")->fn64(kOneS, 0, 0), 0x7f80'0000u);
        add_x(one_x(), tiny_x());
    }
    EXPECT_EQ(pfpfr, 0x04u);
    EXPECT_EQ(fpsr, 0x20u);
}

TEST(FpEnvironment, ReportsUnmaskedExceptions) {
    std::uint32_t pfpfr = 0x1d84, fpcr = 0x35f, fpsr = 0;  // division unmasked, and raised before
    EXPECT_TRUE(fp_exceptions_unmasked(pfpfr, fpcr));
    EXPECT_FALSE(fp_exceptions_unmasked(0x1fbf, 0x37f));
    FpEnvironment environment(pfpfr, fpcr, fpsr);
    environment.watch();
    add_s(kOneS, kTinyS);
    EXPECT_EQ(environment.unmasked(), 0u) << "inexact is masked for f32";
    environment.watch();
    test::fp_entry("fdivs")->fn64(kOneS, 0, 0);
    EXPECT_EQ(environment.unmasked(), 0x04u);
    environment.watch();
    add_x(one_x(), tiny_x());
    EXPECT_EQ(environment.unmasked(), 0x20u);
    EXPECT_EQ(pfpfr, 0x1da4u);
    EXPECT_EQ(fpsr, 0x20u);
}

TEST(FpEnvironment, PrecisionControlActsOnArithmeticOnly) {
    std::uint32_t pfpfr = 0x1f80, fpcr = 0x07f, fpsr = 0;  // 24 bits
    const FpEnvironment environment(pfpfr, fpcr, fpsr);
    const V128 last_bit = test::to_v128({0x8000'0000'0000'0001, 0x3fff});
    const V128 zero = test::to_v128({});
    EXPECT_EQ(test::from_v128(add_x(last_bit, zero)), test::from_v128(one_x()));
    const V128 integer = test::to_v128({0x4000'0000'0000'0001, 0});
    EXPECT_EQ(test::from_v128(test::fp_entry("idtofx")->fn128(zero, integer, zero)),
              (test::Bits128{0x8000'0000'0000'0002, 0x403d}));
}

TEST(FpEnvironment, HostEnvironmentIsRestored) {
    const std::uint32_t mxcsr = fp::read_mxcsr();
    const std::uint16_t control = host_control_word();
    std::uint32_t pfpfr = 0xff80, fpcr = 0xc7f, fpsr = 0;
    {
        const FpEnvironment environment(pfpfr, fpcr, fpsr);
        EXPECT_EQ(fp::read_mxcsr(), 0xff80u);
        EXPECT_EQ(host_control_word(), 0xc7fu);
        add_s(kOneS, kTinyS);
    }
    EXPECT_EQ(fp::read_mxcsr(), mxcsr);
    EXPECT_EQ(host_control_word(), control);
}

}  // namespace
}  // namespace e2k::cpu
