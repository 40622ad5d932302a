! Beginning and end of programs and threads.

! One function of the library: `adds` gets the number of its row.
function bridge_stub
        { setwd wsz = 16, nfx = 1, dbl = 0
          setbn rbs = WBS, rsz = 3, rcur = 0
          sdisp %ctpr1, GATE
          nop 4 }
        { adds 0, _f32s ROW_MARK, %b[0] }
        { call %ctpr1, wbs = WBS }
        { nop 5
          return %ctpr3
          addd 0, %db[0], %dr0
          addd 0, %db[1], %dr1 }
        { ct %ctpr3 }
finish bridge_stub

! A function that has others called: the bridge is asked again after each. %dr10..%dr13 are what it
! remembers meanwhile.
function driven_stub
        enter
        { addd 0, 0, %dr10
          addd 0, 0, %dr11 }
        { addd 0, 0, %dr12
          addd 0, 0, %dr13 }
        drive ROW_MARK, ROW_MARK
        { addd 0, %db[0], %dr0 }
        leave
finish driven_stub

! Where a program begins: resolvers, constructors of libraries, then the program's own entry (%dr10)
! with the stack as the kernel has made it. There is no finaliser to register: the bridge knows.
function bridge_start
        enter
        drive ROW_START_NEXT, ROW_START_NEXT
        { nop 5
          movtd %dr10, %ctpr1
          addd 0, 0, %db[0] }
        { call %ctpr1, wbs = WBS }
        { addd 0, 127, %dr0 }
        ibranch exit
finish bridge_start

! main and what comes before it; its result is the exit status.
function __libc_start_main
        enter
        drive ROW_MAIN_FIRST, ROW_MAIN_NEXT
        { addd 0, %dr9, %dr0 }
        ibranch exit
finish __libc_start_main

! exit(status): the bridge names handlers until there are none, and then does not return.
function exit
        enter
        { addd 0, %dr0, %dr11 }
        drive ROW_EXIT_NEXT, ROW_EXIT_NEXT
        ibranch exit
finish exit

! Where a thread begins: start routine in %dr0, its argument in %dr1.
function bridge_thread
        enter
        { nop 5
          movtd %dr0, %ctpr1
          addd 0, %dr1, %db[0] }
        { call %ctpr1, wbs = WBS }
        { addd 0, %db[0], %dr0 }
        ibranch pthread_exit
finish bridge_thread

! pthread_exit(result): destructors of the thread's keys; then the bridge does not return.
function pthread_exit
        enter
        drive ROW_THREAD_NEXT, ROW_THREAD_NEXT
        ibranch pthread_exit
finish pthread_exit

! __cxa_finalize(dso)
function __cxa_finalize
        enter
        drive ROW_FINALIZE_NEXT, ROW_FINALIZE_NEXT
        leave
finish __cxa_finalize

! pthread_once(control, routine): the bridge names the routine to the thread that is to call it.
function pthread_once
        enter
        drive ROW_ONCE_BEGIN, ROW_ONCE_END
        { addd 0, 0, %dr0 }
        leave
finish pthread_once

! Functions that return the address of something below the thread pointer.
        .macro place_below name, bytes
function \name
        { nop 5
          return %ctpr3
          subd %dg13, \bytes, %dr0 }
        { ct %ctpr3 }
finish \name
        .endm

! int *__errno_location(void); the addresses of the pointers to the tables of <ctype.h>.
        place_below __errno_location, 0x20
        place_below __ctype_b_loc, 0x40
        place_below __ctype_tolower_loc, 0x38
        place_below __ctype_toupper_loc, 0x30
        place_below __h_errno_location, 0x48
