// The streams of a window: terminals for the guest, callbacks for the window.
#include <gtest/gtest.h>

#include <asm/termbits.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "tests/guest/caller.h"

namespace e2k::guest {
namespace {

using test::Caller;

constexpr std::uint32_t kFork = 2, kRead = 3, kWrite = 4, kIoctl = 54;
constexpr std::uint32_t kGetTermios = 0x5401, kSetTermios = 0x5402, kGetWindowSize = 0x5413;

/// A window's side of the streams: what is typed, and what has arrived.
class Keyboard {
public:
    StandardStreams streams(bool terminal) {
        StandardStreams streams;
        streams.terminal = terminal;
        streams.output = [this](int stream, std::string_view text) {
            std::lock_guard lock(mutex_);
            shown_ += fmt::format("{}[{}]", stream, text);
        };
        streams.input = [this](char* to, std::size_t most) { return take(to, most); };
        return streams;
    }
    void type(std::string_view text) {
        std::lock_guard lock(mutex_);
        typed_ += text;
        changed_.notify_all();
    }
    void end() {
        std::lock_guard lock(mutex_);
        ended_ = true;
        changed_.notify_all();
    }
    std::string shown() {
        std::lock_guard lock(mutex_);
        return shown_;
    }

private:
    std::size_t take(char* to, std::size_t most) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return ended_ || !typed_.empty(); });
        const std::size_t count = typed_.copy(to, most);
        typed_.erase(0, count);
        return count;
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string typed_, shown_;
    bool ended_ = false;
};

std::string bytes(Caller& guest, std::uint64_t at, std::int64_t count) {
    std::string text(static_cast<std::size_t>(count), '\0');
    EXPECT_TRUE(guest.memory().read(at, text.data(), text.size()));
    return text;
}

class Console : public testing::Test {
protected:
    Console() : guest_(options(true)), room_(guest_.room(256)) {}
    ~Console() override { keyboard_.end(); }

    ProcessOptions options(bool terminal) {
        ProcessOptions options;
        options.streams = keyboard_.streams(terminal);
        return options;
    }
    /// What read(0) gives: a text, or the error's number.
    std::string line() {
        const std::int64_t n = guest_.call(kRead, 0, room_, 256);
        return n < 0 ? std::to_string(n) : bytes(guest_, room_, n);
    }
    void write(int stream, const std::string& text) {
        EXPECT_EQ(guest_.call(kWrite, stream, guest_.text(text), text.size()),
                  static_cast<std::int64_t>(text.size()));
    }
    termios modes() {
        EXPECT_EQ(guest_.call(kIoctl, 0, kGetTermios, room_), 0);
        return guest_.get<termios>(room_);
    }
    void set(const termios& modes) {
        EXPECT_EQ(guest_.call(kIoctl, 0, kSetTermios, guest_.object(modes)), 0);
    }

    Keyboard keyboard_;
    Caller guest_;
    std::uint64_t room_;
};

TEST_F(Console, EveryStreamIsATerminalThatShowsNothingItself) {
    for (const int stream : {0, 1, 2})
        EXPECT_EQ(guest_.call(kIoctl, stream, kGetTermios, room_), 0) << stream;
    EXPECT_TRUE(modes().c_lflag & ICANON);
    EXPECT_FALSE(modes().c_lflag & (ECHO | ISIG));
    EXPECT_EQ(guest_.call(kIoctl, 1, kGetWindowSize, room_), 0);
    EXPECT_EQ((guest_.get<std::array<std::uint16_t, 2>>(room_)),
              (std::array<std::uint16_t, 2>{25, 80}));
}

TEST_F(Console, LinesArriveOneByOneAsTheyWereTyped) {
    keyboard_.type("one\ntw\to \xd0\xb6\n\n");
    EXPECT_EQ(line(), "one\n");
    EXPECT_EQ(line(), "tw\to \xd0\xb6\n");
    EXPECT_EQ(line(), "\n");
}

TEST_F(Console, AnEndOfFileLastsAndLosesNoBegunLine) {
    keyboard_.type("one\ntwo");
    EXPECT_EQ(line(), "one\n");
    keyboard_.end();
    EXPECT_EQ(line(), "two");
    for (int i = 0; i < 10'000; ++i) ASSERT_EQ(line(), "");
}

TEST_F(Console, AnEndOfFileReachesOneWhoWaits) {
    std::thread window([this] {
        usleep(50'000);
        keyboard_.end();
    });
    EXPECT_EQ(line(), "");
    window.join();
}

TEST_F(Console, OutputArrivesUnchangedAndInOrder) {
    write(1, "a\tb\n");
    write(2, "c\r\n");
    write(1, "d");
    EXPECT_EQ(keyboard_.shown(), "1[a\tb\n]2[c\r\n]1[d]");
}

TEST_F(Console, AChildsOutputIsThereWhenTheChildHasEnded) {
    write(1, "a");
    const pid_t child = static_cast<pid_t>(guest_.call(kFork));
    if (child == 0) {
        write(1, "b\n");
        write(2, "c\n");
        _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    write(1, "d");
    EXPECT_EQ(keyboard_.shown(), "1[a]1[b\n]2[c\n]1[d]");
}

TEST_F(Console, AProgramMayReadKeysAndHaveThemShown) {
    termios raw = modes();
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON);
    raw.c_cc[VMIN] = 1;
    set(raw);
    keyboard_.type("x");
    EXPECT_EQ(line(), "x");
    raw.c_lflag |= ICANON | ECHO;
    set(raw);
    keyboard_.type("y\n");
    EXPECT_EQ(line(), "y\n");
    write(1, "");
    EXPECT_NE(keyboard_.shown().find("y"), std::string::npos) << keyboard_.shown();
}

TEST(ConsoleOfPipes, IsNoTerminal) {
    Keyboard keyboard;
    ProcessOptions options;
    options.streams = keyboard.streams(false);
    Caller guest(options);
    keyboard.type("one\ntwo");
    keyboard.end();
    const auto room = guest.room(256);
    for (const int stream : {0, 1, 2})
        EXPECT_EQ(guest.call(kIoctl, stream, kGetTermios, room), -ENOTTY) << stream;
    std::string all;
    for (std::int64_t n; (n = guest.call(kRead, 0, room, 256)) > 0;) all += bytes(guest, room, n);
    EXPECT_EQ(all, "one\ntwo");
}

}  // namespace
}  // namespace e2k::guest
