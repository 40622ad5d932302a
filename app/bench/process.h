// One run of one program in a directory of its own, with its output kept and its costs read.
#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace e2k::bench {

struct ProcessResult {
    std::string output;      ///< standard output
    double wall = 0;         ///< seconds
    double user = 0;         ///< seconds of processor time in user mode
    double system = 0;       ///< the same in the kernel
    long peak_kib = 0;       ///< largest resident set
    int exit_code = 0;       ///< of a process that ended by itself
    int signal = 0;          ///< that ended it, else 0
    bool timed_out = false;  ///< was killed for taking too long
};

/// Runs `argv` (an absolute path first) in a fresh empty directory, with empty lines as its input:
/// benchmarks like to ask for the Return key. The error says what could not be started.
tl::expected<ProcessResult, std::string> run_process(const std::vector<std::string>& argv,
                                                     double timeout_seconds);

}  // namespace e2k::bench
