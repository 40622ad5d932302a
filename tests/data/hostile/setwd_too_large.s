! expect: fault SIGILL
! message: 112
! setwd of 127 quads, which no assembler writes.
        .include "lib.inc"
        start
        .word 0x00008011, 0x00000000, 0x00000000, 0x00000ff8
        exit 3
