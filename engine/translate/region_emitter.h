// From a plan to host code: the bundles of a region one after another, each in the order of
// machine.md §2.1, so that everything that may trap or fault comes before the first commit.
#pragma once

#include <asmjit/x86.h>

#include <bitset>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/translate/emitters.h"
#include "engine/translate/host_frame.h"
#include "engine/translate/host_values.h"
#include "engine/translate/plan.h"
#include "engine/translate/region.h"

namespace e2k::translate {

struct EmitRequest {
    const Plan& plan;
    const Stubs& stubs;
    Region& region;      ///< receives entry, exits, faults, record
    std::uint8_t* base;  ///< where the code will run
    bool statistics = false;
    /// Bundles whose speculative loads have met unreadable memory: these test the page map.
    const std::unordered_set<std::uint64_t>& probing;
    std::uint32_t* helper_operations = nullptr;
    /// Calls of semantic functions by row of the operation table; null: not counted.
    std::uint64_t* call_counts = nullptr;
    bool exact_tags = false;  ///< what would make a diagnostic value goes to the interpreter
};

class RegionEmitter {
public:
    RegionEmitter(asmjit::CodeHolder& code, const EmitRequest& request);
    /// False: the plan could not be emitted; nothing of the code may be used.
    bool run();

private:
    using Label = asmjit::Label;
    using Gp = asmjit::x86::Gp;
    using Mem = asmjit::x86::Mem;

    // --- region_emitter.cpp: nodes, counters, ledger, exits ---
    void emit_node(unsigned index);
    void emit_body(Node& node);
    unsigned shared_destinations() const;
    void emit_next(unsigned index);
    /// Falls into the next node; counts stay pending.
    void fall_into(unsigned index) { falls_into_ = static_cast<int>(index); }
    void count(std::uint32_t bundles, std::uint32_t operations);
    void flush_counts();
    /// Continues at `edge` from here: jump, poll, exit. Counts must be flushed.
    void emit_edge(const Edge& edge, std::uint64_t from);
    void emit_exit(const Edge& edge);
    void emit_poll(std::uint64_t ip);
    void leave(Leave why, std::uint64_t ip);
    Label bail();  ///< hands the whole bundle to the interpreter
    void cold(std::function<void()> emit);
    void emit_cold();
    void mark(Reason reason, int lane = -1);
    void finish_record();

    // --- emit/loops.cpp: guest values that stay in host registers around a loop ---
    struct Carried {
        unsigned slot;
        bool xmm;
        unsigned bits;
        int reg = -1;
    };
    std::vector<Carried> loop_inputs(unsigned header) const;
    bool emit_loop_header(unsigned index, bool fell);
    void load_carried(const std::vector<Carried>& carried);
    /// Brings every carried value of a header into its register.
    void shuffle_to(const std::vector<Carried>& carried);

    // --- emit/operations.cpp ---
    void emit_operation(unsigned i);
    void compute(unsigned i);
    void compute_scalar(unsigned i);
    void call_helper(unsigned i);
    void load_argument(const Gp& reg, cpu::exec::RegRef r, isa::Width w);
    void load_argument(const asmjit::x86::Xmm& reg, cpu::exec::RegRef r, isa::Width w);
    void select_result(unsigned i);
    /// Jumps to `skip` unless all conditions hold.
    void emit_guard(cpu::exec::ConditionRange range, const Label& skip);
    void test_condition(const cpu::exec::Condition& c);
    asmjit::x86::CondCode when_false(const cpu::exec::Condition& c) const;
    void commit_results();
    void commit_register(unsigned i);

    // --- emit/memory.cpp ---
    void emit_memory();
    void emit_access(unsigned i);
    void emit_load(unsigned i);
    void emit_store(unsigned i);

    // --- emit/special_memory.cpp ---
    void emit_lock_address(const cpu::exec::MicroOp& op);
    void emit_lock_load(unsigned i);
    void emit_conditional_store(unsigned i);
    void emit_store_mask(const Label& skip);
    void commit_store_mask();
    void emit_element(unsigned k);
    void commit_elements();
    void advance_areas();
    void commit_loop_state(unsigned i);

    // --- emit/memory.cpp ---
    /// The checked address of an access as an operand; bails when out of range.
    Mem address_of(const cpu::exec::MicroOp& op, bool probe);
    void probe(const cpu::exec::MicroOp& op);
    void probe_page(const Gp& address, unsigned bits, unsigned size, const Label& fail);

    // --- emit/control.cpp ---
    void emit_checks();
    void check_division(unsigned i);
    // emit/division.cpp
    bool can_divide(unsigned i) const;
    void divide(unsigned i);
    void divide_signed(unsigned bits, bool remainder, const Label* overflow);
    void check_getsp(unsigned i);
    void check_tag(unsigned i);
    void check_transfer();
    void capture_condition();
    void emit_predicate_logic();
    void commit_control();
    void commit_preparation();
    void emit_loop_end(const Gp& to);
    void emit_advance(bool taken);
    void emit_loop_counters();
    void emit_transfer(unsigned index);
    void poll_backward(const Edge& edge);
    void emit_taken(unsigned index);
    void emit_call(unsigned index);
    void emit_return();
    void expect_target();
    void clear_ctprs();
    /// Jumps to `label` if the transfer is taken (or, with `invert`, if it is not).
    void branch_on_condition(const Label& label, bool invert);

    Mem state(std::size_t offset, unsigned size) const {
        return asmjit::x86::ptr(host::kState, static_cast<std::int32_t>(offset), size);
    }
    Mem predicate(unsigned logical) const;
    void store_immediate64(std::size_t offset, std::uint64_t value);

    const EmitRequest request_;
    const Plan& plan_;
    Region& region_;
    asmjit::CodeHolder& code_;
    asmjit::x86::Assembler a_;
    HostValues v_;

    std::vector<Label> labels_;         ///< of the nodes
    std::vector<Label> return_labels_;  ///< entries by a return, per node
    struct Header {
        bool emitted = false;
        Label hot;  ///< entry with the carried values in their registers
        std::vector<Carried> carried;
    };
    std::vector<Header> headers_;
    int falls_into_ = -1;
    bool in_cold_ = false;  ///< the value cache says nothing about the code being emitted
    struct Cold {
        unsigned node;  ///< for the ledger
        std::function<void()> emit;
    };
    std::vector<Cold> cold_;
    struct PatchSite {
        ExitSite* site;
        Label jump, stub;
    };
    std::vector<PatchSite> patches_;
    std::vector<HostRange> ranges_;
    /// asmjit reports an impossible instruction here instead of emitting it.
    struct Errors : asmjit::ErrorHandler {
        bool seen = false;
        void handleError(asmjit::Error, const char*, asmjit::BaseEmitter*) override { seen = true; }
    } errors_;

    // the bundle being emitted
    Node* node_ = nullptr;
    unsigned node_index_ = 0;
    const cpu::exec::ExecBundle* b_ = nullptr;
    Config config_;  ///< before the bundle
    Label bail_;
    bool bail_used_ = false;
    unsigned conditional_ = 0;  ///< operations whose commit depends on their guard
    std::uint32_t pending_bundles_ = 0, pending_operations_ = 0;
    bool mlock_used_ = false;
    bool has_condition_ = false;
};

}  // namespace e2k::translate
