! expect: fault SIGSEGV
! The handler of the fault by which endless recursion ends recurses itself, on a stack of its own.
        .include "lib.inc"
        .bss
        .balign 16
stack:  .skip 65536
        .data
        .balign 8
alternate: .dword stack, 0, 65536
        .text
        start
        sys 186, alternate, 0
        handle SIGSEGV, handler, 0x48000004
        invoke again
        exit 3
again:  enter
        invoke again
        leave
handler: enter
        invoke again
        exit 4
