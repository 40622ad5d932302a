// A program under the cycle model, as the command line asks for it.
#pragma once

#include <cstdint>
#include <string>

#include <tl/expected.hpp>

#include "app/program_options.h"
#include "engine/machine/cycles.h"

namespace e2k::app {

/// `model`: a processor, or a file that describes one; empty: by the program. `clock_speed`: of the
/// guest's clock, unless the program has a virtual one. The error says what is wrong with the
/// model.
tl::expected<machine::CyclesOptions, std::string> timed_run(const ProgramOptions& program,
                                                            const std::string& model,
                                                            std::uint64_t max_bundles,
                                                            double clock_speed);

}  // namespace e2k::app
