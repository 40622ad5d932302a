// Decode and execute vectors, file by file: a permanent sample, and the full set where present.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "engine/machine/vectors.h"

namespace e2k::machine {
namespace {

constexpr const char* kDecodeFiles[] = {"decode_synth", "decode_real", "decode_gasonly", "invalid"};
constexpr const char* kExecuteFiles[] = {"exec_int",    "exec_bundle", "exec_fp",   "exec_fp80",
                                         "exec_simd64", "exec_qp",     "exec_plog", "exec_mem",
                                         "exec_ctl",    "exec_aau",    "exec_tags", "exec_fault"};

std::string path_in(const std::string& directory, const std::string& file) {
    return directory + "/vectors/" + file + ".jsonl.gz";
}

void expect_all_pass(const std::string& path, const VectorOptions& options) {
    const auto report = run_vectors(path, options);
    ASSERT_TRUE(report) << report.error();
    EXPECT_GT(report->passed, 0u) << path << " holds no record";
    EXPECT_EQ(report->failed, 0u) << format_report(*report);
}

/// A file of the full set, or a skip with the reason.
void check_full_set(const char* file, const VectorOptions& options) {
    const std::string path = path_in(E2K_SHARED_DIR, file);
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not present";
    expect_all_pass(path, options);
}

VectorOptions translated() {
    VectorOptions options;
    options.tier = Tier::Translator;
    return options;
}

class DecodeVectors : public testing::TestWithParam<const char*> {};
class ExecuteVectors : public testing::TestWithParam<const char*> {};

TEST_P(DecodeVectors, SampleAgrees) {
    expect_all_pass(path_in(E2K_SOURCE_DIR "/tests/data", GetParam()), {});
}
TEST_P(DecodeVectors, FullSetAgrees) { check_full_set(GetParam(), {}); }

TEST_P(ExecuteVectors, SampleAgreesInTheInterpreter) {
    expect_all_pass(path_in(E2K_SOURCE_DIR "/tests/data", GetParam()), {});
}
TEST_P(ExecuteVectors, SampleAgreesInTheTranslator) {
    expect_all_pass(path_in(E2K_SOURCE_DIR "/tests/data", GetParam()), translated());
}
TEST_P(ExecuteVectors, FullSetAgreesInTheInterpreter) { check_full_set(GetParam(), {}); }
TEST_P(ExecuteVectors, FullSetAgreesInTheTranslator) { check_full_set(GetParam(), translated()); }

std::string file_name(const testing::TestParamInfo<const char*>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(Files, DecodeVectors, testing::ValuesIn(kDecodeFiles), file_name);
INSTANTIATE_TEST_SUITE_P(Files, ExecuteVectors, testing::ValuesIn(kExecuteFiles), file_name);

/// The tag-exact mode must not change what programs without diagnostic values do.
TEST(VectorModes, TagExactInterpreterAgreesOnOrdinaryBundles) {
    VectorOptions options;
    options.exact_tags = true;
    expect_all_pass(path_in(E2K_SOURCE_DIR "/tests/data", "exec_bundle"), options);
    expect_all_pass(path_in(E2K_SOURCE_DIR "/tests/data", "exec_ctl"), options);
}

TEST(VectorModes, TranslatorRunsHostCode) {
    const auto report =
        run_vectors(path_in(E2K_SOURCE_DIR "/tests/data", "exec_int"), translated());
    ASSERT_TRUE(report) << report.error();
    EXPECT_GT(report->translated_bundles, report->interpreted_bundles) << format_report(*report);
}

std::string temporary_file(const std::string& name, const std::string& text) {
    std::string path = testing::TempDir() + name;
    std::ofstream(path) << text;
    return path;
}

/// { addd,0 %dr1, 0x8, %dr2 } with a stated result.
std::string addition(const std::string& result) {
    return R"({"id":"t-1","iset":4,"class":"int","op":"addd","addr":"0x10000000",)"
           R"("hex":["0100000482c88111"],"asm":["addd,0 %dr1, 0x8, %dr2"],)"
           R"("in":{"window":{"wsz":16,"rbs":8,"rsz":7,"rcur":0,"psz":31},)"
           R"("r":{"1":"0x10","2":"0x0"}},"out":{"r":{"2":")" +
           result + R"("}},"fault":null,"chk":1})" + "\n";
}

TEST(VectorErrors, WrongResultIsReportedWithRegisterAndValues) {
    const std::string path = temporary_file("e2k_wrong.jsonl", addition("0x18") + addition("0x19"));
    const auto report = run_vectors(path, {});
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->passed, 1u);
    EXPECT_EQ(report->failed, 1u);
    ASSERT_EQ(report->differences.size(), 1u);
    EXPECT_NE(report->differences[0].text.find("%r2"), std::string::npos);
    EXPECT_NE(report->differences[0].text.find("0x0000000000000018"), std::string::npos);
    EXPECT_TRUE(format_report(*report).ends_with("1 passed, 1 failed\n"));
}

TEST(VectorErrors, MalformedRecordIsReportedWithItsLine) {
    for (const char* text : {"{\"id\":", "{\"id\":\"x\",\"class\":\"int\"}", "[1,2]"}) {
        const auto report =
            run_vectors(temporary_file("e2k_bad.jsonl", addition("0x18") + text + "\n"), {});
        ASSERT_FALSE(report) << text;
        EXPECT_NE(report.error().find(":2:"), std::string::npos) << report.error();
    }
}

TEST(VectorErrors, MissingFileIsNamed) {
    const auto report = run_vectors("/nonexistent/vectors.jsonl", {});
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().find("/nonexistent/vectors.jsonl"), std::string::npos);
}

}  // namespace
}  // namespace e2k::machine
