// What people do in the window, on snapshots made by hand: the palette, find, another language, a
// guest that waits, threads.
#include <gtest/gtest.h>

#include <algorithm>

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include "tests/gui/window_fixture.h"
#include "ui/workbench.h"

namespace e2k::ui::test {
namespace {

TEST_F(WindowTest, ThePaletteReachesPanelsAndPlaces) {
    open();
    key("Ctrl+P");
    frames(2);
    ImGui::GetIO().AddInputCharactersUTF8("memory");
    frames(2);
    key("Enter");
    frames(3);
    const auto& columns = session_->app().workspace().columns;
    bool in_front = false;
    for (const Column& column : columns)
        for (const Cell& cell : column.cells)
            in_front |= cell.tabs[static_cast<std::size_t>(cell.active)] == PanelId::Memory;
    EXPECT_TRUE(in_front);
    key("Ctrl+P");
    frames(2);
    ImGui::GetIO().AddInputCharactersUTF8("dot_double");
    frames(2);
    key("Enter");
    frames(2);
    EXPECT_EQ(session_->app().selection().bundle, 0x117a8u);
    key("Alt+5");
    frames(3);
    EXPECT_TRUE(session_->app().workspace().shows(PanelId::Console));
}

TEST_F(WindowTest, FindGoesFromMatchToMatch) {
    open();
    key("Ctrl+F");
    frames(2);
    ImGui::GetIO().AddInputCharactersUTF8("ldw");
    frames(2);
    const BundlesState& state = session_->app().panels().bundles;
    ASSERT_FALSE(state.found.empty());
    key("Enter");
    frames(2);
    const std::uint64_t first = session_->app().selection().bundle;
    ASSERT_NE(first, 0u);
    EXPECT_TRUE(std::ranges::any_of(
        state.found, [&](std::size_t row) { return state.rows[row].address == first; }));
    if (state.found.size() > 1) {
        key("Enter");
        frames(2);
        EXPECT_NE(session_->app().selection().bundle, first);
    }
    key("Escape");
    frames(2);
    EXPECT_FALSE(state.finding);
}

TEST_F(WindowTest, ArrowsMoveTheSelectionInOneFrame) {
    open();
    const Bar bar = find_bar(window_->read_pixels(), session_->app().theme().current, 14);
    ASSERT_GE(bar.x, 0);
    click(static_cast<float>(bar.x) + 60, static_cast<float>(bar.top) + 10);
    ASSERT_EQ(session_->app().selection().bundle, sample_snapshot().ip);
    window_->inject_key(GLFW_KEY_DOWN, false, false, false);
    frames(1);
    EXPECT_EQ(session_->app().selection().bundle, 0x11798u);
}

TEST_F(WindowTest, AnotherLanguageKeepsTabsAndWords) {
    open();
    session_->app().perform(Action::Russian);
    frames(3);
    EXPECT_EQ(settings_.language, "ru");
    EXPECT_NE(session_->app().text(PanelId::HostCode).find("команд"), std::string::npos);
    const std::string text = drawn(PanelId::State);
    EXPECT_NE(text.find("Предикаты"), std::string::npos) << text;
    const ImFont* font = session_->app().theme().prose;
    for (const ImWchar letter : {0x416, 0x44f, 0x451, 0x2009}) {
        if (!session_->app().theme().system_fonts) break;
        EXPECT_NE(font->FindGlyphNoFallback(letter), nullptr) << letter;
    }
    session_->app().perform(Action::English);
    frames(2);
    EXPECT_NE(drawn(PanelId::State).find("Predicates"), std::string::npos);
}

TEST_F(WindowTest, AGuestThatWaitsSaysSo) {
    open();
    session_->app().workspace().reveal(PanelId::Syscalls);
    frames(3);
    machine::Snapshot waiting = sample_snapshot();
    waiting.run_state = machine::RunState::Running;
    waiting.live = true;
    waiting.in_system_call = true;
    waiting.call = "read(0)";
    waiting.reads_input = true;
    source_->publish(waiting);
    frames(4);
    bool in_front = false;
    for (const Column& column : session_->app().workspace().columns)
        for (const Cell& cell : column.cells)
            in_front |= cell.tabs[static_cast<std::size_t>(cell.active)] == PanelId::Console;
    EXPECT_TRUE(in_front) << "the place to type";
    EXPECT_NE(session_->app().text(PanelId::Syscalls).find("read(0) | waits"), std::string::npos);
    EXPECT_NE(squeeze(drawn(PanelId::Syscalls)).find("read(0)|waits"), std::string::npos);
}

TEST_F(WindowTest, ThreadsAreChosen) {
    open();
    machine::Snapshot two = sample_snapshot();
    two.threads = 2;
    two.thread = 10;
    two.thread_list = {{10, two.ip, false}, {11, 0x11000, true}};
    source_->publish(two);
    frames(3);
    const Image before = window_->read_pixels();
    source_->publish(sample_snapshot());
    frames(3);
    EXPECT_NE(window_->read_pixels().rgba, before.rgba) << "no chooser for one thread";
}

}  // namespace
}  // namespace e2k::ui::test
