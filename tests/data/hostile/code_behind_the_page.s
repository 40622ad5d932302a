! expect: fault SIGSEGV
! message: no code can be fetched
! Control runs off the end of the code: the last bundle reaches into a page that is not there.
        .include "lib.inc"
        start
        sys 90, 0x10000000, 4096, 7, 0x32, -1, 0
        result 0x10000000
        { addd 0, 0x10000000 + 4096 - 8, %dr0
          addd 0, 0x0000000000000010, %dr1 }    ! a bundle of two words more than are there
        { std %dr1, [%dr0 + 0] }
        { nop 4
          movtd %dr0, %ctpr2 }
        { ct %ctpr2 }
        exit 3
