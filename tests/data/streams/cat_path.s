! Copies the file that its argument names to standard output; ends with the error number if it cannot
! be opened.
        .include "calls.inc"
        .bss
        .balign 8
buffer: .skip 256
        .text
        begin
        argument %dr0, 1
        sys 5, %dr0, 0
        { addd 0, %db[0], %dr1 }
        if_negative %dr1, failed
more:   sys 3, %dr1, buffer, 256
        { addd 0, %db[0], %dr2 }
        if_zero %dr2, done
        if_negative %dr2, done
        sys 4, 1, buffer, %dr2
        goto more
done:   quit 0
failed: { subd 0, %dr1, %dr1 }
        quit %dr1
