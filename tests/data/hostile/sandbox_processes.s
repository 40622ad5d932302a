! expect: exit 0
! options: --sandbox
! Process 1 and everybody else: no signals, priorities, processors, limits, groups, memory.
        .include "lib.inc"
        .data
        .balign 8
words:  .dword -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1
        .text
        start
        sys 37, 1, 0
        result -1
        sys 246, 1, 0
        result -1
        sys 308, 1, 1, 0
        result -1
        sys 178, 1, 0, words
        result -1
        sys 334, 1, 1, 0, words
        result -1
        sys 97, 0, 1, 19
        result -1
        sys 97, 1, 0, 19
        result -1
        sys 97, 2, 0, 19
        result -1
        sys 249, 1, 8, words
        result -1
        sys 154, 1, words
        result -1
        sys 156, 0, 1, words
        result -1
        sys 375, 1, 4, 0, words
        result -1
        sys 57, 0, 1
        result -1
        sys 132, 1
        result -1
        sys 26, 16, 1, 0, 0
        result -1
        sys 206, 1, 0
        result -1
        sys 380, 1, words, 1, words, 1, 0
        result -1
        exit
