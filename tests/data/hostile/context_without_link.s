! expect: fault SIGSEGV
! message: uc_link
! The function of a context returns, and what shall follow cannot be read.
        .include "lib.inc"
        .include "contexts.inc"
        start
        make first, one, 0x7000000000
        sys 369, first, 8
        exit 3
one:    leave
