#include "ui/panels/host_code.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "ui/explain.h"
#include "ui/format.h"
#include "ui/scoped.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

using translate::kReasons;
using translate::Reason;
using translate::RegionRecord;

constexpr std::uint64_t kHottest = ~0ull;  ///< HostCodeState::asked: the hottest region

bool covers(const RegionRecord& region, std::uint64_t address) {
    return std::find(region.bundle_addresses.begin(), region.bundle_addresses.end(), address) !=
           region.bundle_addresses.end();
}

std::vector<std::string> header_lines(const Scene& scene, const RegionRecord& region,
                                      const HostLedger& ledger, std::size_t instructions) {
    std::vector<std::string> lines;
    const double bundles =
        static_cast<double>(std::max<std::size_t>(1, region.bundle_addresses.size()));
    const double operations =
        static_cast<double>(std::max<std::uint32_t>(1, region.guest_operations));
    lines.push_back(
        trf("{}  ·  tier {}  ·  {}", place(scene.symbols(), region.guest_begin), region.tier,
            region.executions ? trf("{} executions", si(static_cast<double>(region.executions)))
                              : std::string(tr("not counted"))));
    lines.push_back(
        trf("{} bundles, {} ops → {} instructions, {}  ·  {:.1f} a bundle, {:.1f} an op", bundles,
            region.guest_operations, instructions, byte_size(region.host_code.size()),
            static_cast<double>(instructions) / bundles,
            static_cast<double>(instructions) / operations));
    if (region.helper_calls) lines[0] += "  ·  " + trf("{} helper calls", region.helper_calls);
    if (ledger.counted) lines.push_back(ledger_text(ledger));
    if (!region.key_text.empty()) lines.push_back(trf("specialised for {}", region.key_text));
    return lines;
}

std::string exits_text(const Scene& scene, const RegionRecord& region) {
    std::string out = tr("exits: ");
    if (region.exits.empty()) return out + tr("none");
    for (std::size_t i = 0; i < region.exits.size(); ++i) {
        const auto& exit = region.exits[i];
        out += fmt::format("{}{}{}", i ? ", " : "",
                           exit.target ? place(scene.symbols(), exit.target) : tr("computed"),
                           exit.linked ? tr(" (linked)") : "");
    }
    return out;
}

struct Empty {
    std::string headline, detail;
};
/// Why there is no host code for the cursor.
Empty empty_reason(const Scene& scene) {
    const std::string where = place(scene.symbols(), scene.cursor());
    if (!scene.has_program())
        return {tr("No program"), tr("Open one to see what it is translated to.")};
    if (scene.now.tier == machine::Tier::Interpreter)
        return {tr("The interpreter runs this program"),
                tr("It makes no host code. Choose the translator in the tool bar to see x86-64 "
                   "here.")};
    if (scene.running())
        return {tr("Running"), tr("The hottest region appears as soon as one is translated.")};
    if (scene.now.translation.regions == 0 && scene.now.profile)
        return {tr("Counting executions"),
                tr("The program is translated anew, with counters, when it runs on.")};
    if (scene.now.translation.regions == 0)
        return {tr("Nothing translated yet"),
                tr("Stepping uses the interpreter. Run the program, then stop it: the region at "
                   "the cursor appears here.")};
    return {trf("No translation of {}", where),
            trf("This bundle has only been interpreted so far; {} regions of other code are "
                "translated. Run through it, or select a bundle that has run.",
                scene.now.translation.regions)};
}

// --- drawing ---

ImU32 piece_colour(const Theme& theme, HostInstruction::Piece::Kind kind) {
    using Kind = HostInstruction::Piece::Kind;
    switch (kind) {
        case Kind::Mnemonic:
            return theme.text;
        case Kind::Register:
            return theme.address;
        case Kind::Number:
            return theme.literal;
        case Kind::Address:
            return theme.predicate_text;
        case Kind::Other:
            return theme.dim;
    }
    return theme.text;
}

ImU32 lane_colour(const Theme& theme, int lane) {
    return lane >= 0 && lane < 6 ? theme.lane[static_cast<std::size_t>(lane)] : theme.line;
}

