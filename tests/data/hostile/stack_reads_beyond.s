! expect: exit 0
! access_hw_stacks outside of what is in use, with wild buffers, offsets and sizes.
        .include "lib.inc"
        .bss
        .balign 16
place:  .skip 8
buffer: .skip 256
        .text
        .macro refused mode, offset, buffer, size
        { addd 0, \offset, %dr0 }
        store %dr0, place
        sys 254, \mode, place, \buffer, \size, 0
        negative %db[0]
        .endm
        start
        invoke inner
        exit
inner:  enter
        refused 6, 32 * 100, buffer, 32
        refused 6, 0, buffer, 32 * 100
        refused 6, 0xffffffffffffffe0, buffer, 64
        refused 6, 32, buffer, 0xffffffffffffffe0
        refused 6, 8, buffer, 32
        refused 6, 0, buffer + 4, 32
        refused 6, 0, 0, 32
        refused 6, 0, 0xfffffffff0, 32
        refused 7, 1 << 40, buffer, 32
        refused 7, 0, buffer, 1 << 40
        refused 7, 0xfffffffffffffff8, buffer, 16
        refused 7, 4, buffer, 16
        refused 7, 0, buffer + 1, 16
        refused 8, 1 << 30, buffer, 32
        refused 8, 0, buffer, 1 << 30
        refused 8, 0xffffffffffffff00, buffer, 256
        refused 8, 0, 8, 32
        refused 9, 32 * 100, buffer, 32
        refused 9, 0xffffffffffffffe0, buffer, 64
        refused 9, 0, buffer, 1 << 40
        refused 9, 0, 8, 64
        refused 10, 0, buffer, 1 << 40
        refused 2, 0, buffer, 1 << 40
        refused 11, 0, buffer, 8
        refused 0, 0, buffer, 8
        refused 1, 0xffffffffffff, buffer, 8
        sys 254, 6, 0xfffffffffc, buffer, 32, 0
        result -14
        sys 254, 4, 0, 0, 0, 8
        result -14
        leave
