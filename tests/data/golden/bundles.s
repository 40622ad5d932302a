! Bundles whose host code is kept beside this file: one a paragraph, its title first.

! addd
{ addd %dr0, %dr2, %dr4 }

! subd
{ subd %dr0, %dr2, %dr4 }

! andd
{ andd %dr0, %dr2, %dr4 }

! ord
{ ord %dr0, %dr2, %dr4 }

! xord
{ xord %dr0, %dr2, %dr4 }

! andnd
{ andnd %dr0, %dr2, %dr4 }

! shld
{ shld %dr0, %dr2, %dr4 }

! shrd
{ shrd %dr0, %dr2, %dr4 }

! sard
{ sard %dr0, %dr2, %dr4 }

! scld
{ scld %dr0, %dr2, %dr4 }

! scrd
{ scrd %dr0, %dr2, %dr4 }

! muld
{ muld,3 %dr0, %dr2, %dr4 }

! adds
{ adds %r0, %r2, %r4 }

! subs
{ subs %r0, %r2, %r4 }

! ands
{ ands %r0, %r2, %r4 }

! ors
{ ors %r0, %r2, %r4 }

! xors
{ xors %r0, %r2, %r4 }

! shls
{ shls %r0, %r2, %r4 }

! shrs
{ shrs %r0, %r2, %r4 }

! sars
{ sars %r0, %r2, %r4 }

! scls
{ scls %r0, %r2, %r4 }

! scrs
{ scrs %r0, %r2, %r4 }

! muls
{ muls,3 %r0, %r2, %r4 }

! umulx
{ umulx,3 %r0, %r2, %dr4 }

! smulx
{ smulx,3 %r0, %r2, %dr4 }

! addd with a short literal
{ addd %dr0, 0x5, %dr4 }

! subd with a short literal
{ subd %dr0, 0x5, %dr4 }

! shld with a short literal
{ shld %dr0, 0x5, %dr4 }

! andd with a short literal
{ andd %dr0, 0x5, %dr4 }

! addd with a 16-bit literal
{ addd %dr0, _f16s 0xfff4, %dr4 }

! addd with a 32-bit literal
{ addd %dr0, _f32s 0x12345678, %dr4 }

! addd with a 64-bit literal
{ addd 0x0, _f64 0x123456789abcdef0, %dr4 }

! move
{ addd 0x0, %dr0, %dr4 }

! move of a word
{ adds 0x0, %r0, %r4 }

! constant zero
{ addd 0x0, 0x0, %dr4 }

! globals
{ addd %dg16, %dg17, %dg18 }

! rotating registers
{ addd %db[0], %db[1], %db[2] }

! mixed files
{ addd %dr0, %dg16, %db[3] }

! sxt byte
{ sxt 0x0, %r0, %dr4 }

! sxt half
{ sxt 0x1, %r0, %dr4 }

! sxt word
{ sxt 0x2, %r0, %dr4 }

! zxt byte
{ sxt 0x4, %r0, %dr4 }

! zxt word
{ sxt 0x6, %r0, %dr4 }

! getfs of a byte
{ getfs %r0, _f16s 0x1200, %r4 }

! getfd of 20 bits
{ getfd %dr0, _f16s 0x1508, %dr4 }

! merged
{ merged %dr0, %dr2, %dr4, %pred0 }

! merges
{ merges %r0, %r2, %r4, ~%pred1 }

! cmpesb
{ cmpesb %r0, %r2, %pred0 }

! cmplsb
{ cmplsb %r0, %r2, %pred0 }

! cmpbsb
{ cmpbsb %r0, %r2, %pred0 }

! cmplesb
{ cmplesb %r0, %r2, %pred0 }

! cmpbesb
{ cmpbesb %r0, %r2, %pred0 }

! cmpesb
{ cmpesb %r0, %r2, %pred0 }

! cmpedb
{ cmpedb %dr0, %dr2, %pred0 }

! cmpldb
{ cmpldb %dr0, %dr2, %pred0 }

! cmpbdb
{ cmpbdb %dr0, %dr2, %pred0 }

! cmpledb
{ cmpledb %dr0, %dr2, %pred0 }

! cmpbedb
{ cmpbedb %dr0, %dr2, %pred0 }

! cmpesb with zero
{ cmpesb %r0, 0x0, %pred3 }

! cmpandesb
{ cmpandesb %r0, %r2, %pred0 }

! cmpandedb
{ cmpandedb %dr0, %dr2, %pred0 }

! cmpldb with a literal
{ cmpldb %dr0, _f32s 0x1000, %pred0 }

