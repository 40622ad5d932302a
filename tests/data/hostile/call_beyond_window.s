! expect: fault SIGILL
! message: call moves the window by
        .include "lib.inc"
        start
        { nop 4
          disp %ctpr1, callee }
        { call %ctpr1, wbs = 17 }
callee: exit 3
