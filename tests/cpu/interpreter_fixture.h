// A tiny guest for interpreter tests: mapped code and data pages, and bundles put together from raw
// syllables (bit layout: bundles.md §2).
#pragma once

#include <sys/mman.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "engine/cpu/guest_space.h"
#include "engine/cpu/interpreter.h"

namespace e2k::cpu::test {

inline constexpr std::uint64_t kCode = 0x10000, kData = 0x20000, kStack = 0x30000;
inline constexpr std::uint64_t kUnmapped = 0x50000;

/// Operand codes.
constexpr std::uint32_t r(unsigned n) { return 0x80 + n; }
constexpr std::uint32_t lit(unsigned n) { return 0xc0 + n; }
constexpr std::uint32_t g(unsigned n) { return 0xe0 + n; }
inline constexpr std::uint32_t kEmpty = 0xdf;
inline constexpr std::uint32_t kSpeculative = 1u << 31;

/// Opcodes the tests use.
enum Cop : std::uint32_t {
    kAdds = 0x10,
    kAddd = 0x11,
    kCmpesb = 0x20,  // cmpopce 2
    kStb = 0x24,
    kStd = 0x27,
    kLdb = 0x64,
    kLdd = 0x67,
    kMovtd = 0x61,  // ALOPF2, opce1 0xc0
};

constexpr std::uint32_t als(Cop cop, std::uint32_t src1, std::uint32_t src2, std::uint32_t dst) {
    return static_cast<std::uint32_t>(cop) << 24 | src1 << 16 | src2 << 8 | dst;
}

/// Syllables of one bundle; `words()` adds the header and the padding.
struct Syllables {
    std::array<std::uint32_t, 6> channel{};
    std::uint32_t ss = 0, cs0 = 0, cs1 = 0;
    bool has_ss = false, has_cs0 = false, has_cs1 = false;
    std::vector<std::uint32_t> lts, pls, cds;  ///< LTS0, PLS0 first; CDS halves in order
    bool loop_mode = false;

    Syllables& alc(unsigned c, std::uint32_t word) {
        channel[c] = word;
        return *this;
    }
    Syllables& stubs(std::uint32_t word) {
        ss = word;
        has_ss = true;
        return *this;
    }
    Syllables& control0(std::uint32_t word) {
        cs0 = word;
        has_cs0 = true;
        return *this;
    }
    Syllables& control1(std::uint32_t word) {
        cs1 = word;
        has_cs1 = true;
        return *this;
    }
    Syllables& literal(std::uint32_t word) {
        lts.push_back(word);
        return *this;
    }
    Syllables& logic(std::uint32_t word) {
        pls.push_back(word);
        return *this;
    }
    /// Guards channel c (0..5) by %pred n.
    Syllables& guard(unsigned c, unsigned n, bool negated = false) {
        const unsigned k = c % 3;
        cds.push_back((c >= 3 ? 1u : 0u) << 14 | 1u << (10 + k) | (negated ? 1u : 0u) << (7 + k) |
                      0x60u | n);
        return *this;
    }

