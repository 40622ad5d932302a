// Lessons and the source in the window, on the real machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

#include "app/scratch_directory.h"
#include "tests/gui/live_fixture.h"
#include "ui/format.h"
#include "ui/text_engine.h"

namespace e2k::ui::test {
namespace {

const std::string kAssets = std::string(E2K_SOURCE_DIR) + "/assets/";

class CourseTest : public LiveTest {
protected:
    void open_lessons(int width = 1280, int height = 800) {
        for (const auto& entry : fs::directory_iterator(kAssets + "lessons"))
            if (entry.path().extension() == ".lesson")
                options_.lessons.push_back(entry.path().string());
        std::ranges::sort(options_.lessons);
        open("", {}, width, height);
        session_->frame();
    }

    LessonState& lesson() { return session_->app().panels().lesson; }
    lessons::Player& player() { return *lesson().player; }

    /// Frames until `done`, a few seconds at most.
    template <class Done>
    bool frames_until(Done done) {
        for (int i = 0; i < 1500 && !done(); ++i) {
            window_->wait(0.004);
            session_->frame();
        }
        return done();
    }
    bool arrive() {
        return frames_until([&] { return !player().busy() || player().trouble(); });
    }
    void ask(LessonState::Asked what, const std::string& given = {}) {
        lesson().asked = what;
        lesson().given = given;
        session_->frame();
    }
    static std::string right_answer(const lessons::Question& question) {
        for (std::size_t i = 0; i < question.options.size(); ++i)
            if (question.options[i].right) return std::to_string(i + 1);
        return question.answers.front();
    }
};

TEST_F(CourseTest, ALessonIsReadPredictedAndLookedAt) {
    open_lessons();
    session_->app().begin_lesson(kAssets + "lessons/02-read-before-write.lesson");
    ASSERT_TRUE(arrive());
    EXPECT_EQ(now().counters.bundles, 2u);
    std::string text = drawn(PanelId::Lesson);
    EXPECT_NE(text.find("Two moves in one bundle"), std::string::npos) << text;
    EXPECT_NE(text.find("What will be in %dr1 after it?"), std::string::npos) << text;
    ask(LessonState::Asked::Answer, "7");
    ASSERT_TRUE(arrive());
    EXPECT_EQ(now().counters.bundles, 3u);
    text = drawn(PanelId::Lesson);
    EXPECT_NE(text.find("Not so: it is 1."), std::string::npos) << text;
    ask(LessonState::Asked::Answer, "1");
    EXPECT_NE(drawn(PanelId::Lesson).find("Right."), std::string::npos);

    session_->app().use_language(Language::Russian);
    text = drawn(PanelId::Lesson);
    EXPECT_NE(text.find("Две пересылки в одной команде"), std::string::npos) << text;
    EXPECT_NE(text.find("Верно."), std::string::npos) << text;
    session_->app().use_language(Language::English);

    ask(LessonState::Asked::Next);
    ASSERT_TRUE(arrive());
    EXPECT_EQ(settings_.lessons["02-read-before-write"], 1u) << "progress is kept";
    session_->app().sink().send(machine::StepBundle{5});  // the reader plays
    script("wait stopped\nframes 2");
    ask(LessonState::Asked::Back);
    ASSERT_TRUE(arrive());
    EXPECT_EQ(now().counters.bundles, 2u) << "a page begins where it must";
    ask(LessonState::Asked::Leave);
    EXPECT_NE(drawn(PanelId::Lesson).find("What a bundle is"), std::string::npos);
}

/// Every page of every lesson, the languages in turn, with what the window does for it.
TEST_F(CourseTest, EveryPageOfEveryLessonIsShown) {
    open_lessons(900, 600);
    for (std::size_t i = 0; i < options_.lessons.size(); ++i) {
        SCOPED_TRACE(options_.lessons[i]);
        const Language spoken = i % 2 ? Language::Russian : Language::English;
        session_->app().use_language(spoken);
        session_->app().begin_lesson(options_.lessons[i]);
        while (true) {
            ASSERT_TRUE(arrive());
            ASSERT_FALSE(player().trouble())
                << player().trouble()->line << ": " << player().trouble()->message;
            session_->app().capture(PanelId::Lesson);
            session_->frame();
            session_->frame();
            session_->app().capture(std::nullopt);
            const std::string text = session_->app().captured();
            for (const Language language : {Language::English, Language::Russian}) {
                const auto& title = player().page().title.in(language_code(language));
                EXPECT_EQ(text.find(title) != std::string::npos, language == spoken) << title;
            }
            if (player().page().question) {
                ask(LessonState::Asked::Answer, right_answer(*player().page().question));
                ASSERT_TRUE(arrive());
                EXPECT_EQ(player().verdict(), lessons::Player::Verdict::Right)
                    << player().page().title.english;
            }
            if (player().page_number() + 1 == player().lesson().pages.size()) break;
            ask(LessonState::Asked::Next);
        }
        session_->frame();
        EXPECT_EQ(lesson().list[lesson().current].read, player().lesson().pages.size());
    }
    session_->app().use_language(Language::English);
}

// --- the source ---

TEST_F(CourseTest, ASourceIsChangedAssembledAndCompared) {
    const ScratchDirectory scratch;
    open(kAssets + "demo/swap.s", scratch.path().string());
    SourceState& source = session_->app().panels().source;
    script("break _start+0x20\nrun\nwait paused\nrun\nwait exited\nframes 2");
    ASSERT_EQ(source.path, kAssets + "demo/swap.s");
    ASSERT_TRUE(source.last);
    EXPECT_TRUE(source.errors.empty());
    EXPECT_NE(session_->app().text(PanelId::Source).find("●"), std::string::npos);

    // A mistake is marked where it is, as it is typed.
    const std::size_t at = source.text.find("addd 0, 1, %dr0");
    ASSERT_NE(at, std::string::npos);
    source.text.replace(at, 15, "addq 0, 1, %dr0");
    source.edited = true;
    session_->frame();
    ASSERT_FALSE(source.errors.empty());
    const auto line = 1 + std::count(source.text.begin(),
                                     source.text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    EXPECT_EQ(source.errors[0].line, line);
    script("key F6\nframes 2");
    EXPECT_EQ(now().run_state, machine::RunState::Exited) << "nothing is started";

    // Another number, a bundle more before the breakpoint.
    source.text.replace(at, 15, "addd 0, 9, %dr0");
    source.text.insert(source.text.find("        { addd 0, 9"), "        { addd 0, 5, %dr7 }\n");
    source.edited = true;
    session_->frame();
    EXPECT_TRUE(source.errors.empty());
    script("key F6\nwait paused\nframes 2");
    EXPECT_EQ(now().counters.bundles, 0u);
    ASSERT_EQ(now().breakpoints.size(), 1u) << "it stays at its label";
    script("run\nwait paused\nrun\nwait exited\nframes 2");
    ASSERT_TRUE(source.before && source.last);
    EXPECT_EQ(source.last->bundles, source.before->bundles + 1);
    const std::string text = drawn(PanelId::Source) + session_->app().text(PanelId::Source);
    EXPECT_NE(text.find("(+1)"), std::string::npos) << text;
    EXPECT_NE(text.find("output, line 2: \"1\" → \"9\""), std::string::npos) << text;
    std::ifstream file(kAssets + "demo/swap.s");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), source.saved);
    EXPECT_NE(source.text, source.saved) << "only Save writes the file";

