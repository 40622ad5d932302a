! expect: fault SIGKILL
! message: is not code like
! longjmp to an address where nothing is mapped.
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
        { addd 0, 0x7ffffffffff8, %dr9 }
        { std %dr9, [%dr11 + 8] }
        sys 230, buffer, 1
        exit 4
