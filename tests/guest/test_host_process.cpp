// What a guest might do to the process of the workbench, so that it could not be interrupted, or
// would end: limits of the host, signals that the host sends for it, its children.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "app/scratch_directory.h"
#include "tests/guest/caller.h"

namespace e2k::guest {
namespace {

using test::Caller;
using namespace std::chrono_literals;

/// As beside the window: the streams belong to the workbench.
ProcessOptions in_window() {
    ProcessOptions options;
    options.streams.output = [](int, std::string_view) {};
    options.streams.input = [](char*, std::size_t) -> std::size_t { return 0; };
    return options;
}

/// A soft limit of this process that ends with the test.
class SoftLimit {
public:
    explicit SoftLimit(__rlimit_resource which) : which_(which) { getrlimit(which, &old_); }
    SoftLimit(__rlimit_resource which, rlim_t value) : SoftLimit(which) {
        const rlimit fresh{value, old_.rlim_max};
        setrlimit(which, &fresh);
    }
    ~SoftLimit() { setrlimit(which_, &old_); }
    SoftLimit(const SoftLimit&) = delete;
    SoftLimit& operator=(const SoftLimit&) = delete;
    rlim_t hard() const { return old_.rlim_max; }

private:
    __rlimit_resource which_;
    rlimit old_{};
};

/// The workbench gets a sleeping guest back.
void expect_interruptible(Caller& c) {
    std::thread pauser([&] {
        std::this_thread::sleep_for(30ms);
        c.process().interrupt_blocked();
    });
    const timespec sleep{3, 0};
    EXPECT_EQ(c.issue(162, {c.object(sleep), 0}), Next::Retry) << "it slept to the end";
    pauser.join();
}

TEST(HostProcess, KicksNeedNoRoomInTheQueueOfSignals) {
    const SoftLimit kept(RLIMIT_SIGPENDING);
    Caller c;
    ASSERT_EQ(c.call(75, RLIMIT_SIGPENDING, c.object(rlimit{0, kept.hard()})), 0);
    rlimit now{};
    ASSERT_EQ(getrlimit(RLIMIT_SIGPENDING, &now), 0);
    ASSERT_EQ(now.rlim_cur, 0u) << "the host applies this limit";
    expect_interruptible(c);
}

TEST(HostProcess, ThreadsThatExecuteAGuestTakeKicks) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);  // as a workbench may have been started
    {
        Caller c(in_window());
        expect_interruptible(c);
    }
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

TEST(HostProcess, AThreadThatCannotBeStartedIsAnError) {
    constexpr std::uint64_t kThread = 0x50f00;
    Caller c;
    std::size_t asked = 0;
    c.process().on_new_thread([&](const std::shared_ptr<Thread>&) { return ++asked == 2; });
    const auto stack = c.room(4096) + 4096;
    EXPECT_EQ(c.call(120, kThread, stack), -EAGAIN);
    EXPECT_EQ(c.process().threads().size(), 1u);
    EXPECT_GT(c.call(120, kThread, stack), 0);
    EXPECT_EQ(c.process().threads().size(), 2u);
}

TEST(HostProcess, ManyFastTimersLeaveTheWorkbenchTime) {
    Caller c;
    const auto id = c.room(8), now = c.room(sizeof(itimerspec));
    const auto fast = c.object(itimerspec{{0, 1}, {100, 0}});
    double signals_a_second = 0;
    int timers = 0;
    for (; c.call(261, CLOCK_MONOTONIC, 0, id) == 0; ++timers) {
        ASSERT_EQ(c.call(262, c.get<int>(id), 0, fast, 0), 0);
        ASSERT_EQ(c.call(263, c.get<int>(id), now), 0);
        signals_a_second += 1e9 / static_cast<double>(c.get<itimerspec>(now).it_interval.tv_nsec);
    }
    EXPECT_GT(timers, 30);
    EXPECT_LT(signals_a_second, 60'000);
}

// --- signals of the host, beside a window ---

void expect_ended_by(Caller& c, int signal) {
    EXPECT_EQ(c.issue(20, {}), Next::ProcessExit);
    EXPECT_EQ(c.process().exit_status().kind, ExitStatus::Kind::Signaled);
    EXPECT_EQ(c.process().exit_status().value, signal);
}

TEST(HostProcess, SignalsOfDescriptorsAreTheGuestsEnd) {
    for (const int signal : {0, SIGUSR1, 40}) {
        Caller c(in_window());
        const auto pair = c.room(8);
        ASSERT_EQ(c.call(42, pair), 0);
        const int reader = c.get<int>(pair), writer = c.get<int>(pair + 4);
        if (signal) {
            ASSERT_EQ(c.call(55, reader, F_SETSIG, signal), 0);
        }
        ASSERT_EQ(c.call(55, reader, F_SETOWN, getpid()), 0);
        ASSERT_EQ(c.call(55, reader, F_SETFL, O_ASYNC), 0);
        c.issue(4, {static_cast<std::uint64_t>(writer), c.text("x"), 1});
        expect_ended_by(c, signal ? signal : SIGIO);
    }
    Caller c(in_window());
    const auto pair = c.room(8);
    ASSERT_EQ(c.call(42, pair), 0);
    for (const int signal : {SIGKILL, SIGSTOP, SIGTERM, SIGSEGV, SIGTSTP})
        EXPECT_EQ(c.call(55, c.get<int>(pair), F_SETSIG, signal), -EPERM);
}

TEST(HostProcess, AFileThatIsTooLargeIsTheGuestsEnd) {
    const ScratchDirectory scratch;
    const SoftLimit limit(RLIMIT_FSIZE, 4);
    Caller c(in_window());
    const auto fd = c.call(5, c.text((scratch.path() / "file").string()), O_WRONLY | O_CREAT, 0600);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(c.call(4, fd, c.text("text"), 4), 4);
    c.issue(4, {static_cast<std::uint64_t>(fd), c.text("more"), 4});
    expect_ended_by(c, SIGXFSZ);
}

// --- children of a guest beside a window ---

/// What `attempt` returns in a child of the guest.
int in_child(Caller& c, const std::function<int()>& attempt) {
    std::array<int, 2> gate{};  // until the parent's call is over
    EXPECT_EQ(pipe(gate.data()), 0);
    const std::int64_t child = c.call(2);
    char byte = 0;
    if (child == 0) _exit(read(gate[0], &byte, 1) == 1 ? attempt() : -1);
    EXPECT_EQ(write(gate[1], &byte, 1), 1);
    close(gate[0]);
    close(gate[1]);
    int status = 0;
    waitpid(static_cast<pid_t>(child), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(HostProcess, ChildrenNeitherEndNorStopTheWindow) {
    for (const bool sandbox : {false, true}) {
        ProcessOptions options = in_window();
        options.policy.sandbox = sandbox;
        Caller c(options);
        const int window = getpid();
        const auto info = c.object(SiginfoE2k::sent(SIGKILL, SI_QUEUE, window, 0));
        const int refused = in_child(c, [&] {
            int count = 0;
            for (const int signal : {SIGKILL, SIGSTOP, SIGTERM, SIGHUP, SIGSEGV, SIGTSTP}) {
                count += c.call(37, window, signal) == -EPERM;
                count += c.call(246, window, signal) == -EPERM;
                count += c.call(308, window, window, signal) == -EPERM;
                count += c.call(178, window, signal, info) == -EPERM;
                count += c.call(334, window, window, signal, info) == -EPERM;
            }
            return count;
        });
        EXPECT_EQ(refused, 30);
        // Groups reach the guest's own processes alone.
        EXPECT_EQ(in_child(c, [&] { return c.call(37, -getpgrp(), SIGCONT) == 0 ? 1 : 0; }), 1);
        c.issue(20, {});
        EXPECT_EQ(c.process().exit_status().kind, ExitStatus::Kind::Running);
    }
}

TEST(HostProcess, ChildrenReachTheirParentTheGuest) {
    Caller c(in_window());
    const int window = getpid();
    EXPECT_EQ(in_child(c, [&] { return c.call(37, window, SIGUSR1) == 0 ? 1 : 0; }), 1);
    expect_ended_by(c, SIGUSR1);
}

TEST(HostProcess, ChildrenInTheSandboxChangeNothingOfTheWindow) {
    ProcessOptions options = in_window();
    options.policy.sandbox = true;
    Caller c(options);
    const int window = getpid();
    const auto words = c.room(64);
    EXPECT_EQ(in_child(c,
                       [&] {
                           int count = 0;
                           count += c.call(375, window, RLIMIT_CORE, words, 0) == -EPERM;
                           count += c.call(97, 0, window, 19) == -EPERM;
                           count += c.call(249, window, 8, words) == -EPERM;
                           count += c.call(156, window, 3, words) == -EPERM;
                           count += c.call(289, 1, window, 0) == -EPERM;
                           count += c.call(206, window, 0) == -EPERM;
                           return count;
                       }),
              6);
}

}  // namespace
}  // namespace e2k::guest
