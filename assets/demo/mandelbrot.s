! The Mandelbrot set in characters: floating point in a loop, predicates that end it early.
        .include "lib.inc"
        .globl _start

        .equ WIDTH, 72
        .equ HEIGHT, 30
        .equ LIMIT, 60                  ! iterations after which a point counts as inside

_start: enter
        { addd 0, constants, %dr0 }
        { nop 3
          ldd [%dr0 + 0], %dr16         ! left edge
          ldd [%dr0 + 8], %dr17         ! step to the right
          ldd [%dr0 + 16], %dr2 }       ! upper edge: imaginary part of the row
        { ldd [%dr0 + 24], %dr18        ! step down
          ldd [%dr0 + 32], %dr19 }      ! 4: beyond it a point escapes
        { addd 0, HEIGHT, %dr10
          addd 0, palette, %dr14
          addd 0, 10, %dr20 }           ! the end of a line
row:    { addd 0, line, %dr12
          addd 0, WIDTH, %dr11
          addd %dr16, 0, %dr1 }         ! real part of the point
! z = z * z + c until |z| > 2. %r4, %r5: z; %r6, %r7: their squares; %r8: iterations left.
point:  { addd 0, 0, %dr4
          addd 0, 0, %dr5
          addd 0, 0, %dr6
          addd 0, 0, %dr7
          addd 0, LIMIT, %dr8
          disp %ctpr1, step }
        { nop 3 }
step:   { nop 3
          fmuld %dr4, %dr5, %dr9        ! re * im
          fsubd %dr6, %dr7, %dr4 }      ! re * re - im * im
        { nop 3
          faddd %dr4, %dr1, %dr4
          faddd %dr9, %dr9, %dr5
          subd %dr8, 1, %dr8 }
        { nop 3
          faddd %dr5, %dr2, %dr5
          fmuld %dr4, %dr4, %dr6
          cmpedb %dr8, 0, %pred0 }      ! out of iterations
        { nop 3
          fmuld %dr5, %dr5, %dr7 }
        { nop 3
          faddd %dr6, %dr7, %dr9 }
        { nop 4
          fcmpltdb %dr19, %dr9, %pred1 }        ! escaped
        { nop 2
          pass %pred0, @p0
          pass %pred1, @p1
          andp ~@p0, ~@p1, @p4          ! neither: go on
          pass @p4, %pred2 }
        { ct %ctpr1 ? %pred2 }
        ! A character for the number of iterations that were left.
        { nop 3
          ldb [%dr14 + %dr8], %dr9
          subd %dr11, 1, %dr11
          disp %ctpr1, point }
        { nop 2
          stb %dr9, [%dr12]
          addd %dr12, 1, %dr12
          cmpedb %dr11, 0, %pred0
          faddd %dr1, %dr17, %dr1 }
        { ct %ctpr1 ? ~%pred0 }
        { nop 4
          stb %dr20, [%dr12]
          sdisp %ctpr1, 3
          addd 0, SYS_WRITE, %db[0]
          addd 0, 1, %db[1]
          addd 0, line, %db[2]
          addd 0, WIDTH + 1, %db[3] }
        { call %ctpr1, wbs = WBS }
        { nop 2
          subd %dr10, 1, %dr10
          faddd %dr2, %dr18, %dr2
          cmpedb %dr10, 1, %pred0 }
        { nop 4
          disp %ctpr1, row }
        { ct %ctpr1 ? ~%pred0 }
        exit

        .rodata
        .align 8
constants: .double -2.2, 0.0417, 1.25, -0.0833, 4.0
! From 0 iterations left (inside) to LIMIT.
palette: .ascii "@%%##**++++====----::::::::........................            "
        .lcomm line, WIDTH + 8, 8
