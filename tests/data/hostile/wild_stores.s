! expect: exit 0
! Stores of every size and kind to addresses that are none, or to what is read-only.
        .include "lib.inc"
        .macro stores address
        { addd 0, \address, %dr0 }
        attempt 1f
        { stb %dr0, [%dr0 + 0] }
1:      attempt 2f
        { sth %dr0, [%dr0 + 0] }
2:      attempt 3f
        { stw %dr0, [%dr0 + 0] }
3:      attempt 4f
        { std %dr0, [%dr0 + 0] }
4:      attempt 5f
        { std,2 %dr0, [%dr0 + 0], mas = 2 }
5:      attempt 6f
        { std,5 %dr0, [%dr0 + 0], mas = 8 }
6:
        .endm
        start
        survive_faults
        stores 0
        stores 0xffffffffffffffff
        stores 0xfffffffffffffff8
        stores 0x7fffffffffffffff
        stores 0x8000000000000000
        stores 0x7ffffffff000
        stores 0xd00000000000
        stores 0x10000000000
        stores 0xfffffffff8
        stores 0xfffffff001
        stores 0xe000000000
        stores _start
        fault_count 12 * 6
        exit