    const std::string other = (scratch.path() / "other.s").string();
    fs::copy(kAssets + "demo/lib.inc", scratch.path() / "lib.inc");
    std::ranges::copy(other + '\0', source.save_as);
    source.asked = SourceState::Asked::SaveAs;
    script("frames 1\nwait paused\nframes 2");
    EXPECT_EQ(now().program, other);
    EXPECT_FALSE(source.changed());
}

TEST(Source, ChangesOfARunAreNamed) {
    RunNote before, after;
    before.bundles = 100;
    before.output = "a\nb\n";
    before.window = {1, 2};
    after = before;
    EXPECT_TRUE(run_changes(before, after).empty());
    after.bundles = 90;
    after.output = "a\nc\n";
    after.window = {1, 3};
    after.exit = 4;
    const auto changes = run_changes(before, after);
    ASSERT_EQ(changes.size(), 4u);
    EXPECT_EQ(changes[0], "bundles 100 → 90 (−10)");
    EXPECT_EQ(changes[1], "exited with code 0 → exited with code 4");
    EXPECT_EQ(changes[2], "output, line 2: \"b\" → \"c\"");
    EXPECT_EQ(changes[3], "%dr1 0x2 → 0x3");
}

TEST(EngineText, IsRussianInARussianWindow) {
    const std::string said = "Ended by SIGSEGV: store to 0x0, not mapped, at main+0x18, lane ALC2";
    EXPECT_EQ(engine_text(said), said);
    set_language(Language::Russian);
    EXPECT_EQ(engine_text(said),
              "Окончена: SIGSEGV: запись по адресу 0x0, памяти там нет, в main+0x18, канал ALC2");
    EXPECT_EQ(engine_text("Breakpoint at loop"), "Точка останова: loop");
    EXPECT_EQ(engine_text("something else"), "something else");
    set_language(Language::English);
}

// --- the README ---

/// What the comments of a numbered step say: "do COMMANDS" and "see PANEL TEXT".
std::vector<std::string> tour_of(const std::string& name, std::size_t& steps) {
    std::ifstream file(std::string(E2K_SOURCE_DIR) + "/" + name);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    std::vector<std::string> out;
    std::size_t at = text.find("<!-- tour:");
    if (at == std::string::npos) return out;
    const std::string tour = text.substr(at + 10);
    for (steps = 0; tour.find("\n" + std::to_string(steps + 1) + ". **") != std::string::npos;)
        ++steps;
    for (at = 0; (at = tour.find("<!-- ", at)) != std::string::npos;) {
        const std::size_t end = tour.find(" -->", at);
        out.push_back(tour.substr(at + 5, end - at - 5));
        at = end;
    }
    return out;
}

TEST_F(CourseTest, TheTenMinutesOfTheReadme) {
    for (const auto& [name, spoken] : {std::pair{"README.md", Language::English},
                                       std::pair{"README-ru.md", Language::Russian}}) {
        SCOPED_TRACE(name);
        std::size_t steps = 0;
        const auto tour = tour_of(name, steps);
        EXPECT_EQ(steps, 9u);
        ASSERT_GE(tour.size(), 16u);
        if (!session_) open_lessons();
        session_->app().use_layout("debug");
        session_->app().use_language(spoken);
        session_->app().open(kAssets + "demo/select.s", {});
        for (const std::string& what : tour) {
            SCOPED_TRACE(what);
            if (what.starts_with("do ")) {
                std::string commands = what.substr(3);
                std::ranges::replace(commands, ';', '\n');
                const std::size_t asset = commands.find("assets/");
                if (asset != std::string::npos) commands.replace(asset, 7, kAssets);
                script(commands);
                continue;
            }
            ASSERT_TRUE(what.starts_with("see "));
            const std::size_t space = what.find(' ', 4);
            const auto panel = panel_by_name(what.substr(4, space - 4));
            ASSERT_TRUE(panel);
            const std::string text = session_->app().text(*panel);
            EXPECT_NE(text.find(what.substr(space + 1)), std::string::npos) << text;
        }
    }
    session_->app().use_language(Language::English);
}

// --- keys at random moments: E2K_KEYS=500 for a long run ---

TEST_F(CourseTest, ThePictureIsNeverStale) {
    open(kAssets + "demo/mandelbrot.s", {}, 700, 420);
    const char* const wanted = std::getenv("E2K_KEYS");
    const int keys = wanted ? std::atoi(wanted) : 24;
    std::mt19937 random(7);
    constexpr const char* kKeys[] = {"F11", "F11", "F10", "F9", "Alt+Home", "Shift+F11"};
    session_->app().workspace().reveal(PanelId::Bundles);
    session_->app().capture(PanelId::Bundles);
    for (int i = 0; i < keys; ++i) {
        const double pause = std::uniform_real_distribution(0.0, 0.002)(random);
        session_->turn(pause);
        int key = 0;
        bool ctrl = false, shift = false, alt = false;
        const char* const name = kKeys[random() % std::size(kKeys)];
        ASSERT_TRUE(parse_keys(name, key, ctrl, shift, alt));
        window_->inject_key(key, ctrl, shift, alt);
        // The loop itself decides when to draw; it may not sleep on a picture that is old.
        int idle = 0;
        for (int turns = 0; turns < 400 && idle < 2; ++turns)
            idle = session_->turn(0.001) || !session_->settled() ? 0 : idle + 1;
        if (now().run_state != machine::RunState::Paused) {
            session_->app().perform(Action::Restart);
            continue;
        }
        ASSERT_EQ(now().sequence, source_->snapshot()->sequence) << name << " " << i;
        const std::string picture = session_->app().captured();
        const std::size_t row = picture.find("▶");
        ASSERT_NE(row, std::string::npos) << name << " " << i << "\n" << picture;
        ASSERT_NE(picture.substr(row, picture.find('|', row) - row).find(hex(now().ip)),
                  std::string::npos)
            << name << " " << i << " at " << hex(now().ip) << "\n"
            << picture;
    }
}

}  // namespace
}  // namespace e2k::ui::test
