// Regions that run while some register or predicate is diagnostic: what they must not meet, and the
// tags of what they overwrite (tag_sets.h).
#include <algorithm>
#include <array>
#include <cstring>

#include "engine/translate/emit/control_state.h"
#include "engine/translate/emit/operands.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using cpu::CpuState;
using cpu::exec::MicroOp;
namespace x86 = asmjit::x86;

namespace {

constexpr unsigned kGroup = 8;  ///< tags are looked at in groups

/// A byte for each tag of a file, in groups.
template <std::size_t Size>
class Masks {
public:
    std::uint8_t& operator[](std::size_t n) { return bytes_[n]; }
    /// Calls f(offset, mask) for each group that is not all 0.
    template <typename F>
    void for_each(F&& f) const {
        for (std::size_t at = 0; at < Size; at += kGroup) {
            std::uint64_t mask;
            std::memcpy(&mask, &bytes_[at], kGroup);
            if (mask) f(at, mask);
        }
    }

private:
    static_assert(Size % kGroup == 0);
    std::array<std::uint8_t, Size> bytes_{};
};

}  // namespace

/// In front of node `index`, with the state in memory: leaves if something is diagnostic that is
/// looked at from there on. May change rax and rcx.
void RegionEmitter::emit_tag_check(unsigned index) {
    if (!tags_) return;
    mark(Reason::BoundCheck);
    const Node& node = *plan_.nodes[index];
    const TagSet& live = tags_->live[index];
    const Label stop = a_.newLabel();
    bool used = false;
    const auto test = [&](Mem at, std::uint64_t mask) {
        constexpr std::uint64_t kHalf = 0xffff'ffff;
        if ((mask & kHalf) == 0 || mask <= kHalf) {
            at.setSize(4);
            if (mask > kHalf) at.addOffset(4);
            a_.test(at, imm(static_cast<std::int32_t>(mask > kHalf ? mask >> 32 : mask)));
        } else {
            at.setSize(8);
            a_.mov(x86::rax, mask);
            a_.test(at, x86::rax);
        }
        a_.jnz(stop);
        used = true;
    };
    Masks<kGlobalSlot> window;
    const unsigned size = node.config.window().size;  // what lies beyond is no one's
    for (unsigned slot = 0; slot < size; ++slot)
        window[slot] = static_cast<std::uint8_t>(live.registers.mask(slot));
    bool loaded = false;
    window.for_each([&](std::size_t at, std::uint64_t mask) {
        if (!loaded) a_.mov(x86::rcx, state(offsetof(CpuState, window_tags), 8));
        loaded = true;
        test(x86::ptr(x86::rcx, static_cast<std::int32_t>(at)), mask);
    });
    Masks<kGuestRegisters - kGlobalSlot> globals;
    for (unsigned n = 0; n < kGuestRegisters - kGlobalSlot; ++n)
        globals[n] = static_cast<std::uint8_t>(live.registers.mask(kGlobalSlot + n));
    globals.for_each([&](std::size_t at, std::uint64_t mask) {
        test(state(offsetof(CpuState, g_tags) + at, 8), mask);
    });
    Masks<32> predicates;
    for (unsigned n = 0; n < 32; ++n)
        if (live.predicates[n]) predicates[n] = cpu::kPredTag;
    predicates.for_each([&](std::size_t at, std::uint64_t mask) {
        test(state(offsetof(CpuState, pred) + at, 8), mask);
    });
    if (used) stop_cold(stop, Leave::Tagged);
}

TagPlaces RegionEmitter::tag_places() const {
    return {[this](std::uint64_t at) {
                return request_.probing.contains(at) || request_.distrusted.contains(at);
            },
            [this](std::uint64_t at) { return request_.aware.contains(at); }};
}

/// Which operations may leave a diagnostic result here: speculative loads that have failed before,
/// and what has met a diagnostic operand. Without tags a load that fails leaves a pattern.
void RegionEmitter::find_failures() {
    fails_ = propagates_ = 0;
    const TagPlaces places = tag_places();
    const bool aware = tags_ && places.aware(node_->address);
    const bool doubtful = places.may_fail(node_->address);
    for (unsigned i = 0; i < b_->op_count; ++i) {
        const MicroOp& op = b_->ops[i];
        if (off(i)) continue;
        const bool compares =
            op.mode == cpu::exec::MemoryMode::CheckLoad && (b_->flags & cpu::exec::kMlock);
        const bool load = op.kind == cpu::SemKind::Load && op.speculative && !compares;
        const bool goes_on = !request_.exact_tags || (tags_ && may_go_on(*tags_, *node_, i));
        if (doubtful && load && goes_on) fails_ |= 1u << i;
        if (aware && !unsure_looks(i).empty() && may_propagate(*tags_, *node_, i))
            propagates_ |= 1u << i;
    }
    fails_ |= propagates_;
    for (unsigned k = 0; aware && (b_->flags & cpu::exec::kPlu) && k < b_->plu.count; ++k) {
        const isa::Clp& clp = b_->plu.clp[k];
        if (clp.writes && clp.opcode != isa::ClpOpcode::Movep &&
            predicate_unseen(*tags_, *node_, v_.predicate_index(clp.pdst)))
            fails_ |= failed_product(k);
    }
}

