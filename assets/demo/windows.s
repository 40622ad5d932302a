! Register windows: a call slides the window, so arguments and results need no copying.
!
! The caller's %b[0] and the callee's %r0 are one register. Watch the ribbon in Register windows
! while the call and the return slide it.
        .include "lib.inc"
        .globl _start

_start: enter
        { addd 0, 30, %db[0]            ! the callee's %r0
          addd 0, 12, %db[1]            ! the callee's %r1
          addd 0, 111, %dr1 }           ! ours: no callee can see it
        invoke add_them
        { addd %db[0], 0, %dr2 }        ! the callee's %r0, where it left the result
        say "Sum: "
        print_number %dr2
        say "Kept: "
        print_number %dr1
        exit

add_them:
        enter                           ! a window of its own, over the caller's outgoing registers
        { addd %dr0, %dr1, %dr0
          addd 0, 999, %dr1
          addd 0, 999, %dr5 }           ! its own registers: the caller's are untouched
        leave
