// The window under Xvfb with snapshots made by hand: what is drawn, keys, mouse, pixels.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <thread>

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#include <fmt/format.h>
#include <imgui_internal.h>

#include "tests/gui/synthetic.h"
#include "tests/gui/window_fixture.h"
#include "tests/support/display.h"
#include "ui/damage.h"
#include "ui/format.h"
#include "ui/session.h"
#include "ui/workbench.h"

namespace e2k::ui::test {
namespace {

TEST_F(WindowTest, BundlesShowTheSnapshotRowForRow) {
    open(1920, 1080);
    const std::string text = drawn(PanelId::Bundles);
    const std::string expected = squeeze(session_->app().text(PanelId::Bundles));
    std::istringstream in(text);
    int rows = 0;
    for (std::string line; std::getline(in, line); ++rows)
        EXPECT_NE(expected.find(squeeze(line)), std::string::npos) << line;
    EXPECT_GE(rows, 8);
    EXPECT_NE(squeeze(text).find(squeeze("▶ ● 0x11770 | ldw.s")), std::string::npos) << text;
}

TEST_F(WindowTest, RegistersShowTheSnapshot) {
    open(1920, 1080);
    source_->publish(sample_snapshot_after_step());
    frames(2);
    const std::string text = squeeze(drawn(PanelId::Registers));
    const auto& now = session_->app().snapshot();
    ASSERT_EQ(now.window.size(), 32u);
    for (std::size_t i = 0; i < now.window.size(); ++i) {
        if (now.window[i].tag) continue;
        const std::string value =
            without_thin_spaces(format_value(now.window[i].lo, NumberView::Hex));
        EXPECT_NE(text.find(value), std::string::npos) << "r" << i;
    }
    EXPECT_NE(text.find("r11b[21]0000000000001234"), std::string::npos) << text;
    EXPECT_NE(text.find("diag"), std::string::npos);
}

TEST_F(WindowTest, OtherPanelsDrawTheirText) {
    open(1920, 1080);
    for (const PanelId panel : {PanelId::Syscalls, PanelId::Console, PanelId::HostCode,
                                PanelId::CallStack, PanelId::Breakpoints}) {
        const std::string expected = squeeze(session_->app().text(panel));
        const auto cells = cells_of(drawn(panel));
        EXPECT_FALSE(cells.empty()) << panel_info(panel).name;
        std::size_t found = 0;
        for (std::string cell : cells) {
            // Long texts end in an ellipsis.
            if (cell.ends_with("…")) cell.resize(cell.size() - std::string_view("…").size());
            found += expected.find(cell) != std::string::npos;
        }
        // The legend of the host-code panel is drawn only.
        const std::size_t extra = panel == PanelId::HostCode ? 9 : 0;
        EXPECT_GE(found + extra, cells.size()) << panel_info(panel).name << "\n" << expected;
    }
}

TEST_F(WindowTest, HostCodeShowsExecutionsAndLeadsToTheWorstBundle) {
    open(1920, 1080);
    EXPECT_EQ(squeeze(drawn(PanelId::HostCode)).find("12.3k|0x11770"), std::string::npos);
    const ImGuiWindow* panel = nullptr;
    for (const ImGuiWindow* window : ImGui::GetCurrentContext()->Windows)
        if (std::string_view(window->Name).find("/host-code_") != std::string_view::npos &&
            std::string_view(window->Name).find("/rows_") == std::string_view::npos)
            panel = window;
    ASSERT_NE(panel, nullptr);
    // The buttons stand side by side at the top.
    const float pad = ImGui::GetStyle().FramePadding.x;
    const float x = panel->WorkRect.Min.x, y = panel->WorkRect.Min.y + 8;
    const auto width = [&](const char* label) { return ImGui::CalcTextSize(label).x + 2 * pad; };
    click(x + 10, y);
    const auto sent = source_->commands<machine::SetProfile>();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_TRUE(sent[0].on);

    machine::Snapshot counted = sample_snapshot();
    counted.region = counted_region();
    counted.profile = true;
    source_->publish(counted);
    frames(2);
    session_->app().selection().bundle = 0x11770;  // not chosen by the button
    const auto cells = cells_of(drawn(PanelId::HostCode));
    for (const char* cell : {"12.3k", "100%", "345", "0.3%"})
        EXPECT_NE(std::ranges::find(cells, cell), cells.end()) << cell;
    // The legend: 5 of the 15 and 1 of the 2 instructions are semantics.
    EXPECT_NE(std::ranges::find(cells, "semantics33%"), cells.end()) << drawn(PanelId::HostCode);
    click(x + width("Count") + width("Bytes") + 2 + 12 + 10, y);
    EXPECT_EQ(session_->app().selection().bundle, 0x11770u);
    click(x + width("Count") + width("Bytes") + 2 + 12 + 10, y);
    EXPECT_EQ(session_->app().selection().bundle, 0x11798u);
    click(x + 10, y);
    ASSERT_EQ(source_->commands<machine::SetProfile>().size(), 2u);
    EXPECT_FALSE(source_->commands<machine::SetProfile>()[1].on);
}

TEST_F(WindowTest, KeysSendCommands) {
    open();
    key("F11");
    key("F10");
    key("Shift+F11");
    key("F5");
    EXPECT_EQ(source_->commands<machine::StepBundle>().size(), 1u);
    EXPECT_EQ(source_->commands<machine::StepOver>().size(), 1u);
    EXPECT_EQ(source_->commands<machine::StepOut>().size(), 1u);
    EXPECT_EQ(source_->commands<machine::Run>().size(), 1u);
    key("F9");
    const auto breakpoints = source_->commands<machine::SetBreakpoint>();
    ASSERT_EQ(breakpoints.size(), 1u);
    EXPECT_EQ(breakpoints[0].address, sample_snapshot().ip);
    EXPECT_FALSE(breakpoints[0].enabled) << "there was one already";
    machine::Snapshot running = sample_snapshot();
    running.run_state = machine::RunState::Running;
    running.live = true;
    source_->publish(running);
    frames(1);
    key("F5");
    EXPECT_EQ(source_->commands<machine::Pause>().size(), 1u);
    key("F11");
    EXPECT_EQ(source_->commands<machine::StepBundle>().size(), 1u) << "no stepping while it runs";
}

TEST_F(WindowTest, GoToFindsSymbols) {
    open();
    key("Ctrl+G");
    frames(2);
    ImGui::GetIO().AddInputCharactersUTF8("_start+0x10");
    frames(2);
    key("Enter");
    frames(2);
    const auto shown = source_->commands<machine::ShowCode>();
    ASSERT_EQ(shown.size(), 1u);
    EXPECT_EQ(shown[0].address, 0x100c0u);
    EXPECT_EQ(session_->app().selection().bundle, 0x100c0u);
}

TEST_F(WindowTest, CurrentBarStandsAtTheCurrentRowAndMoves) {
    open();
    const ImU32 amber = session_->app().theme().current;
    const Bar before = find_bar(window_->read_pixels(), amber, 20);
    ASSERT_GE(before.x, 0) << "no amber bar";
    click(static_cast<float>(before.x) + 60, static_cast<float>(before.top) + 10);
    EXPECT_EQ(session_->app().selection().bundle, sample_snapshot().ip);
    source_->publish(sample_snapshot_after_step());
    frames(4);
    const Bar after = find_bar(window_->read_pixels(), amber, 20);
    ASSERT_GE(after.x, 0);
    // What stands beside the bar is the current bundle: clicking it selects that address.
    click(static_cast<float>(after.x) + 60, static_cast<float>(after.top) + 10);
    EXPECT_EQ(session_->app().selection().bundle, sample_snapshot_after_step().ip);
}

TEST_F(WindowTest, ClickInTheGutterSetsABreakpoint) {
    open();
    source_->publish(sample_snapshot_after_step());
    frames(4);
    const Bar bar = find_bar(window_->read_pixels(), session_->app().theme().current, 20);
    ASSERT_GE(bar.x, 0);
    click(static_cast<float>(bar.x) + 10, static_cast<float>(bar.top) + 10);
    const auto breakpoints = source_->commands<machine::SetBreakpoint>();
    ASSERT_EQ(breakpoints.size(), 1u);
    EXPECT_EQ(breakpoints[0].address, 0x11798u);
    EXPECT_TRUE(breakpoints[0].enabled);
}

TEST_F(WindowTest, ClickSelectsABundleAndLinksThePanels) {
    open();
    source_->publish(sample_snapshot_after_step());
    frames(4);
    const Bar bar = find_bar(window_->read_pixels(), session_->app().theme().current, 20);
    ASSERT_GE(bar.x, 0);
    click(static_cast<float>(bar.x) + 60, static_cast<float>(bar.top) - 12);
    EXPECT_EQ(session_->app().selection().bundle, 0x11770u);
}

TEST_F(WindowTest, ConsoleSendsLines) {
    open();
    session_->app().workspace().reveal(PanelId::Console);
    session_->app().panels().console.focus = true;
    frames(4);
    ImGui::GetIO().AddInputCharactersUTF8("some input");
    frames(2);
    key("Enter");
    const auto inputs = source_->commands<machine::Input>();
    ASSERT_EQ(inputs.size(), 1u);
    EXPECT_EQ(inputs[0].bytes, "some input\n");
    EXPECT_NE(session_->app().text(PanelId::Console).find("some input"), std::string::npos);
}

TEST_F(WindowTest, PicturesAreFullAndTheSameEveryTime) {
    open();
    frames(4);
    const Image first = window_->read_pixels();
    ASSERT_EQ(first.width, 1280);
    ASSERT_EQ(first.height, 800);
    std::vector<ImU32> colours;
    for (int y = 0; y < first.height; y += 3) {
        for (int x = 0; x < first.width; x += 3) colours.push_back(first.at(x, y));
    }
    std::sort(colours.begin(), colours.end());
    colours.erase(std::unique(colours.begin(), colours.end()), colours.end());
    EXPECT_GT(colours.size(), 100u) << "the picture is blank";
    open();
    frames(4);
    EXPECT_EQ(window_->read_pixels().rgba, first.rgba);
}

TEST_F(WindowTest, EveryLayoutAndThemeDraws) {
    for (const char* layout : kLayoutNames) {
        open(1280, 800, false, layout);
        session_->app().perform(Action::ToggleTheme);
        session_->app().perform(Action::FontLarger);
        frames(3);
        const ImU32 background = window_->read_pixels().at(1276, 200);
        EXPECT_NE(background & 0xffffff, 0u) << layout;
        EXPECT_FALSE(session_->app().theme().dark);
    }
}

TEST_F(WindowTest, ALayoutNameFromElsewhereOpensTheFirstLayout) {
    open(1280, 800, false, "no such layout");
    EXPECT_EQ(session_->app().workspace().layout, "debug");
    EXPECT_FALSE(session_->app().workspace().columns.empty());
}

TEST_F(WindowTest, NoticesStayUntilClosed) {
    open();
    source_->messages = {{1, true, "cannot open nothing.elf: it does not exist"}};
    frames(3);
    ASSERT_EQ(session_->app().logs().notices().size(), 1u);
    const Image image = window_->read_pixels();
    const ImU32 red = session_->app().theme().error;
    bool seen = false;
    for (int y = 600; y < 790 && !seen; ++y) {
        for (int x = 800; x < 1279 && !seen; ++x) seen = image.at(x, y) == red;
    }
    EXPECT_TRUE(seen);
}

TEST_F(WindowTest, ScriptsReportWhatIsWrong) {
    open();
    for (const char* bad : {"fly", "dump nothing", "key Hyper+X", "break nowhere"}) {
        Script script(bad);
        EXPECT_FALSE(session_->run(script, 1)) << bad;
    }
    Script script("wait exited 0.01");
    EXPECT_FALSE(session_->run(script, 1));
}

TEST_F(WindowTest, RealKeyEventsArrive) {
    if (std::system("command -v xdotool >/dev/null 2>&1") != 0)
        GTEST_SKIP() << "xdotool is not installed";
    open(900, 600, true);
    frames(5);
    std::thread typist([] {
        // There is no window manager: give the window the keyboard, then press the key.
        [[maybe_unused]] const int status = std::system(
            "timeout 20 xdotool search --sync --onlyvisible --class e2kwb windowfocus "
            "&& sleep 0.3 && xdotool key F11 && sleep 0.3 && xdotool key F10");
    });
    for (int i = 0; i < 500 && source_->commands<machine::StepOver>().empty(); ++i) {
        window_->wait(0.02);
        frames(1);
    }
    typist.join();
    EXPECT_EQ(source_->commands<machine::StepBundle>().size(), 1u);
    EXPECT_EQ(source_->commands<machine::StepOver>().size(), 1u);
}

TEST(NoDisplay, SaysWhy) {
    const char* display = std::getenv("DISPLAY");
    const std::string kept = display ? display : "";
    ::unsetenv("DISPLAY");
    const auto window = Window::create({});
    if (!kept.empty()) ::setenv("DISPLAY", kept.c_str(), 1);
    ASSERT_FALSE(window);
    EXPECT_NE(window.error().find("DISPLAY"), std::string::npos) << window.error();
}

/// Bytes of the sample's code, and one page that cannot be read.
std::shared_ptr<machine::MemoryBlock> sample_memory(std::uint64_t address, std::uint32_t size) {
    auto block = std::make_shared<machine::MemoryBlock>();
    block->address = address;
    for (std::uint32_t i = 0; i < size; ++i) {
        block->bytes.push_back(static_cast<std::uint8_t>((address + i) * 7));
        block->readable.push_back(i < size / 2);
    }
    return block;
}

TEST_F(WindowTest, MemoryFollowsARegisterAndMarksChangedBytes) {
    open(1920, 1080);
    session_->app().panels().memory.follow = {RegisterRef::Kind::Window, 1};  // 0x20154
    static_cast<void>(drawn(PanelId::Memory));
    const auto asked = source_->commands<machine::ReadMemory>();
    ASSERT_FALSE(asked.empty());
    EXPECT_LE(asked.back().address, 0x20150u);
    EXPECT_GE(asked.back().address + asked.back().size, 0x20160u);

    machine::Snapshot stop = sample_snapshot();
    stop.memory = sample_memory(0x20100, 0xe0);
    source_->publish(stop);
    std::string text = squeeze(drawn(PanelId::Memory));
    std::string row = "0x20150";
    for (std::uint64_t a = 0x20150; a < 0x20160; ++a)
        row += fmt::format("{:02x}", static_cast<std::uint8_t>(a * 7));
    EXPECT_NE(text.find(row), std::string::npos) << text;
    EXPECT_NE(text.find("0x20170································"), std::string::npos) << text;
    EXPECT_EQ(session_->app().text(PanelId::Memory).find('*'), std::string::npos);

    // At the next stop one byte is another, and the register points elsewhere.
    stop = sample_snapshot_after_step();
    auto block = sample_memory(0x20100, 0xe0);
    block->bytes[0x58] ^= 0xff;
    stop.memory = block;
    source_->publish(stop);
    frames(2);
    const auto& state = session_->app().panels().memory;
    EXPECT_TRUE(changed_byte(state, 0x20158));
    EXPECT_FALSE(changed_byte(state, 0x20159));
    EXPECT_NE(
        session_->app().text(PanelId::Memory).find(fmt::format("{:02x}*", block->bytes[0x58])),
        std::string::npos);
    stop.counters.bundles += 1;
    stop.window[1].lo = 0x31004;
    source_->publish(stop);
    frames(2);
    EXPECT_EQ(state.marked, 0x31004u);
    EXPECT_LE(source_->commands<machine::ReadMemory>().back().address, 0x31000u);
}

TEST_F(WindowTest, MemoryKnowsPlaces) {
    const machine::Snapshot now = sample_snapshot();
    EXPECT_EQ(memory_place(now, "%r1"), now.window[1].lo);
    EXPECT_EQ(memory_place(now, "dr1"), now.window[1].lo);
    EXPECT_EQ(memory_place(now, "%g2"), 0x2000u);
    EXPECT_EQ(memory_place(now, "sp"), now.stack_pointer);
    EXPECT_EQ(memory_place(now, "main+0x18"), 0x11018u);
    EXPECT_EQ(memory_place(now, "0x123456"), 0x123456u);
    EXPECT_EQ(memory_place(now, "%r500"), 0u);
    EXPECT_EQ(memory_place(now, "no such thing"), 0u);
}

/// The picture drawn piece by piece equals the one drawn at once.
TEST_F(WindowTest, PartialRedrawsLeaveTheSamePicture) {
    open(1280, 800);
    const auto check = [&](const std::string& after) {
        const Image parts = window_->read_pixels();
        window_->redraw_all();
        frames(1);
        const Image whole = window_->read_pixels();
        std::size_t different = 0;
        for (int y = 0; y < whole.height; ++y)
            for (int x = 0; x < whole.width; ++x) different += parts.at(x, y) != whole.at(x, y);
        EXPECT_EQ(different, 0u) << after;
    };
    check("opening");
    source_->publish(sample_snapshot_after_step());
    frames(2);
    check("a step");
    machine::Snapshot running = sample_snapshot_after_step();
    running.live = true;
    running.run_state = machine::RunState::Running;
    for (int i = 0; i < 5; ++i) {
        running.counters.bundles = running.counters.bundles * 11 + 17;
        running.window_file[45].lo = running.counters.bundles;
        running.window[5].lo = running.counters.bundles;
        source_->publish(running);
        frames(1);
    }
    check("running");
    window_->inject_mouse(300, 250, false, false);
    frames(3);
    check("a tool tip");
    window_->inject_mouse(300, 250, false, false, -2);
    frames(3);
    check("scrolling");
    window_->inject_mouse(900, 600, false, false);
    frames(2);
    check("the tool tip gone");
    key("Ctrl+2");
    frames(2);
    check("another layout");
}

TEST_F(WindowTest, AnUnchangedPictureIsNotDrawnAgain) {
    open(1280, 800);
    Damage damage;
    frames(1);
    ASSERT_EQ(damage.update(*ImGui::GetDrawData()).size(), 1u) << "all of the first one";
    frames(1);
    EXPECT_TRUE(damage.update(*ImGui::GetDrawData()).empty());
    machine::Snapshot next = sample_snapshot();
    next.window_file[45].lo ^= 0xf;
    next.window[5].lo ^= 0xf;
    next.live = true;
    source_->publish(next);
    frames(1);
    long area = 0;
    const auto rects = damage.update(*ImGui::GetDrawData());
    for (const PixelRect& rect : rects) area += rect.area();
    EXPECT_GT(area, 0);
    EXPECT_LT(area, 1280 * 800 / 8);
    for (std::size_t i = 0; i < rects.size(); ++i)
        for (std::size_t j = i + 1; j < rects.size(); ++j) EXPECT_FALSE(rects[i].touches(rects[j]));
}

}  // namespace
}  // namespace e2k::ui::test
