// What survives execve and fork, what the caller of the workbench hands down, and vfork.
#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>

#include "tests/app/exec_guests.h"

namespace e2k::test {
namespace {

class ProcessState : public testing::Test {
protected:
    ChildResult run(const std::string& name, const std::string& arguments = "",
                    const std::string& options = "") {
        return guests.shell("\"$E2KWB\" run " + options + " ./" + name + " " + arguments);
    }
    ExecGuests guests;
};

/// Ends with 8 for USR1 ignored + 4 for USR1 handled + 2 for USR2 blocked + 1 for USR2 pending.
constexpr std::string_view kSignalState = R"(
        .data
        .balign 8
old:    .dword 0, 0, 0, 0
set:    .dword 0
        .text
        begin
        linux 174, 10, 0, old, 8
        get %dr1, old
        { nop 2
          cmpedb %dr1, 1, %pred0
          cmplsb %r1, 2, %pred1 }
        { addd 0, 0, %dr2 }
        { addd 0, 8, %dr2 ? %pred0 }
        linux 175, 0, 0, set, 8
        get %dr1, set
        { nop 2
          shrd %dr1, 10, %dr1 }
        { andd %dr1, 2, %dr1 }
        { addd %dr2, %dr1, %dr2 }
        linux 176, set, 8
        get %dr1, set
        { shrd %dr1, 11, %dr1 }
        { andd %dr1, 1, %dr1 }
        { addd %dr2, %dr1, %dr2 }
        linux 300, %dr2
)";

TEST_F(ProcessState, IgnoredBlockedAndPendingSignalsSurviveExec) {
    guests.make("state", kSignalState);
    guests.make("set", R"(
        .data
        .balign 8
ignore: .dword 1, 0, 0, 0
usr2:   .dword 0x800
list:   .dword path, option, pattern, file, 0
path:   .asciz "/bin/grep"
option: .asciz "-E"
pattern: .asciz "Sig(Blk|Ign)|ShdPnd|SigPnd"
file:   .asciz "/proc/self/status"
        .text
        begin
        linux 174, 10, ignore, 0, 8
        linux 175, 0, usr2, 0, 8
        linux 20
        { addd 0, %db[0], %dr9 }
        linux 37, %dr9, 12
        argument %dr3, 1
        if_zero %dr3, host
        linux 11, %dr3, 0, 0
        end_with %db[0]
host:   linux 11, path, list, 0
        end_with %db[0]
)");
    EXPECT_EQ(run("set", "./state").exit_code, 8 + 2 + 1);
    EXPECT_EQ(run("set", "./state", "--interp").exit_code, 8 + 2 + 1);
    const std::string status = run("set").output;
    const auto word = [&](const std::string& name) {
        const auto at = status.find(name + ":");
        return at == std::string::npos
                   ? 0
                   : std::stoull(status.substr(at + name.size() + 1), nullptr, 16);
    };
    EXPECT_EQ(word("SigIgn") & 0x3000, 0u) << status;
    EXPECT_EQ(word("SigIgn") & 0x200, 0x200u) << status;
    EXPECT_EQ(word("SigIgn") & 0x1000, 0u) << "SIGPIPE, which only the workbench ignores";
    EXPECT_EQ(word("SigBlk"), 0x800u) << status;
    EXPECT_EQ((word("ShdPnd") | word("SigPnd")) & 0x800, 0x800u) << status;
}

TEST_F(ProcessState, HandlersBecomeDefaultActions) {
    guests.make("kill", R"(
        begin
        linux 20
        { addd 0, %db[0], %dr9 }
        linux 37, %dr9, 10
        linux 300, 3
)");
    guests.make("handle", R"(
        .data
        .balign 8
action: .dword handler, 0, 0, 0
path:   .asciz "./kill"
        .text
        begin
        linux 174, 10, action, 0, 8
        linux 11, path, 0, 0
        end_with %db[0]
handler:
        { setwd wsz = 8, nfx = 1, dbl = 1 }
        { nop 5
          return %ctpr3 }
        { ct %ctpr3 }
)");
    EXPECT_EQ(run("handle").shell_status(), 128 + SIGUSR1);
}

TEST_F(ProcessState, SignalsOfTheCallerAreInherited) {
    guests.make("state", kSignalState);
    EXPECT_EQ(guests.shell("trap '' USR1; \"$E2KWB\" run ./state").exit_code, 8);
    EXPECT_EQ(guests.shell("\"$E2KWB\" run ./state").exit_code, 0);
    guests.make("hang_up", R"(
        .data
        .balign 8
default: .dword 0, 0, 0, 0
        .text
        begin
        argument %dr3, 1
        if_zero %dr3, now
        linux 174, 1, default, 0, 8
now:    linux 20
        { addd 0, %db[0], %dr9 }
        linux 37, %dr9, 1
        linux 300, 7
)");
    EXPECT_EQ(guests.shell("trap '' HUP; \"$E2KWB\" run ./hang_up").exit_code, 7);
    EXPECT_EQ(guests.shell("trap '' HUP; \"$E2KWB\" run ./hang_up default; echo $?").output,
              "129\n");
    guests.make("late", R"(
        .section .rodata
        .balign 8
time:   .dword 0, 200000000
        .text
        begin
        linux 162, time, 0
        linux 4, 1, time, 8
        end_with %db[0]
)");
    EXPECT_EQ(
        guests.shell("trap '' PIPE; { \"$E2KWB\" run ./late; echo $? > code; } | true; cat code")
            .output,
        std::to_string(EPIPE) + "\n");
}

/// setitimer of 50 ms, then its first argument.
constexpr std::string_view kAlarm = R"(
        .data
        .balign 8
timer:  .dword 0, 0, 0, 50000
list:   .dword shell, option, line, 0
shell:  .asciz "/bin/sh"
option: .asciz "-c"
line:   .asciz "sleep 20"
        .text
        begin
        linux 104, 0, timer, 0
        argument %dr3, 1
        if_zero %dr3, host
        linux 11, %dr3, 0, 0
        end_with %db[0]
host:   linux 11, shell, list, 0
        end_with %db[0]
)";

