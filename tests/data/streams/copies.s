! Copies descriptor 1 to the number of its argument, writes there, and then as often as the limit
! allows: the last number it gets.
        .include "calls.inc"
        .section .rodata
text:   .ascii "copied\n"
        .text
        begin
        argument %dr0, 1
        parse %dr1, %dr0
        try dup2, 63, 1, %dr1
        sys 4, %dr1, text, 7
        try close, 6, %dr1
        { addd 0, 0, %dr3 }
more:   { addd 0, %dr3, %dr2 }
        sys 41, 1
        { addd 0, %db[0], %dr3 }
        if_negative %dr3, full
        goto more
full:   show last, %dr2
        show error, %dr3
        quit 0
