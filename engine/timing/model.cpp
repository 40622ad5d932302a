#include "engine/timing/model.h"

#include <algorithm>
#include <bit>

#include "engine/cpu/exec/aau.h"

namespace e2k::timing {

using cpu::CpuState;
using cpu::exec::RegRef;
using cpu::exec::Space;
using cpu::exec::TransferKind;
using cpu::exec::Write;

CycleModel::CycleModel(const Processor& processor, const LibraryCosts& costs, NameOf name_of)
    : processor_(processor), costs_(costs), name_of_(std::move(name_of)), memory_(processor_) {
    for (std::size_t c = 0; c < kOpClasses; ++c) {
        const ClassTiming& t = processor_.classes[c];
        auto& more = more_[c];
        const auto set = [&](Consumer consumer, std::uint8_t same) {
            more[static_cast<std::size_t>(consumer)] = {same, std::max(same, t.cross)};
        };
        set(Consumer::Integer, t.integer);
        set(Consumer::Address, t.integer);
        set(Consumer::Float, 0);
        more[static_cast<std::size_t>(Consumer::StoreData)] = {t.store, t.store};
    }
}

cpu::Observed& CycleModel::learn(const isa::Bundle& bundle, int iset) {
    // What is decoded again is usually what it was.
    TimedBundle*& known = by_address_[bundle.address];
    if (known && known->bundle == bundle) return *known;
    TimedBundle& made = bundles_.emplace_back();
    make_timed(bundle, iset, processor_, made);
    if (made.own_code && name_of_) {
        const std::string name = name_of_(bundle.address);
        if (const LibraryCosts::Class* cost = costs_.find(name)) {
            made.fixed_cost = true;
            made.cost = cost->cycles;
        }
    }
    known = &made;
    return made;
}

std::size_t CycleModel::place(RegRef ref, const CpuState& s) const {
    if (ref.space == Space::Global) return kSlots + (ref.index & 31);
    unsigned at = ref.index;
    if (ref.space == Space::Based) {
        const int based = s.based_index(ref.index, s.wd.size);
        at = based < 0 ? 0 : static_cast<unsigned>(based);
    }
    return (s.window_index() + at) % kSlots;
}

std::uint64_t CycleModel::value(const TimedBundle& b, RegRef ref, isa::Width width,
                                const CpuState& s) const {
    const std::uint64_t mask = width == isa::Width::None ? 0
                               : width == isa::Width::S  ? 0xffff'ffffu
                                                         : ~0ull;
    switch (ref.space) {
        case Space::Literal:
            return b.literals[ref.index].lo & mask;
        case Space::Global:
            return s.g[ref.index & 31].lo & mask;
        case Space::Window:
            return ref.index < s.wd.size ? s.window[ref.index].lo & mask : 0;
        case Space::Based: {
            const int at = s.based_index(ref.index, s.wd.size);
            return at >= 0 ? s.window[at].lo & mask : 0;
        }
    }
    return 0;
}

bool CycleModel::holds(const TimedBundle& b, cpu::exec::ConditionRange range,
                       const CpuState& s) const {
    for (unsigned k = range.begin; k < range.begin + unsigned{range.count}; ++k) {
        const cpu::exec::Condition& c = b.guards[k];
        const bool on =
            c.pcnt ? s.lsr.pcnt <= c.index : (s.pred[s.pred_phys(c.index)] & cpu::kPredValue) != 0;
        if (on == c.negated) return false;
    }
    return true;
}

void CycleModel::spend(TimedBundle& b, Reason reason, std::uint64_t cycles) {
    if (cycles == 0) return;
    b.cycles[static_cast<std::size_t>(reason)] += cycles;
    totals_.by_reason[static_cast<std::size_t>(reason)] += cycles;
    now_ += cycles;
}

/// What the transfer of the bundle before costs is known only now: whether it was taken.
void CycleModel::after_previous(const TimedBundle& b, const CpuState& s) {
    TimedBundle& p = *previous_;
    const TransferKind kind = p.transfer.kind;
    if (kind == TransferKind::None) return;
    const std::size_t depth = s.depth();
    if (depth > previous_depth_) {
        spend(p, Reason::Branch,
              processor_.call + (kind == TransferKind::Call ? 0u : processor_.unprepared));
    } else if (depth < previous_depth_) {
        spend(p, Reason::Branch, processor_.leave);
    } else if (previous_system_) {
        // A system call, or a function of the library in the workbench.
        if (p.own_code)
            spend(p, Reason::Library, costs_.classes[costs_.others].cycles);
        else
            spend(p, Reason::System, processor_.system_call);
    } else if (b.address != p.next_address) {
        spend(p, Reason::Branch,
              kind == TransferKind::Jump ? processor_.taken : processor_.unprepared);
    }
    // Calls and returns clear the transfer registers.
    if (depth != previous_depth_) ctpr_.fill(0);
}

/// True inside of a function that has a cost of its own.
bool CycleModel::in_library(TimedBundle& b) {
    if (!b.own_code) {
        library_ = skipping_ = false;
        return false;
    }
    if (b.fixed_cost && !skipping_) {
        skipping_ = true;
        ++b.executions;
        spend(b, Reason::Library, b.cost);
    }
    library_ = true;
    if (skipping_) ++totals_.skipped_bundles;
    return skipping_;
}

/// Registers and frames that do not fit the files go to memory, and come back when they are used.
void CycleModel::slide(TimedBundle& b, const CpuState& s) {
    const std::size_t window = s.window_index(), top = window + s.wd.size;
    if (window == previous_window_ && top == previous_top_) return;
    previous_window_ = window;
    previous_top_ = top;
    std::uint64_t cost = 0;
    if (window < lowest_) {
        cost += (lowest_ - window + 1) / 2 * processor_.spill;
        lowest_ = window;
    }
    if (top > lowest_ + processor_.window_registers) {
        const std::size_t lowest = top - processor_.window_registers;
        cost += (std::min(lowest, window) - std::min(lowest_, window) + 1) / 2 * processor_.spill;
        lowest_ = std::min(lowest, window);
    }
    const std::size_t depth = s.depth();
    if (depth < lowest_frame_) {
        cost += (lowest_frame_ - depth) * processor_.chain_spill;
        lowest_frame_ = depth;
    }
    if (depth > lowest_frame_ + processor_.chain_frames) {
        cost += (depth - processor_.chain_frames - lowest_frame_) * processor_.chain_spill;
        lowest_frame_ = depth - processor_.chain_frames;
    }
    spend(b, Reason::Window, cost);
}

void CycleModel::wait_until(std::uint64_t cycle, Reason reason, Waited waited) {
    if (cycle <= issue_) return;
    issue_ = cycle;
    why_ = reason;
    waited_ = waited;
}

void CycleModel::wait_for_sources(const TimedBundle& b, const CpuState& s) {
    for (unsigned i = 0; i < b.read_count; ++i) {
        const TimedRead& r = b.reads[i];
        const Slot& slot = slots_[place(r.ref, s)];
        if (slot.ready + 16 <= issue_) continue;
        const std::uint64_t ready =
            slot.ready + more_[static_cast<std::size_t>(slot.op_class)]
                              [static_cast<std::size_t>(r.consumer)][slot.cluster != r.cluster];
        if (ready <= issue_) continue;
        const Reason reason = slot.op_class != OpClass::Load ? Reason::Operand
                              : slot.level                   ? Reason::Miss
                                                             : Reason::Load;
        wait_until(ready, reason, {Waited::Kind::Register, r.ref.space, r.ref.index, slot.level});
    }
    for (unsigned i = 0; i < b.condition_count; ++i) {
        const TimedCondition& c = b.conditions[i];
        const PredicateSlot& slot = predicates_[s.pred_phys(c.index)];
        const PredicateTiming& t = processor_.predicates[static_cast<std::size_t>(slot.source)];
        const unsigned latency = c.use == TimedCondition::Use::Logic   ? t.logic
                                 : c.use == TimedCondition::Use::Guard ? t.guard
                                                                       : t.transfer;
        wait_until(slot.issue + latency, Reason::Predicate,
                   {Waited::Kind::Predicate, Space::Literal, c.index, 0});
    }
    if (b.transfer.ctpr != 0)
        wait_until(ctpr_[b.transfer.ctpr - 1u], Reason::Prepare,
                   {Waited::Kind::Ctpr, Space::Literal, b.transfer.ctpr, 0});
    if (b.stores) wait_until(store_ready_, Reason::Store, {});
    for (unsigned i = 0; i < b.op_count; ++i)
        if (b.ops[i].every > 1)
            wait_until(busy_[b.ops[i].channel], Reason::Unit,
                       {Waited::Kind::Channel, Space::Literal, b.ops[i].channel, 0});
}

/// Areas are read ahead, line by line; an element waits for its line.
void CycleModel::wait_for_elements(const TimedBundle& b, const CpuState& s) {
    for (unsigned i = 0; i < b.mova_count; ++i) {
        const cpu::exec::ArrayLoad& m = b.mova[i];
        const unsigned n = (m.channel >= 2 ? 32u : 0u) + m.area % 32u;
        const cpu::AauArea& area = s.aau.area[n];
        if (area.fmt == 0) continue;
        const std::uint64_t address = s.aau.aad_base[area.d % 32u] + area.cur + area.disp + m.ind;
        const std::uint64_t line = address >> memory_.stream_shift();
        if (line != area_line_[n]) {
            // Asked for as soon as the one so many lines before it had been used.
            const std::uint64_t ahead = std::uint64_t{processor_.array_ahead} * 4;
            const std::uint64_t asked =
                std::max(prefetch_begin_, issue_ > ahead ? issue_ - ahead : 0);
            area_line_[n] = line;
            area_ready_[n] = memory_.stream(address, asked).ready;
        }
        wait_until(std::max(area_ready_[n], prefetch_begin_ + processor_.array_start),
                   Reason::Array,
                   {Waited::Kind::Area, Space::Literal, static_cast<std::uint8_t>(n), 0});
    }
}

/// Stores queue on their way out of L1; a full queue holds up the next.
void CycleModel::stored(std::uint64_t address) {
    const std::uint64_t out = memory_.store(address, issue_);
    const std::uint64_t queue = std::uint64_t{kStoreQueue} * processor_.store_interval;
    store_ready_ = out > queue ? out - queue : 0;
}

void CycleModel::access(TimedBundle& b, const TimedOp& op, const CpuState& s, Slot& result) {
    if (op.kind == TimedOp::Kind::ArrayStore) {
        const std::uint64_t address = cpu::exec::array_store_address(s.aau, op.array);
        stored(address);
        return;
    }
    const std::uint64_t address = value(b, op.a, op.wa, s) + value(b, op.b, op.wb, s);
    if (op.kind == TimedOp::Kind::Store) {
        stored(address);
        return;
    }
    const bool load = op.kind == TimedOp::Kind::Load;
    if (op.speculative) ++totals_.speculative_loads;
    // Nothing lies in the first page and beyond the user's half: no cache is asked.
    if (address < 0x1000 || address >> 47) {
        ++b.dropped_loads;
        ++totals_.dropped_loads;
        return;
    }
    const MemoryModel::Answer answer =
        memory_.load(address, std::max<unsigned>(op.size, 1), issue_, op.latency);
    ++totals_.misses[answer.level];
    if (load) {
        result.ready = answer.ready;
        result.level = static_cast<std::uint8_t>(answer.level);
    }
}

void CycleModel::perform(TimedBundle& b, const CpuState& s, Issued& issued) {
    unsigned executed = 0;
    for (unsigned i = 0; i < b.op_count; ++i) {
        const TimedOp& op = b.ops[i];
        if (op.guard.count != 0 && !holds(b, op.guard, s)) {
            ++b.annulled[op.channel];
            ++totals_.annulled[op.channel];
            continue;
        }
        issued.enabled |= static_cast<std::uint8_t>(1u << i);
        ++executed;
        ++totals_.in_channel[op.channel];
        Slot result{issue_ + op.latency, op.op_class, static_cast<std::uint8_t>(op.channel >= 3),
                    0};
        if (op.kind != TimedOp::Kind::Compute) access(b, op, s, result);
        if (op.every > 1) busy_[op.channel] = issue_ + op.every;
        issued.latency[i] =
            static_cast<std::uint16_t>(std::min<std::uint64_t>(result.ready - issue_, 0xffff));
        switch (op.write) {
            case Write::None:
                issued.latency[i] = op.kind == TimedOp::Kind::Compute ? issued.latency[i] : 1;
                break;
            case Write::Predicate:
                predicates_[s.pred_phys(op.dst.index)] = {
                    issue_,
                    op.float_compare ? PredicateSource::FloatCompare : PredicateSource::Compare};
                break;
            case Write::Ctpr:
                if (op.dst.index >= 1 && op.dst.index <= 3)
                    ctpr_[op.dst.index - 1u] = issue_ + processor_.move_to_transfer;
                break;
            case Write::State:
                break;
            default:
                slots_[place(op.dst, s)] = result;
                break;
        }
    }
    b.useful += executed;
    totals_.useful += executed;
    totals_.operations += b.op_count;
    ++totals_.by_width[executed];
}

void CycleModel::before(cpu::Observed& known, const CpuState& s) {
    auto& b = static_cast<TimedBundle&>(known);
    if (in_library(b)) {
        previous_ = nullptr;
        return;
    }
    if (previous_) after_previous(b, s);
    slide(b, s);

    issue_ = now_;
    why_ = Reason::Issue;
    waited_ = {};
    wait_for_sources(b, s);
    if (b.mova_count) wait_for_elements(b, s);
    Issued issued{&b, now_ - kFirst, issue_ - kFirst, why_, waited_, 0, {}};
    if (issue_ != now_) {
        if (issue_ - now_ >= b.longest_wait) {
            b.longest_wait = issue_ - now_;
            b.last_wait = waited_;
        }
        spend(b, why_, issue_ - now_);
    }
    perform(b, s, issued);
    for (unsigned i = 0; i < b.logic_count; ++i)
        predicates_[s.pred_phys(b.logic[i])] = {issue_, PredicateSource::Logic};
    for (unsigned i = 0; i < b.mova_count; ++i) {
        if (b.mova[i].discard) continue;
        slots_[place(b.mova[i].dst, s)] = {issue_ + processor_.timing(OpClass::Array).latency,
                                           OpClass::Array,
                                           static_cast<std::uint8_t>(b.mova[i].channel >= 2), 0};
    }
    if (b.prepare.ctpr != 0) {
        const unsigned latency =
            b.prepare.kind == isa::Cs0Kind::Return  ? processor_.return_to_transfer
            : b.prepare.kind == isa::Cs0Kind::Sdisp ? processor_.system_to_transfer
                                                    : processor_.label_to_transfer;
        ctpr_[b.prepare.ctpr - 1u] = issue_ + latency;
    }
    if (b.begins_prefetch) {
        prefetch_begin_ = issue_;
        area_line_.fill(~0ull);
    }
    ++b.executions;
    ++totals_.bundles;
    spend(b, Reason::Issue, 1);
    spend(b, Reason::Pause, b.pause);
    previous_ = &b;
    previous_depth_ = s.depth();
    previous_system_ = b.transfer.kind == TransferKind::Call &&
                       b.transfer.condition == isa::ConditionType::Always &&
                       s.ctpr[b.transfer.ctpr - 1u].tag == cpu::CtprTag::System;
    if (sink_) sink_->issued(issued);
}

Totals CycleModel::totals() const {
    Totals totals = totals_;
    totals.cycles = cycles();
    return totals;
}

}  // namespace e2k::timing
