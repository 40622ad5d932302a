// A kernel: the rotating loop of a software-pipelined loop, closed by NOT_LOOP_END, with neither
// calls nor changes of the window inside. Its code is entered after one check of everything that
// bookkeeping instructions would otherwise ask in each pass. While it runs, one counter stands for
// the loop counters, the array unit's indices and the rotation; the state in memory still says what
// it said at the entry and is brought up to date where the kernel is left (kernel/state.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/cpu/exec/micro_op.h"
#include "engine/cpu/memory.h"
#include "engine/translate/plan.h"

namespace e2k::translate {

/// An index of the array unit that advances: of a load area or of stores.
struct KernelIndex {
    bool store = false;
    std::uint8_t number = 0;           ///< of the area (right plane from 32 on), or of %aasti
    std::int64_t pass = 0;             ///< bytes that one pass of the loop adds
    std::vector<std::int64_t> before;  ///< bytes added in front of each bundle of a pass
    std::uint64_t fixed = 0;           ///< load areas: everything but the index, as 8 bytes
};

/// Addresses that lie a constant apart in each pass.
struct KernelStream {
    std::uint8_t index = 0;          ///< of KernelFacts::indices
    std::uint8_t descriptor = 0;     ///< %aad
    std::uint32_t displacement = 0;  ///< of a load area
    std::uint8_t alignment = 0;      ///< low bits of its address that must be 0
    std::int64_t low = 0, high = 0;  ///< bytes accessed in a pass: [low, high) of its address
    std::uint8_t pointer = 0;        ///< the host pointer it is reached by ...
    std::int64_t distance = 0;       ///< ... so far from it
};

/// A step register of the array unit as it was when the kernel was made.
struct KernelStep {
    std::uint8_t number = 0;
    std::uint64_t value = 0;
};

/// Pointers into streams that a kernel may have (Frame::pointers).
inline constexpr std::size_t kMostPointers = 12;

/// What the code of a kernel relies on.
struct KernelFacts {
    std::uint64_t header = 0;
    std::uint8_t ctpr = 0;  ///< that the closing transfer goes by; 0: none
    int iset = 0;
    unsigned bundles = 0;          ///< of a pass
    unsigned prologue = 0;         ///< passes without stores, each laid out, in front of the others
    unsigned period = 0;           ///< passes until all names mean the same again
    std::vector<unsigned> stores;  ///< in loop mode, in front of each bundle, then all
    bool loads = false;            ///< array elements
    bool endless = false;          ///< counters never end the loop, a predicate does
    std::vector<KernelIndex> indices;
    std::vector<KernelStream> streams;
    std::vector<KernelStep> steps;
    std::vector<std::int64_t> pointers;  ///< bytes that one pass adds to each
    /// Streams that shared a pointer were no longer a constant apart.
    mutable std::atomic<bool> scattered{false};

    KernelFacts() = default;
    KernelFacts(const KernelFacts&) = delete;
    KernelFacts& operator=(const KernelFacts&) = delete;

    const KernelStream& stream_of(const cpu::exec::ArrayLoad& load) const;
    const KernelStream& stream_of(const cpu::exec::ArrayAddress& store) const;
};

/// The bundles of one pass.
struct KernelShape {
    std::uint64_t header = 0;
    std::vector<cpu::exec::ExecBundle> body;
    unsigned period = 0;
};

/// Number of an area: those of channels 2 and 3 come behind the others.
constexpr unsigned area_number(const cpu::exec::ArrayLoad& load) {
    constexpr unsigned kPlaneAreas = 32;
    return load.area + (load.channel >= 2 ? kPlaneAreas : 0u);
}

}  // namespace e2k::translate
