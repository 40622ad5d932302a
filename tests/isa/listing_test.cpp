// Linear listings: symbols, targets, resynchronisation, array programs, folded zeros.
#include <gtest/gtest.h>

#include <cstring>

#include "engine/isa/listing.h"

namespace e2k::isa {
namespace {

using Kind = ListingRow::Kind;
constexpr std::uint64_t kStart = 0x10000;

std::vector<std::uint8_t> code(std::initializer_list<std::uint32_t> words) {
    std::vector<std::uint8_t> bytes(words.size() * 4);
    std::memcpy(bytes.data(), words.begin(), bytes.size());
    return bytes;
}

std::optional<SymbolAt> main_symbol(std::uint64_t address) {
    if (address < kStart) return std::nullopt;
    return SymbolAt{"main", address - kStart};
}

ListingOptions with_symbols() {
    ListingOptions options;
    options.symbols = main_symbol;
    return options;
}

TEST(Listing, NamesSymbolsAndTargets) {
    // disp %ctpr1, +0x10; ibranch 0x10 ? %pred1
    const auto rows =
        list_code(code({0x00004001, 0x40000002, 0x00005012, 0xc0000041, 0x00000002, 0}), kStart,
                  with_symbols());
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].label, "main");
    EXPECT_EQ(rows[0].target, kStart + 0x10);
    ASSERT_EQ(rows[0].lines.size(), 1u);
    EXPECT_EQ(rows[0].lines[0].text, "disp %ctpr1, 0x10010 <main+0x10>");
    EXPECT_EQ(rows[1].label, "");
    EXPECT_EQ(rows[1].lines.back().text, "ibranch 0x10018 <main+0x18> ? %pred1");
}

TEST(Listing, GoesOnBehindBytesThatAreNoBundle) {
    const auto bytes = code({0x0000000f, 0, 0x04000001, 0x10818283, 0xffffffff});
    const auto rows = list_code(bytes, kStart, {});
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].kind, Kind::Invalid);
    EXPECT_EQ(rows[0].length, 8u);
    EXPECT_NE(rows[0].problem.find("HS"), std::string::npos);
    EXPECT_EQ(rows[1].lines.at(0).text, "adds,0 %r1, %r2, %r3");
    EXPECT_EQ(rows[2].kind, Kind::Invalid);
    EXPECT_EQ(rows[2].length, 4u);
}

TEST(Listing, StartsAtTheNextMultipleOfEight) {
    auto bytes = code({0, 0x04000001, 0x10818283});
    const auto rows = list_code(bytes, kStart + 4, {});
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].kind, Kind::Invalid);
    EXPECT_EQ(rows[0].length, 4u);
    EXPECT_EQ(rows[1].address, kStart + 8);
}

TEST(Listing, FoldsEmptyBundlesUnlessToldNotTo) {
    const auto bytes = code({0, 0, 0, 0, 0, 0, 0x04000001, 0x10818283});
    ListingOptions options;
    auto rows = list_code(bytes, kStart, options);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].kind, Kind::Zeros);
    EXPECT_EQ(rows[0].length, 24u);
    options.skip_zeros = false;
    EXPECT_EQ(list_code(bytes, kStart, options).size(), 4u);
}

TEST(Listing, DoesNotFoldOverASymbol) {
    ListingOptions options;
    options.symbols = [](std::uint64_t address) -> std::optional<SymbolAt> {
        if (address < kStart + 16) return std::nullopt;
        return SymbolAt{"f", address - (kStart + 16)};
    };
    const auto rows = list_code(code({0, 0, 0, 0, 0, 0, 0, 0}), kStart, options);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].length, 16u);
    EXPECT_EQ(rows[1].label, "f");
}

TEST(Listing, FollowsLdispToArrayPrograms) {
    // ldisp %ctpr2, +8; one entry of a prefetch program (bundles.md §7, example 20)
    const auto rows = list_code(
        code({0x00004001, 0x90000001, 0x98813541, 0x00000010, 0x06008000, 0x00000000}), kStart, {});
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[1].kind, Kind::Async);
    ASSERT_EQ(rows[1].lines.size(), 2u);
    EXPECT_TRUE(rows[1].lines[0].text.starts_with("apb ct=1, dcd=1, fmt=4, mrng=8, d=2"));
}

TEST(Listing, SaysWhyABundleMustNotExecute) {
    const auto rows = list_code(code({0x04000001, 0x2a818283}), kStart, {});  // opcode 0x2a, v4
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_NE(rows[0].problem.find("ALS0"), std::string::npos) << rows[0].problem;
}

TEST(Listing, StopsWhenTheCallerHasEnough) {
    unsigned seen = 0;
    const auto bytes = code({0x80, 0, 0x80, 0, 0x80, 0});
    list_code(bytes, kStart, {}, [&](const ListingRow&) { return ++seen < 2; });
    EXPECT_EQ(seen, 2u);
}

TEST(Listing, PrintsLikeADisassembler) {
    auto options = with_symbols();
    options.show_words = true;
    const auto rows = list_code(code({0x04000001, 0x10818283}), kStart, options);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(to_text(rows[0], options),
              "\n0000000000010000 <main>:\n   10000: 04000001 10818283\n"
              "  adds,0 %r1, %r2, %r3\n\n");
}

}  // namespace
}  // namespace e2k::isa
