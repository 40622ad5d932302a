! expect: exit 0
! longjmp as it is meant: out of three functions, and out of a handler on an alternate stack. The
! stack pointer is that of the function again.
        .include "lib.inc"
        .bss
        .balign 16
buffer: .skip 128
stack:  .skip 16384
        .data
        .balign 8
alternate: .dword stack, 0, 16384
        .text
        start
        { addd 0, 0, %dr0 }
        invoke set
        same %db[0], 0
        { nop 4
          getsp 0, %dr1 }
        store %dr1, before
        invoke deeper
        exit 3
set:    enter
        fill_jump buffer
        { addd 0, again, %dr8
          addd 0, 0, %dr0 }
        { std %dr8, [%dr11 + 8] }
        leave
again:  same %db[0], 7
        { nop 4
          getsp 0, %dr1 }
        load %dr2, before
        same %dr1, %dr2
        load %dr3, rounds
        { addd %dr3, 1, %dr3 }
        store %dr3, rounds
        { nop 2
          cmpedb %dr3, 1, %pred0 }
        { nop 4
          disp %ctpr1, finish }
        { ct %ctpr1 ? ~%pred0 }
        sys 186, alternate, 0
        result 0
        handle SIGUSR1, handler, 0x08000004
        raise SIGUSR1
        exit 4
handler: enter
        invoke deeper
        exit 5
deeper: enter
        { nop 4
          getsp -256, %dr0 }
        invoke deepest
        leave
deepest: enter
        sys 230, buffer, 7
        exit 6
finish: exit
        .bss
        .balign 8
before: .skip 8
rounds: .skip 8
