// e2kwb bench: figures read from a program's output, tables with ratios, all samples as JSON.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/child_process.h"

namespace {

using e2k::test::ChildResult;

const std::string kGuests = std::string(E2K_SOURCE_DIR) + "/tests/data/guests/elf/";

ChildResult bench(std::vector<std::string> arguments) {
    std::vector<std::string> command{E2KWB, "bench"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return e2k::test::run_child(command, {});
}

void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file) << text;
}

/// A program for this machine that prints `text`.
void write_script(const std::filesystem::path& file, const std::string& text) {
    write(file, "#!/bin/sh\necho '" + text + "'\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
}

TEST(Bench, ReadsAFigureInEveryVariantAndComparesWithNative) {
    const e2k::test::ScratchDirectory scratch;
    // The guest prints "argc=1"; what stands for the native program claims four times that.
    const auto figures = scratch.path() / "figures.json";
    write(figures, R"j([{"program": "args", "unit": "arguments", "pattern": "argc=([0-9]+)"
}])j");
    const auto native = scratch.path() / "native";
    std::filesystem::create_directory(native);
    write_script(native / "args_amd64", "argc=4");

    const auto result = bench({"--runs", "2", "--tier", "translated", "--tier", "interp",
                               "--variant", "counted=--stats", "--figures", figures.string(),
                               "--compare", native.string(), "--json", "-", kGuests + "args"});
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    const auto json = nlohmann::json::parse(result.output);
    ASSERT_EQ(json.size(), 1u);
    EXPECT_EQ(json[0]["program"], "args");
    EXPECT_EQ(json[0]["unit"], "arguments");
    const auto& series = json[0]["series"];
    ASSERT_EQ(series.size(), 4u);
    const char* names[] = {"translated", "interp", "counted", "native"};
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(series[i]["variant"], names[i]);
        EXPECT_EQ(series[i]["trouble"], "");
        EXPECT_EQ(series[i]["runs"].size(), 2u);
        EXPECT_NEAR(series[i]["median"].get<double>(), i == 3 ? 4 : 1, 1e-9);
        if (i < 3) {
            EXPECT_NEAR(series[i]["ratio_to_last"].get<double>(), 0.25, 1e-9);
        }
    }
}

TEST(Bench, TablesCountOnlyRowsThatFitTheCache) {
    const e2k::test::ScratchDirectory scratch;
    const auto figures = scratch.path() / "figures.json";
    // The key of the row is the number before '=', the values what follows.
    write(figures, R"j([{"program": "bench_fp", "pattern": "zeta([0-9]+) ([0-9.]+)",
                        "all": true, "largest_key": 1
}])j");
    auto result = bench({"--runs", "1", "--figures", figures.string(), kGuests + "bench_fp"});
    EXPECT_NE(result.output.find("no figure"), std::string::npos) << result.output;
    write(figures, R"j([{"program": "bench_fp", "pattern": "zeta([0-9]+) ([0-9.]+)",
                        "all": true, "largest_key": 2
    }])j");
    result = bench({"--runs", "1", "--figures", figures.string(), kGuests + "bench_fp"});
    EXPECT_NE(result.output.find("1.645 "), std::string::npos) << result.output;
}

TEST(Bench, ElapsedTimeIsTheFigureOfOtherPrograms) {
    const auto result = bench({"--runs", "1", "--json", "-", kGuests + "hello"});
    ASSERT_EQ(result.exit_code, 0);
    const auto json = nlohmann::json::parse(result.output);
    EXPECT_EQ(json[0]["unit"], "s");
    const double wall = json[0]["series"][0]["runs"][0]["wall_s"].get<double>();
    EXPECT_GT(wall, 0);
    EXPECT_DOUBLE_EQ(json[0]["series"][0]["median"].get<double>(), wall);
}

TEST(Bench, AProgramThatTakesTooLongIsSaidToHaveTimedOut) {
    const auto result =
        bench({"--runs", "1", "--timeout", "0.05", "--tier", "interp", kGuests + "bench_int"});
    EXPECT_NE(result.output.find("timed out"), std::string::npos) << result.output;
}

TEST(Bench, ExplainsMistakes) {
    const e2k::test::ScratchDirectory scratch;
    auto result = bench({(scratch.path() / "nothing").string()});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.errors.find("no such file"), std::string::npos);
    result = bench({scratch.path().string()});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.errors.find("no program for Elbrus"), std::string::npos);
    const auto figures = scratch.path() / "figures.json";
    write(figures, R"j([{"program": "x", "pattern": "("}])j");
    result = bench({"--figures", figures.string(), kGuests + "hello"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.errors.find("entry 0"), std::string::npos) << result.errors;
}

}  // namespace
