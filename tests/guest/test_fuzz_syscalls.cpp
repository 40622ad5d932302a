// The table of system calls under bad addresses; random calls: fuzz_syscalls.
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

}  // namespace
}  // namespace e2k::guest
