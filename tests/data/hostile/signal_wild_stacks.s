! expect: fault SIGSEGV
! message: no room
! An alternate stack where nothing is mapped.
        .include "lib.inc"
        .data
        .balign 8
alternate: .dword 0x7fffffff0000, 0, 65536
        .text
        start
        sys 186, alternate, 0
        handle SIGUSR1, go_on, 0x08000004
        raise SIGUSR1
        exit 3
