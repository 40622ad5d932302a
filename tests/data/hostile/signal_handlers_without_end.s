! expect: fault SIGSEGV
! A handler that raises its own signal before it ends, for ever.
        .include "lib.inc"
        start
        handle SIGUSR1, handler, 0x40000004
again:  raise SIGUSR1
        exit 3
handler: enter
        raise SIGUSR1
        leave
