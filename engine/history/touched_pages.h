// Which pages of this process exist, and access to guest pages whatever their rights are.
#pragma once

#include <array>
#include <cstdint>

#include "engine/cpu/memory.h"
#include "engine/cpu/state.h"

namespace e2k::history {

/// Asks the kernel, some hundred pages at a time. What it does not tell exists.
class TouchedPages {
public:
    TouchedPages();
    ~TouchedPages();
    TouchedPages(const TouchedPages&) = delete;
    TouchedPages& operator=(const TouchedPages&) = delete;

    /// False: this page of anonymous memory has never been written.
    bool holds(const void* host);

private:
    static constexpr std::size_t kWords = 512;
    int file_ = -1;
    std::uint64_t first_ = ~0ull, count_ = 0;
    std::array<std::uint64_t, kWords> words_;
};

/// End of the registers, and of the frames, that have ever been used.
std::uint64_t touched_registers(const cpu::CpuState& state);
std::uint64_t touched_frames(const cpu::CpuState& state);

/// Bytes within one page, which the guest itself need not be able to access. They must be mapped.
bool read_page(const cpu::MemoryView& view, std::uint64_t address, void* to, std::size_t size);
bool write_page(const cpu::MemoryView& view, std::uint64_t address, const void* from,
                std::size_t size);

}  // namespace e2k::history
