// The demo programs: every one assembles, ends well and says what it should, in both tiers.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "tests/support/child_process.h"

namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(E2K_SOURCE_DIR) / "assets/demo";

constexpr const char* kMandelbrot =
    "                                                                        \n"
    "                                                                        \n"
    "                                                                        \n"
    "                                                 ....                   \n"
    "                                                 ...                    \n"
    "                                              .:.@@@..                  \n"
    "                                              .@@@@@@.                  \n"
    "                                      ..@. .@....@@@..@.@    .          \n"
    "                                       .@@.@@@@@@@@@@@@@@@..@..         \n"
    "                                     ..%@@@@@@@@@@@@@@@@@@@@@.          \n"
    "                      ..            .-@@@@@@@@@@@@@@@@@@@@@@@@          \n"
    "                       ... ...     ..@@@@@@@@@@@@@@@@@@@@@@@@@@.        \n"
    "                        .@@.@@:@:...@@@@@@@@@@@@@@@@@@@@@@@@@@..        \n"
    "                      ...@@@@@@@@@.@@@@@@@@@@@@@@@@@@@@@@@@@@@.         \n"
    "                   ..@.@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@          \n"
    "      .........+..:=@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@..           \n"
    "                   ..:.@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@          \n"
    "                      ...@@@@@@@@@.@@@@@@@@@@@@@@@@@@@@@@@@@@@.         \n"
    "                        .@@:@@-@@...@@@@@@@@@@@@@@@@@@@@@@@@@@@.        \n"
    "                       ... ...     ..@@@@@@@@@@@@@@@@@@@@@@@@@@.        \n"
    "                      ..            .@@@@@@@@@@@@@@@@@@@@@@@@@          \n"
    "                                     ..-=@@@@@@@@@@@@@@@@@@@@.          \n"
    "                                       .@@.@@@@@@@@@@@@@@@..-..         \n"
    "                                      ..=. .@....@@@..:..    .          \n"
    "                                              .%@@@@@.                  \n"
    "                                              .:.@@@..                  \n"
    "                                                 ...                    \n"
    "                                                 ....                   \n"
    "                                                                        \n"
    "                                                                        \n";

const std::map<std::string, std::string>& outputs() {
    static const std::map<std::string, std::string> all{
        {"advanced_load.s", "7 + 100 = 107\n"},
        {"array_prefetch.s", "99\n198\n297\n396\n495\n594\n"},
        {"branches.s", "With jumps: 42\nWithout: 42\n"},
        {"dot_product.s", "Dot product: 186\n"},
        {"exceptions.s", "Division by zero. The register is still 41\n"},
        {"factorial.s", "20! = 2432902008176640000\n"},
        {"hello.s", "Hello, Elbrus\n"},
        {"logic.s", "1900: 0\n2000: 1\n2024: 1\n"},
        {"mandelbrot.s", kMandelbrot},
        {"packed_bytes.s", "First pixel: 32\nLast pixel: 255\nWrapped: 26\n"},
        {"prepared.s", "7 is odd: 1\n"},
        {"rotating_sum.s", "Sum of the first ten squares: 385\n"},
        {"rotation.s", "Fibonacci: 233\n"},
        {"select.s", "Between 10 and 50: 4\nLargest: 92\nSum of the limited numbers: 234\n"},
        {"speculation.s", "Elements: 3\nSum: 60\nTag of the load from address 8: 5\n"},
        {"swap.s", "Swapped: 2\n1\nTurned: 1\n3\n2\n"},
        {"system_calls.s",
         "This machine is an e2k\nError number of a missing file: 2\nBytes read: 8\n"},
        {"windows.s", "Sum: 42\nKept: 111\n"},
    };
    return all;
}

class Demos : public testing::TestWithParam<std::string> {};

TEST_P(Demos, SayWhatTheyShould) {
    const std::string path = (kFolder / GetParam()).string();
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{}, {"--interp"}, {"--tags"}, {"--no-tags"}}) {
        // Without tags a failed speculative load shows none.
        if (options == std::vector<std::string>{"--no-tags"} && GetParam() == "speculation.s")
            continue;
        std::vector<std::string> command{E2KWB, "run"};
        command.insert(command.end(), options.begin(), options.end());
        command.push_back(path);
        const auto result = e2k::test::run_child(command);
        EXPECT_EQ(result.exit_code, 0) << result.errors;
        EXPECT_EQ(result.output, outputs().at(GetParam()));
        EXPECT_EQ(result.errors, "");
    }
    const auto check = e2k::test::run_child({E2KWB, "asm", "--check", "--fatal-warnings", path});
    EXPECT_EQ(check.exit_code, 0) << check.errors;
}

std::vector<std::string> sources() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(kFolder))
        if (entry.path().extension() == ".s") names.push_back(entry.path().filename().string());
    return names;
}

INSTANTIATE_TEST_SUITE_P(All, Demos, testing::ValuesIn(sources()), [](const auto& info) {
    return info.param.substr(0, info.param.size() - 2);
});

TEST(DemoFolder, EveryOneHasItsOutput) {
    EXPECT_EQ(sources().size(), outputs().size());
    EXPECT_GE(sources().size(), 6u);
}

}  // namespace
