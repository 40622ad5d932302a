// Host code of a corpus of bundles and loops, kept as text beside its sources in tests/data/golden,
// so that every change of code quality shows in review. With E2K_UPDATE_GOLDEN=1 in the environment
// the test writes the listings instead of comparing them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/cpu/interpreter.h"
#include "engine/isa/assembler/program.h"
#include "engine/translate/host_features.h"
#include "engine/translate/host_text.h"
#include "engine/translate/quality.h"
#include "engine/translate/translator.h"
#include "tests/translate/bare_guest.h"

namespace e2k::translate {
namespace {

const std::string kDirectory = std::string(E2K_SOURCE_DIR) + "/tests/data/golden/";
constexpr int kIset = 5;
constexpr unsigned kWindowRegisters = 64, kBasedAt = 32;
/// Absolute numbers from here on are host addresses: they change from run to run.
constexpr std::uint64_t kHostAddresses = std::uint64_t{1} << 36;

struct Case {
    std::string title, source;
};

/// Paragraphs that begin with a comment: its text is the title. The first one is about the file.
std::vector<Case> corpus(const std::string& file) {
    std::ifstream in(kDirectory + file);
    std::vector<Case> cases;
    std::string line;
    bool open = false;
    while (std::getline(in, line)) {
        if (line.empty()) {
            open = false;
        } else if (!open) {
            cases.push_back({line.substr(std::min<std::size_t>(2, line.size())), ""});
            open = true;
        } else {
            cases.back().source += line + "\n";
        }
    }
    if (!cases.empty()) cases.erase(cases.begin());
    return cases;
}

std::string masked(std::string text) {
    // Zydis writes hexadecimal numbers as 0x…; long ones are addresses of this process.
    for (std::size_t at = text.find("0x"); at != std::string::npos; at = text.find("0x", at + 2)) {
        std::size_t end = at + 2;
        while (end < text.size() && std::isxdigit(static_cast<unsigned char>(text[end]))) ++end;
        const std::uint64_t value = std::strtoull(text.substr(at).c_str(), nullptr, 16);
        if (value >= kHostAddresses && value < ~std::uint64_t{0} - kHostAddresses)
            text.replace(at, end - at, "<host>");
    }
    return text;
}

struct Translated {
    std::string listing;
    std::uint64_t instructions = 0, operations = 0;
};

/// The straight path of a region, each instruction with why it is there.
Translated listing_of(const RegionRecord& record) {
    Translated result;
    result.operations = record.guest_operations;
    int bundle = -1;
    for_each_instruction(record, false, [&](std::size_t, const std::string& text, HostRange range) {
        if (static_cast<int>(range.bundle) != bundle) {
            bundle = range.bundle;
            result.listing += fmt::format("  bundle {}\n", bundle);
        }
        result.listing += fmt::format("    {:<44} {}\n", masked(text), name_of(range.reason));
        ++result.instructions;
    });
    return result;
}

/// Even registers point into the data page, odd ones are small numbers.
void fill(cpu::CpuState& state) {
    state.wd.size = kWindowRegisters;
    state.wd.psize = 8;
    state.wd.dbl = true;
    state.br.rbs = kBasedAt / 2;
    state.br.rsz = 7;
    state.pfpfr = 0x1f80;
    state.fpcr = 0x37f;
    for (unsigned i = 0; i < kWindowRegisters; ++i)
        state.window[i].lo = i % 2 ? i : test::kData + std::uint64_t{64} * (i % 8);
    state.aau.aad_base.fill(test::kData);
    for (unsigned i = 0; i < 32; ++i)
        state.g[i].lo = i % 2 ? i : test::kData + std::uint64_t{8} * i;
}

class GoldenTest : public testing::TestWithParam<const char*> {
protected:
    static void SetUpTestSuite() { guest_ = new test::BareGuest; }
    static void TearDownTestSuite() {
        delete guest_;
        guest_ = nullptr;
    }

    /// Translates a case at the end of the code page, where the region has to end with it.
    static std::shared_ptr<const RegionRecord> translate(const Case& c, bool tags,
                                                         std::string& error) {
        const std::string source = ".text\n.globl _start\n_start:\n" + c.source;
        isa::ProgramSourceOptions options;
        options.iset = kIset;
        const auto assemble = [&] { return isa::assemble_program(source, options); };
        auto program = assemble();
        if (program) {
            options.base = test::kCode + test::kPage - program->sections.front().bytes.size();
            program = assemble();
        }
        if (!program) {
            error = program.error().front().describe(c.title);
            return nullptr;
        }
        const auto& code = program->sections.front().bytes;
        guest_->poke(options.base, code.data(), code.size());

        cpu::CpuState state;
        guest_->attach(state);
        state.iset = kIset;
        fill(state);
        state.exact_tags = tags;
        if (tags) state.g_tags[31] = 5;
        state.uncover_tags = 0;
        state.ip = options.base;
        cpu::Interpreter interpreter(guest_->view);
        Translator translator(guest_->view, {});
        translator.run_region(state, interpreter);
        const auto regions = translator.regions();
        const auto found = std::ranges::find_if(
            regions, [&](const auto& r) { return r->guest_begin == options.base; });
        if (found == regions.end()) {
            error = "not translated";
            return nullptr;
        }
        return *found;
    }

    static test::BareGuest* guest_;
};
test::BareGuest* GoldenTest::guest_ = nullptr;

std::string read(const std::string& file) {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

TEST_P(GoldenTest, HostCodeIsAsReviewed) {
    ASSERT_TRUE(guest_->ready);
    if (host_features() != HostFeatures{true, true})
        GTEST_SKIP() << "the listings are those of a host with AVX and BMI2";
    const std::string name = GetParam();
    const std::vector<Case> cases = corpus(name + ".s");
    ASSERT_GE(cases.size(), 10u);
    std::string text;
    std::uint64_t instructions = 0, operations = 0;
    for (const Case& c : cases) {
        std::string error;
        const auto record = translate(c, name == "tags", error);
        text += fmt::format("! {}\n{}", c.title, c.source);
        if (!record) {
            text += fmt::format("  {}\n\n", error);
            continue;
        }
        const Translated host = listing_of(*record);
        instructions += host.instructions;
        operations += host.operations;
        text += fmt::format("{}  {} instructions for {} operations\n\n", host.listing,
                            host.instructions, host.operations);
    }
    text += fmt::format("total: {} instructions for {} operations, {} cases\n", instructions,
                        operations, cases.size());
    const std::string file = kDirectory + name + ".txt";
    if (std::getenv("E2K_UPDATE_GOLDEN")) {
        std::ofstream(file) << text;
        GTEST_SKIP() << "wrote " << file;
    }
    const std::string expected = read(file);
    ASSERT_FALSE(expected.empty()) << file;
    if (text == expected) return;
    std::istringstream want(expected), have(text);
    std::string one, other, title;
    while (std::getline(have, one)) {
        std::getline(want, other);
        if (one.starts_with("! ")) title = one;
        ASSERT_EQ(one, other) << "in \"" << title
                              << "\"; look at the change, then run this test with "
                              << "E2K_UPDATE_GOLDEN=1";
    }
    FAIL() << file << " has more lines";
}

INSTANTIATE_TEST_SUITE_P(Corpus, GoldenTest, testing::Values("bundles", "loops", "tags"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace e2k::translate
