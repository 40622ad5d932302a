! expect: exit 0
! Pages that lose their rights while code that was made for them stands: read-only, none, gone.
        .include "lib.inc"
        start
        survive_faults
        sys 90, 0x10000000, 8192, 3, 0x32, -1, 0
        result 0x10000000
        { addd 0, 0x10000ff8, %dr0
          addd 0, 500, %dr5 }
warm:   invoke touch
        repeat %dr5, warm
        fault_count 0
        sys 125, 0x10000000, 4096, 1
        result 0
        attempt 1f
        { std %dr0, [%dr0 + 0] }
1:      fault_count 1
        sys 125, 0x10000000, 4096, 0
        attempt 2f
        { nop 4
          ldd [%dr0 + 0], %dr1 }
2:      sys 91, 0x10000000, 4096
        attempt 3f
        { nop 4
          ldd [%dr0 + 0], %dr1 }
3:      attempt 4f
        { nop 4
          ldd [%dr0 + 4], %dr1 }        ! half of it is there
4:      { nop 4
          ldd [%dr0 + 8], %dr1 }
        fault_count 4
        exit
touch:  enter
        { addd 0, 0x10000ff8, %dr0 }
        { std %dr0, [%dr0 + 0] }
        { nop 4
          ldd [%dr0 + 0], %dr1 }
        leave
