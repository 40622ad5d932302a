// What a benchmark program says of its own speed: figures found in its output.
#pragma once

#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace e2k::bench {

/// How to read one figure from a program's output.
struct FigureRule {
    std::string program;  ///< the rule is for programs whose file name begins with this
    std::string unit;     ///< "VAX MIPS", "MB/s" ...; may be empty
    std::regex pattern;   ///< group 1: a number, or several separated by blanks
    /// Which matches count: the last, or all of them (a table, one value a cell).
    bool all = false;
    /// For tables: group 1 of a match is its row's key, group 2 the values; rows with a larger key
    /// are left out (0 = no keys). Used for "only what fits the cache".
    double largest_key = 0;
};

/// Rules for well-known programs: Dhrystone, Whetstone, Linpack, Livermore loops, memspeed,
/// busspeed in their usual C versions.
std::vector<FigureRule> known_figures();

/// Rules from a JSON file: an array of objects with "program", "pattern", optionally "unit",
/// "all" and "largest_key". The error names the file and the entry at fault.
tl::expected<std::vector<FigureRule>, std::string> read_figures(const std::string& file);

/// The first rule for a program of this file name, or null.
const FigureRule* rule_for(const std::vector<FigureRule>& rules, std::string_view name);

/// The values of the figure in `output`, in the order they stand there; empty when none is found.
std::vector<double> extract(const FigureRule& rule, const std::string& output);

/// Geometric mean of the positive values; 0 when there are none.
double geometric_mean(const std::vector<double>& values);
/// Middle value (mean of the two middle ones); 0 of none.
double median(std::vector<double> values);

}  // namespace e2k::bench
