// The quality ledger of the region in view: executions of its bundles, and what their host
// instructions cost above the ideal of one a guest operation.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/translate/quality.h"
#include "ui/ink.h"

namespace e2k::ui {

/// Tool tip of the switch that makes executions known.
extern const char* const kCountHelp;

struct HostLedger {
    bool counted = false;                           ///< executions are known
    std::vector<translate::BundleQuality> bundles;  ///< in region order
    translate::Executed total;
    std::uint64_t excess = 0;          ///< sum of what bundles have above the ideal
    std::vector<std::size_t> ranking;  ///< indices of the bundles that have any, the worst first
    /// A bundle's part of `excess`, 0 to 1.
    double share(std::size_t bundle) const;
};

HostLedger make_ledger(const translate::RegionRecord& region);
/// The region's total, executed: "123 M ops → 345 M instructions  ·  2.81 an op  ·  …".
std::string ledger_text(const HostLedger& ledger);
/// The bundle to go to after `last`: the next in the ranking, the worst after the last or after
/// what is not in it; 0 without a ranking.
std::uint64_t next_worst(const HostLedger& ledger, std::uint64_t last);

/// What the reasons have made: executed instructions when they are known, bytes otherwise.
struct ReasonShares {
    std::array<std::uint64_t, translate::kReasons> amounts{};
    std::uint64_t total = 1;  ///< never 0
    const char* unit = "";
};
ReasonShares reason_shares(const translate::RegionRecord& region, const HostLedger& ledger);

/// Width of the column of executions, 0 when there is none.
float ledger_width(const Theme& theme, const HostLedger& ledger);
/// What that column holds in a line of a bundle: executions in the first, its share of the
/// region's excess in the second.
std::string counts_text(const HostLedger& ledger, int bundle, int line);
/// Draws the column's cell of a row that begins at `at`.
void draw_counts(const Scene& scene, Ink& ink, const HostLedger& ledger, int bundle, int line,
                 ImVec2 at);

}  // namespace e2k::ui
