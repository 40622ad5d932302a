! Loops whose host code is kept beside this file: one a paragraph, its title first. %dr0, %dr2 and
! the other even registers point to data, the odd ones hold small numbers.

! sum of words, counted
  { addd 0x0, 0x0, %dr5
    disp %ctpr1, loop }
loop:
  { ldw,0 %dr0, %dr5, %r6
    addd,1 %dr5, 0x4, %dr5 }
  { adds %r7, %r6, %r7
    cmpldb %dr5, 0x100, %pred0 }
  { ct %ctpr1 ? %pred0 }

! copy of bytes until zero
  { addd 0x0, 0x0, %dr5
    disp %ctpr1, loop }
loop:
  { ldb %dr0, %dr5, %r6 }
  { stb,2 %dr2, %dr5, %r6
    addd,1 %dr5, 0x1, %dr5
    cmpesb,0 %r6, 0x0, %pred0 }
  { ct %ctpr1 ? ~%pred0 }

! dot product in double precision
  { addd 0x0, 0x0, %dr5
    disp %ctpr1, loop }
loop:
  { ldd,0 %dr0, %dr5, %dr6
    ldd,3 %dr2, %dr5, %dr8
    addd,1 %dr5, 0x8, %dr5 }
  { fmuld %dr6, %dr8, %dr10 }
  { faddd,0 %dr7, %dr10, %dr7
    cmpldb,1 %dr5, 0x100, %pred0 }
  { ct %ctpr1 ? %pred0 }

! daxpy with a fused operation
  { addd 0x0, 0x0, %dr5
    disp %ctpr1, loop }
loop:
  { ldd,0 %dr0, %dr5, %dr6
    ldd,3 %dr2, %dr5, %dr8 }
  { fmul_addd %dr6, %dr7, %dr8, %dr10 }
  { std,2 %dr2, %dr5, %dr10
    addd,0 %dr5, 0x8, %dr5
    cmpldb,1 %dr5, 0x100, %pred0 }
  { ct %ctpr1 ? %pred0 }

! Fibonacci numbers
  { addd 0x0, 0x0, %dr5
    addd 0x0, 0x1, %dr7
    addd 0x0, 0x1e, %dr9
    disp %ctpr1, loop }
loop:
  { addd,0 %dr5, %dr7, %dr7
    addd,1 0x0, %dr7, %dr5
    subd,2 %dr9, 0x1, %dr9
    cmpledb,3 %dr9, 0x1, %pred0 }
  { ct %ctpr1 ? ~%pred0 }

! greatest common divisor
  { addd 0x0, 0x4e, %dr5
    addd 0x0, 0x1b, %dr7
    disp %ctpr1, loop }
loop:
  { cmpldb,0 %dr5, %dr7, %pred0
    subd,2 %dr5, %dr7, %dr9
    subd,5 %dr7, %dr5, %dr11 }
  { addd,0 0x0, %dr9, %dr5 ? ~%pred0
    addd,1 0x0, %dr11, %dr7 ? %pred0 }
  { cmpedb,0 %dr5, %dr7, %pred1 }
  { ct %ctpr1 ? ~%pred1 }

! maximum with a merge
  { addd 0x0, 0x0, %dr5
    disp %ctpr1, loop }
loop:
  { ldw,0 %dr0, %dr5, %r6
    addd,1 %dr5, 0x4, %dr5 }
  { cmplsb,0 %r7, %r6, %pred0
    cmpldb,1 %dr5, 0x100, %pred1 }
  { merges %r7, %r6, %r7, %pred0 }
  { ct %ctpr1 ? %pred1 }

! bits of a word
  { addd 0x0, 0x0, %dr5
    disp %ctpr1, loop }
loop:
  { ands,0 %r7, 0x1, %r9
    shrs,1 %r7, 0x1, %r7 }
  { adds,0 %r5, %r9, %r5
    cmpesb,1 %r7, 0x0, %pred0 }
  { ct %ctpr1 ? ~%pred0 }

! Horner's rule in single precision
  { addd 0x0, 0x0, %dr5
    disp %ctpr1, loop }
loop:
  { ldw,0 %dr0, %dr5, %r6
    addd,1 %dr5, 0x4, %dr5
    fmuls,4 %r7, %r9, %r7 }
  { fadds,0 %r7, %r6, %r7
    cmpldb,1 %dr5, 0x40, %pred0 }
  { ct %ctpr1 ? %pred0 }

! rotating registers under a loop counter
  { addd 0x0, _f64 0x001000210000000a, %dr5
    addd 0x0, 0x0, %db[2] }
  { rwd,0 %dr5, %lsr
    setbn rbs = 0x10, rsz = 0x3, rcur = 0x0
    disp %ctpr1, loop }
loop:
  { loop_mode
    ldd,0,sm %dr0, %db[2], %db[1]
    addd,1 %db[2], 0x8, %db[0]
    addd,3,sm %dr7, %db[3], %dr7 ? %pcnt0
    alc alcf=1, alct=1
    abn abnf=1, abnt=1
    ct %ctpr1 ? %NOT_LOOP_END }
