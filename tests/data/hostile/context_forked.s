! expect: exit 0
! fork on the stacks of a context: both processes go on on it and return to the program's own.
        .include "lib.inc"
        .include "contexts.inc"
        start
        make first, one, main
        sys 371, main, first, 8
        result 0
        load %dr0, child
        { nop 2
          cmpedb %dr0, 0, %pred0 }
        { nop 4
          disp %ctpr1, in_child }
        { ct %ctpr1 ? %pred0 }
        sys 114, %dr0, status, 0, 0
        load %dr1, status
        same %dr1, 7 << 8
        exit
in_child: exit 7
one:    enter
        sys 2
        { addd 0, %db[0], %dr0 }
        store %dr0, child
        leave
        .bss
        .balign 8
child:  .skip 8
status: .skip 8
