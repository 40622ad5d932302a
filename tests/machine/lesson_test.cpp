// Lessons: what their text means, what is said about a faulty one, and that those of the course
// come about as they say.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/scratch_directory.h"
#include "engine/lessons/check.h"
#include "engine/lessons/player.h"

namespace e2k::lessons {
namespace {

namespace fs = std::filesystem;

const fs::path kLessons = fs::path(E2K_SOURCE_DIR) / "assets/lessons";
const Names kNames{{"bundles", "xray"}, {"debug", "teach"}};

std::string file_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Head and one page; `body` stands on it.
std::string page(const std::string& body) {
    return "lesson\nen: T\nru: Т\nprogram swap.s\npage\nen: P\nru: П\ntext\nen: Words\nru: "
           "Слова\n" +
           body;
}

/// "11: message" of every problem.
std::string problems(const std::string& text) {
    const auto lesson = parse_lesson(text, kNames);
    std::string out;
    if (lesson) return out;
    for (const Problem& problem : lesson.error())
        out += std::to_string(problem.line) + ": " + problem.message + "\n";
    return out;
}

TEST(Lesson, IsRead) {
    const auto lesson = parse_lesson(
        page("show xray\nstep 3\nrun-to loop\nexpect %dr1 is 0x10\nask\nen: How\nen: much?\nen:\n"
             "en: Say.\nru: Сколько?\npredict tag %db[2] after 4 is 5\nhint\nen: H\nru: Х\nfree\n"),
        kNames);
    ASSERT_TRUE(lesson) << problems(page(""));
    EXPECT_EQ(lesson->title.in("ru"), "Т");
    EXPECT_EQ(lesson->program, "swap.s");
    const Page& read = lesson->pages.at(0);
    ASSERT_EQ(read.actions.size(), 4u);
    EXPECT_EQ(read.actions[1].count, 3u);
    EXPECT_EQ(read.actions[3].text, "0x10");
    EXPECT_EQ(read.actions[3].line, 14);
    ASSERT_TRUE(read.question);
    EXPECT_EQ(read.question->words.english, "How much?\n\nSay.");
    EXPECT_EQ(read.question->kind, Question::Kind::Predict);
    EXPECT_EQ(read.question->steps, 4u);
    EXPECT_TRUE(read.question->value.tag);
    EXPECT_EQ(read.question->value.kind, Value::Kind::Based);
    EXPECT_EQ(read.question->value.index, 2u);
    EXPECT_TRUE(read.free);
}

TEST(Lesson, FaultsAreNamedWithTheirLine) {
    EXPECT_EQ(problems(page("")), "");
    EXPECT_EQ(problems(page("shwo xray")), "11: unknown word \"shwo\"\n");
    EXPECT_EQ(problems(page("show memory")), "11: there is no panel \"memory\"\n");
    EXPECT_EQ(problems(page("step many")), "11: how many bundles?\n");
    EXPECT_EQ(problems(page("expect %dr300 is 1")),
              "11: \"%dr300\" is nothing that can be looked at\n");
    EXPECT_EQ(problems(page("expect %dr3")), "11: what is expected?\n");
    EXPECT_EQ(problems(page("answer 3")), "11: no question has been asked\n");
    EXPECT_EQ(problems(page("ask\nen: Q\nru: В")), "11: nothing answers the question\n");
    EXPECT_EQ(problems(page("ask\nen: Q\nru: В\noption\nen: a\nru: а")),
              "11: 0 options are right\n");
    EXPECT_EQ(problems(page("ask\nen: Q\nanswer 1")), "12: the question is missing in ru\n");
    EXPECT_EQ(problems(page("ask\nen: Q\nru: В\nanswer 1\nstep")),
              "15: a page acts before it asks\n");
    EXPECT_EQ(problems("lesson\nen: T\nru: Т"), "3: no program\n3: no pages\n");
    EXPECT_EQ(
        problems("en: T"),
        "1: a text that belongs to nothing\n1: no program\n1: no pages\n1: the lesson's title "
        "is missing in en\n1: the lesson's title is missing in ru\n");
    const std::string text = page("step many");
    const auto faulty = parse_lesson(text, kNames);
    ASSERT_FALSE(faulty);
    EXPECT_EQ(faulty.error()[0].report("x.lesson", text),
              "x.lesson:11: how many bundles?\n    step many\n    hint: step 3\n");
}

TEST(Lesson, TriedOutItTellsWhatDoesNotComeAbout) {
    const ScratchDirectory scratch;
    const std::string path = (scratch.path() / "x.lesson").string();
    const auto check = [&](const std::string& body) -> std::string {
        std::string text = page(body);
        text.replace(text.find("swap.s"), 6, (kLessons / "../demo/swap.s").string());
        const auto lesson = parse_lesson(text, kNames);
        if (!lesson) return problems(text);
        std::string out;
        for (const Problem& problem : check_lesson(*lesson, path))
            out += std::to_string(problem.line) + ": " + problem.message + "\n";
        return out;
    };
    const std::string ask = "step 2\nask\nen: Q\nru: В\n";
    EXPECT_EQ(check(ask + "predict %dr0 is 2"), "");
    EXPECT_EQ(check(ask + "predict %dr0 is 3"), "12: %dr0 is 2, not 3\n");
    EXPECT_EQ(check("step 2\nexpect %dr1 is 1"), "12: %dr1 is 2, not 1\n");
    EXPECT_EQ(check("run-to nowhere"), "11: the program has no place nowhere\n");
    EXPECT_EQ(check("finish\nexpect exit is 0\nstep"),
              "13: the program has ended before this line\n");
    EXPECT_EQ(check("finish\nexpect exit is 1"), "12: exit is 0, not 1\n");
    Lesson missing;
    missing.program = "nothing.s";
    missing.pages.resize(1);
    ASSERT_EQ(check_lesson(missing, path).size(), 1u);
}

TEST(Lesson, ThoseOfTheCourseHold) {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(kLessons)) {
        if (entry.path().extension() != ".lesson") continue;
        ++count;
        const std::string path = entry.path().string(), text = file_text(path);
        const auto lesson = parse_lesson(text);
        if (!lesson) {
            for (const Problem& problem : lesson.error())
                ADD_FAILURE() << problem.report(path, text);
            continue;
        }
        for (const Problem& problem : check_lesson(*lesson, path))
            ADD_FAILURE() << problem.report(path, text);
    }
    EXPECT_EQ(count, 13u);
}

// --- the player, on snapshots made by hand ---

struct Playing {
    explicit Playing(const std::string& body) {
        auto read = parse_lesson(body);
        if (!read) throw std::runtime_error(read.error()[0].message);
        Stage stage;
        stage.send = [this](machine::Command command) { sent.push_back(std::move(command)); };
        stage.open = [this] { ++opened; };
        player.emplace(std::make_shared<const Lesson>(std::move(*read)), stage);
        now.run_state = machine::RunState::Paused;
        now.program = "p";
    }
    void at(std::uint64_t bundles, std::uint64_t ip) {
        ++now.sequence;
        now.counters.bundles = bundles;
        now.ip = ip;
        player->look(now);
    }
    std::vector<machine::Command> sent;
    int opened = 0;
    machine::Snapshot now;
    std::optional<Player> player;
};

TEST(LessonPlayer, GoesOnWherePagesEndAndReplaysElsewhere) {
    Playing p(page("step 2\n") + "page\nen: 2\nru: 2\ntext\nen: a\nru: а\nstep 1\n");
    p.player->restart(p.now);
    EXPECT_EQ(p.opened, 1);
    EXPECT_TRUE(p.player->busy());
    p.at(0, 0x100);
    ASSERT_EQ(p.sent.size(), 1u);
    p.at(1, 0x108);  // a breakpoint on the way
    ASSERT_EQ(p.sent.size(), 2u);
    EXPECT_EQ(std::get<machine::StepBundle>(p.sent[1]).count, 1u);
    p.at(2, 0x110);
    EXPECT_FALSE(p.player->busy());
    p.player->next(p.now);
    EXPECT_EQ(p.opened, 1) << "it goes on from here";
    p.at(3, 0x118);
    EXPECT_FALSE(p.player->busy());
    p.at(7, 0x130);  // the reader plays
    p.player->back(p.now);
    EXPECT_EQ(p.opened, 2);
    EXPECT_EQ(p.player->page_number(), 0u);
}

TEST(LessonPlayer, PredictsThenLooks) {
    Playing p(page("ask\nen: Q\nru: В\npredict bundles after 2 is 2"));
    p.player->restart(p.now);
    p.at(0, 0x100);
    p.player->answer("5", p.now);
    EXPECT_EQ(p.player->verdict(), Player::Verdict::Looking);
    p.at(1, 0x108);
    EXPECT_EQ(p.player->verdict(), Player::Verdict::Looking);
    p.at(2, 0x110);
    EXPECT_EQ(p.player->verdict(), Player::Verdict::Wrong);
    EXPECT_EQ(p.player->seen(), 2u);
    p.player->answer("2", p.now);
    EXPECT_EQ(p.player->verdict(), Player::Verdict::Right);
    EXPECT_EQ(p.sent.size(), 1u) << "it has been executed once";
}

}  // namespace
}  // namespace e2k::lessons