/// At the beginning of a bundle: nothing of it has failed yet.
void RegionEmitter::expect_no_failure() {
    if (tags_ && fails_) a_.mov(x86::dword_ptr(x86::rsp, offsetof(Frame, failed)), imm(0));
}

/// Tags that operation `i` looks at, but for those that are known to be 0.
std::vector<RegionEmitter::Look> RegionEmitter::unsure_looks(unsigned i) const {
    std::vector<Look> looks;
    const RegisterTags& clean = tags_->clean[node_index_];
    for_each_look(b_->ops[i], *node_, [&](unsigned slot, unsigned mask) {
        mask &= ~clean.mask(slot);
        if (mask) looks.push_back({slot, mask});
    });
    return looks;
}

/// The tag of a register; that of the window's with their address in rcx.
x86::Mem RegionEmitter::tag_of(unsigned slot, bool& loaded) {
    if (slot >= kGlobalSlot) return state(offsetof(CpuState, g_tags) + (slot - kGlobalSlot), 1);
    if (!loaded) a_.mov(x86::rcx, state(offsetof(CpuState, window_tags), 8));
    loaded = true;
    return x86::byte_ptr(x86::rcx, static_cast<std::int32_t>(slot));
}

/// In a bundle that has met diagnostic operands: whether there are any. Rarely so, then cold code
/// looks whose they are.
void RegionEmitter::look_at_tags() {
    if (!tags_ || !request_.aware.contains(node_->address)) return;
    std::vector<Look> looks;
    for (unsigned i = 0; i < b_->op_count; ++i) {
        if (off(i)) continue;
        for (const Look& look : unsure_looks(i)) {
            const auto same = std::find_if(looks.begin(), looks.end(),
                                           [&](const Look& l) { return l.slot == look.slot; });
            if (same == looks.end())
                looks.push_back(look);
            else
                same->mask |= look.mask;
        }
    }
    mark(Reason::Tag);
    const Label closer = a_.newLabel(), back = a_.newLabel(), out = bail();
    // Conditions first: who has looked closer does not come back to them.
    const bool products = look_at_predicates(closer, out);
    bool loaded = false;
    for (const Look& look : looks) {
        a_.test(tag_of(look.slot, loaded), imm(look.mask));
        a_.jnz(closer);
    }
    a_.bind(back);
    if (looks.empty() && !products) return;
    cold_with_values(
        [this, closer, back, out, off = off_, propagates = propagates_, fails = fails_] {
            mark(Reason::Tag);
            a_.bind(closer);
            for (unsigned i = 0; i < b_->op_count; ++i)
                if (!(off >> i & 1)) look_closely(i, propagates >> i & 1, out);
            for (unsigned k = 0; (b_->flags & cpu::exec::kPlu) && k < b_->plu.count; ++k)
                look_closely_at_product(k, fails, out);
            a_.jmp(back);
        });
}

/// The same for predicates: operands of the predicate logic lead to `closer`, conditions to `out`.
/// Those that memory does not have are not diagnostic. False: there is nothing to look closer at.
bool RegionEmitter::look_at_predicates(const Label& closer, const Label& out) {
    std::bitset<kPredicates> seen;
    bool products = false;
    const auto look = [&](unsigned n, const Label& to) {
        const unsigned p = v_.cache.origin(v_.predicate_index(n));
        if (seen[p] || v_.cache.predicate(p).lazy()) return false;
        seen.set(p);
        a_.test(v_.predicate_memory(p), imm(cpu::kPredTag));
        a_.jnz(to);
        return true;
    };
    const auto conditions = [&](cpu::exec::ConditionRange range) {
        for (unsigned k = range.begin; k < range.begin + unsigned{range.count}; ++k)
            if (!b_->conditions[k].pcnt) look(b_->conditions[k].index, out);
    };
    for (unsigned i = 0; i < b_->op_count; ++i) {
        conditions(b_->ops[i].guard);
        conditions(b_->ops[i].merge);
        if (b_->ops[i].kind == cpu::SemKind::ArrayStore)
            conditions(b_->arrays[b_->ops[i].array].incr_guard);
    }
    if (reads_predicate(b_->transfer)) look(b_->transfer.psrc, out);
    if (b_->flags & cpu::exec::kPlu)
        for (const isa::Elp& elp : b_->plu.elp)
            if (elp.kind == isa::Elp::Kind::Pred) products |= look(elp.index, closer);
    return products;
}

