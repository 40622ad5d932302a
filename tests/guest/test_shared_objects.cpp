// Programs of our own assembler with shared objects beside them, and with threads.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/scratch_directory.h"
#include "engine/isa/assembler/program.h"
#include "tests/guest/run_loop.h"
#include "tests/support/guest_macros.h"

namespace e2k::guest {
namespace {

/// A directory for the files of one test.
class Directory {
public:
    std::string link(const std::string& name, std::string_view source, isa::LinkOptions link) {
        isa::ProgramSourceOptions options;
        options.link = std::move(link);
        const auto program = isa::assemble_program(e2k::test::with_macros(source), options);
        if (!program) throw std::runtime_error(program.error().front().report(name));
        const auto bytes = isa::write_elf(*program);
        const std::filesystem::path file = files_.path() / name;
        std::ofstream(file, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
        return file.string();
    }

private:
    ScratchDirectory files_;
};

struct Result {
    ExitStatus exit;
    std::string output, detail;
};

Result run(const std::string& path) {
    Result result;
    auto image = ElfImage::load(path);
    if (!image) throw std::runtime_error(image.error());
    ProcessOptions options;
    options.argv = {path};
    options.streams.output = [&](int, std::string_view text) { result.output += text; };
    options.streams.input = [](char*, std::size_t) { return std::size_t{0}; };
    auto process = Process::start(std::move(*image), options);
    if (!process) throw std::runtime_error(process.error());
    test::RunLoop loop(**process);
    result.exit = loop.run();
    result.detail = (*process)->exit_detail();
    return result;
}

constexpr std::string_view kProgram = R"(
        .macro invoke function
        { nop 4
          disp %ctpr1, \function }
        { call %ctpr1, wbs = CALL }
        .endm
        begin
        main_arguments
        invoke __libc_start_main
main:   procedure
)";

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
    Directory directory;
    directory.link("libanswer.so", kLibrary,
                   {.kind = isa::OutputKind::Shared, .soname = "libanswer.so"});
    const std::string program =
        directory.link("program", std::string(kProgram) + R"(
        invoke answer
        { addd 0, %db[0], %dr0 }
        back
)",
                       {.kind = GetParam(), .needed = {"libanswer.so", "libc.so.6"}});
    const Result result = run(program);
    EXPECT_EQ(result.exit.kind, ExitStatus::Kind::Exited) << result.detail;
    EXPECT_EQ(result.exit.value, 42);
}

/// Four threads count to 4000 under one mutex.
TEST_P(SharedObjects, ThreadsShareAMutex) {
    Directory directory;
    const std::string program = directory.link("program", std::string(kProgram) + R"(
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
    const Result result = run(program);
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
