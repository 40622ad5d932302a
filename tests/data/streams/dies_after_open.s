! Closes descriptor 2, opens the file that its argument names for writing in its place, and dies.
        .include "calls.inc"
        begin
        argument %dr0, 1
        sys 6, 2
        sys 5, %dr0, 0x241, 0x1b6
        show opened, %db[0]
        { addd 0, 8, %dr1 }
        { nop 4
          ldd [%dr1 + 0], %dr2 }
        quit 0
