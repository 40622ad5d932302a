// execve: what the new program gets, what stays, and what the caller of a failed one sees.
#include <gtest/gtest.h>

#include <unistd.h>

#include "tests/app/exec_guests.h"

namespace e2k::test {
namespace {

class Exec : public testing::Test {
protected:
    void SetUp() override {
        guests.make("exec", kExec);
        guests.make("show", kShow);
    }
    /// Status of `exec` with these arguments.
    int status(const std::string& arguments, const std::string& options = "") {
        const auto result = guests.shell("exec \"$E2KWB\" run " + options + " ./exec " + arguments);
        output = result.output;
        EXPECT_EQ(result.errors, "") << arguments;
        return result.shell_status();
    }
    ExecGuests guests;
    std::string output;
};

TEST_F(Exec, PassesTheArgumentsAsTheyAre) {
    EXPECT_EQ(status("./show another 'two words' ''", "--interp"), 0);
    EXPECT_EQ(output.substr(0, output.find("--\n")), "another\ntwo words\n\n");
    EXPECT_EQ(status("./show"), 0) << "an empty list holds one empty argument";
    EXPECT_EQ(output.substr(0, output.find("--\n")), "\n");
}

TEST_F(Exec, ReturnsItsErrors) {
    guests.text("plain", "echo no program\n");
    guests.text("empty", "");
    guests.text("lost", "#!/nonexistent/interpreter\n");
    guests.text("nameless", "#! \t\n");
    guests.text("elf", std::string("\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\257\0", 20));
    guests.text("itself", "#!" + guests.path("itself") + "\n");
    std::filesystem::permissions(guests.text("closed", ""), std::filesystem::perms::owner_read);
    std::filesystem::create_symlink("ring", guests.path("ring"));
    for (const char* tier : {"", "--interp"}) {
        EXPECT_EQ(status("./nothing x", tier), ENOENT);
        EXPECT_EQ(status("'' x", tier), ENOENT);
        EXPECT_EQ(status("./plain x", tier), ENOEXEC);
        EXPECT_EQ(status("./empty x", tier), ENOEXEC);
        EXPECT_EQ(status("./elf x", tier), ENOEXEC);
        EXPECT_EQ(status("./lost x", tier), ENOENT);
        EXPECT_EQ(status("./nameless x", tier), ENOEXEC);
        EXPECT_EQ(status("./closed x", tier), EACCES);
        EXPECT_EQ(status(". x", tier), EACCES);
        EXPECT_EQ(status("/dev/null x", tier), EACCES);
        EXPECT_EQ(status("./show/x x", tier), ENOTDIR);
        EXPECT_EQ(status("./ring x", tier), ELOOP);
        EXPECT_EQ(status("./itself x", tier), ELOOP);
    }
}

TEST_F(Exec, FollowsScriptsToElbrusAndHostPrograms) {
    guests.text("script", "#! ./show  one two \n");
    EXPECT_EQ(status("./script name x y"), 0);
    EXPECT_EQ(output.substr(0, output.find("--\n")), "./show\none two\n./script\nx\ny\n");
    guests.text("over", "#!./script deep\n");
    EXPECT_EQ(status("./over name x"), 0);
    EXPECT_EQ(output.substr(0, output.find("--\n")),
              "./show\none two\n./script\ndeep\n./over\nx\n");
    guests.text("shell", "#!/bin/sh\necho \"$0 $1\"\n");
    EXPECT_EQ(status("./shell name x"), 0);
    EXPECT_EQ(output, "./shell x\n");
}

TEST_F(Exec, CanRunItself) {
    // A program that was started from its source, and one that is not marked executable.
    std::ofstream(guests.path("self.s")) << kCallMacros << R"(
        .data
        .balign 8
own:    .asciz "/proc/self/exe"
        .balign 8
list:   .dword own, own, 0
        .text
        begin
        argument %dr3, 1
        { nop 2
          cmpedb %dr3, 0, %pred0 }
        { nop 4
          disp %ctpr1, second }
        { ct %ctpr1 ? ~%pred0 }
        linux 11, own, list, 0
        end_with %db[0]
second: linux 300, 5
)";
    EXPECT_EQ(
        guests.shell("\"$E2KWB\" asm self.s -o self; chmod -x self; \"$E2KWB\" run self").exit_code,
        5);
    EXPECT_EQ(guests.shell("\"$E2KWB\" run self.s").exit_code, 5);
}

TEST_F(Exec, ByDescriptor) {
    guests.make("at", R"(
        .data
        .balign 8
list:   .dword name, 0
name:   .asciz "show"
slow:   .asciz "/proc/self/fd/9"
none:   .asciz ""
        .text
        begin
        linux 388, -100, 0, 0, 0, 0
        { addd %db[0], 14, %dr2 }
        if_zero %dr2, faulted
        linux 300, 99
faulted:
        linux 388, -100, name, list, 0, 0x4000
        { addd %db[0], 22, %dr2 }
        if_zero %dr2, invalid
        linux 300, 98
invalid:
        linux 388, 77, none, list, 0, 0x1000
        { addd %db[0], 9, %dr2 }
        if_zero %dr2, closed
        linux 300, 97
closed: linux 5, name, 0, 0
        { addd 0, %db[0], %dr2 }
        linux 63, %dr2, 9
        argument %dr3, 1
        if_zero %dr3, by_name
        linux 388, 9, none, list, 0, 0x1000
        end_with %db[0]
by_name:
        linux 11, slow, list, 0
        end_with %db[0]
)");
    EXPECT_EQ(guests.shell("\"$E2KWB\" run ./at").output, "show\n--\n");
    EXPECT_EQ(guests.shell("\"$E2KWB\" run ./at empty").output, "show\n--\n");
}

TEST_F(Exec, EnvironmentIsTheGuests) {
    // LD_TRACE_LOADED_OBJECTS would make the host's dynamic linker list libraries.
    guests.make("set", R"(
        .data
trace:  .asciz "LD_TRACE_LOADED_OBJECTS=1"
tunes:  .asciz "GLIBC_TUNABLES=glibc.malloc.check=3"
asan:   .asciz "ASAN_OPTIONS=help=1"
mine:   .asciz "MINE=1"
        .balign 8
list:   .dword mine, 0
environment: .dword trace, tunes, asan, mine, 0
        .text
        begin
        argument %dr3, 1
        linux 11, %dr3, list, environment
        end_with %db[0]
)");
    const auto elbrus = guests.shell("\"$E2KWB\" run --sandbox ./set ./show");
    EXPECT_EQ(elbrus.output,
              "MINE=1\n--\nLD_TRACE_LOADED_OBJECTS=1\nGLIBC_TUNABLES=glibc.malloc.check=3\n"
              "ASAN_OPTIONS=help=1\nMINE=1\n");
    const auto host = guests.shell("\"$E2KWB\" run ./set /usr/bin/env");
    EXPECT_EQ(host.output, "MINE=1\n");
}

TEST_F(Exec, SandboxHolds) {
    guests.make("touch", kTouch);
    guests.make("spawn", R"(
        .data
        .balign 8
status: .dword 0
        .text
        begin
        { nop 4
          getsp 0, %dr1 }
        { addd %dr1, 16, %dr4 }
        argument %dr3, 1
        linux 2
        if_zero %db[0], child
        linux 114, -1, status
        get %dr2, status
        { shrd %dr2, 8, %dr2 }
        end_with %dr2
child:  linux 11, %dr3, %dr4, 0
        end_with %db[0]
)");
    for (const char* tier : {"", "--interp"}) {
        const std::string run = std::string("\"$E2KWB\" run --sandbox ") + tier;
        EXPECT_EQ(guests.shell(run + " ./exec ./touch touch made").exit_code, EACCES);
        EXPECT_EQ(guests.shell(run + " ./spawn ./touch made").exit_code, EACCES);
        EXPECT_EQ(guests.shell(run + " ./exec ./exec exec ./touch touch made").exit_code, EACCES);
        EXPECT_EQ(guests.shell(run + " ./exec /bin/true true").exit_code, EACCES);
        guests.text("script", "#!/bin/sh\ntouch made\n");
        EXPECT_EQ(guests.shell(run + " ./exec ./script script").exit_code, EACCES);
    }
    EXPECT_FALSE(std::filesystem::exists(guests.path("made")));
    EXPECT_EQ(guests.shell("\"$E2KWB\" run ./spawn ./touch made").exit_code, 0);
    EXPECT_TRUE(std::filesystem::exists(guests.path("made")));
}

TEST_F(Exec, OptionsOfTheRunHold) {
    // The processor that was asked for, also for the program after the next.
    guests.make("version", R"(
        begin
        { nop 4
          rrd %idr, %dr1 }
        { andd %dr1, 0xff, %dr1 }
        linux 300, %dr1
)");
    const int own = guests.shell("\"$E2KWB\" run ./version").exit_code;
    const int asked = guests.shell("\"$E2KWB\" run --cpu elbrus-v6 ./version").exit_code;
    ASSERT_NE(own, asked);
    EXPECT_EQ(
        guests.shell("\"$E2KWB\" run --cpu elbrus-v6 ./exec ./exec exec ./version v").exit_code,
        asked);
    const auto log = guests.shell("\"$E2KWB\" run --strace ./exec ./show x");
    EXPECT_NE(log.errors.find("execve(\"./show\""), std::string::npos);
    EXPECT_NE(log.errors.find("write(1, \"x\""), std::string::npos) << "of the new program";
    const auto pair = guests.shell("\"$E2KWB\" run --lockstep ./exec ./show x");
    EXPECT_EQ(pair.output.substr(0, 5), "x\n--\n");
    EXPECT_NE(pair.errors.find("no difference"), std::string::npos) << pair.errors;
}

TEST_F(Exec, DescriptorsWithoutCloseOnExecStayOpen) {
    guests.make("give", R"(
        .data
        .balign 8
list:   .dword shell, option, line, 0
own:    .dword 0, 0
shell:  .asciz "/bin/sh"
option: .asciz "-c"
line:   .asciz "echo seven >&7; (echo eight >&8) 2> /dev/null || echo closed"
        .text
        begin
        linux 63, 1, 7
        linux 63, 1, 8
        linux 55, 8, 2, 1               ! F_SETFD, FD_CLOEXEC
        argument %dr3, 1
        if_zero %dr3, host
        put %dr3, own
        linux 11, %dr3, own, 0
        end_with %db[0]
host:   linux 11, shell, list, 0
        end_with %db[0]
)");
    guests.make("write", R"(
        .section .rodata
seven:  .ascii "seven\n"
        .text
        begin
        linux 4, 7, seven, 6
        linux 4, 8, seven, 6
        end_with %db[0]
)");
    const auto elbrus = guests.shell("\"$E2KWB\" run ./give ./write");
    EXPECT_EQ(elbrus.output, "seven\n");
    EXPECT_EQ(elbrus.exit_code, EBADF);
    const auto host = guests.shell("\"$E2KWB\" run ./give");
    EXPECT_EQ(host.output, "seven\nclosed\n");
}

}  // namespace
}  // namespace e2k::test
