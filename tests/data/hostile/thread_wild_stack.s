! expect: fault SIGSEGV SIGBUS
! A thread with a stack pointer that is none.
        .include "lib.inc"
        .include "threads.inc"
        start
        spawn child, 0xfffffffffffffff7
wait:   sys 158
        jump wait
child:  { nop 4
          getsp 0, %dr0 }
        { std %dr0, [%dr0 + 0] }
        jump child
