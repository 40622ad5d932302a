// A loop or block of a program as other machines would issue it: `e2kwb schedule`.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "engine/machine/cycles.h"
#include "engine/timing/scheduler.h"

namespace e2k::machine {

struct ScheduleVariant {
    std::string name;  ///< "6 lanes", "no limits"
    timing::Machine machine;
    timing::Bounds bounds;
    timing::Schedule block;  ///< an iteration by itself
    timing::Schedule loop;   ///< overlapped; of loops only
};

/// What became of an operation's guard, or of a speculative load.
struct GuardReport {
    std::uint64_t address = 0;
    std::string operation;
    std::uint64_t executions = 0, annulled = 0;
};

struct ScheduleReport {
    std::uint64_t begin = 0, end = 0;  ///< of the block
    std::string place;
    bool pipelined = false;  ///< the compiler's code rotates registers
    timing::DependenceGraph graph;
    timing::Schedule compiler;
    std::vector<ScheduleVariant> variants;
    // --- from running it ---
    std::uint64_t executions = 0;  ///< of the first bundle
    double cycles_each = 0;        ///< modelled, waits for memory included
    std::uint64_t slots = 0, useful = 0, annulled = 0;
    std::uint64_t speculative_loads = 0, loads_from_nowhere = 0;
    std::vector<GuardReport> guards;
};

/// The block that holds `place` ("main+0x18", "0x10b70"), seen at the end of a run of `options`.
/// Error: what is wrong with program or place.
tl::expected<ScheduleReport, std::string> make_schedules(const std::string& path,
                                                         CyclesOptions options,
                                                         const std::string& place);
/// `graph`: with every operation and dependence.
std::string schedule_text(const ScheduleReport& report, bool graph);

}  // namespace e2k::machine
