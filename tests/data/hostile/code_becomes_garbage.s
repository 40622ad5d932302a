! expect: fault SIGILL SIGSEGV
! A loop that overwrites its own first bundle with what is none, while it runs.
        .include "lib.inc"
        start
        sys 90, 0x10000000, 8192, 7, 0x32, -1, 0
        result 0x10000000
        { addd 0, template, %dr0
          addd 0, 0x10000000, %dr1
          addd 0, 16, %dr2 }
copy:   { nop 4
          ldd [%dr0 + 0], %dr3 }
        { std %dr3, [%dr1 + 0]
          addd %dr0, 8, %dr0
          addd %dr1, 8, %dr1 }
        repeat %dr2, copy
        { addd 0, 0x10000000, %dr4
          addd 0, 0xffffffffffffffff, %dr5 }
        { nop 4
          movtd %dr4, %ctpr2 }
        { addd 0, 0, %dr6 }
        { ct %ctpr2 }
        .align 8
template: { addd %dr6, 1, %dr6 }
        { nop 2
          cmpedb %dr6, 2000, %pred0 }
        { std %dr5, [%dr4 + 0] ? %pred0 }
        { std,2 %dr1, [%dr4 + 0], mas = 0x17 ? %pred0 }
        { ct %ctpr2 }
        .skip 128
