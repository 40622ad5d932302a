// From a plan to host code: the bundles of a region one after another, each in the order of
// execution.md §1, so that everything that may trap or fault comes before the first commit.
#pragma once

#include <asmjit/x86.h>

#include <bitset>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/translate/emitters.h"
#include "engine/translate/host_frame.h"
#include "engine/translate/host_values.h"
#include "engine/translate/plan.h"
#include "engine/translate/recovery.h"
#include "engine/translate/region.h"
#include "engine/translate/tag_sets.h"

namespace e2k::translate {

struct KernelFacts;
struct KernelStream;

struct EmitRequest {
    const Plan& plan;
    const Stubs& stubs;
    Region& region;      ///< receives entry, exits, faults, record
    std::uint8_t* base;  ///< where the code will run
    bool statistics = false;
    bool profile = false;  ///< count ways, see edge_profile.h
    /// Bundles whose speculative loads have met unreadable memory: these test the page map.
    const std::unordered_set<std::uint64_t>& probing;
    /// Bundles where the register of an address was no pointer: these check the sum.
    const std::unordered_set<std::uint64_t>& distrusted;
    /// Bundles that look at the tags of their operands themselves, in regions for visible tags.
    const std::unordered_set<std::uint64_t>& aware;
    std::uint32_t* helper_operations = nullptr;
    /// Calls of semantic functions by row of the operation table; null: not counted.
    std::uint64_t* call_counts = nullptr;
    bool exact_tags = false;  ///< what would make a diagnostic value goes to the interpreter
    bool unchained = false;   ///< returns do not find their continuation by themselves
    const KernelFacts* kernel = nullptr;  ///< the plan is that of a kernel
    /// What is likely at the region's entry: its state when it was made. Code made for it looks
    /// whether it is so. Null: no guesses.
    const cpu::CpuState* hint = nullptr;
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

    using SlotSet = std::bitset<kGuestRegisters>;

    // --- region_emitter.cpp: nodes, counters, ledger, exits ---
    void start_node(unsigned index);
    void emit_entry_checks();
    bool check_window(const Label& stop, unsigned size);
    void stop_cold(const Label& stop, Leave why);
    void emit_node(unsigned index);
    void emit_return_entry(unsigned index);
    void emit_body(Node& node);
    /// Counts a way from node to node of the region (edge_profile.h).
    void count_way(int from, int to);
    unsigned shared_destinations() const;
    void emit_next(unsigned index);
    /// Falls into the next node; counts stay pending.
    void fall_into(unsigned index) {
        falls_into_ = static_cast<int>(index);
        if (region_.profile) region_.profile->falls[index - 1] = true;
    }
    void count(std::uint32_t bundles, std::uint32_t operations);
    void flush_counts();
    /// Continues at `edge` from here: jump, poll, exit. Counts must be flushed.
    void emit_edge(const Edge& edge, std::uint64_t from);
    static constexpr std::uint64_t kNoPoll = 0;  ///< as emit_edge's `from`: the way is no loop's
    void emit_exit(const Edge& edge, bool general = false);
    void emit_poll(const Edge& edge);
    void poll_complete(std::optional<std::uint64_t> ip);
    void poll(std::function<void()> leave);
    Label bail();      ///< hands the whole bundle to the interpreter
    Label distrust();  ///< the same, and has the region made anew
    /// Code for the end of the region; `emit` is called there ...
    void cold(std::function<void()> emit);
    /// ... with the values as they are here.
    void cold_with_values(std::function<void()> emit);
    void emit_cold();
    void mark(Reason reason, int lane = -1);
    void finish_record();

    // --- emit/state.cpp: state that memory does not have, exits ---
    RestoreList snapshot(const Facts& facts);
    RecoveryPoint& recovery(Leave why, std::uint64_t address, Config config, const Facts& facts);
    void leave_by(const RecoveryPoint& point);
    /// Everything to memory: for leaving the region with `config`.
    void settle(Config config);
    void settle_control(Config config);
    /// The instruction emitted during its life may fault.
    class Access {
    public:
        explicit Access(RegionEmitter& emitter);
        ~Access();
        Access(const Access&) = delete;
        Access& operator=(const Access&) = delete;