/// The value and the tag of product `k` of the predicate logic (Executor::evaluate_plu()). Uses
/// rax, rcx, rdx; the products of the bundle are kept beside Frame::failed.
void RegionEmitter::look_closely_at_product(unsigned k, unsigned fails, const Label& out) {
    const isa::Clp& clp = b_->plu.clp[k];
    const auto product = [](unsigned n) {
        return x86::byte_ptr(x86::rsp, static_cast<int>(offsetof(Frame, failed) + 4 + n));
    };
    const auto load = [&](const Gp& to, unsigned local, bool negated) {
        const isa::Elp* elp = local < 4 ? &b_->plu.elp[local] : nullptr;
        if (!elp) {
            a_.movzx(to.r32(), product(local - 4));
        } else if (elp->kind == isa::Elp::Kind::Pred) {
            const unsigned p = v_.cache.origin(v_.predicate_index(elp->index));
            if (v_.cache.predicate(p).lazy()) {
                v_.load_predicate(to, p);
                a_.and_(to.r32(), imm(cpu::kPredValue));
            } else {
                a_.movzx(to.r32(), v_.predicate_memory(p));
            }
        } else {
            a_.xor_(to.r32(), to.r32());
            if (elp->kind == isa::Elp::Kind::Lcntex) {
                a_.cmp(state(lsr_offset(offsetof(cpu::LoopState, lcnt)), 8), imm(0));
                a_.setz(to.r8());
            }
        }
        if (negated) a_.xor_(to.r32(), imm(cpu::kPredValue));
    };
    load(x86::rcx, clp.p0, clp.neg0);
    load(x86::rdx, clp.p1, clp.neg1);
    a_.mov(x86::eax, x86::ecx);
    if (clp.opcode == isa::ClpOpcode::Landp) {
        // The second counts only if the first is true.
        static_assert(cpu::kPredTag == 2 * cpu::kPredValue);
        a_.and_(x86::eax, imm(cpu::kPredValue));
        a_.add(x86::eax, x86::eax);
        a_.and_(x86::eax, x86::edx);
        a_.or_(x86::eax, x86::ecx);
    } else {
        a_.or_(x86::eax, x86::edx);
    }
    a_.and_(x86::eax, imm(cpu::kPredTag));
    a_.and_(x86::ecx, x86::edx);
    a_.and_(x86::ecx, imm(cpu::kPredValue));
    a_.or_(x86::eax, x86::ecx);
    a_.mov(product(k), x86::al);
    if (!clp.writes && clp.opcode != isa::ClpOpcode::Movep) return;
    a_.test(x86::al, imm(cpu::kPredTag));
    if (!(fails & failed_product(k))) return (void)a_.jnz(out);
    const Label next = a_.newLabel();
    a_.jz(next);
    a_.or_(x86::dword_ptr(x86::rsp, offsetof(Frame, failed)), imm(failed_product(k)));
    a_.bind(next);
}

/// A predicate that may be diagnostic, by bit `failed` of Frame::failed, goes to memory at once.
void RegionEmitter::commit_predicate_tag(unsigned p, unsigned failed) {
    v_.write_back_predicate(p);
    v_.cache.set_predicate(p, {});
    const Label tagged = a_.newLabel(), done = a_.newLabel();
    a_.test(x86::dword_ptr(x86::rsp, offsetof(Frame, failed)), imm(failed));
    a_.jnz(tagged);
    a_.bind(done);
    cold([this, tagged, done, at = v_.predicate_memory(p)] {
        mark(Reason::Tag);
        a_.bind(tagged);
        a_.or_(at, imm(cpu::kPredTag));
        a_.jmp(done);
    });
}

