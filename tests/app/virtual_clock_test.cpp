// Virtual time: every reading follows from the bundles executed, or is a step later than the last;
// it is the same in every run and in both tiers, and sleeping takes no real time.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/guest_macros.h"

namespace e2k::test {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000, kUptime = 3600 * kSecond,
                       kStart = 1'704'067'200 * kSecond;

/// Reads all clocks; sleeps 5 seconds, polls for 7, waits on a futex for 2.
constexpr std::string_view kReadings = R"(
        .data
        .balign 8
out:    .skip 512
info:   .skip 512
five:   .dword 5, 0
two:    .dword 2, 0
word:   .dword 0
        .text
        begin
        sys 267, 1, out
        sys 267, 1, out + 16
        sys 267, 0, out + 32
        { addd 0, 0, %dr1 }
count:  { addd %dr1, 1, %dr1 }
        go_if_less %dr1, 20000, count
        sys 267, 1, out + 48
        sys 162, five, 0
        sys 267, 1, out + 64
        sys 168, 0, 0, 7000
        sys 267, 7, out + 80
        sys 248, word, 0, 0, two
        sys 267, 4, out + 96
        sys 267, 2, out + 112
        sys 78, out + 128, 0
        sys 13, out + 144
        sys 77, 0, info
        { addd 0, info, %dr1 ; addd 0, out, %dr2 }
        { nop 4 ; ldd [%dr1 + 0], %dr3 ; ldd [%dr1 + 8], %dr4 }
        { std %dr3, [%dr2 + 152] ; std %dr4, [%dr2 + 160] }
        sys 43, info
        { addd 0, %db[0], %dr3 ; addd 0, info, %dr1 }
        { nop 4 ; ldd [%dr1 + 0], %dr4 }
        { std %dr3, [%dr2 + 168] ; std %dr4, [%dr2 + 176] }
        { rrd %clkr, %dr3 }
        { std %dr3, [%dr2 + 184] }
        sys 116, info
        { nop 4 ; ldd [%dr1 + 0], %dr3 }
        { std %dr3, [%dr2 + 192] }
        sys 4, 1, out, 200
        quit
)";

struct Readings {
    std::array<std::int64_t, 25> words;
    std::int64_t time(std::size_t at, std::int64_t unit = 1) const {
        return words[at / 8] * kSecond + words[at / 8 + 1] * unit;
    }
};

class VirtualClock : public testing::Test {
protected:
    ChildResult run(std::vector<std::string> options, std::string_view body,
                    std::vector<std::string> environment = {}) {
        const auto path = (files_.path() / "guest.s").string();
        std::ofstream(path) << with_macros(body);
        options.insert(options.begin(), {E2KWB, "run"});
        options.push_back(path);
        return run_child(options, {.environment = std::move(environment)});
    }
    /// What the guest prints, the same in both tiers and again.
    std::string everywhere(const std::string& clock, std::string_view body) {
        const auto first = run({"--virtual-clock", clock}, body);
        EXPECT_EQ(first.shell_status(), 0) << first.errors;
        EXPECT_EQ(run({"--virtual-clock", clock}, body).output, first.output);
        EXPECT_EQ(run({"--interp", "--virtual-clock", clock}, body).output, first.output);
        return first.output;
    }
    ScratchDirectory files_;
};

TEST_F(VirtualClock, RunsFromTheBundles) {
    const auto begin = std::chrono::steady_clock::now();
    const std::string text = everywhere("1M", kReadings);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(12));
    Readings r{};
    ASSERT_EQ(text.size(), sizeof r);
    std::memcpy(&r, text.data(), sizeof r);
    constexpr std::int64_t kBundle = 1000, kCall = 100 * kBundle;
    const auto near = [](std::int64_t value, std::int64_t least) {
        return value >= least && value < least + kCall;
    };
    EXPECT_TRUE(near(r.time(0), kUptime)) << r.time(0);
    EXPECT_GT(r.time(16), r.time(0));
    EXPECT_TRUE(near(r.time(32) - kStart + kUptime, r.time(16)));
    EXPECT_GE(r.time(48) - r.time(16), 60'000 * kBundle);  // the loop has three bundles or more
    EXPECT_TRUE(near(r.time(64), r.time(48) + 5 * kSecond));
    EXPECT_TRUE(near(r.time(80), r.time(64) + 7 * kSecond));
    EXPECT_TRUE(near(r.time(96), r.time(80) + 2 * kSecond));
    EXPECT_TRUE(near(r.time(112), r.time(96) - kUptime - 14 * kSecond)) << "processor time";
    EXPECT_TRUE(near(r.time(128, 1000) - kStart + kUptime, r.time(96)));
    EXPECT_EQ(r.words[18], r.words[16]) << "time()";
    EXPECT_TRUE(near(r.time(152, 1000), r.time(112))) << "getrusage";
    EXPECT_EQ(r.words[21], r.time(96) / (kSecond / 100)) << "times()";
    EXPECT_EQ(r.words[22], r.time(112) / (kSecond / 100)) << "tms_utime";
    EXPECT_TRUE(near(r.words[23], r.time(128, 1000) - kStart + kUptime)) << "%clkr";
    EXPECT_EQ(r.words[24], r.time(96) / kSecond) << "uptime";
}