    private:
        RegionEmitter& emitter_;
        std::uint32_t begin_;
        RecoveryPoint* point_;
    };

    // --- emit/guesses.cpp: what is likely and has been looked at ---
    std::optional<std::uint64_t> likely_value(unsigned slot) const;
    void remember_constants(unsigned header, const ValueCache& from);
    void expect_descriptor(unsigned i);
    void expect_ctprs();
    void expect_state(std::size_t offset, std::uint64_t value, const Label& other);
    bool guesses_arrays(const Node& node) const;
    bool likely_area(const cpu::exec::ArrayLoad& load) const;
    std::optional<std::int32_t> likely_step(unsigned n) const;
    ArrayFacts array_facts_used(const Node& node) const;
    void expect_arrays(const ArrayFacts& wanted, const Label& other);
    void expect_arrays();
    ArrayFacts loop_arrays(unsigned header, const ArrayFacts& from) const;
    void conform_arrays(const ArrayFacts& wanted, std::uint64_t address, Config config,
                        const Facts& facts);
    const cpu::AauArea* known_area(const cpu::exec::ArrayLoad& load) const;
    std::optional<std::int32_t> known_step(unsigned n) const;
    void advance_index(const Mem& index, unsigned step, unsigned shift);

    // --- emit/tags.cpp: regions that run while tags are visible ---
    void emit_tag_check(unsigned index);
    TagPlaces tag_places() const;
    void find_failures();
    bool fails_here(unsigned i) const { return fails_ >> i & 1; }
    void expect_no_failure();
    struct Look {
        unsigned slot, mask;
    };
    std::vector<Look> unsure_looks(unsigned i) const;
    void look_at_tags();
    void look_closely(unsigned i, bool propagates, const Label& out);
    bool look_at_predicates(const Label& closer, const Label& out);
    void look_closely_at_product(unsigned k, unsigned fails, const Label& out);
    void commit_predicate_tag(unsigned p, unsigned failed);
    /// Bit of Frame::failed for a product of the predicate logic, above those of operations.
    static constexpr unsigned failed_product(unsigned k) { return 1u << (24 + k); }
    Mem tag_of(unsigned slot, bool& loaded);
    void note_failure(unsigned i);
    void commit_tags();
    void clear_tags(unsigned begin, unsigned end);

    // --- emit/joins.cpp: guest values in host registers where ways meet ---
    struct Carried {
        unsigned slot;
        bool xmm;
        unsigned bits;
    };
    void find_live();
    std::vector<Carried> loop_values(unsigned header) const;
    bool calls_helper(const cpu::exec::MicroOp& op) const;
    void fix_entry(unsigned index, const ValueCache& from);
    void reach(const Edge& edge) {
        if (edge.node >= 0 && !entries_[static_cast<std::size_t>(edge.node)].fixed)
            fix_entry(static_cast<unsigned>(edge.node), v_.cache);
    }
    void conform(const ValueCache& map, std::uint64_t address, Config config, const Facts& facts);
    void conform_extents(const ValueCache& map, std::uint64_t address, Config config,
                         const Facts& facts);
    void keep_extents(unsigned index, const ValueCache& from, ValueCache& map) const;
    std::optional<unsigned> pointer_of(const Node& node, const cpu::exec::MicroOp& op,
                                       const SlotSet& changed) const;
    void move_gprs(const ValueCache& map);
    void move_xmms(const ValueCache& map);
    bool floats_behind(unsigned index, unsigned slot) const;

    // --- emit/extents.cpp ---
    Extent extent_of_result(const cpu::exec::MicroOp& op) const;
    bool is_index(unsigned header, unsigned slot) const;
    void learn_extent(const PredicateValue& comparison, bool came_true);

    // --- emit/choice.cpp ---
    void choose_registers(unsigned i);
    bool read_later(unsigned slot, unsigned i) const;
    bool live_behind(unsigned slot) const;

