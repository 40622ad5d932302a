// A translated region and the places where it can be left.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "engine/translate/translator.h"
#include "engine/translate/window_config.h"

namespace e2k::translate {

struct Region;

/// A direct exit: a jump that goes to a stub until it is patched to the successor's entry.
struct ExitSite {
    std::uint64_t target = 0;              ///< guest address
    Config config;                         ///< configuration there
    std::uint8_t* displacement = nullptr;  ///< executable address of the jump's rel32 field
    std::uint8_t* stub = nullptr;          ///< executable address of the unpatched target
    Region* from = nullptr;
    Region* linked = nullptr;
};

/// Host code in which a guest access may fault: the state in memory is that before `address`.
struct FaultPoint {
    std::uint32_t begin = 0, end = 0;           ///< offsets into the region's code
    std::uint64_t address = 0;                  ///< of the bundle
    std::uint32_t bundles = 0, operations = 0;  ///< executed, not yet counted in the state
};

/// Guest bytes [begin, end) a region was made from.
struct GuestRange {
    std::uint64_t begin = 0, end = 0;
};

struct Region {
    std::uint64_t address = 0;
    Config config;
    int mode = 0;                   ///< what else the code depends on (version)
    std::uint8_t* entry = nullptr;  ///< null: the bundle at `address` is interpreted
    std::uint32_t size = 0;         ///< host bytes
    std::vector<GuestRange> guest;
    std::deque<ExitSite> exits;
    std::vector<ExitSite*> incoming;  ///< patched jumps that lead here
    std::vector<FaultPoint> faults;   ///< ascending
    std::unique_ptr<std::uint64_t> executions = std::make_unique<std::uint64_t>(0);
    std::shared_ptr<RegionRecord> record;
    bool dead = false;
};

/// Why generated code returned to the dispatcher. Values from kFirstExitSite on are ExitSite*.
enum class Leave : std::uint64_t {
    Jumped = 0,       ///< state.ip holds the target of a transfer without translation
    Returned = 1,     ///< the same, by `return`
    Interpret = 2,    ///< the bundle at state.ip is for the interpreter
    Fault = 3,        ///< a host fault; FaultGuard::fault_pc() says where
    Interrupted = 4,  ///< state.interrupt was seen
};
inline constexpr std::uint64_t kFirstExitSite = 4096;

}  // namespace e2k::translate
