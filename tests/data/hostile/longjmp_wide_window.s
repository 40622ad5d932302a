! expect: fault SIGKILL
! message: 254 parameters
! longjmp with a record whose parameters would make the caller's caller a window of more than 224 registers.
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
        { addd 0, (12 << 33) | (127 << 26) | (1 << 25), %dr9 }
        { std %dr9, [%dr11 + 16] }
        sys 230, buffer, 1
        exit 4
