! expect: fault SIGSEGV
! message: nested too deeply
        .globl _start
        .text
_start: { setwd wsz = 112, nfx = 1, dbl = 1 }
        { nop 4
          disp %ctpr1, _start }
        { call %ctpr1, wbs = 112 }
