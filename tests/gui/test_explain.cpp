// The grid's layout, and the panels that explain: x-ray, state, quality, palette.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/gui/fixture.h"
#include "ui/actions.h"
#include "ui/explain.h"
#include "ui/format.h"
#include "ui/palette.h"

namespace e2k::ui::test {
namespace {

// --- the grid's layout ---

/// Tokens of a row, and those of its chips, which must be the same ones, whole.
void expect_whole_tokens(const GridRow& row, const Arrangement& arrangement) {
    std::vector<std::string> tokens, drawn;
    for (const auto& cell : row.cells)
        for (const OpText& op : cell)
            for (const auto* group : {&op.mnemonic, &op.operands, &op.guards})
                for (const Token& token : *group) tokens.push_back(token.text);
    for (const Chip& chip : place_chips(row, arrangement))
        for (const TokenLine& line : chip.lines)
            for (const Piece& piece : line)
                if (chip.unit != kPauseColumn &&
                    piece.text.find_first_not_of(' ') != std::string_view::npos)
                    drawn.emplace_back(piece.text);
    EXPECT_EQ(drawn, tokens) << hex(row.address);
}

TEST(BundleLayout, ColumnsAreForWidePanelsAndTokensAreNeverBroken) {
    const machine::Snapshot s = sample_snapshot();
    const auto rows = grid_rows(*s.code, s.symbols.get());
    EXPECT_FALSE(arrange(rows, 60).columns);
    const Arrangement wide = arrange(rows, 400);
    ASSERT_TRUE(wide.columns);
    for (const float room : {24.0f, 40.0f, 60.0f, 80.0f, 400.0f}) {
        const Arrangement arrangement = arrange(rows, room);
        for (const GridRow& row : rows) {
            expect_whole_tokens(row, arrangement);
            for (const Chip& chip : place_chips(row, arrangement)) {
                if (arrangement.columns || chip.left == 0) continue;
                EXPECT_LE(chip.left + chip.width, room) << hex(row.address);
            }
        }
    }
    // A bundle of six takes three lines in the list of a window of 1280 pixels.
    const Arrangement usual = arrange(rows, 76);
    EXPECT_LE(lines_of(place_chips(rows[3], usual)), 3u);
}

TEST(BundleLayout, AnEmptyLaneIsAStub) {
    machine::CodeView code;
    machine::CodeView::Row row = sample_snapshot().code->rows[1];
    row.bundle.als_mask = 1;
    code.rows.push_back(row);
    const auto rows = grid_rows(code, nullptr);
    const Arrangement arrangement = arrange(rows, 200);
    ASSERT_TRUE(arrangement.columns);
    EXPECT_GT(arrangement.width[0], 2);
    for (std::size_t lane = 1; lane < 6; ++lane) EXPECT_EQ(arrangement.width[lane], 2) << lane;
}

TEST(BundleLayout, FindLooksAtEverythingOfARow) {
    const machine::Snapshot s = sample_snapshot();
    const auto rows = grid_rows(*s.code, s.symbols.get());
    std::vector<std::string> comments(rows.size());
    comments[2] = "the sum of Squares";
    EXPECT_EQ(find_in_bundles(rows, comments, "SQUARES"), (std::vector<std::size_t>{2}));
    EXPECT_EQ(find_in_bundles(rows, comments, "dot_double").size(), 1u);
    EXPECT_EQ(find_in_bundles(rows, comments, "0x11770"), (std::vector<std::size_t>{2, 3}))
        << "what names the address, and what stands there";
    EXPECT_FALSE(find_in_bundles(rows, comments, "smulx").empty());
    EXPECT_TRUE(find_in_bundles(rows, comments, "no such thing").empty());
    EXPECT_TRUE(find_in_bundles(rows, comments, "").empty());
}

// --- explaining panels ---

TEST(Xray, TheWriterOfAPredicateIsFoundAboveIt) {
    machine::CodeView code;
    for (int i = 0; i < 4; ++i) {
        auto& row = code.rows.emplace_back();
        row.bundle.address = 0x100 + 8 * static_cast<std::uint64_t>(i);
    }
    code.rows[1].bundle.plu = logic_bundle().plu;
    EXPECT_EQ(predicate_writer(&code, nullptr, 0x118, 4), 0x108u);
    EXPECT_EQ(predicate_writer(&code, nullptr, 0x108, 4), 0u) << "not above itself";
    EXPECT_EQ(predicate_writer(&code, nullptr, 0x118, 9), 0u);
    code.rows[2].bundle.ss.abp = 1;  // the names turn in between
    EXPECT_EQ(predicate_writer(&code, nullptr, 0x118, 4), 0u);
}

TEST(Xray, PhasesShowWhatIsKnownByThen) {
    Fixture f;
    auto xray = std::make_shared<machine::Xray>();
    xray->address = f.snapshot.ip;
    xray->next = f.snapshot.ip + 40;
    xray->wrong_in_order = true;
    auto& op = xray->operations.emplace_back();
    op.lane = 2;
    op.text = "addd,2 %dr1, %dr2, %dr3";
    op.formula = "the sum";
    op.reads = {{"%dr1", {machine::XrayPlace::Kind::File, 41}, {5}},
                {"%dr2", {machine::XrayPlace::Kind::File, 42}, {7}}};
    op.writes = {{"%dr3", {machine::XrayPlace::Kind::File, 43}, {1}, {12}, machine::XrayValue{99}}};
    op.guards = {{"~%pred4", {machine::XrayPlace::Kind::Predicate, 4}, true, false, false}};
    op.works = true;
    f.snapshot.xray = xray;
    f.panels.xray.phase = XrayState::Phase::Read;
    std::string text = f.text(PanelId::Xray);
    EXPECT_NE(text.find("ALC2  addd,2 %dr1, %dr2, %dr3"), std::string::npos) << text;
    EXPECT_NE(text.find("%dr1 = 5"), std::string::npos);
    EXPECT_EQ(text.find("the sum"), std::string::npos);
    EXPECT_EQ(text.find("12"), std::string::npos) << text;
    f.panels.xray.phase = XrayState::Phase::Commit;
    text = f.text(PanelId::Xray);
    EXPECT_NE(text.find("%dr3: 1 → 12"), std::string::npos) << text;
    EXPECT_NE(text.find("? ~%pred4: the predicate is 1, no effect"), std::string::npos) << text;
    EXPECT_EQ(text.find("99"), std::string::npos);
    f.panels.xray.sequential = true;
    EXPECT_NE(f.text(PanelId::Xray).find("one by one it would be 99"), std::string::npos);
    // The hover text of the operation says the result, too.
    EXPECT_NE(
        explain_operation(f.scene(), f.snapshot.code->rows[3].bundle, 2).find("after: %dr3 = 0xc"),
        std::string::npos);
}

TEST(State, PredicatesTransfersAndTheLoop) {
    Fixture f;
    const std::string text = f.text(PanelId::State);
    EXPECT_NE(text.find("0 1 | 1 0"), std::string::npos) << text;
    EXPECT_NE(text.find("%ctpr1  dot_int+0x48"), std::string::npos) << text;
    EXPECT_NE(text.find("%ctpr3  return to main+0x40"), std::string::npos) << text;
    EXPECT_NE(text.find("lcnt 37"), std::string::npos);
    EXPECT_EQ(loop_phase(f.snapshot.lsr), LoopPhase::Kernel);
    cpu::LoopState lsr;
    EXPECT_EQ(loop_phase(lsr), LoopPhase::None);
    lsr.vlc = 1;
    lsr.lcnt = 10;
    lsr.pcnt = 2;
    EXPECT_EQ(loop_phase(lsr), LoopPhase::Prologue);
    lsr.pcnt = 0;
    lsr.lcnt = 1;
    EXPECT_EQ(loop_phase(lsr), LoopPhase::Epilogue);

    auto code = std::make_shared<machine::CodeView>();
    code->rows.emplace_back().bundle = logic_bundle();
    f.snapshot.code = code;
    f.snapshot.ip = 0x100;
    f.snapshot.predicates.fill(0);
    f.snapshot.predicates[2] = cpu::kPredValue;
    EXPECT_EQ(local_predicates(f.scene()),
              (std::vector<std::string>{"@p4 = ~%pred0 & ~%pred1 = 1 → %pred4",
                                        "@p5 = %pred2 & ~@p4 = 0 → %pred5"}));
    f.snapshot.aau.active = 1;
    f.snapshot.aau.area[3] = {.cur = 16, .disp = 0, .fmt = 4, .d = 1, .incr = 0, .ind = 0};
    f.snapshot.aau.aad_base[1] = 0x4000;
    const auto arrays = array_lines(f.scene());
    ASSERT_EQ(arrays.size(), 1u);
    EXPECT_NE(arrays[0].find("left area 3: next at 0x4010, 8 bytes, step 8"), std::string::npos)
        << arrays[0];
}

TEST(State, TransfersCountDown) {
    Fixture f;
    auto code = std::make_shared<machine::CodeView>();
    for (int i = 0; i < 4; ++i) {
        auto& row = code->rows.emplace_back();
        row.bundle.address = 0x100 + 8 * static_cast<std::uint64_t>(i);
    }
    code->rows[0].bundle.cs0 = {.present = true, .kind = isa::Cs0Kind::Disp, .ctpr = 1};
    code->rows[1].bundle.nop = 1;
    f.snapshot.code = code;
    f.snapshot.ip = 0x110;
    EXPECT_EQ(ctpr_line(f.scene(), 0).cycles, 2);  // 1 and 1 + 1 of 5 have passed
    f.snapshot.ip = 0x118;
    EXPECT_EQ(ctpr_line(f.scene(), 0).cycles, 1);
    EXPECT_FALSE(ctpr_line(f.scene(), 2).cycles) << "its preparation is not in view";
}

TEST(Quality, SortsFiltersAndExports) {
    Fixture f;
    auto report = std::make_shared<translate::QualityReport>();
    const auto add = [&](std::uint64_t address, std::uint64_t ops, std::uint64_t instructions,
                         std::uint64_t counter) {
        auto record = std::make_shared<translate::RegionRecord>();
        record->guest_begin = address;
        translate::RegionQuality region{record, {}};
        region.executed.bundles = ops / 2;
        region.executed.operations = ops;
        region.executed.instructions = instructions;
        region.executed.by_reason[static_cast<std::size_t>(translate::Reason::Counter)] = counter;
        report->total.add(region.executed);
        report->regions.push_back(region);
    };
    add(0x11000, 100, 150, 0);
    add(0x11770, 1000, 3000, 60);
    add(0x117a8, 500, 4000, 0);
    f.snapshot.quality = report;
    QualityState& state = f.panels.quality;
    using Order = std::vector<std::size_t>;
    EXPECT_EQ(quality_order(*report, state), (Order{2, 1, 0}));
    state.sorted_by = QualityColumn::Executed;
    EXPECT_EQ(quality_order(*report, state), (Order{1, 2, 0}));
    state.sorted_by = QualityColumn::Region;
    state.descending = false;
    EXPECT_EQ(quality_order(*report, state), (Order{0, 1, 2}));
    state.reason = static_cast<int>(translate::Reason::Counter);
    EXPECT_EQ(quality_order(*report, state), (Order{1}));
    state = {};
    const std::string text = f.text(PanelId::Quality);
    EXPECT_NE(text.find("4.47 host instructions an operation"), std::string::npos) << text;
    EXPECT_NE(text.find("dot_double | 250 | 55.9 % | 8.00 | "), std::string::npos) << text;
}

// --- palette ---

TEST(Palette, FindsActionsPanelsDemosAndPlaces) {
    const machine::Snapshot s = sample_snapshot();
    const auto entries = palette_entries({"/demos/select.s"}, {"/old/program"});
    const auto titles = [&](std::string_view query) {
        std::vector<std::string> out;
        for (const PaletteEntry& entry : palette_matches(query, entries, s.symbols.get(), 20))
            out.push_back(entry.title);
        return out;
    };
    for (const ActionInfo& info : actions())
        EXPECT_NE(std::ranges::count(titles(info.name), info.name), 0) << info.name;
    for (const PanelInfo& info : panels())
        EXPECT_NE(std::ranges::count(titles(info.title), info.title), 0) << info.title;
    EXPECT_EQ(titles("demo sel"), (std::vector<std::string>{"select.s"}));
    const auto place = palette_matches("main+0x18", entries, s.symbols.get(), 20);
    ASSERT_FALSE(place.empty());
    EXPECT_EQ(place[0].choice.kind, PaletteChoice::Kind::Place);
    EXPECT_EQ(place[0].choice.address, 0x11018u);
    EXPECT_EQ(titles("dot_").size(), 2u);
    EXPECT_TRUE(titles("no such thing").empty());
}

}  // namespace
}  // namespace e2k::ui::test
