! expect: exit 0
! A loop whose index runs out of its array: the fault comes at the end of the mapping, with the
! registers of that iteration, and again when the base alone is wild.
        .include "lib.inc"
        .macro run base, step
        { addd 0, \base, %dr0
          addd 0, 0, %dr1 }
        attempt 2f
        { disp %ctpr2, 1f
          addd 0, \step, %dr3
          nop 4 }
1:      { ldd [%dr0 + %dr1], %dr2
          addd %dr1, %dr3, %dr1
          ct %ctpr2 }
2:
        .endm
        start
        survive_faults
        sys 90, 0x10000000, 1 << 20, 3, 0x32, -1, 0
        result 0x10000000
        run 0x10000000, 8
        same %dr1, 1 << 20
        run 0x100ffff8, -8
        same %dr1, -(1 << 20)
        run 0x10000000, 1 << 33
        same %dr1, 1 << 33
        run 0x10000000, 0x7fffffffffffff00
        run 0x7fffffffffffff00, 8
        fault_count 5
        exit
