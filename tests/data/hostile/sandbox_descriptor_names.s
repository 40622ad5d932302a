! expect: exit 0
! Every way to write the name of descriptor 99, which is not open, and of the workbench's memory.
        .include "lib.inc"
        .data
one:    .asciz "/proc/self/fd/99"
two:    .asciz "/proc/self//fd/99"
three:  .asciz "/proc/self/../self/./fd/99"
four:   .asciz "/proc/thread-self/fd/99"
five:   .asciz "/dev/fd/99"
six:    .asciz "/proc/self/root/proc/self/fd/99"
proc:   .asciz "/proc/self"
seven:  .asciz "fd/99"
memory: .asciz "/proc/self/../self/mem"
        .text
        start
        sys 5, one, 0
        result -2
        sys 5, two, 0
        result -2
        sys 5, three, 0
        result -2
        sys 5, four, 0
        result -2
        sys 5, five, 0
        result -2
        sys 5, six, 0
        result -2
        sys 12, proc
        result 0
        sys 5, seven, 0
        result -2
        exit
