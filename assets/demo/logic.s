! Predicate logic: the predicate unit combines comparisons in the cycle in which they are used.
!
! `andp` makes a local predicate of two others, each as it is or negated; `pass` gives it to a
! global predicate. A leap year is divisible by 4 and not by 100, or divisible by 400.
        .include "lib.inc"
        .globl _start


_start: enter
        { addd 0, _f32s 1900, %db[0] }
        invoke is_leap
        { addd %db[0], 0, %dr1 }
        say "1900: "
        print_number %dr1
        { addd 0, _f32s 2000, %db[0] }
        invoke is_leap
        { addd %db[0], 0, %dr1 }
        say "2000: "
        print_number %dr1
        { addd 0, _f32s 2024, %db[0] }
        invoke is_leap
        { addd %db[0], 0, %dr1 }
        say "2024: "
        print_number %dr1
        exit

is_leap:
        enter
        { nop 7
          udivd %dr0, 100, %dr2 }
        { nop 6 }
        { nop 5
          muld %dr2, 100, %dr3 }
        { shrd %dr2, 2, %dr4
          andd %dr0, 3, %dr5 }
        { shld %dr4, 2, %dr4 }
        { nop 2
          cmpedb %dr5, 0, %pred0        ! divisible by 4
          cmpedb %dr3, %dr0, %pred1     ! by 100
          cmpedb %dr4, %dr2, %pred2 }   ! the century by 4
        ! not leap = not by 4, or (by 100 and not by 400): an or is an and of negations.
        { nop 2
          pass %pred1, @p0
          pass %pred2, @p1
          pass %pred0, @p2
          andp @p0, ~@p1, @p4           ! a common century
          andp @p2, ~@p4, @p5
          pass @p5, %pred3 }
        { addd 0, 0, %dr0
          return %ctpr3 }
        { nop 4
          addd 0, 1, %dr0 ? %pred3 }
        { ct %ctpr3 }
