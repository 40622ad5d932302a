// Runs a program to its end and records all of it: the engine of `e2kwb record`.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "engine/guest/process.h"
#include "engine/history/log.h"

namespace e2k::machine {

struct RecordingOptions {
    guest::ProcessOptions process;
    bool interpreter = false;
    std::shared_ptr<history::Log> log;
    std::function<void(const std::string&)> on_notice;  ///< before the first bundle
};
struct RecordingResult {
    guest::ExitStatus exit;
    bool failed = false;  ///< stopped at a bundle this build cannot execute
    std::string detail;   ///< why, for deaths by trap or missing operations
};
/// On the calling thread, streams on the host's descriptors; error text if it could not start.
tl::expected<RecordingResult, std::string> record_run(const std::string& path,
                                                      RecordingOptions options);

}  // namespace e2k::machine
