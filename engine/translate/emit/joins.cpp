// Places of a region that are reached in several ways. Each has a fixed map of guest registers to
// host registers, made from the first way there; every way brings the values where the map says.
// The map of a loop's header holds what the loop reads and, as far as registers suffice, writes.
#include <algorithm>

#include "engine/translate/emit/operands.h"
#include "engine/translate/kernel/facts.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using cpu::SemKind;
using cpu::exec::MicroOp;
using cpu::exec::RegRef;
using cpu::exec::Space;
using cpu::exec::Write;
namespace x86 = asmjit::x86;

namespace {

constexpr unsigned kCarriedGprs = 6, kCarriedXmms = 12;
/// Registers that a loop's values must leave for its work.
constexpr unsigned kWorkingGprs = 3;
/// Passes of a kernel after which the rotating registers have their places again.
constexpr unsigned kLongRing = 8;
/// Pointers that a loop uses are checked in front of it, so many of them.
constexpr unsigned kHoistedChecks = 4;
/// What ways to a join may add to a checked pointer.
constexpr Extent kJoinedPointer = Extent::pointer(20);
/// A loop's index; a bound that fits an immediate operand.
constexpr Extent kIndex = Extent::natural(30);

}  // namespace

/// Which registers are read from each node on before they are written, as far as the region goes.
void RegionEmitter::find_live() {
    const std::size_t count = plan_.nodes.size();
    std::vector<SlotSet> reads(count), writes(count);
    live_.assign(count, {});
    touched_.assign(count, {});
    for (std::size_t k = 0; k < count; ++k) {
        const Node& node = *plan_.nodes[k];
        if (node.interpret) continue;  // its names may be none
        for (unsigned i = 0; i < node.bundle.op_count; ++i) {
            const MicroOp& op = node.bundle.ops[i];
            for_each_read(op, node, [&](unsigned slot, unsigned, bool) { reads[k].set(slot); });
            if (op.guard.count != 0 && writes_register(op)) reads[k].set(slot_of(op.dst, node));
            if (op.guard.count == 0 && writes_register(op)) writes[k].set(slot_of(op.dst, node));
            if (writes_register(op)) touched_[k].set(slot_of(op.dst, node));
        }
        for (unsigned i = 0; i < node.bundle.mova_count; ++i)
            if (!node.bundle.mova[i].discard) writes[k].set(slot_of(node.bundle.mova[i].dst, node));
        touched_[k] |= writes[k];
        touched_all_ |= touched_[k];
        written_ |= writes[k];
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t k = count; k-- > 0;) {
            const Node& node = *plan_.nodes[k];
            SlotSet live;
            for (const Edge* edge : {&node.next, &node.taken})
                if (edge->node >= 0) live |= live_[static_cast<std::size_t>(edge->node)];
            live = (live & ~writes[k]) | reads[k];
            changed |= live != live_[k];
            live_[k] = live;
        }
    }
}

