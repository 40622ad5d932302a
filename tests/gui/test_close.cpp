// The real window while translated code runs at full speed: what a user does, then closing it.
// Also the thread sanitizer's test of window and worker together (tests/run.sh --tsan).
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "tests/support/assembled_guest.h"
#include "tests/support/child_process.h"
#include "tests/support/display.h"
#include "ui/machine_source.h"
#include "ui/session.h"
#include "ui/workbench.h"

namespace e2k::ui::test {
namespace {

class CloseTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (const std::string problem = e2k::test::need_display(); !problem.empty())
            GTEST_SKIP() << problem;
        path_ = (directory_.path() / "endless").string();
        e2k::test::write_guest(path_, e2k::test::kEndlessLoop);
        // Settings of the person who runs the tests stay out of it.
        ::setenv("XDG_CONFIG_HOME", directory_.path().c_str(), 1);
    }
    void TearDown() override { ::unsetenv("XDG_CONFIG_HOME"); }

    /// The whole front end, as `e2kwb PROGRAM` opens it.
    void run(const std::string& script) {
        WorkbenchOptions options;
        options.argv = {path_};
        options.width = 1280;
        options.height = 800;
        options.scale = 1;
        options.script = script;
        const auto result = run_workbench(options);
        ASSERT_TRUE(result) << result.error();
        EXPECT_EQ(*result, 0);
    }

    e2k::test::ScratchDirectory directory_;
    std::string path_;
};

TEST_F(CloseTest, QuitWhileTheGuestRuns) {
    run("wait program\nrun\nwait running\nframes 30\nquit");
}

TEST_F(CloseTest, PauseResumeRestartAndKillWhileTheGuestRuns) {
    run("wait program\n"
        "key F5\nwait running\nframes 10\n"
        "key F5\nwait paused\n"
        "key F5\nwait running\nframes 5\n"
        "pause\nwait paused\nstep\nwait paused\nrun\nwait running\n"
        "show host-code\nframes 10\nshow syscalls\nframes 5\n"
        "restart\nwait paused\nrun\nwait running\nframes 5\n"
        "key Shift+F5\nwait stopped\n"
        "restart\nwait paused\nrun\nwait running\nframes 10\nquit");
}

TEST_F(CloseTest, QuitWhileTheProgramIsBeingOpened) { run("restart\nquit"); }

TEST_F(CloseTest, ClosingTheWindowEndsTheGuest) {
    WindowOptions options;
    options.width = 900;
    options.height = 600;
    options.scale = 1;
    auto window = Window::create(options);
    ASSERT_TRUE(window) << window.error();
    Settings settings;
    MachineSource source;
    source.machine().on_publish([] { Window::wake(); });
    ApplicationOptions application;
    application.launch.own_streams = true;
    application.launch.start_paused = false;
    Session session(**window, source, settings, application);
    session.app().open(path_, {});
    Script script("wait running\nframes 20");
    // The user's click on the window's button arrives between two frames.
    ASSERT_TRUE(session.run(script, 1));
    EXPECT_EQ(session.app().snapshot().run_state, machine::RunState::Running);
    (*window)->request_close();
    Script nothing("");
    ASSERT_TRUE(session.run(nothing, 0));
    source.machine().on_publish({});
}

}  // namespace
}  // namespace e2k::ui::test
