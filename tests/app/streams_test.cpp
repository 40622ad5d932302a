// e2kwb among shells and pipes: streams that are closed, full or broken.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/support/child_process.h"
#include "tests/support/sanitizer.h"

namespace {

using e2k::test::ChildResult;

/// Runs a line of bash in which `e2kwb`, `$guests` (programs) and `$sources` mean what they say.
ChildResult shell(const std::string& line) {
    const std::string tree = std::string(E2K_SOURCE_DIR) + "/tests/data/";
    return e2k::test::run_child({"/bin/bash", "-c",
                                 "bin=" E2KWB "; e2kwb() { $bin \"$@\"; }; guests=" + tree +
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
    // More code than a pipe holds.
    const std::string large =
        "e2kwb asm -o large <(echo '.globl _start; _start: { setwd wsz = 8 }; .rept 20000;"
        " { addd 0, 0, %dr0 }; .endr' | tr ';' '\\n') && ";
    for (const std::string& command :
         {std::string("e2kwb trace --max 100000 $sources/endless_lines.s 2>&1 > out"),
          std::string("e2kwb trace --registers --max 100000 $sources/endless_lines.s 2>&1 > out"),
          large + "e2kwb disasm large", std::string("e2kwb run $sources/endless_lines.s")}) {
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

TEST(Descriptors, OfTheCallerAreTheGuestsUnderTheirNumbers) {
    EXPECT_EQ(shell("e2kwb run $sources/write_to.s 3 3> three && cat three").output, "to N\n");
    EXPECT_EQ(shell("e2kwb run $sources/write_to.s 4 4>&1").output, "to N\n");
    EXPECT_EQ(shell("ulimit -n 3000; e2kwb run $sources/write_to.s 2500 2500>&1").output, "to N\n")
        << "numbers above 1024";
    EXPECT_EQ(shell("ulimit -n 10; e2kwb run $sources/write_to.s 9 9>&1").output, "to N\n");
    EXPECT_EQ(shell("e2kwb run $sources/write_to.s 3").exit_code, 1);
    EXPECT_EQ(shell("e2kwb run $sources/cat_path.s <(echo through a pipe)").output,
              "through a pipe\n");
    for (const std::string name : {"/dev/fd/8", "/proc/self/fd/8", "/proc/thread-self/fd/8"})
        EXPECT_EQ(shell("echo eight > f; e2kwb run $sources/cat_path.s " + name + " 8< f").output,
                  "eight\n")
            << name;
    EXPECT_EQ(shell("echo in | e2kwb run $sources/cat_path.s /dev/stdin").output, "in\n");
}

TEST(Descriptors, ClosedAtTheStartTheyAreFree) {
    EXPECT_EQ(shell("e2kwb run $sources/first_number.s").exit_code, 3);
    EXPECT_EQ(shell("e2kwb run $sources/first_number.s <&-").exit_code, 0);
    EXPECT_EQ(shell("e2kwb run $sources/first_number.s >&-").exit_code, 1);
    EXPECT_EQ(shell("e2kwb run $sources/first_number.s 2>&-").exit_code, 2);
    EXPECT_EQ(shell("e2kwb run $sources/first_number.s 3< /dev/null 5< /dev/null").exit_code, 4);
}

TEST(Descriptors, NothingKeepsAStreamOpenThatTheGuestHasClosed) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(shell("mkfifo p; $bin run $sources/lets_go.s > p & cat p; kill $!").output,
              "started\n");
    EXPECT_EQ(shell("x=$(e2kwb run $sources/lets_go.s child); echo $x").output, "started\n");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(25));
}

TEST(Descriptors, MessagesDoNotGoIntoAFileOfTheGuest) {
    const auto result =
        shell("e2kwb run $sources/dies_after_open.s file; rc=$?; wc -c < file; exit $rc");
    EXPECT_EQ(result.exit_code, 139);
    EXPECT_EQ(result.output, "opened 2\n0\n");
    const auto traced = shell("e2kwb run --strace $sources/dies_after_open.s file; wc -c < file");
    EXPECT_EQ(traced.output, "opened 2\n0\n");
    EXPECT_NE(traced.errors.find("open(\"file\""), std::string::npos) << "its own standard error";
}

TEST(Limits, OfTheCallerAreTheGuests) {
    EXPECT_EQ(
        shell("ulimit -n 300; ulimit -s 2048; ulimit -c 0; e2kwb run $sources/limits.s").output,
        "files 300\nstack 2097152\ncore 0\n");
    const auto many = shell("ulimit -S -n 3000; e2kwb run $sources/copies.s 2999").output;
    EXPECT_EQ(many, "dup2 2999\ncopied\nclose 0\nlast 2999\nerror -24\n");
    // Where the hard limit may not be raised, the workbench's own descriptor counts.
    const auto few = shell("ulimit -n 20; e2kwb run $sources/copies.s 20").output;
    EXPECT_TRUE(few == "dup2 -9\nclose -9\nlast 19\nerror -24\n" ||
                few == "dup2 -9\nclose -9\nlast 18\nerror -24\n")
        << few;
}

TEST(Limits, TooSmallForTheWorkbenchItRunsOrSaysSo) {
    const std::string expected = shell("e2kwb run $guests/hello").output;
    for (const std::string limit : {"-n 4", "-n 5", "-n 6", "-n 8", "-d 200000", "-d 20000",
                                    "-v 8000000", "-v 300000", "-s 64", "-u 1", "-l 0"}) {
        // The sanitizer's run time itself needs memory and, for its reports, descriptors.
        if (e2k::test::kAddressSanitizer &&
            std::string_view("ndv").find(limit[1]) != std::string::npos)
            continue;
        const auto result = shell("(exec > out 2>&1; ulimit " + limit +
                                  "; exec $bin run $guests/hello); rc=$?; cat out; exit $rc");
        if (result.exit_code == 126)
            EXPECT_TRUE(result.output.starts_with("e2kwb: ")) << limit << ": " << result.output;
        else
            EXPECT_EQ(result.output, expected) << limit;
        EXPECT_TRUE(result.exit_code == 0 || result.exit_code == 126) << limit;
    }
}

}  // namespace
