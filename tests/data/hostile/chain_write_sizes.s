! expect: exit 0
! Sizes of windows and stacks in chain records are the kernel's: writing them changes nothing.
        .include "lib.inc"
        .bss
        .balign 16
record: .skip 32
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
          ldd [%dr0 + 16], %dr1
          ldd [%dr0 + 24], %dr2 }
        { addd 0, (127 << 33) | (127 << 26) | (127 << 57), %dr3
          ord %dr2, 0xfffffff000000000, %dr4 }
        { std %dr3, [%dr0 + 16] }
        { std %dr4, [%dr0 + 24] }
        sys 254, 9, offset, record, 32, 0
        result 0
        sys 254, 6, offset, record, 32, 0
        result 0
        { addd 0, record, %dr0 }
        { nop 4
          ldd [%dr0 + 16], %dr3
          ldd [%dr0 + 24], %dr4 }
        same %dr3, %dr1
        same %dr4, %dr2
        leave
