// Bit fields of syllables: complete, without overlap, and saying the right thing.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "engine/isa/describe.h"
#include "tests/isa/vectors.h"

namespace e2k::isa {
namespace {

std::string problem_with(const Bundle& b) {
    std::array<std::uint32_t, kMaxWords> covered{};
    for (const SyllableView& s : describe_syllables(b)) {
        const std::uint64_t mask = ((std::uint64_t{1} << s.width) - 1) << s.low_bit;
        if (s.word >= b.length / 4u) return s.name + " lies outside the bundle";
        if (covered[s.word] & mask) return s.name + " overlaps another part";
        covered[s.word] |= static_cast<std::uint32_t>(mask);
        if (s.raw != (b.words[s.word] & mask) >> s.low_bit) return s.name + " has other bits";
        int next = s.width;
        std::uint64_t value = 0;
        for (const BitField& f : s.fields) {
            if (f.high + 1 != next) return fmt::format("{}.{} leaves a gap", s.name, f.name);
            value |= static_cast<std::uint64_t>(f.value) << f.low;
            next = f.low;
        }
        if (next != 0) return s.name + " ends early";
        if (value != s.raw) return s.name + " fields do not make up its bits";
    }
    for (unsigned w = 0; w < b.length / 4u; ++w)
        if (covered[w] != 0xffff'ffff) return fmt::format("word {} is not covered", w);
    return {};
}

void expect_complete(const std::string& path) {
    test::Tally tally;
    ASSERT_TRUE(test::for_each_record(path, [&](const test::DecodeRecord& r) {
        if (r.source == "apb") return;
        const auto bundle = decode(r.bytes, r.address, r.iset);
        if (!bundle) return;
        const auto problem = problem_with(*bundle);
        tally.check(problem.empty(), [&] { return r.id + ": " + problem; });
    }));
    EXPECT_GT(tally.total(), 100u);
    EXPECT_EQ(tally.failed(), 0u) << tally.report();
}

TEST(Syllables, CoverEveryBitOfTheSample) {
    expect_complete(std::string(E2K_SOURCE_DIR) + "/tests/data/decode_sample.jsonl");
    expect_complete(std::string(E2K_SOURCE_DIR) + "/tests/data/invalid_sample.jsonl");
}

TEST(Syllables, CoverEveryBitOfTheVectors) {
    for (const char* name : {"decode_real.jsonl.gz", "decode_synth.jsonl.gz"}) {
        const auto path = test::shared_path(std::string("vectors/") + name);
        if (path.empty()) GTEST_SKIP() << "../shared/vectors/" << name << " is absent";
        expect_complete(path);
    }
}

Bundle decoded(std::initializer_list<std::uint32_t> words, int iset) {
    std::array<std::uint8_t, 64> bytes{};
    std::memcpy(bytes.data(), words.begin(), words.size() * 4);
    const auto bundle = decode(std::span(bytes).first(words.size() * 4), 0, iset);
    EXPECT_TRUE(bundle);
    return bundle ? *bundle : Bundle{};
}

const SyllableView* find(const std::vector<SyllableView>& all, std::string_view name) {
    for (const SyllableView& s : all)
        if (s.name == name) return &s;
    return nullptr;
}

/// Meaning of "SYLLABLE.field".
std::string meaning(const Bundle& b, std::string_view syllable, std::string_view field) {
    const auto all = describe_syllables(b);
    const SyllableView* s = find(all, syllable);
    if (!s) return fmt::format("no {}", syllable);
    for (const BitField& f : s->fields)
        if (f.name == field) return f.meaning;
    return "no field";
}

TEST(Syllables, NameWhatTheyHold) {  // bundles.md §7, example 23
    const auto b = decoded({0x10418022, 0x1f22b683, 0x60004000, 0x00000064, 0, 0x10612062}, 2);
    EXPECT_EQ(meaning(b, "HS", "al"), "ALS2");
    EXPECT_EQ(meaning(b, "HS", "lng"), "24 bytes");
    EXPECT_EQ(meaning(b, "ALS2", "cop"), "staad");
    EXPECT_EQ(meaning(b, "ALS2", "d"), "%aad4");
    EXPECT_EQ(meaning(b, "ALS2", "incr"), "%aaincr3");
    EXPECT_EQ(meaning(b, "ALS2", "data"), "%dr3");
    EXPECT_EQ(meaning(b, "CS1", "opc"), "memory access specifiers");
    EXPECT_EQ(meaning(b, "LTS1", "literal"), "offset of ALS2");
    EXPECT_EQ(meaning(b, "LTS0", "literal"), "not referenced: padding");
    EXPECT_EQ(meaning(b, "CDS0.hi", "mask"), "ALC2");
    EXPECT_EQ(meaning(b, "CDS0.lo", "mask"), "incr of ALC2");
    EXPECT_EQ(meaning(b, "CDS0.lo", "pred"), "%pred2");
}

TEST(Syllables, FindHalfSyllablesWhereTheyLie) {  // bundles.md §7, example 26
    const auto b = decoded({0xfff41078, 0xc000f000, 0x0880d880, 0x08808081, 0x08808082, 0x08808083,
                            0x08808084, 0x08808085, 0x0c830c86, 0x0c810c82, 0x0c840c85, 0x81828384,
                            0x10002040, 0x308040c1, 0xffffffff, 0x60600060},
                           4);
    const auto all = describe_syllables(b);
    const auto expect_at = [&](std::string_view name, unsigned word, unsigned low, unsigned raw) {
        const SyllableView* s = find(all, name);
        ASSERT_NE(s, nullptr) << name;
        EXPECT_EQ(s->word, word) << name;
        EXPECT_EQ(s->low_bit, low) << name;
        EXPECT_EQ(s->raw, raw) << name;
    };
    expect_at("ALES2", 8, 16, 0x0c83);
    expect_at("ALES5", 8, 0, 0x0c86);
    expect_at("ALES1", 9, 0, 0x0c82);
    expect_at("ALES3", 10, 16, 0x0c84);
    expect_at("AAS1", 11, 0, 0x8384);
    expect_at("AAS5", 13, 0, 0x40c1);
    expect_at("LTS0", 14, 0, 0xffffffff);
    expect_at("PLS0", 15, 0, 0x60600060);
}

TEST(Describe, TellsWhatAnOperationIs) {
    for (const Operation& op : operations()) {
        if (op.mnemonic != "fmad") continue;
        const auto d = describe(op);
        EXPECT_EQ(d.title, "fmad: fused multiply-add");
        EXPECT_EQ(d.operands, "src1 64, src2 64, src3 64 -> dst 64");
        EXPECT_EQ(d.versions, "since v6");
        return;
    }
    FAIL() << "no fmad in the table";
}

}  // namespace
}  // namespace e2k::isa
