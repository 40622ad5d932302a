// A small dynamic linker, a shared library and a program that uses both, in E2K assembly.
#pragma once

#include <string>
#include <string_view>

#include "tests/support/guest_macros.h"

namespace e2k::test {

/// For sources that stand anywhere: `address register, symbol`, and functions.
inline constexpr std::string_view kLinkMacros = R"(
        .macro address register, symbol
        { rrd %ip, \register
          addd 0, _f64 _GLOBAL_OFFSET_TABLE_, %dr23 }
        { addd \register, %dr23, \register }
        { addd \register, _f64 \symbol@GOTOFF, \register }
        .endm
        .macro entry_of register, symbol         ! through the table of addresses
        { rrd %ip, \register
          addd 0, _f64 _GLOBAL_OFFSET_TABLE_, %dr23 }
        { addd \register, %dr23, \register }
        { nop 4
          ldd \register, \symbol@GOT, \register }
        .endm
        .macro get register, place, offset=0
        { nop 4
          ldd [\place + \offset], \register }
        .endm
        .macro invoke function, a=0, b=0, c=0
        { addd 0, \a, %db[0]
          addd 0, \b, %db[1]
          addd 0, \c, %db[2] }
        { nop 4
          disp %ctpr1, \function }
        { call %ctpr1, wbs = CALL }
        .endm
        .macro answer value
        { addd 0, \value, %dr0 }
        back
        .endm
        .macro go_if_equal register, value, to
        { nop 2
          cmpedb \register, \value, %pred3 }
        { nop 4
          disp %ctpr1, \to }
        { ct %ctpr1 ? %pred3 }
        .endm
        .macro take tag, register, from, wanted
        { nop 2
          cmpedb \tag, \wanted, %pred0 }
        { addd 0, \from, \register ? %pred0 }
        .endm
)";

/// A dynamic linker: one library, "/lib/libtest.so", without .bss; eager binding. Prints nothing;
/// what it cannot do ends the process with 100 and more.
inline constexpr std::string_view kDynamicLinker = R"(
        .equ PROGRAM, 0
        .equ LIBRARY, 64
        .equ BIAS, 0
        .equ SYMBOLS, 8
        .equ STRINGS, 16
        .equ HASH, 24
        .equ RELA, 32
        .equ RELASZ, 40
        .section .rodata
library: .asciz "/lib/libtest.so"
        .bss
        .balign 8
objects: .space 128
        begin
        { nop 4
          getsp 0, %dr10 }
        get %dr11, %dr10
        { shld %dr11, 3, %dr11 }
        { addd %dr10, %dr11, %dr11 }
        { addd %dr11, 16, %dr11 }
environment:
        get %dr12, %dr11
        { addd %dr11, 8, %dr11 }
        go_if_zero %dr12, vector
        go environment
vector: get %dr12, %dr11
        get %dr13, %dr11, 8
        { addd %dr11, 16, %dr11 }
        go_if_zero %dr12, known
        take %dr12, %dr1, %dr13, 3
        take %dr12, %dr2, %dr13, 5
        take %dr12, %dr3, %dr13, 9
        take %dr12, %dr4, %dr13, 7
        go vector
known:  address %dr5, objects
        address %dr6, __ehdr_start
        { subd %dr6, %dr4, %dr6 }       ! AT_BASE must be where this stands
        { nop 2
          cmpedb %dr6, 0, %pred0 }
        { addd 0, 101, %dr7 }
        invoke check, %dr6, %dr7
        invoke describe, %dr5, %dr1, %dr2
        address %dr6, library
        sys 5, %dr6
        { addd 0, %db[0], %dr7 }
        { nop 2
          cmpldb %dr7, 0, %pred0 }
        { addd 0, 102, %dr8 }
        { addd 0, 0, %dr9 }
        { addd 0, 1, %dr9 ? %pred0 }
        invoke check, %dr9, %dr8
        sys 90, 0, 0x10000, 7, 2, %dr7
        { addd 0, %db[0], %dr7 }
        { addd %dr7, 64, %dr8           ! its program headers
          addd %dr5, LIBRARY, %dr9 }
        { nop 4
          ldh [%dr7 + 56], %dr10 }
        invoke describe, %dr9, %dr8, %dr10
        invoke relocate, %dr9, %dr5
        invoke relocate, %dr5, %dr5
        { nop 4
          movtd %dr3, %ctpr1 }
        { addd 0, 0, %db[0] }
        { call %ctpr1, wbs = CALL }
        quit 110

