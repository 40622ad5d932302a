! expect: exit 0
! options: --sandbox
! /dev/null is opened and nothing else; other devices are not opened at all.
        .include "lib.inc"
        .data
null:   .asciz "/dev/null"
memory: .asciz "/dev/mem"
random: .asciz "/dev/urandom"
        .text
        start
        sys 5, null, 2
        { addd 0, %db[0], %dr1 }
        { nop 2
          cmpldb %dr1, 0, %pred0 }
        { nop 4
          disp %ctpr1, failed }
        { ct %ctpr1 ? %pred0 }
        sys 10, null
        result -13
        sys 15, null, 0x1b6
        result -13
        sys 182, null, 0, 0
        result -13
        sys 38, null, random
        result -13
        sys 309, null, 0
        result -13
        sys 5, random, 1
        result -13
        sys 5, memory, 0
        negative %db[0]
        exit
failed: exit 1
