! expect: fault SIGSEGV
! message: is register 124 of a window of 32
! setbn with a rotation beyond the rotating area: %b[0] would be register 124 of a window of 32.
        .include "lib.inc"
        start
        { setbn rbs = 0, rsz = 0, rcur = 63 }
        { addd 0, 1, %db[0] }
        exit 3
