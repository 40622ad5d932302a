// Memory of a guest that tests put their data in.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/guest/address_space.h"

namespace e2k::guest::test {

/// Hands out places in a mapped range one after the other, 16-aligned; they stay valid.
class GuestScratch {
public:
    /// Maps `bytes` for reading and writing; false: it cannot be.
    bool map(AddressSpace& memory, std::uint64_t bytes) {
        const auto at =
            memory.map(0, bytes, kProtRead | kProtWrite, false, false, -1, 0, "scratch");
        memory_ = &memory;
        begin_ = next_ = at.value_or(0);
        return at.has_value();
    }
    std::uint64_t scratch_begin() const { return begin_; }
    void forget() { next_ = begin_; }  ///< all of it is free again

    std::uint64_t put(const void* data, std::size_t size) {
        const std::uint64_t at = next_;
        EXPECT_TRUE(memory_->write(at, data, size));
        next_ += (size + 15) & ~15ull;
        return at;
    }
    std::uint64_t text(const std::string& s) { return put(s.c_str(), s.size() + 1); }
    std::uint64_t room(std::size_t size) {
        const std::vector<std::uint8_t> zero(size);
        return put(zero.data(), size);
    }
    template <class T>
    std::uint64_t object(const T& value) {
        return put(&value, sizeof value);
    }
    template <class T>
    T get(std::uint64_t at) {
        T value{};
        EXPECT_TRUE(memory_->read(at, &value, sizeof value));
        return value;
    }

private:
    AddressSpace* memory_ = nullptr;
    std::uint64_t begin_ = 0, next_ = 0;
};

}  // namespace e2k::guest::test
