#include "engine/translate/kernel/recognise.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>

#include "engine/cpu/exec/aau.h"
#include "engine/cpu/interpreter.h"
#include "engine/translate/emit/operands.h"
#include "engine/translate/kernel/state.h"

namespace e2k::translate {

using cpu::AauArea;
using cpu::CpuState;
using cpu::SemKind;
using cpu::exec::ArrayAddress;
using cpu::exec::ArrayLoad;
using cpu::exec::ConditionRange;
using cpu::exec::ExecBundle;
using cpu::exec::MemoryMode;
using cpu::exec::MicroOp;
using cpu::exec::TransferKind;
using cpu::exec::Write;
using isa::ConditionType;

namespace {

/// Both when the transfer is taken and when it is not.
constexpr unsigned kAlways = 3;
/// Streams whose addresses are so close now are taken for the same array.
constexpr std::int64_t kSameArray = 1024;
/// What displacements and steps may add up to.
constexpr std::int64_t kLargestReach = 1 << 30;

bool looks_at_loop(ConditionType type) {
    switch (type) {
        case ConditionType::NotLoopEnd:
        case ConditionType::PredAndNotLoopEnd:
        case ConditionType::NotPredAndNotLoopEnd:
            return true;
        default:
            return false;
    }
}

/// No condition is one that fails behind the prologue.
bool conditions_fit(const ExecBundle& b, ConditionRange range) {
    for (unsigned k = range.begin; k < range.begin + unsigned{range.count}; ++k)
        if (b.conditions[k].pcnt && b.conditions[k].negated) return false;
    return true;
}

bool counts(const ExecBundle& b, ConditionRange range) {
    for (unsigned k = range.begin; k < range.begin + unsigned{range.count}; ++k)
        if (b.conditions[k].pcnt) return true;
    return false;
}

/// Operations that a pass may have: nothing that looks at or changes the state of the loop.
bool operation_fits(const MicroOp& op, const ExecBundle& b) {
    switch (op.kind) {
        case SemKind::StateRead:
        case SemKind::StateWrite:
        case SemKind::GetSp:
        case SemKind::AauWrite:
            return false;
        case SemKind::Load:
            if (op.mode != MemoryMode::Plain && op.mode != MemoryMode::CheckLoad) return false;
            break;
        case SemKind::Store:
            if (op.mode != MemoryMode::Plain) return false;
            break;
        case SemKind::ArrayStore: {
            if (op.mode != MemoryMode::Plain || !std::has_single_bit(unsigned{op.access_size}))
                return false;
            const ArrayAddress& array = b.arrays[op.array];
            for (unsigned k = 0; k < array.incr_guard.count; ++k)
                if (!b.conditions[array.incr_guard.begin + k].pcnt) return false;
            if (!conditions_fit(b, array.incr_guard)) return false;
            break;
        }
        default:
            break;
    }
    return op.write != Write::Ctpr && op.write != Write::State && !counts(b, op.merge);
}

bool bundle_fits(const ExecBundle& b) {
    constexpr std::uint32_t kExcluded =
        cpu::exec::kIllegal | cpu::exec::kSetwd | cpu::exec::kRotation | cpu::exec::kPrepare |
        cpu::exec::kPrefetch | cpu::exec::kFence | cpu::exec::kAauWrite | cpu::exec::kIndirect;
    if ((b.flags & kExcluded) || b.bap || b.eap) return false;
    for (unsigned i = 0; i < b.op_count; ++i)
        if (!operation_fits(b.ops[i], b)) return false;
    for (unsigned k = 0; (b.flags & cpu::exec::kPlu) && k < 4; ++k)
        if (b.plu.elp[k].kind == isa::Elp::Kind::Lcntex) return false;
    for (unsigned k = 0; k < b.mova_count; ++k)
        if (b.mova[k].size > 1 && (b.mova[k].ind & (b.mova[k].size - 1u))) return false;
    return true;
}

/// A transfer from the middle of a pass: an exit.
bool leaves_pass(const ExecBundle& b) {
    return b.transfer.kind == TransferKind::None ||
           (b.transfer.kind == TransferKind::Branch &&
            (b.transfer.condition == ConditionType::Pred ||
             b.transfer.condition == ConditionType::NotPred ||
             b.transfer.condition == ConditionType::Mlock));
}

}  // namespace

bool closes_kernel(const ExecBundle& b) {
    const auto advances = [](unsigned mask) { return mask == 0 || mask == kAlways; };
    return (b.transfer.kind == TransferKind::Jump || b.transfer.kind == TransferKind::Branch) &&
           looks_at_loop(b.transfer.condition) && b.alc == kAlways && advances(b.abn) &&
           advances(b.abp);
}

std::optional<KernelShape> find_kernel(const KernelPlace& place) {
    KernelShape shape;
    shape.header = place.header;
    for (std::uint64_t at = place.header;;) {
        if (shape.body.size() >= kLargestPass) return std::nullopt;
        if (at != place.header && place.is_breakpoint(at)) return std::nullopt;
        const auto bundle = cpu::fetch(place.memory, at, place.iset);
        if (!bundle) return std::nullopt;
        ExecBundle& b = shape.body.emplace_back();
        cpu::exec::predecode(*bundle, place.iset, b);
        if (!bundle_fits(b)) return std::nullopt;
        if (closes_kernel(b)) break;
        if (!leaves_pass(b) || b.alc || b.abn || b.abp) return std::nullopt;
        at = b.next_address;
    }
    const ExecBundle& last = shape.body.back();
    if (last.transfer.kind == TransferKind::Branch && last.transfer.target != place.header)
        return std::nullopt;
    Config config = place.config;
    do {
        for (const ExecBundle& b : shape.body)
            if (!can_emit(b, config, Facts{})) return std::nullopt;
        config = config_after(last, config, true);
        ++shape.period;
        if (shape.period * shape.body.size() > kLargestKernel) return std::nullopt;
    } while (config != place.config);
    return shape;
}

// --- facts ---

const KernelStream& KernelFacts::stream_of(const ArrayLoad& load) const {
    return *std::find_if(streams.begin(), streams.end(), [&](const KernelStream& s) {
        return !indices[s.index].store && indices[s.index].number == area_number(load);
    });
}

const KernelStream& KernelFacts::stream_of(const ArrayAddress& store) const {
    return *std::find_if(streams.begin(), streams.end(), [&](const KernelStream& s) {
        return indices[s.index].store && indices[s.index].number == store.ind &&
               s.descriptor == store.d;
    });
}

namespace {

class FactFinder {
public:
    FactFinder(const KernelShape& shape, const CpuState& state, bool apart)
        : shape_(shape), state_(state), apart_(apart), facts_(std::make_unique<KernelFacts>()) {}

