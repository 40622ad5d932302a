! expect: exit 0
! clone2 with stacks of size 0 and around the end of the addresses.
        .include "lib.inc"
        start
        sys 229, 0x50f00, 0x10000000, 0
        result -22
        sys 229, 0x50f00, 0x10000000, 0xffffffffffffff00
        result -22
        exit
