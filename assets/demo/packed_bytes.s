! Packed integers: eight bytes in one register, eight operations at once.
!
! Saturating arithmetic stops at 255 instead of wrapping around: brighter pixels stay white.
        .include "lib.inc"
        .globl _start

_start: enter
        { nop 2
          addd 0, pixels, %dr0
          addd 0, _f64 0x2020202020202020, %dr1 }       ! 32 for each of eight pixels
        { nop 4
          ldd [%dr0], %dr2 }
        { paddusb %dr2, %dr1, %dr3      ! brighter by 32, at most 255
          paddb %dr2, %dr1, %dr4 }      ! the same with wrapping: light ones turn dark
        { nop 1
          psubusb %dr2, %dr1, %dr5      ! darker by 32, at least 0
          pmaxub %dr3, %dr4, %dr6 }     ! the lighter of two, byte by byte
        { pcmpeqb %dr3, %dr4, %dr7 }    ! 255 where both agree, 0 where not
        say "First pixel: "
        { andd %dr3, 255, %dr8 }
        print_number %dr8
        { shrd %dr3, 56, %dr8 }
        say "Last pixel: "
        print_number %dr8
        { shrd %dr4, 56, %dr8 }
        say "Wrapped: "
        print_number %dr8
        exit

        .data
        .align 8
pixels: .byte 0, 16, 64, 100, 128, 200, 220, 250