/// What the loop at `header` reads before it has surely written it, in order of first use, then
/// what it only writes. As many bits as are read or, if more, as the last write leaves.
std::vector<RegionEmitter::Carried> RegionEmitter::loop_values(unsigned header) const {
    std::vector<Carried> values;
    std::vector<Carried> last;  ///< writes
    SlotSet written;
    const auto find = [](std::vector<Carried>& list, unsigned slot) {
        return std::find_if(list.begin(), list.end(),
                            [slot](const Carried& c) { return c.slot == slot; });
    };
    for (int k = static_cast<int>(header); k <= plan_.nodes[header]->loop_end; ++k) {
        const Node& node = *plan_.nodes[static_cast<std::size_t>(k)];
        for (unsigned i = 0; i < node.bundle.op_count; ++i) {
            const MicroOp& op = node.bundle.ops[i];
            if (calls_helper(op)) continue;
            for_each_read(op, node, [&](unsigned slot, unsigned bits, bool xmm) {
                if (written[slot]) return;
                const auto known = find(values, slot);
                if (known == values.end())
                    values.push_back({slot, xmm, bits});
                else
                    known->bits = std::max(known->bits, bits);
            });
        }
        for (unsigned i = 0; i < node.bundle.op_count; ++i) {
            const MicroOp& op = node.bundle.ops[i];
            if (!writes_register(op)) continue;
            const unsigned slot = slot_of(op.dst, node), bits = written_bits(op, node);
            if (op.guard.count == 0) written.set(slot);
            const bool useless = calls_helper(op) || op.write == Write::Extended;
            const bool loads = op.kind == SemKind::Load && op.access_size >= 4;
            const bool xmm = floating(op) || bits == 128 ||
                             (loads && floats_behind(static_cast<unsigned>(k), slot));
            const Carried write{slot, xmm, useless ? 0 : bits};
            if (const auto known = find(last, slot); known != last.end())
                *known = write;
            else
                last.push_back(write);
        }
        for (unsigned i = 0; i < node.bundle.mova_count; ++i)
            if (!node.bundle.mova[i].discard) written.set(slot_of(node.bundle.mova[i].dst, node));
    }
    for (const Carried& write : last) {
        const auto known = find(values, write.slot);
        if (known != values.end())
            known->bits = std::max(known->bits, write.bits);
        else if (write.bits != 0)
            values.push_back(write);
    }
    return values;
}

/// An operation that is done by a call of its semantic function, as far as one can know early.
bool RegionEmitter::calls_helper(const MicroOp& op) const {
    return host_code_of(op.row, op.kind) != HostCode::Own;
}

/// The map of a join, from the values of the first way to it.
void RegionEmitter::fix_entry(unsigned index, const ValueCache& from) {
    Entry& entry = entries_[index];
    entry.fixed = true;
    entry.map = std::make_unique<ValueCache>(v_.cache.gpr.pool(), host::kXmmPool);
    const Node& node = *plan_.nodes[index];
    ValueCache& map = *entry.map;
    for (int f = node.frame; f >= 0; f = plan_.frames[static_cast<std::size_t>(f)].parent) {
        const CallFrame& frame = plan_.frames[static_cast<std::size_t>(f)];
        map.inherit_predicates(frame.depth);
        for (std::uint32_t m = frame.writes; m; m &= m - 1)
            map.set_predicate(frame.depth * 32 + static_cast<unsigned>(std::countr_zero(m)), {});
    }
    if (node.entered_by_return) return;
    map.arrays = loop_arrays(index, from.arrays);
    if (node.loop_end >= 0) remember_constants(index, from);
    std::uint32_t gprs = 0, xmms = 0;  // taken
    const auto pool = static_cast<unsigned>(std::popcount(v_.cache.gpr.pool()));
    const unsigned carried_gprs = std::min(kCarriedGprs, pool - kWorkingGprs);
    const auto keep = [&](unsigned slot, unsigned bits, bool xmm, bool anywhere, unsigned limit) {
        const GuestValue& v = from.at(slot);
        std::uint32_t& taken = xmm ? xmms : gprs;
        if (static_cast<unsigned>(std::popcount(taken)) >= limit) return;
        int r = xmm ? v.xmm : v.gpr;
        if (r >= 0 && (taken >> r & 1)) r = -1;
        if (r < 0 && !anywhere) return;
        const HostFile& file = xmm ? from.xmm : from.gpr;
        for (std::uint32_t m = file.pool() & ~taken; r < 0 && m; m &= m - 1)
            if (!file.referred(std::countr_zero(m))) r = std::countr_zero(m);
        if (r < 0 && (file.pool() & ~taken)) r = std::countr_zero(file.pool() & ~taken);
        if (r < 0) return;
        taken |= 1u << r;
        if (xmm)
            map.set_xmm(slot, r, bits);
        else
            map.set_gpr(slot, r, bits);
        map.set_dirty(slot, written_[slot] ? bits : v.dirty);
    };
    keep_extents(index, from, map);
    // In a turn of a long ring each value is read once or twice: it is no matter where it lies.
    const bool rotates = request_.kernel && request_.kernel->period >= kLongRing;
    const auto passes = [&](unsigned slot) { return rotates && touched_all_[slot]; };
    if (node.loop_end >= 0) {
        for (const Carried& c : loop_values(index)) {
            if (passes(c.slot)) continue;
            unsigned bits = std::max<unsigned>(c.bits, from.at(c.slot).dirty);
            const bool xmm = c.xmm || bits == 128;
            keep(c.slot, bits, xmm, true, xmm ? kCarriedXmms : carried_gprs);
        }
    }
    const unsigned max_gprs = node.loop_end >= 0 ? carried_gprs : kHostRegisters;
    const unsigned max_xmms = node.loop_end >= 0 ? kCarriedXmms : kHostRegisters;
    from.for_each([&](unsigned slot) {
        const GuestValue &v = from.at(slot), &mine = map.at(slot);
        if (!live_[index][slot] || passes(slot) || mine.gpr >= 0 || mine.xmm >= 0) return;
        if (v.gpr >= 0 && v.gpr_bits >= v.dirty)
            keep(slot, v.gpr_bits, false, false, max_gprs);
        else if (v.xmm >= 0 && v.xmm_bits >= v.dirty)
            keep(slot, v.xmm_bits, true, false, max_xmms);
    });
}