! guarded addd
{ addd %dr0, %dr2, %dr4 ? %pred0 }

! guarded by a negated predicate
{ addd %dr0, %dr2, %dr4 ? ~%pred2 }

! ldb
{ ldb %dr0, 0x8, %r4 }

! ldh
{ ldh %dr0, 0x8, %r4 }

! ldw
{ ldw %dr0, 0x8, %r4 }

! ldd
{ ldd %dr0, 0x8, %dr4 }

! ldd of two registers
{ ldd %dr0, %dr1, %dr4 }

! speculative ldd
{ ldd,sm %dr0, 0x8, %dr4 }

! ldw through a global
{ ldw %dg16, 0x0, %r4 }

! two loads
{ ldd,0 %dr0, 0x0, %dr4
  ldd,3 %dr0, 0x8, %dr6 }

! four loads
{ ldd,0 %dr0, 0x0, %dr4
  ldd,2 %dr0, 0x8, %dr6
  ldd,3 %dr0, 0x10, %dr8
  ldd,5 %dr0, 0x18, %dr10 }

! stb
{ stb %dr0, 0x8, %r2 }

! sth
{ sth %dr0, 0x8, %r2 }

! stw
{ stw %dr0, 0x8, %r2 }

! std
{ std %dr0, 0x8, %dr2 }

! two stores
{ std,2 %dr0, 0x0, %dr2
  std,5 %dr0, 0x8, %dr4 }

! load beside a store
{ ldd,0 %dr0, 0x0, %dr4
  std,2 %dr2, 0x8, %dr6 }

! guarded store
{ std %dr0, 0x8, %dr2 ? %pred0 }

! guarded load
{ ldd %dr0, 0x8, %dr4 ? %pred0 }

! ldqp
{ ldqp,0 %dr0, 0x0, %qr4 }

! faddd
{ faddd %dr0, %dr2, %dr4 }

! fsubd
{ fsubd %dr0, %dr2, %dr4 }

! fmuld
{ fmuld %dr0, %dr2, %dr4 }

! fmaxd
{ fmaxd %dr0, %dr2, %dr4 }

! fmind
{ fmind %dr0, %dr2, %dr4 }

! fadds
{ fadds %r0, %r2, %r4 }

! fsubs
{ fsubs %r0, %r2, %r4 }

! fmuls
{ fmuls %r0, %r2, %r4 }

! fdivd
{ fdivd,5 %dr0, %dr2, %dr4 }

! fdivs
{ fdivs,5 %r0, %r2, %r4 }

! fmul_addd
{ fmul_addd %dr0, %dr2, %dr4, %dr6 }

! fmul_subd
{ fmul_subd %dr0, %dr2, %dr4, %dr6 }

! fadd_addd
{ fadd_addd %dr0, %dr2, %dr4, %dr6 }

! idtofd
{ idtofd %dr0, %dr4 }

! istofd
{ istofd %r0, %dr4 }

! istofs
{ istofs %r0, %r4 }

! fdtoistr
{ fdtoistr %dr0, %r4 }

! fdtoidtr
{ fdtoidtr %dr0, %dr4 }

! fstofd
{ fstofd %r0, %dr4 }

! fdtofs
{ fdtofs %dr0, %r4 }

! fcmpeqdb
{ fcmpeqdb %dr0, %dr2, %pred0 }

! fcmpltdb
{ fcmpltdb %dr0, %dr2, %pred0 }

! fcmpledb
{ fcmpledb %dr0, %dr2, %pred0 }

! fcmpeqsb
{ fcmpeqsb %r0, %r2, %pred0 }

! fcmpltsb
{ fcmpltsb %r0, %r2, %pred0 }

! paddb
{ paddb %dr0, %dr2, %dr4 }

! paddh
{ paddh %dr0, %dr2, %dr4 }

! paddw
{ paddw %dr0, %dr2, %dr4 }

! paddd
{ paddd %dr0, %dr2, %dr4 }

! psubb
{ psubb %dr0, %dr2, %dr4 }

! pmullh
{ pmullh %dr0, %dr2, %dr4 }

! pcmpeqb
{ pcmpeqb %dr0, %dr2, %dr4 }

! pcmpgtw
{ pcmpgtw %dr0, %dr2, %dr4 }

! pminub
{ pminub %dr0, %dr2, %dr4 }

! pandd
{ pandd %dr0, %dr2, %dr4 }

! pord
{ pord %dr0, %dr2, %dr4 }

! pslld
{ pslld %dr0, %dr2, %dr4 }

