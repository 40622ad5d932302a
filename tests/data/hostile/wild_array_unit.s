! expect: exit 0
! The array access unit with wild descriptors: loads give invalid elements, stores fault.
        .include "lib.inc"
        .macro array base
        { addd 0, \base, %dr1
          addd 0, 0, %dr2 }
        { ldisp %ctpr2, program }
        { aaurwd,2 %dr1, %aad0 }
        { aaurwd,2 %dr2, %aasti1 }
        { nop 5
          bap }
        { movad,0 area = 0, ind = 0, am = 1, %db[6] }
        { movad,2 area = 31, ind = 0, am = 1, %db[7] }
        { nop 4
          eap }
        { addd 0, 0, %db[6]
          addd 0, 0, %db[7] }
        attempt 1f
        { staad,2 %dr2, %aad0 [ %aasti1 ] }
1:
        .endm
        start
        survive_faults
        array 0
        array 0xffffffffffff
        array 0xfffffffff8
        array 0x7ffffffffff0
        array 0xfffffff000
        fault_count 5
        exit
        .align 8
program: { fapb ct = 1, fmt = 4, d = 0, ind = 0, incr = 0, asz = 5, abs = 0, disp = 0
          fapb dpl = 0, fmt = 4, d = 0, ind = 0, incr = 0, asz = 5, abs = 16, disp = 0 }
