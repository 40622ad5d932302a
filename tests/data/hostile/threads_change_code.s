! expect: exit 0 | fault SIGILL SIGSEGV
! One thread rewrites a function between two forms while two others call it.
        .include "lib.inc"
        .include "threads.inc"
        start
        sys 90, 0x10000000, 4096, 7, 0x32, -1, 0
        { addd 0, template, %dr0
          addd 0, 0x10000000, %dr1
          addd 0, 8, %dr2 }
copy:   { nop 4
          ldd [%dr0 + 0], %dr3 }
        { std %dr3, [%dr1 + 0]
          addd %dr0, 8, %dr0
          addd %dr1, 8, %dr1 }
        repeat %dr2, copy
        spawn caller, stack1
        spawn caller, stack2
        { addd 0, 4000, %dr0
          addd 0, 0x10000000 + literal - template, %dr1 }
again:  { stw %dr0, [%dr1 + 0] }
        { std,2 %dr1, [%dr1 + 0], mas = 0x17 }         ! the instruction cache
        repeat %dr0, again
        exit
caller: enter
        { addd 0, 0x10000000, %dr4 }
round:  { nop 4
          movtd %dr4, %ctpr2 }
        { call %ctpr2, wbs = WBS }
        jump round
        .align 8
template: .word 0x04000011, 0x11c0d880
        .word 0x00000000
literal: .word 0x00000000
        leave
        .skip 64