! psrlw
{ psrlw %dr0, %dr2, %dr4 }

! packushb
{ packushb %dr0, %dr2, %dr4 }

! punpcklbh
{ punpcklbh %dr0, %dr2, %dr4 }

! pshufb with known selectors
{ addd 0, _f64,_lts0 0x8003020100ff0908, %dr4 }
{ pshufb,0 %dr0, %dr2, %dr4, %dr6 }

! scaling by a power of two
{ fscaled %dr0, %r2, %dr4 }

! a call of a semantic function
{ insfd %dr0, %dr1, %dr4, %dr6 }

! a field whose descriptor is in a register that does not change
{ insfd %dr0, %dr2, %dr4, %dr6 }

! selection by a truth table
{ plog_0xca,0 %dr0, %dr1, %dr2, %dr6 }

! majority by a truth table
{ qplog_0xe8,0 %qpr0, %qpr1, %qpr2, %qpr6 }

! packed rotation
{ qpsrcw,0 %qpr0, 5, %qpr4 }

! pfmul_adds
{ pfmul_adds %dr0, %dr2, %dr4, %dr6 }

! pfadds
{ pfadds %dr0, %dr2, %dr4 }

! pfmuls
{ pfmuls %dr0, %dr2, %dr4 }

! pfsubs
{ pfsubs %dr0, %dr2, %dr4 }

! sdivs
{ sdivs,5 %r0, %r2, %r4 }

! udivs
{ udivs,5 %r0, %r2, %r4 }

! sdivd
{ sdivd,5 %dr0, %dr2, %dr4 }

! add_addd
{ add_addd %dr0, %dr2, %dr4, %dr6 }

! add_subd
{ add_subd %dr0, %dr2, %dr4, %dr6 }

! shl_addd
{ shl_addd %dr0, %dr2, %dr4, %dr6 }

! and_andd
{ and_andd %dr0, %dr2, %dr4, %dr6 }

! and_ord
{ and_ord %dr0, %dr2, %dr4, %dr6 }

! sub_subd
{ sub_subd %dr0, %dr2, %dr4, %dr6 }

! bitrevd
{ bitrevd %dr0, %dr4 }

! lzcntd
{ lzcntd %dr0, %dr4 }

! popcntd
{ popcntd %dr0, %dr4 }

! landp
{ pass %pred0, @p0
  pass %pred1, @p1
  landp @p0, ~@p1, @p4
  pass @p4, %pred2 }

! compare and combine
{ cmpesb,0 %r0, %r2, %pred0
  cmplsb,1 %r4, %r6, %pred1 }

! disp
{ disp %ctpr1, 0x0 }

! movtd
{ movtd,0 %dr0, %ctpr1 }

! getsp
{ getsp _f32s 0xffffffe0, %dr4 }

! six lanes
{ addd,0 %dr0, %dr2, %dr4
  subd,1 %dr0, %dr2, %dr6
  addd,2 %dr0, 0x1, %dr8
  andd,3 %dr0, %dr2, %dr10
  ord,4 %dr0, %dr2, %dr12
  xord,5 %dr0, %dr2, %dr14 }

! swap of two registers
{ addd,0 0x0, %dr0, %dr2
  addd,1 0x0, %dr2, %dr0 }

! three-way rotation of values
{ addd,0 0x0, %dr0, %dr2
  addd,1 0x0, %dr2, %dr4
  addd,2 0x0, %dr4, %dr0 }

! rotation counters
{ rrd %lsr, %dr4 }

! read of the flags
{ rrd %fpcr, %dr4 }

! register of the loop
{ rwd %dr0, %lsr }

! window
{ setwd wsz = 0x10, nfx = 0x1 }

! rotation base
{ setbn rbs = 0x4, rsz = 0x3, rcur = 0x0 }

! array store with its increment
{ staad,2 %dr1, %aad1 [ %aasti1 + 8 ]
  incr,2 %aaincr1 }

! array register
{ staad,2 %dr1, %aad2 [ %aasti0 ], mas = 0x3f }

! initial values of the loop registers
{ rwd %dr0, %ilcr }

! user flags
{ rws %r0, %upsr }

! stack pointer, not asked for
{ getsp 0xffffffc0, %empty }

! system call
{ sdisp %ctpr1, 0x3
  addd,0 0x0, %dr2, %dr9 }
{ call %ctpr1, wbs = 0x4 }

! bytes by a mask
{ stmqp %qpr4, %dr0, %dr1 }

! window descriptor
{ rrd %wd, %dr4 }
