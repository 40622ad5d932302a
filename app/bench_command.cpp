// `e2kwb bench`: programs measured in several tiers, and beside native builds.
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "app/bench/plan.h"
#include "app/commands.h"
#include "engine/machine/whole_file.h"

namespace e2k::app {

namespace {

using bench::ProcessResult;
using bench::ProgramRow;
using bench::Series;
using bench::Variant;

std::string own_path() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

std::vector<Variant> variants_of(const BenchOptions& options) {
    std::vector<Variant> variants;
    for (const std::string& tier : options.tiers) {
        Variant variant{tier, {}, {}};
        if (tier == "interp") variant.run_options = {"--interp"};
        variants.push_back(std::move(variant));
    }
    for (const std::string& text : options.variants) variants.push_back(bench::variant_from(text));
    if (!options.compare.empty()) variants.push_back({"native", {}, options.compare});
    return variants;
}

std::vector<std::string> command_for(const ProgramRow& row, const Variant& variant) {
    if (!variant.directory.empty()) {
        const std::string native = bench::counterpart(variant.directory, row.name);
        return native.empty() ? std::vector<std::string>{} : std::vector<std::string>{native};
    }
    std::vector<std::string> command{own_path(), "run"};
    command.insert(command.end(), variant.run_options.begin(), variant.run_options.end());
    command.push_back(row.path);
    return command;
}

/// A run without its figure says why.
std::string trouble_of(const ProcessResult& run, const ProgramRow& row) {
    if (run.timed_out) return "timed out";
    if (run.signal) return fmt::format("signal {}", run.signal);
    if (row.rule) return fmt::format("no figure, exit {}", run.exit_code);
    return fmt::format("exit {}", run.exit_code);
}

void measure(ProgramRow& row, std::size_t which, const Variant& variant, double timeout) {
    Series& series = row.series[which];
    if (!series.trouble.empty()) return;
    const auto command = command_for(row, variant);
    if (command.empty()) {
        series.trouble = "none";
        return;
    }
    auto run = bench::run_process(command, timeout);
    if (!run) {
        series.trouble = run.error();
        return;
    }
    std::vector<double> values;
    const bool ended = !run->timed_out && run->signal == 0;
    if (row.rule)
        values = bench::extract(*row.rule, run->output);
    else if (ended && run->exit_code == 0)
        values = {run->wall};
    if (values.empty()) series.trouble = trouble_of(*run, row);
    run->output.clear();
    series.runs.push_back(std::move(*run));
    series.figures.push_back(std::move(values));
}

}  // namespace

int bench(const BenchOptions& options) {
    const auto programs = bench::find_programs(options.paths);
    if (!programs) {
        complain(programs.error());
        return kExitFailure;
    }
    std::vector<bench::FigureRule> rules;
    if (!options.figures.empty()) {
        auto own = bench::read_figures(options.figures);
        if (!own) {
            complain(own.error());
            return kExitFailure;
        }
        rules = std::move(*own);
    }
    for (auto& rule : bench::known_figures()) rules.push_back(std::move(rule));

    const std::vector<Variant> variants = variants_of(options);
    std::vector<ProgramRow> rows;
    for (const std::string& path : *programs) {
        const std::string name = std::filesystem::path(path).filename().string();
        rows.push_back(
            {path, name, bench::rule_for(rules, name), std::vector<Series>(variants.size())});
    }
    // Variants take turns, so that a change of the machine's speed meets all of them.
    const bool tell = isatty(STDERR_FILENO) != 0;
    for (ProgramRow& row : rows) {
        for (unsigned run = 0; run < options.runs; ++run) {
            for (std::size_t i = 0; i < variants.size(); ++i) {
                if (tell)
                    print_message("\r\x1b[K{} {}/{} {}", row.name, run + 1, options.runs,
                                  variants[i].name);
                measure(row, i, variants[i], options.timeout);
            }
        }
    }
    if (tell) print_message("\r\x1b[K");

    if (options.json == "-") {
        results().write(bench::format_json(rows, variants));
        return 0;
    }
    results().write(bench::format_table(rows, variants));
    results().print("Medians of {} run{}; figure \"s\" is elapsed time.\n", options.runs,
                    options.runs == 1 ? "" : "s");
    if (!options.json.empty()) {
        const auto trouble =
            machine::write_whole_file(options.json, bench::format_json(rows, variants));
        if (!trouble.empty()) {
            complain(fmt::format("{}: {}", options.json, trouble));
            return kExitFailure;
        }
    }
    return 0;
}

}  // namespace e2k::app
