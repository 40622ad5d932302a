// `e2kwb trace`: every bundle as it executes.
#include <cstdio>

#include <fmt/format.h>

#include "app/commands.h"
#include "engine/machine/trace.h"

namespace e2k::app {

int trace(const TraceCommandOptions& options) {
    const std::string& path = options.program.argv.front();
    machine::TraceOptions trace;
    trace.process = options.program.process();
    trace.registers = options.registers;
    trace.max_bundles = options.max_bundles;
    // The guest writes to standard output itself, so the trace goes beside it.
    const auto result = machine::trace(
        path, std::move(trace), [](std::string_view line) { fmt::print(stderr, "{}\n", line); });
    if (!result) {
        complain(result.error());
        return kExitCannotRun;
    }
    if (result->failed) {
        complain(
            fmt::format("{}: this build cannot execute the last bundle: {}", path, result->detail));
        return kExitMissingOperation;
    }
    switch (result->exit.kind) {
        case guest::ExitStatus::Kind::Running:
            fmt::print(stderr, "stopped after {} bundles\n", result->counters.bundles);
            return 0;
        case guest::ExitStatus::Kind::Exited:
            fmt::print(stderr, "exited with code {} after {} bundles\n", result->exit.value,
                       result->counters.bundles);
            return result->exit.value;
        case guest::ExitStatus::Kind::Signaled:
            break;
    }
    complain(fmt::format("{}: {}", path, result->detail));
    return 128 + result->exit.value;
}

}  // namespace e2k::app
