// Options of the guest's surroundings, on the command line and in the environment, and the log.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/app/exec_guests.h"

namespace e2k::test {
namespace {

testing::AssertionResult contains(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "no \"" << part << "\" in:\n" << text;
}

std::string hello() { return std::string(E2K_SOURCE_DIR) + "/tests/data/guests/elf/hello"; }

class ProgramOptions : public testing::Test {
protected:
    ChildResult run(std::vector<std::string> options, const std::string& program,
                    std::vector<std::string> environment = {}) {
        options.insert(options.begin(), {E2KWB, "run"});
        options.push_back(program);
        return run_child(options, {.environment = std::move(environment)});
    }
    ExecGuests guests_;
    ScratchDirectory files_;
};

TEST_F(ProgramOptions, EnvironmentAndNameOfTheProgram) {
    const std::string show = guests_.make("show", kShow);
    const std::vector<std::string> ours{"COLOUR=red", "SHAPE=round"};
    auto result =
        run({"-E", "COLOUR=blue,green", "-E", "SIZE=", "-U", "SHAPE", "-0", "-other"}, show, ours);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_EQ(result.output.find("-other\n--\n"), 0u) << result.output;
    EXPECT_TRUE(contains(result.output, "\nCOLOUR=blue,green\n"));
    EXPECT_TRUE(contains(result.output, "\nSIZE=\n"));
    for (const char* gone : {"COLOUR=red", "SHAPE="})
        EXPECT_EQ(result.output.find(gone), std::string::npos) << gone;

    std::vector<std::string> variables = ours;
    for (const char* entry :
         {"E2KWB_SET_ENV=A=1,B=2", "E2KWB_UNSET_ENV=COLOUR,SHAPE", "E2KWB_ARGV0=name"})
        variables.emplace_back(entry);
    result = run({}, show, variables);
    EXPECT_EQ(result.output.find("name\n--\n"), 0u) << result.output;
    EXPECT_TRUE(contains(result.output, "\nA=1\n"));
    EXPECT_TRUE(contains(result.output, "\nB=2\n"));
    EXPECT_EQ(result.output.find("\nCOLOUR="), std::string::npos);
    // What is given counts more than the environment.
    result = run({"-0", "given"}, show, variables);
    EXPECT_EQ(result.output.find("given\n--\n"), 0u) << result.output;
}

/// Writes the release of uname, the limits of the stack, and 32 random bytes.
constexpr std::string_view kAsk = R"(
        .data
        .balign 8
name:   .skip 400
limit:  .dword 0, 0
bytes:  .skip 32
        .text
        begin
        linux 122, name
        linux 4, 1, name + 130, 65
        linux 76, 3, limit
        linux 4, 1, limit, 8
        linux 385, bytes, 32, 0
        linux 4, 1, bytes, 32
        linux 300
)";

TEST_F(ProgramOptions, ReleaseStackAndSeed) {
    const std::string ask = guests_.make("ask", kAsk);
    const auto result = run({"-r", "6.1.0-test", "-s", "2M", "--seed", "7"}, ask);
    ASSERT_EQ(result.output.size(), 65u + 8 + 32) << result.errors;
    EXPECT_EQ(std::string(result.output.c_str()), "6.1.0-test");
    std::uint64_t stack = 0;
    std::memcpy(&stack, result.output.data() + 65, sizeof stack);
    EXPECT_EQ(stack, 2u << 20);
    const auto bytes = [](const ChildResult& r) { return r.output.substr(65 + 8); };
    EXPECT_EQ(bytes(run({"--interp"}, ask, {"E2KWB_SEED=0x7"})), bytes(result));
    EXPECT_NE(bytes(run({"--seed=8"}, ask)), bytes(result));
    EXPECT_NE(bytes(run({}, ask)), bytes(run({}, ask)));
    EXPECT_EQ(run({}, ask, {"E2KWB_UNAME=5.0", "E2KWB_STACK_SIZE=1M"}).output.substr(0, 4),
              std::string("5.0\0", 4));
}

/// Writes the 16 bytes AT_RANDOM leads to.
constexpr std::string_view kRandom = R"(
        begin
        { nop 4 ; getsp 0, %dr1 }
        { nop 4 ; ldd [%dr1 + 0], %dr2 }
        { shld %dr2, 3, %dr2 }
        { addd %dr1, %dr2, %dr1 }
        { addd %dr1, 16, %dr1 }
skip:   { nop 4 ; ldd [%dr1 + 0], %dr2 }
        { addd %dr1, 8, %dr1 }
        if_zero %dr2, vector
        go skip
vector: { nop 4 ; ldd [%dr1 + 0], %dr2 }
        { nop 2 ; cmpedb %dr2, 25, %pred0 }
        { nop 4 ; ldd [%dr1 + 8], %dr3 }
        { addd %dr1, 16, %dr1 ; nop 4 ; disp %ctpr1, vector }
        { ct %ctpr1 ? ~%pred0 }
        linux 4, 1, %dr3, 16
        linux 300
)";

