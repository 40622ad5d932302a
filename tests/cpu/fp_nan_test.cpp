// Which NaN survives, and when IE is raised (float.md §2, §9, float80.md §2).
#include <gtest/gtest.h>

#include "engine/cpu/semantics/fp_fma.h"
#include "tests/cpu/fp_support.h"

namespace e2k::cpu {
namespace {

using test::Bits128;

struct Outcome {
    Bits128 value;
    std::uint32_t flags;
};

Outcome run(const SemanticEntry& entry, Bits128 a, Bits128 b, Bits128 c = {}) {
    std::uint32_t pfpfr = 0x1f80, fpcr = 0x37f, fpsr = 0;
    const Bits128 value = test::apply(entry, a, b, c, pfpfr, fpcr, fpsr);
    return {value, (pfpfr | fpsr) & 0x3f};
}
Outcome run(std::string_view name, Bits128 a, Bits128 b, Bits128 c = {}) {
    return run(*test::fp_entry(name), a, b, c);
}

constexpr std::uint64_t kSmallNanD = 0x7ff8'0000'0000'0001, kLargeNanD = 0xfff8'0000'0000'0005,
                        kSignallingD = 0x7ff0'0000'0000'0003, kOneD = 0x3ff0'0000'0000'0000;

TEST(FpNan, FirstOperandWins) {
    for (const char* name : {"faddd", "fsubd", "fmuld", "fdivd", "pfaddd", "pfsubd", "pfmuld"}) {
        EXPECT_EQ(run(name, {kSmallNanD, 0}, {kLargeNanD, 0}).value.low, kSmallNanD) << name;
        EXPECT_EQ(run(name, {kLargeNanD, 0}, {kSmallNanD, 0}).value.low, kLargeNanD) << name;
        EXPECT_EQ(run(name, {kLargeNanD, 0}, {kSmallNanD, 0}).flags, 0u) << name;
    }
    for (const char* name : {"qpfaddd", "qpfsubd", "qpfmuld", "qpfaddsubd"}) {
        const Bits128 a{kSmallNanD, kLargeNanD}, b{kLargeNanD, kSmallNanD};
        EXPECT_EQ(run(name, a, b).value, a) << name;
    }
}

TEST(FpNan, CombinedPrefersTheOperandOfTheSecondStepOnTheLeft) {
    // add, sub: c op t; rsub: t - c
    const auto value = [](const char* name) {
        return run(name, {kSmallNanD, 0}, {kOneD, 0}, {kLargeNanD, 0}).value.low;
    };
    EXPECT_EQ(value("fmul_addd"), kLargeNanD);
    EXPECT_EQ(value("fmul_subd"), kLargeNanD);
    EXPECT_EQ(value("fmul_rsubd"), kSmallNanD);
}

TEST(FpNan, SignallingOperandIsQuietedAndReported) {
    const Outcome first = run("faddd", {kSignallingD, 0}, {kOneD, 0});
    EXPECT_EQ(first.value.low, 0x7ff8'0000'0000'0003u);
    EXPECT_EQ(first.flags, 0x01u);
    const Outcome second = run("faddd", {kSmallNanD, 0}, {kSignallingD, 0});
    EXPECT_EQ(second.value.low, kSmallNanD);
    EXPECT_EQ(second.flags, 0x01u);
}

TEST(FpNan, MinimumAndMaximumReturnTheSecondOperand) {
    for (const char* name : {"fmind", "fmaxd"}) {
        EXPECT_EQ(run(name, {kSmallNanD, 0}, {kOneD, 0}).value.low, kOneD) << name;
        EXPECT_EQ(run(name, {kOneD, 0}, {kSmallNanD, 0}).value.low, kSmallNanD) << name;
        EXPECT_EQ(run(name, {kOneD, 0}, {kSmallNanD, 0}).flags, 0x01u) << name;
    }
}

TEST(FpNan, FusedPrefersFactorsThenAddend) {
    for (const auto family : {fp::soft_fma_entries(), fp::host_fma_entries()}) {
        if (family.data() == fp::host_fma_entries().data() && !fp::host_has_fma()) continue;
        for (const SemanticEntry& entry : family) {
            if (!entry.mnemonic.ends_with('d') || entry.kind != SemKind::Sse64) continue;
            EXPECT_EQ(run(entry, {kSmallNanD, 0}, {kLargeNanD, 0}, {kLargeNanD, 0}).value.low,
                      kSmallNanD)
                << entry.mnemonic;
            EXPECT_EQ(run(entry, {kOneD, 0}, {kLargeNanD, 0}, {kSmallNanD, 0}).value.low,
                      kLargeNanD)
                << entry.mnemonic;
            const Outcome undefined =
                run(entry, {0x7ff0'0000'0000'0000, 0}, {0, 0}, {kSmallNanD, 0});
            EXPECT_EQ(undefined.value.low, kSmallNanD) << entry.mnemonic;
            EXPECT_EQ(undefined.flags, 0u) << entry.mnemonic;
        }
    }
}

TEST(FpNan, ExtendedPrefersTheLargerSignificand) {
    const Bits128 small{0xc000'0000'0000'0001, 0x7fff}, large{0xc000'0000'0000'0005, 0xffff};
    EXPECT_EQ(run("fxaddxx", small, large).value, large);
    EXPECT_EQ(run("fxaddxx", large, small).value, large);
    EXPECT_EQ(run("fxmulxx", small, large).flags, 0u);
}

TEST(FpNan, ExtendedInvalidEncodings) {
    const Bits128 one{0x8000'0000'0000'0000, 0x3fff}, default_nan{0xc000'0000'0000'0000, 0xffff};
    for (const Bits128 invalid : {Bits128{0, 0x7fff}, Bits128{1, 0x7fff}, Bits128{1, 0x3fff}}) {
        EXPECT_EQ(run("fxaddxx", one, invalid).value, default_nan);
        EXPECT_EQ(run("fxaddxx", one, invalid).flags, 0x01u);
        EXPECT_EQ(run("fxcmpuodxb", one, invalid).value, (Bits128{1, 0}));
        EXPECT_EQ(run("fxcmpuodxb", one, invalid).flags, 0x01u);
    }
}

TEST(FpNan, CompareInvalidFlag) {
    // eq, neq, uod, od: signalling NaN only; the ordering relations: any NaN.
    for (const char* cc : {"eq", "neq", "uod", "od"}) {
        const std::string name = std::string("fcmp") + cc + "db";
        EXPECT_EQ(run(name, {kOneD, 0}, {kSmallNanD, 0}).flags, 0u) << name;
        EXPECT_EQ(run(name, {kOneD, 0}, {kSignallingD, 0}).flags, 0x01u) << name;
    }
    for (const char* cc : {"lt", "le", "nlt", "nle"}) {
        const std::string name = std::string("fcmp") + cc + "db";
        EXPECT_EQ(run(name, {kOneD, 0}, {kSmallNanD, 0}).flags, 0x01u) << name;
    }
    EXPECT_EQ(run("fcmpoddf", {kOneD, 0}, {kSmallNanD, 0}).flags, 0x01u);
    EXPECT_EQ(run("fcmpuddf", {kOneD, 0}, {kSmallNanD, 0}).flags, 0u);
    EXPECT_EQ(run("fcmpuddf", {kOneD, 0}, {kSignallingD, 0}).flags, 0x01u);
}

}  // namespace
}  // namespace e2k::cpu
