! Floating point, two numbers at a time: registers of 128 bits (from elbrus-v5 on), several
! operations in each bundle.
        .cpu elbrus-v5
        .include "lib.inc"
        .globl _start

        .equ COUNT, 8                   ! numbers in each array, a multiple of 4

_start: enter
        { addd 0, x, %dr0
          addd 0, y, %dr1
          addd 0, COUNT, %dr2
          disp %ctpr1, loop }
        { qppackdl 0, 0, %qpr8          ! two partial sums: (0, 0)
          qppackdl 0, 0, %qpr9 }        ! and two more
loop:   { nop 3
          ldqp [%dr0 + 0], %qpr3        ! (x[i], x[i+1])
          ldqp [%dr0 + 16], %qpr4       ! (x[i+2], x[i+3])
          ldqp [%dr1 + 0], %qpr5
          ldqp [%dr1 + 16], %qpr6 }
        ! Multiply and add in one operation; every lane on its own.
        { nop 7
          qpfmul_addd %qpr3, %qpr5, %qpr8, %qpr8
          qpfmul_addd %qpr4, %qpr6, %qpr9, %qpr9
          addd %dr0, 32, %dr0
          addd %dr1, 32, %dr1
          subd %dr2, 4, %dr2
          cmpedb %dr2, 4, %pred0 }
        { ct %ctpr1 ? ~%pred0 }
        { nop 3
          qpfaddd %qpr8, %qpr9, %qpr8 } ! two sums remain
        { qpswitchd %qpr8, %qpr9 }      ! the same with its halves swapped
        { nop 3
          faddd %dr8, %dr9, %dr8 }      ! the names %drN are their lower halves
        { nop 3
          fdtoidtr %dr8, %dr3 }         ! to an integer
        say "Dot product: "
        print_number %dr3
        exit

        .data
        .align 16
x:      .double 1, 2, 3, 4, 5, 6, 7, 8
y:      .double 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5
