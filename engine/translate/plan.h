// What a region consists of: its bundles, the configuration of each, and how control flows between
// them. Made by `plan_region`, read by the region emitter.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
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
};

/// Where an edge of the control flow leads: a node of the region, or out of it.
struct Edge {
    int node = -1;  ///< -1: leaves the region
    std::uint64_t target = 0;
    Config config;
};

/// One bundle of a region.
struct Node {
    cpu::exec::ExecBundle bundle;
    std::uint64_t address = 0;
    Config config;  ///< before the bundle
    Facts facts;
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
    Config entry;
    std::uint64_t address = 0;
    int iset = 0;
};

/// Limits and questions of the planner.
struct PlanRequest {
    const cpu::CpuState& state;  ///< configuration, version and hints; state.ip is the entry
    const cpu::MemoryView& memory;
    unsigned max_bundles = 64;
    const std::function<bool(std::uint64_t)>& is_breakpoint;
};

/// Collects a region from state.ip. Empty nodes: nothing can be fetched there.
Plan plan_region(const PlanRequest& request);

/// The CTPRs after `b`, without its transfer.
Facts facts_after(const cpu::exec::ExecBundle& b, Facts facts);
/// The CTPRs after a call or return.
Facts cleared_facts();

/// Whether the emitter can do the whole bundle in configuration `config` (one predicate for
/// planning and emission).
bool can_emit(const cpu::exec::ExecBundle& b, Config config, const Facts& facts);

}  // namespace e2k::translate
