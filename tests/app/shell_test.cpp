// Programs that have the shell, or other programs, do things: system, popen, posix_spawn, exec.
#include <gtest/gtest.h>

#include "tests/app/exec_guests.h"
#include "tests/support/guest_macros.h"

namespace e2k::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kProgram = R"(
        .macro invoke function, a=0, b=0, c=0, d=0, e=0, f=0
        { addd 0, \a, %db[0]
          addd 0, \b, %db[1] }
        { addd 0, \c, %db[2]
          addd 0, \d, %db[3] }
        { addd 0, \e, %db[4]
          addd 0, \f, %db[5] }
        { nop 4
          disp %ctpr1, \function }
        { call %ctpr1, wbs = CALL }
        .endm
! What stands in %db[0], as a line of two digits: it is below 100.
        .macro show
        { addd 0, %db[0], %dr5
          addd 0, number, %dr6 }
        { nop 7
          sdivd %dr5, 10, %dr7 }
        { nop 6
          muld %dr7, 10, %dr8 }
        { subd %dr5, %dr8, %dr8 }
        { addd %dr7, '0', %dr7
          addd %dr8, '0', %dr8 }
        { stb %dr7, [%dr6]
          stb %dr8, [%dr6 + 1] }
        invoke puts, number
        invoke fflush, 0
        .endm
        .data
number: .asciz "00"
        .balign 8
argv:   .quad name, option, spawned, 0
pid:    .quad 0
actions: .space 80
line:   .space 100
        .section .rodata
fail:   .asciz "exit 3"
speak:  .asciz "echo from the shell; exit 5"
write:  .asciz "cat; exit 6"
read_mode: .asciz "r"
write_mode: .asciz "w"
words:  .asciz "through the pipe\n"
name:   .asciz "sh"
nobody: .asciz "no-such-program"
option: .asciz "-c"
spawned: .asciz "echo spawned; exit 7"
        begin
        start_main
main:   procedure
        invoke system, fail
        { shrd %db[0], 8, %db[0] }
        show                            ! 03
        invoke system, 0
        show                            ! 01
        invoke popen, speak, read_mode
        { addd 0, %db[0], %dr10 }
        { addd 0, line, %dr11 }
        invoke fgets, %dr11, 100, %dr10
        { addd 0, %db[0], %dr12 }
        { nop 4
          disp %ctpr1, printf }
        { addd 0, %dr12, %db[0] }
        { call %ctpr1, wbs = CALL }
        invoke fflush, 0
        invoke pclose, %dr10
        { shrd %db[0], 8, %db[0] }
        show                            ! 05
        invoke popen, write, write_mode
        { addd 0, %db[0], %dr10 }
        invoke fputs, words, %dr10
        invoke pclose, %dr10
        { shrd %db[0], 8, %db[0] }
        show                            ! 06
        { addd 0, actions, %dr13 }
        invoke posix_spawn_file_actions_init, %dr13
        invoke posix_spawn_file_actions_adddup2, %dr13, 2, 1
        { addd 0, pid, %dr14
          addd 0, argv, %dr15 }
        { addd 0, environ, %dr16 }
        { nop 4
          ldd [%dr16], %dr16 }
        invoke posix_spawnp, %dr14, name, %dr13, 0, %dr15, %dr16
        show                            ! 00, and "spawned" on stderr
        { addd 0, line, %dr11 }
        { nop 4
          ldw [%dr14], %r12 }
        { sxt 2, %r12, %dr12 }
        invoke waitpid, %dr12, %dr11, 0
        { nop 4
          ldw [%dr11], %r12 }
        { sxt 2, %r12, %dr12 }
        { shrd %dr12, 8, %db[0] }
        show                            ! 07
        invoke posix_spawnp, %dr14, nobody, 0, 0, %dr15, %dr16
        show                            ! 02: ENOENT
        invoke execvp, name, %dr15
        back
)";

TEST(Shell, CommandsRunAndTheirResultsComeBack) {
    ExecGuests guests;
    const auto path = guests.path("shell.s");
    std::ofstream(path) << kGuestMacros << kProgram;
    const auto made = guests.shell("\"$E2KWB\" asm -l c shell.s -o shell");
    ASSERT_EQ(made.shell_status(), 0) << made.errors;
    constexpr const char* kOutput =
        "03\n01\nfrom the shell\n05\nthrough the pipe\n06\n00\n07\n02\nspawned\n";
    for (const char* const tier : {"", "--interp "}) {
        const auto result = guests.shell(std::string("exec \"$E2KWB\" run ") + tier + "./shell");
        EXPECT_EQ(result.output, kOutput) << result.errors;
        EXPECT_EQ(result.errors, "spawned\n");
        EXPECT_EQ(result.shell_status(), 7);  // of the shell that has taken the program's place
    }
    // In the sandbox there is no shell of the PC.
    const auto refused = guests.shell("exec \"$E2KWB\" run --sandbox ./shell");
    EXPECT_NE(refused.output.substr(0, 2), "03");
}

}  // namespace
}  // namespace e2k::test
