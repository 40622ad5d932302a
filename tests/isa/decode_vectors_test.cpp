// Every decode vector: text of valid bundles, errors of invalid ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <regex>

#include "engine/isa/disassembler.h"
#include "tests/isa/vectors.h"

namespace e2k::isa {
namespace {

using test::DecodeRecord;
using test::Tally;

std::vector<std::string> lines_of(const DecodeRecord& r, const DisassemblyStyle& style) {
    if (r.source == "apb") {
        std::array<std::uint32_t, 4> words{};
        std::memcpy(words.data(), r.bytes.data(), std::min<std::size_t>(16, r.bytes.size()));
        return disassemble_async(words, r.iset);
    }
    const auto bundle = decode(r.bytes, r.address, r.iset);
    if (!bundle) return {"decode error: " + bundle.error().message()};
    return disassemble(*bundle, style);
}

void expect_lines(Tally& tally, const DecodeRecord& r, std::span<const std::string> expected,
                  const DisassemblyStyle& style) {
    const auto got = lines_of(r, style);
    tally.check(std::equal(got.begin(), got.end(), expected.begin(), expected.end()), [&] {
        return r.id + " iset " + std::to_string(r.iset) + "\n  expected\n" + test::join(expected) +
               "  got\n" + test::join(got);
    });
}

bool any_line(const DecodeRecord& r, const std::string& pattern) {
    const std::regex regex(pattern);
    return std::any_of(r.text.begin(), r.text.end(),
                       [&](const std::string& l) { return std::regex_search(l, regex); });
}

bool is_lone_pair_member(const Bundle& b, int channel) {
    const AlsOp& a = b.als[static_cast<std::size_t>(channel)];
    if (!a.op || a.op->pair == Pair::None) return false;
    const bool across = a.op->pair == Pair::P25;  // other pairs lie in one cluster
    for (int c = 0; c < kChannels; ++c)
        if (c != channel && (across || c / 3 == channel / 3) && b.has_als(c) &&
            b.als[static_cast<std::size_t>(c)].op == a.op)
            return false;
    return true;
}

/// decode_synth is assembler output, and the assembler accepts what hardware refuses: mirrored
/// load/store pairs, odd quads, any write of %ctpr, two results for one predicate; and single
/// halves of two-channel operations that its generator made. A refusal must be justified by the
/// printed text.
bool refusal_is_justified(const DecodeRecord& r, const Bundle& bundle, const Illegality& why) {
    const auto about = [&](const char* words) {
        return why.reason.find(words) != std::string_view::npos;
    };
    if (about("mirrored"))
        return (any_line(r, "^ld[a-z]*,3") && any_line(r, "^st[a-z]*,2")) ||
               (any_line(r, "^ld[a-z]*,0") && any_line(r, "^st([a-z]*,5|[a-z]*q,2)"));
    if (about("odd register")) return any_line(r, "^(?!mova).*%q([rg]|b\\[)[0-9]*[13579]\\b");
    if (about("%ctpr")) return any_line(r, "^[a-z]+,[0-5].*, %ctpr[123]");
    if (about("two results")) {
        std::vector<std::string> targets;
        std::smatch match;
        for (const std::string& line : r.text)
            if (std::regex_match(line, match, std::regex("pass @p[0-9], (%pred[0-9]+)")))
                targets.push_back(match[1]);
        std::ranges::sort(targets);
        return std::ranges::adjacent_find(targets) != targets.end();
    }
    if (about("two-channel")) return r.source != "gas" && is_lone_pair_member(bundle, why.channel);
    return false;
}

void expect_legal(Tally& tally, const DecodeRecord& r) {
    if (r.source == "apb") return;
    const auto bundle = decode(r.bytes, r.address, r.iset);
    if (!bundle) return;  // counted by the text test
    const auto legality = check_legal(*bundle);
    tally.check(
        legality.legal || (r.source != "real" && refusal_is_justified(r, *bundle, legality.why)),
        [&] {
            return r.id + " (" + r.source + "): " + legality.why.message() + "\n" +
                   test::join(r.text);
        });
}

/// The assembler ignores register prefixes and accepts any spelling of a number.
std::string without_spelling(const std::string& line) {
    return std::regex_replace(line, std::regex("%(?:d|qp|q)(r|g|b\\[)([0-9])"), "%$1$2");
}

void expect_native(Tally& tally, const DecodeRecord& r) {
    auto got = lines_of(r, DisassemblyStyle::native());
    auto expected = r.text;
    for (auto* lines : {&got, &expected})
        for (auto& line : *lines) line = without_spelling(line);
    tally.check(got == expected, [&] {
        return r.id + "\n  expected\n" + test::join(expected) + "  got\n" + test::join(got);
    });
}

class DecodeFile : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        path_ = test::vector_path(GetParam());
        if (path_.empty()) GTEST_SKIP() << "../shared/vectors/" << GetParam() << " is absent";
    }
    std::string path_;
};

