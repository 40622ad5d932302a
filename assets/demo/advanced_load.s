! Advanced loads: a load moves above a store that may write the same place, and is checked later.
!
! The early load (mas = 4) notes its address in the memory disambiguation table (DAM). The check
! (mas = 3) finds out whether a store came in between; then it branches to code that repeats what
! was computed from the old value.
        .include "lib.inc"
        .globl _start

_start: enter
        { addd 0, cell, %dr0
          addd 0, cell, %dr1            ! the same place under another name
          addd 0, 7, %dr5 }
        ! The load is wanted late, but starts early: above the store.
        { nop 4
          ldd,0,sm [%dr0 + 0], %dr2, mas = 4 }
        { addd %dr2, 100, %dr3 }        ! computed from it in advance
        { std %dr5, [%dr1] }            ! this writes what has been read
        ! The check loads again and compares; on a conflict the bundle branches.
        { nop 4
          ldd,2 [%dr0 + 0], %dr2, mas = 3
          ibranch repair ? %MLOCK }
back:   say "7 + 100 = "
        print_number %dr3
        exit

repair: { addd %dr2, 100, %dr3          ! once more, with the value that is there now
          ibranch back }

        .data
        .align 8
cell:   .quad 1
