! expect: fault SIGSEGV
! message: no code can be fetched
! A function that unmaps its own code: the system call has no place to return to.
        .include "lib.inc"
        start
        sys 90, 0x10000000, 4096, 7, 0x32, -1, 0
        result 0x10000000
        { addd 0, template, %dr0
          addd 0, 0x10000000, %dr1
          addd 0, 32, %dr2 }
copy:   { nop 4
          ldd [%dr0 + 0], %dr3 }
        { std %dr3, [%dr1 + 0]
          addd %dr0, 8, %dr0
          addd %dr1, 8, %dr1 }
        repeat %dr2, copy
        { addd 0, 0x10000000, %dr4 }
        { nop 4
          movtd %dr4, %ctpr2 }
        { call %ctpr2, wbs = WBS }
        exit 3
        .align 8
template: enter
        sys 91, 0x10000000, 4096
        exit 4
        .skip 256
