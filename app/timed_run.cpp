#include "app/timed_run.h"

namespace e2k::app {

tl::expected<machine::CyclesOptions, std::string> timed_run(const ProgramOptions& program,
                                                            const std::string& model,
                                                            std::uint64_t max_bundles,
                                                            double clock_speed) {
    machine::CyclesOptions run;
    run.process = program.process();
    run.max_bundles = max_bundles;
    run.clock_speed = program.clock.is_virtual() ? 0 : clock_speed;
    if (model.empty()) return run;
    auto processor = timing::find_processor(model);
    if (!processor) return tl::unexpected(processor.error());
    run.processor = std::move(*processor);
    return run;
}

}  // namespace e2k::app
