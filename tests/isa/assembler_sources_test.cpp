// Whole sources with mistakes: every one is named with its line, column and text, all in one run.
// Then macros, included files, warnings and listings.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/isa/assembler/program.h"
#include "tests/isa/assembled_section.h"

namespace e2k::isa {
namespace {

struct Fault {
    int line, column;
    std::string text, message;
};

struct Source {
    const char* name;
    std::string text;
    std::vector<Fault> faults;
    int iset = 4;
};
void PrintTo(const Source& s, std::ostream* out) { *out << s.name; }

class WrongSources : public testing::TestWithParam<Source> {};

TEST_P(WrongSources, AreReportedInFull) {
    const Source& s = GetParam();
    const auto program = assemble_program(s.text, {.iset = s.iset});
    ASSERT_FALSE(program);
    const AssemblyErrors& errors = program.error();
    for (std::size_t i = 0; i < std::min(errors.size(), s.faults.size()); ++i) {
        const Fault& f = s.faults[i];
        EXPECT_EQ(errors[i].line, f.line) << errors[i].report("x.s");
        EXPECT_EQ(errors[i].column, f.column) << errors[i].report("x.s");
        EXPECT_EQ(errors[i].text, f.text) << errors[i].report("x.s");
        EXPECT_NE(errors[i].message.find(f.message), std::string::npos) << errors[i].message;
    }
    std::string all;
    for (const AssemblyError& e : errors) all += e.report("x.s");
    EXPECT_EQ(errors.size(), s.faults.size()) << all;
}

const std::string kStart = "_start: {}\n";

std::vector<Source> sources() {
    const auto after = [](const std::string& text) { return kStart + text + "\n"; };
    return {
        {"Operation", after("  frob %r1"), {{2, 3, "frob", "no operation has this name"}}},
        {"Newer",
         after("{ fmad %dr1, %dr2, %dr3, %dr4 }"),
         {{2, 3, "fmad", "needs elbrus-v6 or later"}}},
        {"Channel",
         after("{ sdivd,0 %dr1, %dr2, %dr3 }"),
         {{2, 3, "sdivd,0 %dr1, %dr2, %dr3", "does not exist in channel 0"}}},
        {"ChannelNumber", after("{ adds,9 %r1, %r2, %r3 }"), {{2, 8, "9", "a channel 0 to 5"}}},
        {"TwoInOneChannel",
         after("{ adds,1 1, 2, %r3\n  subs,1 1, 2, %r4 }"),
         {{3, 3, "subs,1 1, 2, %r4", "channels do not suffice"}}},
        {"ThreeStores",
         after("{ std %dr1, [%dr2]\n  std %dr1, [%dr3]\n  std %dr1, [%dr4] }"),
         {{4, 3, "std %dr1, [%dr4]", "channels do not suffice"}}},
        {"Mirrored",
         after("{ ldd,0 [%dr1], %dr2\n  std,5 %dr3, [%dr4] }"),
         {{3, 3, "std,5 %dr3, [%dr4]", "mirrored channels"}}},
        {"Operands",
         after("  addd %dr1, %dr2"),
         {{2, 3, "addd %dr1, %dr2", "takes 3 operands, not 2"}}},
        {"WindowRegister", after("  addd %dr1, %dr64, %dr2"), {{2, 14, "%dr64", "0 to 63"}}},
        {"BasedRegister", after("  addd %dr1, %db[128], %dr2"), {{2, 18, "128", "from 0 to 127"}}},
        {"GlobalRegister", after("  addd %dr1, %dg32, %dr2"), {{2, 14, "%dg32", "0 to 31"}}},
        {"RegisterName",
         after("  addd %dr1, %foo, %dr2"),
         {{2, 14, "%foo", "no register has this name"}}},
        {"FirstSource", after("  addd 99, %dr1, %dr2"), {{2, 8, "99", "a number from 0 to 31"}}},
        {"NotWritable", after("  addd 1, 2, 3"), {{2, 14, "3", "the result goes to a register"}}},
        {"ToTransfer",
         after("{ addd,1 0, 1, %ctpr1 }"),
         {{2, 3, "addd,1 0, 1, %ctpr1", "only an unguarded move in channel 0"}}},
        {"StateRegister", after("  rrd %dr1, %dr2"), {{2, 7, "%dr1", "a state register expected"}}},
        {"Literal16",
         after("  adds %r1, _f16s 70000, %r2"),
         {{2, 13, "_f16s 70000", "does not fit 16 bits"}}},
        {"Literal32",
         after("  adds %r1, 0x100000000, %r2"),
         {{2, 13, "0x100000000", "does not fit the 32 bits"}}},
        {"LiteralSpace",
         after("{ addd 0, 0x111111111, %dr1\n  addd 0, 0x222222222, %dr2\n  addd 0, 0x333333333, "
               "%dr3 }"),
         {{2, 3, "addd 0, 0x111111111, %dr1", "do not fit its four words"}}},
        {"WindowAndLiterals",
         after("{ setwd wsz = 8\n  addd 0, 0x111111111, %dr1\n  addd 0, 0x222222222, %dr2 }"),
         {{2, 3, "setwd wsz = 8", "do not fit its four words"}}},
        {"Merge", after("  merged %dr1, %dr2, %dr3"), {{2, 26, "", "a merge needs its predicate"}}},
        {"TwoGuards",
         after("  addd 1, 2, %dr3 ? %pred1, %pred2"),
         {{2, 35, "", "one %pred and one %pcnt"}}},
        {"Predicate", after("  addd 1, 2, %dr3 ? %pred40"), {{2, 21, "%pred40", "0 to 31"}}},
        {"ConditionHalves",
         after("{ adds,0 1, 2, %r1 ? %pred0\n  adds,1 1, 2, %r2 ? %pred1\n"
               "  adds,2 1, 2, %r3 ? %pred2\n  adds,3 1, 2, %r4 ? %pred3\n"
               "  adds,4 1, 2, %r5 ? %pred4\n  adds,5 1, 2, %r6 ? %pred5, %pcnt1 }"),
         {{2, 3, "adds,0 1, 2, %r1 ? %pred0", "more than six CDS halves"}}},
        {"Address", after("  ldd [%dr1 - 8], %dr2"), {{2, 13, "- 8]", "`]` expected"}}},
        {"Mas", after("  addd 1, 2, %dr3, mas = 4"), {{2, 3, "addd", "takes no `mas`"}}},
        {"MasAndCall",
         after("{ call %ctpr1, wbs = 4\n  ldd [%dr1], %dr2, mas = 4 }"),
         {{3, 3, "ldd [%dr1], %dr2, mas = 4", "CS1 already holds call"}}},
        {"TwoPreparations",
         after("{ disp %ctpr1, _start\n  disp %ctpr2, _start }"),
         {{3, 3, "disp %ctpr2, _start", "another operation in CS0"}}},
        {"TwoTransfers",
         after("{ ct %ctpr1\n  ct %ctpr2 }"),
         {{3, 3, "ct %ctpr2", "another transfer"}}},
        {"ControlRegister",
         after("{ ct %ctpr9 }"),
         {{2, 6, "%ctpr9", "%ctpr1, %ctpr2 or %ctpr3 expected"}}},
        {"SecondControlRegister",
         after("{ ldisp %ctpr1, _start }"),
         {{2, 9, "%ctpr1", "ldisp takes %ctpr2"}}},
        {"Target",
         after("{ disp %ctpr1, _start + 4 }"),
         {{2, 16, "_start + 4", "not a multiple of 8"}}},
        {"UndefinedTarget",
         after("{ disp %ctpr1, elsewhere }"),
         {{2, 16, "elsewhere", "not defined"}}},
        {"Window", after("{ setwd wsz = 130 }"), {{2, 15, "130", "0 to 127"}}},
        {"WindowLimit",
         after("{ setwd wsz = 120 }"),
         {{2, 3, "setwd wsz = 120", "more than 112 quad registers"}}},
        {"Wait", after("{ wait }"), {{2, 7, "", "field is not known"}}},
        {"LocalPredicate",
         after("{ andp @p0, @p1, @p4 }"),
         {{2, 3, "andp @p0, @p1, @p4", "@p0 has no source"}}},
        {"PredicateOrder",
         after("{ pass %pred0, @p0\n  pass %pred1, @p2\n  andp @p0, @p2, @p4 }"),
         {{2, 3, "pass %pred0, @p0", "@p4 cannot read @p2"}}},
        {"PredicateTwice",
         after("{ pass %pred0, @p0\n  pass %pred1, @p0 }"),
         {{3, 3, "pass %pred1, @p0", "has a source already"}}},
        {"ArrayChannel", after("{ movaq,1 area = 0, %r4 }"), {{2, 9, "1", "channel 0 or 2"}}},
        {"ArrayTwice",
         after("{ movad,1 area = 0, %db[1]\n  movad,1 area = 1, %db[3] }"),
         {{3, 3, "movad,1 area = 1, %db[3]", "has an array load already"}}},
        {"ArrayArea", after("{ movad,1 area = 40, %db[1] }"), {{2, 18, "40", "0 to 31"}}},
        {"Increment",
         after("{ incr,2 %aaincr1 }"),
         {{2, 3, "incr,2 %aaincr1", "follows the array store"}}},
        {"ArrayProgramEnd",
         after("fapb ct = 0, fmt = 3\nnop"),
         {{2, 1, "fapb ct = 0, fmt = 3", "needs `ct = 1`"}}},
        {"Async", after("{ fapb ct = 1, fmt = 9 }"), {{2, 22, "9", "0 to 7"}}},
        {"OpenBrace", "_start: {\n addd 0, 1, %dr1\n", {{1, 9, "{", "not closed"}}},
        {"CloseBrace", after("}"), {{2, 1, "}", "closes nothing"}}},
        {"Comment", after("/* lost"), {{2, 1, "/*", "not closed"}}},
        {"Directive", after("  .frobnicate"), {{2, 3, ".frobnicate", "not known"}}},
        {"Byte", after("  .byte 1, 256"), {{2, 12, "256", "does not fit 8 bits"}}},
        {"Float", after("  .double 1.5, x"), {{2, 16, "x", "floating-point number"}}},
        {"String", after("  .ascii \"abc"), {{2, 14, "", "not closed"}}},
        {"Alignment", after("  .align 24"), {{2, 3, ".align 24", "power of two"}}},
        {"CodeAlignment", after("  .byte 1\n  nop"), {{3, 3, "nop", "multiple of 8"}}},
        {"Twice", after("a: nop\na: nop"), {{3, 1, "a", "defined already"}}},
        {"NoCode", ".data\n.byte 1\n", {{1, 1, "", "no `_start`"}}},
        {"Processor", after("  .cpu pentium"), {{2, 8, "pentium", "elbrus-v2 to elbrus-v6"}}},
        {"ProcessorTooNew",
         after("  .cpu elbrus-v5"),
         {{2, 8, "elbrus-v5", "more than elbrus-v4"}}},
        {"MacroEnd", after(".macro m a\n nop"), {{2, 1, ".macro", "not closed by .endm"}}},
        {"MacroArguments",
         after(".macro m a\n nop \\a\n.endm\n  m 1, 2"),
         {{5, 5, "1, 2", "takes 1 argument(s), not 2"}}},
        {"MacroBody",
         after(".macro m a\n addd 0, \\a, 3\n.endm\n  m 1"),
         {{3, 13, "3", "the result goes to a register"}}},
        {"MacroForever", after(".macro m\n m\n.endm\n m"), {{3, 2, "m", "without end"}}},
        {"Repeat", after(".rept N\n nop\n.endr"), {{2, 7, "N", "only constants"}}},
        {"Condition", after(".if 1\n nop"), {{2, 1, "", "not closed by .endif"}}},
        {"Include", after(".include \"x.inc\""), {{2, 11, "x.inc", "no files can be read"}}},
        {"InnerLabelOutside", after("  .label a"), {{2, 3, ".label a", "inside the braces"}}},
        {"InnerLabelLast",
         after("{ nop 1\n .label a }"),
         {{3, 2, ".label a", "no operation follows"}}},
        {"InnerLabelName", after("{ .label\n nop 1 }"), {{2, 9, "", "name of the label expected"}}},
        {"InnerLabelTwice",
         after("a: { .label a\n nop 1 }"),
         {{2, 6, ".label a", "defined already"}}},
        {"ThreadLocal", after("  addd 0, x@TLS_IE, %dr1"), {{2, 11, "x@TLS_IE", "not defined"}}},
        {"ThreadLocalModule",
         after("  addd 0, x@TLS_GDMOD, %dr1"),
         {{2, 11, "x@TLS_GDMOD", "not defined"}}},
        {"ProtectedMode",
         after("  adds 0, x@ISLOCAL32, %r1"),
         {{2, 11, "x@ISLOCAL32", "protected mode"}}},
        {"Reference",
         after("  addd 0, _start@PLTX, %dr1"),
         {{2, 11, "_start@PLTX", "written @GOT"}}},
        {"ReferenceUndefined", after("  addd 0, x@GOT, %dr1"), {{2, 11, "x@GOT", "not defined"}}},
        {"OffsetTable",
         after("_GLOBAL_OFFSET_TABLE_: nop"),
         {{2, 1, "_GLOBAL_OFFSET_TABLE_", "belongs to the assembler"}}},
        {"OffsetSection", after(".section .got"), {{2, 10, ".got", "belongs to the assembler"}}},
        {"PrefetchLabel",
         after("{ pref %ipr1, disp = _start }"),
         {{2, 22, "_start", "only a number"}}},
        {"LiteralReference",
         after("{ adds 0, _lit32_ref,_lts1, %r1 }"),
         {{2, 3, "adds 0, _lit32_ref,_lts1, %r1", "fills the words referred to"}}},
        {"LiteralReferencePlace",
         after("{ adds 0, _lit32_ref, %r1 }"),
         {{2, 11, "_lit32_ref", "names its place"}}},
        {"WaitDenied",
         after("{ wait sas = 1, st_c = 0 }"),
         {{2, 3, "wait sas = 1, st_c = 0", "st_c cannot be 0"}}},
        {"PredicatePairInside",
         after("{ clpandp %pred1, %pred2, %pred3 }"),
         {{2, 3, "clpandp", "outside braces only"}}},
        {"MlockSpeculative",
         after("{ ldd,0 %dr1, 0, %dr2\n rbranch _start ? %MLOCK || %dt_al0 }"),
         {{3, 2, "rbranch _start ? %MLOCK || %dt_al0", "speculative operation with channel 0"}}},
        {"MlockComparison",
         after("{ cmpesb %r1, %r2, %pred0\n rbranch _start ? %MLOCK || %cmp0 }"),
         {{3, 2, "rbranch _start ? %MLOCK || %cmp0", "comparison with channel 0"}}},
        {"MlockElement",
         after("{ rbranch _start ? %MLOCK || %clp1 }"),
         {{2, 3, "rbranch _start ? %MLOCK || %clp1", "%clp1 has no element"}}},
        {"MemoryUnit", after("  mmurr %lsr, %dr1"), {{2, 9, "%lsr", "no register of the memory"}}},
        {"MemoryUnitWriteOnly",
         after("  mmurr %dam_inv, %dr1"),
         {{2, 9, "%dam_inv", "only be written"}}},
        {"MemoryUnitChannel",
         after("  mmurw,5 %dr1, %pat"),
         {{2, 17, "%pat", "reached in channel 2"}}},
        {"Several",
         "_start: { addd 0, 1, %dr99\n  frob }\n  .byte 300\n  addd 0, nowhere, %dr1\n",
         {{1, 22, "%dr99", "0 to 63"},
          {2, 3, "frob", "no operation"},
          {3, 9, "300", "8 bits"},
          {4, 11, "nowhere", "not defined"}}},
    };
}

INSTANTIATE_TEST_SUITE_P(Isa, WrongSources, testing::ValuesIn(sources()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(WrongSources, AreManyAndShowTheLine) {
    EXPECT_GE(sources().size(), 40u);
    const auto program = assemble_program("_start:\taddd 0, 1, %dr99\n");
    ASSERT_FALSE(program);
    EXPECT_EQ(program.error().front().report("x.s"),
              "x.s:1:20: registers of this kind have numbers 0 to 63: `%dr99`\n"
              "     1 | _start:\taddd 0, 1, %dr99\n"
              "       |        \t           ^~~~~\n");
}

TEST(AssemblerMacros, ExpandWithArgumentsDefaultsAndRepetition) {
    const auto program = assemble_program(R"(
        .equ COUNT, 3
        .macro numbers first, second = 7
          .byte \first, \second
label\@:  .byte \first\()0
        .endm
_start: {}
        .data
here:   numbers 1
        numbers 2, second = (8 + 1)
        .rept COUNT
        .byte 0xaa
        .endr
        .if COUNT - 3
        .byte 1
        .else
        .byte 2
        .endif
        .ifdef NOTHING
        .byte 3
        .endif
        .ifndef NOTHING
        .float 1.5
        .endif
)");
    EXPECT_EQ(section(program, ".data"), (std::vector<std::uint8_t>{1, 7, 10, 2, 9, 20, 0xaa, 0xaa,
                                                                    0xaa, 2, 0, 0, 0xc0, 0x3f}));
}

TEST(AssemblerInclude, ReadsAndNamesTheFile) {
    ProgramSourceOptions options;
    options.read = [](const std::string& name) -> tl::expected<std::string, std::string> {
        if (name == "good.inc") return "VALUE = 5\n";
        if (name == "bad.inc") return "\n  frob\n";
        if (name == "loop.inc") return ".include \"loop.inc\"\n";
        return tl::unexpected(std::string("no such file"));
    };
    auto program =
        assemble_program(".include \"good.inc\"\n_start: {}\n.data\n.byte VALUE\n", options);
    EXPECT_EQ(section(program, ".data"), std::vector<std::uint8_t>{5});
    program = assemble_program("_start: {}\n.include \"bad.inc\"\n", options);
    ASSERT_FALSE(program);
    EXPECT_EQ(program.error().front().describe("x.s"),
              "bad.inc:2:3: no operation has this name: `frob`");
    program = assemble_program("_start: {}\n.include \"none.inc\"\n", options);
    ASSERT_FALSE(program);
    EXPECT_EQ(program.error().front().describe("x.s"), "x.s:2:11: no such file: `none.inc`");
    program = assemble_program("_start: {}\n.include \"loop.inc\"\n", options);
    ASSERT_FALSE(program);
    EXPECT_NE(program.error().front().message.find("without end"), std::string::npos);
}

TEST(AssemblerAlone, BringsItsDelays) {
    const auto same = [](const std::string& alone, const std::string& bundle) {
        const auto a = assemble_program("_start: " + alone + "\n");
        const auto b = assemble_program("_start: {" + bundle + "}\n");
        EXPECT_EQ(section(a, ".text"), section(b, ".text")) << alone;
    };
    same("cmpesb %r1, %r2, %pred3", "cmpesb %r1, %r2, %pred3; nop 2");
    same("fcmpeqsb %r1, %r2, %pred3", "fcmpeqsb %r1, %r2, %pred3; nop 4");
    same("rwd %dr1, %lsr", "rwd %dr1, %lsr; nop 5");
    same("rwd %dr1, %psr", "rwd %dr1, %psr; nop 5; wait all_e = 1");
    same("rrd %cud.lo, %dr1", "rrd %cud.lo, %dr1; nop 4");
    same("rrd %ip, %dr1", "rrd %ip, %dr1");
    same("clpandp ~%pred1, %pred2, %pred3",
         "pass %pred1, @p0; pass %pred2, @p1; andp ~@p0, @p1, @p4; pass @p4, %pred3");
    same(".ignore strict_delay\n cmpesb %r1, %r2, %pred3", "cmpesb %r1, %r2, %pred3");
}

TEST(AssemblerWarnings, TwoWritersOfOneRegister) {
    auto program = assemble_program("_start: { addd,0 0, 1, %dr1\n addd,3 0, 2, %dr1 }\n");
    ASSERT_TRUE(program);
    ASSERT_EQ(program->warnings.size(), 1u);
    EXPECT_EQ(program->warnings.front().describe("x.s"),
              "x.s:2:2: warning: two operations write %dr1; channel 3's result stays: "
              "`addd,3 0, 2, %dr1`");
    // Guarded, it is a conditional move.
    program = assemble_program("_start: { addd 0, 1, %dr1 ; addd 0, 2, %dr1 ? %pred1 }\n");
    ASSERT_TRUE(program);
    EXPECT_TRUE(program->warnings.empty());
}

TEST(AssemblerCpu, ComesFromTheSource) {
    const auto program = assemble_program(".cpu elbrus-v5\n_start: qpaddb %qpr1, %qpr2, %qpr3\n");
    ASSERT_TRUE(program);
    EXPECT_EQ(program->iset, 5);
}

TEST(AssemblerListing, ShowsAddressesWordsAndText) {
    const auto program = assemble_program("_start: { nop 5\n  }\n.data\nx: .byte 1, 2, 3, 4, 5\n",
                                          {.keep_lines = true});
    ASSERT_TRUE(program);
    const std::string listing = assembly_listing(*program);
    EXPECT_NE(listing.find("    1     10000  00000280 00000000                    _start: { nop 5"),
              std::string::npos)
        << listing;
    EXPECT_NE(listing.find("04030201 05"), std::string::npos) << listing;
}

}  // namespace
}  // namespace e2k::isa
