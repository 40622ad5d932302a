// Lock-step test: the translator runs a region on the guest, the interpreter runs the same number
// of bundles on a mirror of it, and both must agree on registers, stacks and memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "engine/machine/guest.h"

namespace e2k::machine {

/// System calls and signals happen once, on the guest; afterwards the mirror is made equal to it.
/// Registers are compared at every region exit; memory before every system call or trap and every
/// kMemoryInterval regions. Ends (and says so) at the first clone or shared mapping, where two
/// copies of the memory no longer mean the same.
class Differential {
public:
    static tl::expected<std::unique_ptr<Differential>, std::string> create(Guest& guest);
    ~Differential();

    /// One region and the consequences of its end.
    Event advance(Runner& runner);

    const std::string& difference() const;  ///< first difference in words, "" if none
    const std::string& ended() const;       ///< why comparing stopped early, "" if it did not
    std::uint64_t regions_compared() const;

private:
    struct Impl;
    explicit Differential(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace e2k::machine
