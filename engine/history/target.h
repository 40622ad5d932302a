// Small types of the history that everybody may know.
#pragma once

#include <cstdint>

namespace e2k::history {

enum class EventKind : std::uint8_t {
    Start,    ///< everything there is when the recording begins
    Call,     ///< a system call or a call of the C library bridge
    Trap,     ///< the bundle trapped; a handler was entered, or the program died
    Signals,  ///< signals that arrived
    Return,   ///< the end of a handler
    Edit,     ///< the user, or a debugger
};

/// A place of a run where something happened.
struct Mark {
    std::uint64_t bundle = 0;
    EventKind kind{};
    bool operator==(const Mark&) const = default;
};

/// Something that a bundle can write.
struct Target {
    enum class Kind : std::uint8_t { Register, Global, Predicate, Ctpr, Memory } kind{};
    std::uint64_t index = 0;  ///< of %r in the current window, %g, %pred, %ctpr; address
    std::uint64_t size = 8;   ///< Memory
};

}  // namespace e2k::history
