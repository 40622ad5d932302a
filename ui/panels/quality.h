// Quality: all translated regions, what they cost and how much of the work is theirs, live.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "ui/scene.h"

namespace e2k::ui {

enum class QualityColumn : std::uint8_t {
    Region,
    Executed,   ///< bundles
    Share,      ///< of all host instructions executed
    Expansion,  ///< host instructions an operation
    Excess,     ///< instructions above one an operation
    Tier,
    Bytes,
    Exits,
};

struct QualityState {
    QualityColumn sorted_by = QualityColumn::Share;
    bool descending = true;
    int reason = -1;  ///< only regions with such instructions, counted for it; -1 = all
    bool watched = false;
    bool drawn = false;       ///< in this frame
    std::string exported;     ///< text to be saved, taken over by the application
    std::string exported_as;  ///< "quality.csv"

    std::shared_ptr<const translate::QualityReport> last;  ///< the newest in `history`
    std::vector<float> history;                            ///< host instructions an operation
};

/// Regions in the order shown, indices into the report.
std::vector<std::size_t> quality_order(const translate::QualityReport& report,
                                       const QualityState& state);

void draw_quality(const Scene& scene, QualityState& state, machine::CommandSink& sink);
std::string quality_text(const Scene& scene, const QualityState& state);

}  // namespace e2k::ui
