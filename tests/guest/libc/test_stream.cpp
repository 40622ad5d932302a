// stdio: against the host's on files; buffering and interruptions on descriptors made up here.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <thread>

#include "engine/guest/libc/core/format.h"
#include "engine/guest/libc/core/stdio.h"
#include "tests/guest/libc/fixture.h"

namespace e2k::guest::libc::test {
namespace {

/// Host descriptors, but for those with a script.
class TestIo final : public StreamIo {
public:
    struct Script {
        Kind kind;
        std::deque<Outcome<std::string>> input;
        std::vector<std::string> output;
        std::deque<Outcome<std::size_t>> accepts;  ///< what write() answers; then: all
    };
    std::map<int, Script> scripts;
    std::function<void()> before_write;
    std::atomic<bool> signal{false};

    Outcome<std::size_t> read(int fd, void* to, std::size_t size) override {
        if (const auto it = scripts.find(fd); it != scripts.end()) {
            auto& input = it->second.input;
            if (input.empty()) return 0;
            if (!input.front()) {
                const Trouble why = input.front().error();
                input.pop_front();
                return tl::unexpected(why);
            }
            std::string& text = *input.front();
            const std::size_t part = std::min(size, text.size());
            std::memcpy(to, text.data(), part);
            text.erase(0, part);
            if (text.empty()) input.pop_front();
            return part;
        }
        return of_host(::read(fd, to, size));
    }
    Outcome<std::size_t> write(int fd, const void* from, std::size_t size) override {
        if (before_write) before_write();
        if (const auto it = scripts.find(fd); it != scripts.end()) {
            auto& accepts = it->second.accepts;
            if (!accepts.empty()) {
                const auto answer = accepts.front();
                accepts.pop_front();
                if (!answer) return answer;
                size = std::min(size, *answer);
            }
            it->second.output.emplace_back(static_cast<const char*>(from), size);
            return size;
        }
        return of_host(::write(fd, from, size));
    }
    Outcome<std::int64_t> seek(int fd, std::int64_t offset, int whence) override {
        if (scripts.contains(fd)) return error(ESPIPE);
        const auto at = ::lseek(fd, offset, whence);
        if (at < 0) return error(errno);
        return at;
    }
    Outcome<void> close(int fd) override {
        if (scripts.contains(fd)) return {};
        if (::close(fd) != 0) return error(errno);
        return {};
    }
    Kind kind(int fd) override {
        const auto it = scripts.find(fd);
        return it != scripts.end() ? it->second.kind : Kind{};
    }
    bool interrupted() override { return signal; }

private:
    static Outcome<std::size_t> of_host(ssize_t result) {
        if (result < 0) return error(errno);
        return static_cast<std::size_t>(result);
    }
};

class StreamTest : public LibcTest {
protected:
    StreamTest() {
        for (auto& object : standard_) object = room(Stream::kObjectBytes);
        for (int fd = 0; fd < 3; ++fd) io_.scripts[fd] = {};
        EXPECT_TRUE(stdio_.open_standard(standard_));
    }
    std::uint64_t open_script(int fd, const char* mode, StreamIo::Kind kind = {}) {
        io_.scripts[fd].kind = kind;
        return stdio_.open(fd, *parse_open_mode(mode)).value_or(0);
    }
    Outcome<void> put(std::uint64_t file, std::string_view text, Caller caller = {}) {
        auto use = stdio_.use(file, caller);
        if (!use) return tl::unexpected(use.error());
        auto writer = StreamWriter::begin(*use, caller);
        if (!writer) return tl::unexpected(writer.error());
        if (auto done = writer->put(text); !done) return done;
        return writer->finish();
    }
    Outcome<std::string> line(std::uint64_t file, int size = 100, Caller caller = {}) {
        auto use = stdio_.use(file, caller);
        if (!use) return tl::unexpected(use.error());
        auto at = (*use)->read_line(caller, line_, size);
        if (!at) return tl::unexpected(at.error());
        return *at ? text_at(*at) : "(end)";
    }
    std::vector<std::string>& output(int fd) { return io_.scripts[fd].output; }
    std::uint32_t flags(std::uint64_t file) { return get<std::uint32_t>(file) & 0xffff; }

