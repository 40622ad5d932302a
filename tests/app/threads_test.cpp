// Guest threads side by side: locks and atomic additions lose nothing, system calls and changes of
// the code cache go on in all of them at once.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "tests/support/child_process.h"
#include "tests/support/guest_macros.h"

namespace e2k::test {
namespace {

/// Threads that execute `round` some times, counting in %dr5, with %dr6 = 1, %dr8 = the address of
/// `plain`; when all are done `plain` and `atomic` are written.
constexpr std::string_view kThreads = R"(
        .macro fetch_add register, address
        { addd 0, \address, %dr10 }
1:      { nop 4
          ldd,0 [%dr10 + 0], %dr11, mas = 7 }
        { addd %dr11, \register, %dr12 }
        { std,2 %dr12, [%dr10 + 0], mas = 2
          ibranch 1b ? %MLOCK }
        .endm
        .macro exchange value, address          ! the old value is in %dr11
        { addd 0, \address, %dr10
          addd 0, \value, %dr12 }
1:      { nop 4
          ldd,0 [%dr10 + 0], %dr11, mas = 7 }
        { std,2 %dr12, [%dr10 + 0], mas = 2
          ibranch 1b ? %MLOCK }
        .endm
        .data
        .balign 64
lock:   .dword 0
        .balign 64
plain:  .dword 0
atomic: .dword 0
        .balign 64
left:   .dword THREADS
        .balign 64
stacks: .skip THREADS * 16384
        .text
        begin
        { addd 0, 0, %dr1 }
spawn:  { shld %dr1, 14, %dr2 }
        { addd %dr2, stacks + 16384, %dr2 }
        sys 120, 0x50f00, %dr2
        { addd 0, %db[0], %dr3 }
        go_if_zero %dr3, worker
        { addd %dr1, 1, %dr1 }
        go_if_less %dr1, THREADS, spawn
wait:   { addd 0, left, %dr4 }
        { nop 4
          ldd [%dr4 + 0], %dr4 }
        go_if_zero %dr4, done
        sys 248, left, 0, %dr4, 0
        go wait
done:   sys 4, 1, plain, 16
        quit
worker: { addd 0, 0, %dr5
          addd 0, 1, %dr6
          addd 0, -1, %dr7
          addd 0, plain, %dr8 }
round:
)";
constexpr std::string_view kRoundsEnd = R"(
        { addd %dr5, 1, %dr5 }
        go_if_less %dr5, ROUNDS, round
        fetch_add %dr7, left
        sys 248, left, 1, 1
        sys 1, 0
)";

/// A lock of three states around an addition that is not atomic, and one that is.
constexpr std::string_view kLocked = R"(
        exchange 1, lock
        go_if_zero %dr11, inside
retry:  exchange 2, lock
        go_if_zero %dr11, inside
        sys 248, lock, 0, 2, 0
        go retry
inside: { nop 4
          ldd [%dr8 + 0], %dr9 }
        { addd %dr9, 1, %dr9 }
        { std %dr9, [%dr8 + 0] }
        exchange 0, lock
        go_if_less %dr11, 2, counted
        sys 248, lock, 1, 1
counted:
        fetch_add %dr6, atomic
)";

/// Calls the kernel; every 16th round maps an executable page over the same page, which drops
/// translated code and calls the threads back.
constexpr std::string_view kRestless = R"(
        sys 64
        fetch_add %dr6, atomic
        fetch_add %dr6, plain
        { andd %dr5, 15, %dr9 }
        go_if_zero %dr9, remap
        go mapped
remap:  sys 125, code, 4096, 7
mapped:
)";
constexpr std::string_view kCodePage = R"(
        .section .more, "awx"
        .balign 4096
code:   .skip 4096
        .text
)";

void expect_counts(std::string_view round, int threads, int rounds, const char* tier) {
    SCOPED_TRACE(tier);
    const ScratchDirectory files;
    const auto path = (files.path() / "guest.s").string();
    std::ofstream(path) << fmt::format("        .equ THREADS, {}\n        .equ ROUNDS, {}\n",
                                       threads, rounds)
                        << kGuestMacros << kThreads << round << kRoundsEnd;
    const auto result = run_child({E2KWB, "run", tier, path});
    EXPECT_EQ(result.shell_status(), 0) << result.errors;
    std::uint64_t counts[2] = {};
    ASSERT_EQ(result.output.size(), sizeof counts);
    std::memcpy(counts, result.output.data(), sizeof counts);
    for (const std::uint64_t count : counts)
        EXPECT_EQ(count, static_cast<std::uint64_t>(threads) * static_cast<std::uint64_t>(rounds));
}

TEST(Threads, LocksAndAtomicsLoseNothing) {
    expect_counts(kLocked, 8, 20'000, "--no-tags");
    expect_counts(kLocked, 8, 2'000, "--interp");
}

TEST(Threads, CodeIsDroppedWhileOthersCallTheKernel) {
    const std::string round = std::string(kRestless) + std::string(kCodePage);
    expect_counts(round, 8, 2'000, "--no-tags");
    expect_counts(round, 4, 500, "--interp");
}

}  // namespace
}  // namespace e2k::test
