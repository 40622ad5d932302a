// Dynamic programs with the built-in linker and the C library of the workbench, as users start
// them: from each other, with the files of a system, with signals and real files.
#include <gtest/gtest.h>

#include "tests/app/exec_guests.h"
#include "tests/app/linked_file.h"
#include "tests/support/dynamic_guests.h"

namespace e2k::test {
namespace {

namespace fs = std::filesystem;

/// `main` with the arguments of the C library in %dr0, %dr1, %dr2.
constexpr std::string_view kMain = R"(
        begin
        start_main
main:   procedure
)";

/// Executes its first argument with the others; without arguments says so and ends with 5.
constexpr std::string_view kAgain = R"(
        get %dr4, %dr1, 8
        go_if_zero %dr4, last
        { addd %dr1, 8, %dr5 }
        invoke execve, %dr4, %dr5, %dr2
        invoke __errno_location
        { nop 4
          ldw [%db[0]], %dr4 }
        answer %dr4
last:   invoke puts, text
        answer 5
        .section .rodata
text:   .asciz "the last one"
)";

class LibraryOfTheWorkbench : public testing::TestWithParam<isa::OutputKind> {
protected:
    void make(const std::string& name, std::string_view body,
              std::vector<std::string> needed = {"libc.so.6"}) const {
        write(guests.path(name),
              std::string(kExpectMacros) + std::string(kMain) + std::string(body),
              {.kind = GetParam(), .needed = std::move(needed)});
    }
    static void write(const fs::path& path, const std::string& source,
                      const isa::LinkOptions& link) {
        write_linked(path, dynamic_source(source), link);
    }
    ChildResult run(const std::string& options, const std::string& before = "") const {
        return guests.shell(before + " \"$E2KWB\" run " + options);
    }

    ExecGuests guests;
};

INSTANTIATE_TEST_SUITE_P(Kinds, LibraryOfTheWorkbench,
                         testing::Values(isa::OutputKind::Dynamic,
                                         isa::OutputKind::PositionIndependent),
                         [](const auto& info) {
                             return info.param == isa::OutputKind::Dynamic ? "Fixed" : "Pie";
                         });

/// The directory of -L has libraries, but no dynamic linker; it holds for executed programs, too.
TEST_P(LibraryOfTheWorkbench, ProgramsExecuteEachOther) {
    guests.make("static", kExec);
    make("again", kAgain);
    fs::create_directories(guests.path("root/usr/lib64"));
    fs::create_directories(guests.path("root/etc"));
    std::ofstream(guests.path("root/etc/greeting")) << "greetings from the system\n";
    write(guests.path("root/usr/lib64/libtest.so"), std::string(kLibrary),
          {.kind = isa::OutputKind::Shared, .soname = "libtest.so"});
    const bool fixed = GetParam() == isa::OutputKind::Dynamic;
    write(guests.path("user"),
          std::string(fixed ? "        .set FIXED, 1\n" : "") + std::string(kDynamicProgram),
          {.kind = GetParam(), .needed = {"libtest.so"}});
    constexpr const char* kOutput = "hello from a library\ngreetings from the system\n";
    for (const char* options : {"", "--interp ", "--sandbox "}) {
        const auto last = run(std::string(options) + "./again ./static ./again ./again");
        EXPECT_EQ(last.output, "the last one\n") << options << last.errors;
        EXPECT_EQ(last.shell_status(), 5);
        for (const char* way : {"./user", "./static ./user", "./again ./again ./static ./user"}) {
            const auto result = run(std::string(options) + "-L root " + way);
            EXPECT_EQ(result.output, kOutput) << options << way;
            EXPECT_EQ(result.errors, "") << options << way;
            EXPECT_EQ(result.shell_status(), 41) << options << way;
        }
    }
    EXPECT_EQ(run("./again ./nothing").shell_status(), 2) << "ENOENT";
    const auto without = run("./user");
    EXPECT_NE(without.errors.find("no library libtest.so"), std::string::npos) << without.errors;
    EXPECT_NE(without.errors.find("calls say, which is in no library here"), std::string::npos)
        << without.errors;
}

