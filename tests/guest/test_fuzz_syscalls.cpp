// The table of system calls under bad addresses and random calls (fuzz_syscalls runs longer).
#include <gtest/gtest.h>

#include "tests/guest/fuzz_syscalls/fuzzer.h"

namespace e2k::guest {
namespace {

std::string text(const fuzz::Outcome& outcome) {
    std::string all;
    for (const std::string& finding : outcome.findings) all += finding + "\n";
    return all;
}

TEST(FuzzSyscalls, BadPointersGiveErrors) {
    const auto outcome = fuzz::run_bad_pointers(false);
    EXPECT_TRUE(outcome.findings.empty()) << text(outcome);
    EXPECT_GT(outcome.calls, 5000u);
}

TEST(FuzzSyscalls, RandomCallsLeaveTheWorkbenchAlive) {
    fuzz::Settings settings;
    settings.sandbox = false;
    settings.calls = 20'000;
    settings.seconds = 5;
    const auto outcome = fuzz::run(settings);
    EXPECT_TRUE(outcome.findings.empty()) << text(outcome);
    EXPECT_GT(outcome.calls, 1000u);
}

}  // namespace
}  // namespace e2k::guest
