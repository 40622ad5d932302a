! expect: fault SIGSEGV
! message: of a window of 32
! A rotating area that sticks out of the window.
        .include "lib.inc"
        start
        { setbn rbs = 63, rsz = 63, rcur = 63 }
        { addd %db[0], 1, %db[127] }
        exit 3
