! expect: fault SIGSEGV
! message: not mapped
! A jump to where the kernel's entries seem to lie.
        .include "lib.inc"
        .data
        .balign 8
data:   .dword 0, 0
        .text
        start
        { addd 0, 0xe20000001800, %dr0 }
        { nop 4
          movtd %dr0, %ctpr2 }
        { ct %ctpr2 }
        exit 3
