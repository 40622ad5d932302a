// Signals that another process sends: the guest's handlers and default actions see them as on
// Linux, whatever their number and whatever the guest does.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "tests/support/child_process.h"
#include "tests/support/guest_macros.h"

namespace e2k::test {
namespace {

/// Handlers for all signals, which write the first 32 bytes of their siginfo; before that, one zero
/// record. Then what `rest` says.
std::string catcher(std::string_view rest) {
    return with_macros(R"(
        .data
        .balign 8
action: .dword handler, 4, 0, 0
ready:  .dword 0, 0, 0, 0
        .text
handler:
        procedure
        sys 4, 1, %dr1, 32
        back
        begin
        { addd 0, 1, %dr1 }
each:   sys 174, %dr1, action, 0, 8
        { addd %dr1, 1, %dr1 }
        go_if_less %dr1, 65, each
        sys 4, 1, ready, 32
)") + std::string(rest);
}
constexpr std::string_view kPause = R"(
again:  sys 29
        go again
)";
constexpr std::string_view kBusy = R"(
again:  { addd %dr2, 1, %dr2 }
        go again
)";

std::string write_source(const ScratchDirectory& files, const std::string& source) {
    const auto path = files.path() / "guest.s";
    std::ofstream(path) << source;
    return path.string();
}

/// A guest that runs beside the test, its output a pipe.
class RunningGuest {
public:
    RunningGuest(const std::string& source, std::vector<std::string> options = {}) {
        const std::string program = write_source(files_, source);
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) return;
        output_ = ends[0];
        pid_ = fork();
        if (pid_ == 0) {
            setpgid(0, 0);
            dup2(ends[1], 1);
            dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
            std::vector<std::string> words{E2KWB, "run"};
            words.insert(words.end(), options.begin(), options.end());
            words.push_back(program);
            std::vector<char*> argv;
            for (std::string& word : words) argv.push_back(word.data());
            argv.push_back(nullptr);
            execv(argv[0], argv.data());
            _exit(122);
        }
        close(ends[1]);
    }
    ~RunningGuest() {
        if (!ended_) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
        close(output_);
    }
    pid_t pid() const { return pid_; }

    /// The next 32 bytes as words; empty if the guest ended instead.
    std::optional<std::array<std::int32_t, 8>> record() const {
        std::array<std::int32_t, 8> words{};
        std::size_t done = 0;
        while (done < sizeof words) {
            const ssize_t n =
                read(output_, reinterpret_cast<char*>(words.data()) + done, sizeof words - done);
            if (n <= 0) return std::nullopt;
            done += static_cast<std::size_t>(n);
        }
        return words;
    }
    int wait(int options = 0) {
        int status = 0;
        waitpid(pid_, &status, options);
        ended_ = !WIFSTOPPED(status);
        return status;
    }

private:
    ScratchDirectory files_;
    int output_ = -1;
    pid_t pid_ = -1;
    bool ended_ = false;
};

void catch_all(std::string_view rest, std::vector<std::string> options) {
    RunningGuest guest(catcher(rest), std::move(options));
    ASSERT_TRUE(guest.record());
    for (int signal = 1; signal <= 64; ++signal) {
        if (signal == SIGKILL || signal == SIGSTOP) continue;
        SCOPED_TRACE("signal " + std::to_string(signal));
        ASSERT_EQ(kill(guest.pid(), signal), 0);
        auto info = guest.record();
        ASSERT_TRUE(info);
        EXPECT_EQ((*info)[0], signal);
        EXPECT_EQ((*info)[2], SI_USER);
        EXPECT_EQ((*info)[4], getpid());
        if (signal % 4 != 3) continue;  // the other ways for some
        siginfo_t sent{};
        sent.si_code = SI_QUEUE;
        sent.si_pid = getpid();
        sent.si_value.sival_int = 4711;
        ASSERT_EQ(syscall(SYS_rt_sigqueueinfo, guest.pid(), signal, &sent), 0);
        info = guest.record();
        ASSERT_TRUE(info);
        EXPECT_EQ((*info)[0], signal);
        EXPECT_EQ((*info)[2], SI_QUEUE);
        EXPECT_EQ((*info)[6], 4711);
        ASSERT_EQ(syscall(SYS_tgkill, guest.pid(), guest.pid(), signal), 0);
        info = guest.record();
        ASSERT_TRUE(info);
        EXPECT_EQ((*info)[0], signal);
        EXPECT_EQ((*info)[2], SI_TKILL);
    }
}

TEST(SentSignals, ReachHandlersInASystemCall) { catch_all(kPause, {}); }
TEST(SentSignals, ReachHandlersInTranslatedCode) { catch_all(kBusy, {}); }
TEST(SentSignals, ReachHandlersInTheInterpreter) { catch_all(kBusy, {"--interp"}); }

