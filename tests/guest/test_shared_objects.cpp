// Programs of our own assembler with shared objects beside them, and with threads.
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

/// Four threads count to 4000 under one mutex.
TEST_P(SharedObjects, ThreadsShareAMutex) {
    LinkedFiles directory;
    const std::string program = directory.link("program", std::string(test::kMain) + R"(
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
        invoke pthread_mutex_lock
        { nop 2
          ldd [%dr5], %dr6 }
        { addd %dr6, 1, %dr6 }
        { std %dr6, [%dr5] }
        { addd 0, mutex, %db[0] }
        invoke pthread_mutex_unlock
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
mutex:  .skip 40
)",
                                               {.kind = GetParam(), .needed = {"libc.so.6"}});
    const RunResult result = test::run_file(program);
    EXPECT_EQ(result.exit.kind, ExitStatus::Kind::Exited) << result.detail;
    EXPECT_EQ(result.output, "4000 77\n");
}

INSTANTIATE_TEST_SUITE_P(Kinds, SharedObjects,
                         ::testing::Values(isa::OutputKind::Dynamic,
                                           isa::OutputKind::PositionIndependent),
                         [](const auto& info) {
                             return info.param == isa::OutputKind::Dynamic ? "Fixed" : "Pie";
                         });

}  // namespace
}  // namespace e2k::guest
