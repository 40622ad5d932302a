! expect: exit 0
! Rotations that do not fit their areas are not written into chain records, nor is anything else
! then.
        .include "lib.inc"
        .bss
        .balign 16
record: .skip 32
copy:   .skip 32
        .data
        .balign 8
offset: .dword 32
        .text
        start
        invoke inner
        exit
inner:  enter
        sys 254, 6, offset, record, 32, 0
        result 0
        { addd 0, record, %dr0 }
        { nop 4
          ldd [%dr0 + 24], %dr1 }
        { ord %dr1, 63 << 12, %dr2 }            ! rcur
        { std %dr2, [%dr0 + 24] }
        sys 254, 9, offset, record, 32, 0
        result -22
        { ord %dr1, 31 << 23, %dr2 }            ! pcur
        { std %dr2, [%dr0 + 24] }
        sys 254, 9, offset, record, 32, 0
        result -22
        sys 254, 6, offset, copy, 32, 0
        result 0
        { addd 0, copy, %dr0 }
        { nop 4
          ldd [%dr0 + 24], %dr2 }
        same %dr1, %dr2
        leave
