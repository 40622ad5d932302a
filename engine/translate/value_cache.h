// Where the values of guest registers and predicates are while code is emitted: in memory (the
// window file, the predicate file), in host registers, or known. A value may be newer than memory
// ("dirty"); then it is written back when its register is needed, where the region is left, and, by
// the recovery table (region.h), where a bundle is handed to the interpreter.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "engine/translate/extent.h"

namespace e2k::translate {

/// Guest registers by cache index: window registers, counted from the window of the region's entry
/// (callees inside the region lie above it), then globals.
inline constexpr unsigned kGlobalSlot = 448;
inline constexpr unsigned kGuestRegisters = 480;
inline constexpr unsigned kHostRegisters = 16;
/// Predicate files: that of the region's entry and those of callees inside the region.
inline constexpr unsigned kPredicateFiles = 4;
inline constexpr unsigned kPredicates = 32 * kPredicateFiles;

/// What is known of one guest register. A register may be in a GPR and an XMM at once, or be a
/// known constant; `bits` says how many low bits agree with the guest's.
struct GuestValue {
    std::uint64_t constant = 0;
    std::int8_t gpr = -1, xmm = -1;
    std::uint8_t gpr_bits = 0;       ///< 32 (upper half of the host register is 0) or 64
    std::uint8_t xmm_bits = 0;       ///< 32, 64 or 128
    std::uint8_t constant_bits = 0;  ///< 0: not constant
    std::uint8_t dirty = 0;          ///< low bits that memory does not have yet: 0, 32, 64, 128
    Extent extent;                   ///< of the 64-bit value, wherever it is
};

/// GuestValue by slot. Made and copied for what is in it, not for its size: copies are taken at
/// every branch, and nothing is known of most registers.
class SparseValues {
public:
    SparseValues() {}
    SparseValues(const SparseValues& other) { *this = other; }
    SparseValues& operator=(const SparseValues& other) {
        used_ = other.used_;
        for (unsigned w = 0; w < used_.size(); ++w)
            for (std::uint64_t m = used_[w]; m; m &= m - 1) {
                const unsigned slot = w * 64 + static_cast<unsigned>(std::countr_zero(m));
                std::construct_at(&values_[slot], other.values_[slot]);
            }
        return *this;
    }
    const GuestValue& operator[](unsigned slot) const {
        static constexpr GuestValue kNothing;
        return used_[slot / 64] >> slot % 64 & 1 ? values_[slot] : kNothing;
    }
    GuestValue& operator[](unsigned slot) {
        if (!(used_[slot / 64] >> slot % 64 & 1)) {
            used_[slot / 64] |= std::uint64_t{1} << slot % 64;
            std::construct_at(&values_[slot]);
        }
        return values_[slot];
    }

private:
    std::array<std::uint64_t, (kGuestRegisters + 63) / 64> used_{};
    union {
        GuestValue values_[kGuestRegisters];  ///< made where `used_` says so
    };
    static_assert(std::is_trivially_copyable_v<GuestValue>);
};

/// What is known of one predicate.
struct PredicateValue {
    enum class Kind : std::uint8_t {
        Memory,     ///< the byte in its file
        Constant,   ///< `value`; in memory if `stored`
        Compare,    ///< x CONDITION y, not in memory yet
        Inherited,  ///< that of the caller's file (callees inside the region)
    } kind = Kind::Memory;
    bool value = false;
    bool test = false;           ///< flags of `test x, y`, not of `cmp x, y`
    bool stored = false;         ///< Constant: memory has it
    std::uint8_t condition = 0;  ///< asmjit::x86::CondCode
    std::uint8_t bits = 32;
    std::int8_t x = -1, y = -1;  ///< host registers; y -1: `immediate`
    std::int32_t immediate = 0;

