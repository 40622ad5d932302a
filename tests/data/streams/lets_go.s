! Says "started", closes its standard streams and sleeps for a long time; with an argument it does
! that in a child, and ends.
        .include "calls.inc"
        .section .rodata
        .balign 8
time:   .dword 30, 0
        .text
        begin
        argument %dr0, 1
        line started
        if_zero %dr0, closes
        sys 2
        { addd 0, %db[0], %dr1 }
        if_zero %dr1, closes
        quit 0
closes: sys 6, 0
        sys 6, 1
        sys 6, 2
        sys 162, time, 0
        quit 0
