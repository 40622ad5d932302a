! expect: fault SIGKILL
! message: trampoline
! longjmp out of a handler to the record of the trampoline that would end it.
        .include "lib.inc"
        .bss
        .balign 16
buffer: .skip 128
        .text
        start
        handle SIGUSR1, handler
        raise SIGUSR1
        exit 3
handler: enter
        fill_jump buffer
        sys 230, buffer, 1
        exit 4