/// Pointers that need no check behind the join: those known on the first way there and unchanged
/// since, and those that the loop does not change but uses.
void RegionEmitter::keep_extents(unsigned index, const ValueCache& from, ValueCache& map) const {
    const Node& node = *plan_.nodes[index];
    if (request_.distrusted.contains(node.address)) return;
    SlotSet changed = touched_all_;
    if (node.loop_end >= 0) {
        changed.reset();
        for (int k = static_cast<int>(index); k <= node.loop_end; ++k)
            changed |= touched_[static_cast<std::size_t>(k)];
    }
    from.for_each([&](unsigned slot) {
        const Extent extent = from.extent(slot);
        if (changed[slot]) {
            if (node.loop_end >= 0 && extent.implies(kIndex) && is_index(index, slot))
                map.set_extent(slot, kIndex);
        } else if (extent.known() && extent.implies(kJoinedPointer)) {
            // Inside a loop the value is the one that came in.
            map.set_extent(slot,
                           node.loop_end >= 0 && extent.implies(kIndex) ? kIndex : kJoinedPointer);
        }
    });
    unsigned hoisted = 0;
    for (int k = static_cast<int>(index); k <= node.loop_end; ++k) {
        const Node& inside = *plan_.nodes[static_cast<std::size_t>(k)];
        for (unsigned i = 0; i < inside.bundle.op_count && hoisted < kHoistedChecks; ++i) {
            const auto base = pointer_of(inside, inside.bundle.ops[i], changed);
            if (!base || map.at(*base).extent.known()) continue;
            map.set_extent(*base, kJoinedPointer);
            ++hoisted;
        }
    }
}

/// The register of an access that is likely to be the pointer, if it does not change.
std::optional<unsigned> RegionEmitter::pointer_of(const Node& node, const MicroOp& op,
                                                  const SlotSet& changed) const {
    const bool access = op.kind == SemKind::Load || op.kind == SemKind::Store;
    if (!access || op.mode == cpu::exec::MemoryMode::NoStore || op.guard.count != 0)
        return std::nullopt;
    const auto unchanged = [&](RegRef r) -> std::optional<unsigned> {
        if (r.space == Space::Literal || changed[slot_of(r, node)]) return std::nullopt;
        return slot_of(r, node);
    };
    const auto a = unchanged(op.a), b = unchanged(op.b);
    if (a && b) return std::nullopt;
    return a ? a : b;
}

