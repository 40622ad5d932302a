// e2kwb lesson: plays a lesson in the window, or tries lessons out without one.
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "app/commands.h"
#include "engine/lessons/check.h"
#include "engine/lessons/lesson.h"
#include "ui/workbench.h"

namespace e2k::app {

namespace {

/// True if there is nothing wrong with it.
bool check(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        complain(fmt::format("{}: {}", path, std::strerror(errno)));
        return false;
    }
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const lessons::Names names{{ui::kPanelNames.begin(), ui::kPanelNames.end()},
                               {ui::kLayoutNames.begin(), ui::kLayoutNames.end()}};
    const auto lesson = lessons::parse_lesson(text, names);
    const lessons::Problems problems =
        lesson ? lessons::check_lesson(*lesson, path) : lesson.error();
    for (const lessons::Problem& problem : problems) write_message(problem.report(path, text));
    if (!problems.empty()) return false;
    std::size_t questions = 0;
    for (const lessons::Page& page : lesson->pages) questions += page.question ? 1 : 0;
    results().write(fmt::format("{}: {}: {} pages, {} questions\n", path, lesson->title.english,
                                lesson->pages.size(), questions));
    return true;
}

}  // namespace

int lesson(const LessonOptions& options) {
    if (!options.check) {
        WindowOptions to;
        to.lesson = options.files.front();
        to.language = options.language;
        to.program.sandbox = true;
        return window(to);
    }
    bool good = true;
    for (const std::string& path : options.files) good = check(path) && good;
    return good ? 0 : kExitFailure;
}

}  // namespace e2k::app
