// Guest memory for tests of the bridge's core.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/guest/libc/core/guest_memory.h"

namespace e2k::guest::libc::test {

class LibcTest : public testing::Test {
protected:
    static constexpr std::uint64_t kBytes = 4u << 20;
    static constexpr std::uint64_t kBad = 0x18;  ///< nothing is mapped there

    LibcTest() {
        auto made = AddressSpace::create();
        if (!made) throw std::runtime_error(made.error());
        space_ = std::move(*made);
        const int prot = kProtRead | kProtWrite;
        auto at = space_->map(0, kBytes + cpu::kPageSize, prot, false, false, -1, 0, "");
        begin_ = next_ = at.value_or(0);
        // Whatever is mapped later does not begin where this ends.
        if (!space_->protect(end(), cpu::kPageSize, kProtNone)) throw std::runtime_error("protect");
    }
    GuestMemory memory() { return GuestMemory(*space_); }
    /// Places bytes in guest memory, 16-aligned.
    std::uint64_t put(const void* data, std::size_t size) {
        const std::uint64_t at = next_;
        EXPECT_TRUE(space_->write(at, data, size));
        next_ += (size + 15) & ~15ull;
        return at;
    }
    std::uint64_t text(const std::string& s) { return put(s.c_str(), s.size() + 1); }
    std::uint64_t room(std::size_t size) {
        const std::vector<std::uint8_t> zero(size);
        return put(zero.data(), size);
    }
    std::string text_at(std::uint64_t at) { return space_->read_string(at, 1 << 20).value_or("?"); }
    template <class T>
    T get(std::uint64_t at) {
        T value{};
        EXPECT_TRUE(space_->read(at, &value, sizeof value));
        return value;
    }
    void forget() { next_ = begin_; }  ///< all of it is free again
    /// The end of the mapped memory: the byte before is the last good one.
    std::uint64_t end() const { return begin_ + kBytes; }

    std::unique_ptr<AddressSpace> space_;
    std::uint64_t begin_ = 0, next_ = 0;
};

template <class T>
Trouble trouble(const Outcome<T>& outcome) {
    EXPECT_FALSE(outcome) << "no trouble";
    return outcome ? Trouble{} : outcome.error();
}
template <class T>
int error_of(const Outcome<T>& outcome) {
    return !outcome && outcome.error().kind == Trouble::Kind::Error ? outcome.error().error : 0;
}

}  // namespace e2k::guest::libc::test
