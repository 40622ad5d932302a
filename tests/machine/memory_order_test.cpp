// Memory operations of one bundle happen in the order of channels 0, 2, 3, 5, overlapping or not
// (execution.md §3): random bundles, expected values from a model that does one after the other.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/isa/assembler/program.h"
#include "engine/machine/machine.h"

namespace e2k::machine {
namespace {

constexpr unsigned kBuffer = 32, kRecord = kBuffer + 4 * 8, kBundles = 400;

/// A bundle: text of its operations, and the record it must leave behind: the buffer, then the
/// registers that its loads wrote.
struct Case {
    std::string text;
    std::array<std::uint8_t, kRecord> expected{};
};

enum class Do { Nothing, Load, Store };

/// What stands in channels 0, 2, 3, 5; a store and a load in mirrored channels exclude each other.
std::array<Do, 4> choose(std::mt19937& random) {
    std::array<Do, 4> what{};
    do {
        what[0] = random() % 4 ? Do::Load : Do::Nothing;
        what[1] = std::array{Do::Nothing, Do::Load, Do::Store, Do::Store}[random() % 4];
        what[2] = random() % 4 ? Do::Load : Do::Nothing;
        what[3] = std::array{Do::Nothing, Do::Load, Do::Store, Do::Store}[random() % 4];
    } while ((what[1] == Do::Store && what[2] == Do::Load) ||
             (what[3] == Do::Store && what[0] == Do::Load));
    return what;
}

Case make_case(std::mt19937& random) {
    constexpr std::array kChannel{0, 2, 3, 5};
    constexpr std::string_view kSizes = "bhwd";
    Case c;
    std::array<std::uint8_t, kBuffer> memory{};
    for (unsigned i = 0; i < kBuffer; ++i) memory[i] = static_cast<std::uint8_t>(i + 1);
    std::array<std::uint64_t, 4> loaded{0x11, 0x22, 0x33, 0x44};
    const auto what = choose(random);
    for (unsigned k = 0; k < 4; ++k) {
        if (what[k] == Do::Nothing) continue;
        const unsigned log = random() % 4, size = 1u << log;
        // Mostly close together, so that they overlap; also misaligned.
        const unsigned at = 8 + random() % 9;
        const bool big_endian = random() % 4 == 0;
        const std::string mas = big_endian ? ", mas = 8" : "";
        std::array<std::uint8_t, 8> bytes{};
        if (what[k] == Do::Load) {
            c.text += fmt::format("  ld{},{} [%dr0 + {}], %dr{}{}\n", kSizes[log], kChannel[k], at,
                                  8 + k, mas);
            std::memcpy(bytes.data(), memory.data() + at, size);
            if (big_endian) std::reverse(bytes.begin(), bytes.begin() + size);
            std::memcpy(&loaded[k], bytes.data(), 8);
        } else {
            // The stored register may be the one that a load of this bundle overwrites: the old
            // value counts.
            const unsigned from = random() % 2 ? 4 + k : 8;
            const std::uint64_t value = from == 8 ? 0x11 : 0x0101010101010101ull * (0xa0 + k);
            c.text += fmt::format("  st{},{} %dr{}, [%dr0 + {}]{}\n", kSizes[log], kChannel[k],
                                  from, at, mas);
            std::memcpy(bytes.data(), &value, 8);
            if (big_endian) std::reverse(bytes.begin(), bytes.begin() + size);
            std::memcpy(memory.data() + at, bytes.data(), size);
        }
    }
    std::memcpy(c.expected.data(), memory.data(), kBuffer);
    std::memcpy(c.expected.data() + kBuffer, loaded.data(), sizeof loaded);
    return c;
}

/// A program that runs every bundle on a fresh buffer and registers and writes the records; twice,
/// so that the second time code is warm.
std::string program_of(const std::vector<Case>& cases) {
    std::string text = R"(
        .macro fresh
        { ldd [%dr2 + 0], %dr20 ; ldd [%dr2 + 8], %dr21 }
        { ldd [%dr2 + 16], %dr22 ; ldd [%dr2 + 24], %dr23 }
        { std %dr20, [%dr0 + 0] ; std %dr21, [%dr0 + 8] ; addd 0, 0x11, %dr8 ; addd 0, 0x22, %dr9 }
        { std %dr22, [%dr0 + 16] ; std %dr23, [%dr0 + 24] ; addd 0, 0x33, %dr10 ; addd 0, 0x44, %dr11 }
        .endm
        .macro record
        { std %dr8, [%dr0 + 32] ; std %dr9, [%dr0 + 40] }
        { std %dr10, [%dr0 + 48] ; std %dr11, [%dr0 + 56] ; addd %dr0, 64, %dr0 }
        .endm
        .globl _start
_start: { setwd wsz = 16, nfx = 1, dbl = 1 ; setbn rbs = 12, rsz = 3, rcur = 0
          addd 0, 2, %dr3 }
        { addd 0, pattern, %dr2
          addd 0, _f64 0xa1a1a1a1a1a1a1a1, %dr5 }
        { addd 0, _f64 0xa3a3a3a3a3a3a3a3, %dr7 }
        { addd 0, _f64 0xa0a0a0a0a0a0a0a0, %dr4 }
        { addd 0, _f64 0xa2a2a2a2a2a2a2a2, %dr6 }
again:  { addd 0, records, %dr0 }
)";
    for (const Case& c : cases) text += " fresh\n {\n" + c.text + " }\n record\n";
    text += fmt::format(R"(
        {{ subd %dr3, 1, %dr3 ; cmpedb %dr3, 1, %pred0 ; disp %ctpr1, again }}
        {{ ct %ctpr1 ? ~%pred0 }}
        {{ nop 4 ; sdisp %ctpr1, 3 ; addd 0, 4, %db[0] ; addd 0, 1, %db[1]
          addd 0, records, %db[2] ; addd 0, _f32s {}, %db[3] }}
        {{ call %ctpr1, wbs = 12 }}
        {{ nop 4 ; sdisp %ctpr1, 3 ; addd 0, 1, %db[0] ; addd 0, 0, %db[1] }}
        {{ call %ctpr1, wbs = 12 }}
        .data
        .align 8
pattern: .byte 1)",
                        cases.size() * kRecord);
    for (unsigned i = 1; i < kBuffer; ++i) text += fmt::format(", {}", i + 1);
    return text + fmt::format("\n        .lcomm records, {}, 64\n", cases.size() * kRecord + 64);
}

