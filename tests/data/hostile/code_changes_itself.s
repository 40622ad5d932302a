! expect: exit 0
! A function that is written anew before each call: the call executes what stands there.
        .include "lib.inc"
        start
        sys 90, 0x10000000, 4096, 7, 0x32, -1, 0
        result 0x10000000
        { addd 0, template, %dr0
          addd 0, 0x10000000, %dr1
          addd 0, 8, %dr2 }
copy:   { nop 4
          ldd [%dr0 + 0], %dr3 }
        { std %dr3, [%dr1 + 0]
          addd %dr0, 8, %dr0
          addd %dr1, 8, %dr1 }
        repeat %dr2, copy
        { addd 0, 3000, %dr2
          addd 0, 0x10000000 + literal - template, %dr1 }
again:  { stw %dr2, [%dr1 + 0] }
        { std,2 %dr1, [%dr1 + 0], mas = 0x17 }         ! the instruction cache
        { addd 0, 0x10000000, %dr4 }
        { nop 4
          movtd %dr4, %ctpr2 }
        { call %ctpr2, wbs = WBS }
        same %db[0], %dr2
        repeat %dr2, again
        exit
        .align 8
template: .word 0x04000011, 0x11c0d880          ! addd 0, literal, %dr0
        .word 0x00000000
literal: .word 0x00000000
        leave
        .skip 64
