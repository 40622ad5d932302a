.include "lib.inc"
.macro count from, to
  .if \to - \from
  .long \from
  count \from+1, \to
  .endif
.endm
.data
table: .byte 1, 0x2, 'a'
  .align 8
  .quad table + 8, . - table
  count 0, 4
  .asciz "text\n\x41\101"
  .rept 3
  .short 7
  .endr
  twice 5
  .align 8
.bss
buffer: .skip 64
.text
.globl _start
_start:
{ setwd wsz = 8, nfx = 1; nop 2 }
1: { addd,0 0x0, _f64 table, %dr0 ; disp %ctpr1, 1b }
{ ct %ctpr1 ? %pred0 }
{ sdisp %ctpr2, 3 }
{ call %ctpr2, wbs = 8 }
