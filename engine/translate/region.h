// A translated region and the places where it can be left.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "engine/translate/edge_profile.h"
#include "engine/translate/plan.h"
#include "engine/translate/translator.h"
#include "engine/translate/value_cache.h"
#include "engine/translate/window_config.h"

namespace e2k::translate {

struct KernelFacts;
struct Region;

/// Why generated code returned to the dispatcher. Other values are Exit*.
enum class Leave : std::uint64_t {
    Jumped = 0,       ///< state.ip holds the target of a transfer without translation
    Returned = 1,     ///< the same, by `return`
    Interpret = 2,    ///< the bundle at state.ip is for the interpreter
    Fault = 3,        ///< a host fault; FaultGuard::fault_pc() says where
    Interrupted = 4,  ///< state.interrupt was seen
    Linkable = 5,     ///< an ExitSite that is not linked
    Distrust = 6,     ///< a register is not the pointer it was taken for: make the region anew
    Declined = 7,     ///< as Interpret: there is no host code for the bundle
    SystemCall = 8,   ///< a SystemCallExit; state.ip is where the call returns to
    Sampled = 9,      ///< a SliceEnd
    Tagged = 10,      ///< the code behind looks at something that is diagnostic
};
inline constexpr std::uint64_t kFirstExit = 4096;

/// A place where a region is left.
struct Exit {
    Leave why;
};

/// One value that the state in memory lacks at a place of a region: where it is, where it goes.
struct Restore {
    enum class From : std::uint8_t { Gpr, Xmm, Constant, Compare, Predicate };
    enum class To : std::uint8_t {
        Window,
        State,
        Predicate,  ///< of a callee's file; `offset` is its index in the value cache
    };
    From from = From::Constant;
    To to = To::State;
    std::uint8_t bytes = 8;
    std::uint8_t reg = 0;     ///< Gpr, Xmm; Predicate: index into Frame::predicates
    std::int32_t offset = 0;  ///< from state.window of the region's entry, or from the state
    std::uint64_t constant = 0;
    PredicateValue compare;
};

/// Restores [begin, begin + count) of the region's table.
struct RestoreList {
    std::uint32_t begin = 0, count = 0;
};

/// Hands the bundle at `address` to the interpreter, or leaves before it because of an interrupt:
/// the state in memory is brought up to date from the saved registers.
struct RecoveryPoint : Exit {
    std::uint64_t address = 0;
    std::uint32_t bundles = 0, operations = 0;  ///< executed, not yet counted in the state
    RestoreList restores;
    Config config;
    int frame = -1;          ///< index into Region::frames: calls to be made up for
    std::int32_t stack = 0;  ///< what getsp added to the stack pointer inside them
    const Region* region = nullptr;
    std::uint16_t node = 0;     ///< index of the bundle at which the region is left ...
    bool executed = false;      ///< ... after it, not before it
    bool in_kernel = false;     ///< counters and indices are those of the kernel's entry
    std::uint8_t position = 0;  ///< in_kernel: of the next bundle in its pass
    std::uint64_t times = 0;    ///< when profiling
};

/// A slice of bundles ended, or an interrupt is pending, while control was leaving the region; the
/// state in memory is complete.
struct SliceEnd : Exit {
    const Region* region = nullptr;
};

/// A direct exit: a jump that goes to a stub until it is patched to the successor's entry.
struct ExitSite : Exit {
    std::uint64_t target = 0;              ///< guest address
    Config config;                         ///< configuration there
    bool general = false;                  ///< to code that is no kernel
    std::uint8_t* displacement = nullptr;  ///< executable address of the jump's rel32 field
    std::uint8_t* stub = nullptr;          ///< executable address of the unpatched target
    Region* from = nullptr;
    Region* linked = nullptr;
};

/// A call of the kernel.
struct SystemCallExit : Exit {
    std::uint32_t entry = 0, wbs = 0;  ///< as in cpu::Stop
};

/// Host code in which a guest access may fault.
struct FaultPoint {
    std::uint32_t begin = 0, end = 0;  ///< offsets into the region's code
    RecoveryPoint* recovery = nullptr;
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
    SliceEnd slice_end{{Leave::Sampled}, this};
    unsigned tier = 2;     ///< 1: made quickly; slices that end in it tell whether it is worth more
    unsigned samples = 0;  ///< such slices
    std::vector<ExitSite*> incoming;  ///< patched jumps that lead here
    std::vector<FaultPoint> faults;   ///< ascending
    std::deque<RecoveryPoint> recoveries;
    std::deque<SystemCallExit> system_calls;
    std::vector<Restore> restores;
    std::vector<CallFrame> frames;  ///< of callees inside the region
    std::unique_ptr<std::uint64_t> executions = std::make_unique<std::uint64_t>(0);
    std::unique_ptr<EdgeProfile> profile;       ///< when profiling
    std::shared_ptr<const KernelFacts> kernel;  ///< of a kernel
    std::shared_ptr<RegionRecord> record;
    bool dead = false;
};

}  // namespace e2k::translate