    std::unique_ptr<KernelFacts> run() {
        KernelFacts& f = *facts_;
        f.header = shape_.header;
        f.iset = state_.iset;
        f.bundles = static_cast<unsigned>(shape_.body.size());
        f.period = shape_.period;
        const ExecBundle& last = shape_.body.back();
        if (last.transfer.kind == TransferKind::Jump) f.ctpr = last.transfer.ctpr;
        unsigned count = 0;
        for (const ExecBundle& b : shape_.body) {
            f.stores.push_back(count);
            const bool masks = (b.flags & cpu::exec::kLoopMode) != 0;
            masks_all_ &= masks || std::none_of(b.ops.begin(), b.ops.begin() + b.op_count, stores);
            if (masks)
                count += static_cast<unsigned>(
                    std::count_if(b.ops.begin(), b.ops.begin() + b.op_count, stores));
            if (!bundle(b)) return nullptr;
        }
        f.stores.push_back(count);
        if (masks_all_) {
            const unsigned prologue = state_.lsr.pcnt;
            if ((prologue + f.period) * f.bundles <= kLargestKernel) f.prologue = prologue;
        }
        f.endless = state_.lsr.vlc == 0;
        if (f.endless && !f.streams.empty()) return nullptr;  // no telling how far they lead
        share_pointers();
        return reaches() ? std::move(facts_) : nullptr;
    }

private:
    /// Adds the array accesses of the next bundle of the pass.
    bool bundle(const ExecBundle& b) {
        const std::size_t position = facts_->stores.size() - 1;
        for (unsigned k = 0; k < b.mova_count; ++k)
            if (!load(b.mova[k], position)) return false;
        for (unsigned i = 0; i < b.op_count; ++i)
            if (b.ops[i].kind == SemKind::ArrayStore && !store(b, b.ops[i], position)) return false;
        // What a bundle adds, its own accesses do not see.
        std::uint64_t advanced = 0;
        for (unsigned k = 0; k < b.mova_count; ++k) {
            const std::uint64_t bit = std::uint64_t{1} << area_number(b.mova[k]);
            if (!b.mova[k].advance || (advanced & bit)) continue;
            advanced |= bit;
            const AauArea& area = state_.aau.area[area_number(b.mova[k])];
            if (!advance(false, area_number(b.mova[k]), area.incr, area.fmt - 1u)) return false;
        }
        for (unsigned i = 0; i < b.op_count; ++i) {
            const MicroOp& op = b.ops[i];
            if (op.kind != SemKind::ArrayStore || !b.arrays[op.array].increments) continue;
            const ArrayAddress& array = b.arrays[op.array];
            if (!advance(true, array.ind, array.incr,
                         static_cast<unsigned>(std::countr_zero(unsigned{op.access_size}))))
                return false;
        }
        for (KernelIndex& index : facts_->indices) index.before.push_back(index.pass);
        return true;
    }

