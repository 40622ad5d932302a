// What enters a guest from outside, as a recording keeps it: each event is all that the Linux
// layer, or the user, did to the state and the memory between two bundles.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/cpu/state.h"
#include "engine/history/target.h"

namespace e2k::history {

/// A change of the mappings.
struct MappingChange {
    enum class Kind : std::uint8_t {
        Map,      ///< zeros at [a, b)
        Unmap,    ///< [a, b)
        Protect,  ///< b bytes from a on
        Move,     ///< b bytes at a become d bytes at c
        Zero,     ///< the contents of [a, b) are gone
        Clear,    ///< everything (execve); the hardware stacks are new ones too
    } kind = Kind::Map;
    std::uint64_t a = 0, b = 0, c = 0, d = 0;
    std::uint8_t prot = 0;
    bool shared = false;  ///< Map
    bool keep = false;    ///< Move: zeros stay at the old place
    std::string name;     ///< Map
    bool operator==(const MappingChange&) const = default;
};

struct MemoryBytes {
    std::uint64_t address = 0;
    std::vector<std::uint8_t> bytes;
    bool operator==(const MemoryBytes&) const = default;
};

/// Registers by their place in the window file.
struct RegisterRun {
    std::uint64_t first = 0;
    std::vector<cpu::Reg> values;
    std::vector<std::uint8_t> tags;  ///< as many
};

/// Frames by their place on the chain.
struct FrameRun {
    std::uint64_t first = 0;
    std::vector<cpu::ChainFrame> frames;
};

struct Event {
    EventKind kind = EventKind::Call;
    /// The guest goes on after it; otherwise the program, or the thread that is recorded, has
    /// ended.
    bool goes_on = true;
    /// Part of a call that waits: the call is not over, what follows belongs to it too.
    bool waits = false;
    std::uint64_t bundle = 0;             ///< CpuState::bundles
    std::uint64_t check = 0;              ///< state_check() before it
    std::uint64_t number = 0;             ///< Call: of the call; Trap: the TrapCode
    std::uint64_t window = 0, depth = 0;  ///< after it
    std::vector<std::pair<std::uint64_t, std::uint64_t>> words;  ///< of the StateImage, after it
    std::vector<RegisterRun> registers;
    std::vector<FrameRun> frames;
    std::vector<MappingChange> mappings;  ///< in order
    std::vector<MemoryBytes> memory;      ///< after all of these

    bool synchronous() const {
        return kind == EventKind::Call || kind == EventKind::Trap || kind == EventKind::Return;
    }
};

using ByteStream = std::vector<std::uint8_t>;
void encode(const Event& event, ByteStream& to);
/// Reads the event at `at`, which moves on. False: the bytes are no event.
bool decode(const ByteStream& from, std::size_t& at, Event& event);

}  // namespace e2k::history
