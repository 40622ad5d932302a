#include "ui/chrome.h"

#include <algorithm>

#include <fmt/format.h>

#include "ui/application.h"
#include "ui/format.h"
#include "ui/ink.h"
#include "ui/text.h"
#include "ui/text_engine.h"

namespace e2k::ui {

using machine::RunState;

std::string state_text(const Scene& scene) {
    const auto& now = scene.now;
    switch (now.run_state) {
        case RunState::NoProgram:
            return tr("no program");
        case RunState::Paused:
            return trf("paused at {}",
                       now.location.empty() ? place(scene.symbols(), now.ip) : now.location);
        case RunState::Running:
            if (now.in_system_call)
                return now.reads_input ? trf("waits in {}: type below", now.call)
                                       : trf("waits in {}", now.call);
            return tr("running");
        case RunState::Exited:
            return trf("exited with code {}", now.exit.value);
        case RunState::Signaled:
            return trf("killed by signal {}", now.exit.value);
        case RunState::Failed:
            return trf("stopped at {}", now.location.empty() ? hex(now.ip) : now.location);
    }
    return {};
}

void Application::draw_status_line(const Scene& scene) {
    const Theme& theme = scene.theme;
    const auto& now = scene.now;
    Ink ink(scene);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x;
    const float height = theme.row() + theme.px(4);
    ink.fill({at.x - theme.px(6), at.y}, {at.x + width + theme.px(6), at.y + height + theme.px(2)},
             theme.header);
    const float y = at.y + (height - theme.font_px() * 1.2f) / 2;
    const ImU32 colour = now.run_state == RunState::Paused    ? theme.current
                         : now.run_state == RunState::Running ? theme.good
                         : now.run_state == RunState::Exited
                             ? (now.exit.value == 0 ? theme.good : theme.error)
                         : now.run_state == RunState::NoProgram ? theme.dim
                                                                : theme.error;
    const float radius = theme.font_px() * 0.32f;
    ink.dot({at.x + theme.px(4) + radius, at.y + height / 2}, radius, colour);
    float x = at.x + theme.px(10) + radius * 2;
    x = ink.text({x, y}, theme.text, state_text(scene), Weight::Prose) + theme.px(16);

    std::vector<std::string> items;
    const auto& counters = now.counters;
    if (scene.has_program()) {
        items.push_back(trf("bundle {}", decimal_grouped(counters.bundles)));
        items.push_back(trf("ops {}", decimal_grouped(counters.operations)));
        if (counters.bundles)
            items.push_back(trf("{:.2f} ops/bundle", static_cast<double>(counters.operations) /
                                                         static_cast<double>(counters.bundles)));
        if (!scene.still && counters.bundles_per_second > 0)
            items.push_back(trf("{} bundles/s", si(counters.bundles_per_second)));
        items.push_back(fmt::format("v{}", now.iset));
        if (now.translation.regions)
            items.push_back(trf("{} regions, {}", decimal_grouped(now.translation.regions),
                                byte_size(now.translation.host_bytes)));
    }
    std::string clock;
    if (!scene.still) clock = trf("{:.1f} ms/frame", clock_.milliseconds);
    const float clock_width = ink.width(clock, Weight::Prose);
    const float right = at.x + width - clock_width - theme.px(16);
    for (const std::string& item : items) {
        const float w = ink.width(item, Weight::Prose);
        if (x + w + theme.px(12) > right) break;
        ink.line({x - theme.px(8), at.y + theme.px(5)},
                 {x - theme.px(8), at.y + height - theme.px(5)}, theme.line);
        x = ink.text({x, y}, theme.dim, item, Weight::Prose) + theme.px(16);
    }
    if (!clock.empty())
        ink.text({at.x + width - clock_width - theme.px(4), y}, with_alpha(theme.dim, 0.8f), clock,
                 Weight::Prose);
    ImGui::Dummy({width, height});
}

void Application::draw_notices(const Scene& scene) {
    const Theme& theme = scene.theme;
    const auto& list = logs_.notices();
    if (list.empty()) return;
    const ImVec2 display = ImGui::GetIO().DisplaySize;
    const float width = std::min(display.x * 0.5f, theme.px(440));
    float bottom = display.y - theme.row() - theme.px(20);
    constexpr std::size_t kShown = 3;
    std::optional<std::size_t> gone, allowed;
    for (std::size_t n = 0; n < std::min(kShown, list.size()); ++n) {
        const std::size_t i = list.size() - 1 - n;
        const machine::Notice& notice = list[i];
        const std::string words = engine_text(notice.text);
        const ImVec2 text =
            ImGui::CalcTextSize(words.c_str(), nullptr, false, width - theme.px(44));
        const float height = text.y + ImGui::GetFrameHeight() + theme.px(24);
        ImGui::SetNextWindowPos({display.x - width - theme.px(14), bottom - height});
        ImGui::SetNextWindowSize({width, height});
        ImGui::PushStyleColor(ImGuiCol_WindowBg, ImGui::ColorConvertU32ToFloat4(theme.header));
        ImGui::PushStyleColor(ImGuiCol_Border, ImGui::ColorConvertU32ToFloat4(
                                                   notice.error ? theme.error : theme.selection));
        ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 1);
        ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, theme.px(5));
        ImGui::Begin(fmt::format("##notice{}", i).c_str(), nullptr,
                     ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                         ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoFocusOnAppearing |
                         ImGuiWindowFlags_NoNav);
        ImGui::PopStyleVar(2);
        ImGui::PopStyleColor(2);
        Ink ink(scene);
        if (notice.error) ink.error_sign(ImGui::GetCursorScreenPos(), theme.error);
        ImGui::SetCursorPosX(theme.px(30));
        ImGui::PushTextWrapPos(width - theme.px(12));
        ImGui::TextUnformatted(words.c_str());
        ImGui::PopTextWrapPos();
        ImGui::SetCursorPosX(theme.px(30));
        if (ImGui::SmallButton(tr("Copy"))) ImGui::SetClipboardText(words.c_str());
        ImGui::SameLine();
        if (ImGui::SmallButton(tr("Close"))) gone = i;
        if (!notice.refused_in.empty()) {
            ImGui::SameLine();
            if (ImGui::SmallButton(tr("Allow this directory"))) allowed = i;
            if (ImGui::IsItemHovered())
                tool_tip(theme, trf("Programs may write below {} until the window closes.\nThe "
                                    "program starts again",
                                    notice.refused_in));
        }
        if (list.size() > kShown && n + 1 == kShown) {
            ImGui::SameLine();
            ImGui::TextDisabled("%s", trf("and {} more", list.size() - kShown).c_str());
        }
        ImGui::End();
        bottom -= height + theme.px(8);
    }
    const std::string directory = allowed ? list[*allowed].refused_in : std::string();
    if (gone || allowed) logs_.dismiss_notice(gone ? *gone : *allowed);
    if (allowed) allow(directory);
}

}  // namespace e2k::ui
