! The hot functions of <string.h>, and toupper, tolower.

function toupper
        { nop 2
          subs %r0, 'a', %r1
          adds 0, 26, %r2 }
        { nop 2
          cmpbsb %r1, %r2, %pred0 }     ! unsigned: 'a' to 'z'
        { nop 5
          return %ctpr3
          subs %r0, 32, %r0 ? %pred0 }
        { sxt 2, %r0, %dr0
          ct %ctpr3 }
finish toupper

function tolower
        { nop 2
          subs %r0, 'A', %r1
          adds 0, 26, %r2 }
        { nop 2
          cmpbsb %r1, %r2, %pred0 }
        { nop 5
          return %ctpr3
          adds %r0, 32, %r0 ? %pred0 }
        { sxt 2, %r0, %dr0
          ct %ctpr3 }
finish tolower

! Texts are looked at in words of eight bytes wherever a word cannot reach into another page: what
! lies behind the end of a text need not be mapped. A byte is zero where (word - ONES) & ~word has
! bit 7 of it set; above the first such byte that may be wrong, so the lowest bit counts.
        .equ ONES, 0x0101010101010101
        .equ HIGHS, 0x8080808080808080
        .equ LAST_WORD, 4088            ! offset in a page from which on a word may cross its end

! On with the next byte (%ctpr1) if these are equal (%pred0) and not the last (%pred1); else the
! result of a comparison.
        .macro again_or_difference
        { nop 1
          pass %pred0, @p0
          pass %pred1, @p1
          landp @p0, ~@p1, @p4
          pass @p4, %pred2 }
        { nop 1 }
        { ct %ctpr1 ? %pred2 }
        { nop 5
          return %ctpr3 }
        { subd %dr5, %dr6, %dr0
          ct %ctpr3 }
        .endm

! strcmp(%dr0, %dr1)
function strcmp
        { setwd wsz = 16, nfx = 1, dbl = 0
          disp %ctpr1, .Lcompare
          addd 0, ONES, %dr8 }
        { disp %ctpr2, .Lcompare_byte
          addd 0, HIGHS, %dr9 }
        { nop 4
          addd 0, LAST_WORD, %dr12 }
.Lcompare:
        { ord %dr0, %dr1, %dr4 }
        { andd %dr4, %dr12, %dr4 }
        { nop 2
          cmpedb %dr4, %dr12, %pred0 }
        { ct %ctpr2 ? %pred0 }
        { nop 2
          ldd [%dr0], %dr5
          ldd [%dr1], %dr6 }
        { xord %dr5, %dr6, %dr7
          subd %dr5, %dr8, %dr10
          andnd %dr9, %dr5, %dr11 }
        { andd %dr10, %dr11, %dr10
          addd %dr0, 8, %dr0
          addd %dr1, 8, %dr1 }
        { ord %dr10, %dr7, %dr10 }
        { nop 2
          cmpedb %dr10, 0, %pred1 }
        { ct %ctpr1 ? %pred1 }
        { nop 5
          return %ctpr3
          bitrevd %dr10, %dr10 }
        { lzcntd %dr10, %dr10 }
        { andd %dr10, 56, %dr10 }
        { shrd %dr5, %dr10, %dr5
          shrd %dr6, %dr10, %dr6 }
        { andd %dr5, 255, %dr5
          andd %dr6, 255, %dr6 }
        { subd %dr5, %dr6, %dr0
          ct %ctpr3 }
.Lcompare_byte:
        { nop 2
          ldb [%dr0], %dr5
          ldb [%dr1], %dr6 }
        { nop 2
          addd %dr0, 1, %dr0
          addd %dr1, 1, %dr1
          cmpedb %dr5, %dr6, %pred0
          cmpedb %dr5, 0, %pred1 }
        again_or_difference
finish strcmp

! strlen(%dr0)
function strlen
        { setwd wsz = 16, nfx = 1, dbl = 0
          disp %ctpr1, .Llength
          addd 0, ONES, %dr8 }
        { disp %ctpr2, .Llength_byte
          addd 0, HIGHS, %dr9 }
        { nop 4
          addd 0, LAST_WORD, %dr12
          addd 0, %dr0, %dr1 }
