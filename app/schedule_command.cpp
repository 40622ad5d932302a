// `e2kwb schedule`: a loop or block of a program on machines of other widths.
#include <unistd.h>

#include <cstring>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/timed_run.h"
#include "engine/machine/schedule.h"

namespace e2k::app {

int schedule(const ScheduleOptions& options) {
    const std::string& path = options.program.argv.front();
    if (!is_there(path)) return kExitNotFound;
    auto run = timed_run(options.program, options.model, options.max_bundles, 1);
    if (!run) {
        complain(run.error());
        return kExitUsage;
    }
    keep_standard_error();
    const auto report = machine::make_schedules(path, std::move(*run), options.place);
    if (!report) {
        complain(with_advice(report.error()));
        return kExitFailure;
    }
    results_beside_guest().write(machine::schedule_text(*report, options.graph));
    return 0;
}

}  // namespace e2k::app
