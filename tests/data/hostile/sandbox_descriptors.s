! expect: exit 0
! options: --sandbox
! What was opened for reading changes nothing: modes, owners, times, length, locks, attributes.
        .include "lib.inc"
        .data
name:   .asciz "/etc/passwd"
attribute: .asciz "user.x"
        .text
        start
        sys 5, name, 0
        { addd 0, %db[0], %dr1 }
        sys 94, %dr1, 0x1a4
        result -13
        sys 94, %dr1, 0x9ff
        result -1
        sys 95, %dr1, 1, 1
        result -13
        sys 207, %dr1, 1, 1
        result -13
        sys 333, %dr1, 0, 0, 0
        result -13
        sys 93, %dr1, 0
        result -13
        sys 356, %dr1, 0, 0, 4096
        result -13
        sys 143, %dr1, 6
        result -13
        sys 234, %dr1, attribute, attribute, 4, 0
        result -13
        sys 55, %dr1, 1024, 0
        result -1
        sys 54, %dr1, 0x40086602, name
        result -25
        exit
