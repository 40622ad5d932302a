// Tool bar and stop banner.
#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "ui/application.h"
#include "ui/chrome.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/scoped.h"
#include "ui/text.h"
#include "ui/text_engine.h"

namespace e2k::ui {

namespace {

using machine::RunState;

/// Icons are drawn as shapes: sharp at every size and independent of fonts.
struct Icon {
    ImDrawList& list;
    ImVec2 o;  ///< top left
    float s;   ///< size
    ImU32 c;
    float w;  ///< stroke

    ImVec2 at(float x, float y) const { return {o.x + x * s, o.y + y * s}; }
    void line(float x0, float y0, float x1, float y1) const {
        list.AddLine(at(x0, y0), at(x1, y1), c, w);
    }
    void arrow_head(float x, float y, float dx, float dy) const {
        const float k = 0.22f;
        list.AddTriangleFilled(at(x + dx * k, y + dy * k), at(x - dy * k * 0.9f, y + dx * k * 0.9f),
                               at(x + dy * k * 0.9f, y - dx * k * 0.9f), c);
    }
    void dot(float x, float y) const { list.AddCircleFilled(at(x, y), s * 0.1f, c); }
    void arc(float x, float y, float r, float from, float to) const {
        list.PathClear();
        list.PathArcTo(at(x, y), r * s, from, to, 20);
        list.PathStroke(c, 0, w);
    }
};

void draw_icon(Action action, bool running, const Icon& i) {
    constexpr float kPi = std::numbers::pi_v<float>;
    switch (action) {
        case Action::Open:
            i.list.AddRectFilled(i.at(0.06f, 0.24f), i.at(0.46f, 0.5f), i.c, i.s * 0.05f);
            i.list.AddRectFilled(i.at(0.06f, 0.34f), i.at(0.94f, 0.84f), i.c, i.s * 0.06f);
            break;
        case Action::RunPause:
            if (running) {
                i.list.AddRectFilled(i.at(0.2f, 0.14f), i.at(0.4f, 0.86f), i.c);
                i.list.AddRectFilled(i.at(0.6f, 0.14f), i.at(0.8f, 0.86f), i.c);
            } else {
                i.list.AddTriangleFilled(i.at(0.2f, 0.1f), i.at(0.9f, 0.5f), i.at(0.2f, 0.9f), i.c);
            }
            break;
        case Action::StepInto:
            i.line(0.5f, 0.06f, 0.5f, 0.45f);
            i.arrow_head(0.5f, 0.42f, 0, 1);
            i.dot(0.5f, 0.86f);
            break;
        case Action::StepOver:
            i.arc(0.5f, 0.6f, 0.38f, kPi, kPi * 1.88f);
            i.arrow_head(0.88f, 0.5f, 0.25f, 1);
            i.dot(0.5f, 0.86f);
            break;
        case Action::StepOut:
            i.line(0.5f, 0.28f, 0.5f, 0.68f);
            i.arrow_head(0.5f, 0.26f, 0, -1);
            i.dot(0.5f, 0.9f);
            break;
        case Action::Restart:
            i.arc(0.5f, 0.52f, 0.36f, -kPi * 0.32f, kPi * 1.35f);
            i.arrow_head(0.69f, 0.2f, -1, -0.45f);
            break;
        default:
            break;
    }
}

/// Button with icon and, if there is room, a label.
bool icon_button(const Theme& theme, Action action, const char* label, bool enabled, bool running,
                 ImU32 colour) {
    const float size = std::round(theme.font_px() * 1.05f);
    const ImVec2 text = label ? ImGui::CalcTextSize(label) : ImVec2{0, 0};
    const float pad = theme.px(8), gap = label ? theme.px(6) : 0;
    const ImVec2 extent{pad * 2 + size + gap + text.x, ImGui::GetFrameHeight() + theme.px(2)};
    ImGui::BeginDisabled(!enabled);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::PushID(static_cast<int>(action));
    const bool clicked = ImGui::InvisibleButton("icon", extent);
    ImGui::PopID();
    ImDrawList& list = *ImGui::GetWindowDrawList();
    if (enabled && ImGui::IsItemHovered())
        list.AddRectFilled(at, {at.x + extent.x, at.y + extent.y},
                           ImGui::GetColorU32(ImGui::IsItemActive() ? ImGuiCol_ButtonActive
                                                                    : ImGuiCol_ButtonHovered),
                           theme.px(4));
    const ImU32 ink = enabled ? colour : with_alpha(theme.dim, 0.5f);
    const Icon icon{list,
                    {at.x + pad, at.y + (extent.y - size) / 2},
                    size,
                    ink,
                    std::max(1.5f, theme.px(1.8f))};
    draw_icon(action, running, icon);
    if (label)
        list.AddText({at.x + pad + size + gap, at.y + (extent.y - text.y) / 2},
                     enabled ? theme.text : with_alpha(theme.dim, 0.6f), label);
    ImGui::EndDisabled();
    const ActionInfo& info = action_info(action);
    if (ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled))
        tool_tip(theme, fmt::format("{} ({})\n{}", tr(info.name), info.keys, tr(info.help)));
    ImGui::SameLine(0, theme.px(1));
    return clicked && enabled;
}

void separator(const Theme& theme) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float height = ImGui::GetFrameHeight();
    ImGui::GetWindowDrawList()->AddLine({at.x + theme.px(6), at.y + theme.px(3)},
                                        {at.x + theme.px(6), at.y + height}, theme.line);
    ImGui::Dummy({theme.px(12), height});
    ImGui::SameLine(0, 0);
}

}  // namespace

