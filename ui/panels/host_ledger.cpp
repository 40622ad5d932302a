#include "ui/panels/host_ledger.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "ui/format.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

constexpr float kCells = 6;  ///< of the longest count: "12.3 M"

const translate::BundleQuality* entry(const HostLedger& ledger, int bundle) {
    const auto i = static_cast<std::size_t>(bundle);
    return bundle >= 0 && i < ledger.bundles.size() ? &ledger.bundles[i] : nullptr;
}

std::string si(std::uint64_t value) { return ui::si(static_cast<double>(value)); }

std::string explanation(const HostLedger& ledger, std::size_t index) {
    const translate::BundleQuality& bundle = ledger.bundles[index];
    const std::uint32_t above =
        bundle.instructions - std::min(bundle.instructions, bundle.operations);
    std::string out = trf(
        "Executed {} times in this region.\n{} host instructions for {} operations: {} above the "
        "ideal of one each.",
        decimal_grouped(bundle.executed.bundles), bundle.instructions, bundle.operations, above);
    if (const std::uint64_t weight = bundle.executed.excess())
        out += "\n" + trf("Weight {} × {} = {}: {:.1f} % of the region's.",
                          decimal_grouped(bundle.executed.bundles), above, decimal_grouped(weight),
                          100 * ledger.share(index));
    return out + "\n" + tr("Exits and other code off the straight path are left out.");
}

}  // namespace

const char* const kCountHelp = text_mark(
    "Count how often every bundle runs.\n"
    "Costs little in long loops, up to a tenth of the speed where branches are many. "
    "Switching drops all translations, which are made anew as the program runs on.");

double HostLedger::share(std::size_t bundle) const {
    if (excess == 0) return 0;
    return static_cast<double>(bundles[bundle].executed.excess()) / static_cast<double>(excess);
}

HostLedger make_ledger(const translate::RegionRecord& region) {
    HostLedger ledger;
    ledger.counted = !region.bundle_executions.empty();
    if (!ledger.counted) return ledger;
    ledger.bundles = translate::assess(region);
    for (std::size_t i = 0; i < ledger.bundles.size(); ++i) {
        const translate::Executed& executed = ledger.bundles[i].executed;
        ledger.total.add(executed);
        ledger.excess += executed.excess();
        if (executed.excess() != 0) ledger.ranking.push_back(i);
    }
    std::ranges::stable_sort(ledger.ranking, std::ranges::greater(),
                             [&](std::size_t i) { return ledger.bundles[i].executed.excess(); });
    return ledger;
}

std::string ledger_text(const HostLedger& ledger) {
    const translate::Executed& total = ledger.total;
    if (total.bundles == 0) return tr("executed here: nothing since counting began");
    std::string out = trf("executed here: {} ops → {} instructions  ·  {:.2f} an op",
                          si(total.operations), si(total.instructions), total.expansion());
    if (!ledger.ranking.empty()) {
        const std::size_t worst = ledger.ranking.front();
        out += trf("  ·  {} above one an op, {:.0f} % of them in {}", si(ledger.excess),
                   100 * ledger.share(worst), hex(ledger.bundles[worst].address));
    }
    return out;
}

std::uint64_t next_worst(const HostLedger& ledger, std::uint64_t last) {
    // A region may hold a bundle several times.
    std::vector<std::uint64_t> places;
    for (const std::size_t i : ledger.ranking)
        if (std::ranges::find(places, ledger.bundles[i].address) == places.end())
            places.push_back(ledger.bundles[i].address);
    if (places.empty()) return 0;
    const auto at = std::ranges::find(places, last);
    return at != places.end() && at + 1 != places.end() ? at[1] : places.front();
}

ReasonShares reason_shares(const translate::RegionRecord& region, const HostLedger& ledger) {
    ReasonShares shares;
    if (ledger.total.instructions != 0) {
        shares.amounts = ledger.total.by_reason;
        shares.total = ledger.total.instructions;
        shares.unit = tr("executed instructions");
        return shares;
    }
    for (const translate::HostRange& range : region.ranges)
        shares.amounts[static_cast<std::size_t>(range.reason)] += range.end - range.begin;
    shares.total = std::max<std::uint64_t>(1, region.host_code.size());
    shares.unit = tr("bytes");
    return shares;
}

float ledger_width(const Theme& theme, const HostLedger& ledger) {
    return ledger.counted ? theme.cell() * kCells + theme.px(16) : 0;
}

std::string counts_text(const HostLedger& ledger, int bundle, int line) {
    const translate::BundleQuality* quality = entry(ledger, bundle);
    if (!quality || line < 0 || line > 1) return "";
    if (line == 0) return si(quality->executed.bundles);
    const double share = ledger.share(static_cast<std::size_t>(bundle));
    return share >= 0.001 ? fmt::format("{:.{}f} %", 100 * share, share < 0.0995 ? 1 : 0) : "";
}

void draw_counts(const Scene& scene, Ink& ink, const HostLedger& ledger, int bundle, int line,
                 ImVec2 at) {
    const Theme& theme = scene.theme;
    if (!ledger.counted || !entry(ledger, bundle)) return;
    const auto index = static_cast<std::size_t>(bundle);
    const ImVec2 end{at.x + ledger_width(theme, ledger), at.y + theme.row()};
    const double share = ledger.share(index);
    // Brightness of the stripe goes with the weight; the share beside it says the same in words.
    if (share > 0) {
        const double most = ledger.share(ledger.ranking.front());
        const auto t = static_cast<float>(0.15 + 0.85 * std::sqrt(share / most));
        ink.fill({end.x - theme.px(4), at.y}, {end.x - theme.px(1), end.y},
                 mix(theme.panel, theme.text, t));
    }
    if (const std::string text = counts_text(ledger, bundle, line); !text.empty()) {
        const bool worst = !ledger.ranking.empty() && ledger.ranking.front() == index;
        ink.text_right(end.x - theme.px(7), at.y + (theme.row() - theme.font_px()) * 0.4f,
                       worst ? theme.text : theme.dim, text, worst ? Weight::Bold : Weight::Mono);
        ink.end_cell();
    }
    if (ImGui::IsWindowHovered() && ImGui::IsMouseHoveringRect(at, end))
        tool_tip(theme, explanation(ledger, index));
}

}  // namespace e2k::ui
