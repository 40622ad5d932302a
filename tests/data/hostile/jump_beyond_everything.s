! expect: fault SIGSEGV
! message: not mapped
! A jump beyond the addresses that programs have.
        .include "lib.inc"
        .data
        .balign 8
data:   .dword 0, 0
        .text
        start
        { addd 0, 0x7ffffffffff8, %dr0 }
        { nop 4
          movtd %dr0, %ctpr2 }
        { ct %ctpr2 }
        exit 3
