! expect: fault SIGKILL
! message: names no record
! longjmp to a record below the first: pcshtp is negative.
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
        { addd 0, 0x400, %dr9 }
        { stw %dr9, [%dr11 + 40] }
        sys 230, buffer, 1
        exit 4
