#include "ui/panels/quality.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>

#include <fmt/format.h>
#include <imgui.h>

#include "engine/machine/quality_text.h"
#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/scoped.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

using translate::Executed;
using translate::QualityReport;
using translate::RegionQuality;
using Column = QualityColumn;

constexpr int kColumns = 8;
constexpr std::size_t kHistory = 240;
constexpr std::array<const char*, kColumns> kNames = {
    text_mark("region"), text_mark("executed"), text_mark("share"), text_mark("insns/op"),
    text_mark("excess"), text_mark("tier"),     text_mark("bytes"), text_mark("exits")};
constexpr std::array<const char*, kColumns> kHelp = {
    text_mark("Where the region begins"),
    text_mark("Bundles executed in it"),
    text_mark("Of all host instructions executed"),
    text_mark("Host instructions a guest operation; one would be ideal"),
    text_mark("Its part of all instructions above one an operation"),
    text_mark("1 quick, 2 optimising"),
    text_mark("Size of the host code"),
    text_mark("Ways out")};

double percent(std::uint64_t part, std::uint64_t whole) {
    return whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

/// Instructions that count under the filter.
std::uint64_t counted(const Executed& executed, int reason) {
    return reason < 0 ? executed.instructions
                      : executed.by_reason[static_cast<std::size_t>(reason)];
}

double expansion(const Executed& executed, int reason) {
    return executed.operations ? static_cast<double>(counted(executed, reason)) /
                                     static_cast<double>(executed.operations)
                               : 0;
}

std::string cell_text(const Scene& scene, const QualityReport& report, const RegionQuality& region,
                      Column column, int reason) {
    const auto& record = *region.record;
    switch (column) {
        case Column::Region:
            return place(scene.symbols(), record.guest_begin);
        case Column::Executed:
            return si(static_cast<double>(region.executed.bundles));
        case Column::Share:
            return fmt::format("{:.1f} %", percent(counted(region.executed, reason),
                                                   counted(report.total, reason)));
        case Column::Expansion:
            return fmt::format("{:.2f}", expansion(region.executed, reason));
        case Column::Excess:
            return fmt::format("{:.1f} %",
                               percent(region.executed.excess(), report.total.excess()));
        case Column::Tier:
            return std::to_string(record.tier);
        case Column::Bytes:
            return std::to_string(record.host_code.size());
        case Column::Exits:
            return std::to_string(record.exits.size());
    }
    return {};
}

std::string total_text(const Scene& scene, const QualityReport& report) {
    const Executed& total = report.total;
    if (total.bundles == 0)
        return trf("{} regions; nothing counted: switch on Count and run on",
                   report.regions.size());
    const std::uint64_t all = std::max(scene.now.counters.operations, total.operations);
    return trf(
        "{:.2f} host instructions an operation  ·  {} for {} operations in {} bundles  ·  {} "
        "regions  ·  {:.2f} % interpreted",
        total.expansion(), si(static_cast<double>(total.instructions)),
        si(static_cast<double>(total.operations)), si(static_cast<double>(total.bundles)),
        report.regions.size(), percent(all - total.operations, all));
}

struct Empty {
    const char *headline, *detail;
};
Empty empty_reason(const Scene& scene) {
    if (scene.now.tier == machine::Tier::Interpreter)
        return {tr("The interpreter makes no host code"),
                tr("Choose the translator in the tool bar.")};
    return {tr("No regions yet"),
            tr("Run the program: every region that is translated is listed here.")};
}

void note_history(const Scene& scene, QualityState& state) {
    if (!scene.now.quality || scene.now.quality == state.last) return;
    state.last = scene.now.quality;
    if (state.last->total.operations == 0) return;
    if (state.history.size() >= kHistory) state.history.erase(state.history.begin());
    state.history.push_back(static_cast<float>(state.last->total.expansion()));
}

void draw_tools(const Scene& scene, QualityState& state, machine::CommandSink& sink) {
    const Theme& theme = scene.theme;
    if (switch_button(theme, tr("Count"), scene.now.profile,
                      tr("Count executions; the program is translated anew, with counters")))
        sink.send(machine::SetProfile{!scene.now.profile});
    ImGui::SameLine(0, theme.px(10));
    ImGui::SetNextItemWidth(theme.px(150));
    const char* const chosen =
        state.reason < 0 ? tr("all reasons")
                         : translate::name_of(static_cast<translate::Reason>(state.reason));
    if (const auto combo = scoped::combo("##reason", chosen)) {
        if (ImGui::Selectable(tr("all reasons"), state.reason < 0)) state.reason = -1;
        for (int i = 0; i < static_cast<int>(translate::kReasons); ++i)
            if (ImGui::Selectable(translate::name_of(static_cast<translate::Reason>(i)),
                                  state.reason == i))
                state.reason = i;
    }
    if (ImGui::IsItemHovered()) tool_tip(theme, tr("Count only instructions made for this reason"));
    ImGui::SameLine(0, theme.px(10));
    const auto disabled = scoped::disabled(!scene.now.quality);
    const auto save = [&](const char* label, const char* name, auto&& make) {
        if (ImGui::Button(label)) {
            state.exported = make(*scene.now.quality, scene.symbols());
            state.exported_as = name;
        }
        if (ImGui::IsItemHovered())
            tool_tip(theme, tr("Copies the table, and saves it beside the settings"));
        ImGui::SameLine(0, theme.px(4));
    };
    save("CSV", "quality.csv", machine::quality_csv);
    save("JSON", "quality.json", machine::quality_json);
    if (state.history.size() > 1) {
        ImGui::SameLine(0, theme.px(10));
        const float width = std::min(theme.px(160), ImGui::GetContentRegionAvail().x);
        if (width > theme.px(40))
            ImGui::PlotLines("##history", state.history.data(),
                             static_cast<int>(state.history.size()), 0, nullptr, 0, FLT_MAX,
                             {width, ImGui::GetFrameHeight()});
        if (ImGui::IsItemHovered())
            tool_tip(theme,
                     trf("Host instructions an operation, now {:.2f}", state.history.back()));
        ImGui::SameLine();
    }
    ImGui::NewLine();
}

void take_sorting(QualityState& state) {
    const ImGuiTableSortSpecs* specs = ImGui::TableGetSortSpecs();
    if (!specs || !specs->SpecsDirty || specs->SpecsCount == 0) return;
    state.sorted_by = static_cast<Column>(specs->Specs[0].ColumnIndex);
    state.descending = specs->Specs[0].SortDirection == ImGuiSortDirection_Descending;
}

void draw_row(const Scene& scene, const QualityReport& report, std::size_t index,
              const QualityState& state, machine::CommandSink& sink) {
    const Theme& theme = scene.theme;
    const RegionQuality& region = report.regions[index];
    const std::uint64_t address = region.record->guest_begin;
    Ink ink(scene);
    ImGui::TableNextRow(0, theme.row());
    for (int c = 0; c < kColumns; ++c) {
        if (!ImGui::TableSetColumnIndex(c)) continue;
        const ImVec2 at = ImGui::GetCursorScreenPos();
        if (c == 0) {
            if (ImGui::Selectable("##region", scene.selection.bundle == address,
                                  ImGuiSelectableFlags_SpanAllColumns,
                                  {0, theme.row() - ImGui::GetStyle().ItemSpacing.y})) {
                scene.selection.bundle = scene.selection.go_to = address;
                sink.send(machine::ShowRegion{address});
            }
            if (ImGui::IsItemHovered()) scene.selection.hover_bundle = address;
            if (const auto menu = scoped::context_menu("menu")) bundle_menu(scene, address, sink);
        }
        const std::string text =
            cell_text(scene, report, region, static_cast<Column>(c), state.reason);
        const float room = ImGui::TableGetColumnFlags() & ImGuiTableColumnFlags_WidthStretch
                               ? ImGui::GetContentRegionAvail().x
                               : FLT_MAX;
        const bool busy = region.executed.bundles != 0;
        ink.text_fit(at, std::max(room, theme.cell() * 4), busy ? theme.text : theme.dim, text);
        ink.end_cell();
    }
    ink.end_row();
}

void draw_table(const Scene& scene, QualityState& state, machine::CommandSink& sink) {
    const QualityReport& report = *scene.now.quality;
    const Theme& theme = scene.theme;
    const auto padding = scoped::style(ImGuiStyleVar_CellPadding, ImVec2{theme.px(5), 0});
    const auto table =
        scoped::table("regions", kColumns,
                      ImGuiTableFlags_ScrollY | ImGuiTableFlags_Sortable | ImGuiTableFlags_RowBg |
                          ImGuiTableFlags_BordersInnerV | ImGuiTableFlags_NoSavedSettings);
    if (!table) return;
    ImGui::TableSetupScrollFreeze(0, 1);
    constexpr std::array<float, kColumns> kCells = {0, 9, 8, 10, 8, 6, 7, 6};
    for (int c = 0; c < kColumns; ++c) {
        ImGuiTableColumnFlags flags =
            c == 0 ? ImGuiTableColumnFlags_WidthStretch : ImGuiTableColumnFlags_WidthFixed;
        flags |= c == 0 ? 0 : ImGuiTableColumnFlags_PreferSortDescending;
        if (c == static_cast<int>(state.sorted_by)) flags |= ImGuiTableColumnFlags_DefaultSort;
        ImGui::TableSetupColumn(tr(kNames[static_cast<std::size_t>(c)]), flags,
                                kCells[static_cast<std::size_t>(c)] * theme.cell());
    }
    ImGui::TableNextRow(ImGuiTableRowFlags_Headers, theme.row() + theme.px(4));
    for (int c = 0; c < kColumns; ++c) {
        if (!ImGui::TableSetColumnIndex(c)) continue;
        ImGui::TableHeader(ImGui::TableGetColumnName(c));
        if (ImGui::IsItemHovered()) tool_tip(theme, tr(kHelp[static_cast<std::size_t>(c)]));
    }
    take_sorting(state);
    const auto order = quality_order(report, state);
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(order.size()), theme.row());
    while (clipper.Step())
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            const auto id = scoped::id(i);
            draw_row(scene, report, order[static_cast<std::size_t>(i)], state, sink);
        }
}

}  // namespace

