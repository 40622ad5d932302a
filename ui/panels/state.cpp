#include "ui/panels/state.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/panels/xray.h"
#include "ui/scoped.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

constexpr int kDispCycles = 5, kReturnCycles = 6;  ///< from a preparation to its use
constexpr std::size_t kLookBack = 12;              ///< bundles
constexpr unsigned kPlaneAreas = 32;

/// Cycles that a preparation of %ctprN in `bundle` takes; 0: it makes none.
int preparation(const isa::Bundle& bundle, unsigned ctpr) {
    if (!bundle.cs0.present || bundle.cs0.ctpr != ctpr) return 0;
    switch (bundle.cs0.kind) {
        case isa::Cs0Kind::Disp:
        case isa::Cs0Kind::Ldisp:
        case isa::Cs0Kind::Sdisp:
            return kDispCycles;
        case isa::Cs0Kind::Return:
            return kReturnCycles;
        default:
            return 0;
    }
}

/// Cycles until %ctprN can be used, by the bundles in front of the current one; empty if its
/// preparation is not among the nearest of them.
std::optional<int> cycles_left(const Scene& scene, unsigned ctpr) {
    const machine::CodeView* const code = scene.now.code.get();
    if (!code) return std::nullopt;
    auto row = std::ranges::lower_bound(code->rows, scene.now.ip, {},
                                        [](const auto& r) { return r.bundle.address; });
    int passed = 0;
    for (std::size_t looked = 0; row != code->rows.begin() && looked < kLookBack; ++looked) {
        --row;
        if (!row->valid) return std::nullopt;
        const isa::Bundle& bundle = row->bundle;
        if (bundle.ss.ctop || bundle.cs1.call) return std::nullopt;
        passed += 1 + bundle.nop;
        if (const int needed = preparation(bundle, ctpr)) return std::max(0, needed - passed);
    }
    return std::nullopt;
}

const machine::CodeView::Row* current_row(const Scene& scene) {
    return find_row(scene.now.code.get(), scene.now.ip);
}

/// Value of local predicate n of a bundle, before it executes; empty if it depends on something
/// that is not shown.
std::optional<bool> local_value(const Scene& scene, const isa::PredicateLogic& plu, unsigned n,
                                int depth = 0) {
    if (n < 4) {
        const isa::Elp& elp = plu.elp[n];
        if (elp.kind != isa::Elp::Kind::Pred) return std::nullopt;
        return (scene.now.predicates[elp.index & 31] & cpu::kPredValue) != 0;
    }
    if (n > 6 || depth > 3) return std::nullopt;
    const isa::Clp& clp = plu.clp[n - 4];
    if (clp.opcode != isa::ClpOpcode::Andp) return std::nullopt;
    const auto a = local_value(scene, plu, clp.p0, depth + 1);
    const auto b = local_value(scene, plu, clp.p1, depth + 1);
    if (!a || !b) return std::nullopt;
    return (*a != clp.neg0) && (*b != clp.neg1);
}

std::string local_name(const isa::PredicateLogic& plu, unsigned n) {
    if (n < 4 && plu.elp[n].kind == isa::Elp::Kind::Pred)
        return fmt::format("%pred{}", plu.elp[n].index);
    return fmt::format("@p{}", n);
}

// --- drawing ---

std::string predicates_title(const Scene& scene) {
    const auto& br = scene.now.br;
    return br.psz ? trf("Predicates · 0–{} rotate, turned by {}", br.psz, br.pcur)
                  : std::string(tr("Predicates"));
}

