// The window file as a strip: every frame a block to scale, overlaps hatched, the 224 registers
// the hardware holds as a bracket; beside it the based area as a wheel.
#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "ui/explain.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/panels/registers.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

constexpr float kPhysicalRegisters = 224;  ///< windows.md §5

struct Span {
    std::uint32_t first, last;  ///< registers of the window file shown
    float left, width;
    float x(float index) const {
        const float total = static_cast<float>(std::max(1u, last - first));
        return left + (index - static_cast<float>(first)) / total * width;
    }
};

/// The part of the file that is drawn: from the oldest frame in view to the end of the window.
Span span_of(const machine::Snapshot& now, float left, float width) {
    const std::uint32_t end = now.window_index + std::max<std::uint32_t>(now.wd.size, 1);
    std::uint32_t first = now.file_first;
    // Deep recursion: show the last 512 registers, more would be unreadably thin.
    if (end > 512 && first < end - 512) first = end - 512;
    return {first, end, left, width};
}

void frame_tip(const Scene& scene, const machine::FrameView& frame, std::size_t depth) {
    std::string text =
        trf("{}\n{}\nregisters {}–{} of the window file", procedure(scene.symbols(), frame.ip),
            depth == 0 ? std::string(tr("current procedure")) : trf("calls up: {}", depth),
            frame.window_index, frame.window_index + std::max<unsigned>(frame.size, 1) - 1);
    if (frame.psize) text += "\n" + trf("the first {} came from its caller", frame.psize);
    tool_tip(scene.theme, text);
}

void draw_frames(const Scene& scene, Ink& ink, const Span& span, float top, float height) {
    const Theme& theme = scene.theme;
    const auto& frames = scene.now.frames;
    for (std::size_t i = frames.size(); i-- > 0;) {
        const machine::FrameView& frame = frames[i];
        if (frame.window_index + frame.size <= span.first) continue;
        const auto begin = static_cast<float>(std::max(frame.window_index, span.first));
        // An outer frame ends where the next window begins plus what the callee received.
        const auto end = static_cast<float>(frame.window_index + frame.size);
        const ImVec2 a{std::round(span.x(begin)), top};
        const ImVec2 b{
            std::max(a.x + 2, std::round(span.x(std::min(end, static_cast<float>(span.last)))) - 1),
            top + height};
        const bool current = i == 0;
        const ImU32 base = current ? mix(theme.panel, theme.current, 0.34f)
                                   : mix(theme.header, theme.line, i % 2 ? 0.9f : 0.3f);
        ink.fill(a, b, base, theme.px(2));
        if (frame.psize && frame.window_index >= span.first) {
            const float shared = span.x(static_cast<float>(frame.window_index + frame.psize));
            ink.hatch(a, {std::min(shared, b.x), b.y}, with_alpha(theme.text, 0.35f), theme.px(5));
        }
        ink.frame(a, b, current ? theme.current : theme.line, theme.px(2));
        const std::string name = procedure(scene.symbols(), frame.ip);
        const float room = b.x - a.x - theme.px(8);
        if (room > theme.cell() * 4) {
            const float text_width = std::min(room, ink.width(name));
            const ImVec2 at{a.x + (b.x - a.x - text_width) / 2,
                            top + (height - theme.font_px()) / 2 - theme.px(1)};
            ink.fill({at.x - theme.px(2), at.y},
                     {at.x + text_width + theme.px(2), at.y + theme.font_px() * 1.15f}, base,
                     theme.px(2));
            ink.text_fit(at, room, current ? theme.text : theme.dim, name);
            ink.end_cell();
        }
        if (ImGui::IsWindowHovered() && ImGui::IsMouseHoveringRect(a, b)) {
            frame_tip(scene, frame, i);
            scene.selection.hover_bundle = frame.ip;
            if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) scene.selection.go_to = frame.ip;
        }
    }
}

