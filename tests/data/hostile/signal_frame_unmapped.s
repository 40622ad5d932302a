! expect: fault SIGSEGV
! message: frame
! A handler unmaps the alternate stack it runs on.
        .include "lib.inc"
        .data
        .balign 8
alternate: .dword 0x10000000, 0, 65536
        .text
        start
        sys 90, 0x10000000, 65536, 3, 0x32, -1, 0
        sys 186, alternate, 0
        result 0
        handle SIGUSR1, handler, 0x08000004
        raise SIGUSR1
        exit 3
handler: enter
        sys 91, 0x10000000, 65536
        leave
