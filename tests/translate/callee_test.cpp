// Calls whose callee is part of the caller's region: nothing is done for them, and yet the state is
// exact wherever control leaves.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "engine/cpu/interpreter.h"
#include "engine/translate/translator.h"
#include "tests/translate/assembled_machine.h"

namespace e2k::translate {
namespace {

using cpu::CpuState;
using cpu::StopKind;
using test::Machine;

/// _start calls `outer`, which moves the stack and calls `inner`, which reads the address it is
/// given. Each writes predicates of its own. The end of _start reads where nothing is mapped.
std::string source(std::uint64_t address) {
    return fmt::format(R"(
        .text
        .globl _start
_start: {{ setwd wsz = 0x10, nfx = 1, dbl = 1
          setbn rbs = 8, rsz = 3, rcur = 0 }}
        {{ cmpesb,0 0, 0, %pred0
          cmpesb,1 0, 1, %pred1
          addd,2 0, 5, %db[0]
          disp %ctpr1, outer }}
        {{ call %ctpr1, wbs = 8 }}
        {{ addd,0 %db[0], 9, %dr1 }}
        {{ ldd,0 0, 0x{0:x}, %dr3 }}
outer:  {{ setwd wsz = 0x10, nfx = 1, dbl = 1
          setbn rbs = 8, rsz = 3, rcur = 0
          getsp,0 _f32s 0xffffffc0, %dr2 }}
        {{ cmpesb,0 0, 1, %pred0
          cmpesb,1 0, 0, %pred2
          addd,2 %dr2, 0, %dg16
          disp %ctpr1, inner }}
        {{ addd,0 0, 0x{1:x}, %db[0]
          call %ctpr1, wbs = 8 }}
        {{ addd,0 %db[0], %dr0, %dr0
          return %ctpr3 }}
        {{ ct %ctpr3 }}
inner:  {{ setwd wsz = 0x10, nfx = 1, dbl = 1
          return %ctpr3 }}
        {{ cmpesb,0 0, 0, %pred1
          addd,1 0, 77, %dr4 }}
        {{ ldd,0 %dr0, 8, %dr0 }}
        {{ ct %ctpr3 }}
)",
                       test::kUnmapped, address);
}

/// A region that a fault has retired stays listed.
TranslatorOptions keep_records() {
    TranslatorOptions options;
    options.keep_records = true;
    return options;
}

class CalleeTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(CalleeTest, LeavesTheStateOfTheInterpreter) {
    Machine a(source(GetParam())), b(source(GetParam()));
    ASSERT_EQ(a.error, "");
    cpu::Interpreter fallback(a.guest.view), reference(b.guest.view);
    Translator translator(a.guest.view, keep_records());
    const cpu::Stop stop = translator.run(a.state, fallback);
    const cpu::Stop expected = reference.run(b.state, 1000);
    ASSERT_EQ(stop.kind, StopKind::Trapped);
    ASSERT_EQ(expected.kind, StopKind::Trapped);
    EXPECT_EQ(stop.trap.address, expected.trap.address);

    // The point of it: the first region holds all three functions.
    const auto regions = translator.regions();
    const auto whole =
        std::ranges::find_if(regions, [](const auto& r) { return r->guest_begin == test::kCode; });
    ASSERT_NE(whole, regions.end());
    EXPECT_GE((*whole)->bundle_addresses.size(), 13u);

    test::expect_same_state(a.state, b.state);
}

INSTANTIATE_TEST_SUITE_P(Addresses, CalleeTest, testing::Values(test::kData, test::kUnmapped),
                         [](const auto& address) {
                             return address.param == test::kData ? "Readable" : "Unmapped";
                         });

TEST(CalleeBreakpointTest, KeepsTheFunctionOutAndStopsThere) {
    Machine m(source(test::kData));
    ASSERT_EQ(m.error, "");
    cpu::Interpreter fallback(m.guest.view);
    Translator translator(m.guest.view, keep_records());
    ASSERT_EQ(translator.run(m.state, fallback).kind, StopKind::Trapped);
    const auto regions = translator.regions();
    const auto whole =
        std::ranges::find_if(regions, [](const auto& r) { return r->guest_begin == test::kCode; });
    ASSERT_NE(whole, regions.end());
    const std::uint64_t inside = (*whole)->bundle_addresses[7];  // the second bundle of `inner`

    // Once more from the start: the last trap was in _start, the stacks are as they were.
    ASSERT_EQ(m.state.depth(), 0u);
    m.state.ip = test::kCode;
    translator.set_breakpoints(std::array{inside});
    const cpu::Stop stop = translator.run(m.state, fallback);
    EXPECT_EQ(stop.kind, StopKind::Breakpoint);
    EXPECT_EQ(m.state.ip, inside);
    EXPECT_EQ(m.state.depth(), 2u);
}

}  // namespace
}  // namespace e2k::translate
