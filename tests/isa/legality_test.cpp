// Contents that decode and must not execute (bundles.md §6), beyond what the vectors cover.
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/isa/assembler/assembler.h"
#include "engine/isa/bundle.h"
#include "engine/isa/disassembler.h"

namespace e2k::isa {
namespace {

Bundle decoded(const std::vector<std::uint32_t>& words, int iset = 6) {
    std::vector<std::uint8_t> bytes(words.size() * 4);
    std::memcpy(bytes.data(), words.data(), bytes.size());
    const auto bundle = decode(bytes, 0x1000, iset);
    EXPECT_TRUE(bundle) << (bundle ? "" : bundle.error().message());
    return bundle ? *bundle : Bundle{};
}

TEST(Legality, AnExtensionNeedsItsOperation) {
    for (int channel = 0; channel < kChannels; ++channel) {
        SCOPED_TRACE(channel);
        // Channels 0, 1, 3 and 4 have a half-syllable behind the header; 2 and 5 an implied one.
        const bool stored = channel % 3 != 2;
        std::uint32_t header = 1u << (20 + channel);
        std::vector<std::uint32_t> words{header, stored ? 0x01c0'0000u : 0};
        const auto bundle = decoded(words);
        const auto result = check_legal(bundle);
        EXPECT_FALSE(result.legal);
        EXPECT_EQ(result.why.trap, Illegality::Trap::IllegalOpcode);
        EXPECT_EQ(result.why.channel, channel);
        EXPECT_NE(result.why.message().find("HS bit " + std::to_string(20 + channel)),
                  std::string::npos)
            << result.why.message();
    }
}

using Lines = std::vector<std::string>;

/// Bytes of a bundle; what the assembler warns about goes to `warnings`.
std::vector<std::uint8_t> assembled(const Lines& lines, int iset, AssemblyErrors* warnings) {
    std::vector<SourceLine> source;
    for (const std::string& line : lines) source.push_back({line});
    AssemblerOptions options;
    options.iset = iset;
    options.warnings = warnings;
    const auto bytes = assemble_bundle(source, 0x1000, options);
    EXPECT_TRUE(bytes) << bytes.error().front().message;
    return bytes ? *bytes : std::vector<std::uint8_t>{};
}

TEST(Legality, TwoResultsForOnePredicateAreAssembledWithAWarningAndIllegal) {
    const Lines inputs{"pass %pred0, @p0", "pass %pred1, @p1", "landp @p0, @p1, @p4"};
    const auto check = [&](const Lines& results, bool legal) {
        Lines lines = inputs;
        lines.insert(lines.end(), results.begin(), results.end());
        AssemblyErrors warnings;
        const auto bytes = assembled(lines, 6, &warnings);
        const auto bundle = decode(bytes, 0x1000, 6);
        ASSERT_TRUE(bundle);
        const auto result = check_legal(*bundle);
        EXPECT_EQ(result.legal, legal) << result.why.message();
        EXPECT_EQ(warnings.empty(), legal);
        if (!legal) {
            EXPECT_EQ(result.why.trap, Illegality::Trap::IllegalOperand);
            EXPECT_NE(warnings.front().message.find("two results"), std::string::npos);
            EXPECT_TRUE(warnings.front().warning);
        }
    };
    check({"landp @p0, ~@p1, @p5", "pass @p4, %pred2", "pass @p5, %pred3"}, true);
    check({"landp @p0, ~@p1, @p5", "pass @p4, %pred2", "pass @p5, %pred2"}, false);
    // A conditional move counts, whether its condition holds or not; so does a third element.
    check({"movep @p0, @p1, @p5", "pass @p4, %pred2", "pass @p5, %pred2"}, false);
    check({"andp @p0, @p1, @p5", "landp @p4, @p5, @p6", "pass @p4, %pred2", "pass @p6, %pred2"},
          false);
    check({"andp @p0, @p1, @p5", "landp @p4, @p5, @p6", "pass @p5, %pred2", "pass @p6, %pred2"},
          false);
    // One of two elements that name a predicate does not write it.
    check({"landp @p0, ~@p4, @p5", "pass @p5, %pred2"}, true);
}

TEST(ArrayStores, NarrowOnesKeepTheirNameWhateverTheirMas) {
    for (const int iset : {2, 4, 6})
        for (const char* name : {"staab", "staah"}) {
            SCOPED_TRACE(std::string(name) + " v" + std::to_string(iset));
            const std::string line = std::string(name) + ",2 %r2, %aad1 [ %aasti1 ], mas = 0x3f";
            const auto bytes = assembled({line}, iset, nullptr);
            const auto bundle = decode(bytes, 0x1000, iset);
            ASSERT_TRUE(bundle);
            EXPECT_TRUE(check_legal(*bundle).legal) << check_legal(*bundle).why.message();
            EXPECT_EQ(disassemble(*bundle), Lines{line});
            EXPECT_EQ(bundle->als[2].op->mnemonic, name);
        }
    // Wider ones are register writes.
    const auto bytes = assembled({"staaw,2 %r2, %aad0 [ %aasti1 ], mas = 0x3f"}, 2, nullptr);
    const auto bundle = decode(bytes, 0x1000, 2);
    ASSERT_TRUE(bundle);
    EXPECT_EQ(bundle->als[2].op->mnemonic, "aaurw");
}

}  // namespace
}  // namespace e2k::isa