void draw_legend(const Scene& scene, HostCodeState& state) {
    const Theme& theme = scene.theme;
    Ink ink(scene);
    const ReasonShares shares = reason_shares(*state.region, state.ledger);
    const auto percent = [&](std::size_t i) {
        return 100.0 * static_cast<double>(shares.amounts[i]) / static_cast<double>(shares.total);
    };
    // A bar of all of it by reason.
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float room = ImGui::GetContentRegionAvail().x - theme.px(4);
    float x = at.x;
    for (std::size_t i = 0; i < kReasons; ++i) {
        const float width = room * static_cast<float>(percent(i) / 100);
        if (width < 0.5f) continue;
        const ImVec2 a{x, at.y}, b{x + width, at.y + theme.px(7)};
        ink.fill(a, b, theme.reason[i]);
        if (ImGui::IsMouseHoveringRect(a, {b.x, b.y + theme.px(3)}))
            tool_tip(theme, fmt::format("{}: {} of {} {} ({:.0f} %)",
                                        translate::name_of(static_cast<Reason>(i)),
                                        decimal_grouped(shares.amounts[i]),
                                        decimal_grouped(shares.total), shares.unit, percent(i)));
        x += width;
    }
    // Names, as many as fit, wrapping to a second line.
    float text_x = at.x, y = at.y + theme.px(10);
    for (std::size_t i = 0; i < kReasons; ++i) {
        if (!shares.amounts[i]) continue;
        const std::string name =
            fmt::format("{} {:.0f}%", translate::name_of(static_cast<Reason>(i)), percent(i));
        const float width = ink.width(name, Weight::Prose) + theme.px(22);
        if (text_x + width > at.x + room && text_x > at.x) {
            text_x = at.x;
            y += theme.row();
        }
        ink.fill({text_x, y + theme.px(4)}, {text_x + theme.px(8), y + theme.px(12)},
                 theme.reason[i], theme.px(2));
        const bool chosen = state.reason == static_cast<int>(i);
        const ImVec2 a{text_x - theme.px(2), y}, b{text_x + width - theme.px(6), y + theme.row()};
        if (chosen) ink.frame(a, b, theme.selection, theme.px(2));
        ink.text({text_x + theme.px(12), y}, chosen ? theme.text : theme.dim, name, Weight::Prose);
        ink.end_cell();
        if (ImGui::IsWindowHovered() && ImGui::IsMouseHoveringRect(a, b)) {
            tool_tip(theme, tr("Click: show only the instructions made for this reason"));
            if (ImGui::IsMouseClicked(ImGuiMouseButton_Left))
                state.reason = chosen ? -1 : static_cast<int>(i);
        }
        text_x += width;
    }
    ink.end_row();
    ImGui::Dummy({room, y - at.y + theme.row()});
}

/// Where the region leads: each target is a link.
void draw_exits(const Scene& scene, const RegionRecord& region) {
    const Theme& theme = scene.theme;
    Ink ink(scene);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float right = origin.x + ImGui::GetContentRegionAvail().x;
    float x = ink.text(origin, theme.dim, tr("exits: "), Weight::Prose), y = origin.y;
    if (region.exits.empty()) x = ink.text({x, y}, theme.dim, tr("none"), Weight::Prose);
    for (std::size_t i = 0; i < region.exits.size(); ++i) {
        const auto& exit = region.exits[i];
        const std::string name = exit.target ? place(scene.symbols(), exit.target) : tr("computed");
        const std::string text = fmt::format("{}{}{}", name, exit.linked ? tr(" (linked)") : "",
                                             i + 1 < region.exits.size() ? ", " : "");
        if (x + ink.width(text, Weight::Prose) > right && x > origin.x) {
            x = origin.x;
            y += theme.row();
        }
        const ImVec2 at{x, y};
        x = ink.text(at, exit.target ? theme.address : theme.dim, text, Weight::Prose);
        if (exit.target && ImGui::IsWindowHovered() &&
            ImGui::IsMouseHoveringRect(at, {x, y + theme.row()})) {
            ink.line({at.x, y + theme.row() - theme.px(2)}, {x, y + theme.row() - theme.px(2)},
                     theme.selection);
            if (ImGui::IsMouseClicked(ImGuiMouseButton_Left))
                scene.selection.bundle = scene.selection.go_to = exit.target;
        }
    }
    ink.end_row();
    ImGui::Dummy({1, y - origin.y + theme.row() - ImGui::GetStyle().ItemSpacing.y});
}

