#include "ui/ink.h"

#include <algorithm>
#include <cmath>

#include "ui/format.h"

namespace e2k::ui {

Ink::Ink(const Scene& scene)
    : list_(ImGui::GetWindowDrawList()), theme_(scene.theme), capture_(scene.capture) {}

ImFont* Ink::font(Weight weight) const {
    switch (weight) {
        case Weight::Bold:
            return theme_.mono_bold;
        case Weight::Prose:
            return theme_.prose;
        case Weight::Mono:
            break;
    }
    return theme_.mono;
}

float Ink::width(std::string_view text, Weight weight) const {
    const float size = theme_.font_px();
    if (weight != Weight::Prose) {
        std::size_t spaces = 0;
        for (std::size_t at = text.find(kThinSpace); at != std::string_view::npos;
             at = text.find(kThinSpace, at + 1))
            ++spaces;
        const float cell = theme_.cell();
        return cell * static_cast<float>(columns(text)) +
               std::round(cell / 3) * static_cast<float>(spaces);
    }
    return font(weight)->CalcTextSizeA(size, FLT_MAX, 0, text.data(), text.data() + text.size()).x;
}

float Ink::text(ImVec2 at, ImU32 colour, std::string_view text, Weight weight) {
    if (capture_) capture_->text += without_thin_spaces(text);
    const float size = theme_.font_px();
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(kThinSpace), text.size());
        const std::string_view part = text.substr(0, end);
        list_->AddText(font(weight), size, {std::round(at.x), std::round(at.y)}, colour,
                       part.data(), part.data() + part.size());
        at.x += width(part, weight);
        if (end == text.size()) break;
        at.x += std::round(theme_.cell() / 3);
        text.remove_prefix(end + kThinSpace.size());
    }
    return at.x;
}

float Ink::runs(ImVec2 at, const std::vector<Run>& runs) {
    for (const Run& run : runs) {
        const float begin = at.x;
        at.x = text(at, run.colour, run.text, run.weight);
        if (run.struck) {
            const float y = std::round(at.y + theme_.font_px() * 0.55f);
            line({begin, y}, {at.x, y}, run.colour);
        }
    }
    return at.x;
}

void Ink::text_right(float right, float y, ImU32 colour, std::string_view what, Weight weight) {
    text({right - width(what, weight), y}, colour, what, weight);
}

bool Ink::text_fit(ImVec2 at, float room, ImU32 colour, std::string_view what, Weight weight) {
    if (width(what, weight) <= room) {
        text(at, colour, what, weight);
        return false;
    }
    const float dots = width("…", weight);
    std::size_t end = what.size();
    while (end > 0 && width(what.substr(0, end), weight) + dots > room) {
        --end;
        while (end > 0 && (static_cast<unsigned char>(what[end]) & 0xc0) == 0x80) --end;
    }
    text(at, colour, std::string(what.substr(0, end)) + "…", weight);
    return true;
}

void Ink::fill(ImVec2 a, ImVec2 b, ImU32 colour, float rounding) {
    list_->AddRectFilled(a, b, colour, rounding);
}
void Ink::frame(ImVec2 a, ImVec2 b, ImU32 colour, float rounding, float thickness) {
    list_->AddRect(a, b, colour, rounding, 0, thickness);
}
void Ink::line(ImVec2 a, ImVec2 b, ImU32 colour, float thickness) {
    list_->AddLine(a, b, colour, thickness);
}
void Ink::dot(ImVec2 centre, float radius, ImU32 colour, bool filled) {
    if (filled) {
        list_->AddCircleFilled(centre, radius, colour);
    } else {
        list_->AddCircle(centre, radius, colour, 0, theme_.px(1.3f));
    }
}
void Ink::triangle(ImVec2 a, ImVec2 b, ImVec2 c, ImU32 colour) {
    list_->AddTriangleFilled(a, b, c, colour);
}

void Ink::hatch(ImVec2 a, ImVec2 b, ImU32 colour, float step) {
    list_->PushClipRect(a, b, true);
    const float height = b.y - a.y;
    const float first = a.x - height;
    const int lines = static_cast<int>(std::ceil((b.x - first) / step));
    for (int i = 0; i < lines; ++i) {
        const float x = first + static_cast<float>(i) * step;
        list_->AddLine({x, b.y}, {x + height, a.y}, colour, theme_.px(1));
    }
    list_->PopClipRect();
}

