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
    /// A value v with 0 <= v < 2^bits; natural(0) is 0.
    static constexpr Extent natural(unsigned bits) { return make(kNatural, bits); }
    /// A signed value v with -2^bits <= v < 2^bits; small(0) is 0 or -1.
    static constexpr Extent small(unsigned bits) { return make(kSmall, bits); }
    static constexpr Extent of(std::uint64_t constant) {
        const bool negative = static_cast<std::int64_t>(constant) < 0;
        const auto width = static_cast<unsigned>(std::bit_width(negative ? ~constant : constant));
        return negative ? small(width) : natural(width);
    }
    /// A value v with -2^bits <= v < kCheckedSpace + 2^bits; pointer(0) has passed the check, it is
    /// from 0 to kCheckedSpace - 1.
    static constexpr Extent pointer(unsigned bits) { return make(kPointer, bits); }

    constexpr bool known() const { return code_ != 0; }
    constexpr bool is_natural() const { return (code_ & kKinds) == kNatural; }
    /// An offset or index, no pointer.
    constexpr bool is_small() const { return is_natural() || (code_ & kKinds) == kSmall; }
    constexpr bool is_pointer() const { return (code_ & kKinds) == kPointer; }
    constexpr unsigned bits() const { return code_ & ~kKinds; }
    /// Whether an access there stays inside the reserved range.
    constexpr bool reserved() const { return known(); }
    /// Whether what has this extent has `other` too.
    constexpr bool implies(Extent other) const {
        if (!other.known() || code_ == other.code_) return true;
        // The kinds are in order: each has all values of those before it, but for pointer(0).
        if (other == pointer(0)) return is_natural();
        return known() && kind() <= other.kind() &&
               (bits() <= other.bits() || (is_natural() && other.is_pointer()));
    }
    friend constexpr Extent operator+(Extent x, Extent y) {
        if (!x.known() || !y.known() || (x.is_pointer() && y.is_pointer())) return {};
        if (x == natural(0)) return y;
        if (y == natural(0)) return x;
        const unsigned bits = std::max(x.bits(), y.bits());
        const bool checked = x == pointer(0) || y == pointer(0);  // adds nothing on either side
        return make(std::max(x.kind(), y.kind()), checked ? std::max(bits, 1u) : bits + 1);
    }
    friend constexpr Extent operator-(Extent x, Extent y) {
        if (!y.is_small()) return {};
        if (y == natural(0)) return x;
        // -y reaches 2^bits itself, unless y is never negative.
        return x + small(y.bits() + !y.is_natural());
    }
    constexpr Extent shifted(unsigned by) const {
        return is_small() ? make(kind(), bits() + by) : Extent();
    }
    bool operator==(const Extent&) const = default;

private:
    static constexpr std::uint8_t kNatural = 0x40, kSmall = 0x80, kPointer = 0xc0, kKinds = 0xc0;
    constexpr std::uint8_t kind() const { return code_ & kKinds; }
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
