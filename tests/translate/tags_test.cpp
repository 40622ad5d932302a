// Tags under the translator: host code runs although something is diagnostic that it does not look
// at, and the value still traps when it is used (engine/README.md, "Tags").
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/cpu/interpreter.h"
#include "engine/isa/assembler/assembler.h"
#include "engine/translate/translator.h"
#include "tests/translate/bare_guest.h"

namespace e2k::translate {
namespace {

using cpu::StopKind;
using test::kCode;

using Lines = std::vector<std::string>;
using Words = std::vector<std::uint32_t>;

/// Bundles one after another from kCode on; label n is bundle n.
Words assemble(const std::vector<Lines>& bundles) {
    std::vector<std::uint64_t> labels(bundles.size(), kCode);
    Words code;
    for (int pass = 0; pass < 2; ++pass) {
        code.clear();
        for (std::size_t n = 0; n < bundles.size(); ++n) {
            labels[n] = kCode + 4 * code.size();
            std::vector<isa::SourceLine> source;
            for (const std::string& line : bundles[n]) source.push_back({line});
            isa::AssemblerOptions options;
            options.symbols = [&](std::string_view name) {
                return std::optional(
                    isa::SymbolValue{labels.at(std::stoul(std::string(name.substr(1)))), false});
            };
            const auto bytes = isa::assemble_bundle(source, labels[n], options);
            EXPECT_TRUE(bytes) << bytes.error().front().message << ": " << bundles[n].front();
            if (!bytes) return {};
            const std::size_t at = code.size();
            code.resize(at + bytes->size() / 4);
            std::memcpy(code.data() + at, bytes->data(), bytes->size());
        }
    }
    code.resize(test::kPage / 4);
    return code;
}

class Tags : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(guest.ready);
        guest.attach(state);
        state.wd.size = 64;
        state.exact_tags = 1;
        state.uncover_tags = 0;
    }

    /// Runs the program in the interpreter and translated, up to the trap in which it ends.
    void expect_equal(const std::vector<Lines>& bundles) {
        const Words code = assemble(bundles);
        guest.load(code);
        const cpu::Stop stop = translator.run(state, interpreter);
        test::BareGuest other_guest;
        ASSERT_TRUE(other_guest.ready);
        other_guest.load(code);
        cpu::CpuState other;
        other_guest.attach(other);
        other.wd.size = 64;
        other.exact_tags = 1;
        other.uncover_tags = 0;
        cpu::Interpreter reference{other_guest.view};
        const cpu::Stop expected = reference.run(other, ~0ull);
        ASSERT_EQ(stop.kind, StopKind::Trapped);
        ASSERT_EQ(expected.kind, StopKind::Trapped);
        EXPECT_EQ(stop.trap.code, expected.trap.code) << stop.trap.detail;
        EXPECT_EQ(state.ip, other.ip);
        EXPECT_EQ(state.bundles, other.bundles);
        for (unsigned i = 0; i < 64; ++i) {
            EXPECT_EQ(state.window[i].lo, other.window[i].lo) << "register " << i;
            EXPECT_EQ(state.window_tags[i], other.window_tags[i]) << "register " << i;
        }
        EXPECT_EQ(state.g_tags, other.g_tags);
        EXPECT_EQ(state.pred, other.pred);
        EXPECT_EQ(state.wd.tagged, 0);
    }

    test::BareGuest guest;
    cpu::CpuState state;
    cpu::Interpreter interpreter{guest.view};
    Translator translator{guest.view, {.code_cache_bytes = 4u << 20}};
};

constexpr const char* kLoop = "ibranch L6 ? %pred0";

