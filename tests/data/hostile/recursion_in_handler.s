! expect: fault SIGSEGV
! The handler of the fault by which endless recursion ends recurses itself, on a stack of its own.
        .include "lib.inc"
        .include "own_stack.inc"
        invoke again
        exit 3
again:  enter
        invoke again
        leave
handler: enter
        invoke again
        exit 4
