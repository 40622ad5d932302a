// Lessons in the window: what the player needs of it, and what the lesson panel asks for.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "engine/lessons/check.h"
#include "ui/application.h"
#include "ui/explain.h"
#include "ui/workbench.h"

namespace e2k::ui {

namespace {

constexpr float kLessonShare = 0.30f;  ///< of the window's width

lessons::Names known_names() {
    lessons::Names names;
    names.panels.assign(kPanelNames.begin(), kPanelNames.end());
    names.layouts.assign(kLayoutNames.begin(), kLayoutNames.end());
    return names;
}

LessonEntry read_entry(const std::string& path) {
    LessonEntry entry;
    entry.path = path;
    entry.name = std::filesystem::path(path).stem().string();
    std::ifstream file(path, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    auto lesson = lessons::parse_lesson(text, known_names());
    if (lesson)
        entry.lesson = std::make_shared<const lessons::Lesson>(std::move(*lesson));
    else
        entry.trouble = lesson.error().front().report(path, text);
    return entry;
}

RegisterRef register_ref(const lessons::Value& value, const machine::Snapshot& now) {
    using Kind = lessons::Value::Kind;
    const auto index = static_cast<std::uint16_t>(value.index);
    switch (value.kind) {
        case Kind::Window:
            return {RegisterRef::Kind::Window, index};
        case Kind::Based: {
            const int at = lessons::based_register(now, value.index);
            if (at < 0) return {};
            return {RegisterRef::Kind::Window, static_cast<std::uint16_t>(at)};
        }
        case Kind::Global:
            return {RegisterRef::Kind::Global, index};
        case Kind::Predicate:
            return {RegisterRef::Kind::Predicate, index};
        case Kind::Transfer:
            return {RegisterRef::Kind::Ctpr, static_cast<std::uint16_t>(index - 1)};
        default:
            return {};
    }
}

}  // namespace

void Application::list_lessons() {
    LessonState& state = panels_.lesson;
    if (state.listed) return;
    state.listed = true;
    for (const std::string& path : options_.lessons) {
        LessonEntry& entry = state.list.emplace_back(read_entry(path));
        if (const auto at = settings_.lessons.find(entry.name); at != settings_.lessons.end())
            entry.read = at->second;
    }
}

/// A column of its own: panels that a page shows do not cover it.
void Application::show_lesson() {
    for (const Column& column : workspace_.columns)
        for (const Cell& cell : column.cells)
            if (cell.tabs.size() == 1 && cell.tabs.front() == PanelId::Lesson) return;
    workspace_.to_new_column(PanelId::Lesson);
    if (workspace_.columns.size() < 2) return;
    const float others = 1 - workspace_.columns.back().weight;
    for (Column& column : workspace_.columns) column.weight *= (1 - kLessonShare) / others;
    workspace_.columns.back().weight = kLessonShare;
}

lessons::Stage Application::stage_of(const std::string& program) {
    lessons::Stage stage;
    stage.send = [this](machine::Command command) { source_.send(std::move(command)); };
    stage.open = [this, program] { open(program, {}); };
    stage.layout = [this](const std::string& name) {
        if (workspace_.layout != name) use_layout(name);
        show_lesson();
    };
    stage.show = [this](const std::string& name) {
        if (const auto panel = panel_by_name(name)) workspace_.reveal(*panel);
    };
    stage.go_to = [this](std::uint64_t address) { selection_.go_to = address; };
    stage.highlight = [this](const lessons::Value& value, std::uint64_t address) {
        if (address) {
            selection_.bundle = selection_.go_to = address;
        } else {
            selection_.reg = register_ref(value, *snapshot_);
        }
    };
    return stage;
}

void Application::begin_lesson(const std::string& path) {
    list_lessons();
    LessonState& state = panels_.lesson;
    const auto at = std::ranges::find(state.list, path, &LessonEntry::path);
    if (at == state.list.end()) return;
    if (workspace_.columns.empty()) {  // the width of the window is not known yet
        state.asked = LessonState::Asked::Begin;
        state.which = static_cast<std::size_t>(at - state.list.begin());
        return;
    }
    show_lesson();
    if (!at->lesson) return logs_.notice(true, at->trouble);
    state.current = static_cast<std::size_t>(at - state.list.begin());
    state.player.emplace(at->lesson, stage_of(lessons::program_path(*at->lesson, path)));
    state.given.clear();
    state.answer[0] = 0;
    // One that was left goes on where it was.
    const std::size_t pages = at->lesson->pages.size();
    const std::size_t page = at->read < pages ? at->read : 0;
    state.player->begin_at(page, *snapshot_);
}

void Application::attend_lesson() {
    using Asked = LessonState::Asked;
    LessonState& state = panels_.lesson;
    const Asked asked = std::exchange(state.asked, Asked::None);
    if (asked == Asked::List) list_lessons();
    if (asked == Asked::Begin && state.which < state.list.size())
        begin_lesson(state.list[state.which].path);
    if (!state.player) return;
    lessons::Player& player = *state.player;
    if (asked == Asked::Next || asked == Asked::Back || asked == Asked::Restart) {
        state.given.clear();
        state.answer[0] = 0;
        if (asked == Asked::Next) player.next(*snapshot_);
        if (asked == Asked::Back) player.back(*snapshot_);
        if (asked == Asked::Restart) player.restart(*snapshot_);
    }
    if (asked == Asked::Answer) player.answer(state.given, *snapshot_);
    if (state.seen != snapshot_->sequence) {
        state.seen = snapshot_->sequence;
        player.look(*snapshot_);
    }
    LessonEntry& entry = state.list[state.current];
    const std::size_t pages = player.lesson().pages.size();
    const std::size_t page = player.page_number();
    const bool all =
        page + 1 == pages && (asked == Asked::Leave || !player.page().question || player.solved());
    entry.read = std::max(entry.read, static_cast<unsigned>(all ? pages : page));
    if (entry.read > 0) settings_.lessons[entry.name] = entry.read;
    if (asked == Asked::Leave) state.player.reset();
}

}  // namespace e2k::ui
