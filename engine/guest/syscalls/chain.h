// Chain records as programs see them, and jumps within the chain: what longjmp and the context
// calls have in common (syscalls.md §9).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {

/// Addresses of code and bases of stacks have 48 bits.
inline constexpr std::uint64_t kAddressMask = (1ull << 48) - 1;
inline constexpr std::uint64_t kPsrUser = 0x26ull << 57, kPsrMonitor = 1ull << 57;

ChainRecordE2k publish(const cpu::ChainFrame& frame);
/// Only what a user may change: predicates, return address, wdbl, br. The rotation must be sound.
void accept(cpu::ChainFrame& frame, const ChainRecordE2k& record, bool tags);
/// Bytes of the procedure stack in the order of the CPU version (windows.md §5).
std::vector<std::uint8_t> read_procedure_stack(const cpu::CpuState& state, std::uint64_t offset,
                                               std::uint64_t size);
/// A value from memory carries no tag. `offset` is a multiple of 8.
void write_procedure_stack(cpu::CpuState& state, std::uint64_t offset,
                           std::span<const std::uint8_t> bytes);
/// Register whose value (not extension) has a byte at `offset`.
std::optional<std::uint64_t> procedure_register(const cpu::CpuState& state, std::uint64_t offset);

/// The continuation of the system call in progress, as a frame.
cpu::ChainFrame call_frame(const Call& call);

/// Where to go on in a function that is still on the chain.
struct ChainTarget {
    std::uint64_t depth = 0;  ///< number of its record: chain_file[depth - 1] leads there
    std::uint64_t ip = 0;
    std::uint64_t cr1_lo = 0;  ///< wbs, wpsz, wfx
    cpu::RotationState br;
    /// Registers of the parameter area that the function which returns there was given; absent:
    /// what the record says.
    std::optional<unsigned> psize;
};

/// Whether code at `to` may stand in for code at `from`: both mapped, with the same rights.
bool same_code_class(const AddressSpace& memory, std::uint64_t from, std::uint64_t to);

/// Returns from the function whose record is `target`, with the given address, window and
/// rotation; everything above it is gone. The number of %b[0]'s register is returned. Error, in
/// plain words, if the target does not describe a window of this chain: nothing has changed.
tl::expected<unsigned, std::string> jump_in_chain(Process::Impl& process, Thread& thread,
                                                  const ChainTarget& target);

}  // namespace e2k::guest
