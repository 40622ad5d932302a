! expect: fault SIGSEGV
! message: chain stack is full
! Each level calls a small procedure first, as translated code does in place: the last has no room.
        .globl _start
        .text
_start: { setwd wsz = 8, nfx = 1, dbl = 1 }
again:  { nop 4
          disp %ctpr1, leaf }
        { call %ctpr1, wbs = 0 }
        { nop 4
          disp %ctpr1, again }
        { call %ctpr1, wbs = 0 }
leaf:   { nop 5
          return %ctpr3 }
        { ct %ctpr3 }
