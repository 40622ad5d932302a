#include "ui/chrome.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "ui/format.h"
#include "ui/ink.h"

namespace e2k::ui {

using machine::RunState;

std::string state_text(const Scene& scene) {
    const auto& now = scene.now;
    switch (now.run_state) {
        case RunState::NoProgram:
            return "no program";
        case RunState::Paused:
            return "paused at " +
                   (now.location.empty() ? place(scene.symbols(), now.ip) : now.location);
        case RunState::Running:
            return "running";
        case RunState::Exited:
            return fmt::format("exited with code {}", now.exit.value);
        case RunState::Signaled:
            return fmt::format("killed by signal {}", now.exit.value);
        case RunState::Failed:
            return "stopped at " + (now.location.empty() ? hex(now.ip) : now.location);
    }
    return {};
}

void Chrome::status_line(Application& app, const Scene& scene) {
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
        items.push_back("bundle " + decimal_grouped(counters.bundles));
        items.push_back("ops " + decimal_grouped(counters.operations));
        if (counters.bundles)
            items.push_back(fmt::format(
                "{:.2f} ops/bundle",
                static_cast<double>(counters.operations) / static_cast<double>(counters.bundles)));
        if (!scene.still && counters.bundles_per_second > 0)
            items.push_back(si(counters.bundles_per_second) + " bundles/s");
        items.push_back(fmt::format("v{}", now.iset));
        if (now.translation.regions)
            items.push_back(fmt::format("{} regions, {}", decimal_grouped(now.translation.regions),
                                        byte_size(now.translation.host_bytes)));
        if (scene.running() && now.in_system_call) items.push_back("waits in a system call");
        if (now.threads > 1) items.push_back(fmt::format("{} threads", now.threads));
    }
    std::string clock;
    if (!scene.still) clock = fmt::format("{:.1f} ms/frame", app.clock_.milliseconds);
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

void Chrome::notices(Application& app, const Scene& scene) {
    const Theme& theme = scene.theme;
    const auto& list = app.logs_.notices();
    if (list.empty()) return;
    const ImVec2 display = ImGui::GetIO().DisplaySize;
    const float width = std::min(display.x * 0.5f, theme.px(440));
    float bottom = display.y - theme.row() - theme.px(20);
    constexpr std::size_t kShown = 3;
    std::optional<std::size_t> gone, allowed;
    for (std::size_t n = 0; n < std::min(kShown, list.size()); ++n) {
        const std::size_t i = list.size() - 1 - n;
        const machine::Notice& notice = list[i];
        const ImVec2 text =
            ImGui::CalcTextSize(notice.text.c_str(), nullptr, false, width - theme.px(44));
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
        ImGui::TextUnformatted(notice.text.c_str());
        ImGui::PopTextWrapPos();
        ImGui::SetCursorPosX(theme.px(30));
        if (ImGui::SmallButton("Copy")) ImGui::SetClipboardText(notice.text.c_str());
        ImGui::SameLine();
        if (ImGui::SmallButton("Close")) gone = i;
        if (!notice.refused_in.empty()) {
            ImGui::SameLine();
            if (ImGui::SmallButton("Allow this directory")) allowed = i;
            if (ImGui::IsItemHovered())
                tool_tip(theme, "Programs may write below " + notice.refused_in +
                                    " until the window closes.\nThe program starts again");
        }
        if (list.size() > kShown && n + 1 == kShown) {
            ImGui::SameLine();
            ImGui::TextDisabled("and %zu more", list.size() - kShown);
        }
        ImGui::End();
        bottom -= height + theme.px(8);
    }
    const std::string directory = allowed ? list[*allowed].refused_in : std::string();
    if (gone || allowed) app.logs_.dismiss_notice(gone ? *gone : *allowed);
    if (allowed) app.allow(directory);
}

namespace {

/// A card of the start page: title, path, one line of text.
bool card(const Scene& scene, const char* id, const std::string& title, const std::string& detail,
          ImVec2 size) {
    const Theme& theme = scene.theme;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const bool clicked = ImGui::InvisibleButton(id, size);
    Ink ink(scene);
    const bool hovered = ImGui::IsItemHovered();
    ink.fill(at, {at.x + size.x, at.y + size.y},
             hovered ? mix(theme.header, theme.selection, 0.14f) : theme.panel, theme.px(5));
    ink.frame(at, {at.x + size.x, at.y + size.y}, hovered ? theme.selection : theme.line,
              theme.px(5));
    const float pad = theme.px(12);
    ink.text_fit({at.x + pad, at.y + pad}, size.x - 2 * pad, theme.text, title, Weight::Bold);
    ink.text_fit({at.x + pad, at.y + pad + theme.row()}, size.x - 2 * pad, theme.dim, detail,
                 Weight::Prose);
    if (hovered) tool_tip(theme, detail);
    return clicked;
}

}  // namespace

void Chrome::start_page(Application& app, const Scene& scene) {
    namespace fs = std::filesystem;
    const Theme& theme = scene.theme;
    const ImVec2 room = ImGui::GetContentRegionAvail();
    const float width = std::min(room.x - theme.px(40), theme.px(760));
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float left = origin.x + (room.x - width) / 2;
    float y = origin.y + std::max(theme.px(20), room.y * 0.14f);
    Ink ink(scene);
    const auto heading = [&](const char* text) {
        ink.text({left, y}, theme.text, text, Weight::Bold);
        y += theme.row() * 1.3f;
    };
    ink.text({left, y}, theme.text, "E2K Workbench", Weight::Bold);
    y += theme.row();
    ink.text_fit({left, y}, width, theme.dim,
                 "Runs Linux programs compiled for the Elbrus 2000 and shows every bundle at work.",
                 Weight::Prose);
    y += theme.row() * 2;
    const float gap = theme.px(12);
    const ImVec2 size{(width - 2 * gap) / 3, theme.row() * 2 + theme.px(26)};
    std::optional<std::string> chosen;
    const auto cards = [&](const std::vector<std::string>& paths) {
        for (std::size_t i = 0; i < paths.size(); ++i) {
            const auto column = static_cast<float>(i % 3);
            ImGui::SetCursorScreenPos({left + column * (size.x + gap), y});
            if (card(scene, paths[i].c_str(), fs::path(paths[i]).filename().string(), paths[i],
                     size))
                chosen = paths[i];
            if (i % 3 == 2 || i + 1 == paths.size()) y += size.y + gap;
        }
        y += theme.px(10);
    };
    if (!app.options_.demos.empty()) {
        heading("Demonstrations");
        ImGui::PushID("demo");
        cards(app.options_.demos);
        ImGui::PopID();
    }
    if (!app.settings_.recent.empty() && !scene.still) {
        heading("Opened before");
        ImGui::PushID("recent");
        cards(app.settings_.recent);
        ImGui::PopID();
    }
    ImGui::SetCursorScreenPos({left, y});
    if (ImGui::Button("Open a program…", {theme.px(170), 0})) app.perform(Action::Open);
    ImGui::SameLine();
    ImGui::TextDisabled("Ctrl+O");
    if (chosen) app.open(*chosen, {});
}

}  // namespace e2k::ui
