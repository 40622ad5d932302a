! expect: exit 0
! Contexts are made until there are no more: an error at last. Those on one stack take turns.
        .include "lib.inc"
        .include "contexts.inc"
        start
        { addd 0, 10000, %dr0 }
same_stack: make first, wrong, 0
        repeat %dr0, same_stack
        { addd 0, 6000, %dr0
          addd 0, 16384, %dr2 }
        { addd 0, first, %dr1 }
again:  { std %dr2, [%dr1 + UC_SIZE] }
        sys 370, first, wrong, 80, arguments, 8
        { nop 2
          cmpedb %db[0], -12, %pred0
          subd %dr2, 1, %dr2 }
        { nop 4
          disp %ctpr1, enough }
        { ct %ctpr1 ? %pred0 }
        repeat %dr0, again
        exit 3
enough: exit