/// One thin mark per register: changed ones amber, nonzero ones dim.
void draw_marks(const Scene& scene, Ink& ink, const Span& span, float top, float height) {
    const Theme& theme = scene.theme;
    for (std::size_t i = 0; i < scene.now.window_file.size(); ++i) {
        const auto index = static_cast<std::uint32_t>(scene.now.file_first + i);
        if (index < span.first || index >= span.last) continue;
        const std::uint8_t stops = scene.changes.window_file(index);
        const bool used = scene.now.window_file[i].lo != 0;
        if (stops > 1 && !used) continue;
        const float a = span.x(static_cast<float>(index));
        const float b = std::max(a + 1, span.x(static_cast<float>(index + 1)) - 1);
        ink.fill({a, top}, {b, top + height},
                 stops <= 1 ? value_colour(theme, stops, theme.dim) : with_alpha(theme.dim, 0.45f));
    }
}

/// The register under the mouse in some panel.
void draw_pointer(const Scene& scene, Ink& ink, const Span& span, float top, float height) {
    const RegisterRef& reg = scene.selection.hovered_reg.kind == RegisterRef::Kind::Window
                                 ? scene.selection.hovered_reg
                                 : scene.selection.reg;
    if (reg.kind != RegisterRef::Kind::Window) return;
    const std::uint32_t index = scene.now.window_index + reg.index;
    if (index < span.first || index >= span.last) return;
    const float a = span.x(static_cast<float>(index));
    const float b = std::max(a + 2, span.x(static_cast<float>(index + 1)));
    const Theme& theme = scene.theme;
    ink.frame({a - 1, top - theme.px(1)}, {b + 1, top + height + theme.px(1)}, theme.selection, 0,
              theme.px(1.5f));
    const float x = (a + b) / 2, y = top + height + theme.px(2), h = theme.px(4);
    ink.triangle({x, y}, {x - h, y + h * 1.4f}, {x + h, y + h * 1.4f}, theme.selection);
}

void draw_bracket(const Scene& scene, Ink& ink, const Span& span, float y) {
    const Theme& theme = scene.theme;
    const float end = static_cast<float>(span.last);
    const float begin = std::max(end - kPhysicalRegisters, static_cast<float>(span.first));
    const float a = span.x(begin), b = span.x(end) - 1;
    const float tick = theme.px(4);
    ink.line({a, y}, {b, y}, theme.dim);
    ink.line({b, y}, {b, y - tick}, theme.dim);
    const bool spilled = end - kPhysicalRegisters > static_cast<float>(span.first);
    if (spilled) ink.line({a, y}, {a, y - tick}, theme.dim);
    const std::string text = spilled ? trf("the 224 registers hardware holds; {} would be spilled",
                                           static_cast<unsigned>(end - kPhysicalRegisters))
                                     : trf("{} of the 224 registers hardware holds", span.last);
    const float width = ink.width(text, Weight::Prose);
    const float x =
        std::max(span.left, std::min((a + b - width) / 2, span.left + span.width - width));
    if (width <= span.width) {
        ink.text({x, y + theme.px(2)}, theme.dim, text, Weight::Prose);
        ink.end_row();
    }
}

void draw_ring_slot(const Scene& scene, Ink& ink, ImVec2 centre, float inner, float outer,
                    float from, float to, ImU32 colour) {
    ImDrawList& list = ink.list();
    list.PathClear();
    list.PathArcTo(centre, outer, from, to, 12);
    list.PathArcTo(centre, inner, to, from, 12);
    list.PathFillConvex(colour);
    (void)scene;
}

