! Dies of SIGSEGV.
        .include "calls.inc"
        begin
        { addd 0, 8, %dr0 }
        { nop 4
          ldd [%dr0 + 0], %dr1 }
        quit 0