TEST_P(DecodeFile, TextEqualsObjdump) {
    Tally tally;
    ASSERT_TRUE(test::for_each_record(path_, [&](const DecodeRecord& r) {
        // Records of "gasonly" hold objdump's text in `stock`; elsewhere `stock` is what objdump
        // prints because of its version quirk.
        const bool printed_badly = r.id.starts_with("dpg");
        expect_lines(tally, r, printed_badly ? r.stock : r.text, {});
        if (printed_badly) expect_native(tally, r);
    }));
    EXPECT_GT(tally.total(), 400u);
    EXPECT_EQ(tally.failed(), 0u) << tally.report();
}

TEST_P(DecodeFile, ValidBundlesAreLegal) {
    Tally tally;
    ASSERT_TRUE(
        test::for_each_record(path_, [&](const DecodeRecord& r) { expect_legal(tally, r); }));
    EXPECT_EQ(tally.failed(), 0u) << tally.report();
}

std::string file_name(const testing::TestParamInfo<const char*>& info) {
    const std::string name = info.param;
    return name.substr(0, name.find('.'));
}

TEST_P(DecodeFile, ReusedStorageHoldsWhatNewStorageHolds) {
    Tally tally;
    Bundle reused;
    ASSERT_TRUE(test::for_each_record(path_, [&](const DecodeRecord& r) {
        // A cut copy first: what a failed decoding leaves behind must not show either.
        const auto cut = std::span(r.bytes).first(r.bytes.size() / 2);
        (void)decode_into(reused, cut, r.address, r.iset);
        const auto fresh = decode(r.bytes, r.address, r.iset);
        const auto done = decode_into(reused, r.bytes, r.address, r.iset);
        tally.check(fresh.has_value() == done.has_value() && (!fresh || *fresh == reused),
                    [&] { return r.id; });
    }));
    EXPECT_EQ(tally.failed(), 0u) << tally.report();
}

INSTANTIATE_TEST_SUITE_P(Isa, DecodeFile,
                         testing::Values("decode_sample.jsonl", "decode_real.jsonl.gz",
                                         "decode_synth.jsonl.gz", "decode_gasonly.jsonl.gz"),
                         file_name);

TEST(DecodeSynth, ArrayUnitAccessesPrintTheirMeaning) {
    const auto path = test::shared_path("vectors/decode_synth.jsonl.gz");
    if (path.empty()) GTEST_SKIP() << "../shared/vectors/decode_synth.jsonl.gz is absent";
    Tally tally;
    test::for_each_record(path, [&](const DecodeRecord& r) {
        if (r.asm_in.empty() || !r.asm_in[0].starts_with("aaurw")) return;
        auto expected = r.asm_in;
        // aaurws is the assembler's second name of aaurw.
        if (expected[0].starts_with("aaurws,")) expected[0].erase(5, 1);
        expect_lines(tally, r, expected, DisassemblyStyle::native());
    });
    EXPECT_GT(tally.total(), 100u);
    EXPECT_EQ(tally.failed(), 0u) << tally.report();
}

/// What an invalid record must be refused with.
struct Expected {
    const char* reason;
    std::vector<DecodeError::Kind> errors;  ///< empty: decodes, `check_legal` refuses
    const char* words;                      ///< part of the message of check_legal
};

