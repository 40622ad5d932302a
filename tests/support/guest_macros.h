// Macros for guests of a few lines in a test: system calls, branches, text.
#pragma once

#include <string>
#include <string_view>

namespace e2k::test {

/// %r0..%r19 are the program's; %b[0] holds the result of a system call.
inline constexpr std::string_view kGuestMacros = R"(
        .equ CALL, 12
        .macro procedure
        { setwd wsz = 16, nfx = 1, dbl = 1
          setbn rbs = CALL, rsz = 3, rcur = 0 }
        .endm
        .macro begin
        .globl _start
        .text
_start: procedure
        .endm
        .macro sys number, a=0, b=0, c=0, d=0, e=0, f=0
        { addd 0, \number, %db[0] }
        { addd 0, \a, %db[1] }
        { addd 0, \b, %db[2] }
        { addd 0, \c, %db[3] }
        { addd 0, \d, %db[4] }
        { addd 0, \e, %db[5] }
        { addd 0, \f, %db[6] }
        { nop 4
          sdisp %ctpr1, 3 }
        { call %ctpr1, wbs = CALL }
        .endm
        .macro quit code=0
        sys 300, \code
        .endm
        .macro go to
        { nop 4
          disp %ctpr1, \to }
        { ct %ctpr1 }
        .endm
        .macro go_if_less register, limit, to
        { nop 2
          cmpldb \register, \limit, %pred3 }
        { nop 4
          disp %ctpr1, \to }
        { ct %ctpr1 ? %pred3 }
        .endm
        .macro go_if_zero register, to
        { nop 2
          cmpedb \register, 0, %pred3 }
        { nop 4
          disp %ctpr1, \to }
        { ct %ctpr1 ? %pred3 }
        .endm
! The arguments of __libc_start_main at the beginning of a program, for the function main.
        .macro main_arguments
        { nop 4
          rrd %usd.lo, %dr2 }
        { addd 0, _f64 0xffffffffffff, %dr3 }
        { andd %dr2, %dr3, %dr2 }
        { nop 2
          ldw [%dr2], %dr1 }
        { addd %dr2, 8, %db[2] }
        { addd 0, main, %db[0]
          sxt 2, %dr1, %db[1] }
        { addd 0, 0, %db[3]
          addd 0, 0, %db[4] }
        { addd 0, 0, %db[5]
          addd 0, 0, %db[6] }
        .endm
        .macro start_main
        main_arguments
        { nop 4
          disp %ctpr1, __libc_start_main }
        { call %ctpr1, wbs = CALL }
        .endm
        .macro back
        { nop 5
          return %ctpr3 }
        { ct %ctpr3 }
        .endm
)";

/// For programs that look at what they got: `expect` ends one with `code`, 1..255, unless the
/// register holds `value`. `load` changes %dr22.
inline constexpr std::string_view kExpectMacros = R"(
        .macro load register, place
        { addd 0, \place, %dr22 }
        { nop 4
          ldd [%dr22], \register }
        .endm
        .macro expect register, value, code
        { nop 2
          cmpedb \register, \value, %pred0 }
        { nop 4
          disp %ctpr1, .Lexpected\@ }
        { ct %ctpr1 ? %pred0 }
        quit \code
.Lexpected\@:
        .endm
)";

inline std::string with_macros(std::string_view body) {
    return std::string(kGuestMacros) + std::string(body);
}

}  // namespace e2k::test
