! expect: fault SIGSEGV
! message: nested too deeply
! Endless recursion on the stacks of a context.
        .include "lib.inc"
        .include "contexts.inc"
        start
        make first, one, 0
        sys 369, first, 8
        exit 3
one:    enter
        invoke one
        leave
