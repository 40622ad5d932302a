! expect: fault SIGILL
! message: call moves the window by
! A call whose condition is a comparison of its own bundle is known to be taken only at the end; what
! it does to the window is checked all the same. 127 quads in a window of 16.
        .include "lib.inc"
        start
        { nop 4
          disp %ctpr1, callee
          addd 0, 0, %dr0 }
        .word 0x04009013, 0xc0000520, 0x2080c040, 0x5000007f
        exit 3
callee: exit 4
