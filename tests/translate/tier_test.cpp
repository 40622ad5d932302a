// Regions are made quickly first; those in which slices end are made anew, better. Loops' indices
// that outgrow what was assumed of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "engine/cpu/interpreter.h"
#include "engine/translate/translator.h"
#include "tests/translate/assembled_machine.h"

namespace e2k::translate {
namespace {

using cpu::StopKind;
using test::Machine;

/// 100,000 calls of a function, then a trap.
constexpr const char* kCalls = R"(
        .text
        .globl _start
_start: { setwd wsz = 0x10, nfx = 1, dbl = 1
          setbn rbs = 8, rsz = 3, rcur = 0 }
        { addd,0 0, 0, %dr0 }
again:  { addd,0 0, %dr0, %db[0]
          disp %ctpr1, twice }
        { call %ctpr1, wbs = 8 }
        { addd,0 %dr0, 1, %dr0
          addd,1 %dr1, %db[0], %dr1
          disp %ctpr1, again }
        { cmpldb,0 %dr0, 0x186a0, %pred0 }
        { ct %ctpr1 ? %pred0 }
        { ldd,0 0, 0x30000, %dr3 }
twice:  { setwd wsz = 0x10, nfx = 1, dbl = 1
          return %ctpr3 }
        { addd,0 %dr0, %dr0, %dr0 }
        { ct %ctpr3 }
)";

TEST(Tiers, HotRegionsAreMadeAnewWithTheirCallees) {
    Machine a(kCalls), b(kCalls);
    ASSERT_EQ(a.error, "");
    cpu::Interpreter fallback(a.guest.view), reference(b.guest.view);
    TranslatorOptions options;
    options.hot_samples = 2;
    options.keep_records = true;
    Translator translator(a.guest.view, options);
    ASSERT_EQ(translator.run(a.state, fallback).kind, StopKind::Trapped);
    ASSERT_EQ(reference.run(b.state, 10'000'000).kind, StopKind::Trapped);
    test::expect_same_state(a.state, b.state);

    const auto regions = translator.regions();
    const auto has_tier = [&](unsigned tier) {
        return std::ranges::any_of(regions, [&](const auto& r) { return r->tier == tier; });
    };
    EXPECT_TRUE(has_tier(1));
    ASSERT_TRUE(has_tier(2));
    // A call of it and the function.
    const auto whole = std::ranges::find_if(
        regions, [](const auto& r) { return r->tier == 2 && r->bundle_addresses.size() >= 9; });
    EXPECT_NE(whole, regions.end());
}

/// Each turn leaves code for a bundle that is interpreted.
constexpr const char* kLeaves = R"(
        .text
        .globl _start
_start: { setwd wsz = 0x10, nfx = 1, dbl = 1
          setbn rbs = 8, rsz = 3, rcur = 0 }
        { addd,0 0, 0, %dr0 }
again:  { addd,0 %dr0, 1, %dr0
          addd,1 %dr1, %dr0, %dr1
          disp %ctpr1, again }
        { aaurwd,2 %dr1, %aasti1 ? %pred1 }
        { cmpldb,0 %dr0, 0x186a0, %pred0 }
        { ct %ctpr1 ? %pred0 }
        { ldd,0 0, 0x30000, %dr3 }
)";

TEST(Tiers, ProgramsThatLeaveOftenBecomeHotToo) {
    Machine a(kLeaves), b(kLeaves);
    ASSERT_EQ(a.error, "");
    cpu::Interpreter fallback(a.guest.view), reference(b.guest.view);
    TranslatorOptions options;
    options.hot_samples = 2;
    options.keep_records = true;
    Translator translator(a.guest.view, options);
    ASSERT_EQ(translator.run(a.state, fallback).kind, StopKind::Trapped);
    ASSERT_EQ(reference.run(b.state, 10'000'000).kind, StopKind::Trapped);
    test::expect_same_state(a.state, b.state);
    EXPECT_GE(translator.stats().interpreted_bundles, 100'000u);
    const auto regions = translator.regions();
    EXPECT_TRUE(std::ranges::any_of(regions, [](const auto& r) { return r->tier == 2; }));
}

TEST(Tiers, AColdRegionStaysAsItIs) {
    Machine a(kCalls);
    cpu::Interpreter fallback(a.guest.view);
    TranslatorOptions options;
    options.hot_samples = 1'000'000;
    options.keep_records = true;
    Translator translator(a.guest.view, options);
    ASSERT_EQ(translator.run(a.state, fallback).kind, StopKind::Trapped);
    for (const auto& region : translator.regions()) EXPECT_EQ(region->tier, 1);
}

struct Loop {
    const char* name;
    std::int64_t first, step;
    const char* compare;  ///< its result keeps the loop going
    std::int64_t bound;
    const char* keeps = "";  ///< "~": if it is false
};

std::string source(const Loop& loop) {
    return fmt::format(R"(
        .text
        .globl _start
_start: {{ setwd wsz = 0x10, nfx = 1, dbl = 1
          setbn rbs = 8, rsz = 3, rcur = 0 }}
        {{ addd,0 0, 0x{0:x}, %dr0
          addd,1 0, 0x20000, %dr1
          addd,2 0, 0x{3:x}, %dr2 }}
again:  {{ ldd,0,sm %dr1, %dr0, %dr3
          disp %ctpr1, again }}
        {{ addd,0 %dr0, 0x{1:x}, %dr0
          addd,1 %dr4, %dr3, %dr4 }}
        {{ {2},0 %dr0, %dr2, %pred0 }}
        {{ ct %ctpr1 ? {4}%pred0 }}
        {{ ldd,0 0, 0x30000, %dr3 }}
)",
                       static_cast<std::uint64_t>(loop.first), loop.step, loop.compare,
                       static_cast<std::uint64_t>(loop.bound), loop.keeps);
}

class IndexTest : public testing::TestWithParam<Loop> {};

TEST_P(IndexTest, LeavesTheStateOfTheInterpreter) {
    Machine a(source(GetParam())), b(source(GetParam()));
    ASSERT_EQ(a.error, "");
    cpu::Interpreter fallback(a.guest.view), reference(b.guest.view);
    Translator translator(a.guest.view, {});
    ASSERT_EQ(translator.run(a.state, fallback).kind, StopKind::Trapped);
    ASSERT_EQ(reference.run(b.state, 1'000'000).kind, StopKind::Trapped);
    test::expect_same_state(a.state, b.state);
}

INSTANTIATE_TEST_SUITE_P(
    Loops, IndexTest,
    testing::Values(Loop{"Short", 0, 8, "cmpldb", 0x800}, Loop{"Unsigned", 0, 8, "cmpbdb", 0x800},
                    Loop{"OrEqual", 8, 8, "cmpledb", 0x400},
                    Loop{"FromBelowZero", -64, 8, "cmpldb", 0x100},
                    Loop{"OutgrowsItsBits", 0x3fff0000, 0x8000, "cmpldb", 0x41000000},
                    Loop{"OutgrowsTheReserve", 0x3fff0000, 0x10000, "cmpldb", 0x1'4000'0000}),
    [](const auto& loop) { return std::string(loop.param.name); });

}  // namespace
}  // namespace e2k::translate
