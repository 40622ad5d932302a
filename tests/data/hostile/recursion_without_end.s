! expect: fault SIGSEGV
! message: nested too deeply
        .include "lib.inc"
        start
        invoke again
        exit 3
again:  enter
        invoke again
        leave