class MemoryOrder : public testing::TestWithParam<Tier> {};

TEST_P(MemoryOrder, IsThatOfTheChannels) {
    std::mt19937 random(5);
    std::vector<Case> cases;
    while (cases.size() < kBundles) {
        Case c = make_case(random);
        if (!c.text.empty()) cases.push_back(std::move(c));
    }
    const auto program = isa::assemble_program(program_of(cases));
    ASSERT_TRUE(program) << program.error().front().report("order.s");
    const auto elf = isa::write_elf(*program);
    std::string path = testing::TempDir() + "memory-order-XXXXXX";
    const int fd = mkstemp(path.data());
    ASSERT_GE(fd, 0);
    ASSERT_EQ(write(fd, elf.data(), elf.size()), static_cast<ssize_t>(elf.size()));
    close(fd);
    std::string output;
    HeadlessOptions options;
    options.tier = GetParam();
    options.process.argv = {path};
    options.process.streams.output = [&](int, std::string_view text) { output += text; };
    options.process.streams.input = [](char*, std::size_t) { return std::size_t{0}; };
    const auto result = run_headless(path, std::move(options));
    unlink(path.c_str());
    ASSERT_TRUE(result) << result.error();
    ASSERT_FALSE(result->failed) << result->detail;
    if (GetParam() == Tier::Translator) {
        EXPECT_GT(result->translation.bundles_translated, kBundles);
    }
    ASSERT_EQ(output.size(), cases.size() * kRecord) << result->detail;
    unsigned wrong = 0;
    for (std::size_t i = 0; i < cases.size() && wrong < 5; ++i) {
        const std::string_view found = std::string_view(output).substr(i * kRecord, kRecord);
        if (std::memcmp(found.data(), cases[i].expected.data(), kRecord) == 0) continue;
        ++wrong;
        std::string detail;
        for (unsigned k = 0; k < kRecord; ++k)
            if (static_cast<std::uint8_t>(found[k]) != cases[i].expected[k])
                detail += fmt::format(" byte {}: {:02x} instead of {:02x}", k,
                                      static_cast<std::uint8_t>(found[k]), cases[i].expected[k]);
        ADD_FAILURE() << cases[i].text << detail;
    }
}

INSTANTIATE_TEST_SUITE_P(Tiers, MemoryOrder, testing::Values(Tier::Interpreter, Tier::Translator),
                         [](const auto& info) {
                             return info.param == Tier::Interpreter ? "interpreter" : "translator";
                         });

}  // namespace
}  // namespace e2k::machine
