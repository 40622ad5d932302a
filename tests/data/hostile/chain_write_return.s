! expect: fault SIGSEGV
! message: not mapped
! A return address in the chain stack that leads nowhere.
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
        exit 3
inner:  enter
        sys 254, 6, offset, record, 32, 0
        result 0
        { addd 0, record, %dr0
          addd 0, 0xffffffffffffffff, %dr1 }
        { std %dr1, [%dr0 + 8] }
        sys 254, 9, offset, record, 32, 0
        result 0
        leave
