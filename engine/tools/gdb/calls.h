// Functions that gdb calls in the guest ("print f(1)"): it writes nine registers that no machine
// has, and each write is one step of the call.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/cpu/state.h"
#include "engine/guest/address_space.h"

namespace e2k::tools::gdb {

class FunctionCalls {
public:
    /// True if register `number` is one of the nine, or gives back what a call has changed.
    /// `ok`: whether it could be done.
    bool write(cpu::CpuState& state, guest::AddressSpace& memory, unsigned number,
               std::span<const std::uint8_t> bytes, bool& ok);

private:
    /// What a call must not change for the function that was stopped.
    struct Saved {
        std::size_t depth;
        std::uint64_t ip;
        std::array<cpu::Ctpr, 3> ctpr;
        cpu::LoopState lsr, ilcr;
        cpu::AauState aau;
        std::uint32_t pfpfr, fpcr, fpsr, upsr;
        cpu::WindowDescriptor wd;
        std::uint64_t usd_base, usd_size;
        cpu::PredicateFile pred;
        cpu::RotationState br;
    };
    bool push_dummy(cpu::CpuState& state);
    bool begin(cpu::CpuState& state, std::uint64_t prologue) const;
    bool push_call(cpu::CpuState& state) const;
    bool drop_to(cpu::CpuState& state, std::uint64_t chain_bytes);

    std::uint64_t entry_ = 0;
    std::vector<Saved> saved_;  ///< innermost call last
};

}  // namespace e2k::tools::gdb
