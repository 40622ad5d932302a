! Predication against branches: the same maximum, once with jumps, once without any.
!
! A jump over one operation costs a prepared transfer and empty cycles, and a cycle more whenever it
! is taken. A guarded operation is simply switched off by its predicate.
        .include "lib.inc"
        .globl _start

        .equ COUNT, 6

_start: enter
        { addd 0, numbers, %dr0
          addd 0, COUNT, %dr1
          addd 0, 0, %dr2 }             ! the largest so far

with_jumps:
        { nop 2
          ldd [%dr0], %dr3 }
        { nop 2
          cmpldb %dr3, %dr2, %pred0 }   ! smaller than the largest?
        { nop 4
          disp %ctpr2, skip }
        { ct %ctpr2 ? %pred0 }          ! then jump over the next bundle
        { addd %dr3, 0, %dr2 }
skip:   { nop 2
          addd %dr0, 8, %dr0
          subd %dr1, 1, %dr1
          cmpedb %dr1, 1, %pred1 }
        { nop 4
          disp %ctpr1, with_jumps }
        { ct %ctpr1 ? ~%pred1 }
        say "With jumps: "
        print_number %dr2

        { addd 0, numbers, %dr0
          addd 0, COUNT, %dr1
          addd 0, 0, %dr2 }
        { nop 4
          disp %ctpr1, without }
without:
        { nop 2
          ldd [%dr0], %dr3
          addd %dr0, 8, %dr0
          subd %dr1, 1, %dr1 }
        { nop 2
          cmpldb %dr3, %dr2, %pred0
          cmpedb %dr1, 0, %pred1 }
        { addd %dr3, 0, %dr2 ? ~%pred0  ! works only when the predicate is false
          disp %ctpr1, without
          nop 4 }
        { ct %ctpr1 ? ~%pred1 }
        say "Without: "
        print_number %dr2
        exit

        .data
        .align 8
numbers: .quad 17, 4, 42, 8, 23, 15