TEST_F(VirtualClock, StepsAtEachReading) {
    const std::string text = everywhere("step:11s", kReadings);
    Readings r{};
    ASSERT_EQ(text.size(), sizeof r);
    std::memcpy(&r, text.data(), sizeof r);
    EXPECT_EQ(r.time(0), kUptime + 11 * kSecond);
    EXPECT_EQ(r.time(16), kUptime + 22 * kSecond);
    EXPECT_EQ(r.time(32), kStart + 33 * kSecond);
    EXPECT_EQ(r.time(48), kUptime + 44 * kSecond);
    EXPECT_EQ(r.time(64), kUptime + (55 + 5) * kSecond);
    EXPECT_EQ(r.time(80), kUptime + (66 + 12) * kSecond);
    EXPECT_EQ(r.time(96), kUptime + (77 + 14) * kSecond);
    EXPECT_EQ(r.time(112), 88 * kSecond) << "processor time";
    EXPECT_EQ(r.time(128, 1000), kStart + (99 + 14) * kSecond);
}

/// Five ticks of a timer; at each the number of rounds that the main program has done.
constexpr std::string_view kTicks = R"(
        .data
        .balign 8
action: .dword tick, 0x10000000, 0, 0
every:  .dword 0, 10000, 0, 10000
rounds: .dword 0
ticks:  .dword 0
        .text
tick:   procedure
        sys 4, 1, rounds, 8
        { addd 0, ticks, %dr3 }
        { nop 4 ; ldd [%dr3 + 0], %dr4 }
        { addd %dr4, 1, %dr4 }
        { std %dr4, [%dr3 + 0] }
        go_if_less %dr4, 5, again
        quit
again:  back
        begin
        sys 174, SIGNAL, action, 0, 8
        sys 104, WHICH, every, 0
        { addd 0, rounds, %dr3 ; addd 0, 0, %dr4 }
loop:   { addd %dr4, 1, %dr4 }
        { std %dr4, [%dr3 + 0] }
        go loop
)";

TEST_F(VirtualClock, TimersAreDueAtABundle) {
    struct Kind {
        const char *which, *signal;
    };
    for (const Kind& kind : {Kind{"0", "14"}, Kind{"2", "27"}}) {
        SCOPED_TRACE(kind.signal);
        const std::string body = std::string("        .equ WHICH, ") + kind.which +
                                 "\n        .equ SIGNAL, " + kind.signal + "\n" +
                                 std::string(kTicks);
        const std::string text = everywhere("20M", body);
        std::array<std::uint64_t, 5> rounds{};
        ASSERT_EQ(text.size(), sizeof rounds);
        std::memcpy(rounds.data(), text.data(), sizeof rounds);
        // 10 ms are 200,000 bundles, a round is four.
        EXPECT_NEAR(static_cast<double>(rounds[0]), 50'000, 200);
        for (std::size_t i = 1; i < rounds.size(); ++i)
            EXPECT_NEAR(static_cast<double>(rounds[i] - rounds[i - 1]), 50'000, 200);
        EXPECT_EQ(everywhere("step:1s", body).size(), sizeof rounds);
    }
}

/// alarm(3600) and pause; then what the clock says.
constexpr std::string_view kAlarm = R"(
        .data
        .balign 8
action: .dword tick, 0, 0, 0
out:    .dword 0, 0
        .text
tick:   procedure
        sys 4, 1, action, 1
        back
        begin
        sys 174, 14, action, 0, 8
        sys 27, 3600
        sys 29
        sys 267, 1, out
        sys 4, 1, out, 16
        sys 27, 10
        sys 162, out, 0
        sys 267, 1, out
        sys 4, 1, out, 16
        quit
)";

TEST_F(VirtualClock, WaitingForATimerTakesNoTime) {
    for (const char* clock : {"1M", "step:1s"}) {
        SCOPED_TRACE(clock);
        const std::string text = everywhere(clock, kAlarm);
        ASSERT_EQ(text.size(), 34u);
        std::array<std::int64_t, 2> at{}, end{};
        std::memcpy(&at, text.data() + 1, sizeof at);
        std::memcpy(&end, text.data() + 18, sizeof end);
        EXPECT_GE(at[0], 7200);
        EXPECT_LE(at[0], 7201);
        EXPECT_NEAR(static_cast<double>(end[0]), static_cast<double>(at[0] + 10), 1.1)
            << "the alarm ends a sleep of two hours";
    }
}

/// A child computes; its parent waits for it and reads the clock and the usage of children.
constexpr std::string_view kFamily = R"(
        .data
        .balign 8
out:    .skip 64
info:   .skip 256
        .text
        begin
        sys 267, 1, out
        sys 2
        { addd 0, %db[0], %dr1 }
        go_if_zero %dr1, child
        sys 114, %dr1, 0, 0, info
        sys 267, 1, out + 16
        { addd 0, info, %dr1 ; addd 0, out, %dr2 }
        { nop 4 ; ldd [%dr1 + 0], %dr3 ; ldd [%dr1 + 8], %dr4 }
        { std %dr3, [%dr2 + 32] ; std %dr4, [%dr2 + 40] }
        sys 77, -1, info
        { nop 4 ; ldd [%dr1 + 0], %dr3 ; ldd [%dr1 + 8], %dr4 }
        { std %dr3, [%dr2 + 48] ; std %dr4, [%dr2 + 56] }
        sys 4, 1, out, 64
        quit
child:  { addd 0, 0, %dr1 }
count:  { addd %dr1, 1, %dr1 }
        go_if_less %dr1, 1000000, count
        quit
)";

