! expect: exit 0
! set_backtrace takes code only: data, holes and wild buffers are refused.
        .include "lib.inc"
        .bss
        .balign 16
address: .skip 16
        .text
        start
        invoke middle
        exit
middle: enter
        invoke inner
        leave
inner:  enter
        { addd 0, address, %dr0 }
        store %dr0, address
        sys 252, address, 1, 0, 0
        result -1
        { addd 0, 0x7ffffffffff8, %dr0 }
        store %dr0, address
        sys 252, address, 1, 0, 0
        result -3
        sys 252, 8, 1, 0, 0
        result -14
        sys 252, 0xffffffffffffffff, 1, 0, 0
        result -14
        sys 253, 8, 1, 0, 0
        result -14
        sys 253, address, 0xffffffffffffffff, 0xffffffffffffffff, 0
        result 0
        leave
