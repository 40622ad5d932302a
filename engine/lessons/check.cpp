#include "engine/lessons/check.h"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>

#include <fmt/format.h>

#include "engine/lessons/player.h"
#include "engine/machine/machine.h"

namespace e2k::lessons {

namespace {

constexpr std::chrono::seconds kPatience{20};  ///< until the program stands where a page needs it

/// A machine whose snapshots are waited for.
class Bench {
public:
    Bench() {
        machine_.on_publish([this] {
            std::lock_guard lock(mutex_);
            ++published_;
            news_.notify_one();
        });
    }
    ~Bench() { machine_.on_publish({}); }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    machine::Machine& machine() { return machine_; }

    /// Hands every snapshot to `player` until it is done; false if it never is.
    bool follow(Player& player) {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (true) {
            const std::uint64_t seen = count();
            player.look(*machine_.snapshot());
            if (!player.busy() || player.trouble()) return true;
            std::unique_lock lock(mutex_);
            if (!news_.wait_until(lock, deadline, [&] { return published_ != seen; })) return false;
        }
    }

private:
    std::uint64_t count() {
        std::lock_guard lock(mutex_);
        return published_;
    }

    std::mutex mutex_;
    std::condition_variable news_;
    std::uint64_t published_ = 0;
    machine::Machine machine_;
};

machine::Open opening(const std::string& path) {
    machine::Open open;
    open.path = path;
    open.options.start_paused = true;
    open.options.own_streams = true;
    open.options.process.policy.sandbox = true;
    open.options.process.argv = {path};
    return open;
}

std::string right_answer(const Question& question) {
    for (std::size_t i = 0; i < question.options.size(); ++i)
        if (question.options[i].right) return std::to_string(i + 1);
    return question.answers.empty() ? std::string() : question.answers.front();
}

/// Plays one page; false if the rest makes no sense any more.
bool try_page(Bench& bench, Player& player, Problems& problems) {
    const Page& page = player.page();
    if (!bench.follow(player)) {
        problems.push_back({page.line, "the program does not come to where this page needs it",
                            "does it wait for input, or run for ever?"});
        return false;
    }
    if (player.trouble()) {
        problems.push_back(*player.trouble());
        return false;
    }
    if (!page.question) return true;
    player.answer(right_answer(*page.question), *bench.machine().snapshot());
    if (!bench.follow(player) || player.trouble()) {
        problems.push_back(player.trouble().value_or(Problem{
            page.question->line, "the program never comes to what is to be predicted", ""}));
        return false;
    }
    if (player.verdict() != Player::Verdict::Right)
        problems.push_back({page.question->line,
                            fmt::format("{} is {}, not {}", page.question->value.text,
                                        player.seen(), page.question->answers.front()),
                            "a prediction says what the program really does"});
    return true;
}

}  // namespace

std::string program_path(const Lesson& lesson, const std::string& lesson_path) {
    const std::filesystem::path program(lesson.program);
    if (program.is_absolute()) return lesson.program;
    return (std::filesystem::path(lesson_path).parent_path() / program).lexically_normal().string();
}

Problems check_lesson(const Lesson& lesson, const std::string& lesson_path) {
    Problems problems;
    const std::string program = program_path(lesson, lesson_path);
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(program, ignored)) {
        problems.push_back({lesson.program_line, fmt::format("there is no file {}", program),
                            "the name is looked up from where the lesson lies"});
        return problems;
    }
    Bench bench;
    Stage stage;
    stage.send = [&](machine::Command command) { bench.machine().send(std::move(command)); };
    stage.open = [&] { bench.machine().send(opening(program)); };
    Player player(std::shared_ptr<const Lesson>(std::shared_ptr<void>(), &lesson), stage);
    player.restart(*bench.machine().snapshot());
    while (try_page(bench, player, problems)) {
        if (player.page_number() + 1 == lesson.pages.size()) break;
        player.next(*bench.machine().snapshot());
    }
    return problems;
}

}  // namespace e2k::lessons
