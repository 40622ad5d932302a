! expect: exit 0
! getcontext and setcontext within one stack: back into a function that is still running, as often as
! wanted, also from a coroutine.
        .include "lib.inc"
        .include "contexts.inc"
        start
        invoke get                      ! returns once more for each setcontext
        load %dr1, times
        { addd %dr1, 1, %dr1 }
        store %dr1, times
        { nop 2
          cmpedb %dr1, 3, %pred0
          cmpedb %dr1, 2, %pred1 }
        { nop 4
          disp %ctpr1, finish }
        { ct %ctpr1 ? %pred0 }
        { nop 4
          disp %ctpr1, from_coroutine }
        { ct %ctpr1 ? %pred1 }
        invoke set
        exit 3
from_coroutine:
        make second, coroutine
        sys 369, second, 8
        exit 4
coroutine: enter
        invoke set
        exit 5
get:    enter
        { addd 0, main, %dr0 }
        { nop 4
          rrd %cr0.hi, %dr1 }
        { std %dr1, [%dr0 + UC_CR0_HI] }
        { nop 4
          rrd %cr1.lo, %dr1 }
        { std %dr1, [%dr0 + UC_CR1_LO] }
        { nop 4
          rrd %cr1.hi, %dr1 }
        { std %dr1, [%dr0 + UC_CR1_HI] }
        fast 4, main, 8
        leave
set:    enter
        sys 369, main, 8
        exit 6
finish: exit
        .bss
        .balign 8
times:  .skip 8
