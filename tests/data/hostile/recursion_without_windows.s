! expect: fault SIGSEGV
! message: chain stack is full
! Calls that move no window: it is the chain that grows without end.
        .globl _start
        .text
_start: { setwd wsz = 8, nfx = 1, dbl = 1 }
again:  { nop 4
          disp %ctpr1, again }
        { call %ctpr1, wbs = 0 }
