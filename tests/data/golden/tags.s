! Regions made while a global is diagnostic that they do not look at, as bundles.s.

! what is read is looked at once, what is written is cleared
{ addd %dr0, %dr2, %dr4 }

! a 32-bit result replaces the low half of a tag
{ setwd wsz = 32, nfx = 1, dbl = 0 }
{ adds %r0, %r2, %r4 }

! what is written first is not looked at
{ addd %dr0, 1, %dr4 }
{ addd %dr4, 2, %dr4 }
{ addd %dr4, 3, %dg20 }

! a guarded result
{ addd %dr0, %dr2, %dr4 ? %pred1 }

! a selection
{ merged %dr0, %dr2, %dr4, %pred1 }

! a comparison replaces a predicate with its tag
{ cmpesb %r0, %r2, %pred3 }
{ adds %r0, 1, %r4 ? %pred3 }

! loads and stores
{ ldd %dr0, 8, %dr4 }
{ std %dr2, 8, %dr4 }

! packed
{ qpsrcw,0 %qpr0, 5, %qpr4 }

! a smaller window
{ setwd wsz = 24, nfx = 1, dbl = 1 }

! a call and what comes behind it
{ disp %ctpr1, there }
{ addd %dr0, 1, %dr20
  call %ctpr1, wbs = 8 }
there:
{ return %ctpr3 }
{ ct %ctpr3 }

! a loop
loop:
{ subd %dr1, 1, %dr1
  cmpbdb %dr1, 2, %pred0 }
{ ldd %dr0, 8, %dr5
  addd %dr5, %dr7, %dr7 }
{ ibranch loop ? ~%pred0 }