    TestIo io_;
    MappedPages pages_{*space_};
    Heap heap_{GuestMemory(*space_), pages_};
    Stdio stdio_{GuestMemory(*space_), heap_, io_};
    std::array<std::uint64_t, 3> standard_{};
    std::uint64_t line_ = room(8192);
};

TEST_F(StreamTest, Modes) {
    EXPECT_EQ(parse_open_mode("r")->flags, O_RDONLY);
    EXPECT_EQ(parse_open_mode("rb+")->flags, O_RDWR);
    EXPECT_EQ(parse_open_mode("w")->flags, O_WRONLY | O_CREAT | O_TRUNC);
    EXPECT_EQ(parse_open_mode("a+")->flags, O_RDWR | O_CREAT | O_APPEND);
    EXPECT_EQ(parse_open_mode("wxe")->flags, O_WRONLY | O_CREAT | O_TRUNC | O_EXCL | O_CLOEXEC);
    EXPECT_FALSE(parse_open_mode(""));
    EXPECT_FALSE(parse_open_mode("x"));
}

TEST_F(StreamTest, FullBuffering) {
    const auto file = open_script(7, "w", {false, 16});
    for (const char* const text : {"0123456789", "abcdef", "X"}) ASSERT_TRUE(put(file, text));
    EXPECT_EQ(output(7), std::vector<std::string>{"0123456789abcdef"});
    ASSERT_TRUE(put(file, std::string(40, 'y')));  // 15 fill the buffer, 16 go past it, 9 wait
    EXPECT_EQ(output(7).size(), 3u);
    EXPECT_EQ(output(7)[1], "X" + std::string(15, 'y'));
    EXPECT_EQ(output(7)[2], std::string(16, 'y'));
    ASSERT_TRUE(stdio_.flush_all({}));
    EXPECT_EQ(output(7).back(), std::string(9, 'y'));
}

TEST_F(StreamTest, LineBufferingAndNone) {
    const auto terminal = open_script(7, "w", {true, 1024});
    ASSERT_TRUE(put(terminal, "prompt: "));
    EXPECT_TRUE(output(7).empty());
    ASSERT_TRUE(put(terminal, "one\ntwo\nthree"));
    EXPECT_EQ(output(7), std::vector<std::string>{"prompt: one\ntwo\n"});
    EXPECT_EQ(flags(terminal) & 0x200, 0x200u);
    ASSERT_TRUE(put(standard_[2], "error: "));
    ASSERT_TRUE(put(standard_[2], "what"));
    EXPECT_EQ(output(2), (std::vector<std::string>{"error: ", "what"}));
    {
        auto use = stdio_.use(terminal, {});
        ASSERT_TRUE((*use)->set_buffering(Buffering::None, 0));
    }
    EXPECT_EQ(output(7).back(), "three");
    ASSERT_TRUE(put(terminal, "!"));
    EXPECT_EQ(output(7).back(), "!");
}

TEST_F(StreamTest, ReadingFromATerminalShowsThePrompt) {
    io_.scripts[0] = {{true, 1024}, {std::string("answer\n")}, {}, {}};
    io_.scripts[1].kind = {true, 1024};
    ASSERT_TRUE(put(standard_[1], "question? "));
    EXPECT_EQ(line(standard_[0]), "answer\n");
    EXPECT_EQ(output(1), std::vector<std::string>{"question? "});
    // A file as input leaves the output where it is.
    io_.scripts[8] = {{}, {std::string("text")}, {}, {}};
    const auto file = open_script(8, "r");
    ASSERT_TRUE(put(standard_[1], "more"));
    EXPECT_EQ(line(file), "text");
    EXPECT_EQ(output(1).size(), 1u);
}

TEST_F(StreamTest, LinesAndTheEnd) {
    io_.scripts[8].input = {std::string("first\nsec"), std::string("ond\nlong line"),
                            std::string("")};
    const auto file = open_script(8, "r");
    EXPECT_EQ(line(file), "first\n");
    EXPECT_EQ(line(file), "second\n");
    EXPECT_EQ(line(file, 5), "long");
    EXPECT_EQ(line(file, 1), "");
    EXPECT_EQ(line(file), " line");
    EXPECT_EQ(flags(file) & 0x10, 0x10u);
    io_.scripts[8].input = {std::string("more")};
    EXPECT_EQ(line(file), "(end)");  // the end is remembered
    {
        auto use = stdio_.use(file, {});
        (*use)->clear_flags();
        EXPECT_EQ((*use)->get(), 'm');
        EXPECT_TRUE((*use)->unget('M'));
        EXPECT_TRUE((*use)->unget('-'));
        EXPECT_EQ((*use)->get(), '-');
        EXPECT_EQ((*use)->get(), 'M');
        EXPECT_EQ((*use)->get(), 'o');
    }
    EXPECT_EQ(flags(file) & 0x10, 0u);
    EXPECT_EQ(error_of(put(file, "no")), EBADF);
    EXPECT_EQ(flags(file) & 0x20, 0x20u);
}

TEST_F(StreamTest, InterruptedInputGoesOn) {
    const Trouble stop{Trouble::Kind::Interrupted, false, 0, 0, ""};
    io_.scripts[8].input = {std::string("half "), tl::unexpected(stop), std::string("line\nrest")};
    const auto file = open_script(8, "r");
    const Caller mine{1, 100}, handler{1, 200};
    EXPECT_EQ(trouble(line(file, 100, mine)).kind, Trouble::Kind::Interrupted);
    EXPECT_EQ(line(file, 100, mine), "half line\n");
    io_.scripts[8].input = {tl::unexpected(stop), std::string("of handler\n"),
                            std::string("of main")};
    EXPECT_EQ(trouble(line(file, 100, mine)).kind, Trouble::Kind::Interrupted);
    // "rest" has been taken by the interrupted call; a handler reads what follows.
    const auto kept = line_;
    line_ = room(100);
    EXPECT_EQ(line(file, 100, handler), "of handler\n");
    line_ = kept;
    EXPECT_EQ(line(file, 100, mine), "restof main");
}

TEST_F(StreamTest, InterruptedOutputIsWrittenOnce) {
    const Trouble stop{Trouble::Kind::Interrupted, false, 0, 0, ""};
    const auto file = open_script(7, "w", {true, 16});
    auto& accepts = io_.scripts[7].accepts;
    const Caller caller{1, 5};
    const std::string text = "a line of more than sixteen bytes\nand more";
    accepts = {std::size_t{3}, tl::unexpected(stop), std::size_t{5}, tl::unexpected(stop),
               tl::unexpected(stop)};
    int calls = 1;
    for (;; ++calls) {
        auto done = put(file, text, caller);
        if (done) break;
        ASSERT_EQ(done.error().kind, Trouble::Kind::Interrupted);
    }
    EXPECT_EQ(calls, 4);
    ASSERT_TRUE(stdio_.flush_all({}));
    std::string all;
    for (const auto& part : output(7)) all += part;
    EXPECT_EQ(all, text);
}

TEST_F(StreamTest, ErrorsStay) {
    const auto file = open_script(7, "w", {false, 16});
    io_.scripts[7].accepts = {error(ENOSPC)};
    EXPECT_TRUE(put(file, "0123456789"));
    EXPECT_EQ(error_of(put(file, "0123456789")), ENOSPC);
    EXPECT_EQ(flags(file) & 0x20, 0x20u);
    EXPECT_TRUE(stdio_.close(file, {}));
    EXPECT_EQ(trouble(stdio_.use(file, {})).kind, Trouble::Kind::Fault);
    EXPECT_EQ(trouble(put(kBad, "x")).address, kBad);
    io_.scripts[8].input = {error(EIO), std::string("x")};
    const auto input = open_script(8, "r");
    auto use = stdio_.use(input, {});
    const auto read = (*use)->read_to({}, line_, 10);
    EXPECT_EQ(read->error, EIO);
    EXPECT_EQ(trouble((*use)->read_to({}, kBad, 10)).kind, Trouble::Kind::Fault);
}

TEST_F(StreamTest, PrintfGoesOutAtOnce) {
    const auto form = text("%s %600d\n");
    const std::uint64_t places[] = {text("word"), 5};
    const VariableArguments arguments(memory(), LibcTest::put(places, sizeof places));
    auto use = stdio_.use(standard_[2], {});
    auto writer = StreamWriter::begin(*use, {});
    ASSERT_EQ(format({memory()}, *writer, form, arguments), 606);
    ASSERT_TRUE(writer->finish());
    EXPECT_EQ(output(2).size(), 1u);
}

TEST_F(StreamTest, LocksAreRecursiveAndInterruptible) {
    const auto file = open_script(7, "w");
    ASSERT_TRUE(stdio_.lock(file, {1, 0}));
    ASSERT_TRUE(stdio_.lock(file, {1, 0}));
    EXPECT_TRUE(put(file, "mine", {1, 0}));
    EXPECT_EQ(error_of(stdio_.try_lock(file, {2, 0})), EBUSY);
    io_.signal = true;
    EXPECT_EQ(trouble(put(file, "other", {2, 0})).kind, Trouble::Kind::Interrupted);
    io_.signal = false;
    std::thread other([&] { EXPECT_TRUE(put(file, "other", {2, 0})); });
    ASSERT_TRUE(stdio_.unlock(file, {1, 0}));
    EXPECT_EQ(error_of(stdio_.try_lock(file, {3, 0})), EBUSY);
    ASSERT_TRUE(stdio_.unlock(file, {1, 0}));
    other.join();
    ASSERT_TRUE(stdio_.flush_all({}));
    EXPECT_EQ(output(7), std::vector<std::string>{"mineother"});
}

TEST_F(StreamTest, ThreadsAndForksKeepCallsWhole) {
    const auto file = open_script(7, "w", {false, 64});
    std::atomic<int> failures{0};
    std::atomic<bool> done{false};
    std::thread forker([&] {
        while (!done) {
            stdio_.lock_for_fork();
            stdio_.unlock_after_fork(false, 1);
            std::this_thread::yield();
        }
    });
    std::vector<std::thread> threads;
    for (std::uint32_t t = 1; t <= 3; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 500; ++i)
                failures += !put(file, std::string(9, static_cast<char>('a' + t)) + '\n', {t, 0});
        });
    for (auto& thread : threads) thread.join();
    done = true;
    forker.join();
    ASSERT_TRUE(stdio_.close(file, {}));
    std::string all;
    for (const auto& part : output(7)) all += part;
    ASSERT_EQ(all.size(), 15000u);
    for (std::size_t at = 0; at < all.size(); at += 10)
        EXPECT_EQ(all.substr(at, 10), std::string(9, all[at]) + '\n');
    EXPECT_EQ(failures, 0);
}

