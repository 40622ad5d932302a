#include "engine/translate/tag_sets.h"

#include "engine/translate/emit/operands.h"
#include "engine/translate/emitters.h"
#include "engine/translate/tag_lookers.h"

namespace e2k::translate {

using cpu::SemKind;
using cpu::exec::ConditionRange;
using cpu::exec::MemoryMode;
using cpu::exec::MicroOp;
using cpu::exec::RegRef;
using cpu::exec::Space;
using cpu::exec::Write;
using isa::ConditionType;
using isa::Width;

namespace {

constexpr unsigned kLowTag = 0x03, kHighTag = 0x0c, kExtensionTag = 0xf0;
constexpr unsigned kDoubleTag = kLowTag | kHighTag, kWholeTag = kDoubleTag | kExtensionTag;

}  // namespace

void RegisterTags::add(unsigned slot, unsigned mask) {
    if (mask & kLowTag) low.set(slot);
    if (mask & kHighTag) high.set(slot);
    if (mask & kExtensionTag) extension.set(slot);
}

unsigned RegisterTags::mask(unsigned slot) const {
    return (low[slot] ? kLowTag : 0) | (high[slot] ? kHighTag : 0) |
           (extension[slot] ? kExtensionTag : 0);
}

RegisterTags& RegisterTags::operator|=(const RegisterTags& other) {
    low |= other.low;
    high |= other.high;
    extension |= other.extension;
    return *this;
}

RegisterTags& RegisterTags::operator&=(const RegisterTags& other) {
    low &= other.low;
    high &= other.high;
    extension &= other.extension;
    return *this;
}

RegisterTags& RegisterTags::remove(const RegisterTags& other) {
    low &= ~other.low;
    high &= ~other.high;
    extension &= ~other.extension;
    return *this;
}

TagSet& TagSet::operator|=(const TagSet& other) {
    registers |= other.registers;
    predicates |= other.predicates;
    return *this;
}

TagSet& TagSet::remove(const TagSet& other) {
    registers.remove(other.registers);
    predicates &= ~other.predicates;
    return *this;
}

unsigned replaced_tag(const MicroOp& op, const Node& node) {
    switch (op.write) {
        case Write::Packed:
            return kWholeTag;
        case Write::Word:
            return node.bundle_dbl ? kDoubleTag : kLowTag;
        case Write::WordKeep:
            return kLowTag;
        default:
            return kDoubleTag;
    }
}

unsigned replaced_tag(const cpu::exec::ArrayLoad& load) {
    return load.packed ? kWholeTag : kDoubleTag;
}

unsigned diagnostic_tag(const MicroOp& op, const Node& node) {
    return 0x55 & replaced_tag(op, node);
}

unsigned looked_at(Width w) {
    switch (w) {
        case Width::None:
            return 0;
        case Width::S:
            return kLowTag;
        case Width::P:
            return kWholeTag;
        default:
            return kDoubleTag;
    }
}

bool reads_predicate(const cpu::exec::Transfer& t) {
    if (t.kind == cpu::exec::TransferKind::None) return false;
    switch (t.condition) {
        case ConditionType::Never:
        case ConditionType::Always:
        case ConditionType::LoopEnd:
        case ConditionType::NotLoopEnd:
        case ConditionType::Mlock:
            return false;
        default:
            return true;
    }
}

void for_each_look(const MicroOp& op, const Node& node,
                   const std::function<void(unsigned, unsigned)>& f) {
    const auto look_at = [&](RegRef r, unsigned mask) {
        if (mask != 0 && r.space != Space::Literal) f(slot_of(r, node), mask);
    };
    look_at(op.a, looked_at(op.wa));
    look_at(op.b, looked_at(op.wb));
    look_at(op.c, looked_at(op.wc));
    const Width data = isa::operation(op.row).src4;
    look_at(op.data, data == Width::None ? kWholeTag : looked_at(data));
}

namespace {

/// What one bundle looks at and what it surely replaces.
struct BundleTags {
    TagSet reads, replaces;
    RegisterTags may_fail;  ///< results of loads that may be diagnostic
};

class Collector {
public:
    Collector(const Node& node, bool aware) : node_(node), aware_(aware) {}