check:  procedure                       ! (must be 0, code)
        go_if_zero %dr0, fine
        sys 300, %dr1
fine:   back

describe:                               ! (object, program headers, their number)
        procedure
        { addd 0, 0, %dr3 }
        { addd 0, %dr1, %dr4 }
header: go_if_zero %dr2, found
        { nop 4
          ldw [%dr4 + 0], %dr5 }
        get %dr6, %dr4, 16
        take %dr5, %dr7, %dr6, 6        ! PT_PHDR
        take %dr5, %dr3, %dr6, 2        ! PT_DYNAMIC
        { addd %dr4, 56, %dr4
          subd %dr2, 1, %dr2 }
        go header
found:  { subd %dr1, %dr7, %dr7 }
        { std %dr7, [%dr0 + BIAS] }
        { addd %dr3, %dr7, %dr3 }
tag:    get %dr5, %dr3
        get %dr6, %dr3, 8
        { addd %dr3, 16, %dr3
          addd %dr6, %dr7, %dr8 }
        go_if_zero %dr5, described
        keep_tag 5, STRINGS, 8
        keep_tag 6, SYMBOLS, 8
        keep_tag 4, HASH, 8
        keep_tag 7, RELA, 8
        keep_tag 8, RELASZ, 6
        go tag
described: back

relocate:                               ! (object, all)
        procedure
        get %dr2, %dr0, RELA
        get %dr3, %dr0, RELASZ
        get %dr4, %dr0, BIAS
        { addd %dr2, %dr3, %dr3 }
record: go_if_equal %dr2, %dr3, relocated
        get %dr5, %dr2
        get %dr6, %dr2, 8
        get %dr7, %dr2, 16
        { addd %dr5, %dr4, %dr5         ! the place
          shrd %dr6, 32, %dr8           ! the symbol
          addd %dr2, 24, %dr2 }
        { sxt 6, %dr6, %dr6 }
        { addd 0, %dr4, %dr10 }
        go_if_equal %dr6, 65, relative
        go_if_equal %dr6, 66, relative_literal
        go_if_equal %dr6, 64, copied
        { addd 0, 0, %dr9 }
        invoke look_up, %dr0, %dr8, %dr1
        { addd 0, %db[0], %dr10 }
        go_if_equal %dr6, 50, relative
        go_if_equal %dr6, 63, relative
        go_if_equal %dr6, 51, relative_literal
        { addd %dr6, 120, %dr6 }
        sys 300, %dr6
relative:
        { addd %dr10, %dr7, %dr10 }
        { std %dr10, [%dr5 + 0] }
        go record
relative_literal:                       ! the upper word first
        { addd %dr10, %dr7, %dr10 }
        { shrd %dr10, 32, %dr11 }
        { stw %dr11, [%dr5 + 0] }
        { stw %dr10, [%dr5 + 4] }
        go record
copied: { addd %dr1, LIBRARY, %dr9 }
        invoke look_up, %dr0, %dr8, %dr9
        get %dr10, %db[0]
        { std %dr10, [%dr5 + 0] }       ! all of them have eight bytes
        go record
relocated: back

look_up:                                ! (of whom, number, objects from here on)
        procedure
        get %dr3, %dr0, SYMBOLS
        get %dr4, %dr0, STRINGS
        { shld %dr1, 3, %dr5 }
        { shld %dr5, 1, %dr6 }
        { addd %dr5, %dr6, %dr5 }       ! 24 bytes each
        { addd %dr5, %dr3, %dr5 }
        { nop 4
          ldw [%dr5 + 0], %dr5 }
        { addd %dr4, %dr5, %dr5 }       ! the name
        address %dr15, objects
        { addd %dr15, 128, %dr15 }
