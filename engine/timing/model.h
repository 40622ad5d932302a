// The cycle model: an observer of executed bundles that says in which cycle each issues, and why
// not earlier. One instance per guest thread; the architecture is not touched.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

#include "engine/cpu/guest_clock.h"
#include "engine/cpu/interpreter.h"
#include "engine/timing/cache.h"
#include "engine/timing/processor.h"
#include "engine/timing/timed_bundle.h"

namespace e2k::timing {

/// One executed bundle, for whoever draws or writes it down.
struct Issued {
    const TimedBundle* bundle = nullptr;
    std::uint64_t asked = 0;        ///< cycle in which it would have issued without waiting
    std::uint64_t cycle = 0;        ///< in which it did
    Reason reason = Reason::Issue;  ///< of the wait in between; Issue: none
    Waited waited;
    std::uint8_t enabled = 0;                             ///< bit i: ops[i] had a true guard
    std::array<std::uint16_t, isa::kChannels> latency{};  ///< of ops[i], 0 without a result
};

class IssueSink {
public:
    virtual ~IssueSink() = default;
    virtual void issued(const Issued& issued) = 0;
};

/// Sums over all bundles.
struct Totals {
    std::uint64_t cycles = 0, bundles = 0, operations = 0, useful = 0;
    std::array<std::uint64_t, kReasons> by_reason{};
    std::array<std::uint64_t, isa::kChannels> in_channel{};  ///< executed, guard true
    std::array<std::uint64_t, isa::kChannels> annulled{};
    std::array<std::uint64_t, isa::kChannels + 1> by_width{};  ///< bundles with so many operations
    std::array<std::uint64_t, 8> misses{};  ///< loads by level that answered, [0] = L1
    std::uint64_t speculative_loads = 0, dropped_loads = 0;
    std::uint64_t skipped_bundles = 0;  ///< inside functions with a cost of their own
    double ipc() const {
        return cycles ? static_cast<double>(useful) / static_cast<double>(cycles) : 0;
    }
};

class CycleModel final : public cpu::BundleObserver {
public:
    using NameOf = std::function<std::string(std::uint64_t address)>;
    /// `name_of` names functions of the workbench's library by the address they begin at.
    CycleModel(const Processor& processor, const LibraryCosts& costs, NameOf name_of = {});

    cpu::Observed& learn(const isa::Bundle& bundle, int iset) override;
    void before(cpu::Observed& known, const cpu::CpuState& state) override;

    /// No name is asked for any more: what `name_of` refers to may go.
    void forget_names() { name_of_ = {}; }
    void set_sink(IssueSink* sink) { sink_ = sink; }
    /// Cycles so far: that in which the next bundle could issue.
    std::uint64_t cycles() const { return now_ - kFirst; }
    Totals totals() const;
    const Processor& processor() const { return processor_; }
    const std::deque<TimedBundle>& bundles() const { return bundles_; }

private:
    /// A register's last result.
    struct Slot {
        std::uint64_t ready = 0;
        OpClass op_class = OpClass::Integer;
        std::uint8_t cluster = 0, level = 0;
    };
    struct PredicateSlot {
        std::uint64_t issue = 0;
        PredicateSource source = PredicateSource::Compare;
    };
    static constexpr std::size_t kSlots = 1024;
    static constexpr unsigned kStoreQueue = 16;
    /// The first cycle, long after what there was before it.
    static constexpr std::uint64_t kFirst = 64;

    std::size_t place(cpu::exec::RegRef ref, const cpu::CpuState& s) const;
    std::uint64_t value(const TimedBundle& b, cpu::exec::RegRef ref, isa::Width width,
                        const cpu::CpuState& s) const;
    void after_previous(const TimedBundle& b, const cpu::CpuState& s);
    void spend(TimedBundle& b, Reason reason, std::uint64_t cycles);
    bool in_library(TimedBundle& b);
    void slide(TimedBundle& b, const cpu::CpuState& s);
    void wait_until(std::uint64_t cycle, Reason reason, Waited waited);
    void wait_for_sources(const TimedBundle& b, const cpu::CpuState& s);
    void wait_for_elements(const TimedBundle& b, const cpu::CpuState& s);
    void stored(std::uint64_t address);
    void perform(TimedBundle& b, const cpu::CpuState& s, Issued& issued);
    void access(TimedBundle& b, const TimedOp& op, const cpu::CpuState& s, Slot& result);
    bool holds(const TimedBundle& b, cpu::exec::ConditionRange range, const cpu::CpuState& s) const;

    Processor processor_;
    const LibraryCosts& costs_;
    NameOf name_of_;
    MemoryModel memory_;
    std::deque<TimedBundle> bundles_;
    std::unordered_map<std::uint64_t, TimedBundle*> by_address_;
    IssueSink* sink_ = nullptr;

    std::uint64_t now_ = kFirst;
    TimedBundle* previous_ = nullptr;
    bool previous_system_ = false;  ///< it calls the kernel or the workbench
    std::size_t previous_depth_ = 0;
    std::size_t previous_top_ = 0, lowest_ = 0, previous_window_ = 0;  ///< indices of registers
    std::size_t lowest_frame_ = 0;
    bool library_ = false, skipping_ = false;

    std::array<Slot, kSlots + 32> slots_{};
    std::array<PredicateSlot, 32> predicates_{};
    std::array<std::uint64_t, 3> ctpr_{};
    std::array<std::uint64_t, isa::kChannels> busy_{};
    std::array<std::uint64_t, 64> area_line_{}, area_ready_{};
    std::uint64_t prefetch_begin_ = 0, store_ready_ = 0;

    // of the bundle in hand
    std::uint64_t issue_ = 0;
    Reason why_ = Reason::Issue;
    Waited waited_;
    /// [class][consumer][other cluster]: cycles more than the latency.
    std::array<std::array<std::array<std::uint8_t, 2>, kConsumers>, kOpClasses> more_{};
    Totals totals_;
};

/// Guest time that runs from the model's cycles; other threads' from their bundles.
class ModelClock final : public cpu::TickSource {
public:
    ModelClock(const CycleModel& model, const cpu::CpuState& state)
        : model_(model), state_(state) {}
    std::uint64_t ticks(const cpu::CpuState& state) const override {
        return &state == &state_ ? model_.cycles() : state.bundles;
    }

private:
    const CycleModel& model_;
    const cpu::CpuState& state_;
};

}  // namespace e2k::timing
