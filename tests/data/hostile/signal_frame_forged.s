! expect: exit 0
! A handler overwrites its ucontext with ones, all but the mask, the alternate stack and the address
! to go on at: nothing of what the machine keeps apart from it changes.
        .include "lib.inc"
        .bss
        .balign 16
record: .skip 32
        .text
        start
        handle SIGUSR1, handler
        { addd 0, 0x1234, %dr5 }
        { nop 4
          rrd %wd, %dr6 }
        { nop 4
          rrd %usd.lo, %dr7 }
        raise SIGUSR1
        result 0
        same %dr5, 0x1234
        { nop 4
          rrd %wd, %dr8 }
        { nop 4
          rrd %usd.lo, %dr9 }
        same %dr8, %dr6
        same %dr9, %dr7
        exit
handler: enter
        { addd 0, 0, %dr3
          addd 0, 0xffffffffffffffff, %dr4 }
        { nop 4
          ldd [%dr2 + 48], %dr5 }
        { addd %dr2, 40, %dr6
          addd 0, 197, %dr7 }
fill:   { std %dr4, [%dr6 + 0] }
        { addd %dr6, 8, %dr6 }
        repeat %dr7, fill
        { std %dr5, [%dr2 + 48] }
        leave
