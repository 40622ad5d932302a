// Small Elbrus programs for the tests of execve, fork and vfork, and the directory they live in.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/assembled_guest.h"
#include "tests/support/child_process.h"

namespace e2k::test {

/// Macros of all of them. %db[0]..%db[6] are the call's; a result is in %db[0].
inline constexpr std::string_view kCallMacros = R"(
        .macro begin
        .globl _start
        .text
_start: { setwd wsz = 16, nfx = 1, dbl = 1
          setbn rbs = 12, rsz = 3, rcur = 0 }
        .endm
        .macro linux number, a=0, b=0, c=0, d=0, e=0
        { addd 0, \number, %db[0] }
        { addd 0, \a, %db[1] }
        { addd 0, \b, %db[2] }
        { addd 0, \c, %db[3] }
        { addd 0, \d, %db[4] }
        { addd 0, \e, %db[5] }
        { nop 4
          sdisp %ctpr1, 3 }
        { call %ctpr1, wbs = 12 }
        .endm
        .macro go to
        { nop 4
          disp %ctpr1, \to }
        { ct %ctpr1 }
        .endm
        .macro if_zero register, to
        { nop 2
          cmpedb \register, 0, %pred3 }
        { nop 4
          disp %ctpr1, \to }
        { ct %ctpr1 ? %pred3 }
        .endm
        .macro get register, address
        { addd 0, \address, %dr20 }
        { nop 4
          ldd [%dr20 + 0], \register }
        .endm
        .macro put register, address
        { addd 0, \address, %dr20 }
        { std \register, [%dr20 + 0] }
        .endm
        .macro argument register, index
        { nop 4
          getsp 0, %dr20 }
        { nop 4
          ldd [%dr20 + 8 + 8 * (\index)], \register }
        .endm
        .macro end_with code            ! 0..255; of an error its number
        { subd 0, \code, %dr20 }
        { nop 2
          cmpldb \code, 0, %pred3 }
        { addd 0, \code, %dr20 ? ~%pred3 }
        linux 300, %dr20
        .endm
)";

/// Prints its arguments, a line each, then "--", then its environment.
inline constexpr std::string_view kShow = R"(
        .section .rodata
lines:  .ascii "--\n"
        .text
        begin
        { nop 4
          getsp 0, %dr1 }
        { addd 0, 2, %dr6               ! two lists
          addd %dr1, 8, %dr1 }
next:   { nop 4
          ldd [%dr1 + 0], %dr2 }
        if_zero %dr2, end_of_list
        { addd 0, %dr2, %dr3 }
length: { nop 4
          ldb [%dr3 + 0], %dr4 }
        if_zero %dr4, print
        { addd %dr3, 1, %dr3 }
        go length
print:  { subd %dr3, %dr2, %dr4 }
        linux 4, 1, %dr2, %dr4
        linux 4, 1, lines + 2, 1
        { addd %dr1, 8, %dr1 }
        go next
end_of_list:
        { subd %dr6, 1, %dr6
          addd %dr1, 8, %dr1 }
        if_zero %dr6, done
        linux 4, 1, lines, 3
        go next
done:   linux 300
)";

/// Executes its first argument with the others as arguments; ends with the number of the error.
inline constexpr std::string_view kExec = R"(
        begin
        { nop 4
          getsp 0, %dr1 }
        { nop 4
          ldd [%dr1 + 0], %dr2 }
        { shld %dr2, 3, %dr5
          addd %dr1, 24, %dr4 }
        { addd %dr5, %dr1, %dr5 }
        { addd %dr5, 16, %dr5 }
        argument %dr3, 1
        linux 11, %dr3, %dr4, %dr5
        end_with %db[0]
)";

/// Makes the file its first argument names; ends with 0 or the number of the error.
inline constexpr std::string_view kTouch = R"(
        begin
        argument %dr3, 1
        linux 5, %dr3, 0101, 0600
        { nop 2
          cmpldb %db[0], 0, %pred0 }
        { addd 0, 0, %db[0] ? ~%pred0 }
        end_with %db[0]
)";

class ExecGuests {
public:
    /// Assembles a program and returns its path.
    std::string make(const std::string& name, std::string_view source) const {
        const auto path = directory_.path() / name;
        write_guest(path, std::string(kCallMacros) + std::string(source));
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
        return path.string();
    }
    /// An executable file that is no ELF file.
    std::string text(const std::string& name, const std::string& content) const {
        const auto path = directory_.path() / name;
        std::ofstream(path) << content;
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
        return path.string();
    }
    std::string path(const std::string& name) const { return (directory_.path() / name).string(); }

    /// Runs a shell line in the directory; $E2KWB is the workbench.
    ChildResult shell(const std::string& line) const {
        return run_child({"/bin/sh", "-c", "cd " + directory_.path().string() + "; " + line},
                         {.environment = {"E2KWB=" E2KWB}});
    }

private:
    ScratchDirectory directory_;
};

}  // namespace e2k::test
