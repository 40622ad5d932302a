// `e2kwb asm` and what it does to files: whole or not at all, devices left as they are.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace {

namespace fs = std::filesystem;
using e2k::test::ChildResult;
using e2k::test::read_file;

constexpr const char* kProgram = "_start: {}\n .data\n .skip 20000, 1\n";

class AsmCommand : public testing::Test {
protected:
    AsmCommand() { write("x.s", kProgram); }

    fs::path at(const std::string& name) const { return folder_.path() / name; }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(at(name), std::ios::binary) << text;
    }
    std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()));
    }
    ChildResult assemble(const std::string& output) const {
        return e2k::test::run_child({E2KWB, "asm", at("x.s").string(), "-o", output});
    }
    /// Runs a line of sh in which $E is the program and $D the directory.
    ChildResult shell(const std::string& line) const {
        return e2k::test::run_child(
            {"/bin/sh", "-c", line},
            {.environment = {std::string("E=") + E2KWB, "D=" + folder_.path().string()}});
    }

private:
    e2k::ScratchDirectory folder_;
};

TEST_F(AsmCommand, WritesAnExecutableFileAndNothingElse) {
    EXPECT_EQ(shell("umask 027; $E asm $D/x.s -o $D/x").exit_code, 0);
    struct stat s {};
    ASSERT_EQ(stat(at("x").c_str(), &s), 0);
    EXPECT_EQ(s.st_mode & 07777, 0750u);
    EXPECT_EQ(files(), 2u);
    EXPECT_EQ(assemble(at("x").string()).exit_code, 0);  // once more, over the first
    EXPECT_EQ(files(), 2u);
}

TEST_F(AsmCommand, KeepsALinkAndWritesBehindIt) {
    fs::create_symlink("behind", at("link"));
    EXPECT_EQ(assemble(at("link").string()).exit_code, 0);
    EXPECT_TRUE(fs::is_symlink(at("link")));
    EXPECT_TRUE(read_file(at("behind"))
                    .starts_with("\x7f"
                                 "ELF"));
}

TEST_F(AsmCommand, LeavesTheOldFileWhenThereIsNoRoom) {
    write("x", "old");
    // The limit stands for a full disk: 1 block of 512 or 1024 bytes.
    const auto result = shell("ulimit -f 1; $E asm $D/x.s -o $D/x");
    EXPECT_EQ(result.exit_code, 1) << result.signal;
    EXPECT_NE(result.errors.find("/x: File too large"), std::string::npos) << result.errors;
    EXPECT_EQ(read_file(at("x")), "old");
    EXPECT_EQ(files(), 2u);
}

