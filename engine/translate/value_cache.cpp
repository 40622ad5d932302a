#include "engine/translate/value_cache.h"

#include <algorithm>

namespace e2k::translate {

int HostFile::unused() const {
    for (std::uint32_t m = pool_; m; m &= m - 1) {
        const int r = std::countr_zero(m);
        if (!pins_[index(r)] && !refs_[index(r)]) return r;
    }
    return -1;
}

int HostFile::oldest(std::uint32_t avoid) const {
    int best = -1;
    for (std::uint32_t m = pool_ & ~avoid; m; m &= m - 1) {
        const int r = std::countr_zero(m);
        if (pins_[index(r)]) continue;
        if (best < 0 || stamp_[index(r)] < stamp_[index(best)]) best = r;
    }
    return best;
}

std::uint32_t HostFile::available() const {
    std::uint32_t set = 0;
    for (std::uint32_t m = pool_; m; m &= m - 1) {
        const int r = std::countr_zero(m);
        if (!pins_[index(r)]) set |= 1u << r;
    }
    return set;
}

void ValueCache::update(unsigned slot) {
    const GuestValue& v = values_[slot];
    const std::uint64_t bit = std::uint64_t{1} << slot % 64;
    if (v.gpr >= 0 || v.xmm >= 0 || v.constant_bits || v.dirty || v.extent.known())
        active_[slot / 64] |= bit;
    else
        active_[slot / 64] &= ~bit;
    version += v.dirty != 0;
}

void ValueCache::forget_gpr(unsigned slot) {
    GuestValue& v = values_[slot];
    if (v.gpr < 0) return;
    gpr.release(v.gpr);
    v.gpr = -1;
    v.gpr_bits = 0;
    update(slot);
}

void ValueCache::forget_xmm(unsigned slot) {
    GuestValue& v = values_[slot];
    if (v.xmm < 0) return;
    xmm.release(v.xmm);
    v.xmm = -1;
    v.xmm_bits = 0;
    update(slot);
}

void ValueCache::set_gpr(unsigned slot, int r, unsigned bits) {
    forget_gpr(slot);
    GuestValue& v = values_[slot];
    v.gpr = static_cast<std::int8_t>(r);
    v.gpr_bits = static_cast<std::uint8_t>(bits);
    gpr.refer(r);
    gpr.touch(r);
    update(slot);
}

void ValueCache::set_xmm(unsigned slot, int r, unsigned bits) {
    forget_xmm(slot);
    GuestValue& v = values_[slot];
    v.xmm = static_cast<std::int8_t>(r);
    v.xmm_bits = static_cast<std::uint8_t>(bits);
    xmm.refer(r);
    xmm.touch(r);
    update(slot);
}

void ValueCache::set_constant(unsigned slot, std::uint64_t value, unsigned bits) {
    values_[slot].constant = value;
    values_[slot].constant_bits = static_cast<std::uint8_t>(bits);
    update(slot);
}

void ValueCache::set_dirty(unsigned slot, unsigned bits) {
    if (values_[slot].dirty == bits) return;
    ++version;
    values_[slot].dirty = static_cast<std::uint8_t>(bits);
    update(slot);
}

void ValueCache::set_extent(unsigned slot, Extent extent) {
    values_[slot].extent = extent;
    update(slot);
}

void ValueCache::forget(unsigned slot) {
    set_dirty(slot, 0);
    values_[slot].extent = {};
    values_[slot].constant_bits = 0;
    forget_gpr(slot);
    forget_xmm(slot);
    update(slot);
}

void ValueCache::forget_all() {
    for_each([this](unsigned slot) { forget(slot); });
    for_each_predicate([this](unsigned p) { set_predicate(p, {}); });
    stored_ctprs = 0;
}

void ValueCache::drop_gpr(int r) {
    if (!gpr.referred(r)) return;
    for_each([this, r](unsigned slot) {
        if (values_[slot].gpr == r) forget_gpr(slot);
    });
}

void ValueCache::drop_xmm(int r) {
    if (!xmm.referred(r)) return;
    for_each([this, r](unsigned slot) {
        if (values_[slot].xmm == r) forget_xmm(slot);
    });
}

bool ValueCache::covered_without(unsigned slot, int gpr_register, int xmm_register) const {
    const GuestValue& v = values_[slot];
    return (v.gpr >= 0 && v.gpr != gpr_register && v.gpr_bits >= v.dirty) ||
           (v.xmm >= 0 && v.xmm != xmm_register && v.xmm_bits >= v.dirty) ||
           v.constant_bits >= v.dirty;
}

std::uint32_t ValueCache::needed_gprs() const {
    std::uint32_t set = 0;
    for_each([&](unsigned slot) {
        const GuestValue& v = values_[slot];
        if (v.dirty && v.gpr >= 0 && !covered_without(slot, v.gpr, -1)) set |= 1u << v.gpr;
    });
    for_each_predicate([&](unsigned p) {
        if (predicates_[p].x >= 0) set |= 1u << predicates_[p].x;
        if (predicates_[p].y >= 0) set |= 1u << predicates_[p].y;
    });
    return set;
}

std::uint32_t ValueCache::needed_xmms() const {
    std::uint32_t set = 0;
    for_each([&](unsigned slot) {
        const GuestValue& v = values_[slot];
        if (v.dirty && v.xmm >= 0 && !covered_without(slot, -1, v.xmm)) set |= 1u << v.xmm;
    });
    return set;
}

void ValueCache::set_predicate(unsigned p, const PredicateValue& value) {
    PredicateValue& now = predicates_[p];
    if (value.x >= 0) gpr.refer(value.x);
    if (value.y >= 0) gpr.refer(value.y);
    if (now.x >= 0) gpr.release(now.x);
    if (now.y >= 0) gpr.release(now.y);
    now = value;
    const std::uint64_t bit = std::uint64_t{1} << p % 64;
    if (value.lazy())
        lazy_[p / 64] |= bit;
    else
        lazy_[p / 64] &= ~bit;
    ++version;
}

void ValueCache::inherit_predicates(unsigned file) {
    PredicateValue inherited;
    inherited.kind = PredicateValue::Kind::Inherited;
    for (unsigned p = file * 32; p < (file + 1) * 32; ++p) set_predicate(p, inherited);
}

void ValueCache::forget_predicates(unsigned file) {
    for (unsigned p = file * 32; p < (file + 1) * 32; ++p) set_predicate(p, {});
}

bool ValueCache::merge(const ValueCache& before) {
    bool complete = true;
    const auto both = [&](unsigned slot) {
        const GuestValue& old = before.values_[slot];
        GuestValue& now = values_[slot];
        if (now.gpr != old.gpr || now.gpr_bits != old.gpr_bits) forget_gpr(slot);
        if (now.xmm != old.xmm || now.xmm_bits != old.xmm_bits) forget_xmm(slot);
        if (now.constant_bits != old.constant_bits || now.constant != old.constant)
            now.constant_bits = 0;
        // Written back inside only if executed: it still has to be.
        set_dirty(slot, old.dirty);
        now.extent = old.extent;  // checked inside only if executed
        update(slot);
        if (now.dirty && !covered_without(slot, -1, -1)) complete = false;
    };
    for_each(both);
    before.for_each(both);
    if (!std::equal(predicates_.begin(), predicates_.end(), before.predicates_.begin()))
        complete = false;
    stored_ctprs &= before.stored_ctprs;
    ++version;
    return complete;
}

}  // namespace e2k::translate