    // --- emit/operations.cpp ---
    void emit_operation(unsigned i);
    void compute(unsigned i);
    void compute_scalar(unsigned i);
    void read_state(const cpu::exec::MicroOp& op);
    OpContext context_of(const cpu::exec::MicroOp& op);
    bool emits_directly(const OpContext& context) const;
    void call_helper(unsigned i);
    void load_argument(const Gp& reg, cpu::exec::RegRef r, isa::Width w);
    void load_argument(const asmjit::x86::Xmm& reg, cpu::exec::RegRef r, isa::Width w);
    void select_predicate(unsigned i);
    /// Jumps to `skip` unless all conditions hold.
    void emit_guard(cpu::exec::ConditionRange range, const Label& skip);
    bool guarded(unsigned i) const { return guarded_ >> i & 1; }
    /// Its guard is known to be false.
    bool off(unsigned i) const { return off_ >> i & 1; }
    /// Sets the flags; the host condition under which `c` does not hold.
    asmjit::x86::CondCode test_condition(const cpu::exec::Condition& c);
    void commit_results();
    void commit_predicate(unsigned i);
    void commit_register(unsigned i);
    void commit_if(unsigned i, unsigned slot);
    void select_old(unsigned i, unsigned slot);
    void store_xmm(const cpu::exec::MicroOp& op, unsigned slot, const asmjit::x86::Xmm& reg);
    void prepare_helper(unsigned i);
    void merge_conditional(const ValueCache& before) {
        if (!v_.cache.merge(before)) v_.exhausted = true;
    }

    // --- emit/memory.cpp ---
    void emit_memory();
    void emit_access(unsigned i);
    void emit_load(unsigned i, const Gp* into);
    bool floats_next_as(const cpu::exec::MicroOp& op) const;
    void emit_store(unsigned i);

    // --- emit/special_memory.cpp ---
    void emit_masked_store(const cpu::exec::MicroOp& op);
    void emit_lock_address(const cpu::exec::MicroOp& op);
    void emit_lock_load(unsigned i);
    void emit_conditional_store(unsigned i);
    void emit_store_mask(unsigned i, const Label& skip);
    void commit_store_mask();
    void emit_elements();
    void emit_element(unsigned k);
    void prepare_element(unsigned k);
    bool element_in_xmm(unsigned k);
    void load_element(unsigned k, const Mem& at);
    void commit_elements();
    void advance_areas();
    void commit_state(unsigned i);
    void commit_loop_state(const Gp& value, bool initial);

    // --- emit/array_unit.cpp ---
    void check_prefetch();
    void start_prefetch();
    void emit_array_address(const cpu::exec::MicroOp& op);
    void advance_store_indices();
    void commit_array_register(unsigned i);
    void wrap_index();

    // --- emit/memory.cpp ---
    /// The checked address of an access as an operand; bails when out of range.
    Mem address_of(const cpu::exec::MicroOp& op, bool in_rax, const Label* miss = nullptr);
    bool check_base(const cpu::exec::MicroOp& op, cpu::exec::RegRef r);
    void check_address(const Gp& address, const Label& fail);
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
    void capture_predicate(unsigned p);
    void commit_control();
    void commit_preparation();
    void emit_loop_end(const Gp& to);
    void emit_advance(bool taken);
    void emit_loop_counters();

    // --- emit/predicates.cpp ---
    std::optional<bool> known_condition(const cpu::exec::Condition& c) const;
    void find_guards();
    void emit_predicate_logic();
    void emit_product(unsigned k);
    void commit_predicate_logic();
    void set_predicate(unsigned p, unsigned index, const Result& r);

    // --- emit/transfer.cpp ---
    void emit_transfer(unsigned index);
    void learn_condition(bool taken);
    void emit_taken(unsigned index);
    void expect_target();
    void change_frame();
    /// Jumps to `label` if the transfer is taken (or, with `invert`, if it is not).
    void branch_on_condition(const Label& label, bool invert);

    // --- kernel/emit.cpp ---
    static std::size_t pointers_in_registers(const EmitRequest& request);
    static std::uint32_t gpr_pool(const EmitRequest& request);
    void enter_kernel();
    void settle_kernel();
    std::uint32_t kernel_position() const;
    Mem in_stream(const KernelStream& stream, std::int64_t offset, unsigned size);
    Mem stored_element(const cpu::exec::MicroOp& op);
    void emit_kernel_elements();
    bool closes_pass() const;
    void close_pass(unsigned index);
    void check_kernel(const Label& slow);
    void check_counters(const Label& slow);
    void check_passes(const Label& slow);
    void check_streams(const Label& slow);
    void travel(std::int64_t pass, std::optional<std::int64_t>& travelled);
    void point_into_streams(std::optional<std::int64_t>& travelled, const Label& slow);
    void load_reach(std::size_t n, std::optional<std::int64_t>& travelled);
    void check_reach(std::optional<std::int64_t>& travelled, const Label& slow);
    void settle_last_pass();