TEST_F(ProcessState, IntervalTimersSurviveExecOthersDoNot) {
    guests.make("alarm", kAlarm);
    guests.make("pause", R"(
        begin
        linux 29
        linux 300, 1
)");
    EXPECT_EQ(run("alarm", "./pause").shell_status(), 128 + SIGALRM);
    EXPECT_EQ(run("alarm").shell_status(), 128 + SIGALRM);
    guests.make("timer", R"(
        .data
        .balign 8
time:   .dword 0, 0, 0, 30000000
id:     .dword 0
path:   .asciz "./sleep"
        .text
        begin
        linux 261, 1, 0, id
        linux 262, 0, 0, time, 0
        get %dr2, id
        linux 262, %dr2, 0, time, 0
        linux 11, path, 0, 0
        end_with %db[0]
)");
    guests.make("sleep", R"(
        .section .rodata
        .balign 8
time:   .dword 0, 90000000
        .text
        begin
        linux 162, time, 0
        linux 300, 4
)");
    EXPECT_EQ(run("timer").shell_status(), 4);
}

TEST_F(ProcessState, AnyThreadMayExecute) {
    // The first thread waits for ever, in a call or in a loop; the second one executes.
    guests.make("exit", R"(
        begin
        linux 20
        { addd 0, %db[0], %dr2 }
        linux 244                       ! gettid
        { subd %db[0], %dr2, %dr2 }
        { addd %dr2, 6, %dr2 }
        linux 300, %dr2
)");
    guests.make("threads", R"(
        .data
        .balign 8
path:   .asciz "./exit"
        .bss
        .balign 16
stack:  .skip 65536
top:
        .text
        begin
        linux 120, 0x10f00, top
        if_zero %db[0], second
        argument %dr3, 1
        if_zero %dr3, waits
loop:   go loop
waits:  linux 29
        go waits
second: linux 11, path, 0, 0
        end_with %db[0]
)");
    for (const char* tier : {"", "--interp"}) {
        EXPECT_EQ(run("threads", "", tier).exit_code, 6);
        EXPECT_EQ(run("threads", "loop", tier).exit_code, 6);
    }
}

// --- vfork ---

TEST_F(ProcessState, VforkChildWorksInTheParentsMemory) {
    guests.make("vfork", R"(
        .data
        .balign 8
cell:   .dword 0, 0
list:   .dword missing, 0
missing: .asciz "/nonexistent/program"
        .bss
        .balign 16
stack:  .skip 65536
top:
        .text
        begin
        argument %dr3, 1
        if_zero %dr3, plain
        linux 120, 0x4111, top
        go both
plain:  linux 190
both:   if_zero %db[0], child
        get %dr2, cell
        end_with %dr2
child:  linux 11, missing, list, 0
        put %db[0], cell
        linux 1, 127
)");
    for (const char* tier : {"", "--interp"}) {
        EXPECT_EQ(run("vfork", "", tier).exit_code, ENOENT);
        EXPECT_EQ(run("vfork", "clone", tier).exit_code, ENOENT);
    }
    EXPECT_EQ(run("vfork", "clone", "--sandbox").exit_code, ENOENT);
}

