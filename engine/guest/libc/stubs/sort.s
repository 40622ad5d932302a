! qsort and bsearch: they call the program's comparison themselves.

! qsort(base, count, size, compare), qsort_r(base, count, size, compare, argument): merges runs of 1,
! 2, 4, … elements, back and forth between the array and as much memory; equal elements keep their
! order.
!   %dr5 from, %dr6 to, %dr7 bytes of all, %dr9 of a run, %dr10 offset of the pair of runs
!   %dr11..%dr12 the left run, %dr13..%dr14 the right one, %dr15 where the next element goes
!   %dr16 the memory
function qsort
        enter
        { addd 0, 0, %dr4 }
        ibranch .Lsort
finish qsort

function qsort_r
        enter
.Lsort:
        bridge ROW_SORT_MEMORY
        { nop 4
          disp %ctpr1, .Lsorted
          cmpedb %dr16, 0, %pred0 }
        { ct %ctpr1 ? %pred0 }
        { nop 6
          muld %dr1, %dr2, %dr7
          addd 0, %dr0, %dr5
          addd 0, %dr16, %dr6
          addd 0, %dr2, %dr9 }
.Lpass:
        { addd 0, 0, %dr10 }
.Lruns:
        { addd %dr10, %dr9, %dr12 }
        { nop 2
          addd %dr12, %dr9, %dr14
          cmpbdb %dr7, %dr12, %pred0 }
        { nop 2
          addd 0, %dr7, %dr12 ? %pred0
          cmpbdb %dr7, %dr14, %pred1 }
        { addd 0, %dr7, %dr14 ? %pred1 }
        { addd %dr5, %dr10, %dr11
          addd %dr5, %dr12, %dr13
          addd %dr6, %dr10, %dr15 }
        { addd %dr5, %dr12, %dr12
          addd %dr5, %dr14, %dr14 }
.Lmerge:
        { nop 4
          disp %ctpr1, .Lright_rest
          cmpedb %dr11, %dr12, %pred0
          cmpedb %dr13, %dr14, %pred1 }
        { ct %ctpr1 ? %pred0 }
        { nop 4
          disp %ctpr1, .Lleft_rest }
        { ct %ctpr1 ? %pred1 }
        { nop 5
          movtd %dr3, %ctpr1
          addd 0, %dr11, %db[0]
          addd 0, %dr13, %db[1]
          addd 0, %dr4, %db[2] }
        { call %ctpr1, wbs = WBS }
        { nop 2
          cmplesb %b[0], 0, %pred0
          addd 0, %dr13, %dr17 }
        { addd 0, %dr11, %dr17 ? %pred0
          addd %dr13, %dr2, %dr13 ? ~%pred0 }
        { addd %dr11, %dr2, %dr11 ? %pred0
          addd 0, %dr15, %db[0] }
        { nop 4
          disp %ctpr1, memcpy
          addd 0, %dr17, %db[1]
          addd 0, %dr2, %db[2] }
        { call %ctpr1, wbs = WBS }
        { addd %dr15, %dr2, %dr15 }
        ibranch .Lmerge
.Lright_rest:
        { addd 0, %dr13, %db[1]
          subd %dr14, %dr13, %db[2] }
        ibranch .Lrest
.Lleft_rest:
        { addd 0, %dr11, %db[1]
          subd %dr12, %dr11, %db[2] }
.Lrest:
        { nop 4
          disp %ctpr1, memcpy
          addd 0, %dr15, %db[0] }
        { call %ctpr1, wbs = WBS }
        { shld %dr9, 1, %dr17 }
        { addd %dr10, %dr17, %dr10 }
        { nop 4
          disp %ctpr1, .Lruns
          cmpbdb %dr10, %dr7, %pred0 }
        { ct %ctpr1 ? %pred0 }
        { addd 0, %dr17, %dr9
          addd 0, %dr6, %dr5
          addd 0, %dr5, %dr6 }
        { nop 4
          disp %ctpr1, .Lpass
          cmpbdb %dr9, %dr7, %pred0 }
        { ct %ctpr1 ? %pred0 }
        { nop 4
          disp %ctpr1, .Lin_place
          cmpedb %dr5, %dr0, %pred0 }
        { ct %ctpr1 ? %pred0 }
        { nop 4
          disp %ctpr1, memcpy
          addd 0, %dr0, %db[0]
          addd 0, %dr5, %db[1]
          addd 0, %dr7, %db[2] }
        { call %ctpr1, wbs = WBS }
.Lin_place:
        bridge ROW_SORTED
.Lsorted:
        leave
finish qsort_r

! bsearch(key, base, count, size, compare)
!   %dr5..%dr6 what is left of the indices, %dr7 the middle, %dr8 its element
function bsearch
        enter
        { addd 0, 0, %dr5
          addd 0, %dr2, %dr6 }
.Lsearch:
        { nop 4
          disp %ctpr1, .Lnot_there
          cmpbdb %dr5, %dr6, %pred0 }
        { ct %ctpr1 ? ~%pred0 }
        { subd %dr6, %dr5, %dr7 }
        { shrd %dr7, 1, %dr7 }
        { addd %dr5, %dr7, %dr7 }
        { nop 6
          muld %dr7, %dr3, %dr8 }
        { addd %dr1, %dr8, %dr8 }
        { nop 5
          movtd %dr4, %ctpr1
          addd 0, %dr0, %db[0]
          addd 0, %dr8, %db[1] }
        { call %ctpr1, wbs = WBS }
        { nop 4
          disp %ctpr1, .Lthere
          cmpesb %b[0], 0, %pred0
          cmplsb %b[0], 0, %pred1 }
        { ct %ctpr1 ? %pred0 }
        { addd 0, %dr7, %dr6 ? %pred1
          addd %dr7, 1, %dr5 ? ~%pred1 }
        ibranch .Lsearch
.Lnot_there:
        { addd 0, 0, %dr8 }
.Lthere:
        { addd 0, %dr8, %dr0 }
        leave
finish bsearch