    BundleTags collect(bool loads_may_fail) {
        if (node_.interpret) return tags_;  // left in front of it; its names may be none
        const auto& b = node_.bundle;
        for (unsigned i = 0; i < b.op_count; ++i) operation(b.ops[i], loads_may_fail);
        for (unsigned i = 0; i < b.mova_count; ++i)
            if (!b.mova[i].discard)
                tags_.replaces.registers.add(slot_of(b.mova[i].dst, node_),
                                             replaced_tag(b.mova[i]));
        if (b.flags & cpu::exec::kPlu) predicate_logic();
        if (reads_predicate(b.transfer)) predicate(b.transfer.psrc);
        return tags_;
    }

private:
    unsigned index_of(unsigned n) const {
        return node_.file * 32 + pred_phys(node_.config.rotation(), n);
    }
    void predicate(unsigned n) {
        if (!aware_) tags_.reads.predicates.set(index_of(n));
    }
    void conditions(ConditionRange range) {
        for (unsigned k = range.begin; k < range.begin + unsigned{range.count}; ++k)
            if (!node_.bundle.conditions[k].pcnt) predicate(node_.bundle.conditions[k].index);
    }
    void look_at(RegRef r, unsigned mask) {
        if (r.space != Space::Literal) tags_.reads.registers.add(slot_of(r, node_), mask);
    }
    /// Whatever the guard says, and whichever operand a merge selects.
    void operation(const MicroOp& op, bool loads_may_fail) {
        conditions(op.guard);
        conditions(op.merge);
        if (!aware_)
            for_each_look(op, node_, [this](unsigned slot, unsigned mask) {
                tags_.reads.registers.add(slot, mask);
            });
        if (op.kind == SemKind::ArrayStore) conditions(node_.bundle.arrays[op.array].incr_guard);
        if (op.write == Write::Predicate) {
            if (op.guard.count)
                tags_.reads.predicates.set(index_of(op.dst.index));
            else
                tags_.replaces.predicates.set(index_of(op.dst.index));
        }
        if (!writes_register(op)) return;
        // A false guard keeps the register with its tag.
        const unsigned mask = replaced_tag(op, node_);
        const bool compares =
            op.mode == MemoryMode::CheckLoad && (node_.bundle.flags & cpu::exec::kMlock);
        if (op.guard.count || compares) look_at(op.dst, compares ? kWholeTag : mask);
        if (!op.guard.count) tags_.replaces.registers.add(slot_of(op.dst, node_), mask);
        if (op.speculative && (aware_ || (loads_may_fail && op.kind == SemKind::Load)))
            tags_.may_fail.add(slot_of(op.dst, node_), mask);
    }

    void predicate_logic() {
        const isa::PredicateLogic& plu = node_.bundle.plu;
        for (const isa::Elp& elp : plu.elp)
            if (elp.kind == isa::Elp::Kind::Pred) predicate(elp.index);
        for (unsigned k = 0; k < plu.count; ++k)
            if (plu.clp[k].writes && plu.clp[k].opcode != isa::ClpOpcode::Movep)
                tags_.replaces.predicates.set(index_of(plu.clp[k].pdst));
    }