TEST_F(ProcessState, VforkParentGoesOnWhenTheChildExecutesOrEnds) {
    guests.make("wait", R"(
        .section .rodata
        .balign 8
time:   .dword 0, 100000000
c:      .ascii "child\n"
p:      .ascii "parent\n"
        .data
        .balign 8
line:   .asciz "sleep 0.3; echo late"
shell:  .asciz "/bin/sh"
option: .asciz "-c"
        .balign 8
list:   .dword shell, option, line, 0
        .text
        begin
        linux 190
        if_zero %db[0], child
        linux 4, 1, p, 7
        linux 114, -1, 0
        linux 300
child:  linux 162, time, 0
        linux 4, 1, c, 6
        argument %dr3, 1
        if_zero %dr3, ends
        linux 11, shell, list, 0
ends:   linux 300
)");
    EXPECT_EQ(run("wait").output, "child\nparent\n");
    EXPECT_EQ(run("wait", "exec").output, "child\nparent\nlate\n");
}

TEST_F(ProcessState, VforkLeavesWhatOtherThreadsWriteMeanwhile) {
    // The second thread writes a word beside the one the child writes.
    guests.make("beside", R"(
        .data
        .balign 4096
cell:   .dword 0
word:   .dword 0
        .section .rodata
        .balign 8
short:  .dword 0, 50000000
long:   .dword 0, 200000000
        .bss
        .balign 16
stack:  .skip 65536
top:
        .text
        begin
        linux 120, 0x10f00, top
        if_zero %db[0], second
        linux 190
        if_zero %db[0], child
        get %dr1, cell
        get %dr2, word
        { addd %dr1, %dr2, %dr2 }
        linux 300, %dr2
child:  linux 162, long, 0
        { addd 0, 40, %dr2 }
        put %dr2, cell
        linux 1, 0
second: linux 162, short, 0
        { addd 0, 2, %dr2 }
        put %dr2, word
        linux 1, 0
)");
    EXPECT_EQ(run("beside").exit_code, 42);
}

TEST_F(ProcessState, ChildrenDieWithTheirParentIfTheyAsk) {
    guests.make("orphan", R"(
        .section .rodata
        .balign 8
short:  .dword 0, 50000000
long:   .dword 0, 300000000
text:   .ascii "outlived\n"
        .data
        .balign 8
value:  .dword 0
        .text
        begin
        linux 172, 1, 15
        linux 172, 2, value
        get %dr2, value
        { subd %dr2, 15, %dr2 }
        if_zero %dr2, stored
        linux 300, 9
stored: linux 172, 1, 0
        linux 172, 1, 65
        { addd %db[0], 22, %dr2 }
        if_zero %dr2, refused
        linux 300, 8
refused:
        linux 2
        if_zero %db[0], child
        linux 162, short, 0
        linux 300
child:  argument %dr3, 1
        if_zero %dr3, stays
        linux 172, 1, 9
stays:  linux 162, long, 0
        linux 4, 1, text, 9
        linux 300
)");
    EXPECT_EQ(guests.shell("\"$E2KWB\" run ./orphan; sleep 0.6").output, "outlived\n");
    EXPECT_EQ(guests.shell("\"$E2KWB\" run ./orphan ask; sleep 0.6").output, "");
}

TEST_F(ProcessState, ForkOfOneOfSeveralThreads) {
    // Two threads translate and run while the first forks again and again.
    guests.make("forks", R"(
        .data
        .balign 8
status: .dword 0
        .bss
        .balign 16
stack:  .skip 131072
top:
        .text
        begin
        linux 120, 0x10f00, top - 65536
        if_zero %db[0], spin
        linux 120, 0x10f00, top
        if_zero %db[0], spin
        { addd 0, 30, %dr2 }
more:   linux 2
        if_zero %db[0], child
        { addd 0, %db[0], %dr9 }
        linux 114, %dr9, status
        get %dr3, status
        { subd %dr3, 0x500, %dr3 }
        if_zero %dr3, good
        linux 300, 1
good:   { subd %dr2, 1, %dr2 }
        if_zero %dr2, done
        go more
done:   linux 300, 0
child:  linux 20
        linux 300, 5
spin:   { addd 0, 0, %dr1 }
spinning:
        { addd %dr1, 1, %dr1 }
        linux 158
        go spinning
)");
    EXPECT_EQ(run("forks").exit_code, 0);
    EXPECT_EQ(run("forks", "", "--strace").exit_code, 0);
}

}  // namespace
}  // namespace e2k::test