/// Two lines, and the rest of what is known when it is asked for.
void draw_header(const Scene& scene, HostCodeState& state) {
    const Theme& theme = scene.theme;
    Ink ink(scene);
    const auto lines = header_lines(scene, *state.region, state.ledger, state.instructions.size());
    constexpr std::size_t kAlways = 2;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i >= kAlways && !state.expanded && !state.ledger.counted) break;
        if (i > kAlways && !state.expanded) break;  // what was executed is worth a line
        const std::string& line = lines[i];
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const float more = i == 0 ? theme.px(58) : theme.px(4);
        const float room = ImGui::GetContentRegionAvail().x - more;
        const bool cut =
            ink.text_fit(at, room, i == 0 ? theme.text : theme.dim, line, Weight::Prose);
        ink.end_row();
        if (i == 0) {
            const auto tight = scoped::style(ImGuiStyleVar_FramePadding, ImVec2{theme.px(4), 0});
            ImGui::SetCursorScreenPos({at.x + room + theme.px(2), at.y});
            if (ImGui::SmallButton(state.expanded ? tr("less") : tr("more")))
                state.expanded = !state.expanded;
            ImGui::SetCursorScreenPos(at);
        }
        ImGui::Dummy({room, theme.row() - ImGui::GetStyle().ItemSpacing.y});
        if (cut && ImGui::IsItemHovered()) tool_tip(theme, line);
    }
    if (state.expanded) draw_exits(scene, *state.region);
    ImGui::Dummy({1, theme.px(1)});
    draw_legend(scene, state);
}