TEST_F(VirtualClock, TimeOfChildrenPassesForTheirParent) {
    const std::string text = everywhere("1M", kFamily);
    std::array<std::int64_t, 8> w{};
    ASSERT_EQ(text.size(), sizeof w);
    std::memcpy(&w, text.data(), sizeof w);
    const std::int64_t elapsed = (w[2] - w[0]) * kSecond + w[3] - w[1];
    const std::int64_t used = w[4] * kSecond + w[5] * 1000;
    EXPECT_GE(used, 3 * kSecond);
    EXPECT_LT(used, 5 * kSecond);
    EXPECT_GE(elapsed, used);
    EXPECT_LT(elapsed, used + kSecond / 100);
    EXPECT_EQ(w[6], w[4]);
    EXPECT_EQ(w[7], w[5]);
}

/// What /proc says of time, twice.
constexpr std::string_view kProc = R"(
        .section .rodata
uptime: .asciz "/proc/uptime"
self:   .asciz "/proc/self/stat"
all:    .asciz "/proc/stat"
        .data
buffer: .skip 4096
        .text
        .macro show file
        sys 5, \file, 0, 0
        { addd 0, %db[0], %dr1 }
        sys 3, %dr1, buffer, 4096
        { addd 0, %db[0], %dr2 }
        sys 4, 1, buffer, %dr2
        sys 6, %dr1
        .endm
        begin
        show uptime
        sys 162, ten, 0
        show uptime
        show all
        quit
        .data
        .balign 8
ten:    .dword 10, 0
)";

TEST_F(VirtualClock, FilesOfProcTellIt) {
    const std::string text = everywhere("1M", kProc);
    EXPECT_EQ(text.find("3600.00 3600.00\n3610.00 3610.00\ncpu  0 0 0 361000 "), 0u) << text;
    EXPECT_NE(text.find("\nbtime 1704063600\n"), std::string::npos);
}

TEST_F(VirtualClock, ComesFromTheEnvironmentToo) {
    const auto expected = run({"--virtual-clock", "step:2s"}, kReadings);
    EXPECT_EQ(run({}, kReadings, {"E2KWB_VIRTUAL_CLOCK=step:2s"}).output, expected.output);
}

TEST_F(VirtualClock, LockstepAgrees) {
    for (const char* clock : {"1M", "step:3s"}) {
        const auto result = run({"--lockstep", "--virtual-clock", clock}, kReadings);
        EXPECT_EQ(result.exit_code, 0) << result.errors;
        EXPECT_NE(result.errors.find("no difference"), std::string::npos) << result.errors;
    }
}

/// The programs that look at clocks, timers and threads from all sides.
TEST_F(VirtualClock, ChecksOfRealTimeHold) {
    for (const char* name : {"time_sleep", "sig_alarm", "threads_futex", "pipe_fork"}) {
        SCOPED_TRACE(name);
        const std::string guests = std::string(E2K_SOURCE_DIR) + "/tests/data/guests/";
        const auto expected = read_file(guests + "expected/" + name + ".stdout");
        for (const char* tier : {"--interp", "--no-tags"}) {
            const auto result =
                run_child({E2KWB, "run", tier, "--virtual-clock", "20M", guests + "elf/" + name});
            EXPECT_EQ(result.output, expected);
        }
    }
}

TEST_F(VirtualClock, MistakesAreNamed) {
    for (const char* wrong : {"0", "fast", "100X", "step:", "step:0s", "step:5", "step:2d", "-5"}) {
        const auto result = run({std::string("--virtual-clock=") + wrong}, kReadings);
        EXPECT_EQ(result.exit_code, 2) << wrong;
        EXPECT_NE(result.errors.find(wrong), std::string::npos) << result.errors;
    }
}

}  // namespace
}  // namespace e2k::test
