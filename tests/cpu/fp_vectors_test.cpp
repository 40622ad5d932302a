// Every floating-point tuple of operations_vectors.csv: result and sticky flags
// of the semantic functions, under the tuple's rounding mode. And a sample of the execute vectors
// reduced to single operations, which set all of PFPFR, FPCR (with its precision) and FPSR.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "engine/cpu/semantics.h"
#include "engine/cpu/semantics/fp_families.h"
#include "tests/cpu/fp_support.h"

namespace e2k::cpu {
namespace {

struct Tuple {
    std::string mnemonic, src1, src2, src3, rounding, result, flags;
    int line = 0;
};

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields;
    std::stringstream rest(line);
    for (std::string field; std::getline(rest, field, ',');) fields.push_back(field);
    return fields;
}

/// The tuples of `file` whose mnemonic belongs to an FP family.
std::vector<Tuple> read_tuples(const std::filesystem::path& file) {
    std::vector<Tuple> tuples;
    std::ifstream in(file);
    std::string text;
    for (int line = 1; std::getline(in, text); ++line) {
        const std::vector<std::string> field = split(text);
        if (field.size() < 9 || !test::fp_entry(field[0])) continue;
        tuples.push_back(
            {field[0], field[2], field[3], field[4], field[6], field[7], field[8], line});
    }
    return tuples;
}

/// Runs one tuple; returns an explanation if something differs.
std::string check(const Tuple& t) {
    const SemanticEntry& entry = *test::fp_entry(t.mnemonic);
    const auto mode = static_cast<std::uint32_t>(t.rounding.empty() ? 0 : std::stoul(t.rounding));
    std::uint32_t pfpfr = 0x1f80 | mode << 13, fpcr = 0x37f | mode << 10, fpsr = 0;
    const test::Bits128 got = test::apply(entry, test::parse(t.src1), test::parse(t.src2),
                                          test::parse(t.src3), pfpfr, fpcr, fpsr);
    std::string problem;
    if (got != test::parse(t.result)) problem += "result " + test::print(got);
    if (!t.flags.empty()) {
        constexpr std::uint32_t kWithoutDenormal = 0x3d;
        const std::uint32_t flags = (pfpfr | fpsr) & kWithoutDenormal;
        if (flags != std::stoul(t.flags, nullptr, 16))
            problem += " flags " + test::print({flags, 0});
    }
    if (problem.empty()) return problem;
    return "line " + std::to_string(t.line) + ": " + t.mnemonic + ' ' + t.src1 + ' ' + t.src2 +
           ' ' + t.src3 + " rc " + t.rounding + ": expected " + t.result + " flags " + t.flags +
           ", got " + problem + '\n';
}

void check_all(const std::filesystem::path& file, std::size_t at_least) {
    const std::vector<Tuple> tuples = read_tuples(file);
    EXPECT_GE(tuples.size(), at_least) << "in " << file;
    std::string problems;
    std::size_t wrong = 0;
    for (const Tuple& t : tuples) {
        const std::string problem = check(t);
        if (!problem.empty() && ++wrong <= 50) problems += problem;
    }
    EXPECT_EQ(wrong, 0u) << problems;
}

TEST(FpVectors, SampledTuples) {
    check_all(std::filesystem::path(E2K_SOURCE_DIR) / "tests/data/fp_tuples.csv", 813);
}

TEST(FpVectors, AllTuples) {
    const auto file = std::filesystem::path(E2K_SHARED_DIR) / "isa/operations_vectors.csv";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not there";
    check_all(file, 3158);
}

TEST(FpVectors, SampledCasesWithControlRegisters) {
    std::ifstream in(std::filesystem::path(E2K_SOURCE_DIR) / "tests/data/fp_cases.csv");
    std::string text;
    std::getline(in, text);  // column names
    int count = 0;
    while (std::getline(in, text)) {
        const std::vector<std::string> field = split(text);
        ASSERT_EQ(field.size(), 10u) << text;
        const SemanticEntry* entry = test::fp_entry(field[0]);
        ASSERT_NE(entry, nullptr) << text;
        const auto control = [&](std::size_t i) {
            return static_cast<std::uint32_t>(test::parse(field[i]).low);
        };
        std::uint32_t pfpfr = control(4), fpcr = control(5), fpsr = control(6);
        const test::Bits128 got = test::apply(*entry, test::parse(field[1]), test::parse(field[2]),
                                              test::parse(field[3]), pfpfr, fpcr, fpsr);
        constexpr std::uint32_t kWithoutDenormal = ~std::uint32_t{0x02};
        EXPECT_EQ(test::print(got), test::print(test::parse(field[7]))) << text;
        EXPECT_EQ(pfpfr & kWithoutDenormal, control(8) & kWithoutDenormal) << text;
        EXPECT_EQ(fpsr & kWithoutDenormal, control(9) & kWithoutDenormal) << text;
        EXPECT_EQ(fpcr, control(5)) << text;
        ++count;
    }
    EXPECT_EQ(count, 864);
}

TEST(FpVectors, NamesAreRegisteredOnce) {
    std::map<std::string_view, int> count;
    for (const auto family : fp_families())
        for (const SemanticEntry& entry : family) ++count[entry.mnemonic];
    for (const auto& [name, times] : count) EXPECT_EQ(times, 1) << name;
    EXPECT_EQ(count.size(), 385u);  // 393 names of operations.csv less 8 of iset 1 only
}

}  // namespace
}  // namespace e2k::cpu