TEST_F(AsmCommand, WritesDevicesAndPipesInPlace) {
    struct stat before {
    }, after{};
    ASSERT_EQ(stat("/dev/null", &before), 0);
    EXPECT_EQ(assemble("/dev/null").exit_code, 0);
    ASSERT_EQ(stat("/dev/null", &after), 0);
    EXPECT_EQ(after.st_mode, before.st_mode);
    EXPECT_EQ(after.st_ino, before.st_ino);

    const auto full = assemble("/dev/full");
    EXPECT_EQ(full.exit_code, 1);
    EXPECT_NE(full.errors.find("/dev/full: No space left on device"), std::string::npos);

    const auto pipe = shell("mkfifo $D/p; cat $D/p > $D/copy & $E asm $D/x.s -o $D/p && wait");
    EXPECT_EQ(pipe.exit_code, 0) << pipe.errors;
    EXPECT_TRUE(fs::is_fifo(at("p")));
    EXPECT_EQ(shell("$E asm $D/x.s -o /dev/stdout > $D/out").exit_code, 0);
    EXPECT_EQ(shell("$E asm $D/x.s -o - > $D/dash").exit_code, 0);
    EXPECT_EQ(read_file(at("copy")), read_file(at("out")));
    EXPECT_EQ(read_file(at("copy")), read_file(at("dash")));
    EXPECT_GT(read_file(at("copy")).size(), 20'000u);
}

TEST_F(AsmCommand, SaysWhyItCannotWrite) {
    const auto missing = assemble(at("none/x").string());
    EXPECT_EQ(missing.exit_code, 1);
    EXPECT_NE(missing.errors.find("none/x: No such file or directory"), std::string::npos);
    const auto folder = assemble(at("").string());
    EXPECT_EQ(folder.exit_code, 1);
    EXPECT_NE(folder.errors.find("s a directory"), std::string::npos) << folder.errors;
}

TEST_F(AsmCommand, IncludesOrdinaryFilesOnly) {
    EXPECT_EQ(shell("mkfifo $D/pipe; mkdir $D/folder").exit_code, 0);
    for (const char* directive : {".include", ".incbin"})
        for (const char* name : {"/dev/zero", "pipe", "folder", "/proc/self/fd", "none"}) {
            write("x.s", std::string(directive) + " \"" + name + "\"\n_start: {}\n");
            const auto result = assemble("/dev/null");
            EXPECT_EQ(result.exit_code, 1) << name;
            EXPECT_NE(result.errors.find(name), std::string::npos) << result.errors;
            EXPECT_FALSE(result.timed_out) << name;
        }
    const auto device = shell("$E asm /dev/zero -o /dev/null");
    EXPECT_EQ(device.exit_code, 1);
    EXPECT_NE(device.errors.find("larger than"), std::string::npos) << device.errors;
    EXPECT_EQ(shell("echo '_start: {}' | $E asm /dev/stdin -o /dev/null").exit_code, 0);
}

TEST_F(AsmCommand, ChecksASourceThatNeedsOthers) {
    write("x.s", "main: { disp %ctpr1, puts }\n.print \"read\"\n");
    EXPECT_EQ(assemble("/dev/null").exit_code, 1);
    const auto checked = shell("$E asm --check $D/x.s");
    EXPECT_EQ(checked.exit_code, 0) << checked.errors;
    EXPECT_EQ(checked.errors, "read\n");
    EXPECT_EQ(files(), 1u);
}

TEST_F(AsmCommand, SaysWhatNoneOfTheLibrariesHas) {
    write("lib.s", ".globl there\n.type there, @function\nthere: {}\n");
    write("x.s",
          ".weak maybe\n_start: { disp %ctpr1, there }\n{ disp %ctpr2, nowhere }\n"
          "{ disp %ctpr3, maybe }\n");
    ASSERT_EQ(shell("$E asm --shared $D/lib.s -o $D/libx.so").exit_code, 0);
    const auto told = shell("$E asm -L $D -l x $D/x.s");
    EXPECT_EQ(told.exit_code, 0);
    EXPECT_TRUE(told.errors.ends_with("x.s: warning: none of the libraries defines nowhere\n"))
        << told.errors;
    EXPECT_EQ(told.errors.find("maybe"), std::string::npos) << told.errors;
    EXPECT_EQ(shell("$E asm --fatal-warnings -L $D -l x $D/x.s").exit_code, 1);
    // The C library is not there to be asked.
    EXPECT_EQ(shell("$E asm -L $D -l x -l c $D/x.s").errors, "");
    EXPECT_EQ(shell("$E asm --shared -L $D -l x $D/x.s -o $D/liby.so").errors, "");
}

TEST_F(AsmCommand, CountsWhatRepeats) {
    write("x.s", ".rept 300000\n}\n.endr\n");
    const auto result = assemble("/dev/null");
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_LT(result.errors.size(), 10'000u);
    EXPECT_NE(result.errors.find("x.s:2:1: this brace closes nothing"), std::string::npos);
    EXPECT_NE(result.errors.find("and 299997 more of this line"), std::string::npos);
    EXPECT_NE(result.errors.find("x.s: 300000 errors"), std::string::npos);
}

}  // namespace
