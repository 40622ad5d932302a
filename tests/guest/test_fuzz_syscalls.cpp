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
    for (const bool sandbox : {false, true}) {
        const auto outcome = fuzz::run_bad_pointers(sandbox);
        EXPECT_TRUE(outcome.findings.empty()) << text(outcome);
        EXPECT_GT(outcome.calls, 5000u);
    }
}

TEST(FuzzSyscalls, RandomCallsChangeNothingOutside) {
    for (const bool sandbox : {false, true}) {  // without it, only the workbench must live on
        fuzz::Settings settings;
        settings.sandbox = sandbox;
        settings.calls = 10'000;
        settings.seconds = 2;
        const auto outcome = fuzz::run(settings);
        EXPECT_TRUE(outcome.findings.empty()) << text(outcome);
        EXPECT_GT(outcome.calls, 200u);
    }
}

}  // namespace
}  // namespace e2k::guest
