#include "ui/theme.h"

#include <cmath>
#include <filesystem>
#include <initializer_list>

#include <imgui_freetype.h>

namespace e2k::ui {

namespace {

constexpr ImU32 rgb(std::uint32_t value, unsigned alpha = 255) {
    return IM_COL32((value >> 16) & 255, (value >> 8) & 255, value & 255, alpha);
}

std::string find_font(const char* file) {
    static constexpr const char* kFolders[] = {
        "/usr/share/fonts/truetype/dejavu/", "/usr/share/fonts/TTF/", "/usr/share/fonts/dejavu/",
        "/usr/share/fonts/dejavu-sans-mono-fonts/", "/usr/share/fonts/dejavu-sans-fonts/"};
    for (const char* folder : kFolders) {
        std::error_code ignored;
        std::string path = std::string(folder) + file;
        if (std::filesystem::is_regular_file(path, ignored)) return path;
    }
    return {};
}

}  // namespace

float Theme::row() const { return std::round(font_px() * 1.35f); }
float Theme::cell() const { return mono ? mono->GetCharAdvance('0') : font_px() * 0.6f; }

ImU32 mix(ImU32 a, ImU32 b, float t) {
    const ImVec4 x = ImGui::ColorConvertU32ToFloat4(a), y = ImGui::ColorConvertU32ToFloat4(b);
    return ImGui::ColorConvertFloat4ToU32({x.x + (y.x - x.x) * t, x.y + (y.y - x.y) * t,
                                           x.z + (y.z - x.z) * t, x.w + (y.w - x.w) * t});
}

ImU32 with_alpha(ImU32 colour, float alpha) {
    return (colour & ~IM_COL32_A_MASK) |
           (static_cast<ImU32>(std::lround(alpha * 255)) << IM_COL32_A_SHIFT);
}

void set_colours(Theme& t, bool dark) {
    t.dark = dark;
    if (dark) {
        t.background = rgb(0x111417);
        t.panel = rgb(0x171a1f);
        t.stripe = rgb(0x1b1f25);
        t.header = rgb(0x20252c);
        t.line = rgb(0x2f353d);
        t.text = rgb(0xd7dbe0);
        t.dim = rgb(0x8b949e);
        t.selection = rgb(0x58a6ff);
        t.current = rgb(0xffb020);
        t.changed = rgb(0xffc24d);
        t.changed_old = rgb(0xd9bd85);
        t.error = rgb(0xff6b6b);
        t.warning = rgb(0xf0b84a);
        t.good = rgb(0x5fc98a);
        t.breakpoint = rgb(0xf0524f);
        t.literal = rgb(0x9fd0a8);
        t.address = rgb(0x9db7d5);
        t.predicate_text = rgb(0x6fc7c0);
        t.lane = {rgb(0x56b4e9), rgb(0x12b886), rgb(0xf0e442),
                  rgb(0xe69f00), rgb(0xd98cb8), rgb(0x4b8fe0)};
        t.control = rgb(0x9d93c4);
        t.predicate = rgb(0x3fb8af);
        t.aau = rgb(0xb07a4f);
    } else {
        t.background = rgb(0xe9ebee);
        t.panel = rgb(0xfbfbfa);
        t.stripe = rgb(0xf3f4f5);
        t.header = rgb(0xe3e6ea);
        t.line = rgb(0xc9ced5);
        t.text = rgb(0x1d2329);
        t.dim = rgb(0x5a636e);
        t.selection = rgb(0x0b63ce);
        t.current = rgb(0xe08a00);
        t.changed = rgb(0x9a4a00);
        t.changed_old = rgb(0x6f5333);
        t.error = rgb(0xb42318);
        t.warning = rgb(0x8a5a00);
        t.good = rgb(0x18794e);
        t.breakpoint = rgb(0xd92d20);
        t.literal = rgb(0x1f6b34);
        t.address = rgb(0x2f5583);
        t.predicate_text = rgb(0x0f6e68);
        t.lane = {rgb(0x2f97d0), rgb(0x009e73), rgb(0xc9b900),
                  rgb(0xd98e00), rgb(0xc0679a), rgb(0x0060a0)};
        t.control = rgb(0x6f649e);
        t.predicate = rgb(0x118a82);
        t.aau = rgb(0x8a5a33);
    }
    t.hover = with_alpha(t.selection, dark ? 0.13f : 0.10f);
    // Order of translate::Reason: semantics, predicate, window address, bound check, helper,
    // control transfer, counter, exit, spill, tag, profile.
    t.reason = {t.lane[1], t.predicate, t.lane[0], t.lane[3], t.error, t.control,
                t.dim,     t.aau,       t.lane[4], t.warning, t.line};
}

void apply_style(const Theme& t) {
    ImGuiStyle& style = ImGui::GetStyle();
    style = ImGuiStyle();
    style.WindowPadding = {6, 6};
    style.FramePadding = {7, 3};
    style.ItemSpacing = {7, 4};
    style.ItemInnerSpacing = {5, 4};
    style.CellPadding = {5, 2};
    style.ScrollbarSize = 12;
    style.FrameRounding = 3;
    style.TabRounding = 3;
    style.PopupRounding = 4;
    style.ScrollbarRounding = 6;
    style.GrabRounding = 3;
    style.WindowBorderSize = 0;
    style.ChildBorderSize = 0;
    style.PopupBorderSize = 1;
    style.FrameBorderSize = 0;
    style.ScaleAllSizes(t.scale);

    const auto set = [&](ImGuiCol which, ImU32 colour) {
        style.Colors[which] = ImGui::ColorConvertU32ToFloat4(colour);
    };
    t.dark ? ImGui::StyleColorsDark(&style) : ImGui::StyleColorsLight(&style);
    set(ImGuiCol_Text, t.text);
    set(ImGuiCol_TextDisabled, t.dim);
    set(ImGuiCol_WindowBg, t.background);
    set(ImGuiCol_ChildBg, t.panel);
    set(ImGuiCol_PopupBg, t.dark ? t.header : t.panel);
    set(ImGuiCol_Border, t.line);
    set(ImGuiCol_FrameBg, t.dark ? mix(t.header, t.line, 0.3f) : mix(t.header, t.line, 0.55f));
    set(ImGuiCol_FrameBgHovered, mix(t.header, t.selection, 0.25f));
    set(ImGuiCol_FrameBgActive, mix(t.header, t.selection, 0.35f));
    set(ImGuiCol_MenuBarBg, t.header);
    set(ImGuiCol_Button, mix(t.header, t.line, 0.5f));
    set(ImGuiCol_ButtonHovered, mix(t.header, t.selection, 0.35f));
    set(ImGuiCol_ButtonActive, mix(t.header, t.selection, 0.55f));
    set(ImGuiCol_Header, with_alpha(t.selection, 0.22f));
    set(ImGuiCol_HeaderHovered, with_alpha(t.selection, 0.16f));
    set(ImGuiCol_HeaderActive, with_alpha(t.selection, 0.30f));
    set(ImGuiCol_Tab, t.header);
    set(ImGuiCol_TabHovered, mix(t.panel, t.selection, 0.25f));
    set(ImGuiCol_TabActive, t.panel);
    set(ImGuiCol_TabUnfocused, t.header);
    set(ImGuiCol_TabUnfocusedActive, t.panel);
    set(ImGuiCol_TableHeaderBg, t.header);
    set(ImGuiCol_TableBorderStrong, t.line);
    set(ImGuiCol_TableBorderLight, with_alpha(t.line, 0.6f));
    set(ImGuiCol_TableRowBgAlt, t.stripe);
    set(ImGuiCol_ScrollbarBg, with_alpha(t.panel, 0));
    set(ImGuiCol_ScrollbarGrab, mix(t.line, t.dim, 0.25f));
    set(ImGuiCol_ScrollbarGrabHovered, mix(t.line, t.dim, 0.5f));
    set(ImGuiCol_ScrollbarGrabActive, t.dim);
    set(ImGuiCol_CheckMark, t.selection);
    set(ImGuiCol_SliderGrab, mix(t.selection, t.dim, 0.4f));
    set(ImGuiCol_SliderGrabActive, t.selection);
    set(ImGuiCol_Separator, t.line);
    set(ImGuiCol_SeparatorHovered, t.selection);
    set(ImGuiCol_TextSelectedBg, with_alpha(t.selection, 0.35f));
    set(ImGuiCol_NavHighlight, t.selection);
}

void load_fonts(Theme& t) {
    ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
    atlas.Clear();
    atlas.FontBuilderIO = ImGuiFreeType::GetBuilderForFreeType();
    atlas.FontBuilderFlags = ImGuiFreeTypeBuilderFlags_LightHinting;
    // Latin, Cyrillic, general punctuation, arrows, mathematics, box drawing, geometric shapes,
    // check marks: what panels and guests' output use.
    static constexpr ImWchar kRanges[] = {0x20,   0x17f,  0x370,  0x3ff,  0x400,  0x52f,  0x2009,
                                          0x2009, 0x2010, 0x205e, 0x20a0, 0x20bf, 0x2190, 0x21ff,
                                          0x2200, 0x22ff, 0x2300, 0x23ff, 0x2500, 0x25ff, 0x2713,
                                          0x2718, 0xfffd, 0xfffd, 0};
    const std::string mono = find_font("DejaVuSansMono.ttf");
    const std::string bold = find_font("DejaVuSansMono-Bold.ttf");
    const std::string prose = find_font("DejaVuSans.ttf");
    const float size = std::round(t.font_px());
    t.system_fonts = !mono.empty() && !prose.empty();
    if (t.system_fonts) {
        t.prose = atlas.AddFontFromFileTTF(prose.c_str(), size, nullptr, kRanges);
        t.mono = atlas.AddFontFromFileTTF(mono.c_str(), size, nullptr, kRanges);
        t.mono_bold =
            bold.empty() ? t.mono : atlas.AddFontFromFileTTF(bold.c_str(), size, nullptr, kRanges);
    }
    if (!t.system_fonts || !t.prose || !t.mono || !atlas.Build()) {
        atlas.Clear();
        ImFontConfig config;
        config.SizePixels = size;
        t.system_fonts = false;
        t.prose = t.mono = t.mono_bold = atlas.AddFontDefault(&config);
        atlas.Build();
    }
    ImGui::GetIO().FontDefault = t.prose;
}

}  // namespace e2k::ui
