! Swap in one bundle: all operations of a bundle read before any of them writes.
!
! Two moves in one bundle exchange two registers; no third one is needed. One after the other they
! would leave the same number in both: look at X-ray, "As if sequential".
        .include "lib.inc"
        .globl _start

_start: enter
        { addd 0, 1, %dr0
          addd 0, 2, %dr1
          addd 0, 3, %dr2 }
        ! Both sources are read first, then both results are written.
        { addd %dr1, 0, %dr0            ! %dr0 becomes what %dr1 was
          addd %dr0, 0, %dr1 }          ! %dr1 becomes what %dr0 was
        say "Swapped: "
        print_number %dr0
        print_number %dr1
        ! Three registers turn in one cycle.
        { addd %dr1, 0, %dr0
          addd %dr2, 0, %dr1
          addd %dr0, 0, %dr2 }
        say "Turned: "
        print_number %dr0
        print_number %dr1
        print_number %dr2
        exit
