// e2kwb quality: executed host instructions a guest operation, by region, bundle and reason.
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/support/child_process.h"

namespace {

const std::string kGuests = std::string(E2K_SOURCE_DIR) + "/tests/data/guests/elf/";

TEST(Quality, CountsEveryExecutedOperation) {
    const e2k::test::ScratchDirectory scratch;
    const auto file = scratch.path() / "quality.json";
    const auto result = e2k::test::run_child(
        {E2KWB, "quality", "--top", "3", "--json", file.string(), kGuests + "sieve"}, {});
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    const auto plain = e2k::test::run_child({E2KWB, "run", "--stats", kGuests + "sieve"}, {});
    EXPECT_EQ(result.output, plain.output);
    EXPECT_NE(result.errors.find("an operation"), std::string::npos) << result.errors;

    std::ifstream in(file);
    const auto json = nlohmann::json::parse(in);
    const auto& total = json["total"];
    // What `run` counts, less what the interpreter does outside regions.
    const auto at = plain.errors.find("operations");
    ASSERT_NE(at, std::string::npos) << plain.errors;
    const double counted = std::stod(plain.errors.substr(at + 10));
    EXPECT_LE(total["operations"].get<double>(), counted);
    EXPECT_GT(total["operations"].get<double>(), 0.9 * counted);

    std::uint64_t of_regions = 0, of_bundles = 0, of_reasons = 0;
    for (const auto& r : json["regions"])
        of_regions += r["executed"]["host_instructions"].get<std::uint64_t>();
    for (const auto& b : json["bundles"])
        of_bundles += b["executed"]["host_instructions"].get<std::uint64_t>();
    for (const auto& reason : total["by_reason"]) of_reasons += reason.get<std::uint64_t>();
    const auto all = total["host_instructions"].get<std::uint64_t>();
    EXPECT_GT(all, 0u);
    EXPECT_EQ(of_regions, all);
    EXPECT_EQ(of_bundles, all);
    EXPECT_EQ(of_reasons, all);
}

TEST(Quality, RegionsAreNamedForPerf) {
    const e2k::test::ScratchDirectory scratch;
    const auto result = e2k::test::run_child(
        {E2KWB, "run", "--jitdump", scratch.path().string(), kGuests + "sieve"}, {});
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    std::string dump;
    for (const auto& entry : std::filesystem::directory_iterator(scratch.path())) {
        EXPECT_TRUE(entry.path().filename().string().starts_with("jit-")) << entry.path();
        std::ifstream in(entry.path(), std::ios::binary);
        dump.assign(std::istreambuf_iterator<char>(in), {});
    }
    ASSERT_GT(dump.size(), 40u);
    EXPECT_EQ(dump.substr(0, 4), "DTiJ");
    EXPECT_NE(dump.find("main"), std::string::npos);
}

}  // namespace