    bool load(const ArrayLoad& load, std::size_t position) {
        constexpr unsigned kLargestFormat = 5, kDescriptors = 32, kSteps = 8;
        const AauArea& area = state_.aau.area[area_number(load)];
        if (!state_.aau.active || area.fmt < load.min_fmt || area.fmt == 0 ||
            area.fmt > kLargestFormat || area.d >= kDescriptors || area.incr >= kSteps)
            return false;
        facts_->loads = true;
        KernelStream& s = stream(index(false, area_number(load), position), area.d, area.disp);
        facts_->indices[s.index].fixed = fixed_part(area);
        if (facts_->iset < cpu::exec::kFirstUnalignedElement)
            s.alignment = static_cast<std::uint8_t>(s.alignment | (load.size - 1u));
        return accessed(s, load.ind, load.size);
    }

    bool store(const ExecBundle& b, const MicroOp& op, std::size_t position) {
        const ArrayAddress& array = b.arrays[op.array];
        KernelStream& s = stream(index(true, array.ind, position), array.d, 0);
        return accessed(s, array.literal + (op.pair_second ? 8 : 0), op.access_size);
    }

    bool accessed(KernelStream& s, std::int64_t offset, std::int64_t size) {
        const std::int64_t first = offset + facts_->indices[s.index].pass;
        if (first < -kLargestReach || first > kLargestReach) return false;
        const bool fresh = s.low == s.high;
        s.low = fresh ? first : std::min(s.low, first);
        s.high = fresh ? first + size : std::max(s.high, first + size);
        return true;
    }

    std::uint8_t index(bool store, unsigned number, std::size_t position) {
        auto& all = facts_->indices;
        for (std::size_t k = 0; k < all.size(); ++k)
            if (all[k].store == store && all[k].number == number)
                return static_cast<std::uint8_t>(k);
        KernelIndex& added = all.emplace_back();
        added.store = store;
        added.number = static_cast<std::uint8_t>(number);
        added.before.assign(position + 1, 0);
        return static_cast<std::uint8_t>(all.size() - 1);
    }

    KernelStream& stream(std::uint8_t index, std::uint8_t d, std::uint32_t displacement) {
        for (KernelStream& s : facts_->streams)
            if (s.index == index && s.descriptor == d) return s;
        KernelStream& added = facts_->streams.emplace_back();
        added.index = index;
        added.descriptor = d;
        added.displacement = displacement;
        return added;
    }

    bool advance(bool store, unsigned number, unsigned step, unsigned shift) {
        constexpr std::int64_t kLargestStep = 1 << 20;
        const std::uint64_t value = state_.aau.aaincr[step];
        // Before v5 a step has 32 bits and is signed.
        const std::int64_t by = facts_->iset < cpu::exec::kFirstWideIndex
                                    ? std::int64_t{static_cast<std::int32_t>(value)}
                                    : static_cast<std::int64_t>(value);
        if (by > kLargestStep || by < -kLargestStep) return false;
        auto& steps = facts_->steps;
        if (std::none_of(steps.begin(), steps.end(),
                         [&](const KernelStep& s) { return s.number == step; }))
            steps.push_back({static_cast<std::uint8_t>(step), value});
        for (KernelIndex& index : facts_->indices)
            if (index.store == store && index.number == number) index.pass += by * (1 << shift);
        return true;
    }

    std::uint64_t address(const KernelStream& s) const {
        const KernelIndex& index = facts_->indices[s.index];
        return state_.aau.aad_base[s.descriptor] + s.displacement +
               (index.store ? state_.aau.aasti[index.number] : state_.aau.area[index.number].cur);
    }

    /// One pointer for all streams of what seems to be one array.
    void share_pointers() {
        std::vector<std::uint64_t> places;
        for (KernelStream& s : facts_->streams) {
            const std::int64_t pass = facts_->indices[s.index].pass;
            const std::uint64_t at = address(s);
            std::size_t k = 0;
            for (; k < places.size() && !apart_; ++k) {
                const auto distance = static_cast<std::int64_t>(at - places[k]);
                if (facts_->pointers[k] == pass && std::abs(distance) <= kSameArray) {
                    s.distance = distance;
                    break;
                }
            }
            if (apart_) k = places.size();
            s.pointer = static_cast<std::uint8_t>(k);
            if (k < places.size()) continue;
            places.push_back(at);
            facts_->pointers.push_back(pass);
        }
    }

