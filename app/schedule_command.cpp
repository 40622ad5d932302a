// `e2kwb schedule`: a loop or block of a program on machines of other widths.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "app/commands.h"
#include "engine/machine/schedule.h"

namespace e2k::app {

int schedule(const ScheduleOptions& options) {
    const std::string& path = options.program.argv.front();
    if (access(path.c_str(), F_OK) != 0) {
        complain(fmt::format("{}: {}", path, std::strerror(errno)));
        return kExitNotFound;
    }
    machine::CyclesOptions run;
    run.process = options.program.process();
    run.max_bundles = options.max_bundles;
    run.clock_speed = options.program.clock.is_virtual() ? 0 : 1;
    if (!options.model.empty()) {
        auto processor = timing::find_processor(options.model);
        if (!processor) {
            complain(processor.error());
            return kExitUsage;
        }
        run.processor = std::move(*processor);
    }
    keep_standard_error();
    const auto report = machine::make_schedules(path, std::move(run), options.place);
    if (!report) {
        complain(with_advice(report.error()));
        return kExitFailure;
    }
    results_beside_guest().write(machine::schedule_text(*report, options.graph));
    return 0;
}

}  // namespace e2k::app
