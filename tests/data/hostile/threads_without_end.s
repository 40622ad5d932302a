! expect: exit 0
! Threads until there are no more: an error at last, and all of them end.
        .include "lib.inc"
        .include "threads.inc"
        start
        { addd 0, 2000, %dr0 }
again:  sys 120, THREAD, stack1
        { nop 2
          cmpedb %db[0], 0, %pred3 }
        { nop 4
          disp %ctpr1, sleep }
        { ct %ctpr1 ? %pred3 }
        { nop 2
          cmpldb %db[0], 0, %pred3 }
        { nop 4
          disp %ctpr1, enough }
        { ct %ctpr1 ? %pred3 }
        repeat %dr0, again
enough: exit
sleep:  sys 158
        sys 1, 0
