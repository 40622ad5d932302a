! expect: fault SIGKILL
! message: psr.pm
! longjmp to a record of the kernel: the privileged bit of psr is set.
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
        { addd 0, (12 << 33) | (4 << 26) | (3 << 57), %dr9 }
        { std %dr9, [%dr11 + 16] }
        sys 230, buffer, 1
        exit 4