    /// All offsets within a turn of the ring are displacements of host instructions.
    bool reaches() const {
        for (const KernelStream& s : facts_->streams) {
            const std::int64_t turn = facts_->indices[s.index].pass * facts_->period;
            if (std::abs(turn) > kLargestReach || s.high > kLargestReach || s.low < -kLargestReach)
                return false;
        }
        return facts_->pointers.size() <= kMostPointers;
    }

    const KernelShape& shape_;
    const CpuState& state_;
    const bool apart_;
    bool masks_all_ = true;  ///< all stores of the loop are those of its loop mode
    std::unique_ptr<KernelFacts> facts_;
};

/// Takes the conditions that look at the prologue's counter out of a guard. False: one of them does
/// not hold.
bool decide_counts(ExecBundle& b, ConditionRange& range, unsigned pcnt) {
    unsigned kept = 0;
    for (unsigned k = 0; k < range.count; ++k) {
        const cpu::exec::Condition c = b.conditions[range.begin + k];
        if (!c.pcnt)
            b.conditions[range.begin + kept++] = c;
        else if ((pcnt <= c.index) == c.negated)
            return false;
    }
    range.count = static_cast<std::uint8_t>(kept);
    return true;
}

/// The bundle without what the kernel's counter stands for, in a pass with this counter.
ExecBundle specialised(const ExecBundle& original, unsigned pcnt) {
    ExecBundle b = original;
    b.op_count = 0;
    for (unsigned i = 0; i < original.op_count; ++i) {
        MicroOp op = original.ops[i];
        const bool masked = pcnt != 0 && (b.flags & cpu::exec::kLoopMode) && stores(op);
        // Guards that are alike may share their conditions: each is decided on a fresh copy.
        ExecBundle fresh = original;
        if (masked || !decide_counts(fresh, op.guard, pcnt)) continue;
        for (unsigned k = 0; k < op.guard.count; ++k)
            b.conditions[op.guard.begin + k] = fresh.conditions[op.guard.begin + k];
        b.ops[b.op_count++] = op;
    }
    for (unsigned k = 0; k < b.mova_count; ++k) b.mova[k].advance = false;
    for (ArrayAddress& array : b.arrays) array.increments = false;
    b.flags &= ~cpu::exec::kLoopMode;
    if (!closes_kernel(b)) return b;
    b.alc = 0;
    if (pcnt != 0) {  // predicates do not count
        b.transfer.condition = ConditionType::Always;
        return b;
    }
    switch (b.transfer.condition) {
        case ConditionType::PredAndNotLoopEnd:
            b.transfer.condition = ConditionType::Pred;
            break;
        case ConditionType::NotPredAndNotLoopEnd:
            b.transfer.condition = ConditionType::NotPred;
            break;
        default:
            b.transfer.condition = ConditionType::Always;
            break;
    }
    return b;
}

}  // namespace

std::unique_ptr<KernelFacts> kernel_facts(const KernelShape& shape, const CpuState& state,
                                          bool apart) {
    return FactFinder(shape, state, apart).run();
}

Plan plan_kernel(const KernelShape& shape, Config config, int iset, unsigned prologue) {
    Plan plan;
    plan.address = shape.header;
    plan.entry = config;
    plan.iset = iset;
    const auto bundles = static_cast<int>(shape.body.size());
    const int first = bundles * static_cast<int>(prologue);
    const int count = first + bundles * static_cast<int>(shape.period);
    for (int k = 0; k < count; ++k) {
        const ExecBundle& b = shape.body[static_cast<std::size_t>(k % bundles)];
        auto node = std::make_unique<Node>();
        const auto pass = static_cast<unsigned>(k / bundles);
        node->bundle = specialised(b, pass < prologue ? prologue - pass : 0);
        node->address = b.address;
        node->config = config;
        node->bundle_dbl = config_after(b, config, false).window().dbl;
        const int following = k + 1 == count ? first : k + 1;
        if (k % bundles + 1 == bundles) {
            node->taken_kind = TakenKind::Direct;
            node->next = {-1, b.next_address, config_after(b, config, false)};
            config = config_after(b, config, true);
            node->taken = {following, shape.header, config};
        } else {
            node->next = {following, b.next_address, config};
            if (b.transfer.kind != TransferKind::None) {
                node->taken_kind = TakenKind::Direct;
                node->taken = {-1, b.transfer.target, config};
            }
        }
        plan.nodes.push_back(std::move(node));
    }
    Node& header = *plan.nodes[static_cast<std::size_t>(first)];
    header.join = true;
    header.loop_end = count - 1;
    return plan;
}

}  // namespace e2k::translate
