! expect: fault SIGKILL SIGSEGV
! Two threads nest calls with the largest windows to the end of their stacks and forge records there.
        .include "lib.inc"
        .include "threads.inc"
        .bss
        .balign 16
buffer: .skip 128
buffer2: .skip 128
        .text
        start
        spawn first, stack1
        spawn second, stack2
wait:   sys 158
        jump wait
        .macro attack name, buffer
\name:  { setwd wsz = 112, nfx = 1, dbl = 1 }
        { addd 0, 4600, %dg16 }
descend_\name: { setwd wsz = 112, nfx = 1, dbl = 1 }
        { nop 2
          subd %dg16, 1, %dg16
          cmpedb %dg16, 1, %pred0
          disp %ctpr1, descend_\name }
        { nop 4
          disp %ctpr2, grow_\name }
        { ct %ctpr2 ? %pred0 }
        { call %ctpr1, wbs = 112 }
grow_\name: { nop 4
          disp %ctpr1, helper_\name }
        { call %ctpr1, wbs = 100 }
        jump grow_\name
helper_\name: { nop 4
          disp %ctpr1, jumper_\name }
        { call %ctpr1, wbs = 4 }
back_\name: leave
jumper_\name: enter
        fill_jump \buffer
        { addd 0, back_\name, %dr8
          addd 0, (4 << 33) | (127 << 26) | (1 << 25), %dr9 }
        { std %dr8, [%dr11 + 8] }
        { std %dr9, [%dr11 + 16] }
        sys 230, \buffer, 1
        exit 4
        .endm
        attack first, buffer
        attack second, buffer2
