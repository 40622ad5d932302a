! expect: exit 0
! Contexts as they are meant: two coroutines that hand over to each other and to the program, their
! arguments in registers and on their stacks, and what follows when their functions return.
        .include "lib.inc"
        .include "contexts.inc"
        start
        make first, one, main
        make second, two, first
        { addd 0, 1000, %dr0 }
again:  sys 371, main, first, 8
        result 0
        repeat %dr0, again
        load %dr1, sum
        same %dr1, 1000 * 3
        { addd 0, 1, %dr1 }
        store %dr1, stop
        sys 371, main, second, 8        ! it ends, and `first` ends, and here we are
        result 0
        load %dr1, sum
        same %dr1, 3000 + 40
        sys 372, first
        result 0
        sys 372, first
        result -2
        sys 372, second
        result 0
        sys 369, first, 8
        result -3
        exit
one:    enter
        same %dr0, 100
        same %dr7, 107
        { nop 4
          getsp 0, %dr8 }
        { nop 4
          ldd [%dr8 + 64], %dr9
          ldd [%dr8 + 72], %dr10 }
        same %dr9, 108
        same %dr10, 109
        { addd 0, 1, %dr12 }
around: invoke add_one
        sys 371, first, second, 8
        result 0
        load %dr13, stop
        { nop 2
          cmpedb %dr13, 0, %pred0 }
        { nop 4
          disp %ctpr1, around }
        { ct %ctpr1 ? %pred0 }
        load %dr8, sum
        { addd %dr8, 20, %dr8 }
        store %dr8, sum
        leave
add_one: enter
        load %dr8, sum
        { addd %dr8, 1, %dr8 }
        store %dr8, sum
        leave
two:    enter
        same %dr3, 103
turn:   invoke add_one
        invoke add_one
        invoke deeper
        load %dr13, stop
        { nop 2
          cmpedb %dr13, 0, %pred0 }
        { nop 4
          disp %ctpr1, turn }
        { ct %ctpr1 ? %pred0 }
        load %dr8, sum
        { addd %dr8, 20, %dr8 }
        store %dr8, sum
        leave
deeper: enter
        { nop 4
          getsp -128, %dr8 }
        sys 371, second, main, 8
        result 0
        leave
        .bss
        .balign 8
sum:    .skip 8
stop:   .skip 8