const std::map<std::string, Expected>& expectations() {
    using Kind = DecodeError::Kind;
    static const std::map<std::string, Expected> all = [] {
        std::map<std::string, Expected> m;
        for (const Expected& e : std::initializer_list<Expected>{
                 {"truncated", {Kind::Truncated}, ""},
                 {"f1-size-mismatch", {Kind::FrontSizeMismatch, Kind::LengthTooSmall}, ""},
                 {"length-too-small", {Kind::LengthTooSmall, Kind::FrontSizeMismatch}, ""},
                 {"reserved-opcode", {}, "bits 30..24: no operation of this version"},
                 {"not-in-iset", {}, "bits 30..24: no operation of this version"},
                 {"illegal-literal", {}, "bits 15..8: a 16-bit literal outside"},
                 {"missing-literal", {}, "LTS word does not exist"},
                 {"illegal-operand", {}, "is not a register"},
                 {"reserved-destination", {}, "bits 7..0: reserved destination"},
                 {"ibranch-without-ss", {}, "CS0 bits 31..28: this transfer needs SS"},
                 {"ibranch-with-ctop", {}, "SS bits 11..10: a direct transfer in CS0"},
                 {"setwd-without-lts0", {}, "CS1 bits 31..28: setwd without"},
                 {"gettsd-type", {}, "CS0 bits 2..0"},
                 {"reserved-cs1", {}, "CS1 bits 31..28: reserved"},
                 {"reserved-ct-condition", {}, "SS bits 8..5: reserved condition type"},
                 {"reserved-clp", {}, "bits 15..14: reserved PLU operation"},
                 {"reserved-mova", {}, "bits 14..12: reserved array load"},
                 {"invalid-rlp-predicate", {}, "predicate code in CDS"},
                 {"illegal-plu-argument", {}, "local predicate"},
                 {"store-load-mirror", {}, "mirrored channels"},
                 {"two-pred-conditions", {}, "two %pred"},
             })
            m.emplace(e.reason, e);
        return m;
    }();
    return all;
}

std::string verdict(const DecodeRecord& r, bool& ok) {
    const auto known = expectations().find(r.reason);
    ok = false;
    if (known == expectations().end()) return "unknown reason " + r.reason;
    const Expected& e = known->second;
    const auto bundle = decode(r.bytes, r.address, r.iset);
    if (!bundle) {
        const auto message = bundle.error().message();
        ok = std::find(e.errors.begin(), e.errors.end(), bundle.error().kind) != e.errors.end() &&
             message.starts_with("HS bits ");
        return "decode error: " + message;
    }
    const auto legality = check_legal(*bundle);
    if (legality.legal) return "accepted";
    const auto message = legality.why.message();
    ok = e.errors.empty() && message.find(e.words) != std::string::npos;
    return "illegal: " + message;
}

class DecodeInvalid : public DecodeFile {};

TEST_P(DecodeInvalid, IsRefusedNamingWhatIsWrong) {
    Tally tally;
    ASSERT_TRUE(test::for_each_record(path_, [&](const DecodeRecord& r) {
        bool ok = false;
        const auto got = verdict(r, ok);
        tally.check(ok, [&] {
            return r.id + " iset " + std::to_string(r.iset) + " " + r.reason + " (" + r.detail +
                   "): " + got + "\n" + test::join(r.text);
        });
    }));
    EXPECT_GT(tally.total(), 100u);
    EXPECT_EQ(tally.failed(), 0u) << tally.report();
}

TEST_P(DecodeInvalid, TextEqualsObjdump) {
    Tally tally;
    ASSERT_TRUE(test::for_each_record(path_, [&](const DecodeRecord& r) {
        if (decode(r.bytes, r.address, r.iset)) expect_lines(tally, r, r.text, {});
    }));
    EXPECT_GT(tally.total(), 50u);
    EXPECT_EQ(tally.failed(), 0u) << tally.report();
}

INSTANTIATE_TEST_SUITE_P(Isa, DecodeInvalid,
                         testing::Values("invalid_sample.jsonl", "invalid.jsonl.gz"), file_name);

}  // namespace
}  // namespace e2k::isa
