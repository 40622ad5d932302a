// Tries a lesson out without a window: plays every page and gives every answer.
#pragma once

#include <string>

#include "engine/lessons/lesson.h"

namespace e2k::lessons {

/// A lesson's program, which is named from where the lesson lies.
std::string program_path(const Lesson& lesson, const std::string& lesson_path);

/// What does not come about as the lesson says: places that are not there, expectations and
/// predictions that do not hold. The program runs in the sandbox.
Problems check_lesson(const Lesson& lesson, const std::string& lesson_path);

}  // namespace e2k::lessons
