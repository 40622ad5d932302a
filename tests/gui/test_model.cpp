// What panels say, without a window: cells, numbers, changes, filters, workspace, explanations.
#include <gtest/gtest.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "tests/gui/fixture.h"
#include "tests/gui/synthetic.h"
#include "ui/actions.h"
#include "ui/bundle_cells.h"
#include "ui/explain.h"
#include "ui/file_dialog.h"
#include "ui/format.h"
#include "ui/panels/branches.h"
#include "ui/panels/panel.h"
#include "ui/settings.h"

namespace e2k::ui::test {
namespace {

std::string cell_text(const GridRow& row, Unit unit) {
    std::string out;
    for (const OpText& op : row.cells[static_cast<std::size_t>(unit)])
        out += (out.empty() ? "" : "; ") + op.joined();
    return out;
}

TEST(Format, Numbers) {
    EXPECT_EQ(without_thin_spaces(hex_grouped(0x4afafafa)), "0x000000004afafafa");
    EXPECT_EQ(without_thin_spaces(decimal_grouped(1234567)), "1234567");
    EXPECT_NE(decimal_grouped(1234567), "1234567");
    EXPECT_EQ(without_thin_spaces(signed_grouped(INT64_MIN)), "-9223372036854775808");
    EXPECT_EQ(si(41'300'000), "41.3 M");
    EXPECT_EQ(si(870), "870");
    EXPECT_EQ(si(999.7), "1.00 k");
    EXPECT_EQ(byte_size(1023), "1023 B");
    EXPECT_EQ(byte_size(23456), "22.9 KiB");
    EXPECT_EQ(float64(0x3ff0000000000000), "1");
    EXPECT_EQ(float64(0x7ff8000000000001), "nan(0x8000000000001)");
    EXPECT_EQ(columns("→dr0"), 4u);
}

TEST(BundleCells, LanesControlAndPredicates) {
    const machine::Snapshot s = sample_snapshot();
    const auto rows = grid_rows(*s.code, s.symbols.get());
    ASSERT_EQ(rows.size(), s.code->rows.size());
    EXPECT_EQ(rows[0].label, "dot_int");
    EXPECT_EQ(cell_text(rows[0], Unit::Alc0), "cmplesb r2 0x0 →pred0");
    EXPECT_EQ(cell_text(rows[0], Unit::Alc2), "ord dr2 0xa002a00000000 →dr6");
    EXPECT_EQ(cell_text(rows[0], Unit::Control), "return ctpr3; setwd 16; setbn 4 11 0");
    EXPECT_EQ(rows[0].nop, 5u);
    EXPECT_EQ(cell_text(rows[1], Unit::Alc0), "addd 0x0 0x0 →dr0 ? pred0");
    const GridRow& loop = rows[3];
    EXPECT_TRUE(loop.loop_mode);
    EXPECT_EQ(cell_text(loop, Unit::Alc0), "ldw.s dr0 0x0 →db[0]");
    EXPECT_EQ(cell_text(loop, Unit::Alc3), "addd dr7 db[22] →dr7 ? pcnt0");
    EXPECT_EQ(cell_text(loop, Unit::Alc4), "smulx.s b[8] b[9] →db[10]");
    EXPECT_EQ(cell_text(loop, Unit::Control), "ct ctpr1 ? ~LOOP_END; abn f t; alc f t");
    EXPECT_EQ(rows[2].target, 0x11770u);
}

TEST(BundleCells, EveryLineOfTheDisassemblerIsSomewhere) {
    const machine::Snapshot s = sample_snapshot();
    for (const auto& row : s.code->rows) {
        const GridRow grid = grid_row(row, nullptr);
        std::size_t shown = 0, expected = 0;
        for (const auto& cell : grid.cells) shown += cell.size();
        for (const std::string& line : row.text) {
            const bool elsewhere =
                line == "loop_mode" || line.starts_with("nop ") || line.starts_with("ipd ");
            expected += elsewhere ? 0 : 1;
        }
        // The steps of the predicate unit may have become formulas.
        if (grid.logic) {
            shown -= grid.cells[static_cast<std::size_t>(Unit::Predicates)].size();
            expected -= grid.logic;
        }
        EXPECT_EQ(shown, expected) << hex(grid.address);
    }
}

TEST(BundleCells, StoresHaveNoResult) {
    const OpText store = tokenize("std,2 %dr1, 0x8, %dr3", false, nullptr);
    EXPECT_EQ(store.joined(), "std dr1 0x8 dr3");
    const OpText merge = tokenize("merges,0 %r1, %r2, %r3, ~%pred4", true, nullptr);
    EXPECT_EQ(merge.joined(), "merges r1 r2 →r3 ~pred4");
    const OpText mas = tokenize("ldd,0 %dr1, 0x0, %dr3, mas = 0x4", true, nullptr);
    EXPECT_EQ(mas.joined(), "ldd dr1 0x0 →dr3 mas 4");
}

TEST(BundleCells, SyllableNamesCoverTheBundle) {
    const machine::Snapshot s = sample_snapshot();
    const auto& loop = s.code->rows[3].bundle;
    const auto names = syllable_names(loop);
    const std::vector<std::string> expected = {"HS",   "SS",   "ALS0", "ALS1",  "ALS2",
                                               "ALS3", "ALS4", "ALS5", "ALES4", "CDS0"};
    EXPECT_EQ(names, expected);
}

TEST(BundleCells, ThePredicateUnitIsAFormula) {
    machine::CodeView::Row row;
    row.bundle = logic_bundle();
    EXPECT_EQ(cell_text(grid_row(row, nullptr), Unit::Predicates),
              "pred4 = ~pred0 & ~pred1; pred5 = pred2 & ~(~pred0 & ~pred1)");
    row.bundle.plu.clp[1].opcode = isa::ClpOpcode::Movep;  // no formula: the lines as they are
    EXPECT_EQ(cell_text(grid_row(row, nullptr), Unit::Predicates).find(" = "), std::string::npos);
}

TEST(Registers, BasedNamesFollowTheRotation) {
    Fixture f;
    // rbs 4, rsz 11, rcur 3: 24 slots from %r8; %b[0] is at slot 6.
    EXPECT_EQ(based_name(f.snapshot, 14), 0);
    EXPECT_EQ(based_name(f.snapshot, 8), 18);
    EXPECT_EQ(based_name(f.snapshot, 7), -1);
    for (unsigned r = 0; r < f.snapshot.wd.size; ++r) {
        if (const int n = based_name(f.snapshot, r); n >= 0) {
            EXPECT_EQ(based_register(f.snapshot, static_cast<unsigned>(n)), static_cast<int>(r));
        }
    }
}

TEST(Registers, ChangesFadeOverTwoStops) {
    Fixture f;
    f.snapshot.sequence = 1;
    f.changes.update(f.snapshot);
    EXPECT_EQ(f.changes.window_file(51), Changes::kOld);
    f.snapshot = sample_snapshot_after_step();
    f.snapshot.sequence = 2;
    f.changes.update(f.snapshot);
    EXPECT_EQ(f.changes.window_file(51), 0);
    EXPECT_EQ(f.changes.predicate(5), 0);
    EXPECT_EQ(f.changes.loop(), 0);
    EXPECT_EQ(f.changes.window_file(50), Changes::kOld);
    EXPECT_NE(f.text(PanelId::Registers).find("r11 b[21] 0000000000001234  changed"),
              std::string::npos);
    // A second picture of the same stop must not age anything.
    f.snapshot.sequence = 3;
    f.changes.update(f.snapshot);
    EXPECT_EQ(f.changes.window_file(51), 0);
    f.snapshot.counters.bundles += 1;
    f.snapshot.ip += 8;
    f.snapshot.sequence = 4;
    f.changes.update(f.snapshot);
    EXPECT_EQ(f.changes.window_file(51), 1);
    ASSERT_FALSE(f.changes.before(51).has_value());
}

TEST(Registers, AllViews) {
    EXPECT_EQ(without_thin_spaces(format_value(~0ull, NumberView::Hex)), "ffffffffffffffff");
    EXPECT_EQ(format_value(~0ull, NumberView::Signed), "-1");
    EXPECT_EQ(format_value(0x4000000000000000, NumberView::Double), "2");
}

TEST(Syscalls, FilterAndMarks) {
    Fixture f;
    f.source.calls = sample_calls();
    f.logs.pull(f.source);
    const std::string all = f.text(PanelId::Syscalls);
    EXPECT_NE(all.find("openat(AT_FDCWD, \"/no/such/file\", O_RDONLY, 0) | ! ENOENT"),
              std::string::npos)
        << all;
    EXPECT_NE(all.find("syscall_399(0x1, 0x0) | ! not implemented, ENOSYS"), std::string::npos);
    EXPECT_TRUE(matches(f.source.calls[0], "OPEN hostname", false));
    EXPECT_FALSE(matches(f.source.calls[0], "open nothing", false));
    EXPECT_FALSE(matches(f.source.calls[0], "", true));
    EXPECT_TRUE(matches(f.source.calls[3], "", true));
}

TEST(Console, LinesStreamsAndCarriageReturns) {
    Fixture f;
    f.source.chunks = {{0, 1, "one\ntw"}, {1, 1, "o\n10%\r99%\n"}, {2, 2, "oops"}, {3, 1, "x\ty"}};
    f.logs.pull(f.source);
    ASSERT_EQ(f.logs.console().size(), 5u);
    EXPECT_EQ(f.logs.console()[3].fd, 2);
    EXPECT_EQ(f.text(PanelId::Console), "one\ntwo\n99%\noops\nx       y\n");
}

TEST(HostCode, InstructionsCoverTheRegionAndKeepTheirReason) {
    const machine::Snapshot s = sample_snapshot();
    const auto instructions = disassemble_region(*s.region);
    std::size_t bytes = 0;
    for (const auto& instruction : instructions) {
        EXPECT_EQ(instruction.offset, bytes);
        bytes += instruction.length;
    }
    EXPECT_EQ(bytes, s.region->host_code.size());
    EXPECT_EQ(instructions.front().text(), "inc [rbx+0x110]");
    EXPECT_EQ(instructions.front().reason, translate::Reason::Counter);
    const auto rows = host_rows(*s.region, instructions, s.code.get());
    std::size_t paired = 0;
    for (const HostRow& row : rows) paired += row.instruction >= 0;
    EXPECT_EQ(paired, instructions.size());
    Fixture f;
    const std::string text = f.text(PanelId::HostCode);
    EXPECT_NE(text.find("addd,5 %dr1, 0x4, %dr1"), std::string::npos);
    EXPECT_NE(text.find("2 bundles, 7 ops → 17 instructions"), std::string::npos) << text;
}

TEST(HostCode, TheLedgerWeighsBundlesByTheirExecutions) {
    const auto region = counted_region();
    const HostLedger ledger = make_ledger(*region);
    ASSERT_TRUE(ledger.counted);
    ASSERT_EQ(ledger.bundles.size(), 2u);
    // 15 instructions for 6 operations, 2 for 1: counted by hand in sample_region().
    EXPECT_EQ(ledger.bundles[0].executed.excess(), 12345u * 9);
    EXPECT_EQ(ledger.bundles[1].executed.excess(), 345u);
    EXPECT_EQ(ledger.excess, 12345u * 9 + 345);
    EXPECT_EQ(ledger.total.operations, 12345u * 6 + 345);
    EXPECT_EQ(ledger.total.instructions, 12345u * 15 + 345 * 2);
    EXPECT_DOUBLE_EQ(ledger.share(1), 345.0 / (12345 * 9 + 345));
    EXPECT_EQ(ledger.ranking, (std::vector<std::size_t>{0, 1}));
    EXPECT_EQ(counts_text(ledger, 0, 0), "12.3 k");
    EXPECT_EQ(counts_text(ledger, 0, 1), "100 %");
    EXPECT_EQ(counts_text(ledger, 1, 0), "345");
    EXPECT_EQ(counts_text(ledger, 1, 1), "0.3 %");
    EXPECT_EQ(counts_text(ledger, 0, 2), "");
    EXPECT_EQ(counts_text(ledger, 0, -1), "") << "exits are not the bundle's main block";

    const ReasonShares executed = reason_shares(*region, ledger);
    EXPECT_EQ(executed.total, ledger.total.instructions);
    const auto of = [&](translate::Reason reason) {
        return executed.amounts[static_cast<std::size_t>(reason)];
    };
    EXPECT_EQ(of(translate::Reason::Semantics), 12345u * 5 + 345);
    EXPECT_EQ(of(translate::Reason::Exit), 12345u + 345);
    EXPECT_EQ(of(translate::Reason::Helper), 12345u);
}

TEST(HostCode, WithoutExecutionsReasonsAreWeighedByBytes) {
    const machine::Snapshot s = sample_snapshot();
    const HostLedger ledger = make_ledger(*s.region);
    EXPECT_FALSE(ledger.counted);
    EXPECT_EQ(next_worst(ledger, 0x11770), 0u);
    const ReasonShares shares = reason_shares(*s.region, ledger);
    EXPECT_EQ(shares.total, s.region->host_code.size());
    std::uint64_t sum = 0;
    for (const std::uint64_t amount : shares.amounts) sum += amount;
    EXPECT_EQ(sum, shares.total);
}

TEST(HostCode, TheWorstBundleComesFirstThenTheNext) {
    HostLedger ledger = make_ledger(*counted_region());
    EXPECT_EQ(next_worst(ledger, 0), 0x11770u);
    EXPECT_EQ(next_worst(ledger, 0x11770), 0x11798u);
    EXPECT_EQ(next_worst(ledger, 0x11798), 0x11770u) << "after the last the first again";
    // The same bundle twice in a region is one place to go to.
    ledger.bundles.push_back(ledger.bundles[0]);
    ledger.ranking = {0, 2, 1};
    EXPECT_EQ(next_worst(ledger, 0x11770), 0x11798u);
}

TEST(HostCode, TextHasTheCounts) {
    Fixture f;
    f.snapshot.region = counted_region();
    const std::string text = f.text(PanelId::HostCode);
    EXPECT_NE(
        text.find("executed here: 74.4 k ops → 186 k instructions  ·  2.50 an op  ·  111 k above "
                  "one an op, 100 % of them in 0x11770"),
        std::string::npos)
        << text;
    EXPECT_NE(text.find("12.3 k | 0x11770 "), std::string::npos) << text;
    EXPECT_NE(text.find("    345 | 0x11798 "), std::string::npos) << text;
}

TEST(HostCode, SaysWhyThereIsNothing) {
    Fixture f;
    f.snapshot.region = nullptr;
    f.snapshot.tier = machine::Tier::Interpreter;
    EXPECT_NE(f.text(PanelId::HostCode).find("interpreter runs this program"), std::string::npos);
}

TEST(Explain, OperationWithValuesOfThisMoment) {
    Fixture f;
    const auto& bundle = f.snapshot.code->rows[3].bundle;
    const std::string text = explain_operation(f.scene(), bundle, 1);
    EXPECT_TRUE(text.starts_with("addd,1 %dr0, 0x4, %dr0")) << text;
    EXPECT_NE(text.find("%dr0 = 0x20014"), std::string::npos) << text;
    EXPECT_NE(text.find("ALC0, ALC1"), std::string::npos);
    const auto& guarded = f.snapshot.code->rows[1].bundle;
    f.snapshot.ip = guarded.address;
    EXPECT_NE(explain_operation(f.scene(), guarded, 0).find("%pred0 = 1: it takes effect"),
              std::string::npos);
}

TEST(Bundles, TextMarksCurrentAndBreakpoints) {
    Fixture f;
    const std::string text = f.text(PanelId::Bundles);
    EXPECT_NE(text.find("▶ ● 0x11770 | ldw.s dr0 0x0 →db[0]"), std::string::npos) << text;
    EXPECT_NE(text.find("  ● 0x117a8"), std::string::npos);
    EXPECT_NE(text.find("<dot_double>"), std::string::npos);
    f.panels.bundles.view = BundlesState::View::Text;
    EXPECT_NE(f.text(PanelId::Bundles).find("ct %ctpr1 ? %NOT_LOOP_END"), std::string::npos);
    f.panels.bundles.view = BundlesState::View::Raw;
    EXPECT_NE(f.text(PanelId::Bundles).find("ALS4         a308090a"), std::string::npos);
}

TEST(Bundles, PlacesAreAddressesOrSymbols) {
    const machine::Snapshot s = sample_snapshot();
    const auto* symbols = s.symbols.get();
    EXPECT_EQ(resolve_place("main", symbols), 0x11000u);
    EXPECT_EQ(resolve_place(" main+0x18 ", symbols), 0x11018u);
    EXPECT_EQ(resolve_place("0x11770", symbols), 0x11770u);
    EXPECT_EQ(resolve_place("11770", symbols), 0x11770u);
    EXPECT_EQ(resolve_place("nowhere", symbols), 0u);
    EXPECT_EQ(resolve_place("", symbols), 0u);
    EXPECT_EQ(resolve_place("main+zz", nullptr), 0u);
}

TEST(Workspace, SurvivesSavingAndBadFiles) {
    Workspace w = default_workspace("debug", false);
    for (int i = 0; i < kPanels; ++i) {
        EXPECT_TRUE(default_workspace("debug", true).shows(static_cast<PanelId>(i)));
        EXPECT_TRUE(w.shows(static_cast<PanelId>(i)));
    }
    w.close(PanelId::Console);
    EXPECT_FALSE(w.shows(PanelId::Console));
    w.to_new_column(PanelId::Syscalls);
    const Workspace again = workspace_from_json(to_json(w), default_workspace("debug", false));
    EXPECT_EQ(again.columns.size(), w.columns.size());
    EXPECT_TRUE(again.shows(PanelId::Syscalls));
    EXPECT_FALSE(again.shows(PanelId::Console));
    const Workspace fallback = default_workspace("debug", false);
    for (const char* bad : {"[]", "[1]", "[{\"weight\":-1,\"cells\":[]}]", "{\"a\":1}"})
        EXPECT_EQ(workspace_from_json(nlohmann::json::parse(bad), fallback).columns.size(),
                  fallback.columns.size())
            << bad;
    w.reveal(PanelId::Console);
    EXPECT_TRUE(w.shows(PanelId::Console));
}

TEST(Actions, KeysAreUniqueAndParse) {
    std::vector<std::string> seen;
    for (const ActionInfo& info : actions()) {
        EXPECT_EQ(&action_info(info.action), &info);
        if (!*info.keys) continue;
        int key = 0;
        bool ctrl = false, shift = false, alt = false;
        EXPECT_TRUE(parse_keys(info.keys, key, ctrl, shift, alt)) << info.keys;
        EXPECT_EQ(std::count(seen.begin(), seen.end(), info.keys), 0) << info.keys;
        seen.push_back(info.keys);
    }
    int key = 0;
    bool a = false, b = false, c = false;
    EXPECT_FALSE(parse_keys("Hyper+X", key, a, b, c));
    EXPECT_FALSE(parse_keys("F99", key, a, b, c));
}

TEST(FileDialog, ArgumentsAreSplitAsAShellWould) {
    const std::vector<std::string> expected = {"-n", "two words", "a'b", ""};
    EXPECT_EQ(split_words("  -n 'two words' a\\'b \"\""), expected);
    EXPECT_TRUE(split_words("   ").empty());
}

TEST(Branches, FindsTheLoopsOfTheSample) {
    const machine::Snapshot now = sample_snapshot();
    const auto& rows = now.code->rows;
    const auto branches = find_branches(*now.code);
    ASSERT_FALSE(branches.empty());
    const auto loop = std::ranges::find_if(
        branches, [&](const Branch& b) { return rows[b.from].bundle.address == 0x11770; });
    ASSERT_NE(loop, branches.end());
    EXPECT_EQ(rows[loop->to].bundle.address, 0x11770u) << "disp %ctpr1 of the bundle before";
    EXPECT_TRUE(loop->conditional);
    for (const Branch& branch : branches) EXPECT_LT(branch.to, rows.size());
    EXPECT_GE(branch_depth(branches), 1);
}

/// Rows of eight bytes each with only what concerns control.
class CodeOfTransfers {
public:
    isa::Bundle& add() {
        auto& row = code_.rows.emplace_back();
        row.bundle.address = 0x100 + 8 * (code_.rows.size() - 1);
        row.bundle.length = 8;
        return row.bundle;
    }
    void plain() { add(); }
    void disp(unsigned ctpr, std::uint64_t target) { set(add(), isa::Cs0Kind::Disp, ctpr, target); }
    void ibranch(std::uint64_t target, isa::ConditionType condition) {
        isa::Bundle& b = add();
        set(b, isa::Cs0Kind::Ibranch, 0, target);
        b.ss.condition = static_cast<std::uint8_t>(condition);
    }
    void ct(unsigned ctpr, isa::ConditionType condition, bool call = false) {
        isa::Bundle& b = add();
        b.ss.condition = static_cast<std::uint8_t>(condition);
        b.ss.ctop = static_cast<std::uint8_t>(ctpr);
        b.cs1.call = call;
    }
    /// "0x100>0x118" for each arrow, in the order of their sources.
    std::vector<std::string> arrows() const {
        auto branches = find_branches(code_);
        std::ranges::sort(branches, {}, &Branch::from);
        std::vector<std::string> out;
        for (const Branch& b : branches)
            out.push_back(hex(0x100 + 8 * b.from) + (b.conditional ? "?" : ">") +
                          hex(0x100 + 8 * b.to));
        return out;
    }
    const machine::CodeView& code() const { return code_; }

private:
    static void set(isa::Bundle& b, isa::Cs0Kind kind, unsigned ctpr, std::uint64_t target) {
        b.cs0.present = true;
        b.cs0.kind = kind;
        b.cs0.ctpr = static_cast<std::uint8_t>(ctpr);
        b.cs0.target = target;
    }
    machine::CodeView code_;
};

using isa::ConditionType;
using Arrows = std::vector<std::string>;

TEST(Branches, ATransferGoesWhereItsRegisterWasPreparedFor) {
    CodeOfTransfers code;
    code.disp(1, 0x108);                // 0x100
    code.plain();                       // 0x108
    code.disp(2, 0x138);                // 0x110
    code.ct(1, ConditionType::Pred);    // 0x118
    code.ct(2, ConditionType::Always);  // 0x120
    code.ct(1, ConditionType::Never);   // 0x128
    code.plain();                       // 0x130
    code.plain();                       // 0x138
    EXPECT_EQ(code.arrows(), (Arrows{"0x118?0x108", "0x120>0x138"}));
}

TEST(Branches, WhatTwoWaysDisagreeOnIsNotShown) {
    CodeOfTransfers code;
    code.disp(1, 0x100);  // 0x100
    code.ibranch(0x118, ConditionType::Pred);
    code.disp(1, 0x108);              // 0x110, only on one of the ways to 0x118
    code.ct(1, ConditionType::Pred);  // 0x118
    code.plain();
    EXPECT_EQ(code.arrows(), (Arrows{"0x108?0x118"}));
}

TEST(Branches, ACallForgetsTheRegisters) {
    CodeOfTransfers code;
    code.disp(2, 0x120);
    code.disp(1, 0x100);
    code.ct(1, ConditionType::Always, true);  // calls, and comes back
    code.ct(2, ConditionType::Always);
    code.plain();
    EXPECT_EQ(code.arrows(), Arrows{});
}

TEST(Branches, ALaneThatWritesTheRegisterForgetsIt) {
    CodeOfTransfers code;
    code.disp(1, 0x100);
    isa::Bundle& b = code.add();
    b.als_mask = 1;
    b.als[0].dst = {.kind = isa::OperandKind::Ctpr, .index = 1};
    code.ct(1, ConditionType::Pred);
    EXPECT_EQ(code.arrows(), Arrows{});
}

TEST(Branches, CrossingOnesStandSideBySide) {
    CodeOfTransfers code;
    code.ibranch(0x118, ConditionType::Pred);
    code.ibranch(0x120, ConditionType::Always);
    code.plain();
    code.ibranch(0x108, ConditionType::Pred);
    code.ibranch(0x9000, ConditionType::Always);  // leaves the code in view
    const auto branches = find_branches(code.code());
    EXPECT_EQ(code.arrows(), (Arrows{"0x100?0x118", "0x108>0x120", "0x118?0x108"}));
    for (std::size_t i = 0; i < branches.size(); ++i)
        for (std::size_t j = i + 1; j < branches.size(); ++j)
            EXPECT_NE(branches[i].depth, branches[j].depth);
    EXPECT_EQ(branch_depth(branches), 3);
}

TEST(Branches, TheLongestStandOutsideWhenNoColumnIsFree) {
    CodeOfTransfers code;
    constexpr unsigned kRows = 14;
    for (unsigned i = 0; i < kRows / 2; ++i)  // all cross the middle
        code.ibranch(0x100 + 8 * (kRows - 1 - i), ConditionType::Pred);
    for (unsigned i = 0; i < kRows / 2; ++i) code.plain();
    const auto branches = find_branches(code.code());
    ASSERT_EQ(branches.size(), kRows / 2);
    for (const Branch& branch : branches)  // the innermost first
        EXPECT_EQ(branch.depth, std::min<int>(kRows / 2 - 1 - branch.from, kBranchColumns));
    EXPECT_EQ(branch_depth(branches), kBranchColumns + 1);
}

}  // namespace
}  // namespace e2k::ui::test
