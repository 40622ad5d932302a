// What of a bundle's cost does not depend on the machine's state, and what it has cost so far.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/cpu/exec/micro_op.h"
#include "engine/cpu/interpreter.h"
#include "engine/isa/bundle.h"
#include "engine/timing/processor.h"

namespace e2k::timing {

/// Why no bundle issues in a cycle.
enum class Reason : std::uint8_t {
    Issue,      ///< one does
    Pause,      ///< `nop` of the bundle before
    Operand,    ///< a result is not ready: latency of its operation
    Load,       ///< the same of a load that hits L1
    Miss,       ///< the same of a load that does not
    Predicate,  ///< guard, selection, condition or logic waits for a predicate
    Prepare,    ///< ct or call waits for its CTPR
    Branch,     ///< transfers: unprepared ones, calls and returns
    Unit,       ///< the unit is busy (division)
    Array,      ///< an array element is not there
    Store,      ///< stores wait for their way out of L1
    Window,     ///< registers are spilled or filled
    Library,    ///< functions of the library that the workbench computes
    System,     ///< system calls
    Count,
};
inline constexpr std::size_t kReasons = static_cast<std::size_t>(Reason::Count);
std::string_view name_of(Reason reason);  ///< "nop", "operand", "L1 load", ...
std::string_view meaning_of(Reason reason);

/// Which operand a bundle has waited for.
struct Waited {
    enum class Kind : std::uint8_t { Nothing, Register, Predicate, Ctpr, Area, Channel };
    Kind kind = Kind::Nothing;
    cpu::exec::Space space = cpu::exec::Space::Literal;
    std::uint8_t index = 0;
    std::uint8_t level = 0;    ///< of Miss: 1 is L2
    std::string text() const;  ///< "%r5", "%b[2]", "%pred0", "%ctpr1"; "" for nothing
    bool operator==(const Waited&) const = default;
};

/// A register that a bundle reads.
struct TimedRead {
    cpu::exec::RegRef ref;
    Consumer consumer = Consumer::Integer;
    std::uint8_t cluster = 0;
};
/// A predicate that a bundle reads, logical number.
struct TimedCondition {
    enum class Use : std::uint8_t { Logic, Guard, Transfer };
    std::uint8_t index = 0;
    Use use = Use::Guard;
};
struct TimedOp {
    enum class Kind : std::uint8_t { Compute, Load, CheckLoad, Store, ArrayStore };
    Kind kind = Kind::Compute;
    OpClass op_class = OpClass::Integer;
    std::uint8_t channel = 0;
    std::uint8_t latency = 1;
    std::uint8_t every = 1;
    std::uint8_t size = 0;  ///< of the access
    bool speculative = false;
    bool float_compare = false;
    cpu::exec::Write write = cpu::exec::Write::None;
    cpu::exec::RegRef dst, a, b, c, data;
    isa::Width wa = isa::Width::None, wb = isa::Width::None;
    cpu::exec::ConditionRange guard, merge;
    cpu::exec::ArrayAddress array;
    const isa::Operation* operation = nullptr;
};

struct TimedBundle : cpu::Observed {
    isa::Bundle bundle;
    std::uint64_t address = 0, next_address = 0;
    std::uint8_t pause = 0;  ///< HS.nop
    std::uint8_t read_count = 0, condition_count = 0, op_count = 0, guard_count = 0;
    std::array<TimedRead, 4 * isa::kChannels> reads{};
    std::array<TimedCondition, 32> conditions{};
    std::array<TimedOp, isa::kChannels> ops{};
    std::array<cpu::exec::Condition, 24> guards{};
    std::array<cpu::Reg, 2 * isa::kChannels + 2> literals{};
    std::uint8_t logic_count = 0;
    std::array<std::uint8_t, 3> logic{};  ///< predicates that predicate logic writes
    std::uint8_t mova_count = 0;
    std::array<cpu::exec::ArrayLoad, 4> mova{};
    cpu::exec::Transfer transfer;
    cpu::exec::Preparation prepare;
    bool begins_prefetch = false, stores = false;
    bool own_code = false;    ///< of the workbench's library
    bool fixed_cost = false;  ///< first of a function with a cost of its own
    std::uint32_t cost = 0;   ///< that cost

    // --- counters ---
    std::uint64_t executions = 0;
    std::array<std::uint64_t, kReasons> cycles{};  ///< by reason; waits before it, pauses behind it
    Waited last_wait;                              ///< what it waited for most lately
    std::uint64_t longest_wait = 0;
    std::uint64_t useful = 0;                              ///< operations whose guards were true
    std::array<std::uint64_t, isa::kChannels> annulled{};  ///< by channel: guard false
    std::uint64_t dropped_loads = 0;                       ///< speculative loads from nowhere

    std::uint64_t total_cycles() const {
        std::uint64_t sum = 0;
        for (const std::uint64_t c : cycles) sum += c;
        return sum;
    }
};

/// Fills the static part of `out` for `processor`; `iset` is the version that executes.
void make_timed(const isa::Bundle& bundle, int iset, const Processor& processor, TimedBundle& out);

}  // namespace e2k::timing
