// The integer implementation of fused multiply-add against the host's instructions: results and all
// flags, every rounding mode, with and without FZ, with operands chosen where rounding is hard.
#include "engine/cpu/semantics/fp_fma.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/cpu/fp_support.h"

namespace e2k::cpu {
namespace {

using test::Bits128;

/// Operands near the interesting borders of a format, from one random stream.
class Operands {
public:
    Operands(int fraction_bits, int exponent_bits, std::uint32_t seed)
        : fraction_bits_(fraction_bits), exponent_bits_(exponent_bits), random_(seed) {}

    std::uint64_t next() {
        const std::uint64_t exponents = (std::uint64_t{1} << exponent_bits_) - 1;
        std::uint64_t exponent = 0;
        switch (random_() % 8) {
            case 0:
                break;  // zero or denormal
            case 1:
                exponent = random_() % 4;
                break;
            case 2:
                exponent = exponents - random_() % 4;  // infinity, NaN, greatest numbers
                break;
            case 3:
                exponent = random_() & exponents;
                break;
            case 4:
                exponent = exponents / 4 + random_() % 8;  // products near the least normal number
                break;
            default:
                exponent = exponents / 2 - 4 + random_() % 8;
        }
        const std::uint64_t mask = (std::uint64_t{1} << fraction_bits_) - 1;
        std::uint64_t fraction = random_();
        switch (random_() % 6) {
            case 0:
                fraction = 0;
                break;
            case 1:
                fraction = std::uint64_t{1} << random_() % fraction_bits_;
                break;
            case 2:
                fraction = ~std::uint64_t{0} << random_() % fraction_bits_;
                break;
            case 3:
                fraction = ~std::uint64_t{0};
                break;
            default:
                break;
        }
        const std::uint64_t sign = random_() & 1;
        return ((sign << exponent_bits_ | exponent) << fraction_bits_) | (fraction & mask);
    }

    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    /// A third operand; often the negated rounded product, so that the sum cancels.
    std::uint64_t addend(std::uint64_t a, std::uint64_t b) {
        if (random_() % 3) return next();
        const std::uint64_t bias = (std::uint64_t{1} << (exponent_bits_ - 1)) - 1;
        const std::uint64_t sign = std::uint64_t{1} << (fraction_bits_ + exponent_bits_);
        const std::uint64_t magnitude =
            ((a & (sign - 1)) + (b & (sign - 1)) - (bias << fraction_bits_) + random_() % 3) &
            (sign - 1);
        return magnitude | ((a ^ b ^ sign) & sign);
    }

private:
    int fraction_bits_, exponent_bits_;
    std::mt19937_64 random_;
};

void compare_all(bool wide, int count, std::uint32_t seed) {
    Operands operands(wide ? 52 : 23, wide ? 11 : 8, seed);
    const auto soft = fp::soft_fma_entries();
    const auto host = fp::host_fma_entries();
    ASSERT_EQ(soft.size(), host.size());
    int wrong = 0;
    for (int i = 0; i < count && wrong < 20; ++i) {
        const std::size_t which = operands.below(soft.size());
        const std::string_view name = soft[which].mnemonic;
        ASSERT_EQ(name, host[which].mnemonic);
        if (name.ends_with('d') != wide) continue;
        Bits128 a, b, c;
        for (int lane = 0; lane < (wide ? 2 : 4); ++lane) {
            const std::uint64_t x = operands.next(), y = operands.next();
            const std::uint64_t z = operands.addend(x, y);
            const int shift = wide ? 0 : lane % 2 * 32;
            const bool high = lane >= (wide ? 1 : 2);
            (high ? a.high : a.low) |= x << shift;
            (high ? b.high : b.low) |= y << shift;
            (high ? c.high : c.low) |= z << shift;
        }
        const std::uint32_t control = 0x1f80 | static_cast<std::uint32_t>(operands.below(4)) << 13 |
                                      (operands.below(3) == 0 ? 0x8000u : 0u);
        std::uint32_t soft_flags = control, host_flags = control, fpcr = 0x37f, fpsr = 0;
        const Bits128 s = test::apply(soft[which], a, b, c, soft_flags, fpcr, fpsr);
        const Bits128 h = test::apply(host[which], a, b, c, host_flags, fpcr, fpsr);
        if (s == h && soft_flags == host_flags) continue;
        ++wrong;
        ADD_FAILURE() << name << ' ' << test::print(a) << ' ' << test::print(b) << ' '
                      << test::print(c) << std::hex << " control " << control << ": integer "
                      << test::print(s) << " flags " << soft_flags << ", host " << test::print(h)
                      << " flags " << host_flags;
    }
}

TEST(FpFma, IntegerImplementationEqualsHostF32) {
    if (!fp::host_has_fma()) GTEST_SKIP() << "the host has no FMA instructions";
    compare_all(false, 400'000, 1);
}

TEST(FpFma, IntegerImplementationEqualsHostF64) {
    if (!fp::host_has_fma()) GTEST_SKIP() << "the host has no FMA instructions";
    compare_all(true, 400'000, 2);
}

// Known results that do not need the host's instructions.
TEST(FpFma, IntegerImplementationKnownValues) {
    std::uint32_t pfpfr = 0x1f80, fpcr = 0x37f, fpsr = 0;
    const FpEnvironment environment(pfpfr, fpcr, fpsr);
    constexpr std::uint64_t kOne = 0x3ff0'0000'0000'0000, kMinusOne = 0xbff0'0000'0000'0000;
    constexpr std::uint64_t kOnePlus = 0x3ff0'0000'0000'0001;  // 1 + 2^-52
    // (1 + 2^-52)^2 - 1 = 2^-51 + 2^-104: half a unit in the last place, to even
    EXPECT_EQ(fp::fma_f64(kOnePlus, kOnePlus, kMinusOne, false, false), 0x3cc0'0000'0000'0000u);
    // (1 + 2^-52)^2 - (1 + 2^-51) = 2^-104
    EXPECT_EQ(fp::fma_f64(kOnePlus, kOnePlus, 0xbff0'0000'0000'0002, false, false),
              0x3970'0000'0000'0000u);
    EXPECT_EQ(fp::fma_f64(kOne, kOne, kMinusOne, false, false), 0u);
    // the least denormal survives a huge product's absence
    EXPECT_EQ(fp::fma_f64(0, kOne, 1, false, true), 0x8000'0000'0000'0001u);
    EXPECT_EQ(fp::fma_f32(0x7f800000, 0, 0x3f800000, false, false), 0xffc00000u);
    EXPECT_EQ(fp::fma_f32(0x7f7fffff, 0x40000000, 0, false, false), 0x7f800000u);
}

}  // namespace
}  // namespace e2k::cpu
