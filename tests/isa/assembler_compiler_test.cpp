// Sources as compilers write them: everything in their listings is read.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/isa/assembler/program.h"
#include "tests/isa/assembled_section.h"

namespace e2k::isa {
namespace {

/// Sums an array by an array program, with every kind of line that lcc writes.
constexpr std::string_view kListing = R"(! options passed: --mcpu-internal=elbrus-v4 -O3 sum.c
! -----------------------------------------------------------------------------
	.file	"sum.c"
	.ignore	ld_st_style
	.ignore	strict_delay
! -----------------------------------------------------------------------------
	.text
	.global	main
	.type	main, #function
	.align	8
main:
	.cfi_startproc
	! source = sum.c : 7
	! stack shift = 0 (0x0)
	! <0000>
	{
	  setwd	wsz = 0xc, nfx = 0x1, dbl = 0x0	! sum.c : 7
	  setbn	rsz = 0x3, rbs = 0x8, rcur = 0x0	! sum.c : 7
	  getsp,0	_f32s,_lts1 0xfffffff0, %dr2		! sum.c : 7
	}
	! <0001>
	{
	  ldisp	%ctpr2, .L2419
	  addd,1	0x0, [ _f64,_lts2 items ], %r3	! sum.c : 8
	  adds,4,sm	0x0, 0x0, %r0
	}
.L7:
	{
	  nop 1
	  aaurwd,2	%r3, %aad0
	  addd,3,sm	%r0, _f16s,_lts0lo 0xfff8, %r5
	}
	{
	  bap
	  ldd,0,sm	0x0, [ _f64,_lts0 items +8 ], %g16
	  std,2	%r0, [ _f64,_lts2 result +16 ], %g16
	}
	{
	  loop_mode
	  alc	alcf=1, alct=1
	  abn	abnf=1, abnt=1
	  ct	%ctpr1 ? %NOT_LOOP_END
	  movad,1	area=0, ind=0, am=1, be=0, %b[0]
	}
	{
	  disp	%ctpr3, .L84
	  cmpesb,0	%r0, 0x1, %pred0
	  cmplsb,3	%r0, %r5, %pred1
	}
	{
	  pass	%pred0, @p0
	  pass	%pred1, @p1
	  landp	~@p0, @p1, @p4
	  pass	@p4, %pred2
	}
	{
	  ct	%ctpr3 ? ~ %pred2
	}
.L84:
	{
	  nop 4
	  disp	%ctpr2, disp=0x0
	  stw,2,sm	%r2, _f16s,_lts0lo 0xfdf0, %r3 ? ~%pred0
	}
	{
	  call	%ctpr1, wbs = 0x8; ipd 3		! sum.c : 11
	}
.LCS.1:
	{
	  nop 5
	  return	%ctpr3
	  addd,3	0x0, 0x0, %dr0
	}
	{
	  ct	%ctpr3
	  ipd 3
	}
	.section .text.async_prefetch_code, "ax", @progbits

	.align	8
.L2419:
	{
	  fapb	ct=1, dcd=0, fmt=4, mrng=0, d=0, incr=1, ind=0, asz=4, abs=0, disp=256
	  fapb	dpl=0, dcd=0, fmt=4, mrng=0, d=0, incr=1, ind=0, asz=4, abs=0, disp=288
	}
.previous

	.cfi_endproc
	.size	main, .- main
! -----------------------------------------------------------------------------
	.data
	.global	items
	.type	items, #object
	.size	items, 0x10
	.align	16
items:
	.uadword	0x300000002
	.uadword	0x500000004
	.section .rodata
	.align	16
.LC.1:
	.ascii	"sum = %d\n\000"
	.local	.LCO.1
	.type	.LCO.1, #object
	.size	.LCO.1, 0x10
	.align	16
.LCO.1:
	.uadword	0x0
	.section .bss
	.global	result
	.type	result, #object
	.size	result, 0x800
	.align	16
result:
	.skip	0x800
	.section ".text"
.align 8
.global $_start
$_start:
 {
   disp %ctpr1, $main@plt
   addd,0 0x0, [ _lts0 $main ], %db[0]
 }
 {
   call %ctpr1, wbs = 0x8
   ipd 3
 }
.size	$_start, .- $_start
.lcomm $completed.1.32, 1, 8
! -----------------------------------------------------------------------------
	.weak	elbrus_optimizing_compiler_v1.29.16_Jan_22_2026
	elbrus_optimizing_compiler_v1.29.16_Jan_22_2026 = 0x0
)";

TEST(CompilerListing, Assembles) {
    const auto program = assemble_program(kListing);
    EXPECT_EQ(section(program, ".data"),
              (std::vector<std::uint8_t>{2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0}));
    const auto constants = section(program, ".rodata");
    ASSERT_EQ(constants.size(), 24u);
    EXPECT_EQ(std::string(constants.begin(), constants.begin() + 10),
              std::string("sum = %d\n\0", 10));
    const auto symbol = [&](std::string_view name) {
        const auto at = std::find_if(program->symbols.begin(), program->symbols.end(),
                                     [&](const AssembledSymbol& s) { return s.name == name; });
        return at == program->symbols.end() ? AssembledSymbol{} : *at;
    };
    EXPECT_EQ(symbol("main").type, SymbolType::Function);
    EXPECT_EQ(symbol("result").size, 0x800u);
    EXPECT_EQ(symbol("result").type, SymbolType::Object);
    EXPECT_EQ(program->entry, symbol("_start").address);
    EXPECT_EQ(section(program, ".text.async_prefetch_code").size(), 16u);
    EXPECT_TRUE(program->warnings.empty());
}

TEST(CompilerListing, BracketsAndPlainLiteralsAreTheSame) {
    std::string plain(kListing);
    std::erase(plain, '[');
    std::erase(plain, ']');
    // Only the rotating registers keep their brackets.
    for (std::size_t at = 0; (at = plain.find("%b0", at)) != plain.npos;)
        plain.replace(at, 3, "%b[0]");
    for (std::size_t at = 0; (at = plain.find("%db0", at)) != plain.npos;)
        plain.replace(at, 4, "%db[0]");
    EXPECT_EQ(section(assemble_program(kListing), ".text"),
              section(assemble_program(plain), ".text"));
}

}  // namespace
}  // namespace e2k::isa