    // --- emit/calls.cpp ---
    void save_predicates();
    void emit_call(unsigned index);
    void emit_system_call();
    void emit_return();
    void clear_ctprs();

    Mem state(std::size_t offset, unsigned size) const {
        return asmjit::x86::ptr(host::kState, static_cast<std::int32_t>(offset), size);
    }
    void store_immediate64(std::size_t offset, std::uint64_t value);

    const EmitRequest request_;
    const Plan& plan_;
    Region& region_;
    asmjit::CodeHolder& code_;
    asmjit::x86::Assembler a_;
    const std::size_t pointers_in_registers_;
    HostValues v_;
    bool in_kernel_ = false;       ///< code from here on runs inside the kernel
    bool loop_over_ = false;       ///< cold code that a kernel's last pass leads to
    std::optional<TagSets> tags_;  ///< of a region that runs while tags are visible

    std::vector<Label> labels_;         ///< of the nodes
    std::vector<Label> return_labels_;  ///< entries by a return, per node
    /// How a node that is reached in several ways is entered.
    struct Entry {
        bool fixed = false;
        std::unique_ptr<ValueCache> map;  ///< once fixed: most nodes are no joins
    };
    std::vector<Entry> entries_;
    std::vector<SlotSet> live_;     ///< per node: read from there on before written
    SlotSet written_;               ///< by any operation of the region
    std::vector<SlotSet> touched_;  ///< per node: written, perhaps
    SlotSet touched_all_;           ///< in the region
    /// Values that registers had in front of a loop that does not change them.
    std::unordered_map<unsigned, std::uint64_t> loop_constants_;
    bool one_wd_ = true, one_br_ = true;  ///< the same before and after all bundles
    int falls_into_ = -1;
    struct Cold {
        unsigned node;  ///< for the ledger
        std::unique_ptr<ValueCache> values;
        Facts facts;
        int frame;
        std::int32_t stack;
        bool executed;
        std::uint32_t bundles, operations;
        std::function<void()> emit;
    };
    std::vector<Cold> cold_;
    struct PatchSite {
        ExitSite* site;
        Label jump, stub;
    };
    std::vector<PatchSite> patches_;
    std::vector<HostRange> ranges_;
    std::uint32_t cold_begin_ = 0;
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
    // Before the bundle; during its transfer, after it:
    Facts facts_;
    int frame_ = -1;          ///< index into Plan::frames
    std::int32_t stack_ = 0;  ///< Node::stack
    Label bail_;
    std::uint32_t bail_version_ = 0;
    bool bail_used_ = false;
    RestoreList last_snapshot_;
    std::uint32_t last_version_ = 0;
    bool has_snapshot_ = false;
    unsigned guarded_ = 0;      ///< operations whose guard must be looked at
    unsigned off_ = 0;          ///< operations whose guard is known to be false
    unsigned conditional_ = 0;  ///< operations whose commit depends on their guard
    unsigned fails_ = 0;        ///< operations that may leave a diagnostic result here ...
    unsigned propagates_ = 0;   ///< ... because an operand is diagnostic
    /// What the last commit selected by, and HostValues::flag_changes then.
    std::optional<cpu::exec::Condition> selected_by_;
    unsigned selected_at_ = 0;
    asmjit::x86::CondCode selected_off_{};  ///< flags of it: it does not hold
    bool executed_ = false;                 ///< the bundle is done but for its transfer
    int loop_ = -1;                         ///< header of the innermost loop whose entry is fixed
    std::uint32_t pending_bundles_ = 0, pending_operations_ = 0;
    static constexpr std::size_t kNowhere = ~std::size_t{0};
    std::size_t counted_at_ = kNowhere;  ///< where the host's flags are those of the counts
    bool mlock_used_ = false;
    bool has_condition_ = false;
};

}  // namespace e2k::translate
