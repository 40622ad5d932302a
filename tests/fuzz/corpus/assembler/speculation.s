! Speculative loads: a load may be done before it is known to be wanted, even from an address that
! is not mapped. A failed one marks its result instead of stopping the program: each half of a
! register has a tag, and using a marked value in an ordinary operation traps.
        .include "lib.inc"
        .globl _start

_start: enter
        { addd 0, first, %dr0
          addd 0, 0, %dr1               ! the sum
          addd 0, 0, %dr2 }             ! how many elements
! A list ends with the address 0. The loads for the next element are issued in the same bundle as
! the test whether there is one, so the last time they read from the addresses 0 and 8.
loop:   { nop 4
          ldd,0,sm [%dr0 + 8], %dr3     ! value
          ldd,2,sm [%dr0 + 0], %dr4     ! next
          cmpedb %dr0, 0, %pred0
          disp %ctpr1, loop }
        { addd %dr1, %dr3, %dr1 ? ~%pred0       ! nobody looks at the marked value
          addd %dr2, 1, %dr2 ? ~%pred0
          addd,sm %dr4, 0, %dr0 ? ~%pred0
          ct %ctpr1 ? ~%pred0 }
        ! gettag reads the tag as a number and never traps: 0 a number, 5 both halves marked.
        { gettagd %dr3, %dr5 }
        say "Elements: "
        print_number %dr2
        say "Sum: "
        print_number %dr1
        say "Tag of the load from address 8: "
        print_number %dr5
        exit

        .data
        .align 8
first:  .quad second, 10                ! next, value
third:  .quad 0, 30
second: .quad third, 20
