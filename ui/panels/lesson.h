// Lessons: a list of them, and the page of the one that plays.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/lessons/player.h"
#include "ui/scene.h"

namespace e2k::ui {

struct LessonEntry {
    std::string path, name;                         ///< name: of the file, without its extension
    std::shared_ptr<const lessons::Lesson> lesson;  ///< null: `trouble` says why
    std::string trouble;
    unsigned read = 0;  ///< pages
};

struct LessonState {
    enum class Asked : std::uint8_t { None, List, Begin, Next, Back, Restart, Answer, Leave };

    std::vector<LessonEntry> list;
    bool listed = false;
    std::optional<lessons::Player> player;
    std::size_t current = 0;  ///< of `list`, while there is a player
    char answer[64] = {};
    // For the application, which plays (lesson_desk.cpp)
    Asked asked = Asked::None;
    std::size_t which = 0;   ///< Begin
    std::string given;       ///< Answer
    std::uint64_t seen = 0;  ///< sequence of the snapshot that the player has looked at
};

void draw_lesson(const Scene& scene, LessonState& state, machine::CommandSink& sink);
/// The list alone, in columns from `at` on; its height.
float draw_lesson_entries(const Scene& scene, LessonState& state, ImVec2 at, float width,
                          int columns);
/// What can be read of it, a line a paragraph.
std::string lesson_text(const Scene& scene, const LessonState& state);

}  // namespace e2k::ui