/// The same random calls on a file through the host's stdio and through ours.
TEST_F(StreamTest, FilesAsWithTheHost) {
    for (unsigned seed = 0; seed < 40; ++seed) {
        std::mt19937 random(seed);
        const char* const mode = std::array{"w+", "r+", "a+"}[seed % 3];
        char names[2][32];
        int fds[2];
        for (int k = 0; k < 2; ++k) {
            std::strcpy(names[k], "/tmp/e2k-stdio-XXXXXX");
            fds[k] = mkstemp(names[k]);
            for (int i = 0; i < 200; ++i)
                ASSERT_GT(dprintf(fds[k], "line %d of the file\n", i * i), 0);
            lseek(fds[k], 0, SEEK_SET);
        }
        fcntl(fds[0], F_SETFL, mode[0] == 'a' ? O_APPEND : 0);
        fcntl(fds[1], F_SETFL, mode[0] == 'a' ? O_APPEND : 0);
        FILE* const theirs = fdopen(fds[0], mode);
        const auto file = stdio_.open(fds[1], *parse_open_mode(mode)).value();
        auto opened = stdio_.use(file, {});
        Stream& ours = **opened;
        char line[256];
        bool writing = false;
        for (int step = 0; step < 150; ++step) {
            const unsigned what = random() % 8;
            const bool writes = what == 3 || what == 4;
            if (what < 5 && writes != writing) {  // as C demands
                ASSERT_EQ(std::fseek(theirs, 0, SEEK_CUR), 0);
                ASSERT_TRUE(ours.seek(0, SEEK_CUR));
                writing = writes;
            }
            switch (what) {
                case 0:
                    ASSERT_EQ(ours.get(), std::fgetc(theirs));
                    break;
                case 1: {
                    const int size = 2 + static_cast<int>(random() % 100);
                    const auto at = ours.read_line({}, line_, size);
                    ASSERT_TRUE(at);
                    const char* const expected = std::fgets(line, size, theirs);
                    ASSERT_EQ(*at != 0, expected != nullptr);
                    if (expected) {
                        ASSERT_EQ(text_at(line_), expected) << seed << ' ' << step;
                    }
                    break;
                }
                case 2: {
                    const std::size_t size = random() % 7000;
                    std::vector<char> bytes(7000);
                    const auto got = ours.read_to({}, line_, size);
                    ASSERT_TRUE(got);
                    ASSERT_EQ(got->bytes, std::fread(bytes.data(), 1, size, theirs));
                    std::vector<char> mine(got->bytes);
                    ASSERT_TRUE(space_->read(line_, mine.data(), mine.size()));
                    ASSERT_TRUE(std::equal(mine.begin(), mine.end(), bytes.begin()));
                    break;
                }
                case 3:
                case 4: {
                    const std::string some(random() % (what == 3 ? 20 : 9000),
                                           static_cast<char>('a' + random() % 26));
                    ASSERT_EQ(std::fwrite(some.data(), 1, some.size(), theirs), some.size());
                    auto writer = StreamWriter::begin(*opened, {});
                    ASSERT_TRUE(writer && writer->put(some) && writer->finish());
                    break;
                }
                case 5: {
                    const long to = static_cast<long>(random() % 6000);
                    const int whence = std::array{SEEK_SET, SEEK_SET, SEEK_END}[random() % 3];
                    ASSERT_EQ(std::fseek(theirs, whence == SEEK_END ? -(to % 100) : to, whence),
                              ours.seek(whence == SEEK_END ? -(to % 100) : to, whence) ? 0 : -1);
                    break;
                }
                case 6:
                    ASSERT_EQ(ours.tell().value_or(-1), std::ftell(theirs)) << seed << ' ' << step;
                    break;
                default:
                    ASSERT_EQ(ours.at_end(), std::feof(theirs) != 0);
                    break;
            }
        }
        std::fclose(theirs);
        ASSERT_TRUE(ours.flush());
        std::string contents[2];
        for (int k = 0; k < 2; ++k) {
            const int fd = ::open(names[k], O_RDONLY);
            for (char block[4096]; const auto n = ::read(fd, block, sizeof block);)
                contents[k].append(block, static_cast<std::size_t>(n));
            ::close(fd);
            ::unlink(names[k]);
        }
        ASSERT_EQ(contents[0], contents[1]) << seed;
    }
}

}  // namespace
}  // namespace e2k::guest::libc::test
