! expect: fault SIGSEGV
! message: not mapped
! A jump where nothing is mapped.
        .include "lib.inc"
        .data
        .balign 8
data:   .dword 0, 0
        .text
        start
        { addd 0, 0x7654321000, %dr0 }
        { nop 4
          movtd %dr0, %ctpr2 }
        { ct %ctpr2 }
        exit 3
