! expect: fault SIGKILL
! message: cannot be right
! longjmp whose buffer claims half a quad of parameters.
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
        { addd 0, 9 * 8, %dr9 }
        { stw %dr9, [%dr11 + 60] }
        sys 230, buffer, 1
        exit 4
