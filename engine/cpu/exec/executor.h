// Executes one pre-decoded bundle, in the order of execution.md §1: everything that can trap is
// looked at before anything is written, so that a trap leaves the state of the bundle's start.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/cpu/exec/aau.h"
#include "engine/cpu/exec/memory_access.h"
#include "engine/cpu/exec/micro_op.h"
#include "engine/cpu/exec/registers.h"
#include "engine/cpu/memory.h"
#include "engine/cpu/semantics.h"
#include "engine/cpu/state.h"
#include "engine/cpu/trap.h"

namespace e2k::cpu::exec {

/// Pending::tag holds 0 (number), 1 (diagnostic of the result's width) or kRawTag | tag byte.
inline constexpr unsigned kRawTag = 0x100;

/// What a bundle has worked out and not yet written. Index = position in ExecBundle::ops.
/// Deliberately uninitialised: only what a bundle uses is set.
struct Pending {
    std::array<Value, isa::kChannels> result;
    std::array<std::uint64_t, isa::kChannels> address;
    std::array<std::uint16_t, isa::kChannels> tag;  ///< of the result; exact tags only
    unsigned enabled;                               ///< guard true
    unsigned dropped;     ///< memory operations without effect: masked store, failed `,sm` access
    unsigned masked;      ///< stores suppressed by loop mode (their increments too)
    unsigned increments;  ///< staa whose index advances
    unsigned diag_guard;  ///< `,sm` operations under a diagnostic predicate; exact tags only
    std::array<Value, 4> element;  ///< mova values
    std::array<bool, 4> element_valid;
    std::array<std::uint8_t, 3> plu_value;  ///< predicate byte; valid where plu_write
    unsigned plu_write;
    std::uint8_t strmd;
    std::uint8_t dbl;
    std::uint16_t window_size;
    bool taken;
    bool mlock;
    std::uint64_t usd_base, usd_size;
    std::uint64_t indirect_target;  ///< ibranchd, icalld
};

/// Stores that a bundle wants to make, kept instead of made (cpu/preview.h).
struct HeldStore {
    std::uint8_t channel = 0;
    std::uint64_t address = 0;
    unsigned size = 0;
    unsigned mask = 0;  ///< not 0: of 16 bytes from `address` only these are written
    Value value{};
};

/// %pfpfr, %fpcr, %fpsr: the host's FP environment holds them while guest code runs.
inline bool is_fp_register(std::uint8_t code) { return code >= 0x84 && code <= 0x86; }

/// Exact = tags are modelled: diagnostic values propagate and trap (predicates.md §3,
/// speculation.md).
template <bool Tags>
class Executor {
public:
    Executor(CpuState& state, const MemoryView& memory, FpEnvironment& fp)
        : s_(state), memory_(memory), fp_(fp) {
        spaces_.update(s_);
    }

    /// Runs `b` at state.ip. True: state.ip is the next bundle. False: see stop().
    bool execute(const ExecBundle& b) {
        if (Tags || (b.flags & kUncommon)) return execute_general(b);
        return execute_common(b);
    }

    Stop& stop() { return stop_; }
    /// From now on stores go there and not to memory; later loads of the bundle see them.
    void hold_stores(std::vector<HeldStore>& to) { held_ = &to; }

private:
    /// All steps of execution.md §1.
    bool execute_general(const ExecBundle& b);
    /// The same steps for bundles without kUncommon properties, where most of them are empty.
    bool execute_common(const ExecBundle& b);
    void begin(const ExecBundle& b, Pending& p);
    bool finish(const ExecBundle& b, Pending& p);

    // --- precise part: false after a trap was recorded ---
    bool trap(Trap trap);
    bool trap(const ExecBundle& b, const MicroOp* op, TrapCode code, std::string detail);
    bool check_window_setup(const ExecBundle& b, Pending& p);
    bool check_windows(const ExecBundle& b, const Pending& p);
    bool reference_ok(const ExecBundle& b, const MicroOp* op, RegRef ref, unsigned size);
    bool evaluate_guards(const ExecBundle& b, Pending& p);
    bool decide_transfer(const ExecBundle& b, Pending& p);
    bool check_transfer(const ExecBundle& b, Pending& p);
    bool transfer_is_plain(const ExecBundle& b, const Pending& p) const;
    bool check_tags(const ExecBundle& b, Pending& p);
    bool check_operand_tags(const ExecBundle& b, const MicroOp& op, unsigned i, Pending& p);
    bool check_increment_tags(const ExecBundle& b, const Pending& p);
    bool probe_memory(const ExecBundle& b, Pending& p);
    void find_increments(const ExecBundle& b, Pending& p);
    bool probe_plain(const ExecBundle& b, const MicroOp& op, unsigned i, Pending& p);
    bool misaligned(const MicroOp& op, std::uint64_t address) const;
    bool probe_one(const ExecBundle& b, const MicroOp& op, unsigned i, Pending& p);
    bool precise_operations(const ExecBundle& b, Pending& p);
    bool check_prefetch(const ExecBundle& b, const Pending& p);
    bool compute_checked(const ExecBundle& b, Pending& p);

