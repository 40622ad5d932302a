// The window as a user starts it, on an X server of its own: what it leaves behind when it is
// closed, whatever its program did to the process they share.
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "tests/support/child_process.h"
#include "tests/support/display.h"

namespace {

namespace fs = std::filesystem;
using e2k::test::ChildResult;

class WindowProcess : public testing::Test {
protected:
    void SetUp() override {
        const std::string problem = e2k::test::need_display();
        if (!problem.empty()) GTEST_SKIP() << problem;
    }

    /// A guest that makes system calls: `request n, arguments` sets %dr16... and calls.
    std::string guest(const std::string& name, const std::string& body) {
        const std::string path = file(name + ".s");
        std::ofstream(path) << R"(
        .macro request number, a=0, b=0, c=0, d=0
        { nop 4
          sdisp %ctpr1, 3
          addd 0, \number, %dr16
          addd 0, \a, %dr17 }
        { addd 0, \b, %dr18
          addd 0, \c, %dr19
          addd 0, \d, %dr20 }
        { call %ctpr1, wbs = 8 }
        .endm
        .globl _start
        .text
_start: { setwd wsz = 16, nfx = 1, dbl = 1 }
)" << body;
        return path;
    }
    std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
    std::string settings() const { return file("e2k-workbench/workbench.json"); }

    /// `before`: shell words in front of the window's command.
    ChildResult window(const std::string& script, const std::string& arguments,
                       const std::string& before = "exec") {
        std::ofstream(file("script")) << script;
        const std::string command =
            before + " " + E2KWB + " --size 900x600 --script " + file("script") + " " + arguments;
        return e2k::test::run_child({"/bin/sh", "-c", command},
                                    {.input = {},
                                     .environment = {"XDG_CONFIG_HOME=" + folder_.path().string(),
                                                     "XDG_CACHE_HOME=" + folder_.path().string()},
                                     .limit = std::chrono::seconds(90)});
    }

    e2k::ScratchDirectory folder_;
};

bool lives(pid_t pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    const std::string text(std::istreambuf_iterator<char>(stat), {});
    const auto name_end = text.rfind(") ");
    return name_end != std::string::npos && text[name_end + 2] != 'Z';
}

TEST_F(WindowProcess, ClosingItEndsWhatTheProgramLeftBehind) {
    // A child that leaves its session and makes another one, which lives on.
    const std::string path = guest("daemon", R"(
        request 2
        { nop 2
          cmpedb %dr16, 0, %pred0
          disp %ctpr2, child }
        { nop 4 }
        { ct %ctpr2 ? %pred0 }
        request 114, -1
        request 300
child:  request 66
        request 2
        { nop 2
          cmpedb %dr16, 0, %pred0
          disp %ctpr2, grandchild }
        { nop 4 }
        { ct %ctpr2 ? %pred0 }
        request 300
grandchild:
        request 20
        { addd 0, number, %dr1 }
        { stw %r16, [ %dr1 + 0 ] }
        request 5, path, 0x241, 0x1a4
        { addd %dr16, 0, %dr5 }
        { nop 4
          sdisp %ctpr1, 3
          addd 0, 4, %dr16
          addd %dr5, 0, %dr17
          addd 0, number, %dr18
          addd 0, 4, %dr19 }
        { call %ctpr1, wbs = 8 }
        request 162, time
        request 300
        .data
        .balign 8
time:   .dword 100, 0
number: .dword 0
path:   .asciz ")" + file("pid") + R"("
)");
    const auto result =
        window("wait paused 20\nrun\nwait exited 20\nframes 20\nquit\n", "--no-sandbox " + path);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    const std::string written = e2k::test::read_file(file("pid"));
    ASSERT_EQ(written.size(), 4u) << "the grandchild did not come as far as this";
    pid_t pid = 0;
    std::memcpy(&pid, written.data(), sizeof pid);
    ASSERT_GT(pid, 1);
    const bool left = lives(pid);
    EXPECT_FALSE(left);
    if (left) kill(pid, SIGKILL);
}