/// The based area as a wheel: a slot per register pair, the pointer at %b[0].
void draw_wheel(const Scene& scene, Ink& ink, ImVec2 centre, float radius) {
    const Theme& theme = scene.theme;
    const auto& now = scene.now;
    const unsigned count = 2u * now.br.rsz + 2u, base = 2u * now.br.rbs;
    const float inner = radius * 0.62f;
    const float step = 2 * std::numbers::pi_v<float> / static_cast<float>(count);
    const float start = -std::numbers::pi_v<float> / 2;
    const float gap = std::min(0.05f, step * 0.18f);
    for (unsigned slot = 0; slot < count; ++slot) {
        const float from = start + step * static_cast<float>(slot);
        const std::uint8_t stops = scene.changes.window_file(now.window_index + base + slot);
        const bool inside = base + slot < now.window.size();
        const bool used = inside && now.window[base + slot].lo != 0;
        ImU32 colour =
            used ? mix(theme.header, theme.address, 0.55f) : mix(theme.header, theme.line, 0.7f);
        if (stops <= 1) colour = value_colour(theme, stops, colour);
        draw_ring_slot(scene, ink, centre, inner, radius, from + gap, from + step - gap, colour);
    }
    const float turn = start + step * (2.0f * static_cast<float>(now.br.rcur) + 0.5f);
    const ImVec2 dir{std::cos(turn), std::sin(turn)}, side{-dir.y, dir.x};
    const float tip = inner - theme.px(1), tail = inner * 0.62f, half = theme.px(3.5f);
    ink.triangle({centre.x + dir.x * tip, centre.y + dir.y * tip},
                 {centre.x + dir.x * tail + side.x * half, centre.y + dir.y * tail + side.y * half},
                 {centre.x + dir.x * tail - side.x * half, centre.y + dir.y * tail - side.y * half},
                 theme.current);
    const std::string label = "%b";
    ink.text({centre.x - ink.width(label) / 2, centre.y - theme.font_px() / 2}, theme.dim, label);
    ink.end_cell();

    const ImVec2 mouse = ImGui::GetIO().MousePos;
    const float dx = mouse.x - centre.x, dy = mouse.y - centre.y;
    const float distance = std::sqrt(dx * dx + dy * dy);
    if (!ImGui::IsWindowHovered() || distance > radius) return;
    std::string tip_text =
        trf("Based registers: %r{}–%r{} ({}), turned by rcur = {}.\nThe pointer marks %b[0].", base,
            base + count - 1, count, now.br.rcur);
    if (distance >= inner) {
        float angle = std::atan2(dy, dx) - start;
        if (angle < 0) angle += 2 * std::numbers::pi_v<float>;
        const unsigned slot = std::min(count - 1, static_cast<unsigned>(angle / step));
        if (base + slot < now.window.size()) tip_text = explain_window_register(scene, base + slot);
    }
    tool_tip(theme, tip_text);
}

}  // namespace

float draw_window_strip(const Scene& scene) {
    const Theme& theme = scene.theme;
    Ink ink(scene);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float room = ImGui::GetContentRegionAvail().x;
    const float block = theme.row() * 1.5f, marks = theme.px(6);
    const bool based = scene.now.br.rsz != 0 || scene.now.br.rbs != 0;
    const float height = block + marks + theme.px(12) + theme.row();
    const float radius = height / 2 - theme.px(1);
    const bool wheel = based && room > theme.px(330);
    const float strip = room - (wheel ? radius * 2 + theme.px(14) : theme.px(4));
    const Span span = span_of(scene.now, origin.x, strip);
    draw_frames(scene, ink, span, origin.y + theme.px(2), block);
    draw_marks(scene, ink, span, origin.y + block + theme.px(4), marks);
    draw_pointer(scene, ink, span, origin.y + theme.px(2), block + marks + theme.px(2));
    draw_bracket(scene, ink, span, origin.y + block + marks + theme.px(9));
    if (wheel)
        draw_wheel(scene, ink,
                   {origin.x + room - radius - theme.px(3), origin.y + radius + theme.px(2)},
                   radius);
    ImGui::Dummy({room, height + theme.px(4)});
    return height;
}

}  // namespace e2k::ui
