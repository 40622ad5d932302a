! Writes lines until nobody reads them.
        .include "calls.inc"
        begin
again:  line more
        goto again
