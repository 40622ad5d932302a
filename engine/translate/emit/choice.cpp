// Which host registers the operands and the result of an operation should share: a value that is
// read for the last time gives its register to the result, and a register of a loop keeps its place
// from one iteration to the next.
#include "engine/translate/emit/operands.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using cpu::SemKind;
using cpu::exec::MemoryMode;
using cpu::exec::MicroOp;

namespace {

bool in_memory_phase(const MicroOp& op) {
    return op.kind == SemKind::Load || op.kind == SemKind::Store || op.kind == SemKind::ArrayStore;
}

}  // namespace

/// Whether what is emitted after operation `i` in its bundle needs the register as it was before.
bool RegionEmitter::read_later(unsigned slot, unsigned i) const {
    const bool memory = in_memory_phase(b_->ops[i]);
    bool read = false;
    for (unsigned k = 0; k < b_->op_count; ++k) {
        const MicroOp& op = b_->ops[k];
        if (k == i) continue;
        if (writes_register(op) && slot_of(op.dst, *node_) == slot) return true;
        // Accesses come first, then the other operations.
        const bool done = in_memory_phase(op) ? !memory || k < i : !memory && k < i;
        if (done) continue;
        for_each_read(op, *node_, [&](unsigned s, unsigned, bool) { read |= s == slot; });
    }
    for (unsigned k = 0; k < b_->mova_count; ++k)
        if (!b_->mova[k].discard && slot_of(b_->mova[k].dst, *node_) == slot) return true;
    return read;
}

/// Whether a bundle of the region behind this one reads the register before it is written.
bool RegionEmitter::live_behind(unsigned slot) const {
    for (const Edge* edge : {&node_->next, &node_->taken})
        if (edge->node >= 0 && live_[static_cast<std::size_t>(edge->node)][slot]) return true;
    return false;
}

void RegionEmitter::choose_registers(unsigned i) {
    const MicroOp& op = b_->ops[i];
    HostValues::Choice choice;
    if (guarded(i)) return v_.choose(choice);
    const bool memory = in_memory_phase(op);
    bool last_access = true;
    for (unsigned k = i + 1; k < b_->op_count; ++k) last_access &= !in_memory_phase(b_->ops[k]);
    const bool sure = writes_register(op) && op.write != cpu::exec::Write::Extended;
    const unsigned dst = sure ? slot_of(op.dst, *node_) : 0;
    bool reads_dst = false;
    for_each_read(op, *node_,
                  [&](unsigned slot, unsigned, bool) { reads_dst |= sure && slot == dst; });

    // The old value must survive where a later access may hand the bundle back, and where the
    // result replaces only a part of it.
    const GuestValue& old = v_.cache.at(dst);
    const bool replaced = sure && !read_later(dst, i) && old.dirty <= written_bits(op, *node_) &&
                          (!memory || last_access || old.dirty == 0);
    if (replaced) choice.destination = static_cast<int>(dst);
    if (!memory)
        for_each_read(op, *node_, [&](unsigned slot, unsigned, bool) {
            const bool dead = v_.cache.at(slot).dirty == 0 && !read_later(slot, i) &&
                              !live_behind(slot) && !(sure && slot == dst);
            if ((dead || (replaced && slot == dst)) && choice.ending < choice.ends.size())
                choice.ends[choice.ending++] = slot;
        });
    if (replaced && !reads_dst && (old.gpr >= 0 || old.xmm >= 0)) {
        choice.gpr = old.gpr;
        choice.xmm = old.xmm;
        choice.owned = true;
    } else if (sure && loop_ >= 0 && entries_[static_cast<std::size_t>(loop_)].fixed) {
        const GuestValue& wanted = entries_[static_cast<std::size_t>(loop_)].map->at(dst);
        choice.gpr = wanted.gpr;
        choice.xmm = wanted.xmm;
    }
    v_.choose(choice);
}

}  // namespace e2k::translate
