// Assembler input as people write it: automatic channels and literals, addresses, errors.
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

#include "engine/isa/assembler/assembler.h"
#include "engine/isa/disassembler.h"
#include "tests/isa/vectors.h"

namespace e2k::isa {
namespace {

using Built = tl::expected<std::vector<std::uint8_t>, AssemblyErrors>;

Built assemble(std::string_view source, const AssemblerOptions& options) {
    std::vector<SourceLine> lines;
    for (std::size_t at = 0; at <= source.size();) {
        const auto end = std::min(source.find('\n', at), source.size());
        lines.push_back({source.substr(at, end - at), static_cast<int>(lines.size()) + 1, 1});
        at = end + 1;
    }
    return assemble_bundle(lines, 0x1000, options);
}

Built assemble(std::string_view source, int iset = 4) {
    return assemble(source, AssemblerOptions{.iset = iset});
}

/// Words in memory order, as in the worked examples of bundles.md §7.
std::string words(const Built& built) {
    if (!built) return built.error().front().describe("source");
    std::string out;
    for (std::size_t at = 0; at + 4 <= built->size(); at += 4) {
        char word[10];
        std::snprintf(word, sizeof word, "%s%02x%02x%02x%02x", at ? " " : "", (*built)[at + 3],
                      (*built)[at + 2], (*built)[at + 1], (*built)[at]);
        out += word;
    }
    return out;
}

std::vector<std::string> text(const Built& built, int iset = 4) {
    if (!built) return {built.error().front().describe("source")};
    return disassemble(*decode(*built, 0x1000, iset), DisassemblyStyle::native());
}

using Lines = std::vector<std::string>;

TEST(Assembler, WorkedExamples) {
    EXPECT_EQ(words(assemble("adds,0 %r1, %r2, %r3", 2)), "04000001 10818283");
    EXPECT_EQ(words(assemble("adds,0,sm %r1, %r2, %r3", 2)), "04000001 90818283");
    // Three literals: two share a half.
    EXPECT_EQ(words(assemble("adds,0 %r1, 0x1234, %r2\nadds,1 %r1, 0x4321, %r3\n"
                             "adds,2 %r1, 0x1234, %r4",
                             2)),
              "1c000023 1081d482 1081d083 1081d484 00000000 12344321");
    EXPECT_EQ(words(assemble("addd,0 %dr1, _f64,_lts1 0x123456789abc, %dr2\n"
                             "addd,3 0x1f, -1, %db[5]",
                             2)),
              "24000022 1181dd82 11dfd405 00001234 56789abc ffff0000");
    EXPECT_EQ(words(assemble("ldd,0 [%dr1 + 8], %dr2\nstd,2 %dr4, [%dr3 + 16]", 2)),
              "14000012 6781c882 2783d484 00100000");
    EXPECT_EQ(words(assemble("merges,0 %r1, 5, %r2, ~%pred3 ? %pred4\n"
                             "merged,4 %dr1, %dr2, %dr3, %pred2",
                             2)),
              "44020022 0e81c582 0f818283 00000000 c8620000 046484e3");
    EXPECT_EQ(words(assemble("call %ctpr1, wbs = 4 ? %pred0\nipd 3")),
              "00009012 c0000440 50000004 00000000");
    EXPECT_EQ(words(assemble("pass %pred0, @p0\npass %pred1, @p1\nandp ~@p0, @p1, @p4\n"
                             "pass @p4, %pred2")),
              "00040000 60612062");
    EXPECT_EQ(words(assemble("movaq,2 area = 1, ind = 2, am = 1, %r4")),
              "00001011 c000c000 84855045 50550000");
    EXPECT_EQ(words(assemble("setwd wsz = 0x10, nfx = 1, dbl = 1\nsetbn rbs = 4, rsz = 3, rcur = "
                             "1\nsetbp psz = 5")),
              "00008011 0c1410c4 00000000 00000218");
    EXPECT_EQ(words(assemble("")), "source:1:1: an operation expected");
}

TEST(Assembler, ChoosesChannels) {
    EXPECT_EQ(text(assemble("addd %dr1, %dr2, %dr3\nfaddd %dr4, %dr5, %dr6\nldd [%dr1], %dr7\n"
                            "std %dr8, [%dr2]")),
              (Lines{"addd,0 %dr1, %dr2, %dr3", "faddd,1 %dr4, %dr5, %dr6", "ldd,2 %dr1, 0x0, %dr7",
                     "std,5 %dr2, 0x0, %dr8"}));
    // The division exists in channel 5 only, wherever it stands in the text.
    EXPECT_EQ(text(assemble("ldd [%dr1], %dr7\nudivd %dr1, %dr2, %dr3")),
              (Lines{"ldd,0 %dr1, 0x0, %dr7", "udivd,5 %dr1, %dr2, %dr3"}));
    EXPECT_EQ(text(assemble("movtq %qr2, %qr4")), (Lines{"movtq,0 %qr2, %qr4"}));
}

TEST(Assembler, Symbols) {
    AssemblerOptions options{.iset = 4};
    options.symbols = [](std::string_view name) -> std::optional<SymbolValue> {
        if (name == "target") return SymbolValue{0x1040, false};
        if (name == "data") return SymbolValue{0x1234567890, false};
        if (name == "five") return SymbolValue{5, true};
        return std::nullopt;
    };
    EXPECT_EQ(text(assemble("disp %ctpr1, target", options)), (Lines{"disp %ctpr1, 0x1040"}));
    EXPECT_EQ(text(assemble("disp %ctpr1, target - 0x80", options)), (Lines{"disp %ctpr1, 0xfc0"}));
    EXPECT_EQ(text(assemble("addd,0 0, data + 1, %dr1", options)),
              (Lines{"addd,0 0x0, _f64 0x1234567891, %dr1"}));
    EXPECT_EQ(text(assemble("addd,0 0, five, %dr1", options)), (Lines{"addd,0 0x0, 0x5, %dr1"}));
    EXPECT_EQ(text(assemble("adds,0 0, _f32s target, %r1", options)),
              (Lines{"adds,0 0x0, _f32s 0x1040, %r1"}));
}

struct Wrong {
    const char* source;
    int iset, line, column;
    const char* message;
};
void PrintTo(const Wrong& w, std::ostream* out) { *out << w.source; }

class AssemblerErrors : public testing::TestWithParam<Wrong> {};

TEST_P(AssemblerErrors, NameTheFault) {
    const Wrong& w = GetParam();
    const auto built = assemble(w.source, w.iset);
    ASSERT_FALSE(built) << words(built);
    EXPECT_EQ(built.error().front().line, w.line);
    EXPECT_EQ(built.error().front().column, w.column);
    EXPECT_NE(built.error().front().message.find(w.message), std::string::npos)
        << built.error().front().message;
}

INSTANTIATE_TEST_SUITE_P(
    Isa, AssemblerErrors,
    testing::Values(
        Wrong{"addx %r1, %r2, %r3", 4, 1, 1, "no operation has this name"},
        Wrong{"qpaddb %qpr1, %qpr2, %qpr3", 4, 1, 1, "needs elbrus-v5 or later"},
        Wrong{"fmad %dr1, %dr2, %dr3, %dr4", 5, 1, 1, "needs elbrus-v6 or later"},
        Wrong{"adds,7 %r1, %r2, %r3", 4, 1, 6, "a channel 0 to 5"},
        Wrong{"sdivd,0 %dr1, %dr2, %dr3", 4, 1, 1, "does not exist in channel 0"},
        Wrong{"adds,0 %r1, %r2", 4, 1, 1, "takes 3 operands, not 2"},
        Wrong{"adds,0 %r1, %r64, %r3", 4, 1, 13, "numbers 0 to 63"},
        Wrong{"adds,0 %r1, %b[128], %r3", 4, 1, 16, "from 0 to 127"},
        Wrong{"adds,0 %r1, %x9, %r3", 4, 1, 13, "no register has this name"},
        Wrong{"adds,0 32, %r2, %r3", 4, 1, 8, "a number from 0 to 31"},
        Wrong{"adds,0 %r1, 0x123456789, %r3", 4, 1, 13, "does not fit the 32 bits"},
        Wrong{"adds,0 %r1, _f16s 0x12345, %r3", 4, 1, 13, "does not fit 16 bits"},
        Wrong{"adds,0 %r1, label, %r3", 4, 1, 13, "symbol is not defined"},
        Wrong{"adds,0 %r1, 1 +, %r3", 4, 1, 16, "a number or a symbol expected"},
        Wrong{"adds,0 %r1, 1/0, %r3", 4, 1, 16, "division by zero"},
        Wrong{"adds,0 %r1, 09, %r3", 4, 1, 13, "not a number"},
        Wrong{"adds,0 %r1, %r2, %r3 ? %r4", 4, 1, 24, "%predN or %pcntN expected"},
        Wrong{"adds,0 %r1, %r2, %r3 ? %pred32", 4, 1, 24, "numbers 0 to 31"},
        Wrong{"adds,0 %r1, %r2, %r3 ? %pred1, %pred2", 4, 1, 38, "one %pred and one %pcnt"},
        Wrong{"adds,0 %r1, %r2, %r3 %r4", 4, 1, 22, "nothing more expected"},
        Wrong{"merges,0 %r1, %r2, %r3", 4, 1, 23, "a merge needs its predicate"},
        Wrong{"adds,0 %r1, %r2, %r3, mas = 4", 4, 1, 1, "takes no `mas`"},
        Wrong{"cmpesb,0 %r1, %r2, %r3", 4, 1, 20, "the result goes to %predN"},
        Wrong{"rrd,0 %dr1, %dr2", 4, 1, 7, "a state register expected"},
        Wrong{"ldd,0 [%dr1 - 8], %dr2", 4, 1, 13, "`]` expected"},
        Wrong{"adds %r1, %r2, %r3\nadds %r1, %r2, %r3\nadds %r1, %r2, %r3\nadds %r1, %r2, %r3\n"
              "adds %r1, %r2, %r3\nadds %r1, %r2, %r3\nadds %r1, %r2, %r3",
              4, 7, 1, "more than six operations"},
        Wrong{"udivd %dr1, %dr2, %dr3\nudivd %dr1, %dr2, %dr4", 4, 2, 1, "channels do not suffice"},
        Wrong{"addd,0 0, 0x111111111, %dr1\naddd,1 0, 0x222222222, %dr1\n"
              "addd,2 0, 0x333333333, %dr1",
              4, 1, 1, "do not fit its four words"},
        Wrong{"ldd,3 [%dr1], %dr2\nstd,2 %dr3, [%dr4]", 4, 2, 1, "mirrored channels"},
        Wrong{"addd,1 0, 1, %ctpr1", 4, 1, 1, "only an unguarded move in channel 0"},
        Wrong{"ct %ctpr4", 4, 1, 4, "%ctpr1, %ctpr2 or %ctpr3"},
        Wrong{"ct %ctpr1 ? %pcnt1", 4, 1, 13, "a transfer takes %pred"},
        Wrong{"ct %ctpr1\nct %ctpr2", 4, 2, 1, "another transfer"},
        Wrong{"disp %ctpr1, 1\nsdisp %ctpr2, 1", 4, 2, 1, "another operation in CS0"},
        Wrong{"call %ctpr1, wbs = 4\nsetwd wsz = 8", 4, 2, 1, "CS1 already holds call"},
        Wrong{"wait", 4, 1, 5, "field is not known"},
        Wrong{"wait all_c = 0", 4, 1, 1, "needs a condition that is 1"},
        Wrong{"setwd wsz = 200", 4, 1, 13, "wsz is a number from 0 to 127"},
        Wrong{"andp @p0, @p1, @p4", 4, 1, 1, "@p0 has no source"},
        Wrong{"pass %pred0, @p9", 4, 1, 14, "@p0 to @p3 expected"},
        Wrong{"pass %pred0, @p0\npass %pred1, @p1\nandp @p0, @p5, @p4", 4, 1, 1,
              "@p4 cannot read @p5"},
        Wrong{"movaq,1 area = 0, %r4", 4, 1, 7, "channel 0 or 2"},
        Wrong{"movaqp,0 area = 0, %r4", 4, 1, 1, "needs elbrus-v5"},
        Wrong{"incr,2 %aaincr1", 4, 1, 1, "incr follows the array store"},
        Wrong{"fapb fmt = 1", 4, 1, 1, "`ct` or `dpl`"}));

TEST(AssemblerReference, ExampleOfEveryArithmeticRow) {
    const auto path = test::shared_path("isa/opcodes_examples.csv");
    if (path.empty()) GTEST_SKIP() << "../shared/isa/opcodes_examples.csv is absent";
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    test::Tally tally;
    while (std::getline(in, line)) {
        // mnemonic,iset,"asm",words,"objdump"
        const auto iset_at = line.find(',') + 1;
        const auto open = line.find('"'), close = line.find('"', open + 1);
        const auto end = line.find(',', close + 2);
        const int iset = line[iset_at] - '0';
        const auto source = line.substr(open + 1, close - open - 1);
        const auto expected = line.substr(close + 2, end - close - 2);
        const auto found = words(assemble(source, {.iset = iset, .data_last = true}));
        tally.check(found == expected,
                    [&] { return line + "\n  got " + found + "\n  for " + source; });
    }
    EXPECT_GT(tally.total(), 2000u);
    EXPECT_EQ(tally.failed(), 0u) << tally.report();
}

TEST(AssemblerRobustness, DamagedTextIsRefusedOrAssembled) {
    std::vector<std::string> lines;
    test::for_each_record(test::vector_path("decode_sample.jsonl"),
                          [&](const test::DecodeRecord& r) {
                              lines.insert(lines.end(), r.text.begin(), r.text.end());
                          });
    ASSERT_GT(lines.size(), 300u);
    constexpr std::string_view kAlphabet = "%@~?,.[]{}()=|&<>*/+-_ \t019afrbdgqpsm\x01\xff";
    std::mt19937 random(11);
    unsigned refused = 0, built = 0;
    for (int n = 0; n < 30'000; ++n) {
        std::string source = lines[random() % lines.size()];
        for (unsigned edits = 1 + random() % 4; edits-- > 0 && !source.empty();) {
            const auto at = random() % source.size();
            const char with = kAlphabet[random() % kAlphabet.size()];
            switch (random() % 3) {
                case 0:
                    source[at] = with;
                    break;
                case 1:
                    source.insert(at, 1, with);
                    break;
                default:
                    source.erase(at, 1);
            }
        }
        const auto result = assemble(source, 5);
        ++(result ? built : refused);
        if (result) {
            ASSERT_TRUE(decode(*result, 0x1000, 5) || result->size() == 16) << source;
        } else {
            ASSERT_FALSE(result.error().front().message.empty()) << source;
        }
    }
    EXPECT_GT(refused, 1000u);
    EXPECT_GT(built, 500u);
}

}  // namespace
}  // namespace e2k::isa
