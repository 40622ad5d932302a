// `e2kwb cycles`: a program under the cycle model.
#include <unistd.h>

#include <cstring>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/timed_run.h"
#include "engine/machine/cycles_text.h"
#include "engine/machine/whole_file.h"
#include "engine/timing/timeline.h"

namespace e2k::app {

int cycles(const CyclesOptions& options) {
    const std::string& path = options.program.argv.front();
    if (!is_there(path)) return kExitNotFound;
    auto run = timed_run(options.program, options.model, options.max_bundles, options.clock_speed);
    if (!run) {
        complain(run.error());
        return kExitUsage;
    }
    timing::TimelineRecorder recorder(options.trace_bundles);
    const bool records = !options.konata.empty() || !options.chrome_trace.empty();
    if (records) run->sink = &recorder;
    keep_standard_error();
    const auto result = machine::run_cycles(path, std::move(*run));
    if (!result) {
        complain(with_advice(result.error()));
        return kExitCannotRun;
    }
    results_beside_guest().write(
        machine::cycles_text(*result->model, result->symbols.get(), options.top));
    bool written = true;
    const auto write = [&](const std::string& file, auto&& make) {
        if (file.empty()) return;
        const auto trouble = machine::write_whole_file(file, make());
        if (trouble.empty()) return;
        complain(fmt::format("{}: {}", file, trouble));
        written = false;
    };
    write(options.json,
          [&] { return machine::cycles_json(*result->model, result->symbols.get()); });
    if (records) {
        const auto timeline = recorder.picture(*result->model);
        const auto place = [&](std::uint64_t at) { return result->symbols->describe(at); };
        write(options.konata, [&] { return timing::konata_log(*timeline, place); });
        write(options.chrome_trace, [&] { return timing::chrome_trace(*timeline, place); });
    }
    if (!written) return kExitFailure;
    if (result->failed) {
        complain(fmt::format("{}: {}", path, result->detail));
        return kExitMissingOperation;
    }
    return 0;
}

}  // namespace e2k::app
