! expect: exit 0
! A handler switches to a context and is come back to; another is left for good by setcontext.
        .include "lib.inc"
        .include "contexts.inc"
        start
        make first, one, 0
        handle SIGUSR1, handler
        { addd 0, 100, %dr0 }
again:  raise SIGUSR1
        repeat %dr0, again
        load %dr1, sum
        same %dr1, 100
        exit
handler: enter
        sys 371, main, first, 8
        result 0
        leave
one:    enter
around: load %dr8, sum
        { addd %dr8, 1, %dr8 }
        store %dr8, sum
        sys 371, first, main, 8
        jump around
        .bss
        .balign 8
sum:    .skip 8
