! expect: fault SIGSEGV
! A context whose stack is unmapped before it starts.
        .include "lib.inc"
        .include "contexts.inc"
        start
        sys 90, 0x10000000, 16384, 3, 0x32, -1, 0
        make first, one, 0
        { addd 0, first, %dr10
          addd 0, 0x10000000, %dr11 }
        { std %dr11, [%dr10 + UC_STACK] }
        sys 370, first, one, 80, arguments, 8
        result 0
        sys 91, 0x10000000, 16384
        sys 369, first, 8
        exit 3
one:    enter
        { nop 4
          getsp -64, %dr0 }
        { std %dr0, [%dr0 + 0] }
        exit 4
