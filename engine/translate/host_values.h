// Operands and results of operations in host registers: what emitters work with.
#pragma once

#include <asmjit/x86.h>

#include <array>
#include <cstdint>
#include <optional>

#include "engine/cpu/exec/micro_op.h"
#include "engine/translate/host_frame.h"
#include "engine/translate/value_cache.h"
#include "engine/translate/window_config.h"

namespace e2k::translate {

/// Where the result of an operation waits for the end of its bundle.
struct Result {
    enum class Kind : std::uint8_t { None, Gpr, Xmm, Constant, SpilledGpr, SpilledXmm, Compare };
    Kind kind = Kind::None;
    std::int8_t reg = -1;
    bool owned = false;         ///< nothing else refers to the register: it may be changed
    std::uint8_t xmm_bits = 0;  ///< valid low bits of an XMM result
    std::uint64_t constant = 0;
    Extent extent;           ///< of a 64-bit result
    PredicateValue compare;  ///< Compare: a predicate left to the flags of its use
};

/// Hands out host registers. Registers returned by use*() must not be changed; registers returned
/// by def*() are the caller's until end_operation(), or until the commit if set as a result.
/// Handing one out may write another value back to memory, which may change the flags: get all
/// registers before setting flags.
class HostValues {
public:
    explicit HostValues(asmjit::x86::Assembler& assembler, std::uint32_t gpr_pool = host::kGprPool)
        : a(assembler), cache(gpr_pool, host::kXmmPool) {}

    /// `window`: where %r0 of the bundle is, in registers from that of the region's entry;
    /// `file`: its predicate file.
    void start_bundle(const cpu::exec::ExecBundle& bundle, Config config, unsigned window,
                      unsigned file);
    void start_operation(unsigned index) { current_ = index; }
    void end_operation();  ///< registers of operands may be reused
    void end_bundle();     ///< results too

    /// Cache index of a register operand under the current configuration.
    unsigned slot(cpu::exec::RegRef r) const;
    /// The place in memory; it holds the value only after write_back().
    asmjit::x86::Mem memory(unsigned slot, unsigned size, int offset = 0) const;
    asmjit::x86::Mem memory(cpu::exec::RegRef r, unsigned size, int offset = 0) const {
        return memory(slot(r), size, offset);
    }
    /// Makes memory hold the register's value. May use rax if it is a constant.
    void write_back(unsigned slot);
    void write_back(cpu::exec::RegRef r) {
        if (r.space != cpu::exec::Space::Literal) write_back(slot(r));
    }
    /// Everything that memory does not have.
    void write_back_all();
    void write_back_registers();  ///< without the predicates
    /// Everything that is in registers a called function may change, and all predicates.
    void write_back_caller_saved();

    /// The operand's value if it is known now, at width `bits` (zero-extended).
    std::optional<std::uint64_t> constant(cpu::exec::RegRef r, unsigned bits) const;
    Extent extent(cpu::exec::RegRef r) const;
    /// A 64-bit register name whose low `bits` (32 or 64) are the operand's; with 32 the rest of
    /// the host register is not specified.
    asmjit::x86::Gp use(cpu::exec::RegRef r, unsigned bits);
    asmjit::x86::Gp use_slot(unsigned slot, unsigned bits);
    /// `bits` 32, 64 or 128. What lies above the valid bits is not specified.
    asmjit::x86::Xmm use_xmm(cpu::exec::RegRef r, unsigned bits);
    /// The same as a source operand: its place in memory if it is nowhere else and the operation is
    /// the last to read it.
    asmjit::Operand use_xmm_or_memory(cpu::exec::RegRef r, unsigned bits);
    /// The XMM register that already holds the operand, if it is nowhere else.
    std::optional<asmjit::x86::Xmm> only_in_xmm(cpu::exec::RegRef r, unsigned bits) const;

    asmjit::x86::Gp def();
    asmjit::x86::Xmm def_xmm();
    /// A register for a result that begins as a copy of operand `r`, which is in `x`: `x` itself if
    /// nothing needs the operand any more, else another one.
    asmjit::x86::Gp def_over(cpu::exec::RegRef r, const asmjit::x86::Gp& x);
    asmjit::x86::Xmm def_over(cpu::exec::RegRef r, const asmjit::x86::Xmm& x);
    /// What the region emitter knows about the current operation's registers.
    struct Choice {
        int gpr = -1, xmm = -1;  ///< wanted for the result: free, or `owned`
        bool owned = false;      ///< they hold the destination's old value, which nothing reads
        int destination = -1;    ///< slot, if the operation surely writes it
        unsigned ending = 0;     ///< how many of:
        std::array<unsigned, 4> ends{};  ///< slots whose registers may be overwritten
    };
    void choose(const Choice& choice) { choice_ = choice; }
    /// dst = value; does not change flags.
    void load_constant(const asmjit::x86::Gp& dst, std::uint64_t value);

