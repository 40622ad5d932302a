// Virtual time: what is understood, and what the clocks of threads and processes show.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "engine/cpu/guest_clock.h"
#include "engine/cpu/interpreter.h"

namespace e2k::cpu {
namespace {

constexpr std::uint64_t kSecond = GuestClock::kSecond;

TEST(ClockOptions, UnderstandsRatesAndSteps) {
    struct Case {
        const char* text;
        std::uint64_t rate, step;
        const char* shortest;
    };
    for (const Case& c :
         {Case{"1", 1, 0, "1"}, Case{"500000", 500'000, 0, "500k"}, Case{"20k", 20'000, 0, "20k"},
          Case{"100M", 100'000'000, 0, "100M"}, Case{"10G", 10'000'000'000, 0, "10G"},
          Case{"step:11s", 0, 11 * kSecond, "step:11s"},
          Case{"step:1500ms", 0, 1'500'000'000, "step:1500ms"},
          Case{"step:10us", 0, 10'000, "step:10us"}, Case{"step:7ns", 0, 7, "step:7ns"},
          Case{"step:86400s", 0, 86400 * kSecond, "step:86400s"}}) {
        const auto options = ClockOptions::parse(c.text);
        ASSERT_TRUE(options) << options.error();
        EXPECT_EQ(options->rate, c.rate) << c.text;
        EXPECT_EQ(options->step, c.step) << c.text;
        EXPECT_EQ(options->text(), c.shortest);
    }
    for (const char* wrong : {"", "0", "-1", " 1", "1 ", "1K", "11G", "99999999999999999999", "M",
                              "step", "step:", "step:1", "step:0ms", "step:86401s", "step:1h"}) {
        const auto options = ClockOptions::parse(wrong);
        ASSERT_FALSE(options) << wrong;
        EXPECT_NE(options.error().find(wrong), std::string::npos);
    }
    EXPECT_EQ(ClockOptions{}.text(), "");
}

std::unique_ptr<GuestClock> clock_of(const char* text) {
    return std::move(*GuestClock::create(*ClockOptions::parse(text)));
}

std::uint64_t read(GuestClock& clock, clockid_t id, const CpuState& state) {
    timespec time{};
    EXPECT_EQ(clock.read(id, state, time), 0) << id;
    return static_cast<std::uint64_t>(time.tv_sec) * kSecond +
           static_cast<std::uint64_t>(time.tv_nsec);
}

TEST(GuestClock, TheHostsUnlessAskedOtherwise) {
    const auto clock = std::move(*GuestClock::create({}));
    CpuState state;
    clock->start_program(state);
    timespec before{};
    clock_gettime(CLOCK_REALTIME, &before);
    EXPECT_GE(read(*clock, CLOCK_REALTIME, state) / kSecond,
              static_cast<std::uint64_t>(before.tv_sec));
    timespec time{};
    EXPECT_EQ(clock->read(99, state, time), -EINVAL);
    constexpr std::uint8_t kClkr = 0x90;
    const auto first = read_state_register(state, kClkr);
    EXPECT_GE(*read_state_register(state, kClkr), *first);
}

TEST(GuestClock, CountsBundles) {
    const auto clock = clock_of("3M");  // no whole number of nanoseconds
    CpuState state;
    clock->start_program(state);
    EXPECT_EQ(read(*clock, CLOCK_REALTIME, state), GuestClock::kStart);
    for (const clockid_t id :
         {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_MONOTONIC_COARSE})
        EXPECT_EQ(read(*clock, id, state), GuestClock::kUptime);
    for (const clockid_t id : {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, -2, -6})
        EXPECT_EQ(read(*clock, id, state), 0u);
    timespec time{};
    for (const clockid_t id : {99, 10, -1}) EXPECT_EQ(clock->read(id, state, time), -EINVAL) << id;
    state.bundles = 4'000'000;
    EXPECT_EQ(clock->passed(state), 1'333'333'333u);
    EXPECT_EQ(*read_state_register(state, 0x90), GuestClock::kUptime + 1'333'333'333);
    // The first number of bundles that takes as long.
    for (const std::uint64_t span : {1ull, 333ull, 334ull, 1'000'000ull, 12'345'678'901ull}) {
        CpuState other;
        clock->start_program(other);
        other.clock.base = 0;
        const std::uint64_t bundles = clock->bundles_in(span);
        const auto lasts = [&](std::uint64_t n) {
            return n / 3'000'000 * kSecond + n % 3'000'000 * kSecond / 3'000'000;
        };
        EXPECT_GE(lasts(bundles), span);
        EXPECT_LT(lasts(bundles - 1), span);
    }
    clock->sleep(state, 5 * kSecond);
    EXPECT_EQ(clock->passed(state), 6'333'333'333u);
    EXPECT_EQ(read(*clock, CLOCK_PROCESS_CPUTIME_ID, state), 1'333'333'333u);
}

TEST(GuestClock, StepsAtReadingsOnly) {
    const auto clock = clock_of("step:2s");
    CpuState state;
    clock->start_program(state);
    EXPECT_EQ(read(*clock, CLOCK_MONOTONIC, state), GuestClock::kUptime + 2 * kSecond);
    state.bundles += 1'000'000;
    EXPECT_EQ(clock->peek(CLOCK_MONOTONIC, state), GuestClock::kUptime + 2 * kSecond);
    EXPECT_EQ(clock->nanoseconds(state), GuestClock::kUptime + 4 * kSecond);
    clock->sleep(state, kSecond);
    EXPECT_EQ(read(*clock, CLOCK_REALTIME, state), GuestClock::kStart + 7 * kSecond);
    EXPECT_EQ(clock->passed(state), 2 * kSecond) << "a million bundles and a second";
}

TEST(GuestClock, ThreadsMeetAtSystemCalls) {
    const auto clock = clock_of("1M");
    CpuState first, second;
    clock->start_program(first);
    first.bundles = 1'000'000;
    clock->start_thread(first, second);
    second.bundles = 500'000;
    clock->publish(second);
    EXPECT_EQ(clock->passed(first), 1'500'000'000u) << "no one reads an earlier time";
    clock->publish(first);
    first.bundles += 1'000'000;
    EXPECT_EQ(clock->passed(first), 2'500'000'000u);
    EXPECT_EQ(read(*clock, CLOCK_THREAD_CPUTIME_ID, second), 500'000'000u);
    EXPECT_EQ(read(*clock, CLOCK_PROCESS_CPUTIME_ID, first), 2'500'000'000u);
}

TEST(GuestClock, ChildrenShareIt) {
    const auto clock = clock_of("1M");
    CpuState state;
    clock->start_program(state);
    state.bundles = 1'000'000;
    clock->publish(state);
    const pid_t child = fork();
    if (child == 0) {
        clock->become_child(state, getpid());
        state.bundles += 3'000'000;
        clock->publish(state);
        timespec used{};
        clock->read(CLOCK_PROCESS_CPUTIME_ID, state, used);
        _exit(static_cast<int>(used.tv_sec));
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 3);
    EXPECT_EQ(clock->passed(state), 4 * kSecond);
    EXPECT_EQ(clock->children_time(), 0u);
    EXPECT_EQ(clock->reaped(child), 3 * kSecond);
    EXPECT_EQ(clock->reaped(child), 0u);
    EXPECT_EQ(clock->children_time(), 3 * kSecond);
}

}  // namespace
}  // namespace e2k::cpu
