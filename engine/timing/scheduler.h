// Schedules of a dependence graph for machines that do not exist: narrower ones, and one without
// limits.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/timing/graph.h"

namespace e2k::timing {

/// So many operations of the channels may issue in a cycle; each needs a channel of its own.
struct Machine {
    unsigned lanes = 6;
    bool infinite = false;  ///< no limits at all
};

/// Least cycles, whatever the schedule.
struct Bounds {
    unsigned critical_path = 0;  ///< longest chain inside an iteration, in cycles of issue
    unsigned resources = 0;
    unsigned recurrence = 0;  ///< longest chain through iterations, an iteration; 0: none
};
Bounds bounds_of(const DependenceGraph& graph, Machine machine);

enum class Idle : std::uint8_t { Dependence, Latency, Resource, Nothing, Count };
inline constexpr std::size_t kIdles = static_cast<std::size_t>(Idle::Count);

struct Schedule {
    std::vector<std::uint32_t> cycle;  ///< of each node
    unsigned length = 0;               ///< cycles, up to the last issue
    /// Cycles from one iteration to the next; `length` where iterations do not overlap.
    unsigned interval = 0;
    bool optimal = false;                      ///< no schedule is shorter
    std::array<std::uint64_t, kIdles> idle{};  ///< lanes without an operation, by reason
};

/// One iteration by itself: list scheduling by longest remaining path, exact for ten or fewer
/// operations.
Schedule schedule_block(const DependenceGraph& graph, Machine machine);
/// Overlapped iterations (modulo scheduling), as often as possible.
Schedule schedule_loop(const DependenceGraph& graph, Machine machine);
/// What the compiler's code takes: in order, waiting where it must. `interval`: in the long
/// run, rounded up.
Schedule compiler_schedule(const DependenceGraph& graph);

/// Whether these nodes can issue together.
bool fits(const DependenceGraph& graph, const std::vector<std::uint16_t>& nodes, Machine machine);
/// What is wrong with a schedule; empty if nothing. `interval` 0: without overlap.
std::string check_schedule(const DependenceGraph& graph, const Schedule& schedule, Machine machine,
                           unsigned interval);

}  // namespace e2k::timing
