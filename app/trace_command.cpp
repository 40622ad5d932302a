// `e2kwb trace`: every bundle as it executes.
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
    // The guest writes to standard output itself, so the trace goes beside it, line by line.
    keep_standard_error();
    Results& out = results_beside_guest();
    const auto result = machine::trace(path, std::move(trace), [&](std::string_view line) {
        return out.print("{}\n", line) && out.flush();
    });
    if (!result) {
        complain(with_advice(result.error()));
        return kExitCannotRun;
    }
    if (result->failed) {
        complain(
            fmt::format("{}: this build cannot execute the last bundle: {}", path, result->detail));
        return kExitMissingOperation;
    }
    switch (result->exit.kind) {
        case guest::ExitStatus::Kind::Running:
            out.print("stopped after {} bundles\n", result->counters.bundles);
            return 0;
        case guest::ExitStatus::Kind::Exited:
            out.print("exited with code {} after {} bundles\n", result->exit.value,
                      result->counters.bundles);
            return result->exit.value;
        case guest::ExitStatus::Kind::Signaled:
            break;
    }
    complain(fmt::format("{}: {}", path, result->detail));
    return 128 + result->exit.value;
}

}  // namespace e2k::app
