! expect: fault SIGILL
! message: multiple of 8
! A call into the middle of a word.
        .include "lib.inc"
        .data
        .balign 8
data:   .dword 0, 0
        .text
        start
        { addd 0, _start+2, %dr0 }
        { nop 4
          movtd %dr0, %ctpr2 }
        { call %ctpr2, wbs = WBS }
        exit 3
