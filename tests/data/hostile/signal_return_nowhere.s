! expect: fault SIGSEGV
! message: not mapped
! A handler sends the program to the last address of all.
        .include "lib.inc"
        start
        handle SIGUSR1, handler
        raise SIGUSR1
        exit 3
handler: enter
        { addd 0, 0xffffffffffffffff, %dr4 }
        { std %dr4, [%dr2 + 48] }
        leave
