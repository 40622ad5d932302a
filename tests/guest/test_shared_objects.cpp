// Programs of our own assembler with shared objects beside them, and with threads.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/guest/linked_programs.h"

namespace e2k::guest {
namespace {

using test::LinkedFiles;
using test::RunResult;

/// The number that `answer` gives comes from its constructor, through a relocated pointer.
constexpr std::string_view kLibrary = R"(
        .globl answer
        .type answer, @function
        .text
answer: procedure
        { addd 0, pointer, %dr1 }
        { nop 2
          ldd [%dr1], %dr1 }
        { nop 2
          ldd [%dr1], %dr0 }
        back
setup:  procedure
        { addd 0, number, %dr1
          addd 0, 42, %dr2 }
        { std %dr2, [%dr1] }
        back
        .section .init_array, "aw"
        .align 8
        .quad setup
        .data
        .align 8
pointer: .quad number
number: .quad 1
)";

class SharedObjects : public ::testing::TestWithParam<isa::OutputKind> {};

TEST_P(SharedObjects, AreFoundBesideTheProgramAndConstructed) {
    LinkedFiles directory;
    directory.link("libanswer.so", kLibrary,
                   {.kind = isa::OutputKind::Shared, .soname = "libanswer.so"});
    const std::string program =
        directory.link("program", std::string(test::kMain) + R"(
        invoke answer
        { addd 0, %db[0], %dr0 }
        back
)",
                       {.kind = GetParam(), .needed = {"libanswer.so", "libc.so.6"}});
    const RunResult result = test::run_file(program);
    EXPECT_EQ(result.exit.kind, ExitStatus::Kind::Exited) << result.detail;
    EXPECT_EQ(result.exit.value, 42);
}

/// What keeps threads apart: functions to begin and end, and the first word of the object.
struct Lock {
    const char *begin, *end;
    int first;
};

/// Four threads count to 4000, one at a time.
TEST_P(SharedObjects, ThreadsTakeTurns) {
    for (const Lock& lock :
         {Lock{"pthread_mutex_lock", "pthread_mutex_unlock", 0}, Lock{"sem_wait", "sem_post", 1},
          Lock{"pthread_rwlock_wrlock", "pthread_rwlock_unlock", 0},
          Lock{"pthread_spin_lock", "pthread_spin_unlock", 0}}) {
        LinkedFiles directory;
        const std::string source = fmt::format(
            "        .macro lock\n        invoke {}\n        .endm\n"
            "        .macro unlock\n        invoke {}\n        .endm\n"
            "        .equ FIRST, {}\n",
            lock.begin, lock.end, lock.first);
        const std::string program =
            directory.link("program", source + std::string(test::kMain) + R"(
        { addd 0, 0, %dr4
          addd 0, threads, %dr5 }
start:  { addd 0, %dr5, %db[0]
          addd 0, 0, %db[1] }
        { addd 0, count, %db[2]
          addd 0, 1000, %db[3] }
        invoke pthread_create
        { addd %dr4, 1, %dr4
          addd %dr5, 8, %dr5 }
        go_if_less %dr4, 4, start
        { addd 0, 0, %dr4
          addd 0, threads, %dr5 }
join:   { nop 2
          ldd [%dr5], %db[0]
          addd 0, result, %db[1] }
        invoke pthread_join
        { addd %dr4, 1, %dr4
          addd %dr5, 8, %dr5 }
        go_if_less %dr4, 4, join
        { addd 0, text, %db[0]
          addd 0, total, %dr6 }
        { addd 0, result, %dr7 }
        { nop 2
          ldd [%dr6], %db[1]
          ldd [%dr7], %db[2] }
        { nop 4
          getsp -32, %dr2 }
        { std %db[0], [%dr2]
          std %db[1], [%dr2 + 8] }
        { std %db[2], [%dr2 + 16] }
        invoke printf
        { addd 0, 0, %dr0 }
        back
count:  procedure
        { addd 0, %dr0, %dr4
          addd 0, total, %dr5 }
once:   { addd 0, mutex, %db[0] }
        lock
        { nop 2
          ldd [%dr5], %dr6 }
        { addd %dr6, 1, %dr6 }
        { std %dr6, [%dr5] }
        { addd 0, mutex, %db[0] }
        unlock
        { subd %dr4, 1, %dr4 }
        { addd 0, 0, %dr7 }
        go_if_less %dr7, %dr4, once
        { addd 0, 77, %dr0 }
        back
        .section .rodata
text:   .asciz "%ld %ld\n"
        .bss
        .align 8
threads: .skip 32
result: .skip 8
total:  .skip 8
        .data
        .align 8
mutex:  .word FIRST
        .skip 52
)",
                           {.kind = GetParam(), .needed = {"libc.so.6"}});
        const RunResult result = test::run_file(program);
        EXPECT_EQ(result.exit.kind, ExitStatus::Kind::Exited) << lock.begin << result.detail;
        EXPECT_EQ(result.output, "4000 77\n") << lock.begin;
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, SharedObjects,
                         ::testing::Values(isa::OutputKind::Dynamic,
                                           isa::OutputKind::PositionIndependent),
                         [](const auto& info) {
                             return info.param == isa::OutputKind::Dynamic ? "Fixed" : "Pie";
                         });

// ---- libraries that a running program asks for ------------------------------------------------

/// `next` counts in a thread-local variable from the constructor's number on, with the help of a
/// library of its own.
constexpr std::string_view kPlugin = R"(
        .globl next
        .type next, @function
next:   procedure
        general_address counter
        { addd 0, %db[0], %dr4 }
        { nop 4
          ldd [%dr4], %db[0] }
        invoke one_more
        { std %db[0], [%dr4] }
        answer %db[0]
