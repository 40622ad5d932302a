! expect: exit 0
! Loads of every size and kind from addresses that are none, or only in part; each is a fault of its
! own. Speculative ones are none.
        .include "lib.inc"
        .macro loads address
        { addd 0, \address, %dr0 }
        attempt 1f
        { nop 4
          ldb [%dr0 + 0], %dr2 }
1:      attempt 2f
        { nop 4
          ldh [%dr0 + 0], %dr2 }
2:      attempt 3f
        { nop 4
          ldw [%dr0 + 0], %dr2 }
3:      attempt 4f
        { nop 4
          ldd [%dr0 + 0], %dr2 }
4:      attempt 5f
        { nop 4
          ldd,0 [%dr0 + 0], %dr2, mas = 7 }
5:      attempt 6f
        { nop 4
          ldd,2 [%dr0 + 0], %dr2, mas = 3 }
6:      attempt 7f
        { nop 4
          ldd,5 [%dr0 + 0], %dr2, mas = 8 }
7:      { nop 4
          ldd,0,sm [%dr0 + 0], %dr2 }
        { addd 0, 0, %dr2 }
        .endm
        start
        survive_faults
        loads 0
        loads 0xffffffffffffffff
        loads 0xfffffffffffffff8
        loads 0x7fffffffffffffff
        loads 0x8000000000000000
        loads 0x7ffffffff000
        loads 0xcffffffffff8
        loads 0xd00000000000
        loads 0xe20000001800
        loads 0x10000000000
        loads 0xfffffffff8
        loads 0xfffffff001
        loads 0xffffffe000
        loads 0xfffffff000
        loads 0xf000000000
        loads 0xe000000000
        fault_count 16 * 7
        exit
