// The assembler's manual (assembly.md) line by line: what it says is accepted, beside a
// spelling whose bytes other tests have checked.
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "engine/isa/assembler/program.h"
#include "engine/isa/bundle.h"
#include "tests/isa/assembled_section.h"

namespace e2k::isa {
namespace {

struct Same {
    const char *name, *written, *plain;
    int iset = 4;
};
void PrintTo(const Same& s, std::ostream* out) { *out << s.name; }

class Manual : public testing::TestWithParam<Same> {};

TEST_P(Manual, IsFollowed) {
    const Same& s = GetParam();
    const std::string start = "_start: {}\n";
    const auto written = assemble_program(start + s.written + "\n", {.iset = s.iset});
    const auto plain = assemble_program(start + s.plain + "\n", {.iset = s.iset});
    EXPECT_EQ(section(written, ".text"), section(plain, ".text"));
    EXPECT_EQ(section(written, ".data"), section(plain, ".data"));
    EXPECT_GT(section(plain, ".text").size() + section(plain, ".data").size(), 8u);
}

INSTANTIATE_TEST_SUITE_P(
    Isa, Manual,
    testing::Values(
        // B.1
        Same{"Comments", "# all\naddd 0, 1, %dr1 ! rest\n/* two\nlines */ nop",
             "addd 0, 1, %dr1\nnop"},
        Same{"Case", "ADDD,0 0, 1, %dr1", "addd,0 0, 1, %dr1"},
        Same{"Separators", "{ nop 1 } { nop 2 } ; nop 3", "nop 1\nnop 2\nnop 3"},
        Same{"BundleOverLines", "{\n addd 0, 1, %dr1\n\n addd 0, 2, %dr2\n}",
             "{ addd 0, 1, %dr1; addd 0, 2, %dr2 }"},
        Same{"Numbers", ".data\n.quad 10, 0x1F, 017, 'A', 5u, 5U, 6UL, 7ull, 8llu",
             ".data\n.quad 10, 31, 15, 65, 5, 5, 6, 7, 8"},
        Same{"Expressions",
             "N = 3\n.set M, N * 4\n.data\n.quad (N + M) / 5 << 2, 1 | 6 & 4, 0x80 >> 3 - 1",
             ".data\n.quad 12, 4, 15"},
        Same{"LocalLabels", "1: ibranch 1b\nibranch 1f\n1: nop", "a: ibranch a\nibranch b\nb: nop"},
        Same{"Dollar", "$x = 5\n.data\n.quad $x, x", ".data\n.quad 5, 5"},
        Same{"DollarLabel", "$here: ibranch here\nibranch $here",
             "here: ibranch here\nibranch here"},
        Same{
            "DataSizes",
            ".data\n.byte 1\n.uahalf 2\n.uaword 3\n.uadword 4\n.align 8\n.word 5\n.dword 6\n.ptr "
            "7\n.long 8\n.int 9\n.short 10\n.hword 11",
            ".data\n.byte 1\n.short 2\n.long 3\n.quad 4\n.byte 0\n.long 5\n.quad 6, 7, 0\n.long 8, "
            "9\n.short 10, 11"},
        Same{"RegisterCode", ".data\n.reg %dr5\n.reg %db[3]\n.reg %dg1",
             ".data\n.byte 0x85, 3, 0xe1"},
        Same{"OtherIgnores", ".ignore anything\n.accept ld_st_style\nstd %dr3, [%dr1 + 8]",
             "std %dr3, [%dr1 + 8]"},
        Same{"DataLast", ".ignore ld_st_style\nstd %dr1, 8, %dr3", "std %dr3, [%dr1 + 8]"},
        // B.2
        Same{"SuffixOrder", "addd,sm,1 %dr1, %dr2, %dr3\naddd,s %dr1, %dr2, %dr3",
             "addd,1,sm %dr1, %dr2, %dr3\naddd,0,sm %dr1, %dr2, %dr3"},
        Same{"Indexed", "addd %dr[4], %dr5, %dr[6]", "addd %dr4, %dr5, %dr6"},
        Same{"Prefixes", "addd %r1, %qr2, %xr3", "addd %dr1, %dr2, %dr3"},
        Same{"Conditions",
             "{ ct %ctpr1 ? #LOOP_END }\n{ ct %ctpr1 ? %always }\n{ ct %ctpr1 ? %never }",
             "{ ct %ctpr1 ? %LOOP_END }\n{ ct %ctpr1 }\n{ ct %ctpr1 ? }"},
        Same{"RawDisplacement", "disp %ctpr1, disp = 16\nibranch 0xffffffe",
             "disp %ctpr1, 16\nibranch -2"},
        Same{"RepairBranch", "rbranch _start", "ibranch _start ? %MLOCK"},
        Same{"MlockConditions",
             "{ ldd,0,sm %dr1, 0, %dr2; addd,1,sm %dr1, 0, %dr3; rbranch _start ? %MLOCK || "
             "%dt_al01 }\n"
             "{ cmpesb,3 %r1, %r2, %pred0; rbranch _start ? %MLOCK || ~%cmp3 }\n"
             "{ cmpesb,0 %r1, %r2, %pred0; cmpesb,1 %r1, %r2, %pred1; ibranch _start ? %MLOCK || "
             "~%cmp0 || %cmp1 }",
             "{ ldd,0,sm %dr1, 0, %dr2; addd,1,sm %dr1, 0, %dr3; ibranch _start ? %MLOCK || "
             "%dt_al10 }\n"
             "{ cmpesb,3 %r1, %r2, %pred0; ibranch _start ? %MLOCK || ~%cmp3 }\n"
             "{ cmpesb,0 %r1, %r2, %pred0; cmpesb,1 %r1, %r2, %pred1; rbranch _start ? %MLOCK || "
             "~%cmp0 || %cmp1 }"},
        Same{"Window", "{ setwd dbl = 1, wsz = 2 * 4 }", "{ setwd wsz = 8, nfx = 0, dbl = 1 }"},
        Same{"WaitImplies", "{ wait sas = 1 }\n{ wait lal = 1 }",
             "{ wait sas = 1, st_c = 1 }\n{ wait lal = 1, ld_c = 1 }", 5},
        Same{"Nop", "{ nop }\n{ addd 0, 1, %dr1; nop }", "{ nop 0 }\n{ addd 0, 1, %dr1; nop 1 }"},
        Same{"Advances", "{ abn 2; abp 1; alc 3; abg 1 }",
             "{ abn abnf = 1, abnt = 0; abp abpf = 0, abpt = 1; alc alcf = 1, alct = 1; abg abgi = "
             "0, "
             "abgd = 1 }"},
        Same{"PredicatePair", "clplandp %pred1, ~%pred2, %pred3",
             "{ pass %pred1, @p0; pass %pred2, @p1; landp @p0, ~@p1, @p4; pass @p4, %pred3 }"},
        Same{"ArrayLoads", "{ movab,0 ind = 1, %b[5]; movad,1 %db[7], area = 3 }",
             "{ movab,0 area = 0, ind = 1, am = 0, be = 0, %db[5]; movad,1 area = 3, ind = 0, am = "
             "0, "
             "be = 0, %db[7] }"},
        Same{"ArrayRegisters",
             "apurwd %dr1, %aaincr2\napurrd %aaincr2, %dr1\napurwq %qr2, %aad3\naaurww %r1, "
             "%aaind2\napurrw %aaind2, %r1",
             "aaurwd %dr1, %aaincr2\naaurrd %aaincr2, %dr1\naaurwq %qr2, %aad3\naaurw %r1, "
             "%aaind2\naaurr %aaind2, %r1"},
        Same{"MemoryUnit",
             "mmurw %dr1, %dam_inv\nmmurr %pat, %dr2\nmmurr %ddbcr, %dr3\nmmurw %dr4, %mtrr2",
             "std,2 %dr1, [0 + 0], mas = 0x1f\nldd,2 [0 + 0x310], %dr2, mas = 0x47\n"
             "ldd,5 [0 + 0x87], %dr3, mas = 0x6f\nstd,2 %dr4, [0 + 0x120], mas = 0x47"},
        Same{"LongNames", "ldlcsb %dr1, %dr2, %dr3\nstlgsd %dr1, %dr2, %dr3",
             "ldcsb %dr1, %dr2, %dr3\nstgsd %dr1, %dr2, %dr3"},
        Same{"HyperCalls", "{ hcall 3, wbs = 4 ? %pred1 }\n{ icall _start, wbs = 1 + 3 }",
             "{ hcall 0x3, wbs = 0x4 ? %pred1 }\n{ icall _start, wbs = 4 }", 6},
        Same{"Flushes",
             "{ flushr; fillc }\n{ flushc }\n{ eap; vfdi }\n{ crp ? %pred1 }\n{ set_mark; nop 1 }",
             "{ fillc; flushr }\n{ flushc }\n{ vfdi; eap }\n{ crp ? %pred1 }\n{ nop 1; set_mark }"},
        Same{"Prefetch", "{ pref %ipr3, disp = 0x10, ipd = 1 }",
             "{ pref %ipr3, ipd = 1, disp = 16 }"},
        // B.3
        Same{"LiteralMarks", "addd 0, _lts1,_f32s 5, %dr1\nadds 0, _f16s _lts0lo 7, %r1",
             "addd 0, _f32s,_lts1 5, %dr1\nadds 0, _f16s,_lts0lo 7, %r1"},
        Same{
            "References",
            "{ addd,0 0, _f64,_lts0 0x123456789, %dr1; addd,1 0, _lit64_ref,_lts0, %dr2; adds,3 0, "
            "_lts1,_lit32_ref, %r3 }",
            "{ addd,0 0, _f64,_lts0 0x123456789, %dr1; addd,1 0, _f64,_lts0 0x123456789, %dr2; "
            "adds,3 "
            "0, _f32s,_lts1 1, %r3 }"},
        // B.4
        Same{"Addresses",
             "ldd [%dr1 + 8], %dr2\nldd [%dr1, 8], %dr2\nldd %dr1, 8, %dr2\nldd [%dr1], "
             "%dr2\nldd [0x100], %dr2\nldd [8 + %dr1], %dr2\nldd [%dr1 + -8], %dr2",
             "ldd %dr1, 8, %dr2\nldd %dr1, 8, %dr2\nldd %dr1, 8, %dr2\nldd %dr1, 0, %dr2\nldd 0, "
             "0x100, %dr2\nldd 8, %dr1, %dr2\nldd %dr1, -8, %dr2"},
        // B.8
        Same{"NoDelays",
             ".ignore strict_delay\nrwd %dr1, %lsr\n.accept strict_delay\nrwd %dr1, %lsr",
             "{ rwd %dr1, %lsr }\n{ rwd %dr1, %lsr; nop 5 }"}),
    [](const auto& info) { return std::string(info.param.name); });

/// One statement of each kind that the tables of B.2 have and nothing above: all are accepted.
TEST(AssemblerStatements, OfEveryKind) {
    const auto program = assemble_program(R"(
_start: {}
 ldaad,2 %aad1 [ %aasti2 ], %dr3
 { ldaaw,5 %aad1 [ %aasti2 + _f32s,_lts1 0x40 ], %r3
   incr %aaincr2 ? ~%pred1 }
 { staad,2 %dr1, %aad3 [ %aasti5 + _f32s,_lts0 0x64 ], mas = 3
   incr,2 %aaincr1 ? %pcnt2 }
 { staaq %qr2, %aad3 [ %aasti5 ] }
  aaurr %aaind3, %r5
 aaurwq %qr4, %aad7
 { return %ctpr3 }
 gettsd %ctpr2
 { done }
 { iret ? %pred3 }
 { setei 0x10 }
 { setsft }
 { settr type = 5 }
 { vfrpsz rpsz = 32 ; setwd wsz = 9 }
 { setbp psz = 3 ; setbn rbs = 1, rsz = 2 }
 { flushts }
 { slrp ? %pred2 }
 { srp }
 { crp ? ~%pcnt1 }
 { fillr ; fillc }
 { wait ma_c = 1, fl_c = 1, all_e = 1, trap = 1 }
 { loop_mode ; set_mark ; nop 7 }
 { ipd 2 ; bap }
 { pass %lcntex, @p0 ; pass %spred013, @p1 ; landp ~@p0, @p1, @p4 ; pass @p4, %pred1 ; pass %bgrpred, @p2 ; pass %rndpred3, @p3 ; movep @p2, @p4, @p5 ; andp @p4, @p5, @p6 ; pass @p6, %pred2 }
 { movab,0 ind=1, %b[5] ; movah,1 %b[7] ; movaw,2 area = 4, am = 1, %b[9] ; movad,3 %db[11] }
 { movaq,0 area = 1, ind = 8, %db[4] ; movaqp,2 area = 3, %qpb[2] }
 fapb ct = 1, si = 0, dcd = 1, fmt = 4, mrng = 8, d = 3, incr = 1, ind = 2, asz = 5, abs = 3, disp = -8
 { fapb ct = 0, fmt = 3 ; fapb dpl = 1, fmt = 2, disp = 0x40 }
 fapb ct = 1
 merged %dr1, %dr2, %dr3, ~%pred1
 merged,1,sm %dr1, 5, %dr3, %pcnt3 ? %pred2, ~%pcnt1
 rwd %dr1, %ctpr2
 rrd %ctpr1.lo, %dr1
 movtd %dr1, %ctpr2
 puttagd %dr1, 3, %dr2
 gettagd %dr1, %r2
)",
                                          {.iset = 5});
    const auto text = section(program, ".text");
    EXPECT_GT(text.size(), 400u);
}

TEST(AssemblerStrictDelay, CanBeSwitchedOffFromOutside) {
    const std::string source = "_start: cmpesb %r1, %r2, %pred0\n";
    const auto plain = assemble_program("_start: { cmpesb %r1, %r2, %pred0 }\n");
    EXPECT_EQ(section(assemble_program(source, {.strict_delay = false}), ".text"),
              section(plain, ".text"));
    EXPECT_NE(section(assemble_program(source), ".text"), section(plain, ".text"));
}

template <class T>
T load(const std::vector<std::uint8_t>& bytes, std::size_t at) {
    T value{};
    if (at + sizeof value > bytes.size())
        ADD_FAILURE() << "there are only " << bytes.size() << " bytes";
    else
        std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

/// Labels of syllables, by the words that are found there.
TEST(AssemblerInnerLabels, NameTheSyllableOfTheNextOperation) {
    const auto p = assemble_program(R"(
_start: { .label first
          addd,0 0, 1, %dr1
          nop 3
          .label second
          .label again
          adds,4 1, 2, %r2
          .label prepares
          sdisp %ctpr2, 5
          .label window
          setbn rbs = 3, rsz = 2, rcur = 1
          .label decides
          alc 3
          .label logic
          pass %pred1, @p0
          pass %pred2, @p1
          .label element
          andp @p0, @p1, @p5
          pass @p5, %pred3
          .label loads
          movad,1 area = 3, ind = 2, am = 1, %db[1]
          .label header
          loop_mode }
        .data
        .quad first, second, again, prepares, window, decides, logic, element, loads, header
)",
                                    {.iset = 4});
    const auto text = section(p, ".text"), data = section(p, ".data");
    const auto at = [&](unsigned n) { return load<std::uint64_t>(data, 8 * n) - 0x10000; };
    const auto word = [&](unsigned n) { return load<std::uint32_t>(text, at(n)); };
    EXPECT_EQ(word(0), 0x11c0c181u);  // ALS0: opcode, sources, destination
    EXPECT_EQ(word(1), 0x10c1c282u);  // ALS4
    EXPECT_EQ(at(1), at(2));
    EXPECT_EQ(word(3), 0xa0000005u);   // CS0
    EXPECT_EQ(word(4), 0x44001083u);   // CS1
    EXPECT_EQ(word(5) >> 16 & 3, 3u);  // SS: alc
    EXPECT_EQ(at(5), 4u);
    EXPECT_EQ(word(6) >> 16, 0x6162u);                     // PLS0: two inputs
    EXPECT_EQ(word(7) & 0xffff, 0x0063u);                  // PLS1: @p0 and @p1 to %pred3
    EXPECT_EQ(load<std::uint16_t>(text, at(8)), 0x40c5u);  // AAS: opcode 4, area, index, am
    EXPECT_EQ(at(9), 0u);                                  // HS
}

TEST(AssemblerInnerLabels, InArrayPrograms) {
    const auto p = assemble_program(
        "_start: {}\nprogram: { fapb dpl = 1, fmt = 3\n .label left\n fapb ct = 1, fmt = 4 }\n"
        ".data\n.quad left - program\n");
    EXPECT_EQ(load<std::uint64_t>(section(p, ".data"), 0), 0u);
}

TEST(AssemblerReferences, AreWhatALinkerWouldMakeOfThem) {
    const auto p = assemble_program(R"(
_start: { addd,0 0, far@GOT, %dr1
          addd,1 0, near@GOT, %dr2
          addd,2 0, far@GOTPLT, %dr3 }
        { addd,0 0, _f64 near@GOTOFF, %dr1
          adds,1 0, table@SIZE, %r2 }
here:   { addd,0 0, _GLOBAL_OFFSET_TABLE_, %dr1 }
near:   nop
        .data
        .quad _start, near, here, _GLOBAL_OFFSET_TABLE_, near@GOTOFF, table@SIZE + 1
table:  .quad 1, 2, 3
        .size table, . - table
far:    .quad 0
)");
    const auto text = section(p, ".text"), data = section(p, ".data"), got = section(p, ".got");
    const auto quad = [&](unsigned n) { return load<std::uint64_t>(data, 8 * n); };
    const std::uint64_t start = quad(0), near = quad(1), here = quad(2), table = quad(3);
    ASSERT_EQ(got.size(), 16u);
    std::uint64_t data_at = 0, got_at = 0;
    for (const AssembledSection& s : p->sections) {
        if (s.name == ".data") data_at = s.address;
        if (s.name == ".got") got_at = s.address;
    }
    EXPECT_EQ(table, got_at);
    EXPECT_EQ(load<std::uint64_t>(got, 0), data_at + 6 * 8 + 24);
    EXPECT_EQ(load<std::uint64_t>(got, 8), near);
    EXPECT_EQ(quad(4), near - table);
    EXPECT_EQ(quad(5), 25u);
    const auto bundle = [&](std::uint64_t at) {
        const auto b = decode(std::span(text).subspan(at - start), at, 4);
        EXPECT_TRUE(b) << "no bundle at " << at;
        return b.value_or(Bundle{});
    };
    const auto lts = [&](const Bundle& b, unsigned n) { return b.lts[n]; };
    // The offsets 0 and 8 take 32 bits each; the second use of 0 shares nothing with `far@GOT`.
    const Bundle first = bundle(start);
    EXPECT_EQ(std::set({lts(first, 0), lts(first, 1), lts(first, 2)}), std::set({0u, 8u}));
    const Bundle second = bundle(start + first.length);
    const auto wide = [&](const Bundle& b, unsigned n) {
        return std::uint64_t{lts(b, n + 1)} << 32 | lts(b, n);
    };
    EXPECT_TRUE(wide(second, 0) == near - table || wide(second, 1) == near - table);
    EXPECT_EQ(wide(bundle(here), 0), table - here);
}

TEST(AssemblerReferences, NeedNoTableWithoutEntries) {
    const auto p =
        assemble_program("_start: {}\n.data\nx: .quad x@GOTOFF + _GLOBAL_OFFSET_TABLE_ - x\n");
    EXPECT_TRUE(section(p, ".got").empty());
    EXPECT_EQ(load<std::uint64_t>(section(p, ".data"), 0), 0u);
}

}  // namespace
}  // namespace e2k::isa