setup:  procedure
        { addd 0, loaded, %dr1
          addd 0, 1, %dr2 }
        { std %dr2, [%dr1] }
        back
        .section .init_array, "aw"
        .balign 8
        .quad setup
        .section .tdata, "awT", @progbits
        .balign 8
counter: .dword 5
        .data
        .globl loaded
        .type loaded, @object
        .size loaded, 8
        .balign 8
loaded: .quad 0
)";
constexpr std::string_view kHelper = R"(
        .globl one_more
        .type one_more, @function
one_more: procedure
        { addd %dr0, 1, %dr0 }
        back
)";

class Opening : public test::Linking {
protected:
    /// A program that has the handle of `plugin` in %dr8 and then does `body`.
    RunResult run(const std::string& plugin, std::string_view body, int flags = 2) {
        return test::run_file(program(fmt::format(R"(
        {{ addd 0, plugin, %db[0]
          addd 0, {}, %db[1] }}
        invoke dlopen
        {{ addd 0, %db[0], %dr8 }}
{}
        .section .rodata
plugin: .asciz "{}"
function: .asciz "next"
variable: .asciz "loaded"
helper: .asciz "one_more"
form:   .asciz "%s\n"
        .text
)",
                                                  flags, body, plugin)));
    }
};

/// Its constructor has run, its thread-local storage is there in threads that began before and
/// after, and names of its library are found through its handle, but not by everybody.
TEST_P(Opening, AddsALibraryWithWhatItNeeds) {
    library("libhelper.so", kHelper);
    const std::string plugin = library("libplugin.so", kPlugin, {"libhelper.so"});
    const RunResult result = run(plugin, R"(
        invoke ask
        expect %db[0], 6, 1
        invoke ask
        expect %db[0], 7, 2
        { addd 0, thread, %db[0]
          addd 0, 0, %db[1] }
        { addd 0, ask, %db[2]
          addd 0, 0, %db[3] }
        invoke pthread_create
        { addd 0, thread, %dr1 }
        { nop 4
          ldd [%dr1], %db[0]
          addd 0, count, %db[1] }
        invoke pthread_join
        { addd 0, count, %dr1 }
        { nop 4
          ldd [%dr1], %dr1 }
        expect %dr1, 6, 3
        { addd 0, %dr8, %db[0]
          addd 0, variable, %db[1] }
        invoke dlsym
        { nop 4
          ldd [%db[0]], %dr1 }
        expect %dr1, 1, 4
        { addd 0, %dr8, %db[0]
          addd 0, helper, %db[1] }
        invoke dlsym
        { subd %db[0], 0, %dr1 }
        { cmpedb %dr1, 0, %pred0 }
        { nop 2
          addd 0, 1, %dr2 ? %pred0
          addd 0, 0, %dr2 ? ~%pred0 }
        expect %dr2, 0, 5
        { addd 0, 0, %db[0]
          addd 0, helper, %db[1] }
        invoke dlsym                    ! RTLD_DEFAULT
        expect %db[0], 0, 6
        { addd 0, plugin, %db[0]
          addd 0, 1, %db[1] }
        invoke dlopen
        { subd %db[0], %dr8, %dr1 }
        expect %dr1, 0, 7               ! the same once more
        { addd 0, %dr8, %db[0] }
        invoke dlclose
        expect %db[0], 0, 8
        answer 0
ask:    procedure
        { addd 0, 0, %db[0]
          addd 0, own, %db[1] }
        { addd 0, plugin, %db[0]
          addd 0, 6, %db[1] }
        invoke dlopen
        { addd 0, function, %db[1] }
        invoke dlsym
        { addd 0, %db[0], %dr4 }
        call_at %dr4
        answer %db[0]
        .section .rodata
own:    .asciz ""
        .bss
        .balign 8
thread: .space 8
count:  .space 8
        .text
)");
    expect_status(result, 0);
}

/// A library that is not there, one whose library is not there, one that is no library, one that
/// asks for what nobody has, when it is to be bound at once.
TEST_P(Opening, SaysWhyNotAndLeavesTheProgramAsItWas) {
    constexpr std::string_view kTell = R"(
        expect %dr8, 0, 1
        invoke dlerror
        { addd 0, %db[0], %dr1 }
        { addd 0, form, %db[0] }
        { nop 4
          getsp -32, %dr2 }
        { std %db[0], [%dr2]
          std %dr1, [%dr2 + 8] }
        invoke printf
        answer 0
)";
    const std::string absent = "/nonexistent/libplugin.so";
    RunResult result = run(absent, kTell);
    expect_status(result, 0);
    EXPECT_EQ(result.output,
              absent + ": cannot open shared object file: No such file or directory\n");
    const std::string needy = library("libneedy.so", kPlugin, {"libnothere.so"});
    result = run(needy, kTell);
    expect_status(result, 0);
    EXPECT_EQ(result.output,
              "libnothere.so: cannot open shared object file: No such file or directory (" + needy +
                  " needs it)\n");
    const std::string unbound = library("libunbound.so", kPlugin);
    result = run(unbound, kTell);
    expect_status(result, 0);
    EXPECT_EQ(result.output, unbound + ": undefined symbol: one_more\n");
    result = run("/dev/null", kTell);
    expect_status(result, 0);
    EXPECT_FALSE(result.output.empty());
    result = run(unbound, kTell, 0);
    expect_status(result, 0);
    EXPECT_EQ(result.output, "invalid mode for dlopen(): Invalid argument\n");
}

INSTANTIATE_TEST_SUITE_P(Kinds, Opening, test::both_kinds(), test::kind_name);

}  // namespace
}  // namespace e2k::guest