    const Node& node_;
    const bool aware_;
    BundleTags tags_;
};

/// What is live where `node` leads to `target`: a callee that is part of the region has the
/// predicates of its caller until it writes its own.
TagSet live_behind(const Node& node, const Edge& edge, const TagSet& target) {
    TagSet live = target;
    if (&edge != &node.taken || node.taken_kind != TakenKind::InlineCall) return live;
    const unsigned file = node.file + 1;
    for (unsigned n = 0; n < 32; ++n) {
        if (live.predicates[file * 32 + n]) live.predicates.set(node.file * 32 + n);
        live.predicates.reset(file * 32 + n);
    }
    return live;
}

/// Registers beyond the window, whose tags are always 0.
RegisterTags beyond_window(const Node& node) {
    RegisterTags tags;
    for (unsigned slot = node.window + node.config.window().size; slot < kGlobalSlot; ++slot)
        tags.add(slot, kWholeTag);
    return tags;
}

void find_live(const Plan& plan, const std::vector<BundleTags>& bundles, TagSets& sets) {
    const std::size_t count = plan.nodes.size();
    sets.live.assign(count, {});
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t k = count; k-- > 0;) {
            const Node& node = *plan.nodes[k];
            TagSet live;
            for (const Edge* edge : {&node.next, &node.taken}) {
                if (edge->node < 0) continue;
                live |= live_behind(node, *edge, sets.live[static_cast<std::size_t>(edge->node)]);
            }
            live.remove(bundles[k].replaces) |= bundles[k].reads;
            if (live == sets.live[k]) continue;
            sets.live[k] = live;
            changed = true;
        }
    }
}

void find_clean(const Plan& plan, const std::vector<BundleTags>& bundles, TagSets& sets) {
    const std::size_t count = plan.nodes.size();
    RegisterTags all;
    all.low.set();
    all.high.set();
    all.extension.set();
    sets.clean.assign(count, all);
    const auto narrow = [&](std::size_t k, RegisterTags to) {
        to |= beyond_window(*plan.nodes[k]);
        to &= sets.clean[k];
        const bool changed = to != sets.clean[k];
        sets.clean[k] = to;
        return changed;
    };
    for (std::size_t k = 0; k < count; ++k)
        if (k == 0 || plan.nodes[k]->entered_by_return) narrow(k, sets.live[k].registers);
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t k = 0; k < count; ++k) {
            const Node& node = *plan.nodes[k];
            RegisterTags behind = sets.clean[k];
            behind |= bundles[k].replaces.registers;
            behind.remove(bundles[k].may_fail);
            for (const Edge* edge : {&node.next, &node.taken})
                if (edge->node >= 0)
                    changed |= narrow(static_cast<std::size_t>(edge->node), behind);
        }
    }
}

}  // namespace

TagSets find_tag_sets(const Plan& plan, const TagPlaces& places) {
    std::vector<BundleTags> bundles;
    bundles.reserve(plan.nodes.size());
    for (const auto& node : plan.nodes)
        bundles.push_back(
            Collector(*node, places.aware(node->address)).collect(places.may_fail(node->address)));
    TagSets sets;
    find_live(plan, bundles, sets);
    find_clean(plan, bundles, sets);
    return sets;
}

namespace {

/// What is diagnostic in a state that stands at a region's entry.
TagSet visible_tags(const cpu::CpuState& state) {
    TagSet set;
    for (unsigned n = 0; n < state.wd.size && n < kGlobalSlot; ++n)
        set.registers.add(n, state.window_tags[n]);
    for (unsigned n = 0; n < state.g_tags.size(); ++n)
        set.registers.add(kGlobalSlot + n, state.g_tags[n]);
    for (unsigned n = 0; n < state.pred.size(); ++n)
        if (state.pred[n] & cpu::kPredTag) set.predicates.set(n);
    return set;
}

/// What is diagnostic behind an edge of `node`: a callee inside has its caller's predicates.
TagSet behind_edge(const Node& node, const Edge& edge, TagSet set) {
    if (&edge != &node.taken || node.taken_kind != TakenKind::InlineCall) return set;
    for (unsigned n = 0; n < 32; ++n)
        set.predicates[(node.file + 1) * 32 + n] = set.predicates[node.file * 32 + n];
    return set;
}

bool meets(const TagSet& x, const TagSet& y) {
    return (x.registers.low & y.registers.low).any() ||
           (x.registers.high & y.registers.high).any() ||
           (x.registers.extension & y.registers.extension).any() ||
           (x.predicates & y.predicates).any();
}

}  // namespace

