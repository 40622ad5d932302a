! expect: fault SIGILL
! message: below the parameter area
        .include "lib.inc"
        start
        { nop 4
          disp %ctpr1, callee }
        { call %ctpr1, wbs = 4 }
        exit 3
callee: { setwd wsz = 4, nfx = 1, dbl = 1 }
        exit 4
