! expect: fault SIGKILL
! message: rotation lies outside
! longjmp with a rotation of %b[] beyond the rotating area.
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
        { addd 0, 63 << 12, %dr9 }
        { stw %dr9, [%dr11 + 44] }
        sys 230, buffer, 1
        exit 4
