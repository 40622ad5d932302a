! expect: exit 0
! options: --sandbox
! The machine itself: mounts, roots, name spaces, clocks, names, modules, keys, other kernels' doors.
        .include "lib.inc"
        .data
        .balign 8
words:  .dword 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
root:   .asciz "/"
        .text
        start
        sys 21, root, root, root, 0, 0
        result -1
        sys 22, root, root, root, 0, 0
        result -1
        sys 25, root, root, root, 0, 0
        result -1
        sys 51, root, root, root, 0, 0
        result -1
        sys 52, root, root, root, 0, 0
        result -1
        sys 61, root, root, root, 0, 0
        result -1
        sys 74, root, root, root, 0, 0
        result -1
        sys 79, root, root, root, 0, 0
        result -1
        sys 81, root, root, root, 0, 0
        result -1
        sys 87, root, root, root, 0, 0
        result -1
        sys 88, root, root, root, 0, 0
        result -1
        sys 103, root, root, root, 0, 0
        result -1
        sys 111, root, root, root, 0, 0
        result -1
        sys 115, root, root, root, 0, 0
        result -1
        sys 121, root, root, root, 0, 0
        result -1
        sys 128, root, root, root, 0, 0
        result -1
        sys 129, root, root, root, 0, 0
        result -1
        sys 185, root, root, root, 0, 0
        result -1
        sys 217, root, root, root, 0, 0
        result -1
        sys 256, words, words, 0, 0, 0
        result -1
        sys 257, words, words, 0, 0, 0
        result -1
        sys 258, words, words, 0, 0, 0
        result -1
        sys 266, words, words, 0, 0, 0
        result -1
        sys 282, words, words, 0, 0, 0
        result -1
        sys 283, words, words, 0, 0, 0
        result -1
        sys 323, words, words, 0, 0, 0
        result -1
        sys 324, words, words, 0, 0, 0
        result -1
        sys 325, words, words, 0, 0, 0
        result -1
        sys 363, words, words, 0, 0, 0
        result -1
        sys 364, words, words, 0, 0, 0
        result -1
        sys 373, words, words, 0, 0, 0
        result -1
        sys 374, words, words, 0, 0, 0
        result -1
        sys 376, words, words, 0, 0, 0
        result -1
        sys 379, words, words, 0, 0, 0
        result -1
        sys 383, words, words, 0, 0, 0
        result -1
        sys 387, words, words, 0, 0, 0
        result -1
        sys 389, words, words, 0, 0, 0
        result -1
        sys 392, words, words, 0, 0, 0
        result -1
        sys 400, words, words, 0, 0, 0
        result -1
        sys 401, words, words, 0, 0, 0
        result -1
        sys 427, words, words, 0, 0, 0
        result -1
        sys 428, words, words, 0, 0, 0
        result -1
        sys 429, words, words, 0, 0, 0
        result -1
        sys 430, words, words, 0, 0, 0
        result -1
        sys 433, words, words, 0, 0, 0
        result -1
        sys 435, words, words, 0, 0, 0
        result -1
        sys 437, words, words, 0, 0, 0
        result -1
        sys 438, words, words, 0, 0, 0
        result -1
        sys 439, words, words, 0, 0, 0
        result -1
        sys 440, words, words, 0, 0, 0
        result -1
        sys 441, words, words, 0, 0, 0
        result -1
        sys 442, words, words, 0, 0, 0
        result -1
        exit
