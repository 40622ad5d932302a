// Guest loads and stores of one element, with byte order and atomic forms (memory.md §2, §3).
#pragma once

#include <cstdint>
#include <cstring>

#include "engine/cpu/memory.h"
#include "engine/cpu/state.h"

namespace e2k::cpu::exec {

/// A register's content on its way. Without initialisers, unlike Reg: many are never used.
struct Value {
    std::uint64_t lo, ext;
};
inline Value value_of(const Reg& r) { return {r.lo, r.ext}; }

/// Result of a speculative load from memory that cannot be read (speculation.md §3).
inline constexpr std::uint64_t kFaultPattern = 0x4afa'fafa'4afa'fafaull;

inline std::uint64_t reverse_bytes(std::uint64_t value, unsigned size) {
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

/// Loads `size` bytes (1, 2, 4, 8, 16), zero-extended to the whole register.
inline void load_element(const MemoryView& memory, std::uint64_t address, unsigned size,
                         Value& to) {
    switch (size) {
        case 1:
            to.lo = memory.load<std::uint8_t>(address);
            break;
        case 2:
            to.lo = memory.load<std::uint16_t>(address);
            break;
        case 4:
            to.lo = memory.load<std::uint32_t>(address);
            break;
        case 8:
            to.lo = memory.load<std::uint64_t>(address);
            break;
        default:
            to.lo = memory.load<std::uint64_t>(address);
            to.ext = memory.load<std::uint64_t>(address + 8);
            break;
    }
}

inline void store_element(const MemoryView& memory, std::uint64_t address, unsigned size,
                          const Value& value) {
    switch (size) {
        case 1:
            memory.store(address, static_cast<std::uint8_t>(value.lo));
            break;
        case 2:
            memory.store(address, static_cast<std::uint16_t>(value.lo));
            break;
        case 4:
            memory.store(address, static_cast<std::uint32_t>(value.lo));
            break;
        case 8:
            memory.store(address, value.lo);
            break;
        default:
            memory.store(address, value.lo);
            memory.store(address + 8, value.ext);
            break;
    }
}

/// Reverses an element of `size` bytes in a register (MAS bit 3).
inline void reverse_element(Value& value, unsigned size) {
    if (size < 16) {
        value.lo = reverse_bytes(value.lo, size);
        return;
    }
    const std::uint64_t low = __builtin_bswap64(value.ext);
    value.ext = __builtin_bswap64(value.lo);
    value.lo = low;
}

/// Stores `value` if memory still holds `expected`. Atomic when the location is aligned, as the
/// processor requires for the pair; false if it was changed.
bool compare_and_store(const MemoryView& memory, std::uint64_t address, unsigned size,
                       const Value& expected, const Value& value);

/// stmqp: bytes of `value` whose bit of `mask` is set.
void store_masked(const MemoryView& memory, std::uint64_t address, unsigned mask,
                  const Value& value);

}  // namespace e2k::cpu::exec
