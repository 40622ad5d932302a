! expect: fault SIGSEGV
! The chain is full when its fault is to be handled: there is no room for the handler's frame.
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
again:  { nop 4
          disp %ctpr1, again }
        { call %ctpr1, wbs = 0 }
handler: enter
        exit 4
