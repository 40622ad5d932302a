! expect: fault SIGILL
! message: entry
! A system call through an entry that 64-bit programs do not have.
        .include "lib.inc"
        start
        gate 8, 20
        exit 3
