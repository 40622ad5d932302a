// A program under the cycle model: interpreted to its end, every bundle timed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "engine/guest/elf_image.h"
#include "engine/guest/process.h"
#include "engine/timing/model.h"

namespace e2k::machine {

class Guest;

struct CyclesOptions {
    guest::ProcessOptions process;
    /// Whose numbers; none: the one that the program's version is tuned for.
    std::optional<timing::Processor> processor;
    /// The guest's clock runs from the modelled cycles at the processor's frequency, this many
    /// times as fast; 0: as `process.clock` says.
    double clock_speed = 1;
    std::uint64_t max_bundles = 0;  ///< 0 = until the program ends
    /// Also told of every bundle; lives as long as the call.
    timing::IssueSink* sink = nullptr;
    /// While the program is still there, whatever has ended the run.
    std::function<void(Guest&, const timing::CycleModel&)> at_end;
};

struct CyclesResult {
    std::unique_ptr<timing::CycleModel> model;  ///< of the first thread
    std::shared_ptr<const guest::SymbolTable> symbols;
    guest::ExitStatus exit;
    bool failed = false;
    std::string detail;
};

/// Streams are the host's. Error: could not start.
tl::expected<CyclesResult, std::string> run_cycles(const std::string& path, CyclesOptions options);

}  // namespace e2k::machine
