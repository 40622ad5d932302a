! expect: fault SIGKILL
! message: the largest has 224
! longjmp that moves the window by 127 quads: a window of 254 registers and more.
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
        { addd 0, (127 << 33) | (4 << 26) | (1 << 25), %dr9 }
        { std %dr9, [%dr11 + 16] }
        sys 230, buffer, 1
        exit 4
