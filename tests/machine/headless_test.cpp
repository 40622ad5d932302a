// run_headless, the differential mode and traces.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/machine/differential.h"
#include "engine/machine/guest.h"
#include "engine/machine/machine.h"
#include "engine/machine/trace.h"
#include "tests/support/assembled_guest.h"

namespace e2k::machine {
namespace {

std::string guest_path(const std::string& name) {
    return std::string(E2K_SOURCE_DIR) + "/tests/data/guests/elf/" + name;
}

guest::ProcessOptions quiet(const std::string& name, std::string& output) {
    guest::ProcessOptions process;
    process.argv = {guest_path(name)};
    process.streams.output = [&](int, std::string_view text) { output += text; };
    process.streams.input = [](char*, std::size_t) { return std::size_t{0}; };
    return process;
}

TEST(Headless, ReportsCountsAndExit) {
    std::string output;
    HeadlessOptions options;
    options.process = quiet("hello", output);
    std::vector<std::string> calls;
    options.on_syscall = [&](const guest::SyscallRecord& record) { calls.push_back(record.name); };
    const auto result = run_headless(guest_path("hello"), std::move(options));
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->exit.kind, guest::ExitStatus::Kind::Exited);
    EXPECT_EQ(output, "Hello, Elbrus\n");
    EXPECT_GT(result->counters.bundles, 0u);
    EXPECT_EQ(calls, (std::vector<std::string>{"write", "exit"}));
}

TEST(Headless, RefusesWhatIsNoProgram) {
    const std::string file = std::string(E2K_SOURCE_DIR) + "/README.md";
    HeadlessOptions options;
    options.process.argv = {file};
    const auto result = run_headless(file, std::move(options));
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().find("not an ELF file"), std::string::npos) << result.error();
}

class DifferentialGuests : public testing::TestWithParam<const char*> {};

TEST_P(DifferentialGuests, TranslatorEqualsInterpreter) {
    std::string output;
    HeadlessOptions options;
    options.process = quiet(GetParam(), output);
    options.differential = true;
    const auto result = run_headless(guest_path(GetParam()), std::move(options));
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->difference, "");
    EXPECT_EQ(result->comparison_end, "");
    EXPECT_GT(result->regions_compared, 0u);
    EXPECT_FALSE(result->failed) << result->detail;
}

INSTANTIATE_TEST_SUITE_P(Some, DifferentialGuests,
                         testing::Values("hello", "fib_deep", "crc32", "vliw6", "swap_bundle",
                                         "predicated", "plu_logic", "dot_pipe", "aau_demo",
                                         "spec_load", "call_window", "indirect_call", "simd64",
                                         "fp_modes", "mem_order", "loop_state", "fault_resume",
                                         "matmul_double", "qp_demo", "fp80_dot", "sig_alarm"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Differential, BothSidesReadTheSameClock) {
    const auto path =
        std::filesystem::temp_directory_path() / ("e2k-clock-" + std::to_string(getpid()));
    test::write_guest(path, R"(
        .globl _start
        .type _start, @function
_start: { setwd wsz = 8, nfx = 1, dbl = 1
          setbn rbs = 4, rsz = 3, rcur = 0 }
        addd 0, 1000, %dr0
        { disp %ctpr1, loop }
        nop 5
loop:   { rrd %clkr, %dr1 }
        nop 5
        { addd %dr1, %dr2, %dr2
          subd %dr0, 1, %dr0
          cmpedb %dr0, 1, %pred0 }
        nop 5
        { ct %ctpr1 ? ~%pred0 }
        { udivs 1, 0, %r0 }              ! ends it by SIGFPE
)");
    std::string output;
    GuestOptions options;
    options.process = quiet("hello", output);
    options.process.argv = {path.string()};
    auto guest = Guest::start(path.string(), std::move(options));
    std::filesystem::remove(path);
    ASSERT_TRUE(guest) << guest.error();
    auto differential = Differential::create(**guest);
    ASSERT_TRUE(differential) << differential.error();
    Runner& runner = (*guest)->main();
    std::vector<std::uint64_t> read;
    for (int i = 0; i < 2000 && (*differential)->difference().empty(); ++i) {
        if ((*differential)->advance(runner) == Event::ProcessEnd) break;
        const std::uint64_t value = runner.state().window[1].lo;
        if (read.empty() || value != read.back()) read.push_back(value);
    }
    EXPECT_EQ((*differential)->difference(), "");
    EXPECT_GT(read.size(), 100u) << "the clock stands still for ever";
    EXPECT_TRUE(std::ranges::is_sorted(read));
}

TEST(Differential, FindsADifference) {
    std::string output;
    GuestOptions options;
    options.process = quiet("crc32", output);
    auto guest = Guest::start(guest_path("crc32"), std::move(options));
    ASSERT_TRUE(guest) << guest.error();
    auto differential = Differential::create(**guest);
    ASSERT_TRUE(differential) << differential.error();
    Runner& runner = (*guest)->main();
    for (int i = 0; i < 5; ++i) (*differential)->advance(runner);
    ASSERT_EQ((*differential)->difference(), "");
    runner.state().g[31].lo ^= 0x40;  // what a wrong emitter would do
    (*differential)->advance(runner);
    EXPECT_NE((*differential)->difference().find("%g31"), std::string::npos)
        << (*differential)->difference();
}

TEST(Trace, PrintsBundlesAndChanges) {
    std::string output;
    TraceOptions options;
    options.process = quiet("hello", output);
    options.registers = true;
    std::vector<std::string> lines;
    const auto result = trace(guest_path("hello"), std::move(options), [&](std::string_view line) {
        lines.emplace_back(line);
        return true;
    });
    ASSERT_TRUE(result) << result.error();
    ASSERT_FALSE(lines.empty());
    EXPECT_NE(lines[0].find("_start"), std::string::npos) << lines[0];
    const auto bundles = std::ranges::count_if(lines, [](const auto& l) { return l[0] == '0'; });
    EXPECT_EQ(static_cast<std::uint64_t>(bundles), result->counters.bundles);
    EXPECT_TRUE(std::ranges::any_of(
        lines, [](const auto& l) { return l.find("%r") != std::string::npos && l[0] == ' '; }));
}

TEST(Trace, StopsWhereAsked) {
    std::string output;
    TraceOptions options;
    options.process = quiet("crc32", output);
    options.max_bundles = 10;
    int lines = 0;
    const auto result =
        trace(guest_path("crc32"), std::move(options), [&](std::string_view) { return ++lines; });
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(lines, 10);
    EXPECT_EQ(result->exit.kind, guest::ExitStatus::Kind::Running);
}

TEST(Trace, StopsWhenALineIsRefused) {
    std::string output;
    TraceOptions options;
    options.process = quiet("crc32", output);
    int lines = 0;
    const auto result = trace(guest_path("crc32"), std::move(options),
                              [&](std::string_view) { return ++lines < 7; });
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(lines, 7);
    EXPECT_EQ(result->exit.kind, guest::ExitStatus::Kind::Running);
}

}  // namespace
}  // namespace e2k::machine