double speed_of(double position) {
    if (position >= 0.995) return 0;
    return std::pow(10.0, std::max(0.0, position) * 8);  // 1 a second … 100 million a second
}

void Application::draw_tool_bar(const Scene& scene) {
    const Theme& theme = scene.theme;
    const bool running = scene.running();
    const bool labels = ImGui::GetIO().DisplaySize.x > theme.px(1180);
    const auto button = [&](Action action, const char* label, ImU32 colour) {
        if (icon_button(theme, action, labels ? label : nullptr, can(action), running, colour))
            perform(action);
    };
    button(Action::Open, tr("Open"), theme.address);
    separator(theme);
    button(Action::RunPause, running ? tr("Pause") : tr("Run"),
           running ? theme.current : theme.good);
    button(Action::StepInto, tr("Into"), theme.text);
    button(Action::StepOver, tr("Over"), theme.text);
    button(Action::StepOut, tr("Out"), theme.text);
    button(Action::Restart, tr("Restart"), theme.text);
    separator(theme);

    const auto caption = [&](const char* text) {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const ImVec2 size = ImGui::CalcTextSize(text);
        ImGui::GetWindowDrawList()->AddText({at.x, at.y + (ImGui::GetFrameHeight() - size.y) / 2},
                                            theme.dim, text);
        ImGui::Dummy({size.x, 1});
        ImGui::SameLine(0, theme.px(6));
    };
    caption(tr("tier"));
    ImGui::SetNextItemWidth(theme.px(118));
    const bool interp = scene.now.tier == machine::Tier::Interpreter;
    if (const auto combo = scoped::combo("##tier", interp ? tr("Interpreter") : tr("Translator"))) {
        if (ImGui::Selectable(tr("Interpreter"), interp))
            source_.send(machine::SetTier{machine::Tier::Interpreter});
        if (ImGui::IsItemHovered()) tool_tip(theme, tr("Exact and readable; one bundle at a time"));
        if (ImGui::Selectable(tr("Translator"), !interp))
            source_.send(machine::SetTier{machine::Tier::Translator});
        if (ImGui::IsItemHovered()) tool_tip(theme, tr("Regions of bundles as x86-64 code"));
    }
    draw_thread_chooser(scene);
    ImGui::SameLine(0, theme.px(14));
    caption(tr("speed"));
    ImGui::SetNextItemWidth(theme.px(170));
    auto position = static_cast<float>(speed_);
    const double speed = speed_of(speed_);
    const std::string label = speed == 0 ? tr("unlimited") : trf("{} bundles/s", si(speed));
    if (ImGui::SliderFloat("##speed", &position, 0, 1, label.c_str(), ImGuiSliderFlags_NoInput)) {
        speed_ = position;
        source_.send(machine::SetSpeed{speed_of(position)});
    }
    if (ImGui::IsItemHovered())
        tool_tip(theme, tr("How fast the program may run; right end: as fast as it can"));
}

