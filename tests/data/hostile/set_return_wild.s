! expect: fault SIGSEGV
! message: no code can be fetched
! Fast call set_return: a wild address is refused, data is taken and faults on return.
        .include "lib.inc"
        .bss
        .balign 16
data:   .skip 64
        .text
        start
        invoke inner
        exit 3
inner:  enter
        fast 5, 0xffffffffffffffff, 0
        result -14
        fast 5, data, 1
        result -22
        fast 5, data, 0
        result 0
        leave
