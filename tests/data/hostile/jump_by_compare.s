! expect: fault SIGILL
! message: does not hold a prepared
! A ct whose condition is a comparison of its own bundle, through a CTPR that holds nothing.
        .include "lib.inc"
        start
        { addd 0, 0, %dr0 }
        .word 0x04001012, 0xc0000d20, 0x2080c040, 0x00000000
        exit 3