TEST_F(ProgramOptions, SeedDecidesTheBytesAtTheStart) {
    const std::string random = guests_.make("random", kRandom);
    const std::string seven = run({"--seed", "7"}, random).output;
    ASSERT_EQ(seven.size(), 16u);
    EXPECT_EQ(run({"--seed", "7"}, random).output, seven);
    EXPECT_NE(run({"--seed", "8"}, random).output, seven);
    EXPECT_NE(run({}, random).output, run({}, random).output);
}

TEST_F(ProgramOptions, MistakesAreNamed) {
    struct Case {
        std::vector<std::string> options;
        const char* says;
    };
    for (const Case& c :
         {Case{{"-E", "COLOUR"}, "-E COLOUR: not VAR=VAL"}, Case{{"-E", "=1"}, "-E =1"},
          Case{{"-U", "A=1"}, "-U A=1: not the name of a variable"},
          Case{{"-r", ""}, "a kernel release has"}, Case{{"-s", "12"}, "from 256k to 1G"},
          Case{{"-s", "2T"}, "-s 2T"}, Case{{"--seed", "x"}, "--seed x: not a number"},
          Case{{"--log", "everything"}, "no item \"everything\""},
          Case{{"--log", "exec", "--dfilter", "main"}, "range \"main\""},
          Case{{"--log", "exec", "--dfilter", "0x20..0x10"}, "0x20..0x10"},
          Case{{"--log", "exec", "-D", "/no/such/place/log"},
               "/no/such/place/log: No such file"}}) {
        const auto result = run(c.options, hello());
        EXPECT_TRUE(result.exit_code == 2 || result.exit_code == 1) << c.says;
        EXPECT_TRUE(contains(result.errors, c.says));
        EXPECT_EQ(result.output, "");
    }
    const auto variable = run({}, hello(), {"E2KWB_SEED=many"});
    EXPECT_EQ(variable.exit_code, 2);
    EXPECT_TRUE(contains(variable.errors, "$E2KWB_SEED: --seed many: not a number"));
}

TEST_F(ProgramOptions, HelpNamesThemAll) {
    const auto result = run_child({E2KWB, "run", "--help"});
    for (const char* word : {"-E,", "-U,", "-0,", "-r,", "-s,", "--seed", "--virtual-clock",
                             "--log", "-D,", "--dfilter", "E2KWB_LOG_FILE", "E2KWB_SET_ENV"})
        EXPECT_TRUE(contains(result.output, word));
    // The other commands that run a guest take those that make sense there.
    for (const char* command : {"trace", "quality"}) {
        const auto help = run_child({E2KWB, command, "--help"});
        EXPECT_TRUE(contains(help.output, "--virtual-clock")) << command;
        EXPECT_EQ(help.output.find("--dfilter"), std::string::npos) << command;
    }
    const auto items = run_child({E2KWB, "run", "--log", "help"});
    EXPECT_EQ(items.exit_code, 0);
    for (const char* item :
         {"in_asm", "op", "out_asm", "exec", "cpu", "strace", "unimp", "nochain", "page"})
        EXPECT_TRUE(contains(items.output, std::string("\n  ") + item + " "));
}

TEST_F(ProgramOptions, LogWritesWhatWasAskedFor) {
    const auto file = files_.path() / "log";
    auto result =
        run({"-d", "in_asm,op,out_asm,exec,cpu,strace,unimp,nochain,page", "-D", file.string()},
            hello());
    EXPECT_EQ(result.output, "Hello, Elbrus\n");
    EXPECT_EQ(result.errors, "");
    const std::string log = read_file(file);
    for (const char* part : {"\nin_asm   0x", " _start: ", "setwd", "\nop       0x", "\nout_asm  ",
                             "jmp", "\nexec     [", "\ncpu      %r0 = 0x",
                             "write(1, \"Hello, Elbrus\\n\", 14) = 14\n", "[stack]\n"})
        EXPECT_TRUE(contains(log, part));
    EXPECT_EQ(log.find("page     start:\n"), 0u);

    // Without -D beside the program's own standard error; in the interpreter every bundle.
    result = run({"--interp", "--log", "exec"}, hello());
    EXPECT_EQ(result.output, "Hello, Elbrus\n");
    EXPECT_TRUE(contains(result.errors, "_start\n"));
    EXPECT_TRUE(contains(result.errors, "_start+0x"));

    result = run({}, hello(), {"E2KWB_LOG=strace", "E2KWB_LOG_FILE=" + file.string() + "%d"});
    EXPECT_EQ(result.errors, "");
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(files_.path()))
        if (entry.path() != file) {
            ++files;
            EXPECT_EQ(read_file(entry.path()).find("strace   ["), 0u);
        }
    EXPECT_EQ(files, 1u);
}

/// A loop of two regions; an unknown system call.
constexpr std::string_view kRounds = R"(
        begin
        { addd 0, 0, %dr1 }
