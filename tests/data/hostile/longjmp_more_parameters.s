! expect: fault SIGKILL
! message: parameters in a window
! longjmp into a function that would have more parameters than registers.
        .include "lib.inc"
        .bss
        .balign 16
buffer: .skip 128
        .text
        start
        invoke helper
        exit 3
helper: enter
        invoke jumper
        leave
jumper: enter
        fill_jump buffer
        { addd 0, (2 << 33) | (100 << 26) | (1 << 25), %dr9 }
        { std %dr9, [%dr11 + 16] }
        sys 230, buffer, 1
        exit 4
