! expect: fault SIGSEGV
! The chain is full when its fault is to be handled: there is no room for the handler's frame.
        .include "lib.inc"
        .include "own_stack.inc"
again:  { nop 4
          disp %ctpr1, again }
        { call %ctpr1, wbs = 0 }
handler: enter
        exit 4