.Llength:
        { andd %dr1, %dr12, %dr4 }
        { nop 2
          cmpedb %dr4, %dr12, %pred0 }
        { ct %ctpr2 ? %pred0 }
        { nop 2
          ldd [%dr1], %dr5 }
        { subd %dr5, %dr8, %dr10
          andnd %dr9, %dr5, %dr11 }
        { andd %dr10, %dr11, %dr10
          addd %dr1, 8, %dr1 }
        { nop 2
          cmpedb %dr10, 0, %pred1 }
        { ct %ctpr1 ? %pred1 }
        { nop 5
          return %ctpr3
          bitrevd %dr10, %dr10 }
        { lzcntd %dr10, %dr10
          subd %dr1, 8, %dr1 }
        { shrd %dr10, 3, %dr10
          subd %dr1, %dr0, %dr1 }
        { addd %dr1, %dr10, %dr0
          ct %ctpr3 }
.Llength_byte:
        { nop 2
          ldb [%dr1], %dr5 }
        { nop 2
          addd %dr1, 1, %dr1
          cmpedb %dr5, 0, %pred0 }
        { ct %ctpr1 ? ~%pred0 }
        { nop 5
          return %ctpr3
          subd %dr1, 1, %dr1 }
        { subd %dr1, %dr0, %dr0
          ct %ctpr3 }
finish strlen

! strcpy(%dr0, %dr1)
function strcpy
        { setwd wsz = 16, nfx = 1, dbl = 0
          disp %ctpr1, .Lcopy_text
          addd 0, ONES, %dr8 }
        { disp %ctpr2, .Lcopy_text_byte
          addd 0, HIGHS, %dr9
          addd 0, %dr0, %dr2 }
        { nop 4
          addd 0, LAST_WORD, %dr12 }
.Lcopy_text:
        { andd %dr1, %dr12, %dr4 }
        { nop 2
          cmpedb %dr4, %dr12, %pred0 }
        { ct %ctpr2 ? %pred0 }
        { nop 2
          ldd [%dr1], %dr5 }
        { subd %dr5, %dr8, %dr10
          andnd %dr9, %dr5, %dr11 }
        { andd %dr10, %dr11, %dr10 }
        { nop 2
          cmpedb %dr10, 0, %pred1 }
        { std %dr5, [%dr2] ? %pred1 }
        { addd %dr1, 8, %dr1 ? %pred1
          addd %dr2, 8, %dr2 ? %pred1
          ct %ctpr1 ? %pred1 }
.Lcopy_text_byte:
        { nop 2
          ldb [%dr1], %dr5 }
        { nop 2
          stb %dr5, [%dr2]
          cmpedb %dr5, 0, %pred0
          addd %dr1, 1, %dr1
          addd %dr2, 1, %dr2 }
        { ct %ctpr1 ? ~%pred0 }
        { nop 5
          return %ctpr3 }
        { ct %ctpr3 }
finish strcpy

! memcpy(%dr0, %dr1, %dr2)
function memcpy
        { setwd wsz = 16, nfx = 1, dbl = 0
          disp %ctpr1, .Lcopy
          addd 0, %dr0, %dr3 }
        { disp %ctpr2, .Lcopy_rest }
        { nop 4
          cmpbdb %dr2, 32, %pred0 }
        { ct %ctpr2 ? %pred0 }
.Lcopy:
        { ldd [%dr1], %dr4
          ldd [%dr1 + 8], %dr5 }
        { nop 2
          ldd [%dr1 + 16], %dr6
          ldd [%dr1 + 24], %dr7
          subd %dr2, 32, %dr2
          addd %dr1, 32, %dr1 }
        { std %dr4, [%dr3]
          std %dr5, [%dr3 + 8]
          cmpbdb %dr2, 32, %pred0 }
        { nop 1
          std %dr6, [%dr3 + 16]
          std %dr7, [%dr3 + 24]
          addd %dr3, 32, %dr3 }
        { ct %ctpr1 ? ~%pred0 }
.Lcopy_rest:
        { disp %ctpr1, .Lcopy_word }
        { disp %ctpr2, .Lcopy_bytes }
        { nop 4
          cmpbdb %dr2, 8, %pred0 }
        { ct %ctpr2 ? %pred0 }
.Lcopy_word:
        { nop 2
          ldd [%dr1], %dr4
          subd %dr2, 8, %dr2
          addd %dr1, 8, %dr1 }
        { nop 2
          std %dr4, [%dr3]
          addd %dr3, 8, %dr3
          cmpbdb %dr2, 8, %pred0 }
        { ct %ctpr1 ? ~%pred0 }
.Lcopy_bytes:
        { disp %ctpr1, .Lcopy_byte }
        { nop 4
          cmpedb %dr2, 0, %pred0
          return %ctpr3 }
        { nop 1 }
        { ct %ctpr3 ? %pred0 }
