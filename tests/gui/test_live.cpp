// The window on the real machine: open, run to a breakpoint, step, run to the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <fmt/format.h>

#include "app/scratch_directory.h"
#include "engine/machine/quality_text.h"
#include "tests/gui/live_fixture.h"
#include "tests/support/guest_macros.h"
#include "ui/format.h"
#include "ui/workbench.h"

namespace e2k::ui::test {
namespace {

namespace fs = std::filesystem;

std::string squeeze(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c != ' ') out += c;
    }
    return out;
}

TEST_F(LiveTest, RunToABreakpointStepAndSeeTheChange) {
    open(guest("dot_pipe"));
    EXPECT_EQ(now().run_state, machine::RunState::Paused);
    EXPECT_EQ(now().location, "_start");
    script("break dot_int\nkey F5\nwait paused");
    ASSERT_EQ(now().location, "dot_int");
    const std::uint64_t address = now().ip;
    EXPECT_NE(squeeze(drawn(PanelId::Bundles)).find(squeeze("▶ ● " + hex(address) + " | cmplesb")),
              std::string::npos)
        << drawn(PanelId::Bundles);

    script("key F11\nwait paused");
    EXPECT_EQ(now().ip, address + 40);
    EXPECT_NE(squeeze(drawn(PanelId::Bundles)).find(squeeze("▶ " + hex(address + 40))),
              std::string::npos);
    // ord,2 %dr2, 0xa002a00000000, %dr6 of the bundle just executed.
    ASSERT_GT(now().window.size(), 6u);
    EXPECT_EQ(now().window[6].lo, now().window[2].lo | 0xa002a00000000);
    const std::string value =
        without_thin_spaces(format_value(now().window[6].lo, NumberView::Hex));
    const std::string text = session_->app().text(PanelId::Registers);
    EXPECT_NE(text.find("r6 " + value + "  changed"), std::string::npos) << text;
    EXPECT_NE(squeeze(drawn(PanelId::Registers)).find("r6" + value), std::string::npos);
}

TEST_F(LiveTest, RunToTheEndShowsCallsAndOutput) {
    open(guest("dot_pipe"));
    script("run\nwait exited");
    EXPECT_EQ(now().exit.value, 0);
    std::ifstream file(std::string(E2K_SOURCE_DIR) + "/tests/data/guests/expected/dot_pipe.stdout");
    const std::string expected(std::istreambuf_iterator<char>(file), {});
    ASSERT_FALSE(expected.empty());
    EXPECT_EQ(session_->app().text(PanelId::Console), expected);
    const std::string calls = squeeze(drawn(PanelId::Syscalls));
    EXPECT_NE(calls.find("write"), std::string::npos) << calls;
    EXPECT_NE(squeeze(session_->app().text(PanelId::Syscalls)).find("exit_group"),
              std::string::npos);
    script("restart\nwait paused");
    EXPECT_EQ(now().location, "_start");
    EXPECT_EQ(now().counters.bundles, 0u);
}

TEST_F(LiveTest, HostCodeOfWhatHasRun) {
    open(guest("bench_int"));
    script("run\nwait stopped");
    ASSERT_GT(now().translation.regions, 0u);
}

TEST_F(LiveTest, CountsAreThoseOfTheRecord) {
    open(guest("dot_pipe"));
    session_->app().sink().send(machine::SetProfile{true});
    script("break dot_double\nrun\nwait paused");
    const std::uint64_t loop = resolve_place("dot_int+0x48", now().symbols.get());
    session_->app().selection().bundle = loop;
    const auto shown = [&] {
        return now().region && std::ranges::count(now().region->bundle_addresses, loop) != 0;
    };
    for (int i = 0; i < 400 && !shown(); ++i) {
        window_->wait(0.01);
        session_->frame();
    }
    ASSERT_TRUE(shown());
    ASSERT_TRUE(now().profile);
    const auto& region = *now().region;
    ASSERT_EQ(region.bundle_executions.size(), region.bundle_addresses.size());
    const std::string text = squeeze(session_->app().text(PanelId::HostCode));
    const std::string picture = squeeze(drawn(PanelId::HostCode));
    std::uint64_t most = 0;
    std::size_t seen = 0;
    for (std::size_t i = 0; i < region.bundle_executions.size(); ++i) {
        // Bundles for which nothing is to be done have no row.
        if (std::ranges::none_of(region.ranges, [&](const auto& r) { return r.bundle == i; }))
            continue;
        most = std::max(most, region.bundle_executions[i]);
        const std::string row = squeeze(si(static_cast<double>(region.bundle_executions[i]))) +
                                "|" + hex(region.bundle_addresses[i]);
        EXPECT_NE(text.find(row), std::string::npos) << row;
        seen += picture.find(row) != std::string::npos;
    }
    EXPECT_GE(seen, 2u) << picture;
    EXPECT_GT(most, 1u) << "the loop has run";
}

