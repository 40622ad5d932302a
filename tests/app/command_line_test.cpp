// e2kwb as a user meets it: help, messages, exit codes, arguments passed through.
#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace {

using e2k::test::ChildOptions;
using e2k::test::ChildResult;

std::string guest(const std::string& name) {
    return std::string(E2K_SOURCE_DIR) + "/tests/data/guests/elf/" + name;
}

ChildResult e2kwb(std::vector<std::string> arguments, const ChildOptions& options = {}) {
    arguments.insert(arguments.begin(), E2KWB);
    return e2k::test::run_child(arguments, options);
}

testing::AssertionResult contains(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "no \"" << part << "\" in:\n" << text;
}

TEST(CommandLine, HelpNamesCommandsProcessorsAndExamples) {
    const auto result = e2kwb({"--help"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.errors, "");
    for (const char* word : {"run", "trace", "record", "replay", "disasm", "asm", "isa", "vectors",
                             "bench", "Examples:", "e2c3", "--layout"})
        EXPECT_TRUE(contains(result.output, word));
    for (const char* command :
         {"run", "trace", "record", "replay", "disasm", "asm", "isa", "vectors", "bench"}) {
        const auto help = e2kwb({command, "--help"});
        EXPECT_EQ(help.exit_code, 0) << command;
        EXPECT_TRUE(contains(help.output, std::string("Usage: e2kwb ") + command));
    }
}

TEST(CommandLine, UnknownLayoutIsAnErrorThatNamesTheKnownOnes) {
    const auto result = e2kwb({"--layout", "Debug"});
    EXPECT_EQ(result.exit_code, 2);
    for (const char* word : {"Debug", "debug", "teach", "translate"})
        EXPECT_TRUE(contains(result.errors, word));
}

TEST(CommandLine, WithoutTheWindowsModuleItSaysWhereItBelongs) {
    namespace fs = std::filesystem;
    const fs::path folder = fs::temp_directory_path() / ("e2kwb-alone-" + std::to_string(getpid()));
    fs::create_directories(folder);
    fs::copy_file(E2KWB, folder / "e2kwb");
    auto result = e2k::test::run_child({(folder / "e2kwb").string(), guest("hello")}, {});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(contains(result.errors, (folder / "e2kwb-ui.so").string()));
    EXPECT_TRUE(contains(result.errors, "run"));
    std::ofstream(folder / "e2kwb-ui.so") << "not a module";
    result = e2k::test::run_child({(folder / "e2kwb").string(), guest("hello")}, {});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(contains(result.errors, "cannot load the window"));
    result = e2k::test::run_child({(folder / "e2kwb").string(), "run", guest("hello")}, {});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    fs::remove_all(folder);
}

TEST(CommandLine, HeadlessCommandsDoNotLoadTheWindowsLibraries) {
    const auto result =
        e2kwb({"run", "--strace", guest("hello")}, {.environment = {"LD_DEBUG=files"}});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_TRUE(contains(result.errors, "libc.so"));
    for (const char* library : {"libglfw", "libGL", "libfreetype", "libX11"})
        EXPECT_EQ(result.errors.find(library), std::string::npos) << library;
}

TEST(CommandLine, TellsItsVersion) {
    const auto result = e2kwb({"--version"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_TRUE(contains(result.output, "e2kwb 0"));
}

TEST(CommandLine, ExplainsMistakes) {
    auto result = e2kwb({"run", "--no-such-option", guest("hello")});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_TRUE(contains(result.errors, "--no-such-option"));
    EXPECT_TRUE(contains(result.errors, "e2kwb run --help"));

    result = e2kwb({"run"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_TRUE(contains(result.errors, "needs a program"));

    result = e2kwb({"run", "--cpu", "pentium", guest("hello")});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_TRUE(contains(result.errors, "pentium"));
    EXPECT_TRUE(contains(result.errors, "e8c2"));

    result = e2kwb({"run", "/no/such/program"});
    EXPECT_EQ(result.exit_code, 127);
    EXPECT_TRUE(contains(result.errors, "/no/such/program: No such file"));

    result = e2kwb({"run", std::string(E2K_SOURCE_DIR) + "/README.md"});
    EXPECT_EQ(result.exit_code, 126);
    EXPECT_TRUE(contains(result.errors, "not an ELF file"));

    result = e2kwb({"/no/such/program"});
    EXPECT_EQ(result.exit_code, 127);
    EXPECT_TRUE(contains(result.errors, "/no/such/program"));
    for (const char* command : {"run", "trace", "quality"}) {
        const auto nothing = e2kwb({command, "--"});
        EXPECT_EQ(nothing.exit_code, 2) << command;
        EXPECT_TRUE(contains(nothing.errors, "needs a program"));
    }
}

TEST(CommandLine, TriesLessonsOut) {
    const std::string lessons = std::string(E2K_SOURCE_DIR) + "/assets/lessons/";
    auto result = e2kwb({"lesson", "--check", lessons + "01-bundle.lesson"});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_TRUE(contains(result.output, "What a bundle is: 4 pages, 3 questions"));
    result = e2kwb({"lesson", "--check", lessons + "README.md", "/no/such.lesson"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(contains(result.errors, "README.md:3: "));
    EXPECT_TRUE(contains(result.errors, "hint: "));
    EXPECT_TRUE(contains(result.errors, "/no/such.lesson: No such file"));
    EXPECT_EQ(e2kwb({"lesson"}).exit_code, 2);
}

TEST(CommandLine, SaysWhatNeedsNoDisplay) {
    const auto result =
        e2kwb({guest("hello")}, {.input = {}, .environment = {"DISPLAY", "WAYLAND_DISPLAY"}});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(contains(result.errors, "e2kwb run"));
}

TEST(Run, PassesTheProgramsArgumentsThrough) {
    const auto result =
        e2kwb({"run", guest("args"), "--strace", "-x", "--", "--help", "two words"});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    for (const char* word : {"--strace", "-x", "--", "--help", "two words"})
        EXPECT_TRUE(contains(result.output, word));
    EXPECT_EQ(result.errors, "");
}

TEST(Run, BehavesLikeTheProgram) {
    auto result = e2kwb({"run", guest("exit_codes")});
    EXPECT_EQ(result.exit_code, 42);
    result = e2kwb({"run", guest("rot13")}, {.input = "Uryyb\n", .environment = {}});
    EXPECT_TRUE(contains(result.output, "Hello"));
}

TEST(Run, DiesOfTheProgramsSignal) {
    for (const char* tier : {"--interp", "--cpu=e16c"}) {
        const auto result = e2kwb({"run", tier, guest("err_wild_store")});
        EXPECT_EQ(result.signal, SIGSEGV);
        EXPECT_TRUE(contains(result.errors, "SIGSEGV"));
        EXPECT_TRUE(contains(result.errors, "store to"));
    }
}

TEST(Run, PrintsSystemCallsAndCounts) {
    const auto result = e2kwb({"run", "--strace", "--stats", guest("hello")});
    EXPECT_EQ(result.output, "Hello, Elbrus\n");
    EXPECT_TRUE(contains(result.errors, "write(1, \"Hello, Elbrus\\n\", 14) = 14"));
    EXPECT_TRUE(contains(result.errors, "bundles"));
}

TEST(Run, ChoosesAProcessorByName) {
    for (const char* name : {"elbrus-v2", "ELBRUS-V6", "e2c+", "E8C2", "e1c+", "e2c3"})
        EXPECT_EQ(e2kwb({"run", "--cpu", name, guest("hello")}).exit_code, 0) << name;
    // A program of version 4 on a processor of version 2: the newer operations are illegal.
    EXPECT_EQ(e2kwb({"run", "--cpu", "e2c+", guest("bitfields")}).signal, SIGILL);
}

TEST(Trace, ShowsEveryBundle) {
    const auto result = e2kwb({"trace", "--registers", "--max", "3", guest("hello")});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_TRUE(contains(result.errors, "_start"));
    EXPECT_TRUE(contains(result.errors, "stopped after 3 bundles"));
}

TEST(Record, IsReplayedWithoutTheProgram) {
    namespace fs = std::filesystem;
    const fs::path folder =
        fs::temp_directory_path() / ("e2kwb-record-" + std::to_string(getpid()));
    fs::create_directories(folder);
    fs::copy_file(guest("crc32"), folder / "crc32");
    const std::string run = (folder / "run.e2krec").string();
    const auto plain = e2kwb({"run", guest("crc32")});
    const auto recorded = e2kwb({"record", "-o", run, (folder / "crc32").string()});
    EXPECT_EQ(recorded.exit_code, plain.exit_code) << recorded.errors;
    EXPECT_EQ(recorded.output, plain.output);
    fs::remove(folder / "crc32");
    const auto checked = e2kwb({"replay", run, "--check"});
    EXPECT_EQ(checked.exit_code, 0) << checked.errors;
    EXPECT_TRUE(contains(checked.output, ", 0 differ"));
    const auto shown = e2kwb({"replay", run, "--to", "3", "--back", "1", "--last-write", "%r0"});
    EXPECT_EQ(shown.exit_code, 0) << shown.errors;
    EXPECT_TRUE(contains(shown.output, "bundle 2 at 0x"));
    EXPECT_TRUE(contains(shown.output, "%r0"));
    const auto foreign = e2kwb({"replay", guest("crc32")});
    EXPECT_EQ(foreign.exit_code, 1);
    EXPECT_TRUE(contains(foreign.errors, "not a recording"));
    fs::remove_all(folder);
}

TEST(Disasm, PrintsCodeWithSymbols) {
    auto result = e2kwb({"disasm", guest("hello")});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_TRUE(contains(result.output, "<_start>:"));
    EXPECT_TRUE(contains(result.output, "setwd"));
    result = e2kwb({"disasm", "--symbol", "main", guest("crc32")});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_TRUE(contains(result.output, "<main>:"));
    EXPECT_EQ(result.output.find("<_start>:"), std::string::npos);
    result = e2kwb({"disasm", "--symbol", "nowhere", guest("crc32")});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(contains(result.errors, "nowhere"));
}

constexpr const char* kExitsWithSeven = R"(
_start: { setwd wsz = 8, nfx = 1, dbl = 1 ; setbn rbs = 4, rsz = 3, rcur = 0 }
        { nop 4 ; sdisp %ctpr1, 3 ; addd 0, 1, %db[0] ; addd 0, 7, %db[1] }
        { call %ctpr1, wbs = 4 }
)";

TEST(Asm, WritesAProgramThatRuns) {
    const e2k::test::ScratchDirectory scratch;
    const std::string source = (scratch.path() / "seven.s").string();
    std::ofstream(source) << kExitsWithSeven;
    auto result = e2kwb({"asm", source, "-o", source + ".out", "-a", "-", "--cpu", "elbrus-v5"});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_TRUE(contains(result.output, "10010  0c004213"));
    EXPECT_EQ(access((source + ".out").c_str(), X_OK), 0);
    EXPECT_EQ(e2kwb({"run", source + ".out"}).exit_code, 7);
    // Without -o the source's name less ".s"; without asm it is assembled on the way.
    EXPECT_EQ(e2kwb({"asm", source}).exit_code, 0);
    EXPECT_EQ(e2kwb({"run", "--interp", (scratch.path() / "seven").string()}).exit_code, 7);
    EXPECT_EQ(e2kwb({"run", source}).exit_code, 7);
    result = e2kwb({"disasm", source});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_TRUE(contains(result.output, "<_start>:"));
}

TEST(Asm, TakesTheOptionsOfTheElbrusAssembler) {
    const e2k::test::ScratchDirectory scratch;
    const std::string source = (scratch.path() / "delay.s").string();
    const auto listing = [&](const std::vector<std::string>& options) {
        std::vector<std::string> command{"asm", "--check", "-a", "-", source};
        command.insert(command.end(), options.begin(), options.end());
        return e2kwb(command);
    };
    std::ofstream(source) << "_start: cmpesb %r1, %r2, %pred0\n";
    EXPECT_TRUE(contains(listing({}).output, "04000101"));  // with nop 2
    EXPECT_TRUE(contains(listing({"-no_strict_delay", "-mptr64"}).output, "04000001"));
    EXPECT_EQ(listing({"-mcpu=elbrus-8c2", "-mptr64"}).exit_code, 0);
    EXPECT_EQ(listing({"-mcpu=elbrus-9"}).exit_code, 2);
    const auto narrow = listing({"-mptr32"});
    EXPECT_EQ(narrow.exit_code, 2);
    EXPECT_TRUE(contains(narrow.errors, "-mptr32: only programs of the 64-bit mode"));
}

constexpr const char* kFindsItsData = R"(
        .text
_start: { setwd wsz = 8, nfx = 1
          setbn rbs = 4, rsz = 3, rcur = 0 }
        { rrd %ip, %dr1
          addd 0, _GLOBAL_OFFSET_TABLE_, %dr2 }
        { addd %dr1, %dr2, %dr1 }       ! the table of addresses
        { ldd [%dr1, second@GOT], %dr3
          addd %dr1, first@GOTOFF, %dr4 }
        { ldd [%dr3], %dr3
          ldd [%dr4], %dr4 }
        { sdisp %ctpr1, 3
          subd %dr3, %dr4, %db[1]
          addd 0, 1, %db[0] }
        { addd %db[1], second@SIZE, %db[1] }
        { call %ctpr1, wbs = 4 }
        .data
first:  .quad 1000
second: .quad 1030
        .size second, . - second
)";

TEST(Asm, ReferencesLeadToTheData) {
    const e2k::test::ScratchDirectory scratch;
    const std::string source = (scratch.path() / "finds.s").string();
    std::ofstream(source) << kFindsItsData;
    for (const char* tier : {"--interp", "--tags"}) {
        const auto result = e2kwb({"run", tier, source});
        EXPECT_EQ(result.exit_code, 38) << result.errors;
    }
    EXPECT_EQ(e2kwb({"run", source}).exit_code, 38);
}

TEST(Asm, ReportsEveryError) {
    const e2k::test::ScratchDirectory scratch;
    const std::string source = (scratch.path() / "bad.s").string();
    std::ofstream(source) << "_start: addd 0, nowhere, %dr1\n.byte 300\n{ frob }\n";
    for (const char* command : {"asm", "run"}) {
        const auto result = e2kwb({command, source});
        EXPECT_EQ(result.exit_code, command == std::string("asm") ? 1 : 126);
        EXPECT_TRUE(contains(result.errors,
                             "bad.s:1:17: this symbol is not defined: `nowhere`\n"
                             "     1 | _start: addd 0, nowhere, %dr1\n"
                             "       |                 ^~~~~~~\n"));
        EXPECT_TRUE(contains(result.errors, "bad.s:2:7:"));
        EXPECT_TRUE(contains(result.errors, "bad.s:3:3:"));
        EXPECT_TRUE(contains(result.errors, "3 errors"));
    }
    EXPECT_EQ(e2kwb({"asm", "/no/such/file.s"}).exit_code, 1);
    EXPECT_EQ(e2kwb({"asm"}).exit_code, 2);
    EXPECT_EQ(e2kwb({"asm", "--cpu", "pentium", source}).exit_code, 2);
}

TEST(Asm, WarnsAndChecks) {
    const e2k::test::ScratchDirectory scratch;
    const std::string source = (scratch.path() / "odd.s").string();
    std::ofstream(source) << "_start: { addd,0 0, 1, %dr1 ; addd,1 0, 2, %dr1 }\n";
    auto result = e2kwb({"asm", "--check", source});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_TRUE(contains(result.errors, "odd.s:1:31: warning: two operations write %dr1"));
    EXPECT_FALSE(std::filesystem::exists(scratch.path() / "odd"));
    EXPECT_EQ(e2kwb({"asm", "--check", "--fatal-warnings", source}).exit_code, 1);
}

TEST(Isa, DescribesAndCounts) {
    auto result = e2kwb({"isa", "FMUL_ADDS"});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    for (const char* word :
         {"ALOPF21", "opcode 08", "ALC0, ALC1, ALC3, ALC4", "8 cycles", "since v4"})
        EXPECT_TRUE(contains(result.output, word));
    result = e2kwb({"isa", "adddd"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(contains(result.errors, "there are addd"));
    result = e2kwb({"isa", "--coverage"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_TRUE(contains(result.output, "integer shift"));
    EXPECT_EQ(e2kwb({"isa"}).exit_code, 2);
}

TEST(Vectors, CountsAndFails) {
    const e2k::test::ScratchDirectory scratch;
    const auto file = scratch.path() / "bad.jsonl";
    std::ofstream(file) << "this is no record\n";
    auto result = e2kwb({"vectors", file.string()});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(contains(result.errors, "bad.jsonl"));
    result = e2kwb({"vectors", "--tier", "tree", file.string()});
    EXPECT_EQ(result.exit_code, 2);
    result = e2kwb({"vectors", std::string(E2K_SOURCE_DIR) + "/tests/data/decode_sample.jsonl"});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    EXPECT_TRUE(contains(result.output, " passed, 0 failed\n"));
}

}  // namespace
