! expect: fault SIGSEGV
! The same, while a second signal waits for the end of the handler: its frame is made at that
! address.
        .include "lib.inc"
        start
        handle SIGUSR1, handler
        handle 12, other
        raise SIGUSR1
        exit 3
handler: enter
        { addd 0, 0xfffffffffffffff8, %dr4 }
        { std %dr4, [%dr2 + 48] }
        { addd 0, 1 << 11, %dr5
          addd %dr2, 0, %dr6 }
        store %dr5, set
        sys 175, 0, set, 0, 8           ! block SIGUSR2 now
        raise 12
        { addd 0, 0, %dr5 }
        { std %dr5, [%dr6 + 1616] }     ! and let it in at the end
        leave
other:  enter
        leave
        .bss
        .balign 8
set:    .skip 8
