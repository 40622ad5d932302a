// Tags under the translator: host code runs although a caller holds a diagnostic value, and the
// value still traps when it is used (engine/README.md, "Tags").
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

}  // namespace
}  // namespace e2k::translate
