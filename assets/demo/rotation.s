! Rotating registers: `abn` turns the names, the values stay where they are.
!
! After each turn what was %b[0] is called %b[2]. Fibonacci needs only an addition and a turn: the
! two numbers before are always %b[2] and %b[4].
        .include "lib.inc"
        .globl _start

        .equ COUNT, 12

_start: enter
        { addd 0, 1, %db[2]             ! the number before
          addd 0, 0, %db[4]             ! the one before that
          addd 0, COUNT, %dr0 }
        { nop 4
          disp %ctpr1, loop }
loop:   { nop 2
          addd %db[2], %db[4], %db[0]   ! the next one
          subd %dr0, 1, %dr0
          cmpedb %dr0, 1, %pred0 }
        { abn abnf=1, abnt=1            ! now it is called %b[2]
          ct %ctpr1 ? ~%pred0 }
        { addd %db[2], 0, %dr1 }        ! the last one, before the names are put back
        { setbn rbs = WBS, rsz = 3, rcur = 0 }
        say "Fibonacci: "
        print_number %dr1
        exit
