! Decisions without jumps: predicates guard operations, merge selects, the predicate unit combines.
        .include "lib.inc"
        .globl _start

        .equ COUNT, 8
        .equ LOW, 10
        .equ HIGH, 50

_start: enter
        { addd 0, numbers, %dr0
          addd 0, COUNT, %dr1
          addd 0, 0, %dr2               ! how many lie between LOW and HIGH
          addd 0, 0, %dr3               ! the largest
          addd 0, 0, %dr4 }             ! sum of the numbers, limited to LOW..HIGH
        { disp %ctpr1, loop
          addd 0, LOW, %dr10
          addd 0, HIGH, %dr11 }
loop:   { nop 2
          ldd [%dr0], %dr5
          addd %dr0, 8, %dr0
          subd %dr1, 1, %dr1 }
        ! Four comparisons in one cycle; each result goes to a predicate, two cycles later it can
        ! guard an operation.
        { nop 2
          cmpldb %dr5, %dr10, %pred0    ! below LOW
          cmpldb %dr11, %dr5, %pred1    ! above HIGH
          cmpldb %dr3, %dr5, %pred2     ! larger than all before
          cmpedb %dr1, 0, %pred3 }      ! the last one
        ! The predicate unit: %pred4 = neither below nor above.
        { nop 2
          pass %pred0, @p0
          pass %pred1, @p1
          andp ~@p0, ~@p1, @p4
          pass @p4, %pred4
          addd %dr5, 0, %dr3 ? %pred2   ! a guarded move: does nothing when %pred2 is false
          merged %dr5, %dr10, %dr6, %pred0 }   ! %pred0 ? LOW : number
        { merged %dr6, %dr11, %dr6, %pred1
          addd %dr2, 1, %dr2 ? %pred4 }
        { addd %dr4, %dr6, %dr4
          ct %ctpr1 ? ~%pred3 }
        say "Between 10 and 50: "
        print_number %dr2
        say "Largest: "
        print_number %dr3
        say "Sum of the limited numbers: "
        print_number %dr4
        exit

        .data
        .align 8
numbers: .quad 3, 14, 15, 92, 65, 35, 8, 50
