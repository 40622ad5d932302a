! expect: fault SIGSEGV
! getsp gives back what was never taken: the stack pointer leaves the stack upwards.
        .include "lib.inc"
        start
        { addd 0, 64, %dr1 }
again:  { nop 4
          getsp 0x7ffffff0, %dr0 }
        repeat %dr1, again
        { nop 4
          ldd [%dr0 + 0], %dr2 }
        exit 3
