#include "ui/panels/registers.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

std::string window_title(const Scene& scene) {
    const auto& wd = scene.now.wd;
    std::string out = trf("%r window  {} registers", wd.size);
    if (wd.psize) out += trf(", {} from the caller", wd.psize);
    if (wd.dbl) out += ", dbl";
    return out;
}

std::string predicates_title(const Scene& scene) {
    const auto& br = scene.now.br;
    return br.psz ? trf("Predicates  0–{} rotate, at {}", br.psz, br.pcur)
                  : std::string(tr("Predicates"));
}

const char* tag_name(cpu::CtprTag tag) {
    switch (tag) {
        case cpu::CtprTag::Empty:
            return text_mark("empty");
        case cpu::CtprTag::Diagnostic:
            return text_mark("diagnostic");
        case cpu::CtprTag::Return:
            return text_mark("return");
        case cpu::CtprTag::Label:
            return text_mark("label");
        case cpu::CtprTag::Numeric:
            return text_mark("numeric");
        case cpu::CtprTag::System:
            return text_mark("system");
    }
    return "?";
}

std::string ctpr_text(const Scene& scene, unsigned index) {
    const cpu::Ctpr& reg = scene.now.ctpr[index];
    const std::string name = fmt::format("ctpr{}  ", index + 1);
    switch (reg.tag) {
        case cpu::CtprTag::Empty:
            return name + tr("empty");
        case cpu::CtprTag::System:
            return name + trf("system entry {}", reg.base);
        case cpu::CtprTag::Label:
        case cpu::CtprTag::Return:
            return name + fmt::format("{} {}{}", tr(tag_name(reg.tag)),
                                      place(scene.symbols(), reg.base),
                                      reg.opc == 1 ? " (ldisp)" : "");
        default:
            return name + fmt::format("{} {:#x}", tr(tag_name(reg.tag)), reg.base);
    }
}

std::string loop_text(const Scene& scene) {
    const cpu::LoopState& lsr = scene.now.lsr;
    std::string out = fmt::format("lsr    lcnt {}  ecnt {}  pcnt {}", lsr.lcnt, lsr.ecnt, lsr.pcnt);
    if (lsr.vlc) out += "  vlc";
    if (lsr.over) out += "  over";
    if (lsr.strmd) out += fmt::format("  strmd {}", lsr.strmd);
    return out;
}

// --- drawing ---

struct Grid {
    float width;  ///< of one cell, pixels
    int columns;
    float name_cells, alias_cells;
};

Grid grid_for(const Scene& scene, const std::vector<RegisterCell>& cells, float room) {
    Grid grid{};
    std::size_t name = 2, alias = 0, value = 16;
    for (const RegisterCell& cell : cells) {
        name = std::max(name, cell.name.size());
        alias = std::max(alias, cell.alias.size());
        value = std::max(value, columns(cell.value));
    }
    grid.name_cells = static_cast<float>(name) + 1;
    grid.alias_cells = alias ? static_cast<float>(alias) + 1 : 0;
    const float need =
        (grid.name_cells + grid.alias_cells + static_cast<float>(value) + 1) * scene.theme.cell() +
        scene.theme.px(22);
    const int fit = std::max(1, static_cast<int>(room / need));
    // Even numbers keep the two registers of a quad in one row.
    grid.columns = fit >= 8 ? 8 : fit >= 4 ? 4 : fit >= 2 ? 2 : 1;
    grid.width = std::min(room / static_cast<float>(grid.columns), need * 1.35f);
    return grid;
}

void draw_value(const Scene& scene, Ink& ink, const RegisterCell& cell, float right, float y,
                NumberView view) {
    const Theme& theme = scene.theme;
    const ImU32 colour =
        cell.diagnostic ? theme.error : value_colour(theme, cell.stops, theme.text);
    if (view != NumberView::Hex || cell.diagnostic) {
        ink.text_right(right, y, colour, cell.value);
        return;
    }
    // Leading zeros carry no information: dim.
    std::size_t lead = 0;
    while (lead < cell.value.size()) {
        if (cell.value[lead] == '0') {
            ++lead;
        } else if (std::string_view(cell.value).substr(lead).starts_with(kThinSpace)) {
            lead += kThinSpace.size();
        } else {
            break;
        }
    }
    float x = right - ink.width(cell.value);
    x = ink.text({x, y}, with_alpha(theme.dim, 0.55f), cell.value.substr(0, lead));
    ink.text({x, y}, colour, cell.value.substr(lead));
}