void draw_host_row(const Scene& scene, HostCodeState& state, const HostRow& row, float guest_width,
                   machine::CommandSink& sink) {
    const Theme& theme = scene.theme;
    const RegionRecord& region = *state.region;
    Ink ink(scene);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float room = ImGui::GetContentRegionAvail().x;
    const float height = theme.row();
    const float y = at.y + (height - theme.font_px()) * 0.4f;
    const std::uint64_t address =
        row.bundle >= 0 ? region.bundle_addresses[static_cast<std::size_t>(row.bundle)] : 0;
    const bool linked =
        address && (address == scene.cursor() || address == scene.selection.hover_bundle);
    const ImVec2 end{at.x + room, at.y + height};
    if (row.bundle % 2) ink.fill(at, end, theme.stripe);
    if (linked) ink.fill(at, end, theme.hover);
    if (row.first && row.bundle > 0) ink.line(at, {end.x, at.y}, theme.line);
    if (address == scene.now.ip && address)
        ink.fill(at, {at.x + theme.px(4), end.y}, theme.current);

    const float counts = ledger_width(theme, state.ledger);
    if (row.line >= 0) draw_counts(scene, ink, state.ledger, row.bundle, row.line, at);
    ImGui::PushClipRect({at.x + counts, at.y}, {at.x + guest_width - theme.px(4), end.y}, true);
    const float guest_left = at.x + counts;
    if (row.guest_lane >= 0)
        ink.fill({guest_left + theme.px(7), at.y + theme.px(2)},
                 {guest_left + theme.px(10), end.y - theme.px(2)},
                 lane_colour(theme, row.guest_lane));
    ink.text_fit({guest_left + theme.px(14), y}, guest_width - counts - theme.px(20),
                 row.first ? theme.address : theme.text, row.guest,
                 row.first ? Weight::Bold : Weight::Mono);
    ImGui::PopClipRect();
    ink.end_cell();

    const float strip = theme.px(6), host_left = at.x + guest_width;
    if (row.instruction >= 0) {
        const auto& instruction = state.instructions[static_cast<std::size_t>(row.instruction)];
        ink.fill({host_left, at.y + 1}, {host_left + theme.px(3), end.y - 1},
                 lane_colour(theme, instruction.lane));
        ImGui::PushClipRect({host_left, at.y}, {end.x - strip - theme.px(4), end.y}, true);
        float x = ink.text({host_left + theme.px(9), y}, theme.dim,
                           fmt::format("{:4x} ", instruction.offset));
        if (state.show_bytes) {
            std::string bytes;
            for (unsigned i = 0; i < instruction.length; ++i)
                bytes += fmt::format("{:02x}", region.host_code[instruction.offset + i]);
            x = ink.text({x, y}, with_alpha(theme.dim, 0.7f), fmt::format("{:<20} ", bytes));
        }
        // The tool tip has what does not fit.
        const float right = end.x - strip - theme.px(6);
        const bool aside =
            state.reason >= 0 && static_cast<int>(instruction.reason) != state.reason;
        for (const auto& piece : instruction.pieces) {
            const bool last = &piece == &instruction.pieces.back();
            const float dots = last ? 0 : ink.width("…");
            const ImU32 colour =
                aside ? with_alpha(theme.dim, 0.5f) : piece_colour(theme, piece.kind);
            if (x + ink.width(piece.text) + dots > right) {
                ink.text_fit({x, y}, right - x - 0.5f, colour, piece.text + (last ? "" : "…"));
                break;
            }
            x = ink.text({x, y}, colour, piece.text);
        }
        ImGui::PopClipRect();
        const auto reason = static_cast<std::size_t>(instruction.reason);
        ink.fill({end.x - strip, at.y}, {end.x, end.y}, theme.reason[reason]);
        if (ImGui::IsWindowHovered() && ImGui::IsMouseHoveringRect({host_left, at.y}, end))
            tool_tip(
                theme,
                fmt::format("{}\n{}{}\n{} bytes", instruction.text(),
                            translate::name_of(instruction.reason),
                            instruction.lane >= 0 ? fmt::format(" of ALC{}", instruction.lane) : "",
                            instruction.length));
    }
    ink.end_row();
    ImGui::Dummy({room, height});
    if (address && ImGui::IsItemHovered()) scene.selection.hover_bundle = address;
    if (address && ImGui::IsItemClicked()) scene.selection.bundle = address;
    if (address && ImGui::BeginPopupContextItem("menu")) {
        bundle_menu(scene, address, sink);
        ImGui::EndPopup();
    }
}

void draw_rows(const Scene& scene, HostCodeState& state, machine::CommandSink& sink) {
    const Theme& theme = scene.theme;
    ImGui::BeginChild("rows", {0, 0}, false);
    std::size_t longest = 14;
    for (const HostRow& row : state.rows) longest = std::max(longest, columns(row.guest));
    const float room = ImGui::GetContentRegionAvail().x;
    const float guest_width =
        ledger_width(theme, state.ledger) +
        std::min(room * 0.42f, static_cast<float>(longest) * theme.cell() + theme.px(26));
    if (state.scroll_frames > 0) {
        --state.scroll_frames;
        for (std::size_t i = 0; i < state.rows.size(); ++i) {
            const int bundle = state.rows[i].bundle;
            if (!state.rows[i].first || bundle < 0 ||
                state.region->bundle_addresses[static_cast<std::size_t>(bundle)] != scene.cursor())
                continue;
            const auto above =
                static_cast<std::size_t>(ImGui::GetWindowHeight() * 0.25f / theme.row());
            ImGui::SetScrollY(static_cast<float>(i - std::min(i, above)) * theme.row());
            break;
        }
    }
    ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {0, 0});
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(state.rows.size()), theme.row());
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            ImGui::PushID(i);
            draw_host_row(scene, state, state.rows[static_cast<std::size_t>(i)], guest_width, sink);
            ImGui::PopID();
        }
    }
    ImGui::PopStyleVar();
    ImGui::EndChild();
}

