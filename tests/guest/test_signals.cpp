// Signals: frames on the user stack, masks, restart, nesting, blocking calls, the hardware stacks.
#include <gtest/gtest.h>

#include <poll.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>
#include <vector>

#include "tests/guest/caller.h"

namespace e2k::guest {
namespace {

using test::Caller;
using namespace std::chrono_literals;

constexpr std::uint64_t kSiginfoFlag = 4, kOnStack = 0x0800'0000, kRestartFlag = 0x1000'0000,
                        kNoDefer = 0x4000'0000, kResetHand = 0x8000'0000;
constexpr std::uint64_t kHandler = 0x10100;

class SignalTest : public testing::Test {
protected:
    void act(int signal, std::uint64_t flags, std::uint64_t handler = kHandler,
             std::uint64_t mask = 0) {
        const SigactionE2k action{handler, flags, 0, mask};
        ASSERT_EQ(c.call(174, signal, c.object(action), 0, 8), 0);
    }
    std::int64_t kill_self(int signal) { return c.call(37, getpid(), signal); }
    std::uint64_t mask() {
        const auto out = c.room(8);
        EXPECT_EQ(c.call(175, 0, 0, out, 8), 0);
        return c.get<std::uint64_t>(out);
    }
    /// What `return` of the handler does: pops the trampoline and reports it.
    Next leave() {
        EXPECT_EQ(cpu::pop_return(c.state()), cpu::kSentinelReturn);
        return c.process().signal_return(c.thread());
    }
    Caller c;
};

TEST_F(SignalTest, FrameAndRegistersOfAHandler) {
    act(SIGUSR1, kSiginfoFlag);
    cpu::CpuState& s = c.state();
    s.ip = 0x10120;
    s.g[13].lo = 13;
    s.g[16].lo = 16;
    s.pred[3] = cpu::kPredValue;
    s.br.rbs = 7;
    s.window[5].lo = 0x5555;
    const auto sp = s.usd_base;
    const auto size = s.usd_size;
    const auto* window = s.window;
    const auto depth = s.depth();
    kill_self(SIGUSR1);

    EXPECT_EQ(s.ip, kHandler);
    EXPECT_EQ(s.depth(), depth + 2) << "the interrupted position and the trampoline";
    EXPECT_EQ(s.window, window + 32) << "a new window above the interrupted one";
    EXPECT_EQ(s.wd.size, 8);
    EXPECT_EQ(s.wd.psize, 8);
    EXPECT_EQ(s.window[0].lo, static_cast<std::uint64_t>(SIGUSR1));
    const std::uint64_t frame = s.usd_base;
    EXPECT_EQ(frame % 16, 0u);
    EXPECT_LT(frame, sp);
    EXPECT_EQ(s.usd_size, size - (sp - frame)) << "base minus size, the bottom, stays";
    EXPECT_EQ(s.window[1].lo, frame + 64);
    EXPECT_EQ(s.window[2].lo, frame + 192);
    EXPECT_EQ(s.g[13].lo, 13u);
    EXPECT_EQ(s.g[16].lo, 0u) << "scratch globals start clean";
    EXPECT_EQ(s.pred[3], 0);

    const auto info = c.get<SiginfoE2k>(frame + 64);
    EXPECT_EQ(info.signo, SIGUSR1);
    EXPECT_EQ(info.code, SI_USER);
    EXPECT_EQ(info.u.sender.pid, getpid());
    const auto uc = c.get<UcontextE2k>(frame + 192);
    EXPECT_EQ(uc.context.cr0_hi, 0x10120u);
    EXPECT_EQ(uc.extra.g[0], 16u);
    EXPECT_EQ(uc.sigmask, 0u);
    EXPECT_EQ(uc.context.sbr, kStackTop);

    s.g[13].lo = 99;  // a handler's changes of %g0..15 stay
    EXPECT_EQ(leave(), Next::Continue);
    EXPECT_EQ(s.ip, 0x10120u);
    EXPECT_EQ(s.window, window);
    EXPECT_EQ(s.depth(), depth);
    EXPECT_EQ(s.window[5].lo, 0x5555u);
    EXPECT_EQ(s.window[2 * Caller::kWbs].lo, 0u) << "the result of kill";
    EXPECT_EQ(s.usd_base, sp);
    EXPECT_EQ(s.usd_size, size);
    EXPECT_EQ(s.g[13].lo, 99u);
    EXPECT_EQ(s.g[16].lo, 16u);
    EXPECT_EQ(s.pred[3], cpu::kPredValue);
    EXPECT_EQ(s.br.rbs, 7);
    EXPECT_EQ(mask(), 0u);
}

TEST_F(SignalTest, HandlerWithoutSiginfoGetsTheSigcontext) {
    act(SIGUSR1, 0);
    kill_self(SIGUSR1);
    EXPECT_EQ(c.state().window[1].lo, c.state().usd_base + 192 + 40);
    EXPECT_EQ(c.state().window[2].lo, 0u);
}

TEST_F(SignalTest, HandlerMayMoveTheContinuationAndScratchGlobals) {
    act(SIGUSR1, kSiginfoFlag);
    c.state().ip = 0x10120;
    kill_self(SIGUSR1);
    const std::uint64_t uc = c.state().window[2].lo;
    const std::uint64_t target = 0x10140, value = 77;
    c.memory().write(uc + 40 + 8, &target, 8);
    c.memory().write(uc + 1744 + 104, &value, 8);
    EXPECT_EQ(leave(), Next::Continue);
    EXPECT_EQ(c.state().ip, target);
    EXPECT_EQ(c.state().g[16].lo, value);
}

TEST_F(SignalTest, MasksNestAndDefer) {
    act(SIGUSR1, 0, kHandler, 1ull << (SIGUSR2 - 1));
    act(SIGUSR2, 0, kHandler + 8);
    kill_self(SIGUSR1);
    c.state().wd.size = 32;  // the handler's own setwd
    EXPECT_EQ(mask(), (1ull << (SIGUSR1 - 1)) | (1ull << (SIGUSR2 - 1)));
    EXPECT_EQ(kill_self(SIGUSR2), 0);
    EXPECT_EQ(c.state().ip, kHandler) << "blocked: stays pending";
    const auto set = c.room(8);
    EXPECT_EQ(c.call(176, set, 8), 0);
    EXPECT_EQ(c.get<std::uint64_t>(set), 1ull << (SIGUSR2 - 1));
    EXPECT_EQ(leave(), Next::Continue);
    EXPECT_EQ(c.state().ip, kHandler + 8) << "delivered when the mask is restored";
    EXPECT_EQ(leave(), Next::Continue);
    EXPECT_EQ(mask(), 0u);
}

TEST_F(SignalTest, NoDeferNestsAndResetHandResets) {
    act(SIGUSR1, kNoDefer | kResetHand);
    kill_self(SIGUSR1);
    c.state().wd.size = 32;
    EXPECT_EQ(mask(), 0u);
    EXPECT_EQ(c.issue(37, {static_cast<std::uint64_t>(getpid()), SIGUSR1}), Next::ProcessExit);
    EXPECT_EQ(c.process().exit_status().kind, ExitStatus::Kind::Signaled);
    EXPECT_EQ(c.process().exit_status().value, SIGUSR1);
}

TEST_F(SignalTest, AlternateStack) {
    const std::uint64_t size = 65536, base = c.room(size);
    const StackE2k stack{base, 0, 0, size};
    EXPECT_EQ(c.call(186, c.object(StackE2k{base, 0, 0, 100}), 0), -ENOMEM);
    EXPECT_EQ(c.call(186, c.object(stack), 0), 0);
    act(SIGUSR1, kOnStack | kNoDefer);
    const auto sp = c.state().usd_base, sbr = c.state().sbr;
    kill_self(SIGUSR1);
    EXPECT_GT(c.state().usd_base, base);
    EXPECT_LT(c.state().usd_base, base + size);
    EXPECT_EQ(c.state().usd_size, c.state().usd_base - base);
    EXPECT_EQ(c.state().sbr, base + size);
    c.state().wd.size = 32;
    EXPECT_EQ(c.call(186, c.object(stack), 0), -EPERM) << "active";
    const auto first = c.state().usd_base;
    kill_self(SIGUSR1);
    EXPECT_LT(c.state().usd_base, first) << "nested: continues on the same stack";
    EXPECT_EQ(leave(), Next::Continue);
    EXPECT_EQ(leave(), Next::Continue);
    EXPECT_EQ(c.state().usd_base, sp);
    EXPECT_EQ(c.state().sbr, sbr);
}

TEST_F(SignalTest, NoRoomForTheFrameKills) {
    act(SIGUSR1, 0);
    c.state().usd_size = 128;
    EXPECT_EQ(c.issue(37, {static_cast<std::uint64_t>(getpid()), SIGUSR1}), Next::ProcessExit);
    EXPECT_EQ(c.process().exit_status().value, SIGSEGV);
    EXPECT_NE(c.process().exit_detail().find("SIGUSR1 handler"), std::string::npos);
}

TEST_F(SignalTest, FaultsReachTheirHandlerOrKill) {
    act(SIGSEGV, kSiginfoFlag);
    cpu::Trap trap;
    trap.code = cpu::TrapCode::DataPage;
    trap.ip = c.state().ip = 0x10100;
    trap.address = 0x1234'5678;
    trap.access = cpu::Access::Write;
    trap.channel = 2;
    EXPECT_EQ(c.process().trap(c.thread(), trap), Next::Continue);
    const auto info = c.get<SiginfoE2k>(c.state().window[1].lo);
    EXPECT_EQ(info.code, SEGV_MAPERR);
    EXPECT_EQ(info.u.fault.address, 0x1234'5678u);
    EXPECT_EQ(info.u.fault.trapno, 29);
    // Inside the handler the signal is blocked: a second fault is the end.
    EXPECT_EQ(c.process().trap(c.thread(), trap), Next::ProcessExit);
    EXPECT_EQ(c.process().exit_status().value, SIGSEGV);
    const std::string place = c.process().symbols()->describe(0x10100);
    EXPECT_EQ(c.process().exit_detail(),
              "SIGSEGV: store to 0x12345678, not mapped, at " + place + ", lane ALC2");
}

TEST_F(SignalTest, ReturnFromTheFirstFunctionKills) {
    EXPECT_EQ(c.process().signal_return(c.thread()), Next::ProcessExit);
    EXPECT_EQ(c.process().exit_status().value, SIGSEGV);
}

// --- waiting calls ---

TEST_F(SignalTest, WaitingCallIsInterrupted) {
    act(SIGUSR1, 0);
    const auto pair = c.room(8);
    c.call(42, pair);
    std::thread sender([&] {
        std::this_thread::sleep_for(20ms);
        c.process().post_signal(SIGUSR1);
    });
    const auto* window = c.state().window;
    EXPECT_EQ(c.issue(3, {3, c.room(8), 8}), Next::Continue);
    sender.join();
    EXPECT_EQ(c.state().ip, kHandler);
    EXPECT_EQ(static_cast<std::int64_t>(window[2 * Caller::kWbs].lo), -EINTR);
}

TEST_F(SignalTest, RestartIssuesTheCallAgain) {
    act(SIGUSR1, kRestartFlag);
    const auto pair = c.room(8);
    c.call(42, pair);
    const int writer = c.get<int>(pair + 4);
    const auto buffer = c.room(8);
    std::thread sender([&] {
        std::this_thread::sleep_for(20ms);
        c.process().post_signal(SIGUSR1);
    });
    EXPECT_EQ(c.issue(3, {3, buffer, 8}), Next::Continue);
    sender.join();
    EXPECT_EQ(c.state().ip, kHandler);
    // The handler itself writes what the call waits for.
    c.state().wd.size = 32;
    EXPECT_EQ(c.call(4, writer, c.text("late"), 4), 4);
    EXPECT_EQ(leave(), Next::Continue);
    EXPECT_EQ(c.result(), 4);
    EXPECT_EQ(c.memory().read_string(buffer), "late");
}

TEST_F(SignalTest, IgnoredSignalsDoNotDisturb) {
    act(SIGUSR1, 0, 1 /* SIG_IGN */);
    const auto pair = c.room(8);
    c.call(42, pair);
    const timespec sleep{0, 60'000'000};
    std::thread sender([&] {
        for (int i = 0; i < 5; ++i) {
            std::this_thread::sleep_for(5ms);
            c.process().post_signal(SIGUSR1);
        }
    });
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(c.call(162, c.object(sleep), 0), 0);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 60ms) << "the sleep keeps its end";
    sender.join();
}

TEST_F(SignalTest, PauseAndRetry) {
    const auto pair = c.room(8);
    c.call(42, pair);
    std::thread pauser([&] {
        std::this_thread::sleep_for(20ms);
        c.process().interrupt_blocked();
    });
    const auto buffer = c.room(8);
    EXPECT_EQ(c.issue(3, {3, buffer, 8}), Next::Retry);
    pauser.join();
    ASSERT_EQ(write(1, "", 0), 0);
    std::thread killer([&] {
        std::this_thread::sleep_for(20ms);
        c.process().post_signal(SIGKILL);
    });
    EXPECT_EQ(c.process().system_call(c.thread(), c.stop()), Next::ProcessExit);
    killer.join();
    EXPECT_EQ(c.process().exit_status().kind, ExitStatus::Kind::Signaled);
    EXPECT_EQ(c.process().exit_status().value, SIGKILL);
}

/// Kicks at every moment: none is lost between the test and the host call.
TEST_F(SignalTest, NoWakeUpIsLost) {
    act(SIGUSR1, 0);
    const auto pair = c.room(8);
    c.call(42, pair);
    const auto buffer = c.room(8);
    for (int round = 0; round < 300; ++round) {
        std::thread sender([&, round] {
            for (int spin = 0; spin < round * 20; ++spin) asm volatile("pause");
            c.process().post_signal(SIGUSR1);
        });
        EXPECT_EQ(c.issue(3, {3, buffer, 8}), Next::Continue);
        sender.join();
        ASSERT_EQ(c.state().ip, kHandler) << "the handler must have been entered";
        c.state().ip = 0;
        ASSERT_EQ(leave(), Next::Continue);
    }
}

TEST_F(SignalTest, SigsuspendSwapsTheMaskForItsTime) {
    act(SIGUSR1, kSiginfoFlag);
    const auto blocked = c.object<std::uint64_t>(1ull << (SIGUSR1 - 1));
    EXPECT_EQ(c.call(175, 0, blocked, 0, 8), 0);
    EXPECT_EQ(kill_self(SIGUSR1), 0);
    EXPECT_NE(c.state().ip, kHandler);
    EXPECT_EQ(c.issue(179, {c.object<std::uint64_t>(0), 8}), Next::Continue);
    EXPECT_EQ(c.state().ip, kHandler);
    EXPECT_EQ(leave(), Next::Continue);
    EXPECT_EQ(c.result(), -EINTR);
    EXPECT_EQ(mask(), 1ull << (SIGUSR1 - 1)) << "the mask from before";
}

TEST_F(SignalTest, SigtimedwaitTakesBlockedSignals) {
    const std::uint64_t set = 1ull << (SIGUSR1 - 1);
    EXPECT_EQ(c.call(175, 0, c.object(set), 0, 8), 0);
    const timespec none{0, 0};
    const auto info = c.room(128);
    EXPECT_EQ(c.call(177, c.object(set), info, c.object(none), 8), -EAGAIN);
    kill_self(SIGUSR1);
    EXPECT_EQ(c.call(177, c.object(set), info, 0, 8), SIGUSR1);
    EXPECT_EQ(c.get<SiginfoE2k>(info).signo, SIGUSR1);
}

TEST_F(SignalTest, IntervalTimerRaisesAlarms) {
    act(SIGALRM, 0);
    const itimerval timer{{0, 0}, {0, 5000}};
    EXPECT_EQ(c.call(104, 0, c.object(timer), 0), 0);
    EXPECT_EQ(c.issue(29, {}), Next::Continue);  // pause
    EXPECT_EQ(c.state().ip, kHandler);
    EXPECT_EQ(leave(), Next::Continue);
    EXPECT_EQ(c.result(), -EINTR);
}

TEST_F(SignalTest, BrokenPipeIsAGuestSignal) {
    act(SIGPIPE, 0);
    const auto pair = c.room(8);
    c.call(42, pair);
    c.call(6, 3);
    const auto* window = c.state().window;
    c.issue(4, {4, c.text("x"), 1});
    EXPECT_EQ(c.state().ip, kHandler);
    EXPECT_EQ(static_cast<std::int64_t>(window[2 * Caller::kWbs].lo), -EPIPE);
}

// --- hardware stacks ---

class StackTest : public SignalTest {
protected:
    /// Calls from a frame that keeps `kept` registers, as the interpreter does it.
    void enter(std::uint64_t return_ip, unsigned wbs_registers = 16) {
        cpu::push_call(c.state(), wbs_registers, return_ip);
        c.state().wd.size = 32;
    }
};

TEST_F(StackTest, BacktraceListsReturnAddresses) {
    enter(0x10110);
    enter(0x10120);
    enter(0x10130);
    const auto out = c.room(64);
    EXPECT_EQ(c.call(253, out, 8, 0, 0), 3);
    EXPECT_EQ(c.get<std::uint64_t>(out), 0x10130u);
    EXPECT_EQ(c.get<std::uint64_t>(out + 16), 0x10110u);
    EXPECT_EQ(c.call(253, out, 8, 2, 0), 1);
    EXPECT_EQ(c.get<std::uint64_t>(out), 0x10110u);
    EXPECT_EQ(c.call(253, out, 8, 0, 1), -EINVAL);
    EXPECT_EQ(c.call(253, 8, 8, 0, 0), -EFAULT);
    EXPECT_EQ(c.call(252, c.object<std::uint64_t>(0x10138), 1, 0, 0), 1);
    EXPECT_EQ(c.state().chain_top[-1].return_ip, 0x10138u);
    EXPECT_EQ(c.call(252, c.object<std::uint64_t>(0x7000'0000), 1, 0, 0), -ESRCH);
}

TEST_F(StackTest, ChainAndProcedureStacksAsPublished) {
    c.state().window[2].lo = 0x2222;
    c.state().window[3].lo = 0x3333;
    enter(0x10110);
    enter(0x10120);
    const auto size = c.room(8), frame = c.room(8), buffer = c.room(4096);
    EXPECT_EQ(c.call(254, 4, 0, 0, 0, size), 0);
    EXPECT_EQ(c.get<std::uint64_t>(size), 4 * 32u) << "end, two calls, the call in progress";
    EXPECT_EQ(c.call(254, 6, frame, buffer, 4 * 32, 0), 0);
    EXPECT_EQ(c.get<std::uint64_t>(buffer + 8), 0u);
    EXPECT_EQ(c.get<std::uint64_t>(buffer + 16) >> 57 & 1, 1u) << "the end is a service record";
    EXPECT_EQ(c.get<std::uint64_t>(buffer + 32 + 8), 0x10110u);
    EXPECT_EQ(c.get<std::uint64_t>(buffer + 64 + 8), 0x10120u);
    EXPECT_EQ(c.get<std::uint64_t>(buffer + 96 + 8), c.state().ip);
    EXPECT_EQ(c.get<std::uint64_t>(buffer + 32 + 16) >> 33 & 127, 8u) << "wbs in quads";
    EXPECT_EQ(c.call(254, 6, frame, buffer, 5 * 32, 0), -EINVAL);
    EXPECT_EQ(c.call(254, 5, 0, 0, 0, size), 0);
    EXPECT_EQ(c.get<std::uint64_t>(size), 16 * (32 + 16u));
    const auto at = c.object<std::uint64_t>(32);
    EXPECT_EQ(c.call(254, 7, at, buffer, 32, 0), 0);
    EXPECT_EQ(c.get<std::uint64_t>(buffer), 0x2222u);
    EXPECT_EQ(c.get<std::uint64_t>(buffer + 8), 0x3333u) << "values side by side before v5";
    EXPECT_EQ(c.call(254, 8, at, c.object<std::uint64_t>(0x4444), 8, 0), 0);
    EXPECT_EQ(c.state().window_file[2].lo, 0x4444u);
    EXPECT_EQ(c.call(254, 99, at, buffer, 32, 0), -EINVAL);
    EXPECT_EQ(c.call(254, 7, at, 8, 32, 0), -EFAULT);
}

TEST_F(StackTest, LongjmpReturnsToTheFrameOfSetjmp) {
    cpu::CpuState& s = c.state();
    s.usd_base -= 256;
    s.usd_size -= 256;
    const auto sp = s.usd_base;
    const auto* window = s.window;
    s.br.rbs = 8;
    // setjmp called from here with wbs = 8 quads, returning to 0x10118.
    JumpBufferE2k buffer;
    enter(0x10118);
    buffer.ip = 0x10118;
    buffer.cr1_lo = 8ull << 33 | 4ull << 26;
    buffer.pcsp_lo = s.pcsp_base;
    buffer.pcsp_hi = 32 * s.depth();
    buffer.br = 8;
    buffer.wd_hi = 8 * 8;
    cpu::pop_return(s);
    s.wd.size = 32;
    const auto at = c.object(buffer);
    // Then, deeper and inside a signal handler on its own frames, longjmp.
    enter(0x10150);
    s.usd_base -= 512;
    s.usd_size -= 512;
    act(SIGUSR1, 0);
    kill_self(SIGUSR1);
    s.wd.size = 32;
    enter(0x10170);
    EXPECT_EQ(c.issue(230, {at, 42}), Next::Continue);
    EXPECT_EQ(s.ip, 0x10118u);
    EXPECT_EQ(s.window, window);
    EXPECT_EQ(s.depth(), 0u);
    EXPECT_EQ(s.usd_base, sp);
    EXPECT_EQ(s.window[16].lo, 42u);
    EXPECT_EQ(s.br.rbs, 8);
    // The handler is forgotten: a later trampoline would be an error.
    EXPECT_EQ(c.process().signal_return(c.thread()), Next::ProcessExit);
}

TEST_F(StackTest, LongjmpToAFinishedFunctionKills) {
    JumpBufferE2k buffer;
    buffer.pcsp_lo = c.state().pcsp_base;
    buffer.pcsp_hi = 32 * 5;
    EXPECT_EQ(c.issue(230, {c.object(buffer), 1}), Next::ProcessExit);
    EXPECT_EQ(c.process().exit_status().value, SIGKILL);
    EXPECT_NE(c.process().exit_detail().find("has returned"), std::string::npos);
}

/// setjmp's view of the function whose record is the newest.
JumpBufferE2k jump_buffer(const cpu::CpuState& s) {
    const cpu::ChainFrame& frame = s.chain_top[-1];
    JumpBufferE2k buffer;
    buffer.ip = frame.return_ip;
    buffer.cr1_lo = std::uint64_t{frame.wbs} / 2 << 33 | std::uint64_t{frame.wd.psize} / 2 << 26;
    buffer.pcsp_lo = s.pcsp_base;
    buffer.pcsp_hi = 32 * s.depth();
    buffer.wd_hi = s.wd.psize * 8u;
    return buffer;
}

/// Every field by which a window could leave the architecture's limits.
TEST_F(StackTest, ForgedJumpBuffersKill) {
    struct Forgery {
        std::function<void(JumpBufferE2k&)> change;
        const char* message;
    };
    constexpr std::uint64_t kWbs = 33, kWpsz = 26;
    const std::vector<Forgery> forgeries{
        {[](auto& b) { b.cr1_lo = 8ull << kWbs | 127ull << kWpsz; }, "parameters"},
        {[](auto& b) { b.cr1_lo = 127ull << kWbs; }, "largest has 224"},
        {[](auto& b) { b.wd_hi = 0x7ff; }, "describes a window"},
        {[](auto& b) { b.wd_hi = 216 * 8; }, "largest has 224"},
        {[](auto& b) { b.wd_hi = 9 * 8; }, "describes a window"},
        {[](auto& b) { b.cr1_lo |= 1ull << 57; }, "psr.pm"},
        {[](auto& b) { b.br = 63 << 12; }, "rotation"},
        {[](auto& b) { b.br = 31 << 23; }, "rotation"},
        {[](auto& b) { b.pcsp_hi += 64; }, "has returned"},
        {[](auto& b) { b.pcsp_hi += 8; }, "no record"},
        {[](auto& b) { b.pcsp_hi = 0; }, "no record"},
        {[](auto& b) { b.pcshtp = 0x400; }, "no record"},
        {[](auto& b) { b.pcsp_lo += 8; }, "other hardware stacks"},
        {[](auto& b) { b.ip = kStackTop - 64; }, "is not code like"},
        {[](auto& b) { b.ip = 0x7fff'ffff'fff8; }, "is not code like"},
    };
    for (const Forgery& forgery : forgeries) {
        Caller fresh;
        cpu::CpuState& s = fresh.state();
        for (const std::uint64_t ip : {0x10110, 0x10120}) {
            cpu::push_call(s, 16, ip);
            s.wd.size = 32;
        }
        JumpBufferE2k buffer = jump_buffer(s);
        forgery.change(buffer);
        const auto window = s.window_index();
        EXPECT_EQ(fresh.issue(230, {fresh.object(buffer), 1}), Next::ProcessExit)
            << forgery.message;
        EXPECT_EQ(fresh.process().exit_status().value, SIGKILL);
        EXPECT_NE(fresh.process().exit_detail().find(forgery.message), std::string::npos)
            << fresh.process().exit_detail();
        EXPECT_EQ(s.window_index(), window) << forgery.message;
        EXPECT_EQ(s.depth(), 2u) << forgery.message;
    }
}

/// The window that a jump makes may be used, but the return after it would make one too large.
TEST_F(StackTest, JumpBuffersAreHeldAgainstTheRecordBelow) {
    cpu::CpuState& s = c.state();
    enter(0x10110);
    s.chain_top[-1].wbs = 200;  // a caller with a large window
    s.chain_top[-1].wd.size = 216;
    s.window += 200 - 16;
    s.window_tags += 200 - 16;
    enter(0x10120);
    JumpBufferE2k buffer = jump_buffer(s);
    buffer.cr1_lo = 8ull << 33 | 13ull << 26;  // 26 parameters: 226 registers
    EXPECT_EQ(c.issue(230, {c.object(buffer), 1}), Next::ProcessExit);
    EXPECT_NE(c.process().exit_detail().find("226"), std::string::npos)
        << c.process().exit_detail();
}

TEST_F(StackTest, LongjmpOutOfAHandlerLeavesItsAlternateStack) {
    cpu::CpuState& s = c.state();
    const auto sp = s.usd_base;
    const StackE2k alternate{c.room(16384), 0, 0, 16384};
    EXPECT_EQ(c.call(186, c.object(alternate), 0), 0);
    enter(0x10118);
    const JumpBufferE2k buffer = jump_buffer(s);
    cpu::pop_return(s);
    s.wd.size = 32;
    act(SIGUSR1, 0x0800'0000);
    kill_self(SIGUSR1);
    ASSERT_NE(s.usd_base, sp);
    s.wd.size = 32;
    EXPECT_EQ(c.issue(230, {c.object(buffer), 1}), Next::Continue);
    EXPECT_EQ(s.usd_base, sp);
    EXPECT_EQ(s.depth(), 0u);
    EXPECT_EQ(c.process().signal_return(c.thread()), Next::ProcessExit) << "no handler is left";
}

TEST_F(StackTest, BuffersOfHardwareStacksAreAligned) {
    enter(0x10110);
    const auto buffer = c.room(4096), offset = c.object<std::uint64_t>(0);
    for (const int mode : {6, 7, 8, 9, 10}) {
        EXPECT_EQ(c.call(254, mode, offset, buffer, 32, 0), 0) << mode;
        EXPECT_EQ(c.call(254, mode, offset, buffer + 1, 32, 0), -EINVAL) << mode;
        EXPECT_EQ(c.call(254, mode, offset, buffer + 4, 32, 0), -EINVAL) << mode;
    }
    const auto place = c.object<std::uint64_t>(c.state().pcsp_base + 32);
    EXPECT_EQ(c.call(254, 0, place, buffer, 64, 0), 0);
    EXPECT_EQ(c.call(254, 0, place, buffer + 4, 64, 0), -EINVAL);
}

TEST_F(StackTest, WrittenRecordsKeepSizesAndSoundRotations) {
    enter(0x10110);
    const auto buffer = c.room(64), offset = c.object<std::uint64_t>(32);
    ASSERT_EQ(c.call(254, 6, offset, buffer, 32, 0), 0);
    ChainRecordE2k record = c.get<ChainRecordE2k>(buffer);
    const cpu::ChainFrame before = c.state().chain_top[-1];
    record.cr1_lo = ~0ull;
    record.cr1_hi |= 0xfffffffull << 36;
    ASSERT_EQ(c.call(254, 9, offset, c.object(record), 32, 0), 0);
    const cpu::ChainFrame& after = c.state().chain_top[-1];
    EXPECT_EQ(after.wbs, before.wbs);
    EXPECT_EQ(after.wd.psize, before.wd.psize);
    EXPECT_EQ(after.wd.size, before.wd.size);
    EXPECT_EQ(after.ussz, before.ussz);
    for (const std::uint64_t rotation : {63ull << 12, 31ull << 23}) {
        record.cr1_hi = rotation;
        record.cr0_hi = 0x10120;
        EXPECT_EQ(c.call(254, 9, offset, c.object(record), 32, 0), -EINVAL);
        EXPECT_EQ(c.state().chain_top[-1].return_ip, 0x10110u);
    }
    record.cr0_hi = ~0ull;
    record.cr1_hi = 0;
    EXPECT_EQ(c.call(254, 9, offset, c.object(record), 32, 0), 0);
    EXPECT_EQ(c.state().chain_top[-1].return_ip, 0xffff'ffff'fff8u) << "no sentinel from memory";
}

TEST_F(SignalTest, HandlersSendTheProgramToAddressesOf48Bits) {
    act(SIGUSR1, 4);
    kill_self(SIGUSR1);
    const std::uint64_t context = c.state().window[2].lo;
    const std::uint64_t wild = cpu::kSentinelReturn;
    ASSERT_TRUE(c.memory().write(context + 48, &wild, sizeof wild));
    EXPECT_EQ(leave(), Next::Continue);
    EXPECT_EQ(c.state().ip, 0xffff'ffff'fff8u);
}

}  // namespace
}  // namespace e2k::guest
