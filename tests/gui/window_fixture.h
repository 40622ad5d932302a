// A window on hand-made snapshots, for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/gui/synthetic.h"
#include "tests/support/display.h"
#include "ui/actions.h"
#include "ui/session.h"

namespace e2k::ui::test {

class WindowTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (const std::string problem = e2k::test::need_display(); !problem.empty())
            GTEST_SKIP() << problem;
    }

    void open(int width = 1280, int height = 800, bool visible = false,
              const std::string& layout = "debug") {
        session_.reset();
        window_.reset();
        WindowOptions options;
        options.width = width;
        options.height = height;
        options.visible = visible;
        options.scale = 1;
        auto window = Window::create(options);
        if (!window) throw std::runtime_error(window.error());
        window_ = std::move(*window);
        settings_ = Settings();
        settings_.layout = layout;
        source_ = std::make_unique<SyntheticSource>();
        source_->publish(sample_snapshot());
        source_->calls = sample_calls();
        source_->chunks = {{0, 1, "hello from the guest\n"}, {1, 2, "and an error\n"}};
        ApplicationOptions application;
        application.still = true;
        session_ = std::make_unique<Session>(*window_, *source_, settings_, application);
        frames(4);
    }

    void frames(int count) {
        for (int i = 0; i < count; ++i) session_->frame();
    }

    void key(const std::string& keys) {
        int code = 0;
        bool ctrl = false, shift = false, alt = false;
        ASSERT_TRUE(parse_keys(keys, code, ctrl, shift, alt)) << keys;
        window_->inject_key(code, ctrl, shift, alt);
        frames(2);
    }

    void click(float x, float y) {
        window_->inject_mouse(x, y, false, false);
        frames(2);
        window_->inject_mouse(x, y, true, false);
        frames(1);
        window_->inject_mouse(x, y, false, false);
        frames(2);
        window_->inject_mouse(-1, -1, false, false);
        frames(1);
    }

    std::string drawn(PanelId panel) {
        session_->app().workspace().reveal(panel);
        frames(3);
        session_->app().capture(panel);
        frames(1);
        session_->app().capture(std::nullopt);
        return session_->app().captured();
    }

    /// Topmost run of at least `least` pixels of `colour` in a column of the left 60 pixels.
    struct Bar {
        int x = -1, top = -1, bottom = -1;
    };
    static Bar find_bar(const Image& image, ImU32 colour, int least) {
        for (int x = 0; x < 60; ++x) {
            for (int y = 110; y < image.height; ++y) {  // below tool bar and banner
                int end = y;
                while (end < image.height && image.at(x, end) == colour) ++end;
                if (end - y >= least) return {x, y, end};
                y = end;
            }
        }
        return {};
    }

    std::unique_ptr<Window> window_;
    std::unique_ptr<SyntheticSource> source_;
    Settings settings_;
    std::unique_ptr<Session> session_;
};

/// Without blanks: the grid wraps and pads, the words must be the same.
inline std::string squeeze(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c != ' ') out += c;
    }
    return out;
}

/// Every non-empty cell of every drawn row.
inline std::vector<std::string> cells_of(const std::string& text) {
    std::vector<std::string> cells;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        std::size_t at = 0;
        while (at <= line.size()) {
            const std::size_t end = std::min(line.find(" | ", at), line.size());
            const std::string cell = squeeze(line.substr(at, end - at));
            if (!cell.empty()) cells.push_back(cell);
            at = end + 3;
        }
    }
    return cells;
}

}  // namespace e2k::ui::test
