// Two-operand integer steps in host code: alone an operation, in pairs a combined one.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/translate/emitters.h"

namespace e2k::translate {

enum class Step : std::uint8_t {
    And,
    AndNot,
    Or,
    OrNot,
    Xor,
    XorNot,
    Add,
    Sub,
    ReverseSub,
    Shl,
    Shr,
    Sar,
    Scl,
    Scr,
    Getf,
    Merge,
};

/// An operand of a step: a known value, or a register that must not be changed.
struct Source {
    std::optional<std::uint64_t> value;
    asmjit::x86::Gp reg;
};

/// The operand at width `bits`, as a value if it is known and the host can encode it.
Source source_of(OpContext& c, cpu::exec::RegRef r, unsigned bits);
/// dst = x STEP y at width `bits`; dst may be x where first_may_be_result(), x or y where also
/// commutes(), else neither. 32-bit results are zero-extended.
void emit_step(OpContext& c, Step step, unsigned bits, const asmjit::x86::Gp& dst, const Source& x,
               const Source& y);
constexpr bool first_may_be_result(Step step) {
    switch (step) {
        case Step::And:
        case Step::Or:
        case Step::Xor:
        case Step::Add:
        case Step::Sub:
        case Step::Shl:
        case Step::Shr:
        case Step::Sar:
        case Step::Scl:
        case Step::Scr:
            return true;
        default:
            return false;
    }
}
constexpr bool commutes(Step step) {
    return step == Step::And || step == Step::Or || step == Step::Xor || step == Step::Add;
}
/// dst = field of x; `descriptor` must be acceptable to getf_accepts.
void emit_getf(OpContext& c, unsigned bits, const asmjit::x86::Gp& dst, const Source& x,
               std::uint64_t descriptor);
/// Whether emit_getf can do this descriptor: no wrap, a sign where the field ends.
bool getf_accepts(std::uint64_t descriptor, unsigned bits, int iset);
/// dst = predicate ? b : a.
void emit_select(OpContext& c, unsigned bits, const asmjit::x86::Gp& dst);

}  // namespace e2k::translate
