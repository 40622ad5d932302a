// The text of every decode vector assembled again: the bytes of the E2K assembler where the
// vectors have them, always the same text.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/isa/assembler/assembler.h"
#include "engine/isa/disassembler.h"
#include "tests/isa/vectors.h"

namespace e2k::isa {
namespace {

using test::DecodeRecord;
using test::Tally;
using Bytes = std::vector<std::uint8_t>;

tl::expected<Bytes, AssemblyErrors> assemble(const std::vector<std::string>& text,
                                             std::uint64_t address, int iset, bool listing = true) {
    std::vector<SourceLine> lines;
    lines.reserve(text.size());
    for (const std::string& line : text)
        lines.push_back({line, static_cast<int>(lines.size()) + 1, 1});
    return assemble_bundle(lines, address, {.iset = iset, .listing = listing});
}

std::string hex(const Bytes& bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (const std::uint8_t b : bytes) (out += kDigits[b >> 4]) += kDigits[b & 15];
    return out;
}

/// Names that stand for several operations or none cannot be read back.
bool readable(const std::vector<std::string>& text) {
    return std::none_of(text.begin(), text.end(), [](const std::string& line) {
        return line.starts_with("ambiguous") || line.starts_with("unrecognized") ||
               line.starts_with("aaurr") || line.starts_with("unimp ");
    });
}

/// Operations without a trace in listings are taken from the assembler input of the vector.
bool unseen(const DecodeRecord& r) {
    return std::any_of(r.asm_in.begin(), r.asm_in.end(), [](const std::string& line) {
        return line == "set_mark" || line == "flushts";
    });
}

/// The text of the bytes, with the assembler's own names where objdump has none.
std::vector<std::string> listing_of(const Bytes& bytes, const DecodeRecord& r) {
    const auto bundle = decode(bytes, r.address, r.iset);
    return bundle ? disassemble(*bundle, DisassemblyStyle::native())
                  : std::vector<std::string>{bundle.error().message()};
}

/// The order of two guards of one operation means nothing.
std::vector<std::string> with_sorted_guards(std::vector<std::string> lines) {
    for (std::string& line : lines) {
        const auto at = line.find(" ? "), comma = line.find(", ", at == line.npos ? 0 : at);
        if (at == line.npos || comma == line.npos) continue;
        const auto first = line.substr(at + 3, comma - at - 3), second = line.substr(comma + 2);
        if (second < first) line = line.substr(0, at + 3) + second + ", " + first;
    }
    return lines;
}

void check_bundle(const DecodeRecord& r, Tally& text, Tally& bytes) {
    const auto listing = listing_of(r.bytes, r);
    const auto source = unseen(r) ? r.asm_in : listing;
    if (!readable(source)) return;
    const auto built = assemble(source, r.address, r.iset, !unseen(r));
    if (!built) {
        text.check(false, [&] {
            return r.id + " " + built.error().front().describe("listing") + "\n" +
                   test::join(source);
        });
        return;
    }
    const auto again = listing_of(*built, r);
    text.check(with_sorted_guards(again) == with_sorted_guards(listing), [&] {
        return r.id + " " + hex(*built) + "\n  expected\n" + test::join(listing) + "  got\n" +
               test::join(again);
    });
    if (!r.source.starts_with("gas")) return;
    bytes.check(*built == r.bytes, [&] {
        return r.id + " v" + std::to_string(r.iset) + "\n  expected " + hex(r.bytes) +
               "\n  got      " + hex(*built) + "\n" + test::join(source);
    });
}

/// A half without format shows nothing but that, so texts are compared.
void check_asynchronous(const DecodeRecord& r, Tally& text) {
    const auto built = assemble(r.text, r.address, r.iset);
    std::array<std::uint32_t, 4> words{};
    if (built && built->size() == sizeof words) std::memcpy(words.data(), built->data(), 16);
    text.check(built && disassemble_async(words, r.iset) == r.text,
               [&] { return r.id + "\n" + test::join(r.text); });
}

class AssembleListing : public testing::TestWithParam<const char*> {};

TEST_P(AssembleListing, RoundTrip) {
    const auto path = test::vector_path(GetParam());
    if (path.empty()) GTEST_SKIP() << "../shared/vectors/" << GetParam() << " is absent";
    Tally text, bytes;
    ASSERT_TRUE(test::for_each_record(path, [&](const DecodeRecord& r) {
        r.source == "apb" ? check_asynchronous(r, text) : check_bundle(r, text, bytes);
    }));
    RecordProperty("bundles", static_cast<int>(text.total()));
    RecordProperty("compared bytes", static_cast<int>(bytes.total()));
    EXPECT_GT(text.total(), 300u);
    EXPECT_EQ(text.failed(), 0u) << text.report();
    EXPECT_EQ(bytes.failed(), 0u) << bytes.report();
}

INSTANTIATE_TEST_SUITE_P(Isa, AssembleListing,
                         testing::Values("decode_sample.jsonl", "decode_real.jsonl.gz",
                                         "decode_synth.jsonl.gz", "decode_gasonly.jsonl.gz"),
                         [](const auto& info) {
                             const std::string name = info.param;
                             return name.substr(0, name.find('.'));
                         });

}  // namespace
}  // namespace e2k::isa
