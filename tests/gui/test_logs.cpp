// What the window keeps of a program's news, and what it makes of time and keys; no window needed.
#include <gtest/gtest.h>

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include <chrono>
#include <string>

#include "tests/gui/synthetic.h"
#include "ui/key_layout.h"
#include "ui/scene.h"
#include "ui/session.h"

namespace e2k::ui::test {
namespace {

using namespace std::chrono_literals;

/// A source that hands out the newest entries only, as the machine's bounded logs do.
class Ring final : public Source {
public:
    void send(machine::Command) override {}
    std::shared_ptr<const machine::Snapshot> snapshot() override { return snapshot_; }
    machine::LogSlice<guest::SyscallRecord> syscalls(std::uint64_t after) override {
        machine::LogSlice<guest::SyscallRecord> out;
        out.next = next;
        out.first = first;
        for (std::uint64_t n = std::max({after, first, next - std::min(next, kept)}); n < next;
             ++n) {
            auto& record = out.items.emplace_back();
            record.sequence = n;
            record.name = "getpid";
            record.arguments = std::string(argument_bytes, 'x');
        }
        return out;
    }
    machine::LogSlice<machine::ConsoleChunk> console(std::uint64_t after) override {
        machine::LogSlice<machine::ConsoleChunk> out;
        out.next = after + chunks.size();
        out.first = console_first;
        for (std::string& text : chunks) out.items.push_back({0, 1, std::move(text)});
        chunks.clear();
        return out;
    }
    machine::LogSlice<machine::Notice> notices(std::uint64_t) override { return {}; }