std::vector<TagLooker> tag_lookers(const Plan& plan, const cpu::CpuState& state) {
    std::vector<BundleTags> bundles;
    for (const auto& node : plan.nodes) bundles.push_back(Collector(*node, false).collect(false));
    std::vector<TagSet> there(plan.nodes.size());
    if (!there.empty()) there[0] = visible_tags(state);
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t k = 0; k < there.size(); ++k) {
            const Node& node = *plan.nodes[k];
            TagSet left = there[k];
            left.remove(bundles[k].replaces);
            for (const Edge* edge : {&node.next, &node.taken}) {
                if (edge->node < 0) continue;
                TagSet& to = there[static_cast<std::size_t>(edge->node)];
                TagSet all = behind_edge(node, *edge, left);
                all |= to;
                changed |= all != to;
                to = all;
            }
        }
    }
    std::vector<TagLooker> lookers;
    for (std::size_t k = 0; k < there.size(); ++k) {
        if (!meets(there[k], bundles[k].reads)) continue;
        const bool always = meets(there[k], Collector(*plan.nodes[k], true).collect(false).reads);
        lookers.push_back({plan.nodes[k]->address, always});
    }
    return lookers;
}

namespace {

/// Whether nothing looks at a diagnostic result of operation `i`, and nothing else of the bundle
/// writes the register.
bool goes_unseen(const TagSets& sets, const Node& node, unsigned i) {
    const auto& b = node.bundle;
    const MicroOp& op = b.ops[i];
    const unsigned slot = slot_of(op.dst, node);
    for (unsigned k = 0; k < b.op_count; ++k)
        if (k != i && writes_register(b.ops[k]) && slot_of(b.ops[k].dst, node) == slot)
            return false;
    for (unsigned k = 0; k < b.mova_count; ++k)
        if (!b.mova[k].discard && slot_of(b.mova[k].dst, node) == slot) return false;
    const unsigned tag = replaced_tag(op, node);
    for (const Edge* edge : {&node.next, &node.taken})
        if (edge->node >= 0 &&
            (sets.live[static_cast<std::size_t>(edge->node)].registers.mask(slot) & tag))
            return false;
    return true;
}

}  // namespace

bool predicate_unseen(const TagSets& sets, const Node& node, unsigned predicate) {
    for (const Edge* edge : {&node.next, &node.taken})
        if (edge->node >= 0 &&
            live_behind(node, *edge, sets.live[static_cast<std::size_t>(edge->node)])
                .predicates[predicate])
            return false;
    return true;
}

bool may_go_on(const TagSets& sets, const Node& node, unsigned i) {
    const MicroOp& op = node.bundle.ops[i];
    return op.kind == SemKind::Load && op.speculative &&
           (op.mode == MemoryMode::Plain || op.mode == MemoryMode::CheckLoad) &&
           writes_register(op) && !(node.bundle.flags & cpu::exec::kMlock) &&
           goes_unseen(sets, node, i);
}

bool may_propagate(const TagSets& sets, const Node& node, unsigned i) {
    const MicroOp& op = node.bundle.ops[i];
    if (op.kind == SemKind::Load) return may_go_on(sets, node, i);
    if (!op.speculative || op.tag_free || op.words_by_descriptor || !has_function(op.kind) ||
        op.kind == SemKind::Div)
        return false;
    if (op.write == Write::Predicate)
        return op.guard.count == 0 &&
               predicate_unseen(sets, node,
                                node.file * 32 + pred_phys(node.config.rotation(), op.dst.index));
    return writes_register(op) && goes_unseen(sets, node, i);
}

}  // namespace e2k::translate
