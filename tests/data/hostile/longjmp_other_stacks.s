! expect: fault SIGKILL
! message: other hardware stacks
! longjmp to a chain stack that is not the thread's.
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
        { addd 0, 0x12345678, %dr9 }
        { std %dr9, [%dr11 + 24] }
        sys 230, buffer, 1
        exit 4
