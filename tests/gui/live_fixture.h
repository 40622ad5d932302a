// A window on the real machine, for tests.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/support/display.h"
#include "ui/machine_source.h"
#include "ui/session.h"

namespace e2k::ui::test {

namespace fs = std::filesystem;

class LiveTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (const std::string problem = e2k::test::need_display(); !problem.empty())
            GTEST_SKIP() << problem;
        if (!fs::exists(guest("dot_pipe")))
            GTEST_SKIP() << "guests are not here: " << guest("dot_pipe");
    }

    static std::string guest(const std::string& name) {
        return std::string(E2K_SOURCE_DIR) + "/tests/data/guests/elf/" + name;
    }

    void open(const std::string& path, const std::string& scratch = {}, int width = 1600,
              int height = 1000) {
        WindowOptions options;
        options.width = width;
        options.height = height;
        options.visible = false;
        options.scale = 1;
        auto window = Window::create(options);
        if (!window) throw std::runtime_error(window.error());
        window_ = std::move(*window);
        source_ = std::make_unique<MachineSource>();
        source_->machine().on_publish([] { Window::wake(); });
        ApplicationOptions application = options_;
        application.still = scratch.empty();
        application.scratch = scratch;
        application.launch.own_streams = true;
        application.launch.process.policy.sandbox = true;
        session_ = std::make_unique<Session>(*window_, *source_, settings_, application);
        if (path.empty()) return;
        session_->app().open(path, {});
        script("wait program");
    }

    void script(const std::string& text) {
        Script commands(text);
        const auto ran = session_->run(commands, 3);
        if (!ran) throw std::runtime_error(ran.error());
    }

    void TearDown() override {
        session_.reset();
        if (source_) source_->machine().on_publish({});
        source_.reset();
        window_.reset();
    }

    std::string drawn(PanelId panel) {
        session_->app().workspace().reveal(panel);
        for (int i = 0; i < 3; ++i) session_->frame();
        session_->app().capture(panel);
        session_->frame();
        session_->app().capture(std::nullopt);
        return session_->app().captured();
    }

    const machine::Snapshot& now() { return session_->app().snapshot(); }

    Settings settings_;
    ApplicationOptions options_;  ///< what is not set by open()
    std::unique_ptr<Window> window_;
    std::unique_ptr<MachineSource> source_;
    std::unique_ptr<Session> session_;
};

}  // namespace e2k::ui::test
