! expect: fault SIGKILL
! message: has returned
! longjmp to a record above the newest one.
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
        { nop 4
          ldw [%dr11 + 32], %dr9 }
        { addd %dr9, 32 * 7, %dr9 }
        { stw %dr9, [%dr11 + 32] }
        sys 230, buffer, 1
        exit 4
