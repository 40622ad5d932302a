! expect: fault SIGSEGV SIGILL
! Returns below the first function.
        .include "lib.inc"
        start
        leave
        exit 3
