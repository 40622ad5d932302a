// `e2kwb quality`: where translated code spends more host instructions than the ideal of one a
// guest operation.

#include <algorithm>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "app/commands.h"
#include "engine/machine/quality_text.h"
#include "engine/machine/whole_file.h"
#include "engine/translate/host_text.h"
#include "engine/translate/quality.h"

namespace e2k::app {

namespace {

using translate::BundleQuality;
using translate::Executed;
using translate::QualityReport;
using translate::Reason;
using translate::RegionQuality;

class Place {
public:
    explicit Place(const guest::SymbolTable* symbols) : symbols_(symbols) {}
    std::string operator()(std::uint64_t address) const {
        return machine::quality_place(symbols_, address);
    }

private:
    const guest::SymbolTable* symbols_;
};

double percent(std::uint64_t part, std::uint64_t whole) {
    return whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

void print_total(Results& out, const Executed& total, std::uint64_t all_operations) {
    out.print("\nhost instructions   {} for {} operations in {} bundles: {:.2f} an operation\n",
              total.instructions, total.operations, total.bundles, total.expansion());
    out.print("outside regions     {:.3f} % of {} operations (interpreted)\n",
              percent(all_operations - std::min(all_operations, total.operations), all_operations),
              all_operations);
    for (std::size_t reason = 0; reason < translate::kReasons; ++reason) {
        if (total.by_reason[reason] == 0) continue;
        out.print("  {:<18}{:5.1f} %   {:.3f} an operation\n",
                  translate::name_of(static_cast<Reason>(reason)),
                  percent(total.by_reason[reason], total.instructions),
                  static_cast<double>(total.by_reason[reason]) /
                      static_cast<double>(std::max<std::uint64_t>(total.operations, 1)));
    }
}

void print_regions(Results& out, const QualityReport& report, std::size_t top, const Place& place) {
    const std::uint64_t excess = report.total.excess();
    out.print(
        "\nregions by instructions above one an operation\n"
        "  excess   insns/op    executed ops  bundles  region\n");
    for (std::size_t i = 0; i < std::min(top, report.regions.size()); ++i) {
        const RegionQuality& r = report.regions[i];
        if (r.executed.bundles == 0) break;
        out.print("  {:5.1f} %  {:8.2f}  {:14}  {:7}  {}\n", percent(r.executed.excess(), excess),
                  r.executed.expansion(), r.executed.operations, r.record->bundle_addresses.size(),
                  place(r.record->guest_begin));
    }
}

void print_bundles(Results& out, const QualityReport& report, std::size_t top, const Place& place) {
    const std::uint64_t excess = report.total.excess();
    out.print("\nbundles\n  excess   insns  ops        executed  bundle\n");
    for (std::size_t i = 0; i < std::min(top, report.bundles.size()); ++i) {
        const BundleQuality& b = report.bundles[i];
        if (b.executed.bundles == 0) break;
        out.print("  {:5.1f} %  {:5}  {:3}  {:14}  {}\n", percent(b.executed.excess(), excess),
                  b.instructions, b.operations, b.executed.bundles, place(b.address));
    }
}

/// The regions with the largest excess: every bundle beside its host instructions.
void print_listings(Results& out, const QualityReport& report, std::size_t count,
                    const Place& place) {
    for (std::size_t i = 0; i < std::min(count, report.regions.size()); ++i) {
        const translate::RegionRecord& r = *report.regions[i].record;
        if (report.regions[i].executed.bundles == 0) break;
        out.print("\nregion {}   {}\n", place(r.guest_begin), r.key_text);
        for (const bool cold : {false, true}) {
            int bundle = -1;
            if (cold) out.print("  off the straight path\n");
            translate::for_each_instruction(
                r, cold, [&](std::size_t at, const std::string& text, translate::HostRange range) {
                    if (static_cast<int>(range.bundle) != bundle) {
                        bundle = range.bundle;
                        const std::uint64_t address = r.bundle_addresses[range.bundle];
                        out.print("  {}   {} times\n", place(address),
                                  r.bundle_executions[range.bundle]);
                    }
                    out.print("    {:6x}  {:<48} {}\n", at, text, translate::name_of(range.reason));
                });
        }
    }
}

}  // namespace

int quality(const QualityOptions& options) {
    const std::string& path = options.program.argv.front();
    if (!is_there(path)) return kExitNotFound;
    keep_standard_error();
    machine::HeadlessOptions headless;
    headless.process = options.program.process();
    headless.profile = true;
    const auto result = machine::run_headless(path, std::move(headless));
    if (!result) {
        complain(with_advice(result.error()));
        return kExitCannotRun;
    }
    const QualityReport report = translate::assess(result->regions);
    const Place place(result->symbols.get());
    print_total(results_beside_guest(), report.total, result->counters.operations);
    print_regions(results_beside_guest(), report, options.top, place);
    print_bundles(results_beside_guest(), report, options.top, place);
    print_listings(results_beside_guest(), report, options.listings, place);
    if (!options.json.empty()) {
        const auto trouble = machine::write_whole_file(
            options.json, machine::quality_json(report, result->symbols.get()));
        if (!trouble.empty()) {
            complain(fmt::format("{}: {}", options.json, trouble));
            return kExitFailure;
        }
    }
    if (result->failed) {
        complain(fmt::format("{}: {}", path, result->detail));
        return kExitMissingOperation;
    }
    return 0;
}

}  // namespace e2k::app
