#include "engine/translate/host_values.h"

#include <algorithm>
#include <utility>

namespace e2k::translate {

using asmjit::imm;
using asmjit::x86::Gp;
using asmjit::x86::Mem;
using asmjit::x86::Xmm;
using cpu::exec::RegRef;
using cpu::exec::Space;
namespace x86 = asmjit::x86;

namespace {

std::uint32_t id(int r) { return static_cast<std::uint32_t>(r); }
Gp sized_to(unsigned bits, int r) {
    if (bits == 32) return x86::gpd(id(r));
    return x86::gpq(id(r));
}
bool is_bit(const PredicateValue& v) {
    return v == PredicateValue::bit_of(v.x, static_cast<std::uint8_t>(x86::CondCode::kNZ));
}
std::uint64_t low(std::uint64_t v, unsigned bits) {
    return bits >= 64 ? v : v & ((std::uint64_t{1} << bits) - 1);
}

}  // namespace

void HostValues::start_bundle(const cpu::exec::ExecBundle& bundle, Config config, unsigned window,
                              unsigned file) {
    bundle_ = &bundle;
    rotation_ = config.rotation();
    window_ = window;
    file_ = file;
    results_.fill({});
}

void HostValues::end_operation() {
    choice_ = {};
    while (pinned_gpr_count_) cache.gpr.unpin(pinned_gprs_[--pinned_gpr_count_]);
    while (pinned_xmm_count_) cache.xmm.unpin(pinned_xmms_[--pinned_xmm_count_]);
}

void HostValues::end_bundle() {
    end_operation();
    for (Result& r : results_) {
        if (r.kind == Result::Kind::Gpr) cache.gpr.unpin(r.reg);
        if (r.kind == Result::Kind::Xmm) cache.xmm.unpin(r.reg);
        if (r.kind == Result::Kind::Compare) unpin(r.compare);
        r = {};
    }
}

unsigned HostValues::slot(RegRef r) const {
    switch (r.space) {
        case Space::Window:
            return window_ + r.index;
        case Space::Based:
            // can_emit() has checked the range.
            return window_ + static_cast<unsigned>(based_index(rotation_, r.index, kGlobalSlot));
        default:
            return kGlobalSlot + r.index;
    }
}

Mem HostValues::memory(unsigned slot, unsigned size, int offset) const {
    if (slot >= kGlobalSlot)
        return x86::ptr(host::kState,
                        static_cast<std::int32_t>(offsetof(cpu::CpuState, g) +
                                                  (slot - kGlobalSlot) * sizeof(cpu::Reg)) +
                            offset,
                        size);
    return x86::ptr(host::kWindow, static_cast<std::int32_t>(slot * sizeof(cpu::Reg)) + offset,
                    size);
}

std::optional<std::uint64_t> HostValues::constant(RegRef r, unsigned bits) const {
    if (r.space == Space::Literal) return low(bundle_->literals[r.index].lo, bits);
    const GuestValue& v = cache.at(slot(r));
    if (v.constant_bits >= bits) return low(v.constant, bits);
    return std::nullopt;
}

Extent HostValues::extent(RegRef r) const {
    if (const auto known = constant(r, 64)) return Extent::of(*known);
    return r.space == Space::Literal ? Extent() : cache.at(slot(r)).extent;
}

void HostValues::pin_gpr(int r) {
    cache.gpr.pin(r);
    pinned_gprs_[pinned_gpr_count_++] = static_cast<std::int8_t>(r);
    cache.gpr.touch(r);
}

void HostValues::pin_xmm(int r) {
    cache.xmm.pin(r);
    pinned_xmms_[pinned_xmm_count_++] = static_cast<std::int8_t>(r);
    cache.xmm.touch(r);
}

void HostValues::store(unsigned slot, const GuestValue& v) {
    if (v.constant_bits >= v.dirty) {
        const std::uint64_t value = low(v.constant, v.dirty);
        if (v.dirty == 32)
            return (void)a.mov(memory(slot, 4), imm(static_cast<std::int32_t>(value)));
        if (static_cast<std::int64_t>(value) == static_cast<std::int32_t>(value))
            return (void)a.mov(memory(slot, 8), imm(static_cast<std::int32_t>(value)));
        if (v.gpr < 0 || v.gpr_bits < 64) {
            load_constant(x86::rax, value);
            return (void)a.mov(memory(slot, 8), x86::rax);
        }
    }
    if (v.gpr >= 0 && v.gpr_bits >= v.dirty) {
        if (v.dirty == 32)
            a.mov(memory(slot, 4), x86::gpd(id(v.gpr)));
        else
            a.mov(memory(slot, 8), x86::gpq(id(v.gpr)));
    } else if (v.dirty == 32) {
        a.movss(memory(slot, 4), x86::xmm(id(v.xmm)));
    } else if (v.dirty == 64) {
        a.movsd(memory(slot, 8), x86::xmm(id(v.xmm)));
    } else {
        a.movaps(memory(slot, 16), x86::xmm(id(v.xmm)));
    }
}

void HostValues::write_back(unsigned slot) {
    const GuestValue& v = cache.at(slot);
    if (!v.dirty) return;
    store(slot, v);
    cache.set_dirty(slot, 0);
}

void HostValues::write_back_registers() {
    cache.for_each([this](unsigned slot) { write_back(slot); });
}

void HostValues::write_back_all() {
    write_back_registers();
    cache.for_each_predicate([this](unsigned p) { write_back_predicate(p); });
}

void HostValues::write_back_caller_saved() {
    cache.for_each_predicate([this](unsigned p) { write_back_predicate(p); });
    cache.for_each([this](unsigned slot) {
        const GuestValue& v = cache.at(slot);
        const bool kept = v.gpr >= 0 && v.gpr_bits >= v.dirty &&
                          !(host::kGprCallerSaved >> static_cast<unsigned>(v.gpr) & 1);
        if (!kept) write_back(slot);
    });
}

void HostValues::evict_gpr(int r) {
    cache.for_each_predicate([this, r](unsigned p) {
        if (cache.refers(p, r)) write_back_predicate(p);
    });
    cache.for_each([this, r](unsigned slot) {
        const GuestValue& v = cache.at(slot);
        if (v.gpr == r && v.dirty && !cache.covered_without(slot, r, -1)) write_back(slot);
    });
    cache.drop_gpr(r);
}

void HostValues::evict_xmm(int r) {
    cache.for_each([this, r](unsigned slot) {
        const GuestValue& v = cache.at(slot);
        if (v.xmm == r && v.dirty && !cache.covered_without(slot, -1, r)) write_back(slot);
    });
    cache.drop_xmm(r);
}

bool HostValues::ends(unsigned slot) const {
    return std::find(choice_.ends.begin(), choice_.ends.begin() + choice_.ending, slot) !=
           choice_.ends.begin() + choice_.ending;
}

/// Whether the wanted register can be had.
bool HostValues::takes(const HostFile& file, int wanted) const {
    if (wanted < 0 || file.pinned(wanted)) return false;
    return file.references(wanted) == (choice_.owned ? 1u : 0u);
}

Gp HostValues::def_over(RegRef r, const Gp& x) {
    const int id = static_cast<int>(x.id());
    const bool literal = r.space == Space::Literal;
    if (cache.gpr.pins(id) != 1 || cache.gpr.references(id) != (literal ? 0u : 1u)) return def();
    if (!literal) {
        const unsigned s = slot(r);
        if (cache.at(s).gpr != id || !ends(s)) return def();
        if (static_cast<int>(s) != choice_.destination) cache.forget_gpr(s);
    }
    return x.r64();
}

Xmm HostValues::def_over(RegRef r, const Xmm& x) {
    const int id = static_cast<int>(x.id());
    const bool literal = r.space == Space::Literal;
    if (cache.xmm.pins(id) != 1 || cache.xmm.references(id) != (literal ? 0u : 1u))
        return def_xmm();
    if (!literal) {
        const unsigned s = slot(r);
        if (cache.at(s).xmm != id || !ends(s)) return def_xmm();
        if (static_cast<int>(s) != choice_.destination) cache.forget_xmm(s);
    }
    return x;
}

int HostValues::take_gpr() {
    int r = cache.gpr.unused();
    if (r < 0) {
        r = cache.gpr.oldest(cache.needed_gprs());
        if (r < 0) r = cache.gpr.oldest(0);
        if (r >= 0) evict_gpr(r);
    }
    for (unsigned i = 0; r < 0 && i < results_.size(); ++i) {
        const Result::Kind kind = results_[i].kind;
        if (i == current_ || (kind != Result::Kind::Gpr && kind != Result::Kind::Compare)) continue;
        spill(i);
        r = cache.gpr.oldest(0);
        if (r >= 0) evict_gpr(r);
    }
    if (r < 0) {
        exhausted = true;
        r = x86::Gp::kIdSi;
    }
    pin_gpr(r);
    return r;
}

int HostValues::take_xmm() {
    int r = cache.xmm.unused();
    if (r < 0) {
        r = cache.xmm.oldest(cache.needed_xmms());
        if (r < 0) r = cache.xmm.oldest(0);
        if (r >= 0) evict_xmm(r);
    }
    if (r < 0) {
        exhausted = true;
        r = 0;
    }
    pin_xmm(r);
    return r;
}

Gp HostValues::fresh() { return x86::gpq(id(take_gpr())); }
Xmm HostValues::fresh_xmm() { return x86::xmm(id(take_xmm())); }

Gp HostValues::def() {
    const int wanted = std::exchange(choice_.gpr, -1);
    if (!takes(cache.gpr, wanted)) return fresh();
    pin_gpr(wanted);
    return x86::gpq(id(wanted));
}

Xmm HostValues::def_xmm() {
    const int wanted = std::exchange(choice_.xmm, -1);
    if (!takes(cache.xmm, wanted)) return fresh_xmm();
    pin_xmm(wanted);
    return x86::xmm(id(wanted));
}

void HostValues::load_constant(const Gp& dst, std::uint64_t value) {
    if (value <= 0xffff'ffff)
        a.mov(dst.r32(), static_cast<std::uint32_t>(value));
    else
        a.mov(dst.r64(), static_cast<std::int64_t>(value));
}

Gp HostValues::use(RegRef r, unsigned bits) {
    if (r.space != Space::Literal) return use_slot(slot(r), bits);
    const Gp dst = fresh();
    load_constant(dst, low(bundle_->literals[r.index].lo, bits));
    return dst;
}

Gp HostValues::use_slot(unsigned s, unsigned bits) {
    const GuestValue& v = cache.at(s);
    if (bits == 64 && v.dirty == 32 && (v.gpr < 0 || v.gpr_bits < 64)) merge_upper_half(s);
    if (v.gpr >= 0 && v.gpr_bits >= bits) {
        pin_gpr(v.gpr);
        return x86::gpq(id(v.gpr));
    }
    const Gp dst = fresh();
    if (v.constant_bits >= bits) {
        load_constant(dst, low(v.constant, bits));
    } else if (v.xmm >= 0 && v.xmm_bits >= bits) {
        if (bits == 32)
            a.movd(dst.r32(), x86::xmm(id(v.xmm)));
        else
            a.movq(dst, x86::xmm(id(v.xmm)));
    } else if (bits == 32) {
        a.mov(dst.r32(), memory(s, 4));
    } else {
        a.mov(dst, memory(s, 8));
    }
    cache.set_gpr(s, static_cast<int>(dst.id()), bits);
    return dst;
}

/// The low half is newer than memory, the upper half only there: both into a register.
void HostValues::merge_upper_half(unsigned slot) {
    const GuestValue& v = cache.at(slot);
    Gp half;
    if (v.gpr >= 0) {
        pin_gpr(v.gpr);
        half = x86::gpq(id(v.gpr));
    } else {
        half = fresh();
        if (v.constant_bits)
            a.mov(half.r32(), imm(static_cast<std::uint32_t>(v.constant)));
        else
            a.movd(half.r32(), x86::xmm(id(v.xmm)));
    }
    const Gp whole = fresh();
    ++flag_changes;
    a.mov(whole.r32(), memory(slot, 4, 4));
    a.shl(whole, 32);
    a.or_(whole, half);
    cache.set_gpr(slot, static_cast<int>(whole.id()), 64);
}

Xmm HostValues::use_xmm(RegRef r, unsigned bits) {
    if (r.space == Space::Literal) {
        const Xmm dst = fresh_xmm();
        const std::uint64_t value = *constant(r, bits);
        if (value == 0) {
            a.pxor(dst, dst);
        } else {
            load_constant(x86::rax, value);
            a.movq(dst, x86::rax);
        }
        return dst;
    }
    const unsigned s = slot(r);
    const GuestValue& v = cache.at(s);
    if (v.xmm >= 0 && v.xmm_bits >= bits) {
        pin_xmm(v.xmm);
        return x86::xmm(id(v.xmm));
    }
    if (bits >= 64 && v.dirty == 32 && (v.gpr < 0 || v.gpr_bits < 64)) merge_upper_half(s);
    if (v.xmm >= 0) pin_xmm(v.xmm);
    const Xmm dst = fresh_xmm();
    const unsigned part = bits != 128     ? bits
                          : v.dirty == 32 ? 64
                                          : v.dirty;  // from a register, the rest from memory
    if (part && part <= 64 && v.gpr >= 0 && v.gpr_bits >= part) {
        if (part == 32)
            a.movd(dst, x86::gpd(id(v.gpr)));
        else
            a.movq(dst, x86::gpq(id(v.gpr)));
        if (bits == 128) a.movhps(dst, memory(s, 8, 8));
    } else if (part && part <= 64 && v.constant_bits >= part) {
        load_constant(x86::rax, low(v.constant, part));
        a.movq(dst, x86::rax);
        if (bits == 128) a.movhps(dst, memory(s, 8, 8));
    } else if (bits == 128 && part == 64) {
        a.movaps(dst, x86::xmm(id(v.xmm)));
        a.movhps(dst, memory(s, 8, 8));
    } else if (bits == 32) {
        a.movss(dst, memory(s, 4));
    } else if (bits == 64) {
        a.movsd(dst, memory(s, 8));
    } else {
        a.movaps(dst, memory(s, 16));
    }
    cache.set_xmm(s, static_cast<int>(dst.id()), bits);
    return dst;
}

asmjit::Operand HostValues::use_xmm_or_memory(RegRef r, unsigned bits) {
    if (r.space == Space::Literal) return use_xmm(r, bits);
    const unsigned s = slot(r);
    const GuestValue& v = cache.at(s);
    if (v.dirty || v.xmm >= 0 || !ends(s)) return use_xmm(r, bits);
    return memory(s, bits / 8);
}

std::optional<Xmm> HostValues::only_in_xmm(RegRef r, unsigned bits) const {
    if (r.space == Space::Literal) return std::nullopt;
    const GuestValue& v = cache.at(slot(r));
    if (v.xmm >= 0 && v.xmm_bits >= bits && v.gpr < 0 && !v.constant_bits)
        return x86::xmm(id(v.xmm));
    return std::nullopt;
}

void HostValues::set_result(const Gp& r, bool owned) {
    Result& result = results_[current_];
    result.kind = Result::Kind::Gpr;
    result.reg = static_cast<std::int8_t>(r.id());
    result.owned = owned;
    cache.gpr.pin(result.reg);
}

void HostValues::set_result(const Xmm& r, unsigned bits) {
    Result& result = results_[current_];
    result.kind = Result::Kind::Xmm;
    result.reg = static_cast<std::int8_t>(r.id());
    result.xmm_bits = static_cast<std::uint8_t>(bits);
    cache.xmm.pin(result.reg);
}

void HostValues::set_constant(std::uint64_t value) {
    results_[current_].kind = Result::Kind::Constant;
    results_[current_].constant = value;
}

void HostValues::set_compare(x86::CondCode condition, bool test, unsigned bits, const Gp& x,
                             const Gp* y, std::int32_t immediate) {
    PredicateValue compare;
    compare.kind = PredicateValue::Kind::Compare;
    compare.test = test;
    compare.condition = static_cast<std::uint8_t>(condition);
    compare.bits = static_cast<std::uint8_t>(bits);
    compare.x = static_cast<std::int8_t>(x.id());
    compare.y = static_cast<std::int8_t>(y ? static_cast<int>(y->id()) : -1);
    compare.immediate = immediate;
    set_compare(compare);
}

void HostValues::set_compare(const PredicateValue& compare) {
    Result& result = results_[current_];
    result.kind = Result::Kind::Compare;
    result.compare = compare;
    cache.gpr.pin(compare.x);
    if (compare.y >= 0) cache.gpr.pin(compare.y);
}

void HostValues::unpin(const PredicateValue& compare) {
    cache.gpr.unpin(compare.x);
    if (compare.y >= 0) cache.gpr.unpin(compare.y);
}

unsigned HostValues::predicate_index(unsigned logical) const {
    return file_ * 32 + pred_phys(rotation_, logical);
}

Mem HostValues::predicate_memory(unsigned p) const {
    if (p < 32)
        return x86::ptr(host::kState, static_cast<std::int32_t>(offsetof(cpu::CpuState, pred) + p),
                        1);
    return x86::ptr(x86::rsp, static_cast<std::int32_t>(offsetof(Frame, predicates) + (p - 32)), 1);
}

x86::CondCode HostValues::test(const PredicateValue& v, unsigned p) {
    ++flag_changes;
    switch (v.kind) {
        case PredicateValue::Kind::Memory:
            a.test(predicate_memory(p), imm(cpu::kPredValue));
            return x86::CondCode::kNZ;
        case PredicateValue::Kind::Constant:
            a.cmp(x86::eax, x86::eax);
            return v.value ? x86::CondCode::kZ : x86::CondCode::kNZ;
        default:
            break;
    }
    const Gp x = sized_to(v.bits, v.x);
    const asmjit::InstId instruction = v.test ? x86::Inst::kIdTest : x86::Inst::kIdCmp;
    if (v.y >= 0)
        a.emit(instruction, x, sized_to(v.bits, v.y));
    else if (!v.test && v.immediate == 0)
        a.test(x, x);  // the flags of a comparison with 0
    else
        a.emit(instruction, x, imm(v.immediate));
    return static_cast<x86::CondCode>(v.condition);
}

void HostValues::write_back_predicate(unsigned p) {
    const unsigned from = cache.origin(p);
    const PredicateValue& v = cache.predicate(from);
    if (from == p && !v.lazy()) return;
    if (v.kind == PredicateValue::Kind::Constant) {
        a.mov(predicate_memory(p), imm(v.value ? 1 : 0));
        // Memory has it now, and it is still known.
        PredicateValue known = v;
        known.stored = true;
        return cache.set_predicate(p, known);
    }
    if (v.kind == PredicateValue::Kind::Compare) {
        if (is_bit(v))
            a.mov(predicate_memory(p), x86::gpb_lo(id(v.x)));
        else
            a.set(test(v, from), predicate_memory(p));
    } else {
        a.movzx(x86::eax, predicate_memory(from));
        a.mov(predicate_memory(p), x86::al);
    }
    cache.set_predicate(p, {});
}

void HostValues::load_predicate(const Gp& to, unsigned p) {
    p = cache.origin(p);
    const PredicateValue& v = cache.predicate(p);
    if (v.kind == PredicateValue::Kind::Memory) {
        a.movzx(to.r32(), predicate_memory(p));
    } else if (v.kind == PredicateValue::Kind::Constant) {
        a.mov(to.r32(), imm(v.value ? 1 : 0));
    } else if (is_bit(v)) {
        a.mov(to.r32(), x86::gpd(id(v.x)));
    } else {
        a.set(test(v, p), to.r8());
    }
}

void HostValues::commit(unsigned slot, const Result& r, unsigned bits) {
    // What memory does not have of the part that stays.
    if (cache.at(slot).dirty > bits) write_back(slot);
    cache.forget(slot);
    if (r.kind == Result::Kind::Constant)
        cache.set_constant(slot, low(r.constant, bits), bits);
    else if (r.kind == Result::Kind::Gpr)
        cache.set_gpr(slot, r.reg, bits);
    else
        cache.set_xmm(slot, r.reg, bits);
    cache.set_dirty(slot, bits);
    if (bits == 64) cache.set_extent(slot, r.extent);
}

Mem HostValues::spill_slot(unsigned index) const {
    return x86::ptr(x86::rsp, static_cast<std::int32_t>(offsetof(Frame, spill) + index * 16));
}

void HostValues::spill(unsigned index) {
    Result& r = results_[index];
    if (r.kind == Result::Kind::Compare) {
        if (is_bit(r.compare))
            a.mov(spill_slot(index), x86::gpq(id(r.compare.x)));
        else
            a.set(test(r.compare, 0), spill_slot(index));
        unpin(r.compare);
        r.kind = Result::Kind::SpilledGpr;
        return;
    }
    if (r.kind == Result::Kind::Gpr) {
        a.mov(spill_slot(index), x86::gpq(id(r.reg)));
        cache.gpr.unpin(r.reg);
        r.kind = Result::Kind::SpilledGpr;
    } else if (r.kind == Result::Kind::Xmm) {
        a.movaps(spill_slot(index), x86::xmm(id(r.reg)));
        cache.xmm.unpin(r.reg);
        r.kind = Result::Kind::SpilledXmm;
    }
}

Gp HostValues::result_gpr(unsigned index) {
    Result& r = results_[index];
    if (r.kind == Result::Kind::Gpr) return x86::gpq(id(r.reg));
    const unsigned before = current_;
    current_ = index;
    const Gp dst = fresh();
    if (r.kind == Result::Kind::Constant)
        load_constant(dst, r.constant);
    else if (r.kind == Result::Kind::Xmm && r.xmm_bits == 32)
        a.movd(dst.r32(), x86::xmm(id(r.reg)));  // zero-extended as all 32-bit results
    else if (r.kind == Result::Kind::Xmm)
        a.movq(dst, x86::xmm(id(r.reg)));
    else if (r.kind == Result::Kind::Compare && is_bit(r.compare))
        a.mov(dst.r32(), x86::gpd(id(r.compare.x)));
    else if (r.kind == Result::Kind::Compare)
        a.set(test(r.compare, 0), dst.r8());
    else
        a.mov(dst, spill_slot(index));
    if (r.kind == Result::Kind::Compare) unpin(r.compare);
    if (r.kind == Result::Kind::Xmm) cache.xmm.unpin(r.reg);
    set_result(dst);
    current_ = before;
    return dst;
}

Gp HostValues::owned_gpr(unsigned index) {
    const Gp r = result_gpr(index);
    Result& result = results_[index];
    if (result.owned) return r;
    const unsigned before = current_;
    current_ = index;
    const Gp copy = fresh();
    a.mov(copy, r);
    cache.gpr.unpin(static_cast<int>(r.id()));
    set_result(copy);
    current_ = before;
    return copy;
}

Xmm HostValues::result_xmm(unsigned index) {
    Result& r = results_[index];
    if (r.kind == Result::Kind::Xmm) return x86::xmm(id(r.reg));
    const unsigned before = current_;
    current_ = index;
    const Xmm dst = fresh_xmm();
    a.movaps(dst, spill_slot(index));
    set_result(dst, r.xmm_bits);
    current_ = before;
    return dst;
}

void HostValues::make_room(unsigned gprs, unsigned xmms) {
    const auto free_gprs = [&] {
        return static_cast<unsigned>(std::popcount(cache.gpr.available() & ~cache.needed_gprs()));
    };
    while (free_gprs() < gprs) {
        const int r = cache.gpr.oldest(~cache.needed_gprs());
        if (r >= 0) {
            evict_gpr(r);
            continue;
        }
        unsigned i = 0;
        while (i < results_.size() &&
               (i == current_ || (results_[i].kind != Result::Kind::Gpr &&
                                  results_[i].kind != Result::Kind::Compare)))
            ++i;
        if (i == results_.size()) break;
        spill(i);
    }
    while (static_cast<unsigned>(std::popcount(cache.xmm.available() & ~cache.needed_xmms())) <
           xmms) {
        const int r = cache.xmm.oldest(~cache.needed_xmms());
        if (r < 0) break;
        evict_xmm(r);
    }
}

void HostValues::spill_results() {
    for (unsigned i = 0; i < results_.size(); ++i) {
        const Result& r = results_[i];
        const bool saved = r.kind == Result::Kind::Gpr &&
                           !(host::kGprCallerSaved >> static_cast<unsigned>(r.reg) & 1);
        if (!saved) spill(i);
    }
}

void HostValues::forget_caller_saved() {
    for (unsigned r = 0; r < kHostRegisters; ++r) {
        if (host::kGprCallerSaved >> r & 1) cache.drop_gpr(static_cast<int>(r));
        if (host::kXmmPool >> r & 1) cache.drop_xmm(static_cast<int>(r));
    }
}

}  // namespace e2k::translate
