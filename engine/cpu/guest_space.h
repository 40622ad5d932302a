// The host range that holds a guest's memory, and its page map.
#pragma once

#include <cstdint>

#include "engine/cpu/memory.h"

namespace e2k::cpu {

/// kGuestSpace bytes of reserved host addresses (PROT_NONE: nothing is mapped yet), the guard below
/// them, and one
/// permission byte per guest page. Costs address space only; pages appear when they are mapped.
class GuestSpace {
public:
    GuestSpace() = default;
    GuestSpace(GuestSpace&& other) noexcept;
    GuestSpace& operator=(GuestSpace&& other) noexcept;
    GuestSpace(const GuestSpace&) = delete;
    GuestSpace& operator=(const GuestSpace&) = delete;
    ~GuestSpace();

    /// False if the host refuses; errno tells why.
    bool reserve();

    MemoryView view() const { return {base_, pages_}; }
    std::uint8_t* base() const { return base_; }
    /// The page map for its owner, who alone writes it.
    std::uint8_t* pages() const { return pages_; }

private:
    std::uint8_t* base_ = nullptr;
    std::uint8_t* pages_ = nullptr;
};

}  // namespace e2k::cpu
