! expect: exit 0
! A host without more threads: the guest gets an error, and its first thread goes on.
        .include "lib.inc"
        .include "threads.inc"
        .data
        .balign 8
both:   .dword 0, 0
        .text
        start
        sys 23, 65534                   ! root is not bound by the limit; others stay who they are
        sys 191, 6, both
        result 0
        { addd 0, 0, %dr0 }
        store %dr0, both
        sys 75, 6, both
        result 0
        sys 120, THREAD, stack1
        { nop 2
          cmpedb %db[0], 0, %pred3 }
        { nop 4
          disp %ctpr1, child }
        { ct %ctpr1 ? %pred3 }
        result -11
        sys 2                           ! no more processes either
        result -11
        exit
child:  sys 1, 0
