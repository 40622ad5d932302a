// Who wants to know what the Linux layer does to a guest's memory and mappings, and to its hardware
// stacks. The guest's own stores are not among it.
#pragma once

#include <cstdint>

#include "engine/guest/address_space.h"

namespace e2k::guest {

/// An mremap that has been done.
struct Remapping {
    std::uint64_t from = 0, old_size = 0, to = 0, new_size = 0;
    bool keep_old = false;
};

/// Called on the thread that does it. Every way to a host address of guest memory, and every
/// checked copy into it, announces itself here, so that no system call can forget to.
class MemoryObserver {
public:
    virtual ~MemoryObserver() = default;
    /// From now on [address, address+size) may be written, until the call in progress ends.
    virtual void may_write(std::uint64_t address, std::uint64_t size) = 0;
    /// It has been written, or its contents are others for another reason.
    virtual void written(std::uint64_t address, std::uint64_t size) = 0;
    /// `content`: it does not begin with zeros; `foreign`: others can write it too.
    virtual void mapped(const Region& region, bool content, bool foreign) = 0;
    virtual void unmapped(std::uint64_t begin, std::uint64_t end) = 0;
    virtual void protection(std::uint64_t begin, std::uint64_t size, int prot) = 0;
    virtual void moved(const Remapping& what) = 0;
    virtual void cleared() = 0;
    /// Registers or frames below the current window have been written.
    virtual void stacks_written() = 0;
};

/// Of the guest space at host address `base`; nullptr: nobody any more. There is one at a time.
void observe_memory(const std::uint8_t* base, MemoryObserver* observer);
/// Null: nobody wants to know.
MemoryObserver* observer_of(const std::uint8_t* base);

}  // namespace e2k::guest
