! Shows the soft limits of its caller: descriptors, stack, core.
        .include "calls.inc"
        .bss
        .balign 8
limit:  .skip 16
        .text
        begin
        sys 191, 7, limit
        read64 %dr0, limit
        show files, %dr0
        sys 191, 3, limit
        read64 %dr0, limit
        show stack, %dr0
        sys 191, 4, limit
        read64 %dr0, limit
        show core, %dr0
        quit 0
