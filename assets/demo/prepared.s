! Prepared branches: where control goes is said early, that it goes is said late.
!
! `disp` tells the processor a target; five cycles later `ct` can go there without a pause, because
! the code has been fetched meanwhile. Three registers hold three prepared targets at once.
        .include "lib.inc"
        .globl _start

_start: enter
        ! Three targets, prepared in three cycles; the last one is ready five cycles later.
        { disp %ctpr1, even
          addd 0, 7, %dr0 }
        { disp %ctpr2, odd
          andd %dr0, 1, %dr1 }
        { nop 2
          cmpedb %dr1, 0, %pred0        ! the decision, while the targets are fetched
          disp %ctpr3, done }
        { nop 1
          addd 0, 0, %dr2 }             ! work to fill the time
        { ct %ctpr1 ? %pred0 }          ! no pause: it was prepared
        { ct %ctpr2 }
even:   { addd 0, 0, %dr2 }
        { nop 4 }
        { ct %ctpr3 }
odd:    { addd 0, 1, %dr2 }
        { ct %ctpr3 }                   ! the third target waited all the time
        { addd 0, 99, %dr2 }            ! never reached
done:   say "7 is odd: "
        print_number %dr2
        exit
