// Random system calls of a sandboxed guest: the workbench must live on and nothing outside of the
// scratch directory may change.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace e2k::guest::fuzz {

struct Settings {
    std::uint64_t seed = 1;
    std::uint64_t calls = 1'000'000;
    double seconds = 0;        ///< 0: until `calls` are done
    std::int64_t worker = -1;  ///< only this part of the run, to repeat a finding
    int number = -1;           ///< only this system call
    bool sandbox = true;
    bool progress = false;  ///< a line every few seconds on standard error
};

struct RowCount {
    std::string name;
    std::uint64_t made = 0, succeeded = 0;
};

struct Outcome {
    std::uint64_t calls = 0, workers = 0, guests = 0;
    std::vector<RowCount> rows;         ///< by number
    std::vector<std::string> findings;  ///< empty: all is well
};

/// Runs in child processes; the caller must have no other threads.
Outcome run(const Settings& settings);

/// Every row with every bad address in each of its pointers; findings as above.
Outcome run_bad_pointers(bool sandbox);

}  // namespace e2k::guest::fuzz
