// Regions that run while some register or predicate is diagnostic: what they must not meet, and the
// tags of what they overwrite (tag_sets.h).
#include <array>
#include <cstring>

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

/// Whether a speculative load of the bundle that fails is done here.
bool RegionEmitter::fails_here(unsigned i) const {
    if (!request_.exact_tags) return true;  // no tag is ever looked at
    return tags_ && request_.probing.contains(node_->address) && may_go_on(*tags_, *node_, i);
}

/// At the beginning of a bundle: none of its loads has failed yet.
void RegionEmitter::expect_no_failure() {
    if (!tags_) return;
    for (unsigned i = 0; i < b_->op_count; ++i)
        if (fails_here(i)) {
            a_.mov(x86::dword_ptr(x86::rsp, offsetof(Frame, failed)), imm(0));
            return;
        }
}

/// In cold code: load `i` has failed.
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
    const auto tag_of = [&](unsigned slot) {
        if (slot >= kGlobalSlot) return state(offsetof(CpuState, g_tags) + (slot - kGlobalSlot), 1);
        if (!loaded) a_.mov(x86::rcx, state(offsetof(CpuState, window_tags), 8));
        loaded = true;
        return x86::byte_ptr(x86::rcx, static_cast<std::int32_t>(slot));
    };
    const auto clear = [&](unsigned slot, unsigned mask) {
        if ((clean.mask(slot) & mask) == mask) return;
        const Mem tag = tag_of(slot);
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
        if (!fails_here(i)) continue;
        const MicroOp& op = b_->ops[i];
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