TEST_F(WindowProcess, ItsFilesAreNotWrittenWithTheProgramsUmaskAndLimits) {
    // umask(0777), and files of no more than 0 bytes: setrlimit(RLIMIT_FSIZE).
    const std::string path = guest("umask", R"(
        request 60, 0x1ff
        request 75, 1, limit
        request 300
        .data
        .balign 8
limit:  .dword 0, 0
)");
    const auto result = window("wait paused 20\nrun\nwait exited 20\nframes 3\nquit\n", path);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    for (const std::string& name : {settings(), file("e2k-workbench/imgui.ini")}) {
        struct stat info {};
        ASSERT_EQ(stat(name.c_str(), &info), 0) << name;
        EXPECT_EQ(info.st_mode & 0600u, 0600u) << name;
        EXPECT_GT(info.st_size, 0) << name;
    }
}

TEST_F(WindowProcess, ASaveThatFailsLeavesTheOldSettingsAndIsSaid) {
    const std::string path = guest("nothing", "        request 300\n");
    auto result = window("wait paused 20\nquit\n", path);
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    const std::string before = e2k::test::read_file(settings());
    ASSERT_TRUE(nlohmann::json::parse(before, nullptr, false).is_object());
    result = window("wait paused 20\nlayout teach\nframes 3\nquit\n", path,
                    "ulimit -f 0; trap '' XFSZ; exec");
    EXPECT_NE(result.exit_code, 0);
    EXPECT_EQ(e2k::test::read_file(settings()), before);
    result = window("wait paused 20\nlayout teach\nframes 3\nquit\n", path);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_EQ(nlohmann::json::parse(e2k::test::read_file(settings())).at("layout"), "teach");
    for (const auto& entry : fs::directory_iterator(folder_.path() / "e2k-workbench"))
        EXPECT_NE(entry.path().filename().string()[0], '.') << "left over: " << entry.path();
}

TEST_F(WindowProcess, VirtualTimeIsForAProgramThatStartsAndForOneThatIsOpen) {
    const std::string path = guest("time", "        request 13\n        request 300\n");
    constexpr const char* kRest = "run\nwait exited 20\nframes 3\ndump syscalls\nquit\n";
    auto result =
        window(std::string("wait paused 20\n") + kRest, "--virtual-clock step:5s " + path);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_NE(result.output.find("1704067205"), std::string::npos) << result.output;
    result = window(std::string("wait paused 20\nclock step:7s\nwait paused 20\n") + kRest, path);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_NE(result.output.find("1704067207"), std::string::npos) << result.output;
    EXPECT_EQ(window("clock soon\n", path).exit_code, 1);
}

TEST_F(WindowProcess, ASandboxedProgramWorksInADirectoryOfItsOwn) {
    const std::string path = guest("writer", R"(        request 5, name, 0x41, 0x1a4
        { cmpldb %r0, 0, %pred0 }
        request 300
        .data
name:   .asciz "made"
)");
    constexpr const char* kScript = "wait paused 20\nrun\nwait exited 20\nquit\n";
    auto result = window(kScript, path);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_TRUE(fs::exists(file("e2k-workbench/scratch/writer.s/made")));
    result = window(kScript, "--no-sandbox " + path, "cd " + folder_.path().string() + "; exec");
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_TRUE(fs::exists(file("made")));
}

TEST_F(WindowProcess, APictureOfWhatIsNoProgramEndsAtOnceWithTheReason) {
    std::ofstream(file("text")) << "no program\n";
    const auto begin = std::chrono::steady_clock::now();
    const auto result = window("", "--screenshot " + file("p.png") + " " + file("text"));
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.errors.find("text"), std::string::npos) << result.errors;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(25));
    EXPECT_FALSE(fs::exists(file("p.png")));
}

TEST_F(WindowProcess, APictureThatCannotBeWrittenLeavesTheOldOne) {
    const std::string path = guest("picture", "        request 300\n");
    auto result = window("", "--screenshot /dev/full " + path);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.errors.find("No space left on device"), std::string::npos) << result.errors;
    std::ofstream(file("p.png")) << "the old one";
    result =
        window("", "--screenshot " + file("p.png") + " " + path, "ulimit -f 1; trap '' XFSZ; exec");
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(e2k::test::read_file(file("p.png")), "the old one");
    result = window("", "--screenshot " + file("p.png") + " " + path);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_EQ(e2k::test::read_file(file("p.png")).substr(1, 3), "PNG");
}

}  // namespace
