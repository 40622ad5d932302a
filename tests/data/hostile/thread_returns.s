! expect: fault SIGSEGV
! message: first function of a thread
! A thread returns from the function that made it: there is nothing on its chain.
        .include "lib.inc"
        .include "threads.inc"
        start
        invoke make
wait:   sys 158
        jump wait
make:   enter
        spawn back, stack1
        leave
back:   leave
