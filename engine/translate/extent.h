// What is known of the size of a register's value, so that an access through it needs no check of
// its own: whatever a pointer and small offsets add up to lies in the reserved host range around
// the guest's memory, where at worst the host faults.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "engine/cpu/memory.h"

namespace e2k::translate {

/// Addresses at or above it are left to the interpreter; nothing is ever mapped from here on.
inline constexpr std::uint64_t kCheckedSpace = cpu::kGuestSpace - cpu::kGuestGuard;

/// In one byte: a kind and a number of bits.
class Extent {
public:
    constexpr Extent() = default;  ///< nothing is known
    /// A signed value v with -2^bits <= v < 2^bits; small(0) is 0.
    static constexpr Extent small(unsigned bits) { return make(kSmall, bits); }
    static constexpr Extent of(std::uint64_t constant) {
        if (constant == ~std::uint64_t{0}) return small(1);
        const bool negative = static_cast<std::int64_t>(constant) < 0;
        return small(static_cast<unsigned>(std::bit_width(negative ? ~constant : constant)));
    }
    /// A value v with -2^bits <= v < kCheckedSpace + 2^bits; pointer(0) has passed the check, it is
    /// from 0 to kCheckedSpace - 1.
    static constexpr Extent pointer(unsigned bits) { return make(kPointer, bits); }

    constexpr bool known() const { return code_ != 0; }
    constexpr bool is_small() const { return (code_ & kKinds) == kSmall; }
    constexpr bool is_pointer() const { return (code_ & kKinds) == kPointer; }
    constexpr unsigned bits() const { return code_ & ~kKinds; }
    /// Whether an access there stays inside the reserved range.
    constexpr bool reserved() const { return known(); }
    /// Whether what has this extent has `other` too.
    constexpr bool implies(Extent other) const {
        if (!other.known() || code_ == other.code_) return true;
        return known() && bits() <= other.bits() && (is_small() || other.is_pointer());
    }
    friend constexpr Extent operator+(Extent x, Extent y) {
        if (!x.known() || !y.known() || (x.is_pointer() && y.is_pointer())) return {};
        const unsigned carry = x.bits() != 0 && y.bits() != 0;
        return make(x.is_pointer() || y.is_pointer() ? kPointer : kSmall,
                    std::max(x.bits(), y.bits()) + carry);
    }
    friend constexpr Extent operator-(Extent x, Extent y) {
        // -y reaches 2^bits itself.
        return !y.is_small() ? Extent() : y.bits() == 0 ? x : x + small(y.bits() + 1);
    }
    constexpr Extent shifted(unsigned by) const {
        return is_small() ? small(bits() + by) : Extent();
    }
    bool operator==(const Extent&) const = default;

private:
    static constexpr std::uint8_t kSmall = 0x40, kPointer = 0x80, kKinds = 0xc0;
    static constexpr unsigned kMaxBits = std::bit_width(cpu::kGuestGuard) - 1;
    /// Nothing is known of what could leave the reserved range.
    static constexpr Extent make(std::uint8_t kind, unsigned bits) {
        Extent e;
        if (bits < kMaxBits) e.code_ = static_cast<std::uint8_t>(kind | bits);
        return e;
    }
    std::uint8_t code_ = 0;
};

}  // namespace e2k::translate