float Ink::error_sign(ImVec2 at, ImU32 colour) {
    const float size = theme_.font_px();
    const ImVec2 centre{at.x + size * 0.42f, at.y + size * 0.58f};
    list_->AddTriangleFilled({centre.x, centre.y - size * 0.48f},
                             {centre.x + size * 0.46f, centre.y + size * 0.38f},
                             {centre.x - size * 0.46f, centre.y + size * 0.38f}, colour);
    const float half = std::max(1.0f, size * 0.055f);
    list_->AddRectFilled({centre.x - half, centre.y - size * 0.2f},
                         {centre.x + half, centre.y + size * 0.1f}, theme_.panel);
    list_->AddRectFilled({centre.x - half, centre.y + size * 0.18f},
                         {centre.x + half, centre.y + size * 0.18f + 2 * half}, theme_.panel);
    if (capture_) capture_->text += "! ";
    return at.x + size * 1.15f;
}

void Ink::end_row() {
    if (capture_) capture_->text += '\n';
}
void Ink::end_cell() {
    if (capture_) capture_->text += " | ";
}

void empty_state(const Scene& scene, std::string_view headline, std::string_view detail) {
    const ImVec2 room = ImGui::GetContentRegionAvail();
    const float wrap = std::max(120.0f, std::min(room.x * 0.86f, scene.theme.px(520)));
    ImFont* font = scene.theme.prose;
    const float size = scene.theme.font_px();
    const ImVec2 head = font->CalcTextSizeA(size, FLT_MAX, wrap, headline.data(),
                                            headline.data() + headline.size());
    const ImVec2 body =
        font->CalcTextSizeA(size, FLT_MAX, wrap, detail.data(), detail.data() + detail.size());
    const float gap = size * 0.6f;
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float top = origin.y + std::max(size, (room.y - head.y - gap - body.y) * 0.4f);
    ImDrawList* list = ImGui::GetWindowDrawList();
    list->AddText(font, size, {origin.x + std::max(0.0f, (room.x - head.x) / 2), top},
                  scene.theme.text, headline.data(), headline.data() + headline.size(), wrap);
    list->AddText(font, size,
                  {origin.x + std::max(0.0f, (room.x - body.x) / 2), top + head.y + gap},
                  scene.theme.dim, detail.data(), detail.data() + detail.size(), wrap);
    if (scene.capture) {
        scene.capture->text += headline;
        scene.capture->text += '\n';
        scene.capture->text += detail;
        scene.capture->text += '\n';
    }
    ImGui::Dummy({1, std::min(room.y, top - origin.y + head.y + gap + body.y)});
}

bool switch_button(const Theme& theme, const char* label, bool on, std::string_view help) {
    if (on) ImGui::PushStyleColor(ImGuiCol_Button, ImGui::GetStyleColorVec4(ImGuiCol_Header));
    const bool pressed = ImGui::SmallButton(label);
    if (on) ImGui::PopStyleColor();
    if (!help.empty() && ImGui::IsItemHovered()) tool_tip(theme, help);
    ImGui::SameLine(0, 2);
    return pressed;
}

void tool_tip(const Theme& theme, std::string_view text) {
    ImGui::BeginTooltip();
    ImGui::PushTextWrapPos(theme.font_px() * 40);
    ImGui::TextUnformatted(text.data(), text.data() + text.size());
    ImGui::PopTextWrapPos();
    ImGui::EndTooltip();
}

ImU32 value_colour(const Theme& theme, std::uint8_t stops, ImU32 normal) {
    return stops == 0 ? theme.changed : stops == 1 ? theme.changed_old : normal;
}

void section(const Scene& scene, std::string_view title) {
    const Theme& theme = scene.theme;
    Ink ink(scene);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float x = ink.text({at.x, at.y + theme.px(2)}, theme.dim, title, Weight::Prose);
    ink.end_row();
    const float y = std::round(at.y + theme.px(2) + theme.font_px() * 0.6f);
    const float right = at.x + ImGui::GetContentRegionAvail().x;
    if (right > x + theme.px(12)) ink.line({x + theme.px(8), y}, {right, y}, theme.line);
    ImGui::Dummy({1, theme.row()});
}

}  // namespace e2k::ui
