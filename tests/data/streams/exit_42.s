! Ends with 42.
        .include "calls.inc"
        begin
        show sum, 42
        show minus, -7
        quit 42
