! expect: fault SIGSEGV
! getsp takes space until there is none.
        .include "lib.inc"
        start
again:  { nop 4
          getsp -65536, %dr0 }
        jump again
