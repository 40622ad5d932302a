// A guest's memory and stacks without a process around them.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstring>

#include "engine/cpu/memory.h"
#include "engine/cpu/state.h"
#include "tests/translate/fuzz/program.h"

namespace e2k::fuzz {

inline constexpr std::size_t kStackRegisters = 1u << 13, kStackFrames = 1u << 6;

/// A guest with one code page, a writable and a read-only data page.
class Guest {
public:
    Guest() {
        constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        void* space = mmap(nullptr, cpu::kGuestSpace, PROT_NONE, kFlags, -1, 0);
        void* pages = mmap(nullptr, cpu::kGuestPages, PROT_READ | PROT_WRITE, kFlags, -1, 0);
        if (space == MAP_FAILED || pages == MAP_FAILED) return;
        view.base = static_cast<std::uint8_t*>(space);
        view.pages = map_ = static_cast<std::uint8_t*>(pages);
        allow(kCode, cpu::kPageRead | cpu::kPageExec, PROT_READ | PROT_WRITE);
        allow(kData, cpu::kPageRead | cpu::kPageWrite, PROT_READ | PROT_WRITE);
        allow(kReadOnly, cpu::kPageRead, PROT_READ);
        ready = stacks.reserve(kStackRegisters, kStackFrames);
    }
    ~Guest() {
        if (view.base) munmap(view.base, cpu::kGuestSpace);
        if (map_) munmap(map_, cpu::kGuestPages);
    }
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;

    void load(const Words& code) {
        mprotect(view.base + kCode, kPage, PROT_READ | PROT_WRITE);
        std::memcpy(view.base + kCode, code.data(), kPage);
        mprotect(view.base + kCode, kPage, PROT_READ);
    }

    cpu::MemoryView view;
    cpu::HardwareStacks stacks;
    bool ready = false;

private:
    void allow(std::uint64_t address, int bits, int host) {
        map_[address / kPage] = static_cast<std::uint8_t>(bits | cpu::kPageMapped);
        mprotect(view.base + address, kPage, host);
    }
    std::uint8_t* map_ = nullptr;
};

}  // namespace e2k::fuzz