std::string demo(const std::string& name) {
    return std::string(E2K_SOURCE_DIR) + "/assets/demo/" + name;
}

/// Every line drawn of a panel is a line of its text.
void expect_drawn(const std::string& drawn, const std::string& text, std::size_t least) {
    const std::string expected = squeeze(text);
    std::istringstream in(drawn);
    std::size_t lines = 0;
    for (std::string line; std::getline(in, line);) {
        std::string words = squeeze(line);
        if (words.ends_with("…")) words.resize(words.size() - std::string_view("…").size());
        if (words.empty()) continue;
        EXPECT_NE(expected.find(words), std::string::npos) << line << "\n" << text;
        ++lines;
    }
    EXPECT_GE(lines, least);
}

TEST_F(LiveTest, TheXrayIsWhatTheStepDoes) {
    open(demo("swap.s"));
    script("step 2\nwait paused");
    ASSERT_TRUE(now().xray);
    ASSERT_TRUE(now().xray->wrong_in_order);
    session_->app().panels().xray.sequential = true;
    const std::string text = session_->app().text(PanelId::Xray);
    EXPECT_NE(text.find("%dr0: 1 → 2"), std::string::npos) << text;
    EXPECT_NE(text.find("%dr1: 2 → 1"), std::string::npos) << text;
    EXPECT_NE(text.find("one by one it would be 2"), std::string::npos) << text;
    expect_drawn(drawn(PanelId::Xray), text, 8);
    script("key F11\nwait paused");
    EXPECT_EQ(now().window[0].lo, 2u);
    EXPECT_EQ(now().window[1].lo, 1u);
}

TEST_F(LiveTest, TheLessonStandsBesideTheBundles) {
    open(demo("select.s"));
    const std::string text = session_->app().text(PanelId::Bundles);
    EXPECT_NE(text.find("how many lie between LOW and HIGH"), std::string::npos);
    const std::uint64_t loop = resolve_place("loop+0x28", now().symbols.get());
    session_->app().selection().go_to = loop;
    const std::string picture = drawn(PanelId::Bundles);
    expect_drawn(picture, text, 8);
    EXPECT_NE(squeeze(picture).find(squeeze("Four comparisons in one cycle")), std::string::npos)
        << picture;
    EXPECT_NE(squeeze(picture).find(squeeze("pred4 = ~pred0 & ~pred1")), std::string::npos);
}