/// Standard input becomes a pipe of the program's own, which stays empty.
constexpr std::string_view kOwnInput = R"(
        invoke pipe, ends
        { addd 0, ends, %dr22 }
        { nop 4
          ldw [%dr22], %dr4
          ldw [%dr22 + 4], %dr5 }
        { sxt 2, %dr4, %dr4
          sxt 2, %dr5, %dr5 }
        { std %dr5, [%dr22 + 8] }
        invoke dup2, %dr4, 0
        .data
        .balign 16
once:   .dword 0, 0, 0, 30000           ! in 30 ms
always: .dword 0, 30000, 0, 30000
never:  .dword 0, 0, 0, 0
        .bss
        .balign 16
ends:   .space 16
count:  .space 8
buffer: .space 256
        .text
        .macro count_signal
        load %dr1, count
        { addd %dr1, 1, %dr1 }
        { std %dr1, [%dr22] }
        .endm
)";

/// signal() lets what was interrupted go on, a handler without SA_RESTART does not.
TEST_P(LibraryOfTheWorkbench, SignalsInterruptWhatWaits) {
    make("waits", std::string(kOwnInput) + R"(
        invoke signal, 14, gives
        invoke setitimer, 0, once, 0
        invoke read, 0, buffer, 1
        expect %db[0], 1, 10
        load %dr4, count
        expect %dr4, 1, 11
        invoke sigaction, 14, action, 0
        invoke setitimer, 0, always, 0
        invoke read, 0, buffer, 1
        expect %db[0], -1, 12
        invoke __errno_location
        { nop 4
          ldw [%db[0]], %dr4 }
        expect %dr4, 4, 13              ! EINTR
        invoke getchar
        { sxt 2, %db[0], %dr4 }
        expect %dr4, -1, 14
        invoke setitimer, 0, never, 0
        answer 0
gives:  procedure                       ! what main waits for
        count_signal
        load %dr1, ends + 8
        invoke write, %dr1, letter, 1
        back
counts: procedure
        count_signal
        back
        .data
        .balign 16
action: .dword counts
        .space 144
letter: .ascii "x"
)");
    for (const char* options : {"", "--interp "}) {
        const auto result = run(std::string(options) + "./waits");
        EXPECT_EQ(result.shell_status(), 0) << options << result.errors;
    }
}

/// A handler that does not return ends what waits; the mask is as it was, so the next one comes.
TEST_P(LibraryOfTheWorkbench, HandlersMayLeaveWhatWaits) {
    make("leaves", std::string(kOwnInput) + R"(
        invoke signal, 14, handler
        invoke __sigsetjmp, buffer, 1
        { addd 0, %db[0], %dr4 }
        load %dr5, count
        go_if_equal %dr5, 3, done
        invoke setitimer, 0, once, 0
        invoke getchar
        answer 10
done:   expect %dr4, 7, 11
        invoke puts, text
        answer 0
handler: procedure
        count_signal
        invoke siglongjmp, buffer, 7
        .section .rodata
text:   .asciz "left"
)");
    for (const char* options : {"", "--interp "}) {
        const auto result = run(std::string(options) + "./leaves");
        EXPECT_EQ(result.shell_status(), 0) << options << result.errors;
        EXPECT_EQ(result.output, "left\n") << options;
    }
}

