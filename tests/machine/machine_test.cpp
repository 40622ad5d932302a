// A guest on its worker: commands, stops, snapshots, logs, and the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "app/scratch_directory.h"
#include "engine/machine/machine.h"
#include "tests/support/assembled_guest.h"
#include "tests/support/guest_macros.h"

namespace e2k::machine {
namespace {

using Go = Run;  // testing::Test has a Run of its own

std::string guest_path(const std::string& name) {
    return std::string(E2K_SOURCE_DIR) + "/tests/data/guests/elf/" + name;
}

class MachineTest : public testing::TestWithParam<Tier> {
protected:
    void open(const std::string& name, bool start_paused = true) {
        Open command;
        command.path = guest_path(name);
        command.options.own_streams = true;
        command.options.start_paused = start_paused;
        command.options.tier = GetParam();
        machine.send(command);
    }
    std::shared_ptr<const Snapshot> settled() { return machine.wait_until_stopped(); }
    /// Sends and waits for the guest to stop.
    std::shared_ptr<const Snapshot> after(Command command) {
        machine.send(std::move(command));
        return settled();
    }
    std::string console() {
        std::string text;
        for (const ConsoleChunk& chunk : machine.console(0).items) text += chunk.text;
        return text;
    }
    std::string notices() {
        std::string text;
        for (const Notice& notice : machine.notices(0).items) text += notice.text + "\n";
        return text;
    }
    std::uint64_t address_of(const std::string& symbol) {
        const auto snapshot = settled();
        const guest::Symbol* found =
            snapshot->symbols ? snapshot->symbols->by_name(symbol) : nullptr;
        EXPECT_NE(found, nullptr) << symbol;
        return found ? found->address : 0;
    }
    /// Waits until the running guest has shown itself in a live snapshot.
    void wait_until_live(std::uint64_t bundles = 1) {
        for (int i = 0; i < 20'000; ++i) {
            const auto snapshot = machine.snapshot();
            if (snapshot->live && snapshot->counters.bundles >= bundles) return;
            if (snapshot->run_state == RunState::Exited) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        FAIL() << "no live snapshot";
    }

    Machine machine;
};

INSTANTIATE_TEST_SUITE_P(Tiers, MachineTest, testing::Values(Tier::Interpreter, Tier::Translator),
                         [](const auto& info) {
                             return info.param == Tier::Interpreter ? "Interpreter" : "Translator";
                         });

TEST_P(MachineTest, StartsWithoutAProgram) {
    const auto snapshot = settled();
    ASSERT_NE(snapshot, nullptr);
    EXPECT_EQ(snapshot->run_state, RunState::NoProgram);
    EXPECT_EQ(after(Go{})->run_state, RunState::NoProgram);
    EXPECT_NE(notices().find("no program is open"), std::string::npos);
}

TEST_P(MachineTest, PausesBeforeTheFirstBundle) {
    open("hello");
    const auto snapshot = settled();
    EXPECT_EQ(snapshot->run_state, RunState::Paused);
    EXPECT_FALSE(snapshot->live);
    EXPECT_EQ(snapshot->counters.bundles, 0u);
    EXPECT_EQ(snapshot->location, "_start");
    ASSERT_NE(snapshot->code, nullptr);
    ASSERT_FALSE(snapshot->code->rows.empty());
    EXPECT_EQ(snapshot->code->rows.front().bundle.address, snapshot->ip);
    EXPECT_FALSE(snapshot->code->rows.front().text.empty());
    EXPECT_FALSE(snapshot->regions.empty());
}

TEST_P(MachineTest, TheNextGuestIsScheduledAsTheFirst) {
    // Processors, policy, input and output, timers: whatever a guest finds changed, it says.
    const ScratchDirectory scratch;
    const std::string path = (scratch.path() / "guest").string();
    test::write_guest(path, test::with_macros(R"(
        .data
        .balign 8
one:    .dword 1, 0, 0, 0
none:   .dword 0
        begin
        sys 157, 0
        { addd 0, %db[0], %dr1 }        ! the policy
        sys 290, 1, 0
        { nop 2
          cmpedb %db[0], 0x6000, %pred4 }
        { addd %dr1, 10, %dr1 ? %pred4 }
        sys 172, 30
        { nop 2
          cmpedb %db[0], 77777, %pred4 }
        { addd %dr1, 100, %dr1 ? %pred4 }
        sys 156, 0, 3, none
        sys 249, 0, 8, one
        sys 289, 1, 0, 0x6000
        sys 172, 29, 77777
        quit %dr1
)"));
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    Open command;
    command.path = path;
    command.options.own_streams = true;
    command.options.tier = GetParam();
    for (int round = 0; round < 2; ++round) {
        machine.send(command);
        ASSERT_EQ(settled()->run_state, RunState::Paused);
        const auto snapshot = after(Go{});
        EXPECT_EQ(snapshot->run_state, RunState::Exited);
        EXPECT_EQ(snapshot->exit.value, 0) << "round " << round;
    }
}

TEST_P(MachineTest, FollowsExecve) {
    // The same window, the same number of the process: another program.
    const ScratchDirectory scratch;
    const std::string second = (scratch.path() / "second").string();
    const std::string first = (scratch.path() / "first").string();
    constexpr std::string_view kCall = R"(
        .macro linux number, a=0
        { addd 0, \number, %db[0] }
        { addd 0, \a, %db[1] }
        { addd 0, 0, %db[2] }
        { addd 0, 0, %db[3] }
        { nop 4
          sdisp %ctpr1, 3 }
        { call %ctpr1, wbs = 4 }
        .endm
        .globl _start
        .text
_start: { setwd wsz = 8, nfx = 1, dbl = 1
          setbn rbs = 4, rsz = 3, rcur = 0 }
)";
    test::write_guest(second, std::string(kCall) + R"(
        .globl stop_here
stop_here:
        linux 300, 9
)");
    std::filesystem::permissions(second, std::filesystem::perms::owner_all);
    test::write_guest(first, std::string(kCall) + R"(
        linux 11, path
        linux 300, 1
        .section .rodata
path:   .asciz ")" + second + "\"\n");
    Open command;
    command.path = first;
    command.options.own_streams = true;
    command.options.tier = GetParam();
    machine.send(command);
    const auto before = settled();
    ASSERT_EQ(before->run_state, RunState::Paused);
    const auto snapshot = after(Go{});
    EXPECT_EQ(snapshot->run_state, RunState::Exited);
    EXPECT_EQ(snapshot->exit.value, 9);
    ASSERT_NE(snapshot->symbols, nullptr);
    EXPECT_NE(snapshot->symbols->by_name("stop_here"), nullptr);
    EXPECT_NE(before->symbols, snapshot->symbols);
    const auto calls = machine.syscalls(0);
    ASSERT_EQ(calls.items.size(), 2u);
    EXPECT_EQ(calls.items[0].name, "execve");
    EXPECT_EQ(calls.items[1].name, "exit_group");
    // Restart begins with the first program again.
    const auto again = after(Restart{});
    EXPECT_EQ(again->run_state, RunState::Paused);
    EXPECT_EQ(again->symbols->by_name("stop_here"), nullptr);
}

TEST_P(MachineTest, RunsToTheEnd) {
    open("hello");
    const auto snapshot = after(Go{});
    EXPECT_EQ(snapshot->run_state, RunState::Exited);
    EXPECT_EQ(snapshot->exit.value, 0);
    EXPECT_EQ(snapshot->banner, "Exited with code 0");
    EXPECT_EQ(console(), "Hello, Elbrus\n");
    const auto calls = machine.syscalls(0);
    ASSERT_EQ(calls.items.size(), 2u);
    EXPECT_EQ(calls.items[0].name, "write");
    EXPECT_EQ(calls.items[0].result, 14);
    EXPECT_EQ(snapshot->counters.syscalls, 2u);
    after(Go{});
    EXPECT_NE(notices().find("has ended"), std::string::npos);
}

TEST_P(MachineTest, ReportsAFileThatIsNoProgram) {
    Open command;
    command.path = guest_path("no_such_program");
    machine.send(command);
    EXPECT_EQ(settled()->run_state, RunState::NoProgram);
    EXPECT_NE(notices().find("no_such_program"), std::string::npos);
}

TEST_P(MachineTest, TellsWhyAGuestDied) {
    open("err_wild_store", false);
    const auto snapshot = settled();
    EXPECT_EQ(snapshot->run_state, RunState::Signaled);
    EXPECT_EQ(snapshot->exit.value, 11);
    EXPECT_NE(snapshot->banner.find("SIGSEGV"), std::string::npos) << snapshot->banner;
    EXPECT_EQ(snapshot->trap.code, cpu::TrapCode::DataPage);
    EXPECT_EQ(snapshot->trap.access, cpu::Access::Write);
    EXPECT_EQ(snapshot->ip, snapshot->trap.ip);
}

TEST_P(MachineTest, StopsAtABreakpointAndStepsOn) {
    open("fib_deep");
    const std::uint64_t main = address_of("main");
    machine.send(SetBreakpoint{main, true});
    auto snapshot = after(Go{});
    ASSERT_EQ(snapshot->run_state, RunState::Paused);
    EXPECT_EQ(snapshot->ip, main);
    EXPECT_EQ(snapshot->banner, "Breakpoint at main");
    EXPECT_EQ(snapshot->breakpoints, std::vector<std::uint64_t>{main});
    const std::uint64_t bundles = snapshot->counters.bundles;
    snapshot = after(StepBundle{1});
    EXPECT_EQ(snapshot->counters.bundles, bundles + 1);
    EXPECT_NE(snapshot->ip, main);
    EXPECT_EQ(snapshot->banner, "");
    snapshot = after(StepBundle{5});
    EXPECT_EQ(snapshot->counters.bundles, bundles + 6);
    machine.send(SetBreakpoint{main, false});
    snapshot = after(Go{});
    EXPECT_EQ(snapshot->run_state, RunState::Exited);
    EXPECT_TRUE(snapshot->breakpoints.empty());
}

TEST_P(MachineTest, RunsOnFromABreakpointInALoop) {
    open("fib_deep");
    const std::uint64_t fib = address_of("fib");
    machine.send(SetBreakpoint{fib, true});
    std::uint64_t last = 0;
    for (int i = 0; i < 5; ++i) {
        const auto snapshot = after(Go{});
        ASSERT_EQ(snapshot->run_state, RunState::Paused);
        EXPECT_EQ(snapshot->ip, fib);
        EXPECT_GT(snapshot->counters.bundles, last);
        last = snapshot->counters.bundles;
    }
}

TEST_P(MachineTest, StepsOverAndOutOfCalls) {
    open("fib_deep");
    const std::uint64_t fib = address_of("fib");
    machine.send(SetBreakpoint{fib, true});
    after(Go{});
    machine.send(SetBreakpoint{fib, false});
    auto snapshot = settled();
    const std::size_t depth = snapshot->frames.size();
    ASSERT_GE(depth, 2u);
    const std::uint64_t return_ip = snapshot->frames[1].ip;
    const std::uint64_t caller = snapshot->frames[1].window_index;
    // Stepping over never leaves the depth of the procedure while inside it.
    std::uint64_t jumped = 0;
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t before = snapshot->counters.bundles;
        snapshot = after(StepOver{});
        if (snapshot->frames.size() != depth) break;
        if (snapshot->counters.bundles > before + 1) ++jumped;
    }
    EXPECT_EQ(snapshot->frames.size(), depth - 1) << "returned to the caller by stepping over";
    EXPECT_EQ(snapshot->ip, return_ip);

