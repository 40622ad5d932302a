! expect: exit 0
! options: --sandbox
! System V objects by numbers the guest has guessed, and by key.
        .include "lib.inc"
        .bss
        .balign 16
buffer: .skip 256
        .text
        start
        { addd 0, 0, %dr1 }
next:
        sys 280, %dr1, 0, 0
        result -13
        sys 279, %dr1, 0, 0
        result -13
        sys 271, %dr1, 0, 0
        result -13
        sys 272, %dr1, buffer, 32, 0, 2048
        result -13
        sys 275, %dr1, 0, 0, 0
        result -13
        sys 117, 24, %dr1, 0, 0, 0, 0
        result -13
        { addd %dr1, 1, %dr1 }
        { nop 2
          cmplsb %r1, 64, %pred0 }
        { nop 4
          disp %ctpr1, next }
        { ct %ctpr1 ? %pred0 }
        sys 278, 0x4711, 4096, 0x3b6
        result -13
        sys 315, buffer, 0x42, 0x180, 0
        result -13
        exit
