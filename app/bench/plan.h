// What `e2kwb bench` measures: programs, in variants, several times.
#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "app/bench/figures.h"
#include "app/bench/process.h"

namespace e2k::bench {

/// One way to run every program: a tier of this executable, or a native build beside it.
struct Variant {
    std::string name;                      ///< column heading
    std::vector<std::string> run_options;  ///< of `e2kwb run`
    std::string directory;                 ///< not empty: the program of that name there, natively
};

/// All runs of one program in one variant.
struct Series {
    std::vector<ProcessResult> runs;
    std::vector<std::vector<double>> figures;  ///< per run, as `extract` gives them
    std::string trouble;                       ///< why there is no figure; empty when there is one

    /// Middle value of every figure over the runs.
    std::vector<double> medians() const;
    /// One number: geometric mean of the medians.
    double value() const { return geometric_mean(medians()); }
};

struct ProgramRow {
    std::string path, name;
    const FigureRule* rule = nullptr;  ///< null: elapsed seconds are the figure
    std::vector<Series> series;        ///< one a variant

    bool smaller_is_better() const { return rule == nullptr; }
    std::string unit() const { return rule ? rule->unit : "s"; }
};

/// How many times as fast variant `a` is as variant `b`: geometric mean over the figures both have;
/// 0 when there are none.
double ratio(const ProgramRow& row, std::size_t a, std::size_t b);

/// Programs below the given files and directories: ELF files for Elbrus, by name. The error names
/// a path that does not exist or a set without any program.
tl::expected<std::vector<std::string>, std::string> find_programs(
    const std::vector<std::string>& paths);

/// The file in `directory` that is the same program for another machine: same name, or the same up
/// to the first '_' ("dhrystone_v4" and "dhrystone_amd64"); empty when there is none.
std::string counterpart(const std::string& directory, const std::string& name);

/// "name=--option --option": a variant by hand; without '=' the options are the name.
Variant variant_from(const std::string& text);

/// For people: a table with medians, spread and ratios to the last variant.
std::string format_table(const std::vector<ProgramRow>& rows, const std::vector<Variant>& variants);
/// For programs: every sample.
std::string format_json(const std::vector<ProgramRow>& rows, const std::vector<Variant>& variants);

}  // namespace e2k::bench
