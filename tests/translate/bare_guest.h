// Guest memory and hardware stacks without a process, for tests that drive the translator itself.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstring>

#include "engine/cpu/guest_space.h"
#include "engine/cpu/interpreter.h"

namespace e2k::translate::test {

inline constexpr std::uint64_t kPage = cpu::kPageSize;
inline constexpr std::uint64_t kCode = 0x10000, kData = 0x20000, kReadOnly = 0x21000,
                               kUnmapped = 0x30000;
inline constexpr std::size_t kStackRegisters = 1u << 13, kStackFrames = 1u << 6;

/// One code page, a writable and a read-only data page.
class BareGuest {
public:
    BareGuest() {
        if (!space_.reserve()) return;
        view = space_.view();
        allow(kCode, cpu::kPageRead | cpu::kPageExec);
        allow(kData, cpu::kPageRead | cpu::kPageWrite);
        allow(kReadOnly, cpu::kPageRead);
        ready = stacks.reserve(kStackRegisters, kStackFrames);
    }

    /// Writes code or data whatever the guest may do.
    void poke(std::uint64_t address, const void* bytes, std::size_t size) {
        mprotect(view.base + kCode, 0x20 * kPage, PROT_READ | PROT_WRITE);
        std::memcpy(view.base + address, bytes, size);
        mprotect(view.base + kCode, 0x20 * kPage, PROT_NONE);
        mprotect(view.base + kCode, kPage, PROT_READ);
        mprotect(view.base + kData, kPage, PROT_READ | PROT_WRITE);
        mprotect(view.base + kReadOnly, kPage, PROT_READ);
    }

    /// Words of a program, at most a page, to its place.
    template <class Words>
    void load(const Words& code) {
        poke(kCode, code.data(), code.size() * sizeof code[0]);
    }

    /// Puts a state at the start of the code.
    void attach(cpu::CpuState& state) const {
        stacks.attach(state);
        state.memory_base = view.base;
        state.page_map = view.pages;
        state.ip = kCode;
    }

    cpu::MemoryView view;
    cpu::HardwareStacks stacks;
    bool ready = false;

private:
    void allow(std::uint64_t address, int bits) {
        *space_.writable_pages(address / kPage, 1) =
            static_cast<std::uint8_t>(bits | cpu::kPageMapped);
    }
    cpu::GuestSpace space_;
};

}  // namespace e2k::translate::test
