! expect: fault SIGKILL SIGSEGV
! Calls nest until the procedure stack is nearly full of the largest windows; then forged windows,
! each larger than the one before.
        .include "lib.inc"
        .equ LEVELS, 74800
        .bss
        .balign 16
buffer: .skip 128
        .text
        .globl _start
_start: { setwd wsz = 112, nfx = 1, dbl = 1 }
        { addd 0, LEVELS, %dg16
          addd 0, 60, %dg17 }
        { nop 4
          disp %ctpr1, descend }
        { call %ctpr1, wbs = 112 }
descend: { setwd wsz = 112, nfx = 1, dbl = 1 }
        { nop 2
          subd %dg16, 1, %dg16
          cmpedb %dg16, 1, %pred0
          disp %ctpr1, descend }
        { nop 4
          disp %ctpr2, grow }
        { ct %ctpr2 ? %pred0 }
        { call %ctpr1, wbs = 112 }
grow:   { nop 4
          disp %ctpr1, helper }
        { call %ctpr1, wbs = 100 }
        { nop 2
          subd %dg17, 1, %dg17
          cmpedb %dg17, 1, %pred0
          disp %ctpr1, grow }
        { nop 4
          disp %ctpr2, wrong }
        { ct %ctpr2 ? %pred0 }
        { call %ctpr1, wbs = 115 }
helper: { nop 4
          disp %ctpr1, jumper }
        { call %ctpr1, wbs = 4 }
back:   leave
jumper: enter
        fill_jump buffer
        { addd 0, back, %dr8
          addd 0, (4 << 33) | (127 << 26) | (1 << 25), %dr9 }
        { std %dr8, [%dr11 + 8] }
        { std %dr9, [%dr11 + 16] }
        sys 230, buffer, 1
        exit 4
