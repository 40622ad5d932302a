! A software-pipelined loop: one bundle per iteration, while the load of the next element overlaps
! the addition of this one. Rotating registers pass values between the stages.
        .include "lib.inc"
        .globl _start

        .equ COUNT, 10
! Loop status register: bits 31:0 iterations, 36:32 iterations of the epilogue, bit 37 "counters are
! valid", 52:48 iterations of the prologue. Two stages: one iteration of each.
        .equ LOOP, COUNT | 1 << 32 | 1 << 37 | 1 << 48

_start: enter
        { addd 0, numbers, %dr0
          addd 0, 0, %dr1               ! the sum
          addd 0, LOOP, %dr2 }
        { rwd %dr2, %lsr                ! needs 4 cycles before the loop looks at it
          disp %ctpr1, loop
          nop 5 }
        ! %b[0]..%b[7] turn: after each `abn` what was %b[0] is called %b[2].
        { addd 0, 0, %db[2] }           ! byte index of the first element
loop:   { loop_mode
          ! Stage 1: load the element, step the index. The last iteration of the epilogue loads
          ! beyond the array: `sm` (speculative) loads never trap.
          ldd,0,sm [%dr0 + %db[2]], %db[1]
          addd,1 %db[2], 8, %db[0]
          ! Stage 2, one iteration later: %b[1] is called %b[3] now. In the first iteration there
          ! is nothing to add yet; %pcnt0 is true once the prologue is over.
          addd,3,sm %dr1, %db[3], %dr1 ? %pcnt0
          alc alcf=1, alct=1            ! count the iteration
          abn abnf=1, abnt=1            ! turn the registers
          ct %ctpr1 ? %NOT_LOOP_END }
        ! The registers have turned 11 times: put the names back, %b[0] is an argument again.
        { setbn rbs = WBS, rsz = 3, rcur = 0 }
        say "Sum of the first ten squares: "
        print_number %dr1
        exit

        .data
        .align 8
numbers: .quad 1, 4, 9, 16, 25, 36, 49, 64, 81, 100
