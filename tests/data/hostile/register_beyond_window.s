! expect: fault SIGSEGV
! message: outside
        .include "lib.inc"
        start
        { addd 0, 1, %dr63 }
        exit 3