void draw_register(const Scene& scene, Ink& ink, const RegisterCell& cell, const Grid& grid,
                   ImVec2 at, NumberView view) {
    const Theme& theme = scene.theme;
    const float height = theme.row();
    const ImVec2 end{at.x + grid.width - theme.px(8), at.y + height};
    const bool selected = scene.selection.reg == cell.ref;
    const bool hovered = ImGui::IsWindowHovered() && ImGui::IsMouseHoveringRect(at, end);
    if (hovered) ink.fill(at, end, theme.hover);
    if (cell.diagnostic) ink.hatch(at, end, with_alpha(theme.error, 0.35f), theme.px(6));
    if (cell.stops == 0)
        ink.fill({at.x, at.y + theme.px(2)}, {at.x + theme.px(3), end.y - theme.px(2)},
                 theme.current);
    const float y = at.y + (height - theme.font_px()) * 0.4f;
    float x = at.x + theme.px(7);
    ink.text({x, y}, theme.dim, cell.name + " ");
    x += grid.name_cells * theme.cell();
    if (!cell.alias.empty()) ink.text({x, y}, theme.address, cell.alias + " ");
    draw_value(scene, ink, cell, end.x - theme.px(4), y, view);
    ink.end_cell();
    if (selected) ink.frame(at, end, theme.selection, theme.px(2), theme.px(1.5f));
    if (!hovered) return;
    scene.selection.hover_reg = cell.ref;
    if (cell.ref.kind == RegisterRef::Kind::Window) {
        tool_tip(theme, explain_window_register(scene, cell.ref.index));
    } else {
        const std::uint64_t value = scene.now.globals[cell.ref.index & 31].lo;
        tool_tip(theme, fmt::format("%dg{}\nhex       {:#018x}\nsigned    {}\ndouble    {}",
                                    cell.ref.index, value, static_cast<std::int64_t>(value),
                                    float64(value)));
    }
    if (ImGui::IsMouseClicked(ImGuiMouseButton_Left))
        scene.selection.reg = selected ? RegisterRef{} : cell.ref;
}

void draw_cells(const Scene& scene, const std::vector<RegisterCell>& cells, NumberView view) {
    Ink ink(scene);
    const float room = ImGui::GetContentRegionAvail().x;
    const Grid grid = grid_for(scene, cells, room);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float height = scene.theme.row();
    const auto per_row = static_cast<std::size_t>(grid.columns);
    const std::size_t rows = (cells.size() + per_row - 1) / per_row;
    const float top = ImGui::GetWindowPos().y, bottom = top + ImGui::GetWindowHeight();
    for (std::size_t row = 0; row < rows; ++row) {
        const float y = origin.y + static_cast<float>(row) * height;
        if (y > bottom || y + height < top) continue;
        for (std::size_t i = row * per_row; i < std::min(cells.size(), (row + 1) * per_row); ++i) {
            const float x = origin.x + static_cast<float>(i - row * per_row) * grid.width;
            draw_register(scene, ink, cells[i], grid, {x, y}, view);
        }
        ink.end_row();
    }
    ImGui::Dummy({room, static_cast<float>(rows) * height + scene.theme.px(4)});
}

