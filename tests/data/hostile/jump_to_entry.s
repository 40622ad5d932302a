! expect: fault SIGILL
! message: does not hold a prepared
! A ct through a prepared entry of the kernel.
        .include "lib.inc"
        start
        { nop 4
          sdisp %ctpr2, 3 }
        { ct %ctpr2 }
        exit 3
