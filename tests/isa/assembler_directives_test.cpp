// Directives, expressions and conditions: a source and the bytes of its .data.
#include <gtest/gtest.h>

#include <algorithm>

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

ProgramSourceOptions with_file() {
    ProgramSourceOptions options;
    options.read = [](const std::string& name) -> tl::expected<std::string, std::string> {
        if (name == "bytes") return "0123456789";
        if (name == "a.inc") return ".byte 7\n";
        return tl::unexpected(std::string("no such file"));
    };
    return options;
}

class Data : public testing::TestWithParam<Made> {};

TEST_P(Data, IsMade) {
    const auto program = assemble_program(
        "_start: {}\n.data\nbegin:\n" + std::string(GetParam().source) + "\n", with_file());
    EXPECT_EQ(section(program, ".data"), GetParam().bytes);
}

INSTANTIATE_TEST_SUITE_P(
    Expressions, Data,
    testing::Values(
        Made{"Comparisons",
             ".byte 1==1, 1 == 2, 1<>2, 2 > 1, 2<1, 2>=2, 3<=2, -1 < 0",
             {0xff, 0, 0xff, 0xff, 0, 0xff, 0, 0xff}},
        Made{"Logic", ".byte 2 && 1, 2&&0, 0 || 3, 0||0, 1 || 0 && 0", {1, 0, 1, 0, 1}},
        Made{"Modulus", ".byte 10 % 3, 10%3, -7 % 3, 7 % 3 * 2", {1, 1, 0xff, 2}},
        Made{"SignedDivision", ".byte -6 / 2, 7 / -2, (0-1) / 2", {0xfd, 0xfd, 0}},
        Made{"Shifts", ".byte 1 << 3, 0x80 >> 3, (-1 >> 60), 1 << 64", {8, 16, 15, 0}},
        // Tighter than + and -: | & ^; tighter still: * / % << >>.
        Made{"Precedence",
             ".byte 1 + 2 | 4, 8 - 1 & 3, 1 | 6 & 4, 2 * 3 + 1 << 1, 1 + 1 == 2",
             {7, 7, 4, 8, 0xff}},
        Made{"Signs", ".byte - -3, ~0, +5, -~0, ~-1", {3, 0xff, 5, 1, 0}},
        Made{"Bases", ".byte 0b101, 0B11, 017, 0x1F, 0, 9", {5, 3, 15, 31, 0, 9}},
        Made{"Characters",
             ".byte 'a', 'b, '\\n', '\\\\', '\\'', ';', '!', '{'",
             {97, 98, 10, 92, 39, 59, 33, 123}},
        Made{"Location", ".byte . - begin, . - begin\n.byte . - begin", {0, 0, 2}},
        Made{"LocationSet",
             ".byte 1\n. = . + 3\n.byte 2\n.set ., begin + 6\n.byte 3",
             {1, 0, 0, 0, 2, 0, 3}},
        Made{"LocalLabels", "1: .byte 1b - begin, 1f - begin\n1: .byte 1b - begin", {0, 2, 2}},
        Made{"DollarLabels",
             "a: .byte 1$ - begin\n1$: .byte 0\nb: .byte 1$ - begin\n1$: .byte 1$ - begin",
             {1, 0, 3, 3}},
        Made{"QuotedNames",
             "\"a b\": .byte 1\n.byte \"a b\" - begin, \"a b\" + 1 - begin",
             {1, 0, 1}},
        Made{"OtherAlphabets", "größe = 5\nметка: .byte größe, метка - begin", {5, 0}},
        Made{"Lazy",
             "a = 1\nx == a + 1\n.eqv y, x * 2\n.byte x, y\na = 4\n.byte x, y",
             {2, 4, 5, 10}},
        Made{"Again", "n = 1\n.byte n\nn = n + 1\n.byte n\n.set n, n * 5\n.byte n", {1, 2, 10}},
        Made{"Later", ".byte end - begin, n\nn = m + 1\nm = k + 1\nk = 3\nend:", {2, 5}}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Values, Data,
    testing::Values(
        Made{"Sizes",
             ".1byte 1\n.2byte 2\n.4byte 3\n.8byte 4\n.half 5\n.int 6",
             {1, 2, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 6, 0, 0, 0}},
        Made{"None", ".byte\n.word\n.ascii\n.byte 9", {9}},
        Made{"Octa",
             ".octa 0x112233445566778899aabbccddeeff00, -2",
             {0x00, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0x77, 0x66,
              0x55, 0x44, 0x33, 0x22, 0x11, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff,
              0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
        Made{"Second",
             ".dc.b 1, 2\n.dc.w 3\n.dc.l 4\n.dc 5\n.dc.a 6",
             {1, 2, 3, 0, 4, 0, 0, 0, 5, 0, 6, 0, 0, 0, 0, 0, 0, 0}},
        Made{"Reserved",
             ".ds.b 1\n.ds.w 1\n.ds.l 1\n.ds 1\n.byte 1",
             {0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
        Made{"Repeated",
             ".dcb.b 2, 1\n.dcb.w 2, 0x203\n.dcb.l 1, 4",
             {1, 1, 3, 2, 3, 2, 4, 0, 0, 0}},
        Made{"RepeatedReals",
             ".dcb.s 2, 1.5\n.dcb.d 1, -2",
             {0, 0, 0xc0, 0x3f, 0, 0, 0xc0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0}},
        Made{"Fill",
             ".fill 2, 2, 0x1234\n.fill 2\n.fill 1, 8, -1\n.fill 3,1,7\n.fill 0, 4, 5",
             {0x34, 0x12, 0x34, 0x12, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 7, 7, 7}},
        Made{"FillOfLabels", ".fill end - start, 1, 3\nstart: .byte 1, 2\nend:", {3, 3, 1, 2}},
        Made{"Skip", ".skip 2, 5\n.space 1\n.zero 2\nn = 1\n.skip n + 1, 8", {5, 5, 0, 0, 0, 8, 8}},
        Made{"Org", ".byte 1\n.org 3\n.byte 2\n.org begin + 6, 9\n.byte 3", {1, 0, 0, 2, 9, 9, 3}},
        Made{"Align",
             ".byte 1\n.align 4\n.byte 2\n.balign 4, 7\n.p2align 3\n.byte 3\n.align 0",
             {1, 0, 0, 0, 2, 7, 7, 7, 3}},
        Made{"AlignMost",
             ".byte 1\n.balign 8, 0, 3\n.byte 2\n.p2align 2,,2\n.byte 3",
             {1, 2, 0, 0, 3}},
        Made{"AlignPatterns",
             ".byte 1\n.balignw 4, 0x1234\n.byte 1\n.balignl 8, 0x11223344",
             {1, 0, 0x34, 0x12, 1, 0, 0, 0}},
        Made{"Leb128",
             ".uleb128 300, 0, 127, 128\n.sleb128 -5, 63, 64, -65",
             {0xac, 2, 0, 0x7f, 0x80, 1, 0x7b, 0x3f, 0xc0, 0, 0xbf, 0x7f}},
        Made{"LebOfLabels", ".uleb128 end - start\nstart: .skip 130, 1\n.org start + 130\nend:",
             [] {
                 Bytes bytes(132, 1);
                 bytes[0] = 0x82;
                 return bytes;
             }()},
        Made{"Reals",
             ".single 1.5\n.float 0f-2.5\n.double 0d0.5",
             {0, 0, 0xc0, 0x3f, 0, 0, 0x20, 0xc0, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f}},
        Made{"Strings",
             ".ascii \"a\" \"b\", \"c\"\n.asciz \"d\" \"e\", \"f\"\n.string \"g\"",
             {97, 98, 99, 100, 101, 0, 102, 0, 103, 0}},
        Made{"Escapes",
             ".ascii \"\\n\\t\\r\\b\\f\\\\\\\"\\101\\x4a\\7;!{}#\"",
             {10, 9, 13, 8, 12, 92, 34, 65, 0x4a, 7, 59, 33, 123, 125, 35}},
        Made{"Codes", ".ascii \"a\"<10><0x41>\"b\"", {97, 10, 65, 98}},
        Made{"WideStrings",
             ".string16 \"ab\"\n.string32 \"c\"\n.string8 \"d\"",
             {97, 0, 98, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 100, 0}},
        Made{"File",
             ".incbin \"bytes\", 7\n.incbin \"bytes\", 2, 3\n.incbin \"bytes\",,1",
             {55, 56, 57, 50, 51, 52, 48}},
        Made{"Include", ".include \"a.inc\"\n.byte 8", {7, 8}}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Sections, Data,
    testing::Values(
        Made{"Push",
             ".byte 1\n.pushsection .rodata\n.byte 2\n.pushsection .data.x, \"aw\", "
             "@progbits\n.byte 3\n.popsection\n.byte 4\n.popsection\n.byte 5",
             {1, 5}},
        Made{
            "PushPart", ".byte 1\n.pushsection .data, 1\n.byte 3\n.popsection\n.byte 2", {1, 2, 3}},
        Made{"Previous",
             ".byte 1\n.section .other, \"aw\"\n.byte 2\n.previous\n.byte 3\n.section "
             ".rodata\n.previous\n.byte 4\n.previous\n.previous\n.byte 5",
             {1, 3, 4, 5}},
        Made{"Parts",
             ".data 2\n.byte 5\n.data 1\nx: .byte 3\n.subsection 0\n.byte 1, x - begin\n"
             ".data 1\n.byte 4",
             {1, 2, 3, 4, 5}},
        Made{"Quoted",
             ".section \".rodata\", #alloc\n.byte 1\n.section \".data\",#alloc,#write\n"
             ".byte 2",
             {2}},
        Made{"Groups",
             ".section .data.f, \"awG\", @progbits, f, comdat\n.byte 1\n.section "
             ".rodata.str, \"aMS\", @progbits, 1\n.asciz \"x\"\n.data\n.byte 2",
             {2}},
        Made{"Notes",
             ".section .note.GNU-stack,\"\",@progbits\n.section .comment\n.asciz \"x\"\n"
             ".data\n.byte 3",
             {3}},
        Made{"Structure",
             ".struct 4\na: .struct a + 8\nb: .skip 2\nc:\n.data\n.byte a, b, c",
             {4, 12, 14}}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Symbols, Data,
    testing::Values(
        Made{"Weak",
             ".weak nothing, something\n.quad nothing\nsomething: .byte something - begin",
             {0, 0, 0, 0, 0, 0, 0, 0, 8}},
        Made{"WeakReference", ".weakref a, b\n.weakref c, begin\n.byte a, c - begin", {0, 0}},
        Made{"Common",
             ".local object\n.comm object, 64, 16\n.comm object, 80\n.common other, 8, "
             "\"bss\", 32\n.byte object - object, (other - object) >= 80",
             {0, 0xff}},
        Made{
            "Attributes",
            ".globl one, never\n.hidden one\n.protected one\n.internal one\n.extern x\n.local one\n"
            ".type one, @object\n.type one, #object\n.type one, %object\n.type one, \"object\"\n"
            ".type one STT_OBJECT\n.size one, . - one\none: .byte 1",
            {1}},
        Made{"Equal", ".equiv a, 5\nb == 6\n.equ c, 7\n.byte a, b, c", {5, 6, 7}},
        Made{"Ignored",
             ".file 1 \"x.c\"\n.loc 1 2 3 is_stmt 0\n.line 5\n.ident \"x\"\n.title \"t\"\n.sbttl "
             "\"s\"\n.list\n.nolist\n.psize 60, 80\n.eject\n.version \"1\"\n.symver a, b@V\n"
             ".linkonce discard\n.cfi_sections .debug_frame\n.stabs \"x\",1,2,3,4\n.byte 1",
             {1}}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Conditions, Data,
    testing::Values(
        Made{"Operators",
             ".if 3 > 2\n.byte 1\n.endif\n.if 1 <> 1 || 2 <= 1\n.byte 9\n.else\n.byte "
             "2\n.endif",
             {1, 2}},
        Made{"Signs",
             ".ifeq 0\n.byte 1\n.endif\n.ifne 1\n.byte 2\n.endif\n.ifgt 0\n.byte 9\n.endif\n.ifge "
             "0\n.byte 3\n.endif\n.iflt -1\n.byte 4\n.endif\n.ifle 1\n.byte 9\n.endif",
             {1, 2, 3, 4}},
        Made{"Texts",
             ".ifc abc, abc\n.byte 1\n.endif\n.ifnc abc,abd\n.byte 2\n.endif\n.ifc 'a b','a b'\n"
             ".byte 3\n.endif\n.ifeqs \"x\",\"x\"\n.byte 4\n.endif\n.ifnes \"x\", \"y\"\n.byte 5\n"
             ".endif\n.ifb\n.byte 6\n.endif\n.ifnb x\n.byte 7\n.endif\n.ifb x\n.byte 9\n.endif",
             {1, 2, 3, 4, 5, 6, 7}},
        Made{
            "Defined",
            "a = 1\nb: .comm c, 8\n.ifdef a\n.byte 1\n.endif\n.ifdef b\n.byte 2\n.endif\n.ifdef c\n"
            ".byte 3\n.endif\n.ifndef later\n.byte 4\n.endif\n.ifnotdef later\n.byte 5\n.endif\n"
            "later:",
            {1, 2, 3, 4, 5}},
        Made{"ElseIf",
             "n = 2\n.if n == 1\n.byte 1\n.elseif n == 2\n.byte 2\n.elseif n == 2\n.byte 3\n.else\n"
             ".byte 4\n.endif\n.if 0\n.if 1\n.byte 5\n.else\n.byte 6\n.endif\n.elseif 0\n.else\n"
             ".byte 7\n.endif",
             {2, 7}},
        Made{"OneLine", ".if 1; .byte 1; .else; .byte 2; .endif; .byte 3", {1, 3}},
        Made{
            "Labels",
            "x: .byte 1, 2, 3\n.if . - x == 3\n.byte 4\n.endif\ny: .if y - x > 4\n.byte 9\n.endif\n"
            ".rept 8 - (. - x)\n.byte 5\n.endr",
            {1, 2, 3, 4, 5, 5, 5, 5}},
        Made{"SkippedBundles", ".if 0\n{ nonsense\n.else\n.byte 1\n.endif\n.if 0; } .endif", {1}},
        Made{"End", ".byte 1\n.end\nthis is no source\n.if", {1}}),
    [](const auto& info) { return std::string(info.param.name); });

// ---- code --------------------------------------------------------------------------------------

TEST(AssemblerLiterals, DistancesBetweenEarlierLabelsAreConstants) {
    const auto same = [](const std::string& a, const std::string& b) {
        const auto left = assemble_program("_start: {}\n.data\n" + a);
        const auto right = assemble_program("_start: {}\n.data\n" + b);
        EXPECT_EQ(section(left, ".text"), section(right, ".text")) << a;
    };
    same("x: .byte 1, 2\ny:\n.text\naddd 0, y - x, %dr1\n", ".text\naddd 0, 2, %dr1\n");
    same("x: .skip 300\ny:\n.text\naddd 0, y - x + 1, %dr1\n", ".text\naddd 0, 301, %dr1\n");
    // Not known yet, or with an alignment between them: the literal has room for an address.
    same(".text\naddd 0, y - x, %dr1\n.data\nx: .byte 1, 2\ny:\n", ".text\naddd 0, _f64 2, %dr1\n");
    same("x: .byte 1\n.align 4\ny:\n.text\naddd 0, y - x, %dr1\n", ".text\naddd 0, _f64 4, %dr1\n");
}

TEST(AssemblerBrackets, StandAroundAnyLiteral) {
    const auto same = [](const std::string& a, const std::string& b) {
        const std::string before = "_start: {}\n.data\nx: .quad 1, 2\n.text\n.ignore ld_st_style\n";
        EXPECT_EQ(section(assemble_program(before + a), ".text"),
                  section(assemble_program(before + b), ".text"))
            << a;
    };
    same("{ addd,0 0x0, [ _f64,_lts0 x +8 ], %dr1 }", "{ addd,0 0, _f64,_lts0 x + 8, %dr1 }");
    same("{ ldd,0 0x0, [ _f64,_lts0 x ], %r1 }", "{ ldd,0 0, _f64,_lts0 x, %dr1 }");
    same("{ std,5 %r0, [ _f64,_lts1 x +8 ], %g16 }", "{ std,5 %dr0, _f64,_lts1 x + 8, %dg16 }");
    same("{ addd,0 0x0, [ _lts0 $x ], %db[0] }", "{ addd,0 0, _lts0 x, %db[0] }");
    same("{ ldd,0 [ x + 8 ], %r1\n ldd,2 [ %r2 + x+8 ], %r3\n addd,1 0, x + 8, %r4 }",
         "{ ldd,0 0, _f64,_lts0 x + 8, %r1\n ldd,2 %r2, _f64,_lts0 x + 8, %r3\n addd,1 0, "
         "_f64,_lts0 x + 8, %r4 }");
}

TEST(AssemblerDirectives, BetweenOperations) {
    const auto program = assemble_program(
        "_start: { nop 1\n.loc 1 2\n.cfi_undefined %r1\n addd 0, n, %dr1\n .set n, 3 }\n");
    EXPECT_EQ(section(program, ".text"),
              section(assemble_program("_start: { nop 1; addd 0, 3, %dr1 }\n"), ".text"));
    const auto wrong = assemble_program("_start: { nop 1\n.byte 1 }\n");
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().front().message.find("inside the braces"), std::string::npos);
}

TEST(AssemblerSections, ThatAreNotLoadedStayInTheFile) {
    const auto program = assemble_program(
        "_start: {}\n.section .comment\n.asciz \"made by hand\"\n.section "
        ".notes, \"\", @progbits\n.byte 1\n.section .space, \"aw\", @nobits\n"
        ".skip 100\n.section .ax, \"ax\"\nnop\n");
    ASSERT_TRUE(program);
    std::vector<std::string> loaded;
    for (const AssembledSection& s : program->sections)
        if (s.loaded) loaded.push_back(s.name);
    EXPECT_EQ(loaded, (std::vector<std::string>{".text", ".space", ".ax"}));
    EXPECT_EQ(section(program, ".comment").size(), 13u);
    EXPECT_TRUE(section(program, ".space").empty());
}

TEST(AssemblerExternals, AreAllowedWhenOnlyChecking) {
    constexpr std::string_view kSource = "main: { disp %ctpr1, puts; addd 0, message, %db[0] }\n";
    EXPECT_FALSE(assemble_program(kSource));
    const auto program = assemble_program(kSource, {.externals = true});
    ASSERT_TRUE(program);
    EXPECT_TRUE(program->warnings.empty());
}

}  // namespace
}  // namespace e2k::isa