object: go_if_equal %dr2, %dr15, not_there
        get %dr3, %dr2, SYMBOLS
        get %dr4, %dr2, STRINGS
        get %dr6, %dr2, HASH
        { nop 4
          ldw [%dr6 + 4], %dr6 }
        { sxt 6, %dr6, %dr6 }
symbol: { addd %dr3, 24, %dr3
          subd %dr6, 1, %dr6 }
        go_if_zero %dr6, next_object
        { nop 4
          ldh [%dr3 + 6], %dr7 }
        go_if_zero %dr7, symbol
        { nop 4
          ldw [%dr3 + 0], %dr8 }
        { addd %dr8, %dr4, %dr8
          addd 0, %dr5, %dr9 }
letter: { nop 4
          ldb [%dr8 + 0], %dr10
          ldb [%dr9 + 0], %dr11 }
        { subd %dr10, %dr11, %dr12
          addd %dr8, 1, %dr8
          addd %dr9, 1, %dr9 }
        go_if_zero %dr12, same
        go symbol
same:   go_if_zero %dr10, match
        go letter
match:  get %dr3, %dr3, 8
        get %dr4, %dr2, BIAS
        { addd %dr3, %dr4, %dr3 }
        answer %dr3
next_object:
        { addd %dr2, 64, %dr2 }
        go object
not_there:
        quit 103
)";

/// Behind the other macros: a row of the dynamic section that `describe` keeps.
inline constexpr std::string_view kKeepTag = R"(
        .macro keep_tag number, place, value
        { nop 2
          cmpedb %dr5, \number, %pred0 }
        { std %dr\value, [%dr0 + \place] ? %pred0 }
        .endm
)";

/// "libtest.so": text to standard output, a counter that others may copy, a call of its own.
inline constexpr std::string_view kLibrary = R"(
        .globl say, counter, bump, step, where
        .type say, @function
        .type bump, @function
        .type step, @function
        .type where, @function
        .type counter, @object
        .size counter, 8
        .text
say:    procedure
        sys 4, 1, %dr0, %dr1
        answer %db[0]
bump:   procedure
        invoke step
        entry_of %dr1, counter
        get %dr2, %dr1
        { addd %dr2, %db[0], %dr2 }
        { std %dr2, [%dr1 + 0] }
        answer %dr2
step:   procedure                       ! a program may have its own
        answer 1
where:  procedure                       ! what its data says of the counter's place
        address %dr1, place
        get %dr1, %dr1
        answer %dr1
        .data
        .balign 8
counter: .dword 40
place:  .dword counter
        .dword place
)";

/// Says a greeting, reads "/etc/greeting", counts; ends with the counter. FIXED: at fixed
/// addresses.
inline constexpr std::string_view kDynamicProgram = R"(
        .type counter, @object
        .size counter, 8
        .section .rodata
greeting: .ascii "hello from a library\n"
        .equ LENGTH, . - greeting
file:   .asciz "/etc/greeting"
        .data
        .balign 8
pointer: .dword greeting
        .bss
buffer: .space 64
        begin
        address %dr1, pointer
        get %dr1, %dr1
        invoke say, %dr1, LENGTH
        address %dr1, file
        sys 5, %dr1
        { addd 0, %db[0], %dr2 }
        address %dr3, buffer
        sys 3, %dr2, %dr3, 64
        { addd 0, %db[0], %dr4 }
        invoke say, %dr3, %dr4
        invoke bump
        .ifdef FIXED
        { nop 4
          ldd [counter], %dr5 }
        { addd 0, counter, %dr6 }
        .else
        entry_of %dr6, counter
        get %dr5, %dr6
        .endif
        invoke where
        { subd %db[0], %dr6, %dr6 }     ! all mean the same place
        go_if_zero %dr6, same
        quit 99
same:   sys 300, %dr5
)";

inline std::string dynamic_source(std::string_view body, std::string_view before = "") {
    return std::string(before) + std::string(kGuestMacros) + std::string(kLinkMacros) +
           std::string(kKeepTag) + std::string(body);
}

}  // namespace e2k::test
