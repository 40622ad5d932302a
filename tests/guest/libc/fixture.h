// Guest memory for tests of the bridge's core.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/guest/libc/core/guest_memory.h"
#include "tests/guest/guest_scratch.h"

namespace e2k::guest::libc::test {

class LibcTest : public testing::Test, protected guest::test::GuestScratch {
protected:
    static constexpr std::uint64_t kBytes = 4u << 20;
    static constexpr std::uint64_t kBad = 0x18;  ///< nothing is mapped there

    LibcTest() {
        auto made = AddressSpace::create();
        if (!made) throw std::runtime_error(made.error());
        space_ = std::move(*made);
        if (!map(*space_, kBytes + cpu::kPageSize)) throw std::runtime_error("no memory");
        // Whatever is mapped later does not begin where this ends.
        if (!space_->protect(end(), cpu::kPageSize, kProtNone)) throw std::runtime_error("protect");
    }
    GuestMemory memory() { return GuestMemory(*space_); }
    std::string text_at(std::uint64_t at) { return space_->read_string(at, 1 << 20).value_or("?"); }
    /// The end of the mapped memory: the byte before is the last good one.
    std::uint64_t end() const { return scratch_begin() + kBytes; }

    std::unique_ptr<AddressSpace> space_;
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
