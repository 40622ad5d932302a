! expect: fault SIGSEGV SIGILL
! A handler at an address that is none.
        .include "lib.inc"
        start
        handle SIGUSR1, 0xfffffffffffffff9
        raise SIGUSR1
        exit 3
