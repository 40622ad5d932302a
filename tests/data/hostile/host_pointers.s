! expect: exit 0
! Options of sockets and requests to devices that hold an address: of the guest, or none.
        .include "lib.inc"
        .data
        .balign 8
filter: .dword 1, 0x7ffff7dd0000
bpf:    .long 3
size:   .long 64
        .bss
        .balign 16
buffer: .skip 256
        .text
        start
        sys 403, 1, 1, 0
        { addd 0, %db[0], %dr1 }
        sys 415, %dr1, 1, 26, filter, 16
        result -14
        sys 415, %dr1, 1, 51, filter, 16
        result -14
        sys 415, %dr1, 1, 50, bpf, 4
        result -92
        sys 416, %dr1, 1, 26, buffer, size
        result -92
        sys 415, %dr1, 0, 64, buffer, 64
        result -92
        sys 54, %dr1, 0x125d, 0x7ffff7dd0000
        result -25
        sys 54, 1, 0x5412, 0x7ffff7dd0000
        result -25
        exit