    after(Restart{});
    machine.send(SetBreakpoint{fib, true});
    after(Go{});
    machine.send(SetBreakpoint{fib, false});
    snapshot = after(StepOut{});
    EXPECT_EQ(snapshot->run_state, RunState::Paused);
    EXPECT_EQ(snapshot->ip, return_ip);
    EXPECT_EQ(snapshot->window_index, caller);
    EXPECT_EQ(snapshot->frames.size(), depth - 1);
}

TEST_P(MachineTest, RunsToAnAddress) {
    open("fib_deep");
    const std::uint64_t main = address_of("main");
    const auto snapshot = after(RunTo{main});
    EXPECT_EQ(snapshot->run_state, RunState::Paused);
    EXPECT_EQ(snapshot->ip, main);
    EXPECT_TRUE(snapshot->breakpoints.empty());
}

TEST_P(MachineTest, PausesALoopAndGoesOn) {
    open("bench_int");
    machine.send(Go{});
    wait_until_live(1000);
    auto snapshot = after(Pause{});
    ASSERT_EQ(snapshot->run_state, RunState::Paused);
    EXPECT_FALSE(snapshot->live);
    const std::uint64_t bundles = snapshot->counters.bundles;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(settled()->counters.bundles, bundles);
    machine.send(SetTier{Tier::Translator});
    snapshot = after(Go{});
    EXPECT_EQ(snapshot->run_state, RunState::Exited);
    EXPECT_EQ(snapshot->exit.value, 0);
    EXPECT_NE(console().find("fib=75025"), std::string::npos) << console();
}

TEST_P(MachineTest, EndsWithARunningGuest) {
    for (const char* name : {"bench_int", "threads_futex", "rot13", "time_sleep"}) {
        Machine other;
        Open command;
        command.path = guest_path(name);
        command.options.own_streams = true;
        command.options.start_paused = false;
        command.options.tier = GetParam();
        other.send(command);
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
}

TEST_P(MachineTest, PausesAndKillsAGuestThatWaitsForInput) {
    open("rot13", false);
    // It is in read() soon; pausing must work before, inside and after the call begins.
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    auto snapshot = after(Pause{});
    ASSERT_EQ(snapshot->run_state, RunState::Paused);
    machine.send(Go{});
    machine.send(Input{"Uryyb\n", false});
    machine.send(Input{"", true});
    snapshot = settled();
    EXPECT_EQ(snapshot->run_state, RunState::Exited);
    EXPECT_NE(console().find("Hello"), std::string::npos) << console();

    machine.send(Restart{});
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    snapshot = after(Kill{});
    EXPECT_EQ(snapshot->run_state, RunState::Signaled);
    EXPECT_EQ(snapshot->exit.value, 9);
}

TEST_P(MachineTest, FiguresGoOnWhileTheGuestWaitsInACall) {
    open("rot13", false);  // reads standard input at once
    wait_until_live();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const auto first = machine.snapshot();
    ASSERT_EQ(first->run_state, RunState::Running);
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    const auto later = machine.snapshot();
    EXPECT_TRUE(later->in_system_call);
    EXPECT_GT(later->sequence, first->sequence);
    EXPECT_GT(later->counters.run_seconds, first->counters.run_seconds + 0.2);
    EXPECT_EQ(later->counters.syscalls, first->counters.syscalls) << "the call has not ended";
    machine.send(Input{"Uryyb\n", false});
    machine.send(Input{"", true});
    EXPECT_EQ(settled()->run_state, RunState::Exited);
    EXPECT_NE(console().find("Hello"), std::string::npos) << console();
}

TEST_P(MachineTest, RunsThreads) {
    open("threads_futex", false);
    const auto snapshot = settled();
    EXPECT_EQ(snapshot->run_state, RunState::Exited);
    EXPECT_NE(console().find("atomic=3000"), std::string::npos) << console();
}

TEST_P(MachineTest, RestartsFromTheBeginning) {
    open("hello");
    after(Go{});
    auto snapshot = after(Restart{});
    EXPECT_EQ(snapshot->run_state, RunState::Paused);
    EXPECT_EQ(snapshot->counters.bundles, 0u);
    EXPECT_EQ(after(Go{})->run_state, RunState::Exited);
    // What the first run printed is gone: a new run has a new console.
    EXPECT_EQ(console(), "Hello, Elbrus\n");
}

TEST_P(MachineTest, WritesRegistersAndReadsMemory) {
    open("hello");
    auto snapshot = after(WriteRegister{3, false, 0x1234});
    ASSERT_GT(snapshot->window.size(), 3u);
    EXPECT_EQ(snapshot->window[3].lo, 0x1234u);
    snapshot = after(WriteRegister{5, true, 77});
    EXPECT_EQ(snapshot->globals[5].lo, 77u);
    after(WriteRegister{200, true, 1});
    EXPECT_NE(notices().find("%g200"), std::string::npos);

    snapshot = after(ReadMemory{snapshot->ip, 16});
    ASSERT_NE(snapshot->memory, nullptr);
    ASSERT_EQ(snapshot->memory->bytes.size(), 16u);
    EXPECT_EQ(snapshot->memory->readable[0], 1);
    ASSERT_NE(snapshot->code, nullptr);
    EXPECT_EQ(snapshot->memory->bytes[0], snapshot->code->rows[0].bundle.words[0] & 0xff);
    snapshot = after(ReadMemory{0, 4});
    EXPECT_EQ(snapshot->memory->readable[0], 0);
}

TEST_P(MachineTest, ShowsOtherCode) {
    open("fib_deep");
    const std::uint64_t main = address_of("main");
    auto snapshot = after(ShowCode{main});
    ASSERT_NE(snapshot->code, nullptr);
    // The section is one list: the function is in it, whatever stands before.
    EXPECT_NE(snapshot->code->row_at(main), nullptr);
    snapshot = after(StepBundle{1});
    EXPECT_TRUE(std::ranges::any_of(snapshot->code->rows, [&](const auto& row) {
        return row.bundle.address == snapshot->ip;
    })) << "a stop shows its own code again";
}

TEST_P(MachineTest, KeepsToASpeedLimit) {
    open("bench_int");
    machine.send(SetSpeed{1000});
    machine.send(Go{});
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const auto snapshot = after(Pause{});
    EXPECT_EQ(snapshot->run_state, RunState::Paused);
    // 100 ms at 1000/s; an unlimited guest executes millions, a slow host fewer.
    EXPECT_LT(snapshot->counters.bundles, 100'000u);
    EXPECT_GT(snapshot->counters.bundles, 0u);
}

TEST_P(MachineTest, SwitchesTiersWhilePaused) {
    open("crc32");
    machine.send(StepBundle{100});
    machine.send(SetTier{Tier::Interpreter});
    machine.send(StepBundle{100});
    machine.send(SetTier{Tier::Translator});
    const auto snapshot = after(Go{});
    EXPECT_EQ(snapshot->run_state, RunState::Exited);
    EXPECT_NE(console().find("cbf43926"), std::string::npos);
}

TEST_P(MachineTest, WakesItsReader) {
    std::atomic<int> wakes{0};
    machine.on_publish([&] { ++wakes; });
    open("hello", false);
    settled();
    machine.on_publish({});
    EXPECT_GE(wakes.load(), 1);
}

}  // namespace
}  // namespace e2k::machine