    /// Known to be so, but not in memory.
    static PredicateValue known(bool value) {
        PredicateValue v;
        v.kind = Kind::Constant;
        v.value = value;
        return v;
    }
    /// Bit 0 of a host register, whose other bits do not matter.
    static PredicateValue bit_of(int r, std::uint8_t condition_not_zero) {
        PredicateValue v;
        v.kind = Kind::Compare;
        v.test = true;
        v.condition = condition_not_zero;
        v.x = static_cast<std::int8_t>(r);
        v.immediate = 1;
        return v;
    }
    /// Memory does not have it yet.
    bool lazy() const { return kind == Kind::Compare || (kind == Kind::Constant && !stored); }
    bool operator==(const PredicateValue&) const = default;
};

/// Bookkeeping of one kind of host register. Contents never change while something refers to them.
class HostFile {
public:
    explicit HostFile(std::uint32_t pool) : pool_(pool) {}
    /// A register nothing refers to, or -1.
    int unused() const;
    /// The register used longest ago that is not pinned and not in `avoid`, or -1.
    int oldest(std::uint32_t avoid) const;
    void touch(int r) { stamp_[index(r)] = ++clock_; }
    void pin(int r) { ++pins_[index(r)]; }
    void unpin(int r) { --pins_[index(r)]; }
    void refer(int r) { ++refs_[index(r)]; }
    void release(int r) { --refs_[index(r)]; }
    bool pinned(int r) const { return pins_[index(r)] != 0; }
    bool referred(int r) const { return refs_[index(r)] != 0; }
    unsigned pins(int r) const { return pins_[index(r)]; }
    unsigned references(int r) const { return refs_[index(r)]; }
    std::uint32_t pool() const { return pool_; }
    /// Registers that are not pinned.
    std::uint32_t available() const;

private:
    static std::size_t index(int r) { return static_cast<std::size_t>(r); }
    std::uint32_t pool_;
    std::uint32_t clock_ = 0;
    std::array<std::uint32_t, kHostRegisters> stamp_{};
    std::array<std::uint16_t, kHostRegisters> pins_{}, refs_{};
};

/// What has been found out about the array access unit: that parts of it are as predicted
/// (emit/array_facts.cpp).
struct ArrayFacts {
    std::uint64_t areas = 0;  ///< bit n: area n but for its index; the unit is active
    std::uint8_t steps = 1;   ///< bit n: %aaincrN; that of 0 is always 1
    bool stale = false;       ///< a new set-up: what was predicted is that of an old one
};

class ValueCache {
public:
    ValueCache(std::uint32_t gpr_pool, std::uint32_t xmm_pool) : gpr(gpr_pool), xmm(xmm_pool) {}

    const GuestValue& at(unsigned slot) const { return values_[slot]; }
    /// Of the 64-bit value, also if it is a constant.
    Extent extent(unsigned slot) const {
        const GuestValue& v = at(slot);
        return v.constant_bits >= 64 ? Extent::of(v.constant) : v.extent;
    }
    void set_gpr(unsigned slot, int r, unsigned bits);  ///< adds a place
    void set_xmm(unsigned slot, int r, unsigned bits);
    void set_constant(unsigned slot, std::uint64_t value, unsigned bits);
    void set_dirty(unsigned slot, unsigned bits);
    void set_extent(unsigned slot, Extent extent);
    void forget_constant(unsigned slot) { values_[slot].constant_bits = 0; }
    void forget_gpr(unsigned slot);
    void forget_xmm(unsigned slot);
    void forget(unsigned slot);  ///< whatever it is, also if dirty
    void forget_all();
    /// Makes host register `r` free: no guest register is in it any more.
    void drop_gpr(int r);
    void drop_xmm(int r);
    /// Whether some place other than host register (`gpr`, `xmm`; -1 none) has the dirty bits.
    bool covered_without(unsigned slot, int gpr_register, int xmm_register) const;
    /// Registers that hold the only copy of something memory does not have.
    std::uint32_t needed_gprs() const;
    std::uint32_t needed_xmms() const;

    const PredicateValue& predicate(unsigned p) const { return predicates_[p]; }
    void set_predicate(unsigned p, const PredicateValue& value);
    /// A callee's file: all predicates are the caller's until written.
    void inherit_predicates(unsigned file);
    void forget_predicates(unsigned file);  ///< whatever they are: the callee has returned
    /// The predicate whose value `p` has: of the nearest caller that wrote it.
    unsigned origin(unsigned p) const {
        while (predicates_[p].kind == PredicateValue::Kind::Inherited) p -= 32;
        return p;
    }
    bool refers(unsigned p, int r) const { return predicates_[p].x == r || predicates_[p].y == r; }

    /// After conditional code: what holds whether or not it was executed, `before` being the state
    /// in front of it. False: something that memory does not have was lost in it.
    bool merge(const ValueCache& before);

    /// Calls f(slot) for every slot about which something is known.
    template <typename F>
    void for_each(F&& f) const {
        for (unsigned w = 0; w < active_.size(); ++w)
            for (std::uint64_t m = active_[w]; m; m &= m - 1)
                f(w * 64 + static_cast<unsigned>(std::countr_zero(m)));
    }
    /// Calls f(p) for every predicate whose value is its own but not in memory.
    template <typename F>
    void for_each_predicate(F&& f) const {
        for (unsigned w = 0; w < lazy_.size(); ++w)
            for (std::uint64_t m = lazy_[w]; m; m &= m - 1)
                f(w * 64 + static_cast<unsigned>(std::countr_zero(m)));
    }

    HostFile gpr, xmm;
    /// Changes whenever an older recovery table stops being right.
    std::uint32_t version = 0;
    /// Bit n-1: %ctprN, if its value is known in the region, is in the state.
    std::uint8_t stored_ctprs = 0;
    ArrayFacts arrays;

private:
    void update(unsigned slot);
    SparseValues values_;
    std::array<PredicateValue, kPredicates> predicates_{};
    std::array<std::uint64_t, (kGuestRegisters + 63) / 64> active_{};
    std::array<std::uint64_t, kPredicates / 64> lazy_{};
};

}  // namespace e2k::translate