round:  { addd %dr1, 1, %dr1 }
        { nop 4 ; disp %ctpr1, function }
        { call %ctpr1, wbs = 12 }
        { nop 2 ; cmpldb %dr1, 10, %pred0 }
        { nop 4 ; disp %ctpr1, round }
        { ct %ctpr1 ? %pred0 }
        linux 1999
        linux 300
        .globl function
        .type function, @function
function:
        { setwd wsz = 16, nfx = 1, dbl = 1 ; return %ctpr3 }
        { nop 5 }
        { ct %ctpr3 }
)";

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++n;
    return n;
}

TEST_F(ProgramOptions, FilterChainAndUnknownCalls) {
    const std::string rounds = guests_.make("rounds", kRounds);
    const auto all = run({"--log", "exec,nochain,unimp"}, rounds);
    EXPECT_EQ(all.exit_code, 0) << all.errors;
    EXPECT_GE(count(all.errors, "exec "), 10u) << all.errors;
    EXPECT_EQ(count(all.errors, "unimp    system call 1999 "), 1u) << all.errors;
    const auto disassembly = run_child({E2KWB, "disasm", rounds}).output;
    const std::size_t at = disassembly.find(" <function>:");
    ASSERT_NE(at, std::string::npos);
    const std::size_t line = disassembly.rfind('\n', at) + 1;
    const std::string address =
        "0x" + disassembly.substr(disassembly.find_first_not_of("0", line), at);
    const std::string start = address.substr(0, address.find(' '));
    const auto some = run({"--interp", "--log=exec", "--dfilter=" + start + "+8"}, rounds);
    EXPECT_EQ(count(some.errors, "exec "), 10u) << some.errors;
    EXPECT_EQ(count(some.errors, " function\n"), 10u) << some.errors;
}

// --- binfmt.sh ---

ChildResult binfmt(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    arguments.insert(arguments.begin(), {"/bin/bash", E2K_SOURCE_DIR "/app/binfmt.sh"});
    return run_child(arguments, {.environment = std::move(environment)});
}

TEST_F(ProgramOptions, BinfmtPrintsItsLines) {
    const auto result = binfmt({"--dry-run", "--interpreter", "/opt/e2kwb-binfmt"});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    const std::string zeros = R"(\x00\x00\x00\x00\x00\x00\x00\x00\x00)";
    const auto line = [&](const char* name, const char* elf_class) {
        return std::string(":") + name + R"(:M::\x7fELF)" + elf_class + R"(\x01\x01)" + zeros +
               R"(\x02\x00\xaf\x00:\xff\xff\xff\xff\xff\xff\xff)" + zeros +
               R"(\xfe\xff\xff\xff:/opt/e2kwb-binfmt:PF > /proc/sys/fs/binfmt_misc/register)" +
               "\n";
    };
    EXPECT_EQ(result.output, line("e2k64", R"(\x02)") + line("e2k32", R"(\x01)"));
    EXPECT_EQ(binfmt({"--dry-run", "--unregister"}).output,
              "-1 > /proc/sys/fs/binfmt_misc/e2k64\n-1 > /proc/sys/fs/binfmt_misc/e2k32\n");
}

TEST_F(ProgramOptions, BinfmtSaysWhatIsMissing) {
    const std::string table = "E2KWB_BINFMT_MISC=" + files_.path().string();
    auto result = binfmt({}, {table});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(contains(result.errors, "binfmt_misc is not mounted on " + files_.path().string()));
    EXPECT_TRUE(contains(result.errors, "mount -t binfmt_misc"));
    // A table that takes everything.
    std::ofstream(files_.path() / "register") << "";
    result = binfmt({"--interpreter", "/no/such/e2kwb-binfmt"}, {table});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(contains(result.errors, "/no/such/e2kwb-binfmt is missing"));
    EXPECT_EQ(binfmt({"--interpreter", E2KWB}, {table}).exit_code, 1);
    result = binfmt({"--interpreter", std::string(E2KWB) + "-binfmt"}, {table});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_EQ(read_file(files_.path() / "register").find(":e2k32:M::"), 0u);
    std::ofstream(files_.path() / "e2k64") << "enabled";
    result = binfmt({"--unregister"}, {table});
    EXPECT_EQ(result.output, "forgotten: e2k64\nnot registered: e2k32\n");
    EXPECT_EQ(read_file(files_.path() / "e2k64"), "-1\n");
    EXPECT_EQ(binfmt({"--nonsense"}, {table}).exit_code, 1);
}

TEST_F(ProgramOptions, StartedByLinuxItRunsTheProgram) {
    const auto result =
        run_child({std::string(E2KWB) + "-binfmt",
                   std::string(E2K_SOURCE_DIR) + "/tests/data/guests/elf/args", "--help", "-0"});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_TRUE(contains(result.output, "--help"));
    EXPECT_EQ(run_child({std::string(E2KWB) + "-binfmt"}).exit_code, 2);
}

}  // namespace
}  // namespace e2k::test
