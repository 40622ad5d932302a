! Functions that the host computes (cpu/host_leafs.h): `getpl` with the number of one, which takes
! its arguments from %dr0, %dr1, %dr2. Each function is a copy of one of these with its own numbers.
        .equ LEAF_VALUE, 0x7a5b4c3d
        .equ LEAF_ERROR, 0x7a5b4c3e
        .equ LEAF_HIGH, 0x7a5b4c3f
        .equ ERRNO, 0x20                ! below the thread pointer

        .macro leaf_begin
        { setwd wsz = 16, nfx = 1, dbl = 0
          return %ctpr3 }
        .endm

! No errors.
function leaf_plain
        leaf_begin
        { nop 3
          getpl _f32s LEAF_VALUE, %dr0 }
        { ct %ctpr3 }
finish leaf_plain

! A result that is neither zero nor infinite nor nearly so has no error. Of any other the host is
! asked what errno becomes.
        .macro leaf_checked shift, count, highest
        { getpl _f32s LEAF_VALUE, %dr4 }
        { shld %dr4, \shift, %dr5 }
        { shrd %dr5, \count, %dr5 }
        { subd %dr5, 2, %dr5 }
        { nop 2
          cmpbdb %dr5, \highest, %pred0 }
        { addd 0, %dr4, %dr0 ? %pred0
          ct %ctpr3 ? %pred0 }
        leaf_error
        { addd 0, %dr4, %dr0
          ct %ctpr3 }
        .endm
        .macro leaf_error
        { getpl _f32s LEAF_ERROR, %dr5
          subd %dg13, ERRNO, %dr6 }
        { nop 2
          cmpesb %r5, 0, %pred1 }
        { stw %r5, [%dr6] ? ~%pred1 }
        .endm

function leaf_double
        leaf_begin
        leaf_checked 1, 53, 2043
finish leaf_double

function leaf_float
        leaf_begin
        leaf_checked 33, 56, 251
finish leaf_float

! Two words.
function leaf_long_plain
        leaf_begin
        { getpl _f32s LEAF_VALUE, %dr4 }
        { nop 3
          getpl _f32s LEAF_HIGH, %dr5 }
        { addd 0, %dr4, %dr0
          addd 0, %dr5, %dr1
          ct %ctpr3 }
finish leaf_long_plain

function leaf_long
        leaf_begin
        { getpl _f32s LEAF_VALUE, %dr4 }
        { getpl _f32s LEAF_HIGH, %dr7 }
        { andd %dr7, 0x7fff, %dr5 }
        { subd %dr5, 2, %dr5 }
        { nop 2
          cmpbdb %dr5, 0x7ffb, %pred0 }
        { addd 0, %dr4, %dr0 ? %pred0
          addd 0, %dr7, %dr1 ? %pred0
          ct %ctpr3 ? %pred0 }
        leaf_error
        { addd 0, %dr4, %dr0
          addd 0, %dr7, %dr1
          ct %ctpr3 }
finish leaf_long