void draw_predicates(const Scene& scene) {
    const Theme& theme = scene.theme;
    Ink ink(scene);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float room = ImGui::GetContentRegionAvail().x;
    const float step = std::floor(std::max(theme.cell() * 2.6f, std::min(room / 16, theme.px(34))));
    const int per_row = std::max(8, room >= step * 32 ? 32 : room >= step * 16 ? 16 : 8);
    const float box = std::round(theme.font_px() * 0.9f), height = theme.row() * 1.75f;
    for (int i = 0; i < 32; ++i) {
        const ImVec2 at{origin.x + static_cast<float>(i % per_row) * step,
                        origin.y + static_cast<float>(i / per_row) * height};
        const std::uint8_t value = scene.now.predicates[static_cast<std::size_t>(i)];
        const bool on = value & cpu::kPredValue;
        const std::string number = std::to_string(i);
        const ImVec2 end{at.x + step - theme.px(4), at.y + height - theme.px(3)};
        const std::uint8_t stops = scene.changes.predicate(static_cast<unsigned>(i));
        const ImU32 colour = value_colour(theme, stops, on ? theme.predicate_text : theme.dim);
        const float middle = (at.x + end.x) / 2;
        const ImVec2 a{std::round(middle - box / 2), at.y + theme.px(1)};
        const ImVec2 b{a.x + box, a.y + box};
        if (on) ink.fill(a, b, colour, theme.px(2));
        ink.frame(a, b, colour, theme.px(2), theme.px(1.2f));
        if (value & cpu::kPredTag) ink.hatch(a, b, theme.error, theme.px(4));
        ink.text({middle - ink.width(number) / 2, b.y + theme.px(1)},
                 stops <= 1 ? colour : theme.dim, number);
        if (scene.capture) scene.capture->text += on ? "=1 " : "=0 ";
        if (ImGui::IsWindowHovered() && ImGui::IsMouseHoveringRect(at, end))
            tool_tip(theme, trf("%pred{} is {}{}", i, on ? tr("true") : tr("false"),
                                value & cpu::kPredTag ? tr(", diagnostic") : ""));
    }
    ink.end_row();
    ImGui::Dummy({room, static_cast<float>((32 + per_row - 1) / per_row) * height + theme.px(2)});
}

void draw_state_lines(const Scene& scene) {
    const Theme& theme = scene.theme;
    Ink ink(scene);
    const auto lines = state_lines(scene);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const std::uint8_t stops = i < 3    ? scene.changes.ctpr(static_cast<unsigned>(i))
                                   : i == 3 ? scene.changes.loop()
                                            : Changes::kOld;
        if (stops == 0)
            ink.fill({at.x, at.y + theme.px(2)},
                     {at.x + theme.px(3), at.y + theme.row() - theme.px(2)}, theme.current);
        ink.text({at.x + theme.px(7), at.y}, value_colour(theme, stops, theme.text), lines[i]);
        ink.end_row();
        ImGui::Dummy({1, theme.row() - ImGui::GetStyle().ItemSpacing.y});
    }
}

void draw_tools(const Scene& scene, RegistersState& state) {
    const auto view = [&](const char* label, NumberView which, const char* help) {
        if (switch_button(scene.theme, label, state.view == which, help)) state.view = which;
    };
    view(tr("Hex"), NumberView::Hex, tr("64-bit values in hexadecimal"));
    view(tr("Signed"), NumberView::Signed, tr("64-bit values as signed decimals"));
    view(tr("Double"), NumberView::Double, tr("64-bit values as floating point"));
    ImGui::SameLine(0, 12);
    const auto toggle = [&](const char* label, bool& on) {
        if (switch_button(scene.theme, label, on, {})) on = !on;
    };
    toggle("%g", state.show_globals);
    toggle(tr("State"), state.show_state);
    ImGui::NewLine();
}

/// The bits of a diagnostic value mean little: only the low word is shown, after the word.
std::string shown_value(const machine::RegisterView& reg, NumberView view) {
    if (!reg.tag) return format_value(reg.lo, view);
    return "diag …" + hex_grouped(reg.lo & 0xffff'ffff, 8).substr(2);
}

}  // namespace

std::string RegisterCell::text() const {
    std::string out = name + " ";
    if (!alias.empty()) out += alias + " ";
    return out + without_thin_spaces(value);
}

std::string format_value(std::uint64_t value, NumberView view) {
    switch (view) {
        case NumberView::Hex:
            return hex_grouped(value).substr(2);
        case NumberView::Signed:
            return signed_grouped(static_cast<std::int64_t>(value));
        case NumberView::Double:
            return float64(value);
    }
    return {};
}