TEST_F(Tags, ACallerWithATagDoesNotStopTranslation) {
    guest.load(assemble({
        {"ldd,0,sm 0x0, 0x10, %r9", "disp %ctpr1, L4"},  // nothing is mapped there
        {"addd,0 0x0, 0x1, %r10", "call %ctpr1, wbs = 0x8"},
        {"gettagd,2 %r9, %r20"},
        {"addd,0 %r9, 0x1, %r11"},  // traps
        {"setwd wsz = 0x20, nfx = 0x1, dbl = 0x0"},
        {"addd,0 0x0, 0x2710, %r8"},
        {"subd,0 %r8, 0x1, %r8", "cmpesb,3 %r8, 0x1, %pred1"},
        {"pass %pred1, @p0", "andp ~@p0, ~@p0, @p4", "pass @p4, %pred0"},
        {kLoop},
        {"return %ctpr3"},
        {"ct %ctpr3"},
    }));
    const cpu::Stop stop = translator.run(state, interpreter);
    ASSERT_EQ(stop.kind, StopKind::Trapped);
    EXPECT_EQ(stop.trap.code, cpu::TrapCode::DiagOperand) << stop.trap.detail;
    EXPECT_EQ(state.window[20].lo, 5u) << "the tag as a number";
    EXPECT_GT(state.bundles, 20'000u);
    EXPECT_LT(translator.stats().interpreted_bundles, 200u);
    EXPECT_EQ(state.wd.tagged, 0);
}

TEST_F(Tags, ATagThatIsOverwrittenLeavesNothingBehind) {
    guest.load(assemble({
        {"ldd,0,sm 0x0, 0x10, %r8"},
        {"addd,0 0x0, 0x2710, %r8"},
        {"addd,0 0x0, 0x0, %r9"},
        {"addd,0 0x0, 0x0, %r9"},
        {"addd,0 0x0, 0x0, %r9"},
        {"addd,0 0x0, 0x0, %r9"},
        {"subd,0 %r8, 0x1, %r8", "cmpesb,3 %r8, 0x1, %pred1"},
        {"pass %pred1, @p0", "andp ~@p0, ~@p0, @p4", "pass @p4, %pred0"},
        {kLoop},
        {"ldd,0 0x0, 0x10, %r8"},  // traps
    }));
    const cpu::Stop stop = translator.run(state, interpreter);
    ASSERT_EQ(stop.kind, StopKind::Trapped);
    EXPECT_EQ(stop.trap.address, 0x10u);
    EXPECT_GT(state.bundles, 20'000u);
    EXPECT_LT(translator.stats().interpreted_bundles, 100u);
    EXPECT_FALSE(cpu::has_visible_tags(state));
}

TEST_F(Tags, AChainOfDiagnosticValuesRunsTranslated) {
    expect_equal({
        {"addd,0 0x0, 0x2710, %r8", "cmpesb,3 0x0, 0x1, %pred3", "cmpesb,4 0x0, 0x0, %pred4"},
        {"ldd,0,sm 0x0, 0x10, %r10"},                               // nothing is mapped there
        {"ldd,0,sm %r10, 0x8, %r11", "addd,1,sm %r10, 0x1, %r14"},  // a diagnostic address
        {"adds,0,sm %r11, 0x1, %r12", "adds,1 %r13, 0x1, %r13 ? %pred4"},
        {"merged,0,sm %r11, %r8, %r15, %pred4", "std,2 %r8, 0x0, %r11 ? %pred3"},
        {"subd,0 %r8, 0x1, %r8", "cmpesb,3 %r8, 0x1, %pred1"},
        {"pass %pred1, @p0", "andp ~@p0, ~@p0, @p4", "pass @p4, %pred0"},
        {"ibranch L1 ? %pred0"},
        {"addd,0 %r12, 0x1, %r11"},  // traps
    });
    EXPECT_GT(state.bundles, 70'000u);
    EXPECT_LT(translator.stats().interpreted_bundles, 300u);
    EXPECT_NE(state.window_tags[14], 0);
    EXPECT_EQ(state.window_tags[15], 0) << "the other operand was selected";
}

TEST_F(Tags, CodeRunsWhereNothingLooksAtADiagnosticValue) {
    expect_equal({
        {"ldd,0,sm 0x0, 0x10, %g20", "ldd,2,sm 0x0, 0x10, %r30"},
        {"cmpesb,0,sm %g20, 0x1, %pred9"},
        {"addd,0 0x0, 0x2710, %r8"},
        {"subd,0 %r8, 0x1, %r8", "cmpesb,3 %r8, 0x1, %pred1"},
        {"pass %pred1, @p0", "andp ~@p0, ~@p0, @p4", "pass @p4, %pred0"},
        {"ibranch L3 ? %pred0"},
        {"addd,0 0x0, 0x1, %r11 ? %pred9"},  // traps
    });
    EXPECT_EQ(state.g_tags[20], 5);
    EXPECT_GT(state.bundles, 20'000u);
    EXPECT_LT(translator.stats().interpreted_bundles, 200u);
}

TEST_F(Tags, WhatCodeOverwritesIsNoLongerDiagnostic) {
    expect_equal({
        {"ldd,0,sm 0x0, 0x10, %r20", "ldd,2,sm 0x0, 0x10, %r21"},
        {"ldd,0,sm 0x0, 0x10, %g20", "ldd,2,sm 0x0, 0x10, %r22"},
        {"setwd wsz = 0x20, nfx = 0x1, dbl = 0x0", "addd,0 0x0, 0x2710, %r8"},
        {"subd,0 %r8, 0x1, %r8", "cmpesb,3 %r8, 0x1, %pred1"},
        {"pass %pred1, @p0", "andp ~@p0, ~@p0, @p4", "pass @p4, %pred0", "addd,0 %r8, 0x1, %r20",
         "adds,3 %r8, 0x1, %r21"},  // whole, and the low half of it
        {"ibranch L3 ? %pred0"},
        {"addd,0 0x0, 0x3, %g20"},
        {"adds,0 %r21, 0x1, %r12"},
        {"addd,0 %r21, 0x1, %r13"},  // traps
    });
    EXPECT_EQ(state.window_tags[20], 0);
    EXPECT_EQ(state.window_tags[21], 4);
    EXPECT_EQ(state.window_tags[22], 5);
    EXPECT_EQ(state.g_tags[20], 0);
    EXPECT_LT(translator.stats().interpreted_bundles, 200u);
}

TEST_F(Tags, LoadsFailInsideOfCode) {
    expect_equal({
        {"addd,0 0x0, 0x2710, %r8", "ldd,2,sm 0x0, 0x10, %g20"},
        {"ldd,0,sm 0x0, 0x18, %r20"},
        {"subd,0 %r8, 0x1, %r8", "cmpesb,3 %r8, 0x1, %pred1"},
        {"pass %pred1, @p0", "andp ~@p0, ~@p0, @p4", "pass @p4, %pred0"},
        {"ibranch L1 ? %pred0"},
        {"addd,0 %r20, 0x1, %r13"},  // traps
    });
    EXPECT_EQ(state.window_tags[20], 5);
    EXPECT_LT(translator.stats().interpreted_bundles, 200u);
}

TEST_F(Tags, AReturnToATagLeavesCodeThatKnowsOfNone) {
    expect_equal({
        {"disp %ctpr1, L7", "addd,0 0x0, 0x40, %r8"},
        {"call %ctpr1, wbs = 0x8"},
        {"disp %ctpr1, L7"},
        {"subd,0 %r8, 0x1, %r8", "cmpesb,3 %r8, 0x1, %pred1"},
        {"pass %pred1, @p0", "andp ~@p0, ~@p0, @p4", "pass @p4, %pred0"},
        {"ibranch L1 ? %pred0"},
        {"addd,0 %g20, 0x1, %r13"},  // traps
        {"setwd wsz = 0x20, nfx = 0x1, dbl = 0x0", "return %ctpr3"},
        {"ldd,0,sm 0x0, 0x18, %g20"},  // outlives the function
        {"ldd,0,sm 0x0, 0x18, %r52"},  // and this does not
        {"ct %ctpr3"},
    });
    EXPECT_EQ(state.g_tags[20], 5);
    EXPECT_EQ(state.window_tags[68], 0);
}

}  // namespace
}  // namespace e2k::translate
