// The table of host emitters: for each operation that has one, a function that emits its
// computation. An operation without an entry is done by a call of its semantic function.
//
// To add one: write a function `void f(OpContext&)` in the file of its family (emit/*.cpp), name it
// in that file's list. It reads operands through `c.v.use*`, allocates with `c.v.def*`, sets the
// result with `c.v.set_*`; rax, rcx, rdx and xmm15 are free inside it, flags too. It must not
// access memory that can fault, must not change state, and must equal the semantic function bit for
// bit, FP flags included (the differential test compares them). Guards, widths of the written
// result and precise state are the region emitter's business.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/cpu/exec/micro_op.h"
#include "engine/isa/operation.h"
#include "engine/translate/host_values.h"

namespace e2k::translate {

struct OpContext {
    HostValues& v;
    asmjit::x86::Assembler& a;
    const cpu::exec::MicroOp& op;
    int iset;
    /// A merge form with one predicate: it selects operand b, else a. `select_condition` sets the
    /// flags for it (the last thing before their use).
    bool selects = false;
    unsigned selector = 0;  ///< index of the predicate (HostValues::predicate_index)
    bool selector_negated = false;
    asmjit::x86::CondCode select_condition() {
        const asmjit::x86::CondCode holds = v.test_predicate(selector);
        return selector_negated ? asmjit::x86::negateCond(holds) : holds;
    }
};

struct Emitter {
    std::string_view mnemonic;
    void (*emit)(OpContext&);
    /// The computation raises no flags and costs little: with a false guard it may be done and its
    /// result dropped.
    bool pure = true;
    /// Says no for operands it cannot do (computed descriptors ...); null: does all.
    bool (*accepts)(const OpContext&) = nullptr;
};

/// The emitter of a row, or null.
const Emitter* emitter_of(isa::OpIndex op);

/// What translated code has for the operations of a row.
enum class HostCode : std::uint8_t {
    None,  ///< nothing: its bundles are interpreted
    Call,  ///< a call of its semantic function
    Own,   ///< host code of its own, for some operands at least
};
/// `kind`: of the row's semantics in the processor's version.
HostCode host_code_of(isa::OpIndex op, cpu::SemKind kind);

/// Codes of the state registers that have host code of their own.
inline constexpr std::uint8_t kStateUpsr = 0x80, kStateIp = 0x81, kStateLsr = 0x83,
                              kStatePfpfr = 0x84, kStateFpsr = 0x86, kStateIlcr = 0x87;

/// Whether a row is a division that has host code (emit/division.cpp).
bool has_division(isa::OpIndex op);

/// Operations that an emitter computes, or a call of their semantic function.
bool has_function(cpu::SemKind kind);

/// Puts `emitter` in the place of the one for `mnemonic`; null: the right one again. For the test
/// that a wrong emitter is found; not while anything is translated.
void replace_emitter_for_test(std::string_view mnemonic, const Emitter* emitter);

// One list per file in emit/.
std::span<const Emitter> integer_emitters();
std::span<const Emitter> bitfield_emitters();
std::span<const Emitter> compare_emitters();
std::span<const Emitter> combined_emitters();
std::span<const Emitter> float_emitters();
std::span<const Emitter> float_packed_emitters();
std::span<const Emitter> float80_emitters();
std::span<const Emitter> float_combined_packed_emitters();
std::span<const Emitter> packed_emitters();
std::span<const Emitter> packed_shift_emitters();
std::span<const Emitter> packed_permute_emitters();
std::span<const Emitter> packed_multiply_emitters();
/// For rows of the family Plog, whose names are too many to list.
const Emitter& truth_table_emitter(const isa::Operation& row);

/// The 32- or 64-bit name of a register.
inline asmjit::x86::Gp sized(const asmjit::x86::Gp& r, unsigned bits) {
    if (bits == 32) return r.r32();
    return r.r64();
}

}  // namespace e2k::translate
