! expect: fault SIGSEGV SIGILL
! bap with a prefetch program where nothing is mapped.
        .include "lib.inc"
        start
        { ldisp %ctpr2, 0x7000000 }
        { nop 5
          bap }
        exit 3