void refresh(const Scene& scene, HostCodeState& state) {
    if (state.region == scene.now.region && state.code == scene.now.code) return;
    const bool other =
        !state.region || !scene.now.region || state.region->id != scene.now.region->id;
    const bool same_rows = !other && state.code == scene.now.code;
    state.region = scene.now.region;
    state.code = scene.now.code;
    state.ledger = state.region ? make_ledger(*state.region) : HostLedger();
    if (same_rows) return;  // only its counts are newer
    state.instructions.clear();
    state.rows.clear();
    if (!state.region) return;
    state.instructions = disassemble_region(*state.region);
    state.rows = host_rows(*state.region, state.instructions, state.code.get());
    if (other) state.scroll_frames = 2;
}

void draw_tools(const Scene& scene, HostCodeState& state, machine::CommandSink& sink) {
    const Theme& theme = scene.theme;
    if (switch_button(theme, tr("Count"), scene.now.profile, tr(kCountHelp)))
        sink.send(machine::SetProfile{!scene.now.profile});
    if (switch_button(theme, tr("Bytes"), state.show_bytes, tr("The bytes of each instruction")))
        state.show_bytes = !state.show_bytes;
    ImGui::SameLine(0, 12);
    ImGui::BeginDisabled(state.ledger.ranking.empty());
    if (ImGui::SmallButton(tr("Worst bundle"))) {
        const bool again = state.worst != 0 && scene.selection.bundle == state.worst;
        const std::uint64_t address = next_worst(state.ledger, again ? state.worst : 0);
        state.worst = address;
        scene.selection.bundle = scene.selection.go_to = address;
        state.asked = address;  // it is in this region, which is to stay in view
        state.scroll_frames = 2;
    }
    ImGui::EndDisabled();
    if (ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled))
        tool_tip(theme,
                 state.ledger.counted
                     ? tr("Go to the bundle with the most executed instructions above one an "
                          "operation; again: to the next")
                     : tr("Needs executions: switch on Count and run on"));
}

}  // namespace

void draw_host_code(const Scene& scene, HostCodeState& state, machine::CommandSink& sink) {
    const std::uint64_t cursor = scene.cursor();
    if (scene.has_program() && cursor && cursor != state.asked && !scene.running()) {
        state.asked = cursor;
        state.scroll_frames = 2;
        // Named regions keep their counts up to date while the program runs.
        if (scene.now.profile || !scene.now.region || !covers(*scene.now.region, cursor))
            sink.send(machine::ShowRegion{cursor});
    }
    // While the program runs and nothing else was chosen: what it spends its time in.
    if (scene.running() && !scene.selection.bundle && state.asked != kHottest) {
        state.asked = kHottest;
        sink.send(machine::ShowRegion{});
    }
    refresh(scene, state);
    if (scene.has_program() && scene.now.tier != machine::Tier::Interpreter)
        draw_tools(scene, state, sink);
    if (!state.region || state.rows.empty()) {
        const Empty reason = empty_reason(scene);
        empty_state(scene, reason.headline, reason.detail);
        return;
    }
    draw_header(scene, state);
    draw_rows(scene, state, sink);
}

std::string host_code_text(const Scene& scene, const HostCodeState&) {
    const auto& region = scene.now.region;
    if (!region) {
        const Empty reason = empty_reason(scene);
        return reason.headline + "\n" + reason.detail + "\n";
    }
    const auto instructions = disassemble_region(*region);
    const HostLedger ledger = make_ledger(*region);
    std::string out;
    for (const std::string& line : header_lines(scene, *region, ledger, instructions.size()))
        out += line + "\n";
    out += exits_text(scene, *region) + "\n";
    for (const HostRow& row : host_rows(*region, instructions, scene.now.code.get())) {
        if (ledger.counted)
            out += fmt::format("{:>7} | ", counts_text(ledger, row.bundle, row.line));
        out += fmt::format("{:<40} |", row.guest);
        if (row.instruction >= 0) {
            const auto& host = instructions[static_cast<std::size_t>(row.instruction)];
            out += fmt::format(" {:4x} {:<44} ; {}", host.offset, host.text(),
                               translate::name_of(host.reason));
        }
        out += "\n";
    }
    return out;
}

}  // namespace e2k::ui
