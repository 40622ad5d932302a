! expect: fault SIGKILL
! message: names no record
! longjmp to the middle of a record.
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
        { subd %dr9, 8, %dr9 }
        { stw %dr9, [%dr11 + 32] }
        sys 230, buffer, 1
        exit 4
