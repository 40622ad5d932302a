! Exceptions are precise: a bundle that fails has written nothing.
!
! The division by zero shares its bundle with an addition. The handler of the signal looks at the
! register that the addition would have changed.
        .include "lib.inc"
        .globl _start

        .equ SYS_SIGACTION, 174
        .equ SIGFPE, 8

_start: enter
        { addd 0, 41, %dg8 }
        ! rt_sigaction(SIGFPE, action, 0, 8)
        { nop 4
          sdisp %ctpr1, 3
          addd 0, SYS_SIGACTION, %db[0]
          addd 0, SIGFPE, %db[1]
          addd 0, action, %db[2]
          addd 0, 0, %db[3] }
        { addd 0, 8, %db[4] }
        { call %ctpr1, wbs = WBS }
        { addd 0, 10, %dr0
          addd 0, 0, %dr1 }
        { nop 7
          udivd %dr0, %dr1, %dr2        ! fails
          addd %dg8, 1, %dg8 }        ! would succeed, but its bundle fails
        say "never printed"
        exit

! A handler is called like a procedure; returning would try the bundle again.
handler:
        enter
        say "Division by zero. The register is still "
        print_number %dg8
        exit

        .data
        .align 8
action: .quad handler, 0, 0, 0          ! handler, flags, restorer, mask
