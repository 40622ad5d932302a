! setjmp and longjmp. The buffer holds the position in the chain of calls, which only guest code can
! read; going back is the kernel's call 230.

        .equ SYS_LONGJMP2, 230

function setjmp
        { adds 0, 1, %r1 }
        ibranch __sigsetjmp
finish setjmp

function _setjmp
        { adds 0, 0, %r1 }
        ibranch __sigsetjmp
finish _setjmp

! __sigsetjmp(buffer, save_mask)
function __sigsetjmp
        enter
        { nop 3
          rrd %cr0.hi, %dr2 }
        { nop 3
          rrd %cr1.lo, %dr3 }
        { nop 3
          rrd %pcsp.lo, %dr4 }
        { nop 3
          rrd %pcsp.hi, %dr5 }
        { nop 3
          rrd %pcshtp, %dr6 }
        { nop 3
          rrd %cr1.hi, %dr7 }
        { nop 3
          rrd %usd.lo, %dr10 }
        { nop 3
          rrd %wd, %dr11 }
        { addd 0, 0, %dr12
          shrd %dr11, 32, %dr11 }
        { std %dr12, [%dr0 + 0x00]
          std %dr2, [%dr0 + 0x08] }
        { std %dr3, [%dr0 + 0x10]
          std %dr4, [%dr0 + 0x18] }
        { std %dr5, [%dr0 + 0x20]
          stw %r6, [%dr0 + 0x28] }
        { stw %r7, [%dr0 + 0x2c]
          std %dr10, [%dr0 + 0x30] }
        { stw %r12, [%dr0 + 0x38]
          stw %r11, [%dr0 + 0x3c] }
        { std %dr12, [%dr0 + 0x40]
          std %dr12, [%dr0 + 0x48] }
        { nop 2
          cmpesb %r1, 0, %pred0 }
        { nop 4
          disp %ctpr1, .Lno_mask }
        { ct %ctpr1 ? %pred0 }
        { addd 0, %dr0, %db[1] }
        bridge ROW_SAVE_MASK
.Lno_mask:
        { addd 0, 0, %dr0 }
        leave
finish __sigsetjmp

function longjmp
        enter
        { nop 2
          cmpesb %r1, 0, %pred0 }
        { adds 0, 1, %r1 ? %pred0 }
        { nop 4
          sdisp %ctpr1, 3
          addd 0, SYS_LONGJMP2, %db[0]
          addd 0, %dr0, %db[1]
          sxt 2, %r1, %db[2] }
        { call %ctpr1, wbs = WBS }
        { addd 0, 127, %dr0 }
        ibranch exit                    ! not reached
finish longjmp

        .globl _longjmp, siglongjmp, __longjmp_chk
        .set _longjmp, longjmp
        .set siglongjmp, longjmp
        .set __longjmp_chk, longjmp
