! Writes "to N" to the descriptor N of its argument; ends with 1 if that fails.
        .include "calls.inc"
        .section .rodata
text:   .ascii "to N\n"
        .text
        begin
        argument %dr0, 1
        parse %dr1, %dr0
        sys 4, %dr1, text, 5
        if_negative %db[0], lost
        quit 0
lost:   quit 1
