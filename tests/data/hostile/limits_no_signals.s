! expect: exit 0
! No room in the host's queue of signals: a thread that waits is still woken by the end, and by a
! signal.
        .include "lib.inc"
        .include "threads.inc"
        .data
        .balign 8
both:   .dword 0, 0
moment: .dword 0, 50000000
        .text
        start
        sys 191, 11, both
        result 0
        { addd 0, 0, %dr0 }
        store %dr0, both
        sys 75, 11, both
        result 0
        spawn waits, stack1
        { addd 0, %db[0], %dr5 }
        sys 162, moment                 ! until it waits
        handle SIGUSR1, handler
        sys 20
        { addd 0, %db[0], %dr6 }
        sys 308, %dr6, %dr5, SIGUSR1
        result 0
again:  sys 162, moment
        load %dr0, woken
        { nop 2
          cmpedb %dr0, 0, %pred3 }
        { nop 4
          disp %ctpr1, again }
        { ct %ctpr1 ? %pred3 }
        sys 162, moment
        exit                            ! the other thread waits again
waits:  sys 29
        jump waits
handler:
        enter
        { addd 0, 1, %dr8 }
        store %dr8, woken
        leave
        .bss
        .balign 8
woken:  .skip 8
