! System calls: the program asks Linux for its identity, its number and a file.
!
! The panel System calls lists each with its arguments and result; the one that fails is shown with
! its error.
        .include "lib.inc"
        .globl _start

        .equ SYS_READ, 3
        .equ SYS_OPEN, 5
        .equ SYS_CLOSE, 6
        .equ SYS_GETPID, 20
        .equ SYS_UNAME, 122
        .equ MACHINE, 65 * 4            ! of struct utsname

        .macro linux number, a = 0, b = 0, c = 0
        { nop 4
          sdisp %ctpr1, 3
          addd 0, \number, %db[0]
          addd 0, \a, %db[1]
          addd 0, \b, %db[2]
          addd 0, \c, %db[3] }
        { call %ctpr1, wbs = WBS }
        .endm

_start: enter
        linux SYS_UNAME, names
        say "This machine is an "
        linux SYS_WRITE, 1, names + MACHINE, 3
        say "\n"
        linux SYS_GETPID                ! its result is in %b[0]
        { nop 2
          cmpldb %db[0], 1, %pred0 }
        { addd 0, 1, %dr1
          addd 0, 0, %dr1 ? %pred0 }
        linux SYS_OPEN, nothing         ! there is no such file: a negative number comes back
        { subd 0, %db[0], %dr2 }
        say "Error number of a missing file: "
        print_number %dr2
        linux SYS_OPEN, zeros           ! a device that everybody may read
        { addd %db[0], 0, %dr3 }
        linux SYS_READ, %dr3, names, 8
        { addd %db[0], 0, %dr4 }
        linux SYS_CLOSE, %dr3
        say "Bytes read: "
        print_number %dr4
        exit

        .data
nothing: .asciz "/no/such/file"
zeros:   .asciz "/dev/zero"
        .lcomm names, 512, 8
