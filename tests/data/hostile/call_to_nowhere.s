! expect: fault SIGSEGV
! message: not mapped
! A call of the last address there is.
        .include "lib.inc"
        .data
        .balign 8
data:   .dword 0, 0
        .text
        start
        { addd 0, 0xfffffffffff8, %dr0 }
        { nop 4
          movtd %dr0, %ctpr2 }
        { call %ctpr2, wbs = WBS }
        exit 3