.Lcopy_byte:
        { nop 2
          ldb [%dr1], %dr4
          subd %dr2, 1, %dr2
          addd %dr1, 1, %dr1 }
        { nop 2
          stb %dr4, [%dr3]
          addd %dr3, 1, %dr3
          cmpedb %dr2, 0, %pred0 }
        { ct %ctpr1 ? ~%pred0 }
        { ct %ctpr3 }
finish memcpy

! memset(%dr0, %r1, %dr2)
function memset
        { setwd wsz = 16, nfx = 1, dbl = 0
          disp %ctpr1, .Lset_word
          andd %dr1, 255, %dr1
          addd 0, ONES, %dr4 }
        { nop 6
          muld %dr1, %dr4, %dr1
          disp %ctpr2, .Lset_bytes }
        { nop 4
          addd 0, %dr0, %dr3
          cmpbdb %dr2, 8, %pred0 }
        { ct %ctpr2 ? %pred0 }
.Lset_word:
        { nop 1
          std %dr1, [%dr3]
          subd %dr2, 8, %dr2
          addd %dr3, 8, %dr3 }
        { nop 2
          cmpbdb %dr2, 8, %pred0 }
        { ct %ctpr1 ? ~%pred0 }
.Lset_bytes:
        { disp %ctpr1, .Lset_byte }
        { nop 4
          cmpedb %dr2, 0, %pred0
          return %ctpr3 }
        { nop 1 }
        { ct %ctpr3 ? %pred0 }
.Lset_byte:
        { stb %dr1, [%dr3]
          subd %dr2, 1, %dr2
          addd %dr3, 1, %dr3 }
        { nop 2
          cmpedb %dr2, 0, %pred0 }
        { ct %ctpr1 ? ~%pred0 }
        { ct %ctpr3 }
finish memset

! memcmp(%dr0, %dr1, %dr2)
function memcmp
        { setwd wsz = 16, nfx = 1, dbl = 0
          disp %ctpr1, .Lmem_word }
        { disp %ctpr2, .Lmem_bytes
          addd 0, 0, %dr5
          addd 0, 0, %dr6 }
        { nop 4
          cmpbdb %dr2, 8, %pred0 }
        { ct %ctpr2 ? %pred0 }
.Lmem_word:
        { nop 2
          ldd [%dr0], %dr5
          ldd [%dr1], %dr6 }
        { nop 2
          cmpedb %dr5, %dr6, %pred1 }
        { ct %ctpr2 ? ~%pred1 }         ! the bytes tell
        { subd %dr2, 8, %dr2
          addd %dr0, 8, %dr0
          addd %dr1, 8, %dr1 }
        { nop 2
          cmpbdb %dr2, 8, %pred0 }
        { ct %ctpr1 ? ~%pred0 }
.Lmem_bytes:
        { disp %ctpr1, .Lmem_byte }
        { disp %ctpr2, .Lmem_equal }
        { nop 4
          cmpedb %dr2, 0, %pred0 }
        { ct %ctpr2 ? %pred0 }
.Lmem_byte:
        { nop 2
          ldb [%dr0], %dr5
          ldb [%dr1], %dr6
          subd %dr2, 1, %dr2 }
        { nop 2
          addd %dr0, 1, %dr0
          addd %dr1, 1, %dr1
          cmpedb %dr5, %dr6, %pred0
          cmpedb %dr2, 0, %pred1 }
        again_or_difference
.Lmem_equal:
        { nop 5
          return %ctpr3 }
        { addd 0, 0, %dr0
          ct %ctpr3 }
finish memcmp

! strchr(%dr0, %r1)
function strchr
        { setwd wsz = 16, nfx = 1, dbl = 0
          disp %ctpr1, .Lfind }
        { nop 4
          andd %dr1, 255, %dr1 }
.Lfind:
        { nop 2
          ldb [%dr0], %dr5 }
        { nop 2
          addd %dr0, 1, %dr0
          cmpedb %dr5, %dr1, %pred0
          cmpedb %dr5, 0, %pred1 }
        { nop 1
          pass %pred0, @p0
          pass %pred1, @p1
          landp ~@p0, ~@p1, @p4
          pass @p4, %pred2 }
        { nop 1 }
        { ct %ctpr1 ? %pred2 }
        { nop 5
          return %ctpr3
          subd %dr0, 1, %dr0 }
        { addd 0, 0, %dr0 ? ~%pred0 }
        { ct %ctpr3 }
finish strchr
