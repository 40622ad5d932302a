#include "ui/start_page.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "engine/isa/assembler/program.h"
#include "engine/isa/bundle.h"
#include "ui/application.h"
#include "ui/bundle_cells.h"
#include "ui/ink.h"
#include "ui/scoped.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

constexpr std::size_t kPictureBundles = 26;

std::string title_of_file(const std::string& path) {
    std::string title = std::filesystem::path(path).stem().string();
    std::ranges::replace(title, '_', ' ');
    if (!title.empty())
        title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
    return title;
}

/// The comment that a source begins with, up to the end of its first sentence.
std::string first_sentence(const std::string& path) {
    std::ifstream file(path);
    std::string out;
    for (std::string line;
         out.size() < 300 && std::getline(file, line) && line.starts_with("! ");) {
        if (!out.empty()) out += ' ';
        out += line.substr(2);
        for (std::size_t at = out.find('.'); at != std::string::npos; at = out.find('.', at + 1))
            if (at + 1 == out.size() || out[at + 1] == ' ') return out.substr(0, at + 1);
    }
    return out;
}

std::uint16_t units_of(const isa::Bundle& bundle) {
    auto units = static_cast<unsigned>(bundle.als_mask);
    if (bundle.cs0.present || bundle.cs1.present || bundle.ss.ctop) units |= 1u << 6;
    if (bundle.plu.count) units |= 1u << 7;
    for (const isa::MovaOp& mova : bundle.mova)
        if (mova.present) units |= 1u << 8;
    return static_cast<std::uint16_t>(units);
}

ImU32 unit_colour(const Theme& theme, std::size_t unit) {
    if (unit < theme.lane.size()) return theme.lane[unit];
    return unit == 6 ? theme.control : unit == 7 ? theme.predicate : theme.aau;
}

/// The bundles of a program as columns, a mark for each unit that works.
void draw_picture(const Theme& theme, Ink& ink, const DemoCard& card, ImVec2 a, ImVec2 b) {
    ink.fill(a, b, theme.header, theme.px(3));
    const float step = (b.x - a.x - theme.px(6)) / static_cast<float>(kPictureBundles);
    const float row = (b.y - a.y - theme.px(6)) / static_cast<float>(kUnits);
    for (std::size_t i = 0; i < std::min(kPictureBundles, card.units.size()); ++i)
        for (std::size_t unit = 0; unit < kUnits; ++unit) {
            if (!(card.units[i] >> unit & 1)) continue;
            const float x = a.x + theme.px(3) + static_cast<float>(i) * step;
            const float y = a.y + theme.px(3) + static_cast<float>(unit) * row;
            ink.fill({x, y}, {x + step * 0.72f, y + row * 0.72f}, unit_colour(theme, unit));
        }
}

bool draw_card(const Scene& scene, const DemoCard& card, ImVec2 size) {
    const Theme& theme = scene.theme;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const bool clicked = ImGui::InvisibleButton(card.path.c_str(), size);
    Ink ink(scene);
    const bool hovered = ImGui::IsItemHovered();
    ink.fill(at, {at.x + size.x, at.y + size.y},
             hovered ? mix(theme.header, theme.selection, 0.14f) : theme.panel, theme.px(5));
    ink.frame(at, {at.x + size.x, at.y + size.y}, hovered ? theme.selection : theme.line,
              theme.px(5));
    const float pad = theme.px(10);
    const float picture = std::round(size.x * 0.3f);
    draw_picture(theme, ink, card, {at.x + pad, at.y + pad},
                 {at.x + pad + picture, at.y + size.y - pad});
    const float left = at.x + 2 * pad + picture, room = size.x - 3 * pad - picture;
    ink.text_fit({left, at.y + pad * 0.7f}, room, theme.text, card.title, Weight::Bold);
    ink.end_cell();
    if (scene.capture) scene.capture->text += card.line + "\n";
    const auto clip = scoped::clip(
        {left, at.y}, {left + room, at.y + pad * 0.7f + theme.row() + theme.font_px() * 3}, true);
    const char* const line = tr(card.line.c_str());
    ink.list().AddText(theme.prose, theme.font_px(), {left, at.y + pad * 0.7f + theme.row()},
                       theme.dim, line, nullptr, room);
    if (hovered) tool_tip(theme, fmt::format("{}\n{}", line, card.path));
    return clicked;
}

}  // namespace

DemoCard demo_card(const std::string& path) {
    DemoCard card;
    card.path = path;
    card.title = title_of_file(path);
    card.line = first_sentence(path);
    isa::ProgramSourceOptions options;
    options.keep_lines = true;
    const auto program = isa::assemble_file(path, options);
    if (!program) return card;
    auto lines = program->lines;
    std::ranges::stable_sort(lines, {}, &isa::AssembledLine::address);
    for (const isa::AssembledLine& line : lines) {
        if (line.address < program->entry || card.units.size() >= kPictureBundles) continue;
        const auto bundle = isa::decode(line.bytes, line.address, program->iset);
        if (bundle && bundle->length == line.bytes.size()) card.units.push_back(units_of(*bundle));
    }
    return card;
}

