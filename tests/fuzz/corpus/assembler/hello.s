! The smallest useful program: one system call writes, another one ends.
!
! What stands between braces is one bundle: its operations start in the same cycle, each in its own
! channel. The assembler picks channels that are not named.
        .globl _start
        .type _start, @function

        .equ EXIT, 1                    ! numbers of system calls
        .equ WRITE, 4

        .text
_start: { setwd wsz = 8, nfx = 1, dbl = 1       ! a window of 16 registers
          setbn rbs = 4, rsz = 3, rcur = 0 }    ! %b[0] is %r8, and so on to %b[7]

        ! write(1, text, length): number and arguments go to the registers where the window of
        ! the callee begins. wbs = 4 pairs of registers: %r8 = %b[0].
        { nop 4                         ! sdisp needs five cycles before the call
          sdisp %ctpr1, 3               ! prepare a transfer to the kernel's entry 3
          addd 0, WRITE, %db[0]
          addd 0, 1, %db[1]             ! standard output
          addd 0, text, %db[2]          ! an address: a literal of 64 bits
          addd 0, _f32s length, %db[3] }
        { call %ctpr1, wbs = 4 }        ! the result would be in %b[0]

        { nop 4
          sdisp %ctpr1, 3
          addd 0, EXIT, %db[0]
          addd 0, 0, %db[1] }
        { call %ctpr1, wbs = 4 }

        .rodata
text:   .ascii "Hello, Elbrus\n"
length = . - text
