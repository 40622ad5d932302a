#include "engine/translate/value_cache.h"

#include <bit>

namespace e2k::translate {

int HostFile::unused() const {
    for (std::uint32_t m = pool_; m; m &= m - 1) {
        const int r = std::countr_zero(m);
        if (!pins_[index(r)] && !refs_[index(r)]) return r;
    }
    return -1;
}

int HostFile::oldest() const {
    int best = -1;
    for (std::uint32_t m = pool_; m; m &= m - 1) {
        const int r = std::countr_zero(m);
        if (pins_[index(r)]) continue;
        if (best < 0 || stamp_[index(r)] < stamp_[index(best)]) best = r;
    }
    return best;
}

unsigned HostFile::available() const {
    unsigned n = 0;
    for (std::uint32_t m = pool_; m; m &= m - 1)
        n += pins_[static_cast<std::size_t>(std::countr_zero(m))] == 0;
    return n;
}

void ValueCache::drop_gpr_of(unsigned slot) {
    GuestValue& v = values_[slot];
    if (v.gpr < 0) return;
    gpr.release(v.gpr);
    v.gpr = -1;
    v.gpr_bits = 0;
}

void ValueCache::drop_xmm_of(unsigned slot) {
    GuestValue& v = values_[slot];
    if (v.xmm < 0) return;
    xmm.release(v.xmm);
    v.xmm = -1;
    v.xmm_bits = 0;
}

void ValueCache::set_gpr(unsigned slot, int r, unsigned bits) {
    drop_gpr_of(slot);
    GuestValue& v = values_[slot];
    v.gpr = static_cast<std::int8_t>(r);
    v.gpr_bits = static_cast<std::uint8_t>(bits);
    gpr.refer(r);
    gpr.touch(r);
}

void ValueCache::set_xmm(unsigned slot, int r, unsigned bits) {
    drop_xmm_of(slot);
    GuestValue& v = values_[slot];
    v.xmm = static_cast<std::int8_t>(r);
    v.xmm_bits = static_cast<std::uint8_t>(bits);
    xmm.refer(r);
    xmm.touch(r);
}

void ValueCache::set_constant(unsigned slot, std::uint64_t value, unsigned bits) {
    values_[slot].constant = value;
    values_[slot].constant_bits = static_cast<std::uint8_t>(bits);
}

void ValueCache::forget(unsigned slot) {
    drop_gpr_of(slot);
    drop_xmm_of(slot);
    values_[slot].constant_bits = 0;
}

void ValueCache::forget_all() {
    for (unsigned i = 0; i < kGuestRegisters; ++i) forget(i);
}

void ValueCache::drop_gpr(int r) {
    for (unsigned i = 0; i < kGuestRegisters; ++i)
        if (values_[i].gpr == r) drop_gpr_of(i);
}

void ValueCache::drop_xmm(int r) {
    for (unsigned i = 0; i < kGuestRegisters; ++i)
        if (values_[i].xmm == r) drop_xmm_of(i);
}

void ValueCache::intersect(const ValueCache& other) {
    for (unsigned i = 0; i < kGuestRegisters; ++i) {
        const GuestValue &mine = values_[i], &theirs = other.values_[i];
        if (mine.gpr != theirs.gpr || mine.gpr_bits != theirs.gpr_bits) drop_gpr_of(i);
        if (mine.xmm != theirs.xmm || mine.xmm_bits != theirs.xmm_bits) drop_xmm_of(i);
        if (mine.constant_bits != theirs.constant_bits || mine.constant != theirs.constant)
            values_[i].constant_bits = 0;
    }
}

}  // namespace e2k::translate
