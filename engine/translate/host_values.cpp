#include "engine/translate/host_values.h"

namespace e2k::translate {

using asmjit::x86::Gp;
using asmjit::x86::Mem;
using asmjit::x86::Xmm;
using cpu::exec::RegRef;
using cpu::exec::Space;
namespace x86 = asmjit::x86;

namespace {

constexpr unsigned kRoom = 5;  ///< three operands, a result, one to spare

std::uint32_t id(int r) { return static_cast<std::uint32_t>(r); }
std::uint64_t low(std::uint64_t v, unsigned bits) {
    return bits >= 64 ? v : v & ((std::uint64_t{1} << bits) - 1);
}

}  // namespace

void HostValues::start_bundle(const cpu::exec::ExecBundle& bundle, Config config) {
    bundle_ = &bundle;
    rotation_ = config.rotation();
    results_.fill({});
}

void HostValues::end_operation() {
    while (pinned_gpr_count_) cache.gpr.unpin(pinned_gprs_[--pinned_gpr_count_]);
    while (pinned_xmm_count_) cache.xmm.unpin(pinned_xmms_[--pinned_xmm_count_]);
}

void HostValues::end_bundle() {
    end_operation();
    for (Result& r : results_) {
        if (r.kind == Result::Kind::Gpr) cache.gpr.unpin(r.reg);
        if (r.kind == Result::Kind::Xmm) cache.xmm.unpin(r.reg);
        r = {};
    }
}

unsigned HostValues::slot(RegRef r) const {
    switch (r.space) {
        case Space::Window:
            return r.index;
        case Space::Based:
            // can_emit() has checked the range.
            return static_cast<unsigned>(based_index(rotation_, r.index, kGlobalSlot));
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

int HostValues::take_gpr() {
    int r = cache.gpr.unused();
    if (r < 0) {
        r = cache.gpr.oldest();
        if (r >= 0) cache.drop_gpr(r);
    }
    for (unsigned i = 0; r < 0 && i < results_.size(); ++i) {
        if (i == current_ || results_[i].kind != Result::Kind::Gpr) continue;
        spill(i);
        r = cache.gpr.oldest();
        if (r >= 0) cache.drop_gpr(r);
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
        r = cache.xmm.oldest();
        if (r >= 0) cache.drop_xmm(r);
    }
    if (r < 0) {
        exhausted = true;
        r = 0;
    }
    pin_xmm(r);
    return r;
}

Gp HostValues::def() { return x86::gpq(id(take_gpr())); }
Xmm HostValues::def_xmm() { return x86::xmm(id(take_xmm())); }

void HostValues::load_constant(const Gp& dst, std::uint64_t value) {
    if (value <= 0xffff'ffff)
        a.mov(dst.r32(), static_cast<std::uint32_t>(value));
    else
        a.mov(dst.r64(), static_cast<std::int64_t>(value));
}

Gp HostValues::use(RegRef r, unsigned bits) {
    if (const auto value = constant(r, bits)) {
        if (r.space != Space::Literal) {
            const GuestValue& v = cache.at(slot(r));
            if (v.gpr >= 0 && v.gpr_bits >= bits) {
                pin_gpr(v.gpr);
                return x86::gpq(id(v.gpr));
            }
        }
        const Gp dst = def();
        load_constant(dst, *value);
        if (r.space != Space::Literal) cache.set_gpr(slot(r), static_cast<int>(dst.id()), bits);
        return dst;
    }
    const unsigned s = slot(r);
    const GuestValue& v = cache.at(s);
    if (v.gpr >= 0 && v.gpr_bits >= bits) {
        pin_gpr(v.gpr);
        return x86::gpq(id(v.gpr));
    }
    const Gp dst = def();
    if (v.xmm >= 0 && v.xmm_bits >= bits) {
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

Xmm HostValues::use_xmm(RegRef r, unsigned bits) {
    if (r.space == Space::Literal) {
        const Xmm dst = def_xmm();
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
    const Xmm dst = def_xmm();
    if (bits <= 64 && v.gpr >= 0 && v.gpr_bits >= bits) {
        if (bits == 32)
            a.movd(dst, x86::gpd(id(v.gpr)));
        else
            a.movq(dst, x86::gpq(id(v.gpr)));
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

Mem HostValues::spill_slot(unsigned index) const {
    return x86::ptr(x86::rsp, static_cast<std::int32_t>(offsetof(Frame, spill) + index * 16));
}

void HostValues::spill(unsigned index) {
    Result& r = results_[index];
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
    const Gp dst = def();
    if (r.kind == Result::Kind::Constant)
        load_constant(dst, r.constant);
    else if (r.kind == Result::Kind::Xmm && r.xmm_bits == 32)
        a.movd(dst.r32(), x86::xmm(id(r.reg)));  // zero-extended as all 32-bit results
    else if (r.kind == Result::Kind::Xmm)
        a.movq(dst, x86::xmm(id(r.reg)));
    else
        a.mov(dst, spill_slot(index));
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
    const Gp copy = def();
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
    const Xmm dst = def_xmm();
    a.movaps(dst, spill_slot(index));
    set_result(dst, r.xmm_bits);
    current_ = before;
    return dst;
}

void HostValues::make_room() {
    for (unsigned i = 0; i < results_.size() && cache.gpr.available() < kRoom; ++i)
        if (i != current_ && results_[i].kind == Result::Kind::Gpr) spill(i);
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
