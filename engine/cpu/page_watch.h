// Who wants to know of accesses to single pages of guest memory (kPageWatched).
#pragma once

#include <cstdint>

namespace e2k::cpu {

struct CpuState;

class PageWatch {
public:
    virtual ~PageWatch() = default;
    /// The bundle in progress is about to access [address, address+size), which lies on such a
    /// page; the host must be able to when this returns. `state`: who accesses it; null: not a
    /// guest thread.
    virtual void touched(CpuState* state, std::uint64_t address, unsigned size, bool write) = 0;
};

/// Of the guest space at host address `base`; nullptr: nobody any more. There is one at a time.
void set_page_watch(const std::uint8_t* base, PageWatch* watch);

}  // namespace e2k::cpu
