// Rows of the C library bridge, called one by one; what the host's functions give is right.
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <random>
#include <set>

#include "tests/guest/libc/row_caller.h"

namespace e2k::guest::libc::test {
namespace {

int sign(std::int64_t v) { return v < 0 ? -1 : v > 0 ? 1 : 0; }

TEST(Rows, EveryNameOnce) {
    std::set<std::string_view> names;
    for (const Row& row : library_rows()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_NE(row.function, nullptr) << row.name;
        EXPECT_NE(std::string_view(row.signature).find('('), std::string_view::npos) << row.name;
    }
}

class TextRows : public RowCaller {};

TEST_F(TextRows, ComparingAndSearchingAsTheHost) {
    std::mt19937 random(1);
    const auto word = [&](unsigned longest) {
        std::string s;
        for (unsigned n = random() % (longest + 1); n > 0; --n) s += "abAB/"[random() % 5];
        return s;
    };
    for (int i = 0; i < 300; ++i) {
        const std::string a = word(12), b = random() % 3 ? word(4) : a;
        const auto ga = text(a), gb = text(b);
        const std::size_t n = random() % 14;
        const char* const ha = a.c_str();
        const char* const hb = b.c_str();
        const auto offset = [&](const void* at) {
            return at ? static_cast<std::int64_t>(ga) + (static_cast<const char*>(at) - ha) : 0;
        };
        EXPECT_EQ(sign(call("strncmp", ga, gb, n)), sign(strncmp(ha, hb, n)));
        EXPECT_EQ(sign(call("strcasecmp", ga, gb)), sign(strcasecmp(ha, hb)));
        EXPECT_EQ(sign(call("strncasecmp", ga, gb, n)), sign(strncasecmp(ha, hb, n)));
        EXPECT_EQ(call("strstr", ga, gb), offset(strstr(ha, hb)));
        EXPECT_EQ(call("strcasestr", ga, gb), offset(strcasestr(ha, hb)));
        EXPECT_EQ(call("strpbrk", ga, gb), offset(strpbrk(ha, hb)));
        EXPECT_EQ(call("strspn", ga, gb), static_cast<std::int64_t>(strspn(ha, hb)));
        EXPECT_EQ(call("strcspn", ga, gb), static_cast<std::int64_t>(strcspn(ha, hb)));
        EXPECT_EQ(call("strrchr", ga, 'b'), offset(strrchr(ha, 'b')));
        EXPECT_EQ(call("strrchr", ga, 0), offset(strrchr(ha, 0)));
        EXPECT_EQ(call("strchrnul", ga, '/'), offset(strchrnul(ha, '/')));
        EXPECT_EQ(call("strnlen", ga, n), static_cast<std::int64_t>(strnlen(ha, n)));
        EXPECT_EQ(call("memchr", ga, 'A', a.size()), offset(memchr(ha, 'A', a.size())));
        EXPECT_EQ(call("memrchr", ga, 'A', a.size()), offset(memrchr(ha, 'A', a.size())));
        EXPECT_EQ(call("memmem", ga, a.size(), gb, b.size()),
                  offset(memmem(ha, a.size(), hb, b.size())));
    }
}

TEST_F(TextRows, CopyingAsTheHost) {
    for (const std::string word : {"", "a", "seven77", "a longer text"})
        for (const std::size_t n : {0u, 1u, 7u, 8u, 20u}) {
            char theirs[64] = "begin", copy[64] = "begin";
            const auto ours = put(theirs, 64), from = text(word);
            EXPECT_EQ(call("strncpy", ours, from, n), static_cast<std::int64_t>(ours));
            strncpy(theirs, word.c_str(), n);
            EXPECT_EQ(0, std::memcmp(get<std::array<char, 64>>(ours).data(), theirs, 64));
            const auto other = put(copy, 64);
            call("strncat", other, from, n);
            strncat(copy, word.c_str(), n);
            EXPECT_EQ(text_at(static_cast<std::int64_t>(other)), copy);
            EXPECT_EQ(call("stpcpy", ours, from), static_cast<std::int64_t>(ours + word.size()));
            EXPECT_EQ(text_at(call("strndup", from, n)), word.substr(0, n));
        }
}

TEST_F(TextRows, Cutting) {
    const auto words = text("  one two  three ");
    EXPECT_EQ(text_at(call("strtok", words, text(" "))), "one");
    EXPECT_EQ(text_at(call("strtok", 0, text(" "))), "two");
    EXPECT_EQ(text_at(call("strtok", 0, text(" "))), "three");
    EXPECT_EQ(call("strtok", 0, text(" ")), 0);
    const std::uint64_t fields = text("a::b");
    const auto rest = put(&fields, 8);
    EXPECT_EQ(text_at(call("strsep", rest, text(":"))), "a");
    EXPECT_EQ(text_at(call("strsep", rest, text(":"))), "");
    EXPECT_EQ(text_at(call("strsep", rest, text(":"))), "b");
    EXPECT_EQ(call("strsep", rest, text(":")), 0);
}

class FileRows : public RowCaller {
protected:
    FileRows() {
        std::strcpy(name_, "/tmp/e2k-rows-XXXXXX");
        const int fd = mkstemp(name_);
        EXPECT_EQ(::write(fd, "first line\nsecond\nend", 21), 21);
        ::close(fd);
        path_ = text(name_);
    }
    ~FileRows() override { ::unlink(name_); }
    char name_[32];
    std::uint64_t path_;
};

TEST_F(FileRows, LinesPositionsAndFlags) {
    const auto file = call("fopen", path_, text("r+"));
    ASSERT_NE(file, 0);
    const auto line = room(8), size = room(8);
    EXPECT_EQ(call("getline", line, size, file), 11);
    EXPECT_EQ(text_at(get<std::int64_t>(line)), "first line\n");
    EXPECT_EQ(call("ftell", file), 11);
    EXPECT_EQ(call("fseek", file, -3, SEEK_END), 0);
    EXPECT_EQ(call("getline", line, size, file), 3);
    EXPECT_EQ(call("feof", file), 1);
    EXPECT_EQ(call("getline", line, size, file), -1);
    call("rewind", file);
    EXPECT_EQ(call("feof", file), 0);
    EXPECT_EQ(call("getc", file), 'f');
    EXPECT_EQ(call("fseeko", file, 0, SEEK_CUR), 0);
    EXPECT_EQ(call("fputs", text("IR"), file), 1);
    EXPECT_EQ(call("__fpending", file), 2);
    EXPECT_EQ(call("fclose", file), 0);
    const auto again = call("freopen", path_, text("r"), call("fdopen", 1, text("w")));
    EXPECT_NE(again, 0);
    EXPECT_EQ(call("fileno", again), 1);
    EXPECT_EQ(call("getdelim", line, size, 'l', again), 7);
    EXPECT_EQ(text_at(get<std::int64_t>(line)), "fIRst l");
}

TEST_F(FileRows, StatHasTheLayoutOfTheLibrary) {
    struct stat theirs {};
    ASSERT_EQ(::stat(name_, &theirs), 0);
    const auto fd = call("open", path_, 0);
    ASSERT_GE(fd, 0);
    const auto at = room(144);
    const auto check = [&] {
        EXPECT_EQ(get<std::uint64_t>(at + 8), theirs.st_ino);
        EXPECT_EQ(get<std::uint32_t>(at + 20), theirs.st_mode);
        EXPECT_EQ(get<std::uint64_t>(at + 24), theirs.st_nlink);
        EXPECT_EQ(get<std::uint32_t>(at + 32), theirs.st_uid);
        EXPECT_EQ(get<std::int64_t>(at + 48), theirs.st_size);
        EXPECT_EQ(get<std::int64_t>(at + 96), theirs.st_mtim.tv_sec);
        EXPECT_EQ(get<std::int64_t>(at + 104), theirs.st_mtim.tv_nsec);
    };
    EXPECT_EQ(call("stat", path_, at), 0);
    check();
    EXPECT_EQ(call("__xstat", 3, path_, at), 0);
    check();
    EXPECT_EQ(call("__fxstat", 3, fd, at), 0);
    check();
    EXPECT_EQ(call("fstat", fd, at), 0);
    check();
    EXPECT_EQ(call("__lxstat64", 1, path_, at), 0);
    EXPECT_EQ(get<std::int64_t>(at + 40), theirs.st_size);
    EXPECT_EQ(call("__xstat", 2, path_, at), -1);
    EXPECT_EQ(call("stat", text("/nowhere/at/all"), at), -1);
    EXPECT_EQ(call("close", fd), 0);
}

TEST_F(FileRows, Directories) {
    const auto directory = call("opendir", text("/proc/self"));
    ASSERT_NE(directory, 0);
    std::set<std::string> names;
    while (const auto entry = call("readdir", directory)) names.insert(text_at(entry + 19));
    EXPECT_TRUE(names.contains("maps") && names.contains(".."));
    call("rewinddir", directory);
    EXPECT_NE(call("readdir", directory), 0);
    EXPECT_EQ(call("closedir", directory), 0);
    EXPECT_EQ(call("opendir", text("/nowhere")), 0);
}

class OtherRows : public RowCaller {};

TEST_F(OtherRows, Environment) {
    // The program has not begun: there is no environment yet.
    EXPECT_EQ(call("getenv", text("NAME")), 0);
    EXPECT_EQ(call("putenv", text("NAME=value")), 0);
    EXPECT_EQ(call("putenv", text("OTHER=thing")), 0);
    EXPECT_EQ(text_at(call("getenv", text("NAME"))), "value");
    EXPECT_EQ(call("getenv", text("NAM")), 0);
    EXPECT_EQ(call("setenv", text("NEW"), text("one"), 0), 0);
    EXPECT_EQ(call("setenv", text("NEW"), text("two"), 0), 0);
    EXPECT_EQ(text_at(call("getenv", text("NEW"))), "one");
    EXPECT_EQ(call("setenv", text("NEW"), text("two"), 1), 0);
    EXPECT_EQ(text_at(call("getenv", text("NEW"))), "two");
    EXPECT_EQ(call("putenv", text("OTHER=else")), 0);
    EXPECT_EQ(text_at(call("getenv", text("OTHER"))), "else");
    EXPECT_EQ(call("unsetenv", text("NAME")), 0);
    EXPECT_EQ(call("getenv", text("NAME")), 0);
    EXPECT_EQ(call("setenv", text("A=B"), text(""), 1), -1);
}

TEST_F(OtherRows, RandomNumbersAsTheHost) {
    for (const unsigned seed : {1u, 0u, 42u, 0xffffffffu, 0x80000000u}) {
        srandom(seed);
        call("srandom", seed);
        for (int i = 0; i < 50; ++i) ASSERT_EQ(call("random"), random());
    }
}

TEST_F(OtherRows, CharactersOfTheCLocale) {
    const auto to = room(8);
    EXPECT_EQ(call("mbrtowc", to, text("x"), 1, 0), 1);
    EXPECT_EQ(get<int>(to), 'x');
    EXPECT_EQ(call("mbrtowc", to, text("\xe4"), 1, 0), -1);
    EXPECT_EQ(text_at(call("setlocale", 6, text(""))), "C");
    EXPECT_EQ(call("setlocale", 6, text("de_DE.UTF-8")), 0);
    EXPECT_EQ(text_at(call("nl_langinfo", 14)), "ANSI_X3.4-1968");
    EXPECT_EQ(text_at(get<std::int64_t>(static_cast<std::uint64_t>(call("localeconv")))), ".");
}

TEST_F(OtherRows, ErrorsAndSignals) {
    EXPECT_EQ(text_at(call("strerror", ENOENT)), "No such file or directory");
    EXPECT_EQ(text_at(call("strerror", 12345)), "Unknown error 12345");
    EXPECT_EQ(text_at(call("strsignal", SIGSEGV)), "Segmentation fault");
    EXPECT_EQ(call("close", 77), -1);
    call("perror", text("close"));
    EXPECT_EQ(errors, "close: Bad file descriptor\n");
    const auto set = room(128);
    call("sigfillset", set);
    call("sigdelset", set, SIGINT);
    EXPECT_EQ(call("sigismember", set, SIGINT), 0);
    EXPECT_EQ(call("sigismember", set, SIGTERM), 1);
    EXPECT_EQ(call("sigismember", set, 99), -1);
    EXPECT_EQ(call("signal", SIGUSR1, 0x5000), 0);
    EXPECT_EQ(call("signal", SIGUSR1, 1), 0x5000);
    const auto action = room(152);
    EXPECT_EQ(call("sigaction", SIGUSR1, 0, action), 0);
    EXPECT_EQ(get<std::uint64_t>(action), 1u);
    EXPECT_EQ(get<int>(action + 136), SA_RESTART);
}

TEST_F(OtherRows, FortifiedNames) {
    const auto to = room(64);
    const std::uint64_t places[] = {0, 0, 0, 0, 5, 0};
    const auto list = put(places + 4, 16);
    EXPECT_EQ(call("__vsnprintf_chk", to, 10, 1, 64, text("<%d>"), list), 3);
    EXPECT_EQ(text_at(static_cast<std::int64_t>(to)), "<5>");
    EXPECT_EQ(call("__strcpy_chk", to, text("abc"), 4), static_cast<std::int64_t>(to));
    EXPECT_EQ(call("__memcpy_chk", to, text("xyz"), 3, 3), static_cast<std::int64_t>(to));
    EXPECT_EQ(text_at(static_cast<std::int64_t>(to)), "xyz");
    EXPECT_EQ(issue("__strcpy_chk", {to, text("abc"), 3}), Next::ProcessExit);
}

/// The same arguments through the host's getopt_long and ours.
TEST_F(OtherRows, OptionsAsTheHost) {
    static const option kLong[] = {{"verbose", no_argument, nullptr, 'v'},
                                   {"value", required_argument, nullptr, 1000},
                                   {"maybe", optional_argument, nullptr, 1001},
                                   {nullptr, 0, nullptr, 0}};
    struct Row32 {
        std::uint64_t name;
        std::int64_t has;
        std::uint64_t flag;
        std::int64_t value;
    } rows[4]{};
    for (int i = 0; i < 3; ++i) rows[i] = {text(kLong[i].name), kLong[i].has_arg, 0, kLong[i].val};
    const auto table = put(rows, sizeof rows);
    static const char* const kWords[] = {
        "-a", "-bx", "-b",  "file", "--verbose", "--val=3", "--value", "--maybe", "--maybe=5",
        "--", "-",   "-ab", "-c7",  "--ve",      "--v",     "--none",  "-z"};
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        std::vector<std::string> words{"prog"};
        for (unsigned n = random() % 7; n > 0; --n)
            words.emplace_back(kWords[random() % std::size(kWords)]);
        const char* const letters =
            std::array{"ab:c::", "+ab:c::", "-ab:c::", ":ab:c::"}[random() % 4];
        std::vector<char*> theirs;
        std::vector<std::uint64_t> ours;
        for (auto& w : words) {
            theirs.push_back(w.data());
            ours.push_back(text(w));
        }
        theirs.push_back(nullptr);
        ours.push_back(0);
        const auto argv = put(ours.data(), ours.size() * 8), form = text(letters);
        const int argc = static_cast<int>(words.size());
        optind = 0;
        opterr = 0;
        set_variable("optind", 0);
        set_variable("opterr", 0);
        for (int step = 0; step < 20; ++step) {
            const int expected = getopt_long(argc, theirs.data(), letters, kLong, nullptr);
            ASSERT_EQ(call("getopt_long", argc, argv, form, table, 0), expected)
                << round << ' ' << letters;
            ASSERT_EQ(variable("optind"), optind) << round << ' ' << letters;
            if (expected == -1) break;
        }
        for (int i = 0; i < argc; ++i)
            ASSERT_EQ(text_at(get<std::int64_t>(argv + 8 * static_cast<std::uint64_t>(i))),
                      theirs[i]);
    }
}

class PlainCaller : public RowCaller {
public:
    void TestBody() override {}
    using RowCaller::issue;
};

/// Whatever the arguments, the guest gets a fault or an error, and the workbench goes on.
TEST(Rows, BadPointersAreTheGuestsFault) {
    std::size_t faults = 0;
    std::unique_ptr<PlainCaller> caller;  // the next one when a fault has ended it
    for (const auto rows :
         {text_rows(),    checked_rows(),    stream_rows(),  message_rows(), environment_rows(),
          option_rows(),  character_rows(),  stat_rows(),    math_rows(),    time_rows(),
          account_rows(), pattern_rows(),    network_rows(), convert_rows(), dynamic_rows(),
          obstack_rows(), system_log_rows(), kernel_rows(),  path_rows(),    program_rows(),
          spawn_rows()})
        for (const Row& row : rows)
            for (const std::uint64_t bad : {std::uint64_t{0x18}, ~std::uint64_t{0}}) {
                if (!caller) caller = std::make_unique<PlainCaller>();
                const Next next = caller->issue(row.name, std::vector<std::uint64_t>(8, bad));
                if (next == Next::Continue) continue;
                EXPECT_EQ(next, Next::ProcessExit) << row.name;
                ++faults;
                caller.reset();
            }
    EXPECT_GT(faults, 300u);
    for (const char* const name :
         {"strncmp", "strcat", "strtok_r", "fseek", "getline", "setenv", "asprintf"}) {
        PlainCaller caller;
        EXPECT_EQ(caller.issue(name, std::vector<std::uint64_t>(8, 0x18)), Next::ProcessExit)
            << name;
    }
}

}  // namespace
}  // namespace e2k::guest::libc::test
