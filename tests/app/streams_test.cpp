// e2kwb among shells and pipes: streams that are closed, full or broken.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/child_process.h"

namespace {

using e2k::test::ChildResult;

/// Runs a line of bash in which `e2kwb`, `$guests` (programs) and `$sources` mean what they say.
ChildResult shell(const std::string& line) {
    const std::string tree = std::string(E2K_SOURCE_DIR) + "/tests/data/";
    return e2k::test::run_child({"/bin/bash", "-c",
                                 "e2kwb() { " E2KWB " \"$@\"; }; guests=" + tree +
                                     "guests/elf; sources=" + tree + "streams; " + line});
}

TEST(Streams, SystemCallsAreTracedIntoAFullDeviceWithoutHarm) {
    const auto result = shell("e2kwb run --strace $guests/hello 2> /dev/full");
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_NE(result.output, "");
}

TEST(Streams, SystemCallsAreTracedIntoABrokenPipeWithoutHarm) {
    const auto result =
        shell("{ sleep 0.2; e2kwb run --strace $guests/hello 2>&3 3>&-; echo rc $?; } 3> >(true)");
    EXPECT_NE(result.output.find("rc 0\n"), std::string::npos) << result.output;
}

TEST(Streams, ExitCodesDoNotDependOnStandardError) {
    for (const std::string how : {"2>&-", "2> /dev/full", "2>&1 > /dev/full"}) {
        EXPECT_EQ(shell("e2kwb run ./missing " + how).shell_status(), 127) << how;
        EXPECT_EQ(shell("e2kwb run /etc/passwd " + how).shell_status(), 126) << how;
        EXPECT_EQ(shell("e2kwb isa nosuchoperation " + how).shell_status(), 1) << how;
        EXPECT_EQ(shell("e2kwb run --nosuchoption " + how).shell_status(), 2) << how;
        EXPECT_EQ(shell("e2kwb asm ./missing.s " + how).shell_status(), 1) << how;
        EXPECT_EQ(shell("e2kwb run $sources/wild_address.s " + how).shell_status(), 139) << how;
        EXPECT_EQ(shell("e2kwb run --stats $sources/exit_42.s " + how).shell_status(), 42) << how;
    }
}

TEST(Streams, AReaderThatGoesEndsACommandAsInAnyPipeline) {
    for (const std::string command :
         {"e2kwb trace --max 100000 $sources/endless_lines.s 2>&1 > out",
          "e2kwb trace --registers --max 100000 $sources/endless_lines.s 2>&1 > out",
          "e2kwb disasm $guests/crc32", "e2kwb run $sources/endless_lines.s"}) {
        const auto result = shell(command + " | head -1 > first; echo ${PIPESTATUS[0]}");
        EXPECT_EQ(result.output, "141\n") << command;
        EXPECT_EQ(result.errors, "") << command;
    }
}

TEST(Streams, WithSigpipeIgnoredTheCommandSaysWhatFailed) {
    const auto result = shell(
        "trap '' PIPE; e2kwb trace --max 100000 $sources/endless_lines.s 2>&1 > out"
        " | head -1 > first; echo ${PIPESTATUS[0]}");
    EXPECT_EQ(result.output, "1\n");
}

TEST(Streams, ResultsThatCannotBeWrittenAreAnError) {
    for (const std::string command :
         {"e2kwb --help", "e2kwb run --help", "e2kwb asm $sources/endless_lines.s -o -"}) {
        for (const std::string how : {" > /dev/full", " >&-"}) {
            const auto result = shell(command + how);
            EXPECT_EQ(result.exit_code, 1) << command << how;
            EXPECT_NE(result.errors, "") << command << how;
        }
    }
    EXPECT_EQ(shell("e2kwb trace $guests/hello 2> /dev/full").exit_code, 1);
}

}  // namespace
