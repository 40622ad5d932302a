// Sources that would take all memory or all time: each ends soon and small with an error.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/isa/assembler/program.h"
#include "tests/support/sanitizer.h"

namespace e2k::isa {
namespace {

struct Bomb {
    const char* name;
    std::string source;
    const char* message;  ///< part of a report; empty: none is needed
};
void PrintTo(const Bomb& b, std::ostream* out) { *out << b.name; }

std::string times(std::size_t count, const std::string& text) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
}

/// Prints what the assembler says of the source: for a process of its own.
void assemble(const Bomb& bomb, int to) {
    ProgramSourceOptions options;
    options.read = [&](const std::string& name) -> tl::expected<std::string, std::string> {
        if (name == "twice") return ".include \"twice\"\n.include \"twice\"\n";
        return tl::unexpected(std::string("no such file"));
    };
    const auto program = assemble_program("_start: {}\n" + bomb.source, options);
    std::string said = "assembled\n";
    if (!program) {
        said.clear();
        for (const AssemblyError& e : program.error()) said += e.report("x.s");
    }
    if (write(to, said.data(), said.size()) < 0) _exit(3);
}

class Bombs : public testing::TestWithParam<Bomb> {};

TEST_P(Bombs, EndSoonAndSmall) {
    constexpr long kMostMemory = 256 * 1024;  // kilobytes; without those of a checked build
    constexpr rlim_t kMostTime = test::kAddressSanitizer ? 600 : 60;  // of a processor; it takes 2
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        const rlimit most{kMostTime, kMostTime};
        if (setrlimit(RLIMIT_CPU, &most) != 0) _exit(4);
        assemble(GetParam(), ends[1]);
        _exit(0);
    }
    close(ends[1]);
    std::string said;
    char buffer[4096];
    for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
        said.append(buffer, static_cast<std::size_t>(n));
    close(ends[0]);
    int status = 0;
    struct rusage usage {};
    ASSERT_EQ(wait4(pid, &status, 0, &usage), pid);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    if (!test::kAddressSanitizer) {
        EXPECT_LT(usage.ru_maxrss, kMostMemory);
    }
    EXPECT_LT(said.size(), 100'000u);
    EXPECT_NE(said.find(GetParam().message), std::string::npos) << said.substr(0, 2000);
}

INSTANTIATE_TEST_SUITE_P(
    Isa, Bombs,
    testing::Values(
        Bomb{"Macro", ".macro m\nm\nm\n.endm\nm\n", "without end"},
        Bomb{"MacroArgument", ".macro m a\nm \\a\\a\\a\\a\n.endm\nm 1234\n", "too long"},
        Bomb{"MacroLine",
             ".macro m a\n.byte " + times(20'000, "\\a ") + "\n.endm\nm " + times(20'000, "1") +
                 "\n",
             "too long"},
        Bomb{"Rept", ".rept 65536\n.rept 65536\n{ nop }\n.endr\n.endr\n", "statements here"},
        Bomb{"EmptyRept", ".rept 65536\n.rept 65536\n.rept 65536\n.endr\n.endr\n.endr\n",
             "statements here"},
        Bomb{"HugeRept", ".rept 0x7fffffffffffffff\n.endr\n", "statements here"},
        Bomb{"Irp",
             ".irp a, " + times(1000, "1,") + "1\n.irp b, " + times(1000, "1,") +
                 "1\n.irp c, 1, 2, 3, 4\n.byte 1\n.endr\n.endr\n.endr\n",
             "statements here"},
        Bomb{"MacroOfMacros", ".rept 400000\n.macro m\\+\n.byte 1\n.byte 2\n.endm\n.endr\n", ""},
        Bomb{"Include", ".include \"twice\"\n", "without end"},
        Bomb{"Skip", ".data\n.skip 0x10000000000\n", "too large"},
        Bomb{"Fill", ".data\n.fill 0x7fffffffffffffff, 8, 1\n", "too large"},
        Bomb{"Org", ".data\n.org 0x100000000000\n", "too large"},
        Bomb{"ManySkips", ".data\n.rept 100\n.skip 0x1000000, 1\n.endr\n", "too large"},
        Bomb{"Space", ".bss\n.rept 100\n.skip 0x10000000\n.endr\n", "too large"},
        Bomb{"Align", ".data\n.byte 1\n.p2align 40\n", "power of two"},
        Bomb{"ManyAligns", ".data\n.rept 100\n.byte 1\n.balign 0x100000\n.endr\n", "too large"},
        Bomb{"Comm", ".comm a, 0x7fffffffffffffff\n", "too large"},
        Bomb{"Sections", ".rept 100000\n.section .s\\+, \"a\"\n.byte 1\n.endr\n", "sections"},
        Bomb{"Parts", "n = 0\n.rept 8000\n.data n\n.byte 1\nn = n + 1\n.endr\n", "parts"},
        Bomb{"Pushes", ".rept 100000\n.pushsection .data\n.endr\n", "without end"},
        Bomb{"Errors", ".rept 300000\n}\n.endr\n", "299997 more"},
        Bomb{"OtherErrors", times(200'000, "frob\n"), ""},
        Bomb{"LongLine", std::string(20'000'000, 'x') + "\n", ""},
        Bomb{"LongString", ".ascii \"" + std::string(20'000'000, 'x') + "\n", ""},
        Bomb{"Semicolons", std::string(20'000'000, ';') + "\n", ""},
        Bomb{"Bundles", times(2'000'000, "{}"), "statements"},
        Bomb{"Operations", "{ " + times(1'000'000, "nop;") + " }\n", "at most 64 operations"},
        Bomb{"Parentheses", ".data\n.byte " + std::string(1'000'000, '(') + "\n", "nested"},
        Bomb{"Signs", ".data\n.byte " + std::string(1'000'000, '-') + "1\n", "nested"},
        Bomb{"Sum", ".data\n.quad 1" + times(1'000'000, "+x") + "\n", "not defined"},
        Bomb{"Lazy",
             "a0 == 1\n.irp n, 1,2,3,4,5,6,7,8,9\n.endr\n.altmacro\n.macro m n, k\na&n == "
             "a&k + a&k\n.endm\nn = 1\n.rept 60\nm %n, %(n - 1)\nn = n + 1\n.endr\n"
             ".data\n.quad a60\n",
             "not defined"},
        Bomb{"Chain",
             [] {
                 std::string all;
                 for (int i = 0; i < 5000; ++i) {
                     all += 'a';
                     all += std::to_string(i);
                     all += " = a";
                     all += std::to_string(i + 1);
                     all += '\n';
                 }
                 return all + "a5000 = 1\n";
             }(),
             "depend on each other"},
        Bomb{"Restless", ".data\na: .skip 8 - (b - a)\nb:\n.skip c - b\nc:\n", ""},
        Bomb{"Conditions", times(500'000, ".if 1\n"), "not closed"},
        Bomb{"Comments", times(1'000'000, "/* */ "), ""}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Messages, AreCleanAndShort) {
    const auto program = assemble_program("_start: {}\n\x1b[31mfrob\n" + std::string(3000, 'y'));
    ASSERT_FALSE(program);
    for (const AssemblyError& e : program.error()) {
        EXPECT_EQ(e.report("x.s").find('\x1b'), std::string::npos);
        EXPECT_LT(e.report("x.s").size(), 1500u);
    }
}

}  // namespace
}  // namespace e2k::isa
