! The array access unit: a small program of its own describes the arrays, the processor fetches
! their elements in advance, and `mova` takes the next one. Stores step their index themselves.
!
! Here: difference[i] = a[i] - b[i], two loads, a subtraction and a store in one bundle.
        .include "lib.inc"
        .globl _start

        .equ COUNT, 6
! Three stages: iterations 2 and 3 begin before the first one ends, so two iterations each of
! prologue (52:48) and epilogue (36:32); one store is allowed in the last iteration (59:53).
        .equ LOOP, COUNT | 2 << 32 | 1 << 37 | 2 << 48 | 1 << 53

_start: enter
        { ldisp %ctpr2, arrays          ! the array program, started by `bap`
          addd 0, a, %dr0
          addd 0, b, %dr1 }
        { addd 0, difference, %dr2
          addd 0, LOOP, %dr3
          addd 0, 0, %dr4 }
        { aaurwd,2 %dr0, %aad0 }        ! descriptors: where the arrays begin
        { aaurwd,2 %dr1, %aad1 }
        { aaurwd,2 %dr2, %aad2 }
        { aaurwd,2 %dr4, %aasti1 }      ! index of the store, in bytes
        { rwd %dr3, %lsr
          disp %ctpr1, loop }
        { nop 5
          bap }
loop:   { loop_mode
          movad,0 area = 0, ind = 0, am = 1, %db[0]     ! a[i], then to the next element
          movad,2 area = 0, ind = 0, am = 1, %db[4]     ! channel 2 has areas of its own: b[i]
          subd,1,sm %db[2], %db[6], %db[1]              ! elements of the iteration before
          staad,2 %db[3], %aad2 [ %aasti1 ]             ! difference of the one before that
          incr,2 %aaincr0                               ! the index steps by one element
          alc alcf=1, alct=1
          abn abnf=1, abnt=1
          ct %ctpr1 ? %NOT_LOOP_END }
        { eap                           ! end of the prefetch
          setbn rbs = WBS, rsz = 3, rcur = 0 }  ! names of the turned registers as before

        ! Print what has been stored.
        { addd 0, difference, %dr0
          addd 0, COUNT, %dr1 }
print:  { nop 3
          ldd [%dr0], %dr2 }
        print_number %dr2
        { nop 2
          addd %dr0, 8, %dr0
          subd %dr1, 1, %dr1
          cmpedb %dr1, 1, %pred0 }
        { nop 4
          disp %ctpr1, print }
        { ct %ctpr1 ? ~%pred0 }
        exit

! The array program: 16 bytes an entry, a half for channels 0 and 1, a half for channels 2 and 3.
! fmt = 4: elements of 8 bytes; d: descriptor; ind, incr: index and step registers (0: 0 and 1).
        .align 8
arrays: { fapb ct = 1, fmt = 4, d = 0, ind = 0, incr = 0, asz = 5, abs = 0, disp = 0
          fapb dpl = 0, fmt = 4, d = 1, ind = 0, incr = 0, asz = 5, abs = 16, disp = 0 }

        .data
        .align 16
a:      .quad 100, 200, 300, 400, 500, 600, 0, 0
b:      .quad 1, 2, 3, 4, 5, 6, 0, 0
        .lcomm difference, 64, 16
