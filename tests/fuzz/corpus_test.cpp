// Every fuzz target over its committed corpus, and over small damages of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "tests/fuzz/targets.h"

namespace e2k::fuzz {
namespace {

using Input = std::vector<std::uint8_t>;
constexpr int kDamagesPerFile = 40;

std::vector<std::filesystem::path> corpus(std::string_view name) {
    std::vector<std::filesystem::path> files;
    const auto folder = std::filesystem::path(E2K_SOURCE_DIR) / "tests/fuzz/corpus" / name;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        files.push_back(entry.path());
    std::ranges::sort(files);
    return files;
}

Input read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void damage(Input& input, std::mt19937_64& random) {
    for (std::uint64_t changes = 1 + random() % 4; changes > 0 && !input.empty(); --changes) {
        const auto at = static_cast<std::ptrdiff_t>(random() % input.size());
        const auto byte = static_cast<std::uint8_t>(random());
        switch (random() % 4) {
            case 0:
                input[static_cast<std::size_t>(at)] = byte;
                break;
            case 1:
                input[static_cast<std::size_t>(at)] ^= static_cast<std::uint8_t>(1u << (byte & 7));
                break;
            case 2:
                input.erase(input.begin() + at);
                break;
            default:
                input.insert(input.begin() + at, byte);
        }
    }
}

class Corpus : public testing::TestWithParam<Target> {};

TEST_P(Corpus, IsTakenWithoutHarm) {
    const auto files = corpus(GetParam().name);
    ASSERT_FALSE(files.empty());
    std::mt19937_64 random(7);
    for (const auto& path : files) {
        SCOPED_TRACE(path.filename().string());
        const Input input = read(path);
        GetParam().run(input);
        for (int i = 0; i < kDamagesPerFile; ++i) {
            Input damaged = input;
            damage(damaged, random);
            GetParam().run(damaged);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Targets, Corpus, testing::ValuesIn(kTargets),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace e2k::fuzz
