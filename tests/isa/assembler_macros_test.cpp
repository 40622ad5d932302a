// Macros and repetitions: a source and the bytes of its .data; and what ends them with an error.
#include <gtest/gtest.h>

#include "engine/isa/assembler/program.h"
#include "tests/isa/assembled_section.h"

namespace e2k::isa {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Made {
    const char* name;
    const char* source;  ///< of .data
    Bytes bytes;
};
void PrintTo(const Made& m, std::ostream* out) { *out << m.name; }

Bytes text(std::string_view characters) { return {characters.begin(), characters.end()}; }

class Macros : public testing::TestWithParam<Made> {};

TEST_P(Macros, Expand) {
    const auto program =
        assemble_program("_start: {}\n.data\nbegin:\n" + std::string(GetParam().source) + "\n");
    EXPECT_EQ(section(program, ".data"), GetParam().bytes);
}

INSTANTIATE_TEST_SUITE_P(
    Isa, Macros,
    testing::Values(
        Made{"Qualifiers",
             ".macro m a:req, more:vararg\n.byte \\a\n.ifnb \\more\n.byte \\more\n.endif\n.endm\n"
             "m 1\nm 2, 3, 4\n.macro n a=5, b:req, c=7\n.byte \\a, \\b, \\c\n.endm\nn b=6\n"
             "n 1, 2, 3\nn , 8\nn 9 c=1 b=2",
             {1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 5, 8, 7, 9, 2, 1}},
        Made{"Blanks",
             ".macro m a b\n.byte \\a, \\b\n.endm\nm 1 2\nm 3, 4\nm 5 + 1, 7\nm (1 + 1) 9\nm 10 % "
             "4 8",
             {1, 2, 3, 4, 6, 7, 2, 9, 2, 8}},
        Made{"Parentheses", ".macro m(a, b)\n.byte \\a, \\b\n.endm\nm 1, 2", {1, 2}},
        Made{"Quotes",
             ".macro t x\n.ascii \"\\x\"\n.endm\nt \"hi there\"\nt \"a, b\"\nt plain\n.macro n "
             "x\n.byte \\x\n.endm\nn \"1 + 2\"\nn '3'",
             text("hi therea, bplain\003"
                  "3")},
        Made{"Defaults", ".macro m a=\"1, 2\" b=3\n.byte \\a, \\b\n.endm\nm\nm 4", {1, 2, 3, 4, 3}},
        Made{"NamesOfAnyCase", ".macro Two\n.byte 2\n.endm\ntwo\nTWO", {2, 2}},
        Made{"Joins",
             ".macro m a\nx\\a: .byte x\\a\\()2 - begin\nx\\a\\()2: .byte y.\\a\ny.\\a = "
             "4\n.endm\nm "
             "1",
             {1, 4}},
        Made{"Numbers",
             ".macro m\n.byte \\@, \\+\n.endm\n.macro n\n.byte \\+\n.endm\nm\nn\nm",
             {0, 0, 0, 2, 1}},
        Made{"Exit",
             ".macro m n\n.byte 1\n.if \\n\n.exitm\n.endif\n.byte 2\n.endm\nm 1\nm 0\n.rept "
             "5\n.byte 3\n.exitm\n.endr\n.if 1\n.byte 4\n.endif",
             {1, 1, 2, 3, 4}},
        Made{"Recursion",
             ".macro sum from=0, to=3\n.byte \\from\n.if \\to - \\from\nsum \"(\\from + 1)\", "
             "\\to\n.endif\n.endm\nsum",
             {0, 1, 2, 3}},
        Made{
            "Purge", ".macro m\n.byte 1\n.endm\nm\n.purgem m\n.macro m\n.byte 2\n.endm\nm", {1, 2}},
        Made{
            "Nested", ".macro m n\n.macro m\\n\n.byte \\n\n.endm\n.endm\nm 1\nm 2\nm2\nm1", {2, 1}},
        Made{"AfterSemicolon",
             ".macro one\n.byte 1\n.endm\n.byte 2; one; .byte 3; a: one",
             {2, 1, 3, 1}},
        Made{"OneLine", ".macro m a; .byte \\a; .endm; m 4; m 5", {4, 5}},
        Made{"Rept",
             ".rept 2; .byte 1; .endr; .rep 1\n.byte 2\n.endr\n.rept 0\n.byte 3\n.endr",
             {1, 1, 2}},
        Made{"ReptNumbers", ".rept 3\nx\\+: .byte x\\+ - begin\n.endr", {0, 1, 2}},
        Made{"LabelBefore",
             "a: .rept 2\n.byte 1\n.endr\nb: .if 1\n.byte b - a\n.endif\nc: .irp x, 5\n.byte \\x\n"
             ".endr",
             {1, 1, 2, 5}},
        Made{
            "Irp",
            ".irp x, 1, 2, 3\n.byte \\x\n.byte 16 + \\x\n.endr\n.irp x\n.ifb \\x\n.byte 9\n.endif\n"
            ".endr\n.irp x 4 5\n.byte \\x\n.endr",
            {1, 17, 2, 18, 3, 19, 9, 4, 5}},
        Made{"Irpc",
             ".irpc d, 123\n.byte \\d\n.endr\n.irpc c, abc\n.ascii \"\\c\"\n.endr",
             {1, 2, 3, 97, 98, 99}},
        Made{
            "IrpInMacro",
            ".macro m list:vararg\n.irp x, \\list\n.rept \\x\n.byte \\x\n.endr\n.endr\n.endm\nm 1, "
            "2\n",
            {1, 2, 2}},
        Made{"IrpOfRegisters", ".irp r, %dr1, %db[2], %g3\n.reg \\r\n.endr", {0x81, 2, 0xe3}},
        Made{"Alternate",
             ".altmacro\n.macro m a, b\nLOCAL here\nhere: .byte a, b\n.byte . - here\n.endm\nm "
             "%1+2, "
             "4\nm <5>, 6\n.macro j n\nx&n: .byte x&n - begin\nx1&n&0 = 1\n.endm\nj 7\n.noaltmacro",
             {3, 4, 2, 5, 6, 2, 6}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Macros, StandInsideBraces) {
    const auto program = assemble_program(
        ".macro ops a\n addd 0, \\a, %dr1\n nop 2\n.endm\n"
        "_start: { ops 5 }\n { nop 1 } { ops 6 } ; .irp n, 1, 2\n { addd 0, \\n, %dr\\n "
        "}\n.endr\n");
    const auto plain = assemble_program(
        "_start: { addd 0, 5, %dr1; nop 2 }\n{ nop 1 }\n{ addd 0, 6, %dr1; nop 2 }\n"
        "{ addd 0, 1, %dr1 }\n{ addd 0, 2, %dr2 }\n");
    EXPECT_EQ(section(program, ".text"), section(plain, ".text"));
}

struct Wrong {
    const char* name;
    const char* source;
    const char* report;  ///< part of the first
};
void PrintTo(const Wrong& w, std::ostream* out) { *out << w.name; }

class WrongMacros : public testing::TestWithParam<Wrong> {};

TEST_P(WrongMacros, AreNamed) {
    const auto program = assemble_program(std::string(GetParam().source) + "\n_start: {}\n");
    ASSERT_FALSE(program);
    const auto report = program.error().front().describe("x.s");
    EXPECT_NE(report.find(GetParam().report), std::string::npos) << report;
}

INSTANTIATE_TEST_SUITE_P(
    Isa, WrongMacros,
    testing::Values(
        Wrong{"Missing", ".macro m a:req\n.endm\nm", "x.s:3:1: the argument a is missing"},
        Wrong{"TooMany", ".macro m a\n.endm\nm 1 2", "x.s:3:3: the macro takes 1 argument(s)"},
        Wrong{"Qualifier", ".macro m a:opt\n.endm", "`req` or `vararg` expected"},
        Wrong{"BehindVararg", ".macro m a:vararg, b\n.endm", "nothing can follow"},
        Wrong{"ParameterTwice", ".macro m a, a\n.endm", "parameter of this name already"},
        Wrong{"NoName", ".macro\n.endm", "name of the macro is missing"},
        Wrong{"Purge", ".purgem m", "x.s:1:9: there is no macro"},
        Wrong{"StrayEnd", ".endm", ".endm ends nothing"},
        Wrong{"StrayRepeatEnd", ".endr", ".endr ends nothing"},
        Wrong{"StrayExit", ".exitm", ".exitm stands in macros"},
        Wrong{"OpenRept", ".rept 2\n.byte 1", "x.s:1:1: .rept is not closed by .endr"},
        Wrong{"NegativeRept", ".rept 1 - 2\n.endr", "negative count"},
        Wrong{"IrpName", ".irp\n.endr", "name of a parameter expected"},
        Wrong{"ConditionInMacro", ".macro m\n.if 1\n.endm\nm", "not closed by .endif"},
        Wrong{"Else", ".else", ".else without .if"},
        Wrong{"ElseTwice", ".if 1\n.else\n.else\n.endif", ".else behind .else"},
        Wrong{"Expression", ".if 1 +\n.endif", "a number or a symbol expected"},
        Wrong{"Texts", ".ifc abc\n.endif", "two texts"},
        Wrong{"FarLabels", "a: {}\n.data\nb: .if b - a\n.endif", "x.s:3:8: only constants"},
        Wrong{"Error", ".error \"so it is\"", "x.s:1:1: so it is"},
        Wrong{"Err", "\n .err", "x.s:2:2: .err encountered"},
        Wrong{"Fail", ".fail 3", ".fail 3 encountered"},
        Wrong{"Abort", ".abort\n.byte", "x.s:1:1: .abort"},
        Wrong{"Circle", "a = b\nb = a", "defined by itself"},
        Wrong{"LongCircle", "a = b + 1\nb = c\nc = a", "defined by itself"},
        Wrong{"LazyCircle", "a == b\nb == a", "not defined"},
        Wrong{"Equiv", ".equiv a, 1\n.equiv a, 2", "x.s:2:1: this name has been defined already"},
        Wrong{"SetLabel", "a: {}\na = 1", "defined already"},
        Wrong{"OrgBack", ".data\n.quad 1\n.org 4", "cannot move back from 0x8 to 0x4"},
        Wrong{"Incbin", ".incbin \"x\"", "no files can be read here"},
        Wrong{"SymbolType", ".type a, @thing", "a type like @function"},
        Wrong{"SectionFlags", ".section .x, \"az\"", "the flags are letters"},
        Wrong{"SectionType", ".section .x, \"a\", @thing", "a type like @progbits"},
        Wrong{"ThreadLocal", ".data\n.quad _start@TLS_LE", "in no thread-local section"},
        Wrong{"Relocation", ".reloc 0, R_X, a", "stands at fixed addresses"},
        Wrong{"DivideByZero", ".data\n.byte 1 / 0", "division by zero"},
        Wrong{"ModulusByZero", ".data\n.byte 1 % 0", "division by zero"},
        Wrong{"OctaTooLong", ".data\n.octa 0x123456789012345678901234567890123", "128 bits"},
        Wrong{"IncbinName", ".data\n.incbin", "name of a file"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Macros, WarningsAndPrintedLines) {
    const auto program = assemble_program(
        ".print \"one\"\n.warning \"two\"\n.fail 600\n.popsection\n.previous\n.skip -1\n_start: "
        "{}\n");
    ASSERT_TRUE(program);
    EXPECT_EQ(program->printed, std::vector<std::string>{"one"});
    std::string all;
    for (const AssemblyError& w : program->warnings) all += w.describe("x.s") + "\n";
    for (const char* part :
         {"x.s:2:1: warning: two", "x.s:3:1: warning: .fail 600", "x.s:4:1: warning: .popsection",
          "x.s:5:1: warning: .previous", "x.s:6:1: warning: the size is negative"})
        EXPECT_NE(all.find(part), std::string::npos) << all;
}

}  // namespace
}  // namespace e2k::isa
