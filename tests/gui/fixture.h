// What panels need to speak, without a window; and a bundle whose predicate unit works.
#pragma once

#include <string>

#include "tests/gui/synthetic.h"
#include "ui/panels/panel.h"

namespace e2k::ui::test {

struct Fixture {
    machine::Snapshot snapshot = sample_snapshot();
    Changes changes;
    Logs logs;
    Theme theme;
    Selection selection;
    SyntheticSource source;
    PanelStates panels;

    Scene scene() { return {snapshot, changes, logs, theme, selection, nullptr, true}; }
    std::string text(PanelId panel) { return panel_info(panel).text(scene(), panels); }
};

inline isa::Bundle logic_bundle() {
    isa::Bundle bundle;
    bundle.address = 0x100;
    bundle.plu.count = 2;
    const auto pred = [](unsigned n) {
        return isa::Elp{isa::Elp::Kind::Pred, static_cast<std::uint8_t>(n)};
    };
    bundle.plu.elp = {pred(0), pred(1), pred(2), pred(3)};
    // @p4 = ~@p0 & ~@p1 -> %pred4; @p5 = @p2 & ~@p4 -> %pred5
    bundle.plu.clp[0] = {isa::ClpOpcode::Andp, true, true, 0, 1, true, 4};
    bundle.plu.clp[1] = {isa::ClpOpcode::Andp, false, true, 2, 4, true, 5};
    return bundle;
}

}  // namespace e2k::ui::test
