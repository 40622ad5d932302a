// Division and remainder in host code (integer.md §4). A fault is the interpreter's business,
// except that of a speculative division where tags are not modelled: its result is 0.
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using cpu::exec::MicroOp;
namespace x86 = asmjit::x86;

namespace {

struct Division {
    std::string_view mnemonic;
    bool is_signed, wide, remainder;  ///< wide: 64-bit src1, 32-bit src2
    unsigned bits;                    ///< of the host's division
};
constexpr Division kDivisions[] = {
    {"udivs", false, false, false, 32}, {"udivd", false, false, false, 64},
    {"sdivs", true, false, false, 32},  {"sdivd", true, false, false, 64},
    {"udivx", false, true, false, 32},  {"sdivx", true, true, false, 64},
    {"umodx", false, true, true, 64},   {"smodx", true, true, true, 64},
};

const Division* division_of(isa::OpIndex row) {
    for (const Division& d : kDivisions)
        if (d.mnemonic == isa::operation(row).mnemonic) return &d;
    return nullptr;
}

}  // namespace

bool has_division(isa::OpIndex op) { return division_of(op) != nullptr; }

bool RegionEmitter::can_divide(unsigned i) const { return has_division(b_->ops[i].row); }

/// The quotient or remainder of operation `i` as its result. Uses rax, rcx, rdx.
void RegionEmitter::divide(unsigned i) {
    const MicroOp& op = b_->ops[i];
    const Division& division = *division_of(op.row);
    const bool quiet = op.speculative && !request_.exact_tags;
    const Label done = a_.newLabel();
    const unsigned bits = division.bits;
    const Gp x = v_.use(op.a, division.wide ? 64 : bits);
    const Gp y = v_.use(op.b, division.wide ? 32 : bits);
    const Gp result = v_.def();
    const Label fault = quiet ? a_.newLabel() : bail();  // with the registers as they are now
    const Gp from = sized(division.remainder ? x86::rdx : x86::rax, division.wide ? 64 : bits);
    const Gp divisor = sized(x86::rcx, bits);

    if (division.wide && division.is_signed)
        a_.movsxd(x86::rcx, y.r32());
    else
        a_.mov(division.wide ? x86::ecx : divisor, division.wide ? y.r32() : sized(y, bits));
    if (division.wide && bits == 32) {
        // The quotient fits if the upper half of the dividend is below the divisor, which then is
        // not 0 either.
        a_.mov(x86::rdx, x);
        a_.shr(x86::rdx, 32);
        a_.cmp(x86::edx, x86::ecx);
        a_.jae(fault);
        a_.mov(x86::eax, x.r32());
        a_.div(x86::ecx);
    } else {
        a_.test(divisor, divisor);
        a_.jz(fault);
        a_.mov(sized(x86::rax, bits), sized(x, bits));
        if (!division.is_signed) {
            a_.xor_(x86::edx, x86::edx);
            a_.div(divisor);
        } else {
            divide_signed(bits, division.remainder, division.wide ? &fault : nullptr);
        }
        if (division.wide && division.is_signed && !division.remainder) {
            a_.movsxd(x86::rdx, x86::eax);
            a_.cmp(x86::rdx, x86::rax);
            a_.jne(fault);
        }
    }
    a_.bind(done);
    // 32-bit results are zero-extended.
    const bool word = isa::operation(op.row).dst == isa::Width::S;
    a_.mov(sized(result, word ? 32 : 64), sized(from, word ? 32 : 64));
    if (quiet)
        cold([this, fault, done] {
            mark(Reason::Semantics);
            a_.bind(fault);
            a_.xor_(x86::eax, x86::eax);
            a_.xor_(x86::edx, x86::edx);
            a_.jmp(done);
        });
    v_.set_result(result);
}

/// rax by rcx. The host faults where the quotient overflows: a division by -1 is a negation, which
/// for the most negative number goes to `overflow` or, without one, leaves the number as it is.
void RegionEmitter::divide_signed(unsigned bits, bool remainder, const Label* overflow) {
    const Label minus = a_.newLabel(), after = a_.newLabel();
    a_.cmp(sized(x86::rcx, bits), imm(-1));
    a_.je(minus);
    bits == 32 ? a_.cdq() : a_.cqo();
    a_.idiv(sized(x86::rcx, bits));
    a_.bind(after);
    cold([this, bits, remainder, minus, after, overflow = overflow ? *overflow : Label()] {
        mark(Reason::Semantics);
        a_.bind(minus);
        a_.xor_(x86::edx, x86::edx);
        a_.neg(sized(x86::rax, bits));
        if (!remainder && overflow.isValid()) a_.jo(overflow);
        a_.jmp(after);
    });
}

}  // namespace e2k::translate
