! expect: fault SIGILL
! message: does not hold a prepared
! A ct through a register that a call has emptied.
        .include "lib.inc"
        start
        { nop 4
          disp %ctpr2, wrong }
        sys 20
        { ct %ctpr2 }
        exit 3
