! expect: fault SIGKILL
! message: the largest has 224
! longjmp whose buffer claims 255 registers of parameters.
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
        { addd 0, 0x7ff, %dr9 }
        { stw %dr9, [%dr11 + 60] }
        sys 230, buffer, 1
        exit 4