/// Which thread the panels show; there is a choice while the program is paused.
void Application::draw_thread_chooser(const Scene& scene) {
    const auto& now = scene.now;
    if (now.threads < 2) return;
    const Theme& theme = scene.theme;
    ImGui::SameLine(0, theme.px(14));
    ImGui::SetNextItemWidth(theme.px(150));
    const auto disabled = scoped::disabled(scene.running());
    const std::string shown = trf("thread {} of {}", now.thread, now.threads);
    if (const auto combo = scoped::combo("##thread", shown.c_str())) {
        for (const machine::ThreadView& thread : now.thread_list) {
            const std::string line = fmt::format(
                "{}  {}{}", thread.tid, place(scene.symbols(), thread.ip),
                thread.in_system_call ? std::string("  ") + tr("in a system call") : "");
            if (ImGui::Selectable(line.c_str(), thread.tid == now.thread))
                source_.send(machine::ShowThread{thread.tid});
        }
    }
    if (ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled))
        tool_tip(theme, tr("The thread that panels show and that is stepped"));
}

void Application::draw_banner(const Scene& scene) {
    const auto& now = scene.now;
    if (now.banner.empty() || scene.running() || dismissed_banner_ == now.counters.bundles + 1)
        return;
    const Theme& theme = scene.theme;
    const bool good = now.run_state == RunState::Paused ||
                      (now.run_state == RunState::Exited && now.exit.value == 0);
    const ImU32 colour =
        good ? (now.run_state == RunState::Paused ? theme.current : theme.good) : theme.error;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x;
    const float height = ImGui::GetFrameHeight() + theme.px(6);
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(at, {at.x + width, at.y + height}, mix(theme.panel, colour, 0.16f),
                       theme.px(3));
    list.AddRectFilled(at, {at.x + theme.px(4), at.y + height}, colour, theme.px(2));
    Ink ink(scene);
    float x = at.x + theme.px(14);
    const float y = at.y + (height - theme.font_px() * 1.2f) / 2;
    if (!good) x = ink.error_sign({x, y}, colour);

    const bool has_place = now.ip != 0 && now.run_state != RunState::Exited;
    const float button_width = theme.px(78);
    const int buttons = 2 + (has_place ? 1 : 0);
    const float buttons_left =
        at.x + width - static_cast<float>(buttons) * (button_width + theme.px(6));
    const std::string banner = engine_text(now.banner);
    const bool cut =
        ink.text_fit({x, y}, buttons_left - x - theme.px(10), theme.text, banner, Weight::Prose);
    if (cut && ImGui::IsMouseHoveringRect(at, {buttons_left, at.y + height}))
        tool_tip(theme, banner);

    ImGui::SetCursorScreenPos({buttons_left, at.y + theme.px(3)});
    if (has_place) {
        if (ImGui::Button(tr("Show"), {button_width, 0})) selection_.go_to = now.ip;
        if (ImGui::IsItemHovered()) tool_tip(theme, tr("Show the bundle where it stopped"));
        ImGui::SameLine(0, theme.px(6));
    }
    if (ImGui::Button(tr("Restart"), {button_width, 0})) perform(Action::Restart);
    ImGui::SameLine(0, theme.px(6));
    if (ImGui::Button(tr("Dismiss"), {button_width, 0}))
        dismissed_banner_ = now.counters.bundles + 1;
    ImGui::SetCursorScreenPos({at.x, at.y + height + theme.px(4)});
    ImGui::Dummy({1, 0});
}

}  // namespace e2k::ui
