// Rows that are more than a system call: time zones, accounts, expressions, addresses, character
// sets, paths. What the host's functions give on the same inputs is right.
#include <arpa/inet.h>
#include <fnmatch.h>
#include <iconv.h>
#include <libgen.h>
#include <netdb.h>
#include <pwd.h>
#include <regex.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <clocale>
#include <cstdlib>
#include <ctime>
#include <cwchar>
#include <random>

#include "engine/guest/libc/core/zone.h"
#include "tests/guest/libc/row_caller.h"

namespace e2k::guest::libc::test {
namespace {

class TimeRows : public RowCaller {
protected:
    ~TimeRows() override {
        unsetenv("TZ");
        tzset();
    }
    void set_zone(const char* name) {
        setenv("TZ", name, 1);
        tzset();
        EXPECT_EQ(call("setenv", text("TZ"), text(name), 1), 0);
    }
    tm guest_tm(std::uint64_t at) {
        tm parts = get<tm>(at);
        zone_ = text_at(reinterpret_cast<std::int64_t>(parts.tm_zone));
        parts.tm_zone = zone_.c_str();
        return parts;
    }

private:
    std::string zone_;
};

void expect_same(const tm& ours, const tm& theirs, const std::string& where) {
    EXPECT_EQ(ours.tm_sec, theirs.tm_sec) << where;
    EXPECT_EQ(ours.tm_min, theirs.tm_min) << where;
    EXPECT_EQ(ours.tm_hour, theirs.tm_hour) << where;
    EXPECT_EQ(ours.tm_mday, theirs.tm_mday) << where;
    EXPECT_EQ(ours.tm_mon, theirs.tm_mon) << where;
    EXPECT_EQ(ours.tm_year, theirs.tm_year) << where;
    EXPECT_EQ(ours.tm_wday, theirs.tm_wday) << where;
    EXPECT_EQ(ours.tm_yday, theirs.tm_yday) << where;
    EXPECT_EQ(ours.tm_isdst, theirs.tm_isdst) << where;
    EXPECT_EQ(ours.tm_gmtoff, theirs.tm_gmtoff) << where;
    EXPECT_STREQ(ours.tm_zone, theirs.tm_zone) << where;
}

/// Rules need no files of the host.
constexpr const char* kZones[] = {"UTC0",         "CET-1CEST,M3.5.0,M10.5.0/3",
                                  "EST5EDT",      "NZST-12NZDT,M9.5.0,M4.1.0/3",
                                  "<+0530>-5:30", "XXX3YYY2,J60/1,300/-2:30"};

TEST_F(TimeRows, LocalTimeAndBackAsTheHost) {
    std::mt19937_64 random(2);
    const auto at = room(8), parts_at = room(56);
    for (const char* const zone : kZones) {
        set_zone(zone);
        for (int i = 0; i < 150; ++i) {
            const std::time_t time =
                static_cast<std::time_t>(random() % 6'000'000'000);  // rules begin in 1970
            const std::string where = zone + (' ' + std::to_string(time));
            ASSERT_TRUE(memory().write(at, &time, sizeof time));
            ASSERT_NE(call("localtime_r", at, parts_at), 0);
            tm theirs{};
            localtime_r(&time, &theirs);
            expect_same(guest_tm(parts_at), theirs, where);
            EXPECT_EQ(call("mktime", parts_at), time) << where;
            if (HasFailure()) return;
        }
    }
}

TEST_F(TimeRows, MktimePutsFieldsInOrder) {
    const auto at = room(56);
    std::mt19937 random(3);
    for (const char* const zone : kZones) {
        set_zone(zone);
        for (int i = 0; i < 60; ++i) {
            tm parts{};
            parts.tm_year = 70 + static_cast<int>(random() % 100);
            parts.tm_mon = static_cast<int>(random() % 40) - 20;
            parts.tm_mday = static_cast<int>(random() % 100) - 50;
            parts.tm_hour = 5 + static_cast<int>(random() % 12);
            parts.tm_min = static_cast<int>(random() % 50);
            parts.tm_isdst = -1;
            ASSERT_TRUE(memory().write(at, &parts, sizeof parts));
            const std::int64_t ours = call("mktime", at);
            EXPECT_EQ(ours, mktime(&parts)) << zone << ' ' << i;
            expect_same(guest_tm(at), parts, zone);
        }
    }
    tm far{};
    far.tm_year = INT_MAX;
    far.tm_mon = INT_MAX;
    ASSERT_TRUE(memory().write(at, &far, sizeof far));
    EXPECT_EQ(call("mktime", at), -1);
}

TEST_F(TimeRows, TextsAsTheHost) {
    set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    const auto at = room(8), parts_at = room(56), to = room(200);
    for (const std::time_t time : {0l, 1'700'000'000l, 1'690'000'000l, -1l}) {
        ASSERT_TRUE(memory().write(at, &time, sizeof time));
        tm theirs{};
        localtime_r(&time, &theirs);
        char text_there[200];
        EXPECT_EQ(text_at(call("ctime", at)), ctime_r(&time, text_there));
        ASSERT_NE(call("localtime_r", at, parts_at), 0);
        for (const char* const form :
             {"%Y-%m-%d %H:%M:%S %Z %z", "%s", "%c|%x|%X|%p", "", "%a %A %b %B %j %U %W %%"}) {
            const auto size = strftime(text_there, sizeof text_there, form, &theirs);
            EXPECT_EQ(call("strftime", to, 200, text(form), parts_at),
                      static_cast<std::int64_t>(size))
                << form;
            if (size != 0) {
                EXPECT_EQ(text_at(static_cast<std::int64_t>(to)), text_there);
            }
        }
        EXPECT_EQ(call("strftime", to, 3, text("%Y"), parts_at), 0);
        EXPECT_EQ(call("strftime", to, 5, text("%Y"), parts_at), 4);
    }
    const auto words = text("2024-02-29 12:34:56rest");
    EXPECT_EQ(call("strptime", words, text("%Y-%m-%d %H:%M:%S"), parts_at),
              static_cast<std::int64_t>(words + 19));
    EXPECT_EQ(get<tm>(parts_at).tm_mon, 1);
    EXPECT_EQ(call("strptime", words, text("%H:%M"), parts_at), 0);
    EXPECT_EQ(text_at(get<std::int64_t>(parts_at + 48)), "CET");  // as localtime has left it
}

TEST(Zones, DamagedFilesAreNone) {
    std::string file = "TZif2" + std::string(15, '\0');
    EXPECT_FALSE(Zone::from_file(file));
    for (int i = 0; i < 6; ++i) file += std::string("\x7f\xff\xff\xff", 4);
    EXPECT_FALSE(Zone::from_file(file));
    EXPECT_FALSE(Zone::from_file(""));
    std::mt19937 random(4);
    for (int i = 0; i < 500; ++i) {
        std::string noise = "TZif" + std::string(1, '\0') + std::string(15, '\0');
        for (int k = 0; k < 6; ++k) noise += std::string(3, '\0') + static_cast<char>(random() % 3);
        for (unsigned k = random() % 60; k > 0; --k) noise += static_cast<char>(random());
        if (const auto zone = Zone::from_file(noise)) {
            zone->at(static_cast<std::int64_t>(random()));
            zone->seasons();
        }
    }
    EXPECT_EQ(Zone::from_text("Nowhere").at(0).name, "Nowhere");
    EXPECT_EQ(Zone::from_text("ABC99").at(0).offset, 0);
}

class LibraryRows : public RowCaller {};

TEST_F(LibraryRows, ExpressionsAsTheHost) {
    static const char* const kPatterns[] = {
        "a*b",    "^(a|b)+$", "[[:digit:]]+", "\\(x\\)\\1", "(a)(b)?",
        "a{2,3}", "(",        "[z-a]",        "",           "."};
    static const char* const kTexts[] = {"aab", "xx", "abba", "a1b22", "", "aaaa", "zzz\nab"};
    const auto pattern_at = room(64), places = room(80);
    for (const char* const pattern : kPatterns)
        for (const int flags :
             {0, REG_EXTENDED, REG_EXTENDED | REG_ICASE, REG_NOSUB, REG_NEWLINE}) {
            regex_t theirs;
            const int failed = regcomp(&theirs, pattern, flags);
            ASSERT_EQ(call("regcomp", pattern_at, text(pattern), flags), failed) << pattern;
            if (failed != 0) continue;
            EXPECT_EQ(get<std::uint64_t>(pattern_at + 48), theirs.re_nsub) << pattern;
            for (const char* const subject : kTexts) {
                regmatch_t found[5] = {{3, 3}, {3, 3}, {3, 3}, {3, 3}, {3, 3}};
                ASSERT_TRUE(memory().write(places, found, sizeof found));
                const int result = regexec(&theirs, subject, 5, found, 0);
                ASSERT_EQ(call("regexec", pattern_at, text(subject), 5, places, 0), result)
                    << pattern << ' ' << subject;
                for (unsigned k = 0; result == 0 && k < 5; ++k) {
                    const auto ours = get<regmatch_t>(places + 8 * k);
                    EXPECT_EQ(ours.rm_so, found[k].rm_so) << pattern << ' ' << subject << ' ' << k;
                    EXPECT_EQ(ours.rm_eo, found[k].rm_eo) << pattern << ' ' << subject << ' ' << k;
                }
            }
            regfree(&theirs);
            call("regfree", pattern_at);
        }
    const auto message = room(100);
    EXPECT_GT(call("regerror", REG_EPAREN, 0, message, 100), 5);
    EXPECT_EQ(text_at(static_cast<std::int64_t>(message)), "Unmatched ( or \\(");
    // What would take all memory is refused, and a pattern that is none is a bad pointer.
    EXPECT_EQ(call("regcomp", pattern_at, text("((((x{200}){200}){200}){200})"), REG_EXTENDED),
              REG_ESPACE);
    EXPECT_EQ(call("regcomp", pattern_at, text(std::string(5000, '(')), REG_EXTENDED), REG_ESPACE);
    EXPECT_EQ(issue("regexec", {room(64), text("x"), 0, 0, 0}), Next::ProcessExit);
}

TEST_F(LibraryRows, FileNamesAsTheHost) {
    for (const char* const pattern : {"*.c", "a?c", "[!x]*", "**", "a\\*", "/*/b", ""})
        for (const char* const name : {"x.c", "abc", "a*", "/a/b", "", ".c"})
            for (const int flags : {0, FNM_PATHNAME, FNM_PERIOD, FNM_NOESCAPE})
                EXPECT_EQ(call("fnmatch", text(pattern), text(name), flags),
                          fnmatch(pattern, name, flags))
                    << pattern << ' ' << name;
    for (const char* const path : {"/usr/lib", "/usr/", "usr", "/", ".", "", "a//b//", "//", "/a",
                                   "//a", "///", "///a", "//a/b"}) {
        std::string first = path, second = path;
        EXPECT_EQ(text_at(call("dirname", text(path))), dirname(first.data())) << path;
        EXPECT_EQ(text_at(call("__xpg_basename", text(path))), __xpg_basename(second.data()))
            << path;
    }
}

TEST_F(LibraryRows, RealPathsAndTemporaryFiles) {
    const auto name = text("/tmp/e2k-library-XXXXXX");
    ASSERT_EQ(call("mkdtemp", name), static_cast<std::int64_t>(name));
    const std::string directory = text_at(static_cast<std::int64_t>(name));
    struct stat st {};
    ASSERT_EQ(::stat(directory.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777u, 0700u);
    ASSERT_EQ(symlink("..", (directory + "/up").c_str()), 0);
    ASSERT_EQ(symlink("loop", (directory + "/loop").c_str()), 0);
    const auto file = text(directory + "/f-XXXXXX");
    const auto fd = call("mkstemp", file);
    EXPECT_GE(fd, 0);
    for (const std::string& path :
         {directory, directory + "/up", directory + "/up/../tmp/./", directory + "/loop/x",
          directory + "/nothing", text_at(static_cast<std::int64_t>(file)) + "/x",
          text_at(static_cast<std::int64_t>(file)) + "/", std::string("/proc/self/root/tmp"),
          std::string(""), std::string("/.."), std::string("//tmp//")}) {
        char theirs[PATH_MAX];
        const auto to = room(PATH_MAX);
        const bool there = ::realpath(path.c_str(), theirs);
        EXPECT_EQ(call("realpath", text(path), to), there ? static_cast<std::int64_t>(to) : 0)
            << path;
        if (there) {
            EXPECT_EQ(text_at(static_cast<std::int64_t>(to)), theirs);
        }
    }
    EXPECT_EQ(call("mkstemp", text("/tmp/XXXXX")), -1);
    EXPECT_EQ(call("realpath@GLIBC_2.2", text("/tmp"), 0), 0);
    EXPECT_EQ(text_at(call("realpath", text("/"), 0)), "/");
    for (const char* const left : {"/up", "/loop"}) ::unlink((directory + left).c_str());
    ::unlink(text_at(static_cast<std::int64_t>(file)).c_str());
    EXPECT_EQ(::rmdir(directory.c_str()), 0);
}

TEST_F(LibraryRows, UsersAndGroupsOfTheFiles) {
    const auto root = call("getpwnam", text("root"));
    ASSERT_NE(root, 0);
    const auto at = static_cast<std::uint64_t>(root);
    const passwd* theirs = getpwnam("root");
    EXPECT_EQ(text_at(get<std::int64_t>(at)), "root");
    EXPECT_EQ(get<std::uint32_t>(at + 16), 0u);
    EXPECT_EQ(text_at(get<std::int64_t>(at + 32)), theirs->pw_dir);
    EXPECT_EQ(text_at(get<std::int64_t>(at + 40)), theirs->pw_shell);
    EXPECT_EQ(call("getpwnam", text("nobody-of-this-name")), 0);
    EXPECT_EQ(text_at(get<std::int64_t>(static_cast<std::uint64_t>(call("getgrgid", 0)))), "root");
    const auto entry = room(48), buffer = room(512), result = room(8);
    EXPECT_EQ(call("getpwuid_r", 0, entry, buffer, 512, result), 0);
    EXPECT_EQ(get<std::uint64_t>(result), entry);
    EXPECT_EQ(text_at(get<std::int64_t>(entry)), "root");
    EXPECT_EQ(call("getpwuid_r", 0, entry, buffer, 8, result), ERANGE);
    EXPECT_EQ(get<std::uint64_t>(result), 0u);
    int count = 0, host_count = 0;
    while (call("getpwent") != 0) ++count;
    setpwent();
    while (getpwent()) ++host_count;
    endpwent();
    EXPECT_EQ(count, host_count);
    call("setpwent");
    EXPECT_NE(call("getpwent"), 0);
}

TEST_F(LibraryRows, AddressesAsTheHost) {
    const auto address = room(16), to = room(64);
    for (const char* const name :
         {"127.0.0.1", "1.2.3", "256.1.1.1", "::1", "fe80::1%lo", "::ffff:1.2.3.4", "", "a::b::c"})
        for (const int family : {AF_INET, AF_INET6}) {
            std::array<char, 64> theirs{};
            std::array<std::uint8_t, 16> bytes{};
            const int good = inet_pton(family, name, bytes.data());
            ASSERT_EQ(call("inet_pton", family, text(name), address), good) << name;
            if (good != 1) continue;
            EXPECT_EQ(call("inet_ntop", family, address, to, 64), static_cast<std::int64_t>(to));
            EXPECT_EQ(text_at(static_cast<std::int64_t>(to)),
                      inet_ntop(family, bytes.data(), theirs.data(), theirs.size()));
            EXPECT_EQ(call("inet_ntop", family, address, to, 3), 0);
        }
    const auto list = room(8);
    ASSERT_EQ(call("getaddrinfo", text("127.0.0.1"), text("80"), 0, list), 0);
    const auto first = get<std::uint64_t>(list);
    EXPECT_EQ(get<std::int32_t>(first + 4), AF_INET);
    EXPECT_EQ(get<std::uint16_t>(get<std::uint64_t>(first + 24) + 2), htons(80));
    EXPECT_EQ(call("getnameinfo", get<std::uint64_t>(first + 24), 16, to, 64, 0, 0, NI_NUMERICHOST),
              0);
    EXPECT_EQ(text_at(static_cast<std::int64_t>(to)), "127.0.0.1");
    call("freeaddrinfo", first);
    EXPECT_EQ(call("getaddrinfo", 0, 0, 0, list), EAI_NONAME);
    EXPECT_EQ(text_at(call("gai_strerror", EAI_NONAME)), gai_strerror(EAI_NONAME));
    EXPECT_EQ(text_at(call("inet_ntoa", htonl(0x01020304))), "1.2.3.4");
}

TEST_F(LibraryRows, CharacterSets) {
    const auto cd = call("iconv_open", text("UTF-8"), text("ISO-8859-1"));
    ASSERT_NE(cd, -1);
    const std::string latin = "gr\xfc\xdf" + std::string(100'000, '\xe4');
    const auto from = text(latin), to = room(300'000);
    const std::uint64_t state[] = {from, latin.size(), to, 250'000};
    const auto in = put(state, sizeof state);
    EXPECT_EQ(call("iconv", cd, in, in + 8, in + 16, in + 24), 0);
    EXPECT_EQ(get<std::uint64_t>(in + 8), 0u);
    EXPECT_EQ(get<std::uint64_t>(in + 24), 250'000u - 2 - 4 - 200'000);
    EXPECT_EQ(memory().read_string(to, 8), "gr\xc3\xbc\xc3\x9f\xc3\xa4");
    const std::uint64_t small[] = {from, latin.size(), to, 5};
    ASSERT_TRUE(memory().write(in, small, sizeof small));
    EXPECT_EQ(call("iconv", cd, in, in + 8, in + 16, in + 24), -1);  // E2BIG
    EXPECT_EQ(get<std::uint64_t>(in), from + 3);
    EXPECT_EQ(call("iconv_close", cd), 0);
    EXPECT_EQ(call("iconv", cd, in, in + 8, in + 16, in + 24), -1);
    EXPECT_EQ(call("iconv_close", cd), -1);
    EXPECT_EQ(call("iconv_open", text("no such set"), text("UTF-8")), -1);
    EXPECT_EQ(call("iconv_open", text("../../x"), text("UTF-8")), -1);
}

TEST_F(LibraryRows, LimitsOfMemoryHoldForTheHeap) {
    constexpr int kData = 2;
    const std::uint64_t limits[] = {64u << 20, ~0ull};
    ASSERT_EQ(call("setrlimit", kData, put(limits, sizeof limits)), 0);
    EXPECT_NE(call("malloc", 8 << 20), 0);
    EXPECT_EQ(call("malloc", 100 << 20), 0);
    EXPECT_EQ(call("calloc", 10, 10 << 20), 0);
    const auto block = call("malloc", 1 << 20);
    ASSERT_NE(block, 0);
    EXPECT_EQ(call("realloc", block, 200 << 20), 0);
    std::uint64_t taken = 0;
    while (call("malloc", 64 << 10) != 0) taken += 64 << 10;
    EXPECT_LT(taken, 64u << 20);
    EXPECT_GT(taken, 30u << 20);
}

TEST_F(LibraryRows, SystemCallsAndRandomBytes) {
    EXPECT_EQ(call("syscall", 20), call("getpid"));
    EXPECT_EQ(call("syscall", 5000), -1);
    EXPECT_LT(static_cast<std::uint64_t>(call("arc4random_uniform", 7)), 7u);
    EXPECT_EQ(call("arc4random_uniform", 0), 0);
    const auto bytes = room(600);
    call("arc4random_buf", bytes, 600);
    EXPECT_NE(get<std::uint64_t>(bytes) | get<std::uint64_t>(bytes + 512), 0u);
    const auto set = call("__sched_cpualloc", 100);
    EXPECT_NE(set, 0);
    call("__sched_cpufree", set);
}

// ---- locks between threads --------------------------------------------------------------------

TEST_F(LibraryRows, SemaphoresCount) {
    const auto sem = room(32), value = room(4), past = object(timespec{1, 0});
    EXPECT_EQ(call("sem_init", sem, 0, 0x8000'0000u), -1);
    EXPECT_EQ(call("sem_init", sem, 0, 2), 0);
    EXPECT_EQ(call("sem_trywait", sem), 0);
    EXPECT_EQ(call("sem_wait", sem), 0);
    EXPECT_EQ(call("sem_trywait", sem), -1);
    EXPECT_EQ(call("sem_timedwait", sem, past), -1);
    EXPECT_EQ(call("sem_post", sem), 0);
    EXPECT_EQ(call("sem_getvalue", sem, value), 0);
    EXPECT_EQ(get<int>(value), 1);
    const int most = INT_MAX;
    ASSERT_TRUE(memory().write(sem, &most, sizeof most));
    EXPECT_EQ(call("sem_post", sem), -1);
}

TEST_F(LibraryRows, ReadersShareWritersDoNot) {
    const auto lock = room(56), past = object(timespec{1, 0});
    EXPECT_EQ(call("pthread_rwlock_init", lock, 0), 0);
    EXPECT_EQ(call("pthread_rwlock_rdlock", lock), 0);
    EXPECT_EQ(call("pthread_rwlock_tryrdlock", lock), 0);
    EXPECT_EQ(call("pthread_rwlock_trywrlock", lock), EBUSY);
    EXPECT_EQ(call("pthread_rwlock_timedwrlock", lock, past), ETIMEDOUT);
    EXPECT_EQ(call("pthread_rwlock_unlock", lock), 0);
    EXPECT_EQ(call("pthread_rwlock_trywrlock", lock), EBUSY);
    EXPECT_EQ(call("pthread_rwlock_unlock", lock), 0);
    EXPECT_EQ(call("pthread_rwlock_wrlock", lock), 0);
    EXPECT_EQ(call("pthread_rwlock_wrlock", lock), EDEADLK);
    EXPECT_EQ(call("pthread_rwlock_rdlock", lock), EDEADLK);
    EXPECT_EQ(call("pthread_rwlock_unlock", lock), 0);
    EXPECT_EQ(call("pthread_rwlock_unlock", lock), EPERM);
}

TEST_F(LibraryRows, BarriersMeetAndSpinLocksAreHeldOnce) {
    const auto barrier = room(32), spin = room(4);
    EXPECT_EQ(call("pthread_barrier_init", barrier, 0, 0), EINVAL);
    EXPECT_EQ(call("pthread_barrier_init", barrier, 0, 1), 0);
    EXPECT_EQ(call("pthread_barrier_wait", barrier), -1);  // the one that all wait for
    EXPECT_EQ(call("pthread_barrier_wait", barrier), -1);
    EXPECT_EQ(call("pthread_spin_init", spin, 0), 0);
    EXPECT_EQ(call("pthread_spin_lock", spin), 0);
    EXPECT_EQ(call("pthread_spin_trylock", spin), EBUSY);
    EXPECT_EQ(call("pthread_spin_unlock", spin), 0);
    EXPECT_EQ(call("pthread_spin_trylock", spin), 0);
}

TEST_F(LibraryRows, ConditionsHaveTheirClock) {
    const auto attributes = room(4), condition = room(48), mutex = room(40),
               past = object(timespec{0, 1});
    EXPECT_EQ(call("pthread_condattr_init", attributes), 0);
    EXPECT_EQ(call("pthread_condattr_setclock", attributes, 7), EINVAL);
    EXPECT_EQ(call("pthread_condattr_setclock", attributes, CLOCK_MONOTONIC), 0);
    EXPECT_EQ(call("pthread_cond_init", condition, attributes), 0);
    EXPECT_EQ(call("pthread_mutex_init", mutex, 0), 0);
    EXPECT_EQ(call("pthread_mutex_lock", mutex), 0);
    EXPECT_EQ(call("pthread_cond_timedwait", condition, mutex, past), ETIMEDOUT);
    EXPECT_EQ(call("pthread_cond_clockwait", condition, mutex, CLOCK_REALTIME, past), ETIMEDOUT);
    EXPECT_EQ(call("pthread_cond_clockwait", condition, mutex, 5, past), EINVAL);
    EXPECT_EQ(call("pthread_mutex_unlock", mutex), 0);
}

TEST_F(LibraryRows, ThreadsHaveNamesSignalsAndProcessors) {
    const auto self = call("pthread_self");
    const auto name = text("counter"), got = room(16), set = room(128);
    EXPECT_EQ(call("pthread_setname_np", self, name), 0);
    EXPECT_EQ(call("pthread_getname_np", self, got, 16), 0);
    EXPECT_EQ(text_at(static_cast<std::int64_t>(got)), "counter");
    EXPECT_EQ(call("pthread_getname_np", self, got, 4), ERANGE);
    EXPECT_EQ(call("pthread_setname_np", self, text("a name of more than 15")), ERANGE);
    EXPECT_EQ(call("pthread_setname_np", 0x1234, name), ESRCH);
    EXPECT_EQ(call("pthread_kill", self, 0), 0);
    EXPECT_EQ(call("pthread_kill", self, 65), EINVAL);
    EXPECT_EQ(call("pthread_kill", 0x1234, 0), ESRCH);
    EXPECT_EQ(call("pthread_getaffinity_np", self, 128, set), 0);
    EXPECT_NE(get<std::uint64_t>(set), 0u);
}

TEST_F(LibraryRows, MoreSystemCalls) {
    const auto path = text("/"), out = room(256), duplex = room(64);
    EXPECT_EQ(call("statvfs", path, out), 0);
    struct statvfs host {};
    ASSERT_EQ(statvfs("/", &host), 0);
    EXPECT_EQ(get<std::uint64_t>(out), host.f_bsize);
    EXPECT_EQ(get<std::uint64_t>(out + 16), host.f_blocks);
    EXPECT_EQ(call("pathconf", path, _PC_NAME_MAX), 255);
    EXPECT_EQ(call("eaccess", path, R_OK), 0);
    EXPECT_EQ(call("eaccess", text("/nonexistent"), R_OK), -1);
    const auto fd = call("eventfd", 5, 0);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(call("eventfd_write", fd, 7), 0);
    EXPECT_EQ(call("eventfd_read", fd, duplex), 0);
    EXPECT_EQ(get<std::uint64_t>(duplex), 12u);
    EXPECT_EQ(call("getentropy", duplex, 64), 0);
    EXPECT_EQ(call("getentropy", duplex, 257), -1);
    EXPECT_EQ(call("gettid"), call("getpid"));
    const auto settings = object(termios{});
    EXPECT_EQ(call("cfsetospeed", settings, B9600), 0);
    EXPECT_EQ(call("cfgetospeed", settings), B9600);
}

TEST_F(LibraryRows, WideTextsAsTheHost) {
    const auto wide = [&](std::wstring text) {
        return put(text.c_str(), (text.size() + 1) * sizeof(wchar_t));
    };
    const auto wide_at = [&](std::uint64_t at) {
        std::wstring text;
        for (wchar_t c = 0; (c = get<wchar_t>(at + 4 * text.size())) != 0;) text += c;
        return text;
    };
    const std::wstring texts[] = {L"",       L"a", L"abc", L"abd", L"xabcabd", L"\x7fff\x10ffff",
                                  L"-12rest"};
    for (const auto& a : texts)
        for (const auto& b : texts) {
            forget();
            const auto x = wide(a), y = wide(b), to = room(256), end = room(8);
            const auto sign = [](int v) { return v < 0 ? -1 : v > 0 ? 1 : 0; };
            EXPECT_EQ(call("wcscmp", x, y), sign(std::wcscmp(a.c_str(), b.c_str())));
            EXPECT_EQ(call("wcsncmp", x, y, 2), sign(std::wcsncmp(a.c_str(), b.c_str(), 2)));
            EXPECT_EQ(call("wcsspn", x, y), std::wcsspn(a.c_str(), b.c_str()));
            EXPECT_EQ(call("wcscspn", x, y), std::wcscspn(a.c_str(), b.c_str()));
            const wchar_t* found = std::wcsstr(a.c_str(), b.c_str());
            EXPECT_EQ(call("wcsstr", x, y), found ? x + 4 * (found - a.c_str()) : 0);
            found = std::wcschr(a.c_str(), L'b');
            EXPECT_EQ(call("wcschr", x, L'b'), found ? x + 4 * (found - a.c_str()) : 0);
            found = std::wcsrchr(a.c_str(), L'b');
            EXPECT_EQ(call("wcsrchr", x, L'b'), found ? x + 4 * (found - a.c_str()) : 0);
            EXPECT_EQ(call("wcscpy", to, x), to);
            EXPECT_EQ(call("wcscat", to, y), to);
            EXPECT_EQ(wide_at(to), a + b);
            EXPECT_EQ(call("wcsncpy", to, y, 3), to);
            EXPECT_EQ(wide_at(to).substr(0, 3), b.substr(0, 3));
            EXPECT_EQ(wide_at(static_cast<std::uint64_t>(call("wcsdup", x))), a);
            wchar_t* stop = nullptr;
            EXPECT_EQ(call("wcstol", x, end, 10), std::wcstol(a.c_str(), &stop, 10));
            EXPECT_EQ(get<std::uint64_t>(end), x + 4 * (stop - a.c_str()));
        }
    const auto to = room(64);
    EXPECT_EQ(call("wmemset", to, L'z', 5), to);
    EXPECT_EQ(wide_at(to), L"zzzzz");
    EXPECT_EQ(call("wmemchr", to, L'q', 5), 0);
}

TEST_F(LibraryRows, OneLocaleAndOtherNames) {
    const auto locale = call("newlocale", LC_ALL_MASK, text("C"), 0);
    EXPECT_NE(locale, 0);
    EXPECT_EQ(call("newlocale", LC_ALL_MASK, text("xx_XX"), 0), 0);
    EXPECT_EQ(call("uselocale", locale), -1);  // LC_GLOBAL_LOCALE
    EXPECT_EQ(first_name("strtod_l"), "strtod");
    EXPECT_EQ(first_name("strtod"), "strtod");
    const auto file = call("tmpfile");
    ASSERT_NE(file, 0);
    EXPECT_EQ(call("fputs", text("kept"), file), 1);
    call("rewind", file);
    const auto to = room(16);
    EXPECT_EQ(call("fgets", to, 16, file), static_cast<std::int64_t>(to));
    EXPECT_EQ(text_at(static_cast<std::int64_t>(to)), "kept");
    EXPECT_EQ(call("fclose", file), 0);
}

}  // namespace
}  // namespace e2k::guest::libc::test