void predicate_box(const Scene& scene, Ink& ink, unsigned index, ImVec2 a, ImVec2 b) {
    const Theme& theme = scene.theme;
    const std::uint8_t byte = scene.now.predicates[index];
    const bool on = byte & cpu::kPredValue, diagnostic = byte & cpu::kPredTag;
    const std::uint8_t stops = scene.changes.predicate(index);
    const ImU32 colour = value_colour(theme, stops, on ? theme.predicate_text : theme.dim);
    ink.fill(a, b, on ? with_alpha(colour, 0.22f) : theme.header, theme.px(3));
    ink.frame(a, b, colour, theme.px(3), stops == 0 ? theme.px(2) : theme.px(1));
    if (diagnostic) ink.hatch(a, b, theme.error, theme.px(5));
    const std::string name = std::to_string(index), value = diagnostic ? "diag" : on ? "1" : "0";
    ink.text({a.x + theme.px(4), a.y + theme.px(1)}, theme.dim, name + " ");
    ink.text_right(b.x - theme.px(4), a.y + theme.px(1), colour, value,
                   on ? Weight::Bold : Weight::Mono);
    ink.end_cell();
    if (index <= scene.now.br.psz && scene.now.br.psz)
        ink.fill({a.x + theme.px(3), b.y - theme.px(3)}, {b.x - theme.px(3), b.y - theme.px(2)},
                 theme.current);
    if (!ImGui::IsWindowHovered() || !ImGui::IsMouseHoveringRect(a, b)) return;
    const std::uint64_t writer =
        predicate_writer(scene.now.code.get(), scene.symbols(), scene.now.ip, index);
    tool_tip(theme, fmt::format("%pred{} = {}{}", index, on ? 1 : 0,
                                diagnostic ? std::string(", ") + tr("diagnostic") : "") +
                        (writer ? "\n" + trf("computed at {}; click goes there",
                                             place(scene.symbols(), writer))
                                : ""));
    if (writer && ImGui::IsMouseClicked(ImGuiMouseButton_Left)) scene.selection.go_to = writer;
}

void draw_predicates(const Scene& scene) {
    const Theme& theme = scene.theme;
    Ink ink(scene);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float room = ImGui::GetContentRegionAvail().x;
    const float least = theme.cell() * 5.4f;
    const int across = room >= least * 16 ? 16 : room >= least * 8 ? 8 : 4;
    const float step = std::min(std::floor(room / static_cast<float>(across)), least * 1.6f);
    const float height = theme.row() * 1.25f;
    for (int i = 0; i < 32; ++i) {
        const ImVec2 a{origin.x + static_cast<float>(i % across) * step,
                       origin.y + static_cast<float>(i / across) * (height + theme.px(3))};
        predicate_box(scene, ink, static_cast<unsigned>(i), a,
                      {a.x + step - theme.px(3), a.y + height});
        if ((i + 1) % across == 0) ink.end_row();
    }
    ImGui::Dummy({1, static_cast<float>(32 / across) * (height + theme.px(3)) + theme.px(3)});
}

/// A line that leads to an address.
void link_line(const Scene& scene, const std::string& text, std::uint64_t target, ImU32 colour) {
    const Theme& theme = scene.theme;
    Ink ink(scene);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float room = ImGui::GetContentRegionAvail().x;
    const bool cut = ink.text_fit({at.x + theme.px(7), at.y}, room - theme.px(10), colour, text);
    ink.end_row();
    const ImVec2 end{at.x + room, at.y + theme.row()};
    if (ImGui::IsWindowHovered() && ImGui::IsMouseHoveringRect(at, end)) {
        if (target) {
            ink.line({at.x + theme.px(7), end.y - theme.px(2)},
                     {at.x + std::min(room, theme.px(7) + ink.width(text)), end.y - theme.px(2)},
                     theme.selection);
            scene.selection.hover_bundle = target;
            if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) scene.selection.go_to = target;
        }
        if (cut) tool_tip(theme, text);
    }
    ImGui::Dummy({1, theme.row() - ImGui::GetStyle().ItemSpacing.y});
}

void draw_transfers(const Scene& scene) {
    const Theme& theme = scene.theme;
    for (unsigned i = 0; i < 3; ++i) {
        const CtprLine line = ctpr_line(scene, i);
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const std::uint8_t stops = scene.changes.ctpr(i);
        link_line(scene, line.name + "  " + line.text, line.target,
                  value_colour(theme, stops, theme.text));
        if (!line.cycles) continue;
        // A light for each cycle that is still to pass.
        Ink ink(scene);
        float x = at.x + ImGui::GetContentRegionAvail().x - theme.px(10);
        for (int n = 0; n < kReturnCycles; ++n, x -= theme.px(9))
            ink.dot({x, at.y + theme.font_px() * 0.6f}, theme.px(3),
                    n < *line.cycles ? theme.warning : theme.good, n < *line.cycles);
    }
}