/// longjmp out of a comparison that qsort made: the next qsort knows nothing of it.
TEST_P(LibraryOfTheWorkbench, ComparisonsMayLeaveTheSorting) {
    make("sorts", R"(
        invoke _setjmp, buffer
        { sxt 2, %db[0], %dr4 }
        go_if_equal %dr4, 5, left
        expect %dr4, 0, 10
        { addd 0, leaves, %db[3] }
        invoke qsort, words, 4, 8
        answer 11
left:   load %dr4, words
        expect %dr4, 4, 12              ! nothing was moved yet
        { addd 0, orders, %db[3] }
        invoke qsort, words, 4, 8
        load %dr4, words
        expect %dr4, 1, 13
        load %dr4, words + 24
        expect %dr4, 4, 14
        answer 0
leaves: procedure
        invoke longjmp, buffer, 5
        answer 15
orders: procedure
        { nop 2
          ldd [%dr0], %dr2
          ldd [%dr1], %dr3 }
        { subd %dr2, %dr3, %dr0 }
        back
        .data
        .balign 16
words:  .dword 4, 2, 3, 1
        .bss
        .balign 16
buffer: .space 256
)");
    for (const char* options : {"", "--interp "}) {
        const auto result = run(std::string(options) + "./sorts");
        EXPECT_EQ(result.shell_status(), 0) << options << result.errors;
    }
}

/// Variable arguments of every kind, to standard output, and to a file that is then read; an error
/// has its number and text.
TEST_P(LibraryOfTheWorkbench, TextGoesToFilesAndBack) {
    make("writes", R"(
        invoke atexit, goodbye
        { addd 0, _f64 stdout, %dr4 }
        get %dr4, %dr4
        invoke print, %dr4
        invoke fopen, name, mode_w
        { addd 0, %db[0], %dr5 }
        invoke print, %dr5
        invoke fclose, %dr5
        invoke fopen, name, mode_r
        { addd 0, %db[0], %dr5 }
        invoke fgets, buffer, 100, %dr5
        invoke fputs, buffer, %dr4
        invoke fopen, nowhere, mode_r
        expect %db[0], 0, 10
        invoke __errno_location
        { nop 4
          ldw [%db[0]], %dr4 }
        expect %dr4, 2, 11              ! ENOENT
        invoke perror, nowhere
        answer 3
goodbye: procedure
        invoke puts, bye
        back
! fprintf(file, "…", 7, "text", 2.5, 1.25L, 1e100): the format and what follows it in memory, too
print:  procedure
        { nop 4
          getsp -80, %dr1 }
        { addd 0, _f64 format, %db[1]
          addd 0, %dr0, %db[0] }
        { addd 0, -7, %db[2]
          addd 0, word, %db[3] }
        { addd 0, _f64 0x4004000000000000, %db[4] }
        { addd 0, _f64 0xa000000000000000, %db[6]
          addd 0, 0x3fff, %db[7] }
        { addd 0, _f64 0x54b249ad2594c37d, %dr2 }
        { std %db[1], [%dr1 + 8]
          std %db[2], [%dr1 + 16] }
        { std %db[3], [%dr1 + 24]
          std %db[4], [%dr1 + 32] }
        { std %db[6], [%dr1 + 48]
          std %db[7], [%dr1 + 56] }
        { std %dr2, [%dr1 + 64] }
        { nop 4
          disp %ctpr1, fprintf }
        { call %ctpr1, wbs = CALL }
        back
        .section .rodata
format: .asciz "%d %s %.3f %Lf %g\n"
word:   .asciz "text"
name:   .asciz "file"
mode_w: .asciz "w"
mode_r: .asciz "r"
nowhere: .asciz "no/where"
bye:    .asciz "bye"
        .bss
buffer: .space 128
)");
    const std::string line = "-7 text 2.500 1.250000 1e+100\n";
    for (const char* options : {"", "--interp ", "--sandbox --writable . "}) {
        const auto result = run(std::string(options) + "./writes");
        EXPECT_EQ(result.output, line + line + "bye\n") << options;
        EXPECT_EQ(result.errors, "no/where: No such file or directory\n") << options;
        EXPECT_EQ(result.shell_status(), 3) << options;
        std::ifstream file(guests.path("file"));
        std::string written;
        std::getline(file, written);
        EXPECT_EQ(written + "\n", line);
        fs::remove(guests.path("file"));
    }
}

}  // namespace
}  // namespace e2k::test
