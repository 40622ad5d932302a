#include "engine/cpu/exec/memory_access.h"

namespace e2k::cpu::exec {
namespace {

template <class T>
bool exchange(std::uint8_t* at, std::uint64_t expected, std::uint64_t value) {
    T old = static_cast<T>(expected);
    return __atomic_compare_exchange_n(reinterpret_cast<T*>(at), &old, static_cast<T>(value), false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

__extension__ using Wide = unsigned __int128;

Wide join(const Value& r) { return static_cast<Wide>(r.ext) << 64 | r.lo; }

/// Locations the host has no atomic access for: plain compare and store.
bool exchange_unaligned(const MemoryView& memory, std::uint64_t address, unsigned size,
                        const Value& expected, const Value& value) {
    Value current{};
    load_element(memory, address, size, current);
    const std::uint64_t mask = size >= 8 ? ~0ull : (1ull << 8 * size) - 1;
    if ((current.lo & mask) != (expected.lo & mask)) return false;
    if (size == 16 && current.ext != expected.ext) return false;
    store_element(memory, address, size, value);
    return true;
}

}  // namespace

bool compare_and_store(const MemoryView& memory, std::uint64_t address, unsigned size,
                       const Value& expected, const Value& value) {
    std::uint8_t* at = memory.base + memory.place(address);
    if (address & (size - 1)) return exchange_unaligned(memory, address, size, expected, value);
    switch (size) {
        case 1:
            return exchange<std::uint8_t>(at, expected.lo, value.lo);
        case 2:
            return exchange<std::uint16_t>(at, expected.lo, value.lo);
        case 4:
            return exchange<std::uint32_t>(at, expected.lo, value.lo);
        case 8:
            return exchange<std::uint64_t>(at, expected.lo, value.lo);
        default:
            return __sync_bool_compare_and_swap(reinterpret_cast<Wide*>(at), join(expected),
                                                join(value));
    }
}

void store_masked(const MemoryView& memory, std::uint64_t address, unsigned mask,
                  const Value& value) {
    for (unsigned i = 0; i < 16; ++i) {
        if (!(mask >> i & 1)) continue;
        const std::uint64_t half = i < 8 ? value.lo : value.ext;
        memory.store(address + i, static_cast<std::uint8_t>(half >> 8 * (i & 7)));
    }
}

}  // namespace e2k::cpu::exec
