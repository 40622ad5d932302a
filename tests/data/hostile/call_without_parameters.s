! expect: exit 0
! A system call whose window has no room for the number: ENOSYS for nobody, and no result anywhere.
        .include "lib.inc"
        start
        { nop 4
          sdisp %ctpr1, 3 }
        { call %ctpr1, wbs = 16 }
        exit
