! expect: exit 0
! makecontext with stacks and arguments that are none.
        .include "lib.inc"
        .include "contexts.inc"
        .macro refused sp, size, error, bytes=80, from=arguments
        { addd 0, first, %dr10
          addd 0, \sp, %dr11 }
        { addd 0, \size, %dr12 }
        { std %dr11, [%dr10 + UC_STACK] }
        { std %dr12, [%dr10 + UC_SIZE] }
        sys 370, first, wrong, \bytes, \from, 8
        result \error
        .endm
        start
        refused 0, 0, -22
        refused first_stack, 0, -22
        refused first_stack, 64, -22
        refused 0xfffffffffffff000, 8192, -22
        refused 0x8000000000000000, 0x8000000000000000, -22
        refused first_stack, 0xffffffffffffffff, -22
        refused 0x7fffff000000, 16384, -14
        refused first_stack, 16384, -22, 0xffffffffffffffff
        refused first_stack, 16384, -22, 16384
        refused first_stack, 16384, -14, 80, 8
        refused first_stack, 16384, -14, 80, 0xfffffffff8
        sys 370, 8, wrong, 0, 0, 8
        result -14
        sys 370, first, wrong, 0, 0, 16
        result -22
        exit
