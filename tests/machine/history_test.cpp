// Recording, replay, going back.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/history/state_image.h"
#include "engine/history/timeline.h"
#include "engine/machine/guest.h"
#include "tests/support/assembled_guest.h"

namespace e2k::machine {
namespace {

using history::Found;
using history::Log;
using history::Position;
using history::Timeline;

std::string guest_path(const std::string& name) {
    return std::string(E2K_SOURCE_DIR) + "/tests/data/guests/elf/" + name;
}

struct Mark {
    std::uint64_t bundle, check;
};

/// A run of a program and what it looked like here and there.
struct Recorded {
    std::shared_ptr<Log> log = std::make_shared<Log>();
    std::vector<Mark> marks;
    std::string output;
};

Recorded record(const std::string& path, std::vector<std::string> arguments = {},
                std::uint64_t most = 3'000'000, bool ends = true) {
    Recorded run;
    GuestOptions options;
    options.process.argv = {path};
    for (auto& argument : arguments) options.process.argv.push_back(argument);
    options.process.streams.output = [&](int, std::string_view text) { run.output += text; };
    options.process.streams.input = [](char*, std::size_t) { return std::size_t{0}; };
    auto guest = Guest::start(path, std::move(options));
    EXPECT_TRUE(guest) << guest.error();
    if (!guest) return run;
    (*guest)->record(run.log);
    std::mt19937 random(7);
    Runner& main = (*guest)->main();
    for (Event event{}; event != Event::ProcessEnd && event != Event::ThreadEnd &&
                        event != Event::Failed && main.bundles() < most;) {
        // Both tiers take turns.
        const std::uint64_t so_far = main.bundles();
        const std::uint64_t most_at_once = so_far < 60 ? 4 : so_far < 1000 ? 40 : 3000;
        const std::uint64_t length =
            std::uniform_int_distribution<std::uint64_t>(1, most_at_once)(random);
        const bool unbounded = ends && so_far > 500 && random() % 4 == 0;
        event = unbounded ? main.advance() : main.advance(length);
        if (event != Event::Budget || run.log->is_ended() || main.in_system_call()) continue;
        if (random() % 32 != 0 && run.marks.size() > 20) continue;
        run.marks.push_back({main.state().bundles,
                             history::full_check(main.state(), (*guest)->process().memory())});
    }
    if (!run.log->is_ended()) run.log->reached(main.state().bundles);
    return run;
}

/// Every mark is found again, in any order. The number of those that are not.
int differences(const Recorded& run, bool interpret, std::string* trouble = nullptr) {
    history::TimelineOptions options;
    options.interpret = interpret;
    auto timeline = Timeline::create(run.log, options);
    if (!timeline) {
        if (trouble) *trouble = timeline.error();
        return 1;
    }
    std::vector<Mark> marks = run.marks;
    std::ranges::shuffle(marks, std::mt19937(11));
    int wrong = 0;
    for (const Mark& mark : marks) {
        const Found found = (*timeline)->go_to(mark.bundle);
        const auto& replica = (*timeline)->replica();
        if (found.what != Found::What::Place ||
            history::full_check(replica.state(), replica.memory()) != mark.check) {
            ++wrong;
            if (trouble && trouble->empty())
                *trouble = fmt::format("bundle {}: {} {}", mark.bundle,
                                       static_cast<int>(found.what), (*timeline)->trouble());
        }
    }
    return wrong;
}

class HistoryGuests : public testing::TestWithParam<const char*> {};

TEST_P(HistoryGuests, EveryPlaceIsFoundAgainInBothTiers) {
    const Recorded run = record(guest_path(GetParam()));
    ASSERT_FALSE(run.marks.empty());
    EXPECT_EQ(run.log->ended(), "");
    for (const bool interpret : {true, false}) {
        std::string trouble;
        EXPECT_EQ(differences(run, interpret, &trouble), 0) << trouble;
    }
}

INSTANTIATE_TEST_SUITE_P(Some, HistoryGuests,
                         testing::Values("hello", "fib_deep", "crc32", "dot_pipe", "aau_demo",
                                         "call_window", "fault_resume", "qp_demo", "sig_alarm"),
                         [](const auto& info) { return std::string(info.param); });

TEST(History, ADamagedEventIsNoticed) {
    // Every event in turn: what it does not change is at least another run.
    const Recorded run = record(guest_path("sysinfo"));
    ASSERT_GT(run.log->events(), 3u);
    unsigned noticed = 0;
    for (std::uint64_t number = 0; number < std::min<std::uint64_t>(run.log->events(), 24);
         ++number) {
        Recorded other = run;
        other.log = std::make_shared<Log>(*run.log);
        other.log->damage_event(number);
        noticed += differences(other, false) != 0;
    }
    EXPECT_GE(noticed, 2u);
}

TEST(History, StepsBackAreStepsForwardUndone) {
    const Recorded run = record(guest_path("fault_resume"));
    auto timeline = Timeline::create(run.log);
    ASSERT_TRUE(timeline) << timeline.error();
    Timeline& t = **timeline;
    std::vector<std::pair<Position, std::uint64_t>> way;
    const auto note = [&] {
        way.emplace_back(t.here(), history::full_check(t.replica().state(), t.replica().memory()));
    };
    note();
    for (int i = 0; i < 400 && !t.at_end(); ++i) {
        t.step();
        note();
    }
    ASSERT_EQ(t.trouble(), "");
    ASSERT_GT(way.size(), 20u);
    for (std::size_t i = way.size() - 1; i-- > 0;) {
        ASSERT_EQ(t.step_back().what, Found::What::Place) << i;
        ASSERT_EQ(t.here(), way[i].first);
        ASSERT_EQ(history::full_check(t.replica().state(), t.replica().memory()), way[i].second)
            << "bundle " << t.here().bundle;
    }
    EXPECT_EQ(t.step_back().what, Found::What::Nothing) << "the beginning";
}

class HistoryFiles : public testing::Test {
protected:
    HistoryFiles()
        : folder_(std::filesystem::temp_directory_path() /
                  ("e2k-history-" + std::to_string(getpid()))) {
        std::filesystem::create_directories(folder_);
    }
    ~HistoryFiles() override { std::filesystem::remove_all(folder_); }
    std::filesystem::path folder_;
};

TEST_F(HistoryFiles, HoldAllOfARun) {
    Recorded run = record(guest_path("sig_alarm"));
    run.log->program.argv = {"sig_alarm", "x"};
    const std::string path = (folder_ / "run.e2krec").string();
    ASSERT_TRUE(run.log->save(path));
    const auto loaded = Log::load(path);
    ASSERT_TRUE(loaded) << loaded.error();
    EXPECT_EQ((*loaded)->program.argv, run.log->program.argv);
    EXPECT_EQ((*loaded)->events(), run.log->events());
    EXPECT_EQ((*loaded)->marks(), run.log->marks());
    Recorded again = run;
    again.log = *loaded;
    std::string trouble;
    EXPECT_EQ(differences(again, false, &trouble), 0) << trouble;

    // Damaged anywhere, cut off, of another kind.
    std::ifstream in(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const auto refused = [&](std::string changed) {
        std::ofstream(path, std::ios::binary) << changed;
        const auto result = Log::load(path);
        return result ? std::string() : result.error();
    };
    for (const std::size_t at : {std::size_t{20}, bytes.size() / 2, bytes.size() - 2}) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        EXPECT_NE(refused(changed).find("damaged"), std::string::npos) << at;
    }
    EXPECT_NE(refused(bytes.substr(0, bytes.size() / 2)).find("damaged"), std::string::npos);
    EXPECT_NE(refused("\177ELF" + bytes).find("not a recording"), std::string::npos);
    std::string version = bytes;
    version[8] = 99;
    EXPECT_NE(refused(version).find("version 99"), std::string::npos);
}

/// Counts %dr0 up, stores it at `word` in every round, and reads the clock.
constexpr std::string_view kWriter = R"(
        .globl _start
        .type _start, @function
_start: { setwd wsz = 8, nfx = 1, dbl = 1
          setbn rbs = 4, rsz = 3, rcur = 0 }
        addd 0, 0, %dr0
        addd 0, [ _f64, _lts0 word ], %dr1
        { disp %ctpr1, loop }
        nop 5
        .globl loop
loop:   { addd %dr0, 1, %dr0 }
        { rrd %clkr, %dr2 }
        .globl store
store:  { std %dr0, %dr1, 0 }
        { ct %ctpr1 }
        .data
        .align 8
        .globl word
word:   .dword 0
)";

TEST_F(HistoryFiles, WhoWroteItAndPreviousStops) {
    const std::string path = (folder_ / "writer").string();
    test::write_guest(path, kWriter);
    const Recorded run = record(path, {}, 60'000, false);
    std::string trouble;
    EXPECT_EQ(differences(run, true, &trouble), 0) << trouble;
    EXPECT_EQ(differences(run, false, &trouble), 0) << trouble;
    EXPECT_FALSE(run.log->readings().empty());

    auto timeline = Timeline::create(run.log);
    ASSERT_TRUE(timeline) << timeline.error();
    Timeline& t = **timeline;
    const guest::SymbolTable symbols(guest::ElfImage::load(path)->symbols);
    const std::uint64_t store = symbols.by_name("store")->address,
                        word = symbols.by_name("word")->address;
    t.go_to(50'000);
    const Position from = t.here();
    const std::uint64_t rounds = t.replica().state().window[0].lo;
    const auto write = t.last_write({history::Target::Kind::Memory, word, 8});
    ASSERT_TRUE(write);
    EXPECT_EQ(t.here(), from) << "looking changes nothing";
    EXPECT_EQ(write->ip, store);
    EXPECT_EQ(write->after, write->before + 1);
    EXPECT_LE(rounds - write->after, 1u);
    const auto by = t.last_write({history::Target::Kind::Register, 0, 8});
    ASSERT_TRUE(by);
    EXPECT_EQ(by->after, rounds);
    EXPECT_FALSE(t.last_write({history::Target::Kind::Global, 20, 8}));

    // To the previous breakpoint, the one before that, and forward again.
    EXPECT_EQ(t.run_back({{store}, {}, false}).what, Found::What::Breakpoint);
    EXPECT_EQ(t.replica().state().ip, store);
    const std::uint64_t at = t.here().bundle;
    EXPECT_EQ(t.run_back({{store}, {}, false}).what, Found::What::Breakpoint);
    EXPECT_EQ(t.here().bundle, at - 4);
    EXPECT_EQ(t.run({{store}, {}, false}).what, Found::What::Breakpoint);
    EXPECT_EQ(t.here().bundle, at);
    // A watchpoint: before the store.
    const Found watched = t.run_back({{}, {{word, 8, guest::WatchKind::Write}}, false});
    EXPECT_EQ(watched.what, Found::What::Watch);
    EXPECT_EQ(t.replica().state().ip, store);
    EXPECT_EQ(t.here().bundle, at - 4);
}

}  // namespace
}  // namespace e2k::machine
