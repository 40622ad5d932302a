! expect: exit 0
! options: --sandbox
! No network, no names of local sockets, by any call.
        .include "lib.inc"
        .data
        .balign 8
address: .byte 1, 0
        .asciz "/run/systemd/journal/dev-log"
        .balign 8
abstract: .byte 1, 0, 0, 'x'
        .balign 8
part:   .dword address, 2
message: .dword address, 31, part, 1, 0, 0, 0
call:   .dword 3, address, 2, 0, address, 31
        .text
        start
        sys 403, 2, 1, 0
        result -13
        sys 403, 10, 2, 0
        result -13
        sys 403, 16, 3, 0
        result -13
        sys 403, 17, 3, 0
        result -13
        sys 403, 1, 2, 0
        { addd 0, %db[0], %dr1 }
        sys 404, %dr1, address, 31
        result -13
        sys 410, %dr1, abstract, 4
        result -13
        sys 406, %dr1, address, 2, 0, address, 31
        result -13
        sys 408, %dr1, message, 0
        result -13
        sys 102, 11, call
        result -13
        exit
