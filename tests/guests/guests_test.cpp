// Every guest program end to end through the executable, in both tiers: output and exit status;
// and tier against tier, the state compared at every region exit.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/child_process.h"

namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;
using e2k::test::read_file;

const fs::path kFolder = fs::path(E2K_SOURCE_DIR) / "tests/data/guests";

std::vector<std::string> guest_names() {
    std::vector<std::string> names;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(kFolder / "expected", missing))
        if (entry.path().extension() == ".exit") names.push_back(entry.path().stem().string());
    std::ranges::sort(names);
    return names;
}

/// Words of a .args file; single and double quotes group.
std::vector<std::string> shell_words(const std::string& text) {
    std::vector<std::string> words;
    std::string word;
    bool open = false;
    char quote = 0;
    for (const char c : text) {
        if (quote ? c == quote : c == '\'' || c == '"') {
            quote = quote ? 0 : c;
            open = true;
        } else if (!quote && (c == ' ' || c == '\n' || c == '\t')) {
            if (open) words.push_back(std::exchange(word, {}));
            open = false;
        } else {
            word += c;
            open = true;
        }
    }
    if (open) words.push_back(word);
    return words;
}

/// Runs it and compares what it says; returns what the workbench itself said.
void check(const std::string& guest, const std::vector<std::string>& options,
           std::string* errors = nullptr) {
    std::vector<std::string> command{E2KWB, "run"};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back((kFolder / "elf" / guest).string());
    const fs::path expected = kFolder / "expected" / guest;
    const auto file = [&](const char* kind) { return read_file(expected.string() + kind); };
    for (std::string& word : shell_words(file(".args"))) command.push_back(std::move(word));
    e2k::test::ChildOptions how;
    how.input = file(".stdin");
    std::istringstream environment(file(".env"));
    for (std::string line; std::getline(environment, line);)
        if (line.find('=') != std::string::npos) how.environment.push_back(line);

    const auto result = e2k::test::run_child(command, how);
    if (errors) *errors = result.errors;
    ASSERT_FALSE(result.timed_out) << "hangs; so far:\n" << result.output << result.errors;
    EXPECT_EQ(result.output, file(".stdout")) << result.errors;
    std::istringstream status(file(".exit"));
    std::string word;
    status >> word;
    int number = 0;
    if (word == "signal") {
        status >> number;
        EXPECT_EQ(result.signal, number) << result.errors;
    } else {
        EXPECT_EQ(result.exit_code, std::stoi(word)) << result.errors;
    }
}

class Guests : public testing::TestWithParam<std::string> {};

TEST_P(Guests, Interpreted) { check(GetParam(), {"--interp"}); }

/// These make diagnostic values, and as long as one is visible everything is interpreted.
constexpr auto kDiagnosticGuests =
    std::array{"dot_pipe"sv, "err_diag_use"sv, "spec_load"sv, "tags_demo"sv};

TEST_P(Guests, Translated) {
    constexpr double kLeastShare = 99.9;
    std::string said;
    check(GetParam(), {"--stats"}, &said);
    const auto at = said.find("executed");
    ASSERT_NE(at, std::string::npos) << said;
    if (std::ranges::find(kDiagnosticGuests, GetParam()) == std::end(kDiagnosticGuests))
        EXPECT_GE(std::stod(said.substr(at + "executed"sv.size())), kLeastShare) << said;
    else
        EXPECT_NE(said.find(": diagnostic values"), std::string::npos) << said;
}

INSTANTIATE_TEST_SUITE_P(All, Guests, testing::ValuesIn(guest_names()),
                         [](const auto& info) { return info.param; });

constexpr auto kLongGuests = std::array{"bench_fp"sv, "bench_int"sv, "mandelbrot"sv, "nbody"sv};

/// Comparing takes the interpreter's time and more; the programs that run longest are left out
/// unless the environment says E2K_DIFFERENTIAL=all.
bool compared_by_default(const std::string& guest) {
    return std::ranges::find(kLongGuests, guest) == std::end(kLongGuests);
}

TEST_P(Guests, TranslatorEqualsInterpreter) {
    const char* wish = std::getenv("E2K_DIFFERENTIAL");
    const bool all = wish && std::string_view(wish) == "all";
    if (!all && !compared_by_default(GetParam())) GTEST_SKIP() << "long; E2K_DIFFERENTIAL=all";
    std::string said;
    check(GetParam(), {"--differential"}, &said);
    EXPECT_NE(said.find(" regions compared, no difference"), std::string::npos) << said;
}

TEST(GuestPrograms, AreAllThere) { EXPECT_GE(guest_names().size(), 73u); }

}  // namespace
