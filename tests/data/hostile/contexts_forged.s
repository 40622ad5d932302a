! expect: exit 0
! Every field of a saved context that says where to go on, forged: an error, and nothing has happened.
        .include "lib.inc"
        .include "contexts.inc"
        .macro forged field, value, error
        { addd 0, first, %dr10
          addd 0, \value, %dr12 }
        { nop 4
          ldd [%dr10 + \field], %dr11 }
        { std %dr12, [%dr10 + \field] }
        sys 369, first, 8
        result \error
        sys 371, main, first, 8
        result \error
        { std %dr11, [%dr10 + \field] }
        .endm
        start
        make first, one, main
        forged UC_KEY, 0, -3
        forged UC_KEY, 12345, -3
        forged UC_KEY, 0xffffffffffffffff, -3
        forged UC_CR0_HI, first, -22
        forged UC_CR0_HI, 0x7ffffffffff8, -22
        forged UC_CR1_LO, 127 << 33, -22
        forged UC_CR1_LO, 127 << 26, -22
        forged UC_CR1_LO, (4 << 26) | (1 << 57), -22
        forged UC_CR1_HI, 63 << 12, -22
        forged UC_CR1_HI, 31 << 23, -22
        forged UC_PCSP_LO, 0x1234, -22
        forged UC_PCSP_HI, 0, -22
        forged UC_PCSP_HI, 8, -22
        forged UC_PCSP_HI, 32 * 77, -22
        forged UC_PCSP_HI, 0xffffffe0, -22
        forged UC_PCSP_HI, 32, -22              ! the end of its chain
        sys 369, 0, 8
        result -14
        sys 369, 0xfffffffff0, 8
        result -14
        sys 369, first, 4
        result -22
        sys 371, 8, first, 8
        result -14
        sys 371, main, 8, 8
        result -14
        sys 371, main, first, 16
        result -22
        sys 372, 8
        result -14
        sys 372, main                   ! these are the thread's own stacks
        result -2
        sys 371, main, first, 8         ! and it still works
        result 0
        sys 372, first
        result 0
        exit
one:    enter
        same %dr0, 100
        sys 372, first
        result -16
        leave