    /// The current operation's result. A 32-bit result must be zero-extended in the register.
    void set_result(const asmjit::x86::Gp& r, bool owned = true);
    void set_result(const asmjit::x86::Xmm& r, unsigned bits);
    void set_constant(std::uint64_t value);
    /// A predicate result as the comparison that makes it; the flags of its use will decide.
    void set_compare(asmjit::x86::CondCode condition, bool test, unsigned bits,
                     const asmjit::x86::Gp& x, const asmjit::x86::Gp* y, std::int32_t immediate);
    void set_compare(const PredicateValue& compare);

    // --- predicates, by index (file * 32 + physical number) ---
    unsigned predicate_index(unsigned logical) const;
    asmjit::x86::Mem predicate_memory(unsigned p) const;
    /// Makes the predicate's byte hold it. May use rax and change the flags.
    void write_back_predicate(unsigned p);
    /// Sets the flags; the condition under which the predicate is true.
    asmjit::x86::CondCode test(const PredicateValue& value, unsigned p);
    asmjit::x86::CondCode test_predicate(unsigned p) {
        p = cache.origin(p);
        return test(cache.predicate(p), p);
    }
    /// Bit 0 of `to` is the predicate; the others are not specified. Changes flags.
    void load_predicate(const asmjit::x86::Gp& to, unsigned p);
    /// The predicate, if it is known here.
    std::optional<bool> known_predicate(unsigned p) const {
        const PredicateValue& v = cache.predicate(cache.origin(p));
        if (v.kind != PredicateValue::Kind::Constant) return std::nullopt;
        return v.value;
    }

    /// Makes the operation's result the register's value at the bundle's end; memory gets it later.
    void commit(unsigned slot, const Result& result, unsigned bits);

    Result& result(unsigned index) { return results_[index]; }
    /// The result in a register that may be changed.
    asmjit::x86::Gp owned_gpr(unsigned index);
    /// The result in a register, loaded back if it was spilled.
    asmjit::x86::Gp result_gpr(unsigned index);
    asmjit::x86::Xmm result_xmm(unsigned index);
    asmjit::x86::Mem spill_slot(unsigned index) const;
    /// The operand in memory, `size` bytes from byte `offset` of the register on. May use rax.
    asmjit::x86::Mem in_memory(cpu::exec::RegRef r, unsigned size, int offset = 0) {
        write_back(r);
        return memory(r, size, offset);
    }
    /// Up to 16 bytes of the stack that only the current operation uses.
    asmjit::x86::Mem scratch(unsigned size, int offset = 0) const {
        asmjit::x86::Mem at = spill_slot(current_);
        at.addOffset(offset);
        at.setSize(size);
        return at;
    }

    /// Before conditional code: so many registers that nothing is written back inside it.
    void make_room(unsigned gprs, unsigned xmms);
    /// Before a call: results leave the registers a function may change.
    void spill_results();
    /// After a call: caller-saved registers hold nothing any more.
    void forget_caller_saved();

    asmjit::x86::Assembler& a;
    ValueCache cache;
    bool exhausted = false;  ///< ran out of registers: the code is not usable
    /// Counts what changes the host's flags in code that only moves values otherwise.
    unsigned flag_changes = 0;

private:
    bool ends(unsigned slot) const;
    bool takes(const HostFile& file, int wanted) const;
    /// A register for anything but a result.
    asmjit::x86::Gp fresh();
    asmjit::x86::Xmm fresh_xmm();
    int take_gpr();
    int take_xmm();
    void evict_gpr(int r);
    void evict_xmm(int r);
    void store(unsigned slot, const GuestValue& value);
    void merge_upper_half(unsigned slot);
    void spill(unsigned index);
    void unpin(const PredicateValue& compare);
    void pin_gpr(int r);
    void pin_xmm(int r);

    const cpu::exec::ExecBundle* bundle_ = nullptr;
    cpu::RotationState rotation_;
    unsigned current_ = 0, window_ = 0, file_ = 0;
    Choice choice_;
    std::array<Result, 16> results_{};
    std::array<std::int8_t, 64> pinned_gprs_{}, pinned_xmms_{};
    unsigned pinned_gpr_count_ = 0, pinned_xmm_count_ = 0;
};

}  // namespace e2k::translate
