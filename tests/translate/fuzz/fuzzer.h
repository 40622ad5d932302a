// Runs random programs in the translator and in the interpreter and compares the whole state and
// the memory wherever the translator stops.
#pragma once

#include <cstdint>
#include <string>

namespace e2k::fuzz {

struct FuzzOptions {
    std::uint64_t seed = 1;
    std::uint64_t first_case = 0;
    std::uint64_t cases = ~0ull;    ///< ends after so many programs,
    std::uint64_t bundles = ~0ull;  ///< or when so many bundles have been generated
    /// One region at a time instead of linked ones: a difference is found where it arises.
    bool single_regions = false;
    bool profile = false;  ///< fills FuzzResult::profiled; keeps all regions: for few cases
};

struct FuzzResult {
    std::uint64_t cases = 0, comparisons = 0;
    std::uint64_t generated = 0;    ///< bundles generated
    std::uint64_t bundles = 0;      ///< bundles executed by both
    std::uint64_t interpreted = 0;  ///< of those, by the translator's interpreter
    std::uint64_t profiled = 0;     ///< bundles executed in regions, as these count them
    std::uint64_t traps = 0;
    std::uint64_t kernels = 0, kernel_entries = 0;  ///< translated loops, and their runs
    std::uint64_t tagged = 0;  ///< regions made for states in which tags are visible
    std::string difference;    ///< the first one, with the program; empty: none
    std::uint64_t bad_case = 0;
};

/// The programs are a function of seed and case number alone.
FuzzResult fuzz(const FuzzOptions& options);

}  // namespace e2k::fuzz
