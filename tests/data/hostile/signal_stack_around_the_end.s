! expect: fault SIGSEGV | exit 0
! An alternate stack that ends behind the last address: refused, or no room for the frame.
        .include "lib.inc"
        .data
        .balign 8
alternate: .dword 0xffffffffffff0000, 0, 0x20000
        .text
        start
        sys 186, alternate, 0
        handle SIGUSR1, handler, 0x08000004
        raise SIGUSR1
        exit 0
handler: enter
        leave