/// Prologue, kernel and epilogue as boxes in the order of time, the present one lit.
void draw_loop(const Scene& scene) {
    const Theme& theme = scene.theme;
    const cpu::LoopState& lsr = scene.now.lsr;
    Ink ink(scene);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float room = ImGui::GetContentRegionAvail().x - theme.px(8);
    const LoopPhase phase = loop_phase(lsr);
    struct Box {
        const char* name;
        std::uint64_t left;
        LoopPhase phase;
        float share;
    };
    const std::array<Box, 3> boxes = {Box{tr("prologue"), lsr.pcnt, LoopPhase::Prologue, 0.27f},
                                      Box{tr("kernel"), lsr.lcnt, LoopPhase::Kernel, 0.46f},
                                      Box{tr("epilogue"), lsr.ecnt, LoopPhase::Epilogue, 0.27f}};
    float x = origin.x + theme.px(4);
    const float height = theme.row() * 1.4f;
    for (const Box& box : boxes) {
        const ImVec2 a{x, origin.y}, b{x + room * box.share - theme.px(4), origin.y + height};
        const bool now = phase == box.phase;
        ink.fill(a, b, now ? mix(theme.panel, theme.current, 0.3f) : theme.header, theme.px(3));
        ink.frame(a, b, now ? theme.current : theme.line, theme.px(3));
        const std::string text = fmt::format("{} {}", box.name, decimal_grouped(box.left));
        const float width = std::min(ink.width(text, Weight::Prose), b.x - a.x);
        // The line below says the same in words that can be copied.
        ink.list().PushClipRect(a, b, true);
        ink.list().AddText(theme.prose, theme.font_px(),
                           {(a.x + b.x - width) / 2, a.y + theme.px(3)},
                           now ? theme.text : theme.dim, without_thin_spaces(text).c_str());
        ink.list().PopClipRect();
        x = b.x + theme.px(4);
    }
    ImGui::Dummy({1, height + theme.px(2)});
    link_line(scene, loop_line(scene), 0, value_colour(theme, scene.changes.loop(), theme.text));
}

void draw_list(const Scene& scene, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) link_line(scene, line, 0, scene.theme.text);
}

}  // namespace

CtprLine ctpr_line(const Scene& scene, unsigned index) {
    const cpu::Ctpr& reg = scene.now.ctpr[index];
    CtprLine out;
    out.name = fmt::format("%ctpr{}", index + 1);
    switch (reg.tag) {
        case cpu::CtprTag::Empty:
            out.text = tr("empty");
            return out;
        case cpu::CtprTag::Diagnostic:
            out.text = tr("diagnostic");
            return out;
        case cpu::CtprTag::System:
            out.text = trf("system call, entry {}", reg.base);
            break;
        case cpu::CtprTag::Numeric:
            out.text = fmt::format("{:#x}", reg.base);
            return out;
        case cpu::CtprTag::Return:
            out.text = trf("return to {}", place(scene.symbols(), reg.base));
            out.target = reg.base;
            break;
        case cpu::CtprTag::Label:
            out.text = place(scene.symbols(), reg.base);
            out.target = reg.base;
            break;
    }
    out.cycles = cycles_left(scene, index + 1);
    if (out.cycles)
        out.text += *out.cycles ? "  ·  " + trf("ready in {} cycles", *out.cycles)
                                : std::string("  ·  ") + tr("ready");
    return out;
}

LoopPhase loop_phase(const cpu::LoopState& lsr) {
    if (!lsr.vlc) return LoopPhase::None;
    if (lsr.pcnt) return LoopPhase::Prologue;
    return lsr.last() ? LoopPhase::Epilogue : LoopPhase::Kernel;
}

std::string loop_line(const Scene& scene) {
    const cpu::LoopState &lsr = scene.now.lsr, &ilcr = scene.now.ilcr;
    std::string out = fmt::format("%lsr  lcnt {}  ecnt {}  pcnt {}", lsr.lcnt, lsr.ecnt, lsr.pcnt);
    if (lsr.vlc) out += "  vlc";
    if (lsr.over) out += "  over";
    if (ilcr.lcnt || ilcr.ecnt || ilcr.pcnt)
        out += fmt::format("   %ilcr  lcnt {}  ecnt {}  pcnt {}", ilcr.lcnt, ilcr.ecnt, ilcr.pcnt);
    if (lsr.loop_end()) out += std::string("   ") + tr("the loop is at its end");
    return out;
}