    // --- values ---
    void mask_loop_stores(const ExecBundle& b, Pending& p);
    void compute(const ExecBundle& b, Pending& p);
    void compute_one(const ExecBundle& b, const MicroOp& op, unsigned i, Pending& p);
    void tag_operation(const MicroOp& op, unsigned i, Pending& p);
    void read_array_values(const ExecBundle& b, Pending& p);
    void evaluate_plu(const ExecBundle& b, Pending& p);

    // --- effects ---
    void access_memory(const ExecBundle& b, Pending& p);
    void load(const MicroOp& op, unsigned i, Pending& p);
    void store_plain(const MicroOp& op, std::uint64_t address);
    void access_held_memory(const ExecBundle& b, Pending& p);
    void hold_store(const ExecBundle& b, const MicroOp& op, unsigned i, Pending& p);
    void special_load(const MicroOp& op, unsigned i, const Value& raw, Pending& p);
    void store(const ExecBundle& b, const MicroOp& op, unsigned i, Pending& p);
    void conditional_store(const ExecBundle& b, const MicroOp& op, unsigned i, Value value,
                           Pending& p);
    void read_elements(const ExecBundle& b, Pending& p);
    void commit_results(const ExecBundle& b, const Pending& p);
    void commit_one(const MicroOp& op, const Pending& p, unsigned i);
    void commit_tag(const MicroOp& op, unsigned tag, bool dbl);
    void commit_mova(const ExecBundle& b, const Pending& p);
    void commit_plu(const ExecBundle& b, const Pending& p);
    void commit_state(const ExecBundle& b, const Pending& p);
    void commit_preparation(const ExecBundle& b);
    void uncover(const Pending& p);
    void commit_window(const ExecBundle& b, const Pending& p);
    void advance(const ExecBundle& b, bool taken);
    bool mlock_condition(const ExecBundle& b, const Pending& p) const;
    bool transfer(const ExecBundle& b, Pending& p);
    bool stop_for_code_flush();
    bool call(const ExecBundle& b, std::uint64_t target);
    bool system_call(const ExecBundle& b, std::uint64_t entry);
    bool return_to_caller();

    // --- small helpers ---
    bool condition_holds(const Condition& c) const {
        if (c.pcnt) return (s_.lsr.pcnt <= c.index) != c.negated;
        return ((s_.pred[s_.pred_phys(c.index)] & kPredValue) != 0) != c.negated;
    }
    bool conditions_hold(const ExecBundle& b, ConditionRange range) const {
        for (unsigned k = range.begin; k < range.begin + unsigned{range.count}; ++k)
            if (!condition_holds(b.conditions[k])) return false;
        return true;
    }
    /// The diagnostic predicate on which a conjunction depends, null if there is none: a part that
    /// is reliably false decides it alone (execution.md §1).
    const Condition* diagnostic_part(const ExecBundle& b, ConditionRange range) const {
        const Condition* found = nullptr;
        for (unsigned k = range.begin; k < range.begin + unsigned{range.count}; ++k) {
            const Condition& c = b.conditions[k];
            if (!c.pcnt && (s_.pred[s_.pred_phys(c.index)] & kPredTag))
                found = &c;
            else if (!condition_holds(c))
                return nullptr;
        }
        return found;
    }
    /// What return_complaint() has nothing against.
    bool return_fits() const {
        if (s_.chain_top == s_.chain_file) return true;
        const ChainFrame& frame = s_.chain_top[-1];
        return s_.wd.psize + frame.wbs <= kMaxWindow && frame.wbs <= s_.window_index();
    }
    bool predicate(unsigned n) const { return s_.pred[s_.pred_phys(n)] & kPredValue; }
    std::uint64_t low(RegRef r, isa::Width w) const { return spaces_.at(r).lo & low_mask(w); }
    V128 wide(RegRef r, isa::Width w) const {
        const Reg& reg = spaces_.at(r);
        return _mm_set_epi64x(static_cast<long long>(reg.ext & extension_mask(w)),
                              static_cast<long long>(reg.lo & low_mask(w)));
    }
    /// Operand a, chosen by the selecting predicate in merge forms (integer.md §8).
    RegRef first(const ExecBundle& b, const MicroOp& op) const {
        if (!op.merges) return op.a;
        return op.merge.count != 0 && conditions_hold(b, op.merge) ? op.b : op.a;
    }
    /// The CTPR a transfer of this bundle uses: a preparation in the same bundle counts.
    Ctpr transfer_register(const ExecBundle& b, const Pending& p, unsigned n) const;
    /// A diagnostic operand that the operation really looks at (speculation.md §1), address
    /// operands only for memory operations.
    std::optional<RegRef> diagnostic_source(const ExecBundle& b, const MicroOp& op) const;
    unsigned operand_tag(RegRef r, isa::Width w) const;

    CpuState& s_;
    MemoryView memory_;
    FpEnvironment& fp_;
    RegisterSpaces spaces_;
    Stop stop_;
    std::vector<HeldStore>* held_ = nullptr;
    bool code_flush_ = false;  ///< this bundle flushed instruction cache lines (mas=0x17)
};

extern template class Executor<false>;
extern template class Executor<true>;

}  // namespace e2k::cpu::exec
