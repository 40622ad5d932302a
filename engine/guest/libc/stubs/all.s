! Everything the bridge has in guest code, in one piece.
        .text
        .globl _start
_start:
        .include "macros.inc"
        .include "start.s"
        .include "setjmp.s"
        .include "strings.s"
        .include "leafs.s"
        .include "sort.s"