std::vector<std::size_t> quality_order(const QualityReport& report, const QualityState& state) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < report.regions.size(); ++i)
        if (state.reason < 0 || counted(report.regions[i].executed, state.reason) != 0)
            order.push_back(i);
    const auto key = [&](std::size_t i) {
        const RegionQuality& r = report.regions[i];
        switch (state.sorted_by) {
            case Column::Region:
                return static_cast<double>(r.record->guest_begin);
            case Column::Executed:
                return static_cast<double>(r.executed.bundles);
            case Column::Share:
                return static_cast<double>(counted(r.executed, state.reason));
            case Column::Expansion:
                return expansion(r.executed, state.reason);
            case Column::Excess:
                return static_cast<double>(r.executed.excess());
            case Column::Tier:
                return static_cast<double>(r.record->tier);
            case Column::Bytes:
                return static_cast<double>(r.record->host_code.size());
            case Column::Exits:
                return static_cast<double>(r.record->exits.size());
        }
        return 0.0;
    };
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        return state.descending ? key(a) > key(b) : key(a) < key(b);
    });
    return order;
}

void draw_quality(const Scene& scene, QualityState& state, machine::CommandSink& sink) {
    state.drawn = true;
    if (scene.has_program() && !state.watched) {
        sink.send(machine::WatchQuality{true});
        state.watched = true;
    }
    note_history(scene, state);
    draw_tools(scene, state, sink);
    if (!scene.now.quality || scene.now.quality->regions.empty()) {
        const Empty reason = empty_reason(scene);
        return empty_state(scene, reason.headline, reason.detail);
    }
    Ink ink(scene);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const std::string total = total_text(scene, *scene.now.quality);
    const bool cut =
        ink.text_fit(at, ImGui::GetContentRegionAvail().x, scene.theme.dim, total, Weight::Prose);
    ink.end_row();
    ImGui::Dummy({ImGui::GetContentRegionAvail().x, scene.theme.row()});
    if (cut && ImGui::IsItemHovered()) tool_tip(scene.theme, total);
    draw_table(scene, state, sink);
}

std::string quality_text(const Scene& scene, const QualityState& state) {
    if (!scene.now.quality || scene.now.quality->regions.empty()) {
        const Empty reason = empty_reason(scene);
        return fmt::format("{}\n{}\n", reason.headline, reason.detail);
    }
    const QualityReport& report = *scene.now.quality;
    std::string out = total_text(scene, report) + "\n";
    for (const std::size_t index : quality_order(report, state)) {
        for (int c = 0; c < kColumns; ++c)
            out += cell_text(scene, report, report.regions[index], static_cast<Column>(c),
                             state.reason) +
                   " | ";
        out += "\n";
    }
    return out;
}

}  // namespace e2k::ui
