// Host code of all three-input truth tables: operands that hold the eight combinations of three
// bits give the table itself.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "engine/cpu/interpreter.h"
#include "engine/isa/assembler/program.h"
#include "engine/translate/translator.h"
#include "tests/translate/bare_guest.h"

namespace e2k::translate {
namespace {

constexpr std::uint64_t kFirst = 0xf0f0'f0f0'f0f0'f0f0, kSecond = 0xcccc'cccc'cccc'cccc,
                        kThird = 0xaaaa'aaaa'aaaa'aaaa, kRepeat = 0x0101'0101'0101'0101;

class TruthTables : public testing::Test {
protected:
    /// Runs the bundle at the end of the code page, where its region ends.
    void run(const std::string& bundle, cpu::CpuState& state) {
        const std::string source = ".text\n.globl _start\n_start:\n" + bundle;
        isa::ProgramSourceOptions options;
        options.iset = 5;
        auto program = isa::assemble_program(source, options);
        ASSERT_TRUE(program) << program.error().front().describe(bundle);
        const auto& code = program->sections.front().bytes;
        guest_.attach(state);
        state.ip = test::kCode + test::kPage - code.size();
        guest_.poke(state.ip, code.data(), code.size());
        state.iset = options.iset;
        state.wd.size = 16;
        state.wd.psize = 8;
        state.window[0] = {kFirst, ~kFirst};
        state.window[1] = {kSecond, ~kSecond};
        state.window[2] = {kThird, ~kThird};
        translator_.invalidate(test::kCode, test::kCode + test::kPage);
        const std::uint64_t calls = translator_.stats().operations_helper;
        translator_.run_region(state, interpreter_);
        ASSERT_EQ(state.bundles, 1u);
        EXPECT_EQ(translator_.stats().interpreted_bundles, 0u);
        EXPECT_EQ(translator_.stats().operations_helper, calls);
    }

    test::BareGuest guest_;
    cpu::Interpreter interpreter_{guest_.view};
    Translator translator_{guest_.view, {}};
};

TEST_F(TruthTables, ReadEachCombinationOfTheirOperands) {
    ASSERT_TRUE(guest_.ready);
    for (unsigned table = 0; table < 256; ++table) {
        cpu::CpuState state;
        run(fmt::format("{{ plog_0x{:02x},0 %dr0, %dr1, %dr2, %dr4 }}\n", table), state);
        EXPECT_EQ(state.window[4].lo, table * kRepeat) << "table " << table;
    }
}

TEST_F(TruthTables, TheUpperHalfsOperandsAreComplements) {
    ASSERT_TRUE(guest_.ready);
    for (unsigned table = 0; table < 256; ++table) {
        unsigned reversed = 0;  // combination 7 - i in place i
        for (unsigned i = 0; i < 8; ++i) reversed |= (table >> (7 - i) & 1) << i;
        cpu::CpuState state;
        run(fmt::format("{{ qplog_0x{:02x},0 %qpr0, %qpr1, %qpr2, %qpr4 }}\n", table), state);
        EXPECT_EQ(state.window[4].lo, table * kRepeat) << "table " << table;
        EXPECT_EQ(state.window[4].ext, reversed * kRepeat) << "table " << table;
    }
}

}  // namespace
}  // namespace e2k::translate