std::vector<std::string> local_predicates(const Scene& scene) {
    std::vector<std::string> out;
    const auto* row = current_row(scene);
    if (!row || !row->valid || row->bundle.plu.count == 0) return out;
    const isa::PredicateLogic& plu = row->bundle.plu;
    for (unsigned k = 0; k < plu.clp.size() && k < plu.count; ++k) {
        const isa::Clp& clp = plu.clp[k];
        if (clp.opcode != isa::ClpOpcode::Andp) continue;
        std::string text =
            fmt::format("@p{} = {}{} & {}{}", 4 + k, clp.neg0 ? "~" : "", local_name(plu, clp.p0),
                        clp.neg1 ? "~" : "", local_name(plu, clp.p1));
        if (const auto value = local_value(scene, plu, 4 + k)) text += *value ? " = 1" : " = 0";
        if (clp.writes) text += fmt::format(" → %pred{}", clp.pdst);
        out.push_back(std::move(text));
    }
    return out;
}

std::vector<std::string> array_lines(const Scene& scene) {
    std::vector<std::string> out;
    const cpu::AauState& aau = scene.now.aau;
    if (!aau.active) return out;
    const auto* row = current_row(scene);
    for (unsigned n = 0; n < aau.area.size(); ++n) {
        const cpu::AauArea& area = aau.area[n];
        if (area.fmt == 0) continue;
        const unsigned bytes = 1u << (area.fmt - 1);
        const bool left = n < kPlaneAreas;
        std::string line = trf(
            "{} area {}: next at {}, {} bytes, step {} (%aaincr{}), descriptor %aad{} {}",
            left ? tr("left") : tr("right"), n % kPlaneAreas,
            hex(aau.aad_base[area.d & 31] + area.cur + area.disp), bytes,
            static_cast<std::int64_t>(aau.aaincr[area.incr & 7]) * static_cast<std::int64_t>(bytes),
            area.incr, area.d, hex(aau.aad_base[area.d & 31]));
        for (unsigned c = 0; row && row->valid && c < row->bundle.mova.size(); ++c) {
            const isa::MovaOp& mova = row->bundle.mova[c];
            if (mova.present && mova.area == n % kPlaneAreas && (c < 2) == left)
                line += "  ·  " + trf("taken by mova in channel {} now", c);
        }
        out.push_back(std::move(line));
    }
    return out;
}

void draw_state(const Scene& scene, StateState&, machine::CommandSink&) {
    if (scene.now.window.empty())
        return empty_state(scene, tr("No state to show yet"),
                           tr("It appears when the program stops."));
    const auto body = scoped::child("state", {0, 0}, ImGuiWindowFlags_NoBackground);
    section(scene, predicates_title(scene));
    draw_predicates(scene);
    if (const auto locals = local_predicates(scene); !locals.empty()) {
        section(scene, tr("Predicate unit in the current bundle"));
        draw_list(scene, locals);
    }
    section(scene, tr("Prepared transfers"));
    draw_transfers(scene);
    section(scene, tr("Loop"));
    draw_loop(scene);
    section(scene, tr("Array access unit"));
    const auto arrays = array_lines(scene);
    draw_list(scene, arrays);
    if (arrays.empty()) link_line(scene, tr("no prefetch program runs"), 0, scene.theme.dim);
}

std::string state_text(const Scene& scene, const StateState&) {
    std::string out = predicates_title(scene) + "\n";
    for (unsigned i = 0; i < 32; ++i) {
        const std::uint8_t byte = scene.now.predicates[i];
        out += fmt::format("{} {}{}", i,
                           byte & cpu::kPredTag     ? "diag"
                           : byte & cpu::kPredValue ? "1"
                                                    : "0",
                           i % 4 == 3 ? "\n" : " | ");
    }
    for (const std::string& line : local_predicates(scene)) out += line + "\n";
    for (unsigned i = 0; i < 3; ++i) {
        const CtprLine line = ctpr_line(scene, i);
        out += line.name + "  " + line.text + "\n";
    }
    out += loop_line(scene) + "\n";
    for (const std::string& line : array_lines(scene)) out += line + "\n";
    return out;
}

}  // namespace e2k::ui
