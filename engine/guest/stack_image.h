// The hardware stacks of a stopped thread as memory: what a debugger reads and writes where %psp
// and %pcsp point to. The thread looks as if it had made a call with its whole window, as the
// kernel sees a thread that a trap has stopped.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/guest/process.h"

namespace e2k::guest {

/// Return address by which a record of the chain is known as that of a signal trampoline.
inline constexpr std::uint64_t kTrampolineRecord = 0xe200'0001'5800;

class StackImage {
public:
    explicit StackImage(cpu::CpuState& state) : state_(state) {}

    std::uint64_t procedure_size() const;  ///< bytes from %psp.base on
    std::uint64_t chain_size() const;      ///< from %pcsp.base on; the first 32 are zero

    /// The bytes at `address`, at most `size`, as far as they lie in one of the stacks; nullopt:
    /// the first one does not.
    std::optional<std::vector<std::uint8_t>> read(std::uint64_t address, std::uint64_t size) const;
    /// False: not all of them lie in one of the stacks. Of the chain only what a program could
    /// change is changed (access_hw_stacks), of the procedure stack the registers themselves.
    bool write(std::uint64_t address, std::span<const std::uint8_t> bytes);
    /// Tag of the 32-bit word at `address`; nullopt: it is in no register.
    std::optional<std::uint8_t> tag(std::uint64_t address) const;
    bool set_tag(std::uint64_t address, std::uint8_t tag);

private:
    std::vector<std::uint8_t> read_chain(std::uint64_t offset, std::uint64_t size) const;
    void announce() const;  ///< to whoever observes the guest (memory_observer.h)
    bool write_chain(std::uint64_t offset, std::span<const std::uint8_t> bytes);
    cpu::CpuState& state_;
};

}  // namespace e2k::guest