TEST_F(LiveTest, QualityIsWhatTheEngineAssesses) {
    open(demo("mandelbrot.s"));
    session_->app().sink().send(machine::SetProfile{true});
    static_cast<void>(drawn(PanelId::Quality));  // asks for the report
    script("run\nwait exited 60");
    for (int i = 0; i < 200 && !now().quality; ++i) {
        window_->wait(0.01);
        session_->frame();
    }
    ASSERT_TRUE(now().quality);
    const auto& report = *now().quality;
    ASSERT_FALSE(report.regions.empty());
    EXPECT_GT(report.total.operations, 100'000u);
    const std::string text = session_->app().text(PanelId::Quality);
    EXPECT_NE(
        text.find(fmt::format("{:.2f} host instructions an operation", report.total.expansion())),
        std::string::npos)
        << text;
    expect_drawn(drawn(PanelId::Quality), text, 2);
    ASSERT_TRUE(now().heat);
    EXPECT_GT(now().heat->most, 1000u);
    const std::string csv = machine::quality_csv(report, now().symbols.get());
    EXPECT_GT(std::ranges::count(csv, '\n'), 1);
    EXPECT_NE(csv.find(fmt::format(",{},", report.regions[0].executed.instructions)),
              std::string::npos)
        << csv;
}

TEST_F(LiveTest, SlowMotionIsFollowed) {
    open(demo("rotation.s"));
    session_->app().sink().send(machine::SetSpeed{6});
    script("run\nwait running");
    std::vector<std::uint64_t> seen;
    bool changed = false;
    for (int i = 0; i < 600 && seen.size() < 6; ++i) {
        window_->wait(0.02);
        session_->frame();
        if (now().run_state != machine::RunState::Running) break;
        if (seen.empty() || seen.back() != now().ip) seen.push_back(now().ip);
        changed |= session_->app().text(PanelId::Registers).find("changed") != std::string::npos;
    }
    EXPECT_GE(seen.size(), 5u) << "every bundle is to be seen";
    EXPECT_TRUE(changed) << "values fade as at stops";
}

TEST_F(LiveTest, WaitingForInputIsSaidAndShown) {
    open(guest("rot13"));
    script("run\nwait running");
    for (int i = 0; i < 300 && !now().reads_input; ++i) {
        window_->wait(0.01);
        session_->frame();
    }
    ASSERT_TRUE(now().reads_input);
    EXPECT_EQ(now().call, "read(0)");
    script("input hello\nkey Ctrl+D\nwait exited 20");
    EXPECT_FALSE(now().reads_input);
}

TEST_F(LiveTest, TheStartPageOpensADemo) {
    open(demo("swap.s"));
    ApplicationOptions application;
    application.still = true;
    application.launch.own_streams = true;
    for (const char* name : {"select.s", "swap.s"}) application.demos.push_back(demo(name));
    session_.reset();
    source_->machine().on_publish({});
    source_ = std::make_unique<MachineSource>();
    session_ = std::make_unique<Session>(*window_, *source_, settings_, application);
    for (int i = 0; i < 4; ++i) session_->frame();
    EXPECT_EQ(now().run_state, machine::RunState::NoProgram);
    const DemoCard card = demo_card(demo("swap.s"));
    EXPECT_EQ(card.title, "Swap");
    EXPECT_TRUE(card.line.starts_with("Swap in one bundle")) << card.line;
    EXPECT_GE(card.units.size(), 4u);
    EXPECT_EQ(card.units[0], 1u << 6) << "setwd and setbn";
    EXPECT_EQ(demo_card("/nowhere/else.s").title, "Else");
}

TEST_F(LiveTest, ClosingWhileTheGuestRunsEndsCleanly) {
    open(guest("rot13"));  // waits for input
    script("run\nwait running\nframes 5");
    session_.reset();
    source_->machine().on_publish({});
    source_.reset();
}

TEST_F(LiveTest, BadFilesGiveANotice) {
    open(guest("dot_pipe"));
    const std::string path = std::string(E2K_SOURCE_DIR) + "/CMakeLists.txt";
    session_->app().open(path, {});
    for (int i = 0; i < 400 && session_->app().logs().notices().empty(); ++i) {
        window_->wait(0.01);
        session_->frame();
    }
    ASSERT_FALSE(session_->app().logs().notices().empty());
    EXPECT_TRUE(session_->app().logs().notices()[0].error);
}

TEST_F(LiveTest, ARefusedDirectoryIsAllowedWithOneClick) {
    const ScratchDirectory folder;
    const std::string outside = (folder.path() / "outside").string();
    fs::create_directory(outside);
    const std::string path = (folder.path() / "writer.s").string();
    std::ofstream(path) << e2k::test::with_macros(fmt::format(R"(
        begin
        sys 5, inside, 0x41, 0x1a4
        sys 5, outside, 0x41, 0x1a4
        quit
        .data
inside: .asciz "made"
outside: .asciz "{}/made"
)",
                                                              outside));
    open(path, (folder.path() / "scratch").string());
    ASSERT_FALSE(session_->app().logs().notices().empty());
    EXPECT_NE(session_->app().logs().notices()[0].text.find("scratch/writer.s"), std::string::npos);
    script("run\nwait exited 20\nframes 2");
    EXPECT_TRUE(fs::exists(folder.path() / "scratch/writer.s/made"));
    EXPECT_FALSE(fs::exists(outside + "/made"));
    Logs& logs = session_->app().logs();
    const machine::Notice notice = logs.notices().back();
    EXPECT_NE(notice.text.find(outside + "/made"), std::string::npos) << notice.text;
    ASSERT_EQ(notice.refused_in, outside);

    while (!logs.notices().empty()) logs.dismiss_notice(0);
    session_->app().allow(notice.refused_in);
    script("wait paused 20\nrun\nwait exited 20\nframes 2");
    EXPECT_TRUE(fs::exists(outside + "/made"));
    for (const machine::Notice& later : logs.notices()) ADD_FAILURE() << later.text;
}

TEST(Workbench, WithoutADisplayItNamesTheHeadlessCommands) {
    const char* display = std::getenv("DISPLAY");
    const std::string kept = display ? display : "";
    ::unsetenv("DISPLAY");
    WorkbenchOptions options;
    options.screenshot = "/nonexistent/picture.png";
    const auto result = run_workbench(options);
    if (!kept.empty()) ::setenv("DISPLAY", kept.c_str(), 1);
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().find("e2kwb run"), std::string::npos) << result.error();
}

}  // namespace
}  // namespace e2k::ui::test