std::optional<std::string> StartPage::draw(const Scene& scene,
                                           const std::vector<std::string>& demos,
                                           const std::vector<std::string>& recent, bool& asked_open,
                                           LessonState& lessons) {
    const Theme& theme = scene.theme;
    if (cards_.size() != demos.size()) {
        cards_.clear();
        for (const std::string& path : demos) cards_.push_back(demo_card(path));
    }
    const auto page = scoped::child("start", {0, 0}, ImGuiWindowFlags_NoBackground);
    const float room = ImGui::GetContentRegionAvail().x;
    const float width = std::min(room - theme.px(24), theme.px(1120));
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float left = std::round(origin.x + (room - width) / 2);
    float y = origin.y + theme.px(14);
    Ink ink(scene);
    ink.text({left, y}, theme.text, "E2K Workbench", Weight::Bold);
    ink.end_row();
    const float button = theme.px(170);
    ImGui::SetCursorScreenPos({left + width - button, y});
    if (ImGui::Button(tr("Open a program…"), {button, 0})) asked_open = true;
    if (ImGui::IsItemHovered()) tool_tip(theme, action_info(Action::Open).keys);
    y += theme.row() * 1.1f;
    const auto prose = [&](const char* text) {
        ink.text_fit({left, y}, width - button - theme.px(10), theme.dim, text, Weight::Prose);
        ink.end_row();
        y += theme.row();
    };
    prose(tr("Runs Linux programs compiled for the Elbrus 2000 and shows every bundle at work."));
    prose(tr("Choose a program; F11 then executes one bundle, F5 runs, Ctrl+P finds everything."));
    y += theme.px(10);
    const int across = std::max(1, static_cast<int>(width / theme.px(320)));
    const float gap = theme.px(10);
    const ImVec2 size{(width - gap * static_cast<float>(across - 1)) / static_cast<float>(across),
                      theme.row() + theme.font_px() * 3 + theme.px(20)};
    std::optional<std::string> chosen;
    const auto list = [&](const char* heading, const std::vector<DemoCard>& cards) {
        if (cards.empty()) return;
        ink.text({left, y}, theme.text, heading, Weight::Bold);
        ink.end_row();
        y += theme.row() * 1.25f;
        const auto id = scoped::id(heading);
        for (std::size_t i = 0; i < cards.size(); ++i) {
            const auto column = static_cast<int>(i) % across;
            ImGui::SetCursorScreenPos({left + static_cast<float>(column) * (size.x + gap), y});
            if (draw_card(scene, cards[i], size)) chosen = cards[i].path;
            if (column + 1 == across || i + 1 == cards.size()) y += size.y + gap;
        }
        y += theme.px(8);
    };
    if (!lessons.listed) lessons.asked = LessonState::Asked::List;
    if (!lessons.list.empty()) {
        ink.text({left, y}, theme.text, tr("Lessons"), Weight::Bold);
        ink.end_row();
        y += theme.row() * 1.25f;
        y += draw_lesson_entries(scene, lessons, {left, y}, width, across) + theme.px(8);
    }
    list(tr("Demonstrations"), cards_);
    if (!recent.empty() && !scene.still) {
        ink.text({left, y}, theme.text, tr("Opened before"), Weight::Bold);
        y += theme.row() * 1.25f;
        for (const std::string& path : recent) {
            ImGui::SetCursorScreenPos({left, y});
            if (ImGui::Selectable(path.c_str(), false, 0, {width, theme.row()})) chosen = path;
            y += theme.row() + theme.px(2);
        }
    }
    ImGui::SetCursorScreenPos({left, y});
    ImGui::Dummy({1, theme.px(10)});
    return chosen;
}

void Application::draw_start_page(const Scene& scene) {
    bool asked_open = false;
    const auto chosen =
        start_page_.draw(scene, options_.demos, settings_.recent, asked_open, panels_.lesson);
    if (asked_open) perform(Action::Open);
    if (chosen) open(*chosen, {});
}

/// Three hints for the first program, until they are closed for ever.
void Application::draw_hints(const Scene& scene) {
    if (settings_.hints_closed || (options_.still && !options_.hints)) return;
    const Theme& theme = scene.theme;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x;
    Ink ink(scene);
    const float button = theme.px(96), gap = theme.px(28), left = at.x + theme.px(10);
    const float right = at.x + width - button - theme.px(16);
    const std::array<std::string, 3> hints{
        tr("1  F11 executes one bundle; amber is what it changed"),
        tr("2  X-ray shows what a bundle will do before it does"),
        tr("3  Hover explains, right click acts, Ctrl+P finds everything")};
    // Where they stand: beside each other, in as many rows as that takes.
    std::array<ImVec2, 3> places;
    ImVec2 next{left, 0};
    for (std::size_t i = 0; i < hints.size(); ++i) {
        const float w = ink.width(hints[i], Weight::Prose);
        if (next.x > left && next.x + w > right) next = {left, next.y + theme.row()};
        places[i] = next;
        next.x += w + gap;
    }
    const float height = ImGui::GetFrameHeight() + theme.px(4) + places.back().y;
    ink.fill(at, {at.x + width, at.y + height}, mix(theme.panel, theme.selection, 0.14f),
             theme.px(3));
    const float y = at.y + (height - places.back().y - theme.font_px() * 1.2f) / 2;
    for (std::size_t i = 0; i < hints.size(); ++i) {
        ink.text_fit({places[i].x, y + places[i].y}, right - places[i].x, theme.text, hints[i],
                     Weight::Prose);
        ink.end_row();
    }
    ImGui::SetCursorScreenPos({at.x + width - button - theme.px(6), at.y + theme.px(2)});
    if (ImGui::Button(tr("Got it"), {button, 0})) settings_.hints_closed = true;
    if (ImGui::IsItemHovered()) tool_tip(theme, tr("These hints do not come back"));
    ImGui::SetCursorScreenPos({at.x, at.y + height + theme.px(4)});
}

}  // namespace e2k::ui
