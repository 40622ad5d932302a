! expect: exit 0
! A thread goes to a context that another executes on (EBUSY), or to the other's own stacks.
        .include "lib.inc"
        .include "contexts.inc"
        .include "threads.inc"
        start
        make first, one, 0
        spawn other, stack1
        { addd 0, main, %dr0 }
        sys 371, main, first, 8
        exit 3
one:    enter
        { addd 0, 1, %dr0 }
        store %dr0, ready
wait:   sys 158
        load %dr0, over
        { nop 2
          cmpedb %dr0, 0, %pred0 }
        { nop 4
          disp %ctpr1, wait }
        { ct %ctpr1 ? %pred0 }
        exit
other:  sys 158
        load %dr0, ready
        { nop 2
          cmpedb %dr0, 0, %pred0 }
        { nop 4
          disp %ctpr1, other }
        { ct %ctpr1 ? %pred0 }
        sys 369, first, 8
        result -16
        sys 372, first
        result -16
        sys 369, main, 8
        negative %db[0]
        sys 371, second, main, 8
        negative %db[0]
        { addd 0, 1, %dr0 }
        store %dr0, over
sleep:  sys 158
        jump sleep
        .bss
        .balign 8
ready:  .skip 8
over:   .skip 8