std::vector<RegisterCell> window_cells(const Scene& scene, NumberView view) {
    std::vector<RegisterCell> cells;
    const auto& now = scene.now;
    for (std::size_t i = 0; i < now.window.size(); ++i) {
        RegisterCell cell;
        const auto index = static_cast<unsigned>(i);
        cell.name = fmt::format("r{}", index);
        if (const int n = based_name(now, index); n >= 0) cell.alias = fmt::format("b[{}]", n);
        cell.value = shown_value(now.window[i], view);
        cell.stops = scene.changes.window_file(now.window_index + index);
        cell.diagnostic = now.window[i].tag != 0;
        cell.ref = {RegisterRef::Kind::Window, static_cast<std::uint16_t>(index)};
        cells.push_back(std::move(cell));
    }
    return cells;
}

std::vector<RegisterCell> global_cells(const Scene& scene, NumberView view) {
    std::vector<RegisterCell> cells;
    for (unsigned i = 0; i < 32; ++i) {
        RegisterCell cell;
        cell.name = fmt::format("g{}", i);
        cell.value = shown_value(scene.now.globals[i], view);
        cell.stops = scene.changes.global(i);
        cell.diagnostic = scene.now.globals[i].tag != 0;
        cell.ref = {RegisterRef::Kind::Global, static_cast<std::uint16_t>(i)};
        cells.push_back(std::move(cell));
    }
    return cells;
}

std::vector<std::string> state_lines(const Scene& scene) {
    const auto& now = scene.now;
    std::vector<std::string> lines;
    for (unsigned i = 0; i < 3; ++i) lines.push_back(ctpr_text(scene, i));
    lines.push_back(loop_text(scene));
    lines.push_back(fmt::format("br     rbs {}  rsz {}  rcur {}  psz {}  pcur {}", now.br.rbs,
                                now.br.rsz, now.br.rcur, now.br.psz, now.br.pcur));
    lines.push_back(fmt::format("sp     {:#x}", now.stack_pointer));
    lines.push_back(
        fmt::format("fp     pfpfr {:#x}  fpcr {:#x}  fpsr {:#x}", now.pfpfr, now.fpcr, now.fpsr));
    return lines;
}

void draw_registers(const Scene& scene, RegistersState& state, machine::CommandSink&) {
    if (scene.now.window.empty()) {
        empty_state(
            scene, tr("No registers to show yet"),
            tr("Registers appear when the program stops: pause it, or run to a breakpoint."));
        return;
    }
    draw_tools(scene, state);
    if (scene.running() && !scene.slow_motion()) {
        Ink ink(scene);
        const ImVec2 at = ImGui::GetCursorScreenPos();
        ink.text(at, scene.theme.dim, tr("Running: values of the last look. Pause to inspect."),
                 Weight::Prose);
        ink.end_row();
        ImGui::Dummy({1, scene.theme.row()});
    }
    draw_window_strip(scene);
    ImGui::BeginChild("table", {0, 0}, false);
    section(scene, window_title(scene));
    draw_cells(scene, window_cells(scene, state.view), state.view);
    section(scene, predicates_title(scene));
    draw_predicates(scene);
    if (state.show_state) {
        section(scene, tr("Control transfer and loop"));
        draw_state_lines(scene);
        ImGui::Dummy({1, scene.theme.px(4)});
    }
    if (state.show_globals) {
        section(scene, "%g globals");
        draw_cells(scene, global_cells(scene, state.view), state.view);
    }
    ImGui::EndChild();
}

std::string registers_text(const Scene& scene, const RegistersState& state) {
    std::string out = window_title(scene) + "\n";
    const auto list = [&](const std::vector<RegisterCell>& cells) {
        for (const RegisterCell& cell : cells)
            out += cell.text() + (cell.stops == 0 ? "  changed\n" : "\n");
    };
    list(window_cells(scene, state.view));
    out += predicates_title(scene) + "\n";
    for (unsigned i = 0; i < 32; ++i)
        out += fmt::format("{}={} ", i, scene.now.predicates[i] & cpu::kPredValue);
    out += "\nControl transfer and loop\n";
    for (const std::string& line : state_lines(scene)) out += line + "\n";
    out += "%g globals\n";
    list(global_cells(scene, state.view));
    out += "Window file\n";
    for (const auto& frame : scene.now.frames)
        out += fmt::format("{} registers {}..{}\n", procedure(scene.symbols(), frame.ip),
                           frame.window_index, frame.window_index + frame.size);
    return out;
}

}  // namespace e2k::ui
