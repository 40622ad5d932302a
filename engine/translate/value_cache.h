// Which guest registers are known to be in which host registers while code is emitted. Memory (the
// window file) always holds the truth at a bundle boundary, so forgetting costs only a load.
#pragma once

#include <array>
#include <cstdint>

namespace e2k::translate {

/// Guest registers by cache index: 0..223 window registers, 224..255 globals.
inline constexpr unsigned kGlobalSlot = 224;
inline constexpr unsigned kGuestRegisters = 256;
inline constexpr unsigned kHostRegisters = 16;

/// What is known of one guest register. A register may be in a GPR and an XMM at once, or be a
/// known constant; `bits` says how many low bits agree with the guest's.
struct GuestValue {
    std::int8_t gpr = -1, xmm = -1;
    std::uint8_t gpr_bits = 0;       ///< 32 (upper half of the host register is 0) or 64
    std::uint8_t xmm_bits = 0;       ///< 32, 64 or 128
    std::uint8_t constant_bits = 0;  ///< 0: not constant
    std::uint64_t constant = 0;
};

/// Bookkeeping of one kind of host register. Contents never change while something refers to them.
class HostFile {
public:
    explicit HostFile(std::uint32_t pool) : pool_(pool) {}
    /// A register nothing refers to, or -1.
    int unused() const;
    /// The register used longest ago that is not pinned, or -1.
    int oldest() const;
    void touch(int r) { stamp_[index(r)] = ++clock_; }
    void pin(int r) { ++pins_[index(r)]; }
    void unpin(int r) { --pins_[index(r)]; }
    void refer(int r) { ++refs_[index(r)]; }
    void release(int r) { --refs_[index(r)]; }
    bool pinned(int r) const { return pins_[index(r)] != 0; }
    unsigned available() const;  ///< registers that are not pinned
    std::uint32_t pool() const { return pool_; }

private:
    static std::size_t index(int r) { return static_cast<std::size_t>(r); }
    std::uint32_t pool_;
    std::uint32_t clock_ = 0;
    std::array<std::uint32_t, kHostRegisters> stamp_{};
    std::array<std::uint16_t, kHostRegisters> pins_{}, refs_{};
};

class ValueCache {
public:
    ValueCache(std::uint32_t gpr_pool, std::uint32_t xmm_pool) : gpr(gpr_pool), xmm(xmm_pool) {}

    const GuestValue& at(unsigned slot) const { return values_[slot]; }
    void set_gpr(unsigned slot, int r, unsigned bits);  ///< adds a place
    void set_xmm(unsigned slot, int r, unsigned bits);
    void set_constant(unsigned slot, std::uint64_t value, unsigned bits);
    void forget(unsigned slot);
    void forget_all();
    /// Makes host register `r` free: no guest register is in it any more.
    void drop_gpr(int r);
    void drop_xmm(int r);
    /// Keeps only what both this and `other` know.
    void intersect(const ValueCache& other);

    HostFile gpr, xmm;

private:
    void drop_gpr_of(unsigned slot);
    void drop_xmm_of(unsigned slot);
    std::array<GuestValue, kGuestRegisters> values_{};
};

}  // namespace e2k::translate
