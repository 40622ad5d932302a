! Recursion: every call slides the register window, so nothing has to be saved by hand.
        .include "lib.inc"
        .globl _start

_start: enter
        { addd 0, 20, %db[0] }
        invoke factorial
        { addd %db[0], 0, %dr1 }        ! the result: keep it, the next calls overwrite %b[0]
        say "20! = "
        print_number %dr1
        exit

! factorial(%r0) -> %r0. The caller's %b[0] is our %r0; our %b[0] is the next one's %r0.
factorial:
        enter
        { nop 4
          cmpbdb %dr0, 2, %pred0        ! 0! = 1! = 1 ends the recursion
          return %ctpr3 }
        { addd 0, 1, %dr0 ? %pred0
          subd %dr0, 1, %db[0]          ! argument of the call below
          ct %ctpr3 ? %pred0 }
        invoke factorial                ! calls lose what is prepared in %ctpr1..3
        { nop 5
          muld %dr0, %db[0], %dr0       ! %r0 is still our argument
          return %ctpr3 }
        { ct %ctpr3 }