/// Checks the pointers of which `map` says that they need no check. `address` is where the way
/// leads.
void RegionEmitter::conform_extents(const ValueCache& map, std::uint64_t address, Config config,
                                    const Facts& facts) {
    ValueCache& now = v_.cache;
    std::vector<unsigned> unchecked;
    map.for_each([&](unsigned slot) {
        if (!now.extent(slot).implies(map.at(slot).extent)) unchecked.push_back(slot);
    });
    if (unchecked.empty()) return;
    mark(Reason::BoundCheck);
    const Label fail = a_.newLabel();
    // Nothing may be written back between the checks: one recovery table serves all.
    const auto in_gpr = [&](unsigned slot) {
        return now.at(slot).gpr >= 0 && now.at(slot).gpr_bits == 64;
    };
    for (const unsigned slot : unchecked)
        if (!in_gpr(slot)) v_.write_back(slot);
    for (const unsigned slot : unchecked) {
        Gp r = x86::rax;
        if (in_gpr(slot))
            r = x86::gpq(static_cast<std::uint32_t>(now.at(slot).gpr));
        else
            a_.mov(r, v_.memory(slot, 8));
        if (map.at(slot).extent == kIndex) {
            a_.cmp(r, imm(1 << kIndex.bits()));
            a_.jae(fail);
        } else {
            check_address(r, fail);
        }
    }
    const RecoveryPoint& point = recovery(Leave::Distrust, address, config, facts);
    cold([this, fail, &point] {
        mark(Reason::Exit);
        a_.bind(fail);
        leave_by(point);
    });
}

/// Brings every value where `map` expects it. The cache says nothing useful afterwards.
void RegionEmitter::conform(const ValueCache& map, std::uint64_t address, Config config,
                            const Facts& facts) {
    conform_arrays(map.arrays, address, config, facts);
    conform_extents(map, address, config, facts);
    mark(Reason::Spill);
    ValueCache& now = v_.cache;
    now.for_each_predicate([&](unsigned p) { v_.write_back_predicate(p); });
    using Kind = PredicateValue::Kind;
    for (unsigned p = 32; p < kPredicates; ++p)
        if (now.predicate(p).kind == Kind::Inherited && map.predicate(p).kind == Kind::Memory)
            v_.write_back_predicate(p);
    // Halves that belong together.
    map.for_each([&](unsigned slot) {
        const GuestValue &want = map.at(slot), &have = now.at(slot);
        if (have.dirty == 32 && want.gpr >= 0 && want.gpr_bits == 64) v_.use_slot(slot, 64);
        v_.end_operation();
    });
    now.for_each([&](unsigned slot) {
        const GuestValue &want = map.at(slot), &have = now.at(slot);
        const bool wrong_file = (want.gpr >= 0 && (have.gpr < 0 || have.gpr_bits < want.gpr_bits) &&
                                 !have.constant_bits) ||
                                (want.xmm >= 0 && (have.xmm < 0 || have.xmm_bits < want.xmm_bits));
        if (have.dirty > want.dirty || (have.dirty && wrong_file)) v_.write_back(slot);
    });
    move_gprs(map);
    move_xmms(map);
}

namespace {

struct Move {
    unsigned slot;
    int from, to;
};

/// Does the moves in an order in which none overwrites what another still reads. Cycles remain.
template <typename F>
void move_in_order(std::vector<Move>& moves, F&& emit) {
    while (!moves.empty()) {
        const auto ready = std::find_if(moves.begin(), moves.end(), [&](const Move& m) {
            return std::none_of(moves.begin(), moves.end(), [&](const Move& other) {
                return &other != &m && other.from == m.to;
            });
        });
        if (ready == moves.end()) return;
        emit(ready->from, ready->to);
        moves.erase(ready);
    }
}

}  // namespace

