! expect: exit 0
! longjmp with buffers that cannot be read: EFAULT, the guest goes on.
        .include "lib.inc"
        start
        sys 230, 0, 1
        result -14
        sys 230, 0xffffffffffffffff, 1
        result -14
        sys 230, 0xfffffffffc, 1
        result -14
        sys 230, 0x7ffffffffff8, 1
        result -14
        exit
