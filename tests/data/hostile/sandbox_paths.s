! expect: exit 0
! options: --sandbox
! Nothing of the host is made, changed, renamed or removed by name.
        .include "lib.inc"
        .data
passwd: .asciz "/etc/passwd"
fresh:  .asciz "/etc/hostile-guest"
winding: .asciz "/proc/self/cwd/../../../../../../../../../etc/passwd"
etc:    .asciz "/etc"
        .text
        start
        sys 5, passwd, 1
        result -13
        sys 5, passwd, 512
        result -13
        sys 5, winding, 2
        result -13
        sys 8, fresh, 0x1a4
        result -13
        sys 5, etc, 0x410002, 0x1a4
        result -13
        sys 9, passwd, fresh
        result -13
        sys 10, passwd
        result -13
        sys 14, fresh, 0x1180, 0
        result -13
        sys 14, fresh, 0x2180, 0x103
        result -1
        sys 15, passwd, 0x1a4
        result -13
        sys 38, passwd, fresh
        result -13
        sys 39, fresh, 0x1c0
        result -13
        sys 40, etc
        result -13
        sys 83, passwd, fresh
        result -13
        sys 92, passwd, 0
        result -13
        sys 182, passwd, 1, 1
        result -13
        sys 309, passwd, 0
        result -13
        sys 341, -100, passwd, -100, fresh, 0x400
        result -13
        exit