void RegionEmitter::move_gprs(const ValueCache& map) {
    std::vector<Move> moves;
    std::vector<unsigned> others;
    map.for_each([&](unsigned slot) {
        const GuestValue &want = map.at(slot), &have = v_.cache.at(slot);
        if (want.gpr < 0) return;
        if (have.gpr < 0 || have.gpr_bits < want.gpr_bits)
            others.push_back(slot);
        else if (have.gpr != want.gpr)
            moves.push_back({slot, have.gpr, want.gpr});
    });
    const auto gpr = [](int r) { return x86::gpq(static_cast<std::uint32_t>(r)); };
    const auto move = [&](int from, int to) { a_.mov(gpr(to), gpr(from)); };
    move_in_order(moves, move);
    while (!moves.empty()) {  // a cycle: rax holds one of it
        const Move last = moves.back();
        moves.pop_back();
        a_.mov(x86::rax, gpr(last.from));
        move_in_order(moves, move);
        a_.mov(gpr(last.to), x86::rax);
    }
    for (const unsigned slot : others) {
        const GuestValue &want = map.at(slot), &have = v_.cache.at(slot);
        const Gp to = gpr(want.gpr);
        if (have.constant_bits >= want.gpr_bits)
            v_.load_constant(to, want.gpr_bits == 32 ? have.constant & 0xffff'ffff : have.constant);
        else if (want.gpr_bits == 32)
            a_.mov(to.r32(), v_.memory(slot, 4));
        else
            a_.mov(to, v_.memory(slot, 8));
    }
}

void RegionEmitter::move_xmms(const ValueCache& map) {
    std::vector<Move> moves;
    std::vector<unsigned> others;
    map.for_each([&](unsigned slot) {
        const GuestValue &want = map.at(slot), &have = v_.cache.at(slot);
        if (want.xmm < 0) return;
        if (have.xmm < 0 || have.xmm_bits < want.xmm_bits)
            others.push_back(slot);
        else if (have.xmm != want.xmm)
            moves.push_back({slot, have.xmm, want.xmm});
    });
    const auto xmm = [](int r) { return x86::xmm(static_cast<std::uint32_t>(r)); };
    const auto move = [&](int from, int to) { a_.movaps(xmm(to), xmm(from)); };
    move_in_order(moves, move);
    while (!moves.empty()) {
        const Move last = moves.back();
        moves.pop_back();
        a_.movaps(x86::xmm15, xmm(last.from));
        move_in_order(moves, move);
        a_.movaps(xmm(last.to), x86::xmm15);
    }
    for (const unsigned slot : others) {
        const GuestValue& want = map.at(slot);
        const x86::Xmm to = xmm(want.xmm);
        if (want.xmm_bits == 32)
            a_.movss(to, v_.memory(slot, 4));
        else if (want.xmm_bits == 64)
            a_.movsd(to, v_.memory(slot, 8));
        else
            a_.movaps(to, v_.memory(slot, 16));
    }
}

/// Whether the register at `slot` is read by a floating-point operation next after a node.
bool RegionEmitter::floats_behind(unsigned index, unsigned slot) const {
    constexpr unsigned kLookAhead = 12;
    for (unsigned k = index + 1; k < plan_.nodes.size() && k <= index + kLookAhead; ++k) {
        const Node& node = *plan_.nodes[k];
        if (node.interpret) return false;
        bool read = false, xmm = false, written = false;
        for (unsigned i = 0; i < node.bundle.op_count; ++i) {
            const MicroOp& op = node.bundle.ops[i];
            for_each_read(op, node, [&](unsigned s, unsigned, bool in_xmm) {
                if (s != slot) return;
                read = true;
                xmm = in_xmm;
            });
            written |= writes_register(op) && slot_of(op.dst, node) == slot;
        }
        if (read) return xmm;
        if (written) return false;
    }
    return false;
}

}  // namespace e2k::translate