    std::uint64_t next = 0, first = 0, kept = 1000, console_first = 0;
    std::size_t argument_bytes = 0;
    std::vector<std::string> chunks;

private:
    std::shared_ptr<const machine::Snapshot> snapshot_ = std::make_shared<machine::Snapshot>();
};

TEST(Logs, EveryCallIsCountedOnce) {
    Ring source;
    Logs logs;
    source.next = 900;
    logs.pull(source);
    EXPECT_EQ(logs.syscalls_total(), 900u);
    source.next = 5000;  // 3100 of them were gone before anybody looked
    logs.pull(source);
    EXPECT_EQ(logs.syscalls_total(), 5000u);
    EXPECT_EQ(logs.syscalls().size(), 1900u);
    EXPECT_EQ(logs.syscalls_dropped(), 3100u);
    for (int i = 0; i < 300; ++i) {
        source.next += 1000;
        logs.pull(source);
    }
    EXPECT_EQ(logs.syscalls_total(), 305'000u);
    EXPECT_EQ(logs.syscalls().size() + logs.syscalls_dropped(), 305'000u);
    EXPECT_EQ(logs.number_of(logs.syscalls().back()), 304'999u);
}

TEST(Logs, AnotherRunCountsFromTheBeginning) {
    Ring source;
    Logs logs;
    source.next = 900;
    logs.pull(source);
    logs.clear();  // the command to restart is on its way
    EXPECT_EQ(logs.syscalls_total(), 0u);
    source.next = 902;  // the last news of the old run
    logs.pull(source);
    source.first = 902;
    source.next = 905;
    logs.pull(source);
    EXPECT_EQ(logs.syscalls_total(), 3u);
    ASSERT_EQ(logs.syscalls().size(), 3u);
    EXPECT_EQ(logs.number_of(logs.syscalls().front()), 0u);
}

TEST(Logs, CallsAreBoundedInBytes) {
    Ring source;
    Logs logs;
    source.argument_bytes = 4000;
    for (int i = 0; i < 30; ++i) {
        source.next += 1000;
        logs.pull(source);
    }
    std::size_t bytes = 0;
    for (const auto& call : logs.syscalls()) bytes += call.arguments.size();
    EXPECT_LT(bytes, 40u << 20);
    EXPECT_EQ(logs.syscalls_total(), 30'000u);
}

std::size_t console_bytes(const Logs& logs) {
    std::size_t bytes = 0;
    for (const auto& line : logs.console()) bytes += line.text.size();
    return bytes;
}

TEST(Logs, EndlessOutputIsBounded) {
    for (const std::string& piece : {std::string(1u << 20, 'x'), std::string(4000, 'y') + "\n",
                                     std::string("z\n"), std::string(5000, 'r') + "\r"}) {
        Ring source;
        Logs logs;
        for (int i = 0; i < 100; ++i) {
            for (std::size_t k = 0; k < std::min<std::size_t>(300, (1u << 20) / piece.size() + 1);
                 ++k)
                source.chunks.push_back(piece);
            logs.pull(source);
        }
        EXPECT_LE(console_bytes(logs), 9u << 20) << piece.size();
        EXPECT_LE(logs.console().size(), 20'000u);
        for (const auto& line : logs.console()) ASSERT_LE(line.text.size(), 4096u);
        EXPECT_EQ(logs.console().back().text.front(), piece.front()) << "the newest is kept";
    }
}

TEST(Logs, AnotherRunHasAnEmptyConsole) {
    Ring source;
    Logs logs;
    source.chunks = {"old"};
    logs.pull(source);
    source.console_first = 1;
    source.chunks = {"new\n"};
    EXPECT_TRUE(logs.pull(source));
    ASSERT_EQ(logs.console().size(), 1u);
    EXPECT_EQ(logs.console()[0].text, "new");
}

TEST(Logs, AFailureThatRepeatsIsOneNotice) {
    Logs logs;
    for (int i = 0; i < 1000; ++i) logs.notice(true, "the same");
    EXPECT_EQ(logs.notices().size(), 1u);
    for (int i = 0; i < 1000; ++i) logs.notice(true, std::to_string(i));
    EXPECT_LE(logs.notices().size(), 100u);
    EXPECT_EQ(logs.notices().back().text, "999");
}

// --- time ---

TEST(FrameTime, IsInSeconds) {
    EXPECT_DOUBLE_EQ(seconds_left(20ms, 5ms), 0.015);
    EXPECT_DOUBLE_EQ(seconds_left(20ms, 25ms), 0);
    EXPECT_DOUBLE_EQ(seconds_left(1s, 0ms), 1);
}

// --- keys ---

TEST(KeyLayout, KeysAreWhatTheyWrite) {
    // A French keyboard has A where a US one has Q.
    EXPECT_EQ(key_by_layout(GLFW_KEY_Q, "a"), GLFW_KEY_A);
    EXPECT_EQ(key_by_layout(GLFW_KEY_A, "q"), GLFW_KEY_Q);
    EXPECT_EQ(key_by_layout(GLFW_KEY_SEMICOLON, "m"), GLFW_KEY_M);
    EXPECT_EQ(key_by_layout(GLFW_KEY_M, ","), GLFW_KEY_COMMA);
    EXPECT_EQ(key_by_layout(GLFW_KEY_6, "-"), GLFW_KEY_MINUS);
    EXPECT_EQ(key_by_layout(GLFW_KEY_MINUS, ")"), -1);
    // Its digits are written with Shift: the key keeps its place.
    EXPECT_EQ(key_by_layout(GLFW_KEY_1, "&"), GLFW_KEY_1);
    EXPECT_EQ(key_by_layout(GLFW_KEY_2, "\u00e9"), GLFW_KEY_2);
    // German, US, and a layout without Latin letters.
    EXPECT_EQ(key_by_layout(GLFW_KEY_Y, "z"), GLFW_KEY_Z);
    EXPECT_EQ(key_by_layout(GLFW_KEY_Q, "q"), GLFW_KEY_Q);
    EXPECT_EQ(key_by_layout(GLFW_KEY_Q, "\u0439"), GLFW_KEY_Q);
    EXPECT_EQ(key_by_layout(GLFW_KEY_SEMICOLON, "\u0436"), -1);
    // Keys that write nothing, or stand in another block.
    EXPECT_EQ(key_by_layout(GLFW_KEY_F5, nullptr), GLFW_KEY_F5);
    EXPECT_EQ(key_by_layout(GLFW_KEY_KP_1, "1"), GLFW_KEY_KP_1);
    EXPECT_EQ(key_by_layout(GLFW_KEY_SPACE, nullptr), GLFW_KEY_SPACE);
}

}  // namespace
}  // namespace e2k::ui::test
