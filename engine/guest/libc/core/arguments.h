// Variable arguments: the guest keeps them in memory, one place after the other
// (va_list is a plain pointer to the next place).
#pragma once

#include <cstdint>
#include <cstring>

#include "engine/guest/libc/core/guest_memory.h"

namespace e2k::guest::libc {

/// What va_arg does, from the address of the first variable argument on. Each place is read only
/// when it is asked for: what lies behind the arguments may not be mapped.
class VariableArguments {
public:
    VariableArguments(GuestMemory memory, std::uint64_t address)
        : memory_(memory), next_(address) {}

    /// Integers of any size and pointers; the upper half of an int is whatever the caller left.
    Outcome<std::uint64_t> integer() { return take<std::uint64_t>(8); }
    Outcome<double> real() { return take<double>(8); }
    /// An x87 number in two places, the first one even.
    Outcome<long double> long_real() {
        next_ = (next_ + 15) & ~15ull;
        auto bits = take<Wide>(16);
        if (!bits) return tl::unexpected(bits.error());
        long double value = 0;
        std::memcpy(&value, bits->bytes, 10);
        return value;
    }

private:
    struct Wide {
        std::uint8_t bytes[10];
    };
    template <class T>
    Outcome<T> take(unsigned size) {
        auto value = memory_.load<T>(next_);
        next_ += size;
        return value;
    }

    GuestMemory memory_;
    std::uint64_t next_;
};

}  // namespace e2k::guest::libc
