// What a region consists of: its bundles, the configuration of each, and how control flows between
// them. Made by `plan_region`, read by the region emitter.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/cpu/interpreter.h"
#include "engine/cpu/memory.h"
#include "engine/translate/window_config.h"

namespace e2k::translate {

/// What is known about a CTPR at a place of the region.
struct CtprFact {
    enum class Kind : std::uint8_t {
        Entry,    ///< as at region entry: unknown, but the state at translation time is a hint
        Known,    ///< tag and base are known
        Unknown,  ///< written with a value only known at run time
    } kind = Kind::Entry;
    cpu::CtprTag tag = cpu::CtprTag::Empty;
    std::uint8_t opc = 0, ipd = 3;
    std::uint64_t base = 0;
    bool in_state = false;  ///< Known, but written to the state by the code that makes it so
    bool operator==(const CtprFact&) const = default;
};
using Facts = std::array<CtprFact, 3>;

/// How a taken transfer of a node continues.
enum class TakenKind : std::uint8_t {
    None,          ///< no transfer
    Direct,        ///< target known
    Predicted,     ///< ct whose CTPR is unknown: label with a guessed target
    IndirectJump,  ///< ct to a label only known at run time
    Return,        ///< ct through a CTPR known to hold the return address
    PredictedReturn,
    Call,  ///< call of a known label
    IndirectCall,
    SystemCall,    ///< of a known entry of the kernel
    InlineCall,    ///< the callee is part of the region
    InlineReturn,  ///< from such a callee
};

/// Where an edge of the control flow leads: a node of the region, or out of it.
struct Edge {
    int node = -1;  ///< -1: leaves the region
    std::uint64_t target = 0;
    Config config;
};

/// A call whose callee is part of the region. Nothing is done for it while control stays inside:
/// where control leaves, the chain frame is made and the window moved (recovery.h). Only functions
/// that are in the region as a whole are taken in, so that they are left only by their return or,
/// rarely, for the interpreter.
struct CallFrame {
    int parent = -1;      ///< the call that the caller itself is in, -1: none
    unsigned depth = 1;   ///< calls since the region's entry; number of the callee's predicate file
    Config caller;        ///< what the chain frame keeps
    unsigned wbs = 0;     ///< in registers
    unsigned window = 0;  ///< %r0 of the callee, in registers from that of the region's entry
    std::int32_t stack =
        0;  ///< what getsp added to the user stack pointer since the region's entry
    std::uint64_t target = 0, return_ip = 0;
    std::uint32_t writes = 0;  ///< predicates that the callee itself writes
};

/// One bundle of a region.
struct Node {
    cpu::exec::ExecBundle bundle;
    std::uint64_t address = 0;
    Config config;   ///< before the bundle
    Facts facts;     ///< before the bundle
    Facts after;     ///< after it, without its transfer
    int frame = -1;  ///< index into Plan::frames: the call it is in
    /// In callees: what getsp added to the stack pointer since the region's entry, not in the
    /// state.
    std::int32_t stack = 0, stack_after = 0;
    bool interpret = false;          ///< handed to the interpreter
    bool join = false;               ///< reached other than from the node laid out before it
    bool entered_by_return = false;  ///< some call of the region continues here
    int loop_end = -1;               ///< header of a loop without calls: index of its last node
    TakenKind taken_kind = TakenKind::None;
    Edge next;                  ///< not taken
    Edge taken;                 ///< Direct, Predicted: target; Call: callee
    Edge return_to;             ///< calls: where the callee's return continues
    unsigned window = 0;        ///< %r0 in registers from that of the region's entry
    unsigned file = 0;          ///< predicate file: 0 that of the region's entry
    bool bundle_dbl = false;    ///< 32-bit results of the bundle clear the upper half
    bool falls_through = true;  ///< `next` can be reached without taking the transfer
};

struct Plan {
    std::vector<std::unique_ptr<Node>> nodes;  ///< in layout order
    std::vector<CallFrame> frames;             ///< a parent before its children
    Config entry;
    std::uint64_t address = 0;
    int iset = 0;
    /// Bit n-1: the region relies on %ctprN being what it was in the state (PlanRequest::state).
    unsigned guessed_ctprs = 0;
    std::array<CtprFact, 3> entry_facts;
};

/// A function that may be taken into a caller's region.
struct Trial {
    std::uint64_t target = 0;
    Config config;        ///< of the callee
    unsigned depth = 1;   ///< calls since the region's entry
    unsigned window = 0;  ///< %r0 in registers from that of the region's entry
};

/// Limits and questions of the planner.
struct PlanRequest {
    const cpu::CpuState& state;  ///< configuration, version and hints; state.ip is the entry
    const cpu::MemoryView& memory;
    unsigned max_bundles = 64;    ///< without those of callees
    unsigned callee_bundles = 0;  ///< so many of these may be added
    const std::function<bool(std::uint64_t)>& is_breakpoint;
    /// The number of bundles a function adds where it is taken in; 0: it is not.
    const std::function<unsigned(const Trial&)>& size_inside;
    std::optional<Trial> trial = {};  ///< plan this function, not the place of the state
    bool guess_ctprs = false;         ///< take those that hold labels for known
};

/// Collects a region from state.ip. Empty nodes: nothing can be fetched there.
Plan plan_region(const PlanRequest& request);

/// The CTPRs after a call or return.
Facts cleared_facts();

/// The number of bundles if the plan of a function on trial can be part of a caller's region, else
/// 0: all of it, at most `largest`, is planned, and it is left by known returns only.
unsigned bundles_inside(const Plan& plan, unsigned largest);
/// Whether all callees of a plan are as they were on trial; not if their code changed since.
bool callees_complete(const Plan& plan);

/// State registers that show windows and stacks: inside of a caller's region the state does not
/// have them.
bool belongs_to_frame(std::uint8_t code);

/// Whether the emitter can do the whole bundle in configuration `config` (one predicate for
/// planning and emission).
bool can_emit(const cpu::exec::ExecBundle& b, Config config, const Facts& facts);

}  // namespace e2k::translate