/// An operation with a diagnostic operand has a diagnostic result, or is the interpreter's: `out`.
void RegionEmitter::look_closely(unsigned i, bool propagates, const Label& out) {
    const MicroOp& op = b_->ops[i];
    const std::vector<Look> looks = unsure_looks(i);
    if (looks.empty()) return;
    const Label next = a_.newLabel(), found = a_.newLabel(), first = a_.newLabel();
    emit_guard(op.guard, next);
    bool loaded = false;
    const auto look_at = [&](cpu::exec::RegRef r, isa::Width w) {
        if (r.space == cpu::exec::Space::Literal || w == isa::Width::None) return;
        a_.test(tag_of(slot_of(r, *node_), loaded), imm(looked_at(w)));
        a_.jnz(found);
    };
    if (op.merges && op.merge.count != 0) {
        // Ways that part: each has the address of the tags.
        a_.mov(x86::rcx, state(offsetof(CpuState, window_tags), 8));
        loaded = true;
        look_at(op.c, op.wc);
        emit_guard(op.merge, first);
        look_at(op.b, op.wb);
        a_.jmp(next);
        a_.bind(first);
        look_at(op.a, op.wa);
    } else {
        for (const Look& look : looks) {
            a_.test(tag_of(look.slot, loaded), imm(look.mask));
            a_.jnz(found);
        }
    }
    a_.jmp(next);
    a_.bind(found);
    if (propagates)
        note_failure(i);
    else
        a_.jmp(out);
    a_.bind(next);
}

/// In cold code: operation `i` has a diagnostic result.
void RegionEmitter::note_failure(unsigned i) {
    if (tags_) a_.or_(x86::dword_ptr(x86::rsp, offsetof(Frame, failed)), imm(1 << i));
}

/// The tags of registers the bundle writes, but for those that are known to be 0 already. A guarded
/// result replaces a register that the region has looked at.
void RegionEmitter::commit_tags() {
    if (!tags_) return;
    mark(Reason::Tag);
    const RegisterTags& clean = tags_->clean[node_index_];
    bool loaded = false;
    const auto clear = [&](unsigned slot, unsigned mask) {
        if ((clean.mask(slot) & mask) == mask) return;
        const Mem tag = tag_of(slot, loaded);
        mask == 0xff ? a_.mov(tag, imm(0)) : a_.and_(tag, imm(static_cast<std::int8_t>(~mask)));
    };
    for (unsigned i = 0; i < b_->op_count; ++i) {
        const MicroOp& op = b_->ops[i];
        if (writes_register(op) && op.guard.count == 0)
            clear(v_.slot(op.dst), replaced_tag(op, *node_));
    }
    for (unsigned k = 0; k < b_->mova_count; ++k)
        if (!b_->mova[k].discard) clear(v_.slot(b_->mova[k].dst), replaced_tag(b_->mova[k]));
    for (unsigned i = 0; i < b_->op_count; ++i) {
        const MicroOp& op = b_->ops[i];
        if (!fails_here(i) || op.write == cpu::exec::Write::Predicate) continue;
        const Label failed = a_.newLabel(), done = a_.newLabel();
        a_.test(x86::byte_ptr(x86::rsp, offsetof(Frame, failed)), imm(1 << i));
        a_.jnz(failed);
        a_.bind(done);
        cold([this, failed, done, slot = v_.slot(op.dst), replaced = replaced_tag(op, *node_),
              tag = diagnostic_tag(op, *node_)] {
            mark(Reason::Tag);
            a_.bind(failed);
            Mem at = state(offsetof(CpuState, g_tags) + (slot - kGlobalSlot), 1);
            if (slot < kGlobalSlot) {
                a_.mov(x86::rcx, state(offsetof(CpuState, window_tags), 8));
                at = x86::byte_ptr(x86::rcx, static_cast<std::int32_t>(slot));
            }
            a_.and_(at, imm(static_cast<std::int8_t>(~replaced)));
            a_.or_(at, imm(static_cast<std::int8_t>(tag)));
            a_.jmp(done);
        });
    }
    if (b_->flags & cpu::exec::kSetwd)
        clear_tags(node_->window + b_->window.size, node_->window + config_.window().size);
}

/// Of window registers [begin, end), which a smaller window leaves behind. Changes rcx and xmm15.
void RegionEmitter::clear_tags(unsigned begin, unsigned end) {
    if (!tags_ || begin >= end) return;
    mark(Reason::Tag);
    a_.mov(x86::rcx, state(offsetof(CpuState, window_tags), 8));
    constexpr unsigned kVector = 16;
    if (end - begin >= kVector) a_.pxor(x86::xmm15, x86::xmm15);
    const auto at = [&](unsigned size) {
        return x86::ptr(x86::rcx, static_cast<std::int32_t>(begin), size);
    };
    for (; end - begin >= kVector; begin += kVector) a_.movups(at(kVector), x86::xmm15);
    for (unsigned size = kVector / 2; size != 0; size /= 2)
        if ((end - begin) & size) {
            a_.mov(at(size), imm(0));
            begin += size;
        }
}

}  // namespace e2k::translate