    std::vector<std::uint32_t> words() const {
        std::vector<std::uint32_t> w{0};
        std::uint32_t hs = 0;
        if (has_ss) {
            hs |= 1u << 12;
            w.push_back(ss);
        }
        for (unsigned c = 0; c < 6; ++c)
            if (channel[c]) {
                hs |= 1u << (26 + c);
                w.push_back(channel[c]);
            }
        if (has_cs0) {
            hs |= 1u << 14;
            w.push_back(cs0);
        }
        if (has_cs1) {
            hs |= 1u << 15;
            w.push_back(cs1);
        }
        const auto front = static_cast<std::uint32_t>(w.size());
        const std::size_t guards = (cds.size() + 1) / 2;
        if ((w.size() + lts.size() + pls.size() + guards) % 2) w.push_back(0);
        for (std::size_t i = lts.size(); i-- > 0;) w.push_back(lts[i]);
        for (std::size_t i = pls.size(); i-- > 0;) w.push_back(pls[i]);
        for (std::size_t i = guards; i-- > 0;)
            w.push_back(cds[2 * i] << 16 | (2 * i + 1 < cds.size() ? cds[2 * i + 1] : 0));
        hs |= static_cast<std::uint32_t>(pls.size()) << 18 |
              static_cast<std::uint32_t>(guards) << 16 | (loop_mode ? 1u : 0u) << 10 |
              static_cast<std::uint32_t>(w.size() / 2 - 1) << 4 | (front - 1);
        w[0] = hs;
        return w;
    }
};

/// MAS word of CS1 (syllables.md §6.7).
constexpr std::uint32_t mas(unsigned m0, unsigned m2, unsigned m3, unsigned m5) {
    return 6u << 28 | m0 << 21 | m2 << 14 | m3 << 7 | m5;
}
/// SS of a transfer: condition type, predicate number, CTPR of ct/call (0 = ibranch).
constexpr std::uint32_t transfer(unsigned type, unsigned psrc = 0, unsigned ctpr = 0) {
    return ctpr << 10 | type << 5 | psrc;
}

class InterpreterTest : public testing::Test {
protected:
    static constexpr std::size_t kSpace = 0x60000;

    void SetUp() override {
        ASSERT_TRUE(reserved_.reserve());
        space_ = reserved_.base();
        allow(kCode, kPageRead | kPageExec);
        allow(kData, kPageRead | kPageWrite);
        allow(kStack, kPageRead | kPageWrite);
        ASSERT_TRUE(stacks.reserve(4096, 64));
        memory = reserved_.view();
        SetUpState();
        interpreter = std::make_unique<Interpreter>(memory);
    }

    /// The state as every test begins: at the first bundle, in a window of 32 registers.
    void SetUpState() {
        std::destroy_at(&state);
        std::construct_at(&state);
        stacks.attach(state);
        state.memory_base = memory.base;
        state.page_map = memory.pages;
        state.wd.size = 32;
        state.wd.psize = 8;
        state.br.rbs = 8;
        state.br.rsz = 3;
        state.usd_base = kStack + 0x800;
        state.usd_size = 0x800;
        state.ip = kCode;
    }

    void allow(std::uint64_t page, int bits) {
        ASSERT_EQ(mprotect(space_ + page, kPageSize, PROT_READ | PROT_WRITE), 0);
        *reserved_.writable_pages(page >> kPageShift, 1) =
            static_cast<std::uint8_t>(bits | kPageMapped);
    }
    /// Appends a bundle to the program; returns its address.
    std::uint64_t emit(const Syllables& s) {
        const std::vector<std::uint32_t> w = s.words();
        const std::uint64_t address = code_end_;
        std::memcpy(space_ + code_end_, w.data(), w.size() * 4);
        code_end_ += w.size() * 4;
        return address;
    }
    Reg& reg(unsigned n) { return state.window[n]; }
    template <class T>
    T load(std::uint64_t address) const {
        return memory.load<T>(address);
    }
    template <class T>
    void poke(std::uint64_t address, T value) const {
        memory.store(address, value);
    }
    Stop step() { return interpreter->step(state); }
    /// Runs one bundle that must not stop for another reason than being one bundle.
    void step_ok() {
        const Stop stop = step();
        ASSERT_EQ(stop.kind, StopKind::Budget) << stop.trap.detail;
    }
    void expect_trap(TrapCode code) {
        const std::uint64_t ip = state.ip;
        const Stop stop = step();
        ASSERT_EQ(stop.kind, StopKind::Trapped);
        EXPECT_STREQ(name_of(stop.trap.code), name_of(code)) << stop.trap.detail;
        EXPECT_EQ(stop.trap.ip, ip);
        EXPECT_EQ(state.ip, ip);
        EXPECT_FALSE(stop.trap.detail.empty());
        trapped = stop.trap;
    }

    CpuState state;
    HardwareStacks stacks;
    MemoryView memory;
    std::unique_ptr<Interpreter> interpreter;
    Trap trapped;

private:
    GuestSpace reserved_;
    std::uint8_t* space_ = nullptr;
    std::uint64_t code_end_ = kCode;
};

}  // namespace e2k::cpu::test