TEST(SentSignals, HaveTheirDefaultAction) {
    const std::string source = with_macros(R"(
        .data
        .balign 8
ready:  .dword 0, 0, 0, 0
        begin
        sys 4, 1, ready, 32
)") + std::string(kBusy);
    for (const int signal : {SIGHUP, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGPIPE,
                             SIGTERM, SIGSYS, 32, 33, 34, 63, 64}) {
        SCOPED_TRACE("signal " + std::to_string(signal));
        RunningGuest guest(source);
        ASSERT_TRUE(guest.record());
        ASSERT_EQ(kill(guest.pid(), signal), 0);
        const int status = guest.wait();
        ASSERT_TRUE(WIFSIGNALED(status));
        EXPECT_EQ(WTERMSIG(status), signal);
    }
}

TEST(SentSignals, WaitWhileBlockedAndKeepTheirOrder) {
    // Blocks all, says so, waits until SIGTERM is pending, then lets everything come.
    RunningGuest guest(catcher(R"(
        .data
        .balign 8
all:    .dword -1
none:   .dword 0
set:    .dword 0
        .text
        sys 175, 2, all, 0, 8
        sys 4, 1, ready, 32
poll:   sys 176, set, 8
        { addd 0, set, %dr3 }
        { nop 4
          ldd [%dr3 + 0], %dr4 }
        { andd %dr4, 0x4000, %dr4 }
        go_if_zero %dr4, poll
        sys 175, 2, none, 0, 8
        sys 4, 1, ready, 32
)") + std::string(kPause));
    ASSERT_TRUE(guest.record());
    ASSERT_TRUE(guest.record());
    for (int value = 1; value <= 40; ++value) {
        siginfo_t sent{};
        sent.si_code = SI_QUEUE;
        sent.si_pid = getpid();
        sent.si_value.sival_int = value;
        ASSERT_EQ(syscall(SYS_rt_sigqueueinfo, guest.pid(), 40, &sent), 0);
    }
    ASSERT_EQ(kill(guest.pid(), SIGSEGV), 0);
    ASSERT_EQ(kill(guest.pid(), SIGSEGV), 0);  // not queued twice
    ASSERT_EQ(kill(guest.pid(), SIGTERM), 0);
    std::vector<int> values, signals;
    for (;;) {
        const auto info = guest.record();
        ASSERT_TRUE(info);
        if ((*info)[0] == 0) break;
        signals.push_back((*info)[0]);
        if ((*info)[0] == 40) values.push_back((*info)[6]);
    }
    EXPECT_EQ(std::count(signals.begin(), signals.end(), SIGSEGV), 1);
    EXPECT_EQ(std::count(signals.begin(), signals.end(), SIGTERM), 1);
    // Of handlers that interrupt each other before their first bundle the last one runs first.
    ASSERT_EQ(values.size(), 40u);
    const bool up = std::is_sorted(values.begin(), values.end());
    const bool down = std::is_sorted(values.rbegin(), values.rend());
    EXPECT_TRUE(up || down);
}

TEST(StopSignals, StopByTheirOwnNumber) {
    for (const int signal : {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU}) {
        SCOPED_TRACE("signal " + std::to_string(signal));
        RunningGuest guest(
            with_macros("        begin\n        sys 20\n        { addd 0, %db[0], %dr1 }\n        "
                        "sys 37, %dr1, " +
                        std::to_string(signal) + "\n        quit 7\n"));
        const int status = guest.wait(WUNTRACED);
        ASSERT_TRUE(WIFSTOPPED(status));
        EXPECT_EQ(WSTOPSIG(status), signal);
        ASSERT_EQ(kill(guest.pid(), SIGCONT), 0);
        const int end = guest.wait();
        ASSERT_TRUE(WIFEXITED(end));
        EXPECT_EQ(WEXITSTATUS(end), 7);
    }
}

/// Runs a guest to its end in both tiers.
ChildResult run_guest(const std::string& source, std::vector<std::string> options = {}) {
    const ScratchDirectory files;
    const std::string program = write_source(files, source);
    std::vector<std::string> command{E2KWB, "run"};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back(program);
    return run_child(command);
}

TEST(SentSignals, EndAChildAsTheParentSees) {
    // fork; the child kills itself by SIGUSR1; the parent's exit code is the wait status.
    const auto result = run_guest(with_macros(R"(
        .bss
        .balign 8
status: .skip 8
        begin
        sys 2
        go_if_zero %db[0], child
        sys 114, -1, status
        { addd 0, status, %dr1 }
        { nop 4
          ldw [%dr1 + 0], %dr2 }
        quit %dr2
child:  sys 20
        { addd 0, %db[0], %dr1 }
        sys 37, %dr1, 10
        quit 1
)"));
    EXPECT_EQ(result.exit_code, SIGUSR1);
}

/// A file is mapped, shrinks behind the guest's back (its child does it), and is read.
std::string shrinking(std::string_view access) {
    return with_macros(R"(
        .section .rodata
name:   .asciz "file"
        begin
        sys 386, name, 0
        { addd 0, %db[0], %dr3 }
        sys 93, %dr3, 8192
        sys 90, 0, 8192, 7, 1, %dr3, 0
        { addd 0, %db[0], %dr2 }
        { nop 4
          ldd [%dr2 + 0], %dr4 }
        sys 2
        go_if_zero %db[0], child
        sys 114, -1
)") + std::string(access) +
           R"(
        quit 3
child:  sys 93, %dr3, 0
        quit
)";
}

TEST(LostPages, AreSigbusInBothTiers) {
    for (const char* const access : {"        { nop 4\n          ldd [%dr2 + 0], %dr4 }\n",
                                     "        { std %dr4, [%dr2 + 8] }\n",
                                     "        { movtd %dr2, %ctpr1 }\n        nop 6\n"
                                     "        { ct %ctpr1 }\n"}) {
        SCOPED_TRACE(access);
        for (const char* const tier : {"", "--interp"}) {
            const auto result = run_guest(shrinking(access), *tier ? std::vector<std::string>{tier}
                                                                   : std::vector<std::string>{});
            EXPECT_EQ(result.signal, SIGBUS) << tier;
            EXPECT_NE(result.errors.find("SIGBUS"), std::string::npos) << result.errors;
        }
    }
}

TEST(LostPages, AreAnErrorOfSystemCalls) {
    // write(1, page), nanosleep(page), open(page), rt_sigaction(10, page): EFAULT each.
    const auto result = run_guest(shrinking(R"(
        sys 4, 1, %dr2, 8
        { addd 0, %db[0], %dr5 }
        sys 162, %dr2, 0
        { addd %dr5, %db[0], %dr5 }
        sys 5, %dr2, 0
        { addd %dr5, %db[0], %dr5 }
        sys 174, 10, %dr2, 0, 8
        { addd %dr5, %db[0], %dr5 }
        { subd 0, %dr5, %dr5 }
        quit %dr5
)"));
    EXPECT_EQ(result.exit_code, 4 * EFAULT) << result.errors;
}

TEST(HighAddresses, CodeAndDataWorkInBothTiers) {
    // Copies a procedure to 0x7f0000000000 and calls it: it adds what lies beside it.
    const std::string source = with_macros(R"(
        begin
        sys 90, 0x7f0000000000, 0x20000, 7, 0x112, -1, 0
        { addd 0, %db[0], %dr2
          addd 0, summing, %dr1 }
copy:   { nop 4
          ldd [%dr1 + 0], %dr3 }
        { std %dr3, [%dr2 + 0]
          addd %dr1, 8, %dr1
          addd %dr2, 8, %dr2 }
        { subd %dr1, over, %dr4 }
        go_if_less %dr4, 0, copy
        { addd 0, 0x7f0000010000, %dr5
          addd 0, 0, %dr6 }
fill:   { std %dr6, [%dr5 + 0]
          addd %dr5, 8, %dr5
          addd %dr6, 1, %dr6 }
        go_if_less %dr6, 1000, fill
        { addd 0, 0x7f0000010000, %db[0] }
        { addd 0, 0x7f0000000000, %dr7 }
        { movtd %dr7, %ctpr1 }
        nop 6
        { call %ctpr1, wbs = CALL }
        { subd %db[0], 499500, %dr0 }
        quit %dr0
        .balign 8
summing:
        procedure
        { addd 0, 0, %dr1
          addd 0, 0, %dr2 }
        { nop 4
          disp %ctpr1, next }
next:   { nop 4
          ldd [%dr0 + 0], %dr3 }
        { addd %dr1, %dr3, %dr1
          addd %dr0, 8, %dr0
          addd %dr2, 1, %dr2 }
        { nop 2
          cmplsb %dr2, 1000, %pred0 }
        { ct %ctpr1 ? %pred0 }
        { addd %dr1, 0, %dr0 }
        back
over:
)");
    for (const char* const option : {"--interp", "--lockstep", "--stats"}) {
        const auto result = run_guest(source, {option});
        EXPECT_EQ(result.shell_status(), 0) << option << result.errors;
    }
}

}  // namespace
}  // namespace e2k::test
