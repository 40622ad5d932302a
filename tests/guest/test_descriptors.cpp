// Descriptors, ioctl and resource limits as the guest meets them.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "app/scratch_directory.h"
#include "engine/guest/fd_table.h"
#include "engine/guest/limits.h"
#include "tests/guest/caller.h"

namespace e2k::guest {
namespace {

using test::Caller;

enum Number : std::uint32_t {
    kRead = 3,
    kWrite = 4,
    kOpen = 5,
    kClose = 6,
    kLseek = 19,
    kGetpid = 20,
    kDup = 41,
    kPipe = 42,
    kBrk = 45,
    kIoctl = 54,
    kFcntl = 55,
    kDup2 = 63,
    kSetrlimit = 75,
    kMmap = 90,
    kMunmap = 91,
    kMprotect = 125,
    kGetdents = 141,
    kSelect = 142,
    kMremap = 163,
    kPoll = 168,
    kPread = 180,
    kPwrite = 181,
    kUgetrlimit = 191,
    kGetdents64 = 220,
    kPreadv = 354,
    kDup3 = 358,
    kPrlimit = 375,
    kCloseRange = 431,
};

constexpr int kAnonymous = 0x12;  // private; differs from the host's

ino_t inode(int fd) {
    struct stat st {};
    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

int some_file() { return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); }

/// Runs `test` in a process of its own, which has descriptors 0, 1 and 2 to lose.
template <class Test>
int in_child(Test test) {
    const pid_t pid = fork();
    if (pid == 0) _exit(test());
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// --- the table ---

TEST(FdTable, LowestFreeNumberFirstAndNoneBeyondTheLimit) {
    FdTable table;
    table.set_limit(4);
    for (int expected = 0; expected < 4; ++expected) EXPECT_EQ(*table.add(some_file()), expected);
    const int refused = some_file();
    EXPECT_EQ(table.add(refused).error(), EMFILE);
    EXPECT_EQ(fcntl(refused, F_GETFD), -1) << "a refused descriptor stays open";
    EXPECT_EQ(table.close(1), 0);
    EXPECT_EQ(table.close(1), EBADF);
    EXPECT_EQ(*table.add(some_file()), 1);
    EXPECT_EQ(table.set(4, some_file()).error(), EBADF);
    table.set_limit(3000);
    EXPECT_EQ(*table.set(2999, some_file()), 2999);
    EXPECT_EQ(*table.add(some_file()), 4);
    EXPECT_EQ(*table.add(some_file(), 2000), 2000);
    EXPECT_EQ(*table.add(some_file()), 5);
    EXPECT_GE(table.capacity(), 3000);
}

TEST(FdTable, InheritedDescriptorsKeepTheirNumbers) {
    const int file = some_file(), high = fcntl(file, F_DUPFD_CLOEXEC, 700);
    FdTable table;
    table.set_limit(20);
    table.inherit(std::array{file, high});
    EXPECT_EQ(table.host(file), file);
    EXPECT_EQ(table.host(high), high);
    EXPECT_EQ(table.open_numbers(), (std::vector{file, high}));
    EXPECT_EQ(table.close(high), 0);
    EXPECT_EQ(fcntl(high, F_GETFD), -1);
}

TEST(FdTable, ClosedStandardStreamsAreClosedInTheHostAndTheirNumbersStayTaken) {
    const auto test = [] {
        FdTable table;
        table.inherit(std::array{0, 1, 2});
        const ino_t before = inode(1);
        if (table.close(1) != 0 || table.host(1) != -1) return 1;
        if (inode(1) == before || write(1, "", 1) != -1 || errno != EBADF) return 2;
        const int file = some_file();
        if (file < 3) return 3;  // an own file of the workbench must not get the number
        const ino_t fresh = inode(file);
        if (*table.add(file) != 1 || table.host(1) != file) return 4;
        // dup2 onto it, as a shell redirects: the host's own stream follows.
        if (*table.set(1, fcntl(file, F_DUPFD, 3)) != 1 || table.host(1) != 1) return 5;
        return inode(1) == fresh ? 0 : 6;
    };
    EXPECT_EQ(in_child(test), 0);
}

// --- numbers ---

TEST(Descriptors, ReachUpToTheLimitOfTheGuest) {
    Caller c;
    const auto limit = c.object(rlimit{20, 40});
    const auto back = c.room(16);
    ASSERT_EQ(c.call(kSetrlimit, RLIMIT_NOFILE, limit), 0);
    ASSERT_EQ(c.call(kUgetrlimit, RLIMIT_NOFILE, back), 0);
    EXPECT_EQ(c.get<rlimit>(back).rlim_cur, 20u);
    EXPECT_EQ(c.get<rlimit>(back).rlim_max, 40u);
    std::int64_t last = 0, next = 0;
    while ((next = c.call(kDup, 1)) >= 0) last = next;
    EXPECT_EQ(last, 19);
    EXPECT_EQ(next, -EMFILE);
    EXPECT_EQ(c.call(kPipe, c.room(8)), -EMFILE);
    EXPECT_EQ(c.call(kOpen, c.text("/"), 0), -EMFILE);
    EXPECT_EQ(c.call(kDup2, 1, 20), -EBADF);
    EXPECT_EQ(c.call(kDup3, 1, 20, 0), -EBADF);
    EXPECT_EQ(c.call(kFcntl, 1, F_DUPFD, 20), -EINVAL);
    EXPECT_EQ(c.call(kFcntl, 1, F_DUPFD_CLOEXEC, -1), -EINVAL);
    EXPECT_EQ(c.call(kClose, 7), 0);
    EXPECT_EQ(c.call(kDup, 1), 7);
}

TEST(Descriptors, AboveAThousandWorkInEveryCall) {
    const rlim_t most = ResourceLimits::callers().get(RLIMIT_NOFILE).rlim_max;
    if (most < 5001) GTEST_SKIP() << "the limit of descriptors here is " << most;
    Caller c;
    ASSERT_EQ(c.call(kSetrlimit, RLIMIT_NOFILE, c.object(rlimit{most, most})), 0);
    const auto ends = c.room(8);
    ASSERT_EQ(c.call(kPipe, ends), 0);
    const auto pair = c.get<std::array<std::int32_t, 2>>(ends);
    EXPECT_EQ(c.call(kDup2, pair[1], 5000), 5000);
    EXPECT_EQ(c.call(kDup2, pair[0], 4000), 4000);
    EXPECT_EQ(c.call(kWrite, 5000, c.text("x"), 1), 1);
    pollfd wait{4000, POLLIN, 0};
    EXPECT_EQ(c.call(kPoll, c.object(wait), 1, 0), 1);
    std::array<std::uint64_t, 80> set{};
    set[4000 / 64] = 1ull << (4000 % 64);
    const auto at = c.object(set);
    EXPECT_EQ(c.call(kSelect, 5001, at, 0, 0, c.object(timeval{0, 0})), 1);
    EXPECT_EQ(c.get<decltype(set)>(at), set);
    EXPECT_EQ(c.call(kCloseRange, 3000, 6000, 0), 0);
    EXPECT_EQ(c.call(kClose, 5000), -EBADF);
}

TEST(Descriptors, ProcListsTheGuestsOwnNumbers) {
    Caller c;
    for (const char* directory : {"/proc/self/fd", "/proc/self/fdinfo", "/proc/thread-self/fd"}) {
        for (const std::uint32_t call : {kGetdents64, kGetdents}) {
            std::set<std::string> expected{".", "..", "0", "1", "2", "900"};
            ASSERT_EQ(c.call(kDup2, 1, 900), 900);
            const auto fd = c.call(kOpen, c.text(directory), O_RDONLY | O_DIRECTORY);
            ASSERT_GE(fd, 0) << directory;
            expected.insert(std::to_string(fd));
            std::set<std::string> seen;
            const auto buffer = c.room(64);  // two or three entries at a time
            for (;;) {
                const std::int64_t n = c.call(call, fd, buffer, 64);
                ASSERT_GE(n, 0);
                if (n == 0) break;
                const auto bytes = c.get<std::array<char, 64>>(buffer);
                for (std::int64_t at = 0; at < n;) {
                    seen.insert(&bytes[at + (call == kGetdents ? 18 : 19)]);
                    at += static_cast<unsigned char>(bytes[at + 16]);
                }
            }
            EXPECT_EQ(seen, expected) << directory << ", call " << call;
            EXPECT_EQ(c.call(call, fd, buffer, 8), 0);
            c.call(kClose, fd);
        }
    }
}

TEST(Descriptors, ProcListsTheGuestsOwnThreads) {
    Caller c;
    // The window's and the worker's threads are none of the guest's.
    std::jthread other([](const std::stop_token& end) {
        while (!end.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    const auto fd = c.call(kOpen, c.text("/proc/self/task"), O_RDONLY | O_DIRECTORY);
    ASSERT_GE(fd, 0);
    const auto buffer = c.room(4096);
    const auto n = c.call(kGetdents64, fd, buffer, 4096);
    ASSERT_GT(n, 0);
    std::set<std::string> seen;
    const auto bytes = c.get<std::array<char, 4096>>(buffer);
    for (std::int64_t at = 0; at < n;) {
        const auto entry = static_cast<std::size_t>(at);
        seen.insert(&bytes[entry + 19]);
        at += static_cast<unsigned char>(bytes[entry + 16]);
    }
    EXPECT_EQ(seen, (std::set<std::string>{".", "..", std::to_string(c.thread().tid)}));
    EXPECT_EQ(c.call(kGetdents64, fd, buffer, 4096), 0);
}

class MemoryFile : public testing::TestWithParam<bool> {
protected:
    static ProcessOptions options() {
        ProcessOptions options;
        options.policy.sandbox = GetParam();
        return options;
    }
    Caller c{options()};
    std::uint64_t at = c.text("one text");
    std::uint64_t buffer = c.room(64);
    std::string text(std::uint64_t address) {
        return c.memory().read_string(address).value_or("?");
    }
};

TEST_P(MemoryFile, IsTheGuestsMemory) {
    const auto fd = c.call(kOpen, c.text("/proc/self/mem"), O_RDWR);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(c.call(kPread, fd, buffer, 9, at), 9);
    EXPECT_EQ(text(buffer), "one text");
    EXPECT_EQ(c.call(kPwrite, fd, c.text("two"), 3, at), 3);
    EXPECT_EQ(text(at), "two text");
    // The position is the descriptor's and its copies'.
    EXPECT_EQ(c.call(kLseek, fd, at + 4, SEEK_SET), static_cast<std::int64_t>(at + 4));
    const auto copy = c.call(kDup, fd);
    EXPECT_EQ(c.call(kRead, copy, buffer, 2), 2);
    EXPECT_EQ(c.call(kWrite, fd, c.text("st"), 2), 2);
    EXPECT_EQ(text(at), "two test");
    const std::array<std::uint64_t, 2> part{buffer, 5};
    EXPECT_EQ(c.call(kPreadv, copy, c.object(part), 1, at + 4), 5);
    EXPECT_EQ(text(buffer), "test");
}

TEST_P(MemoryFile, EndsWhereNothingIsMapped) {
    const auto fd = c.call(kOpen, c.text("/proc/self/mem"), O_RDONLY);
    constexpr std::uint64_t kPages = 3 * cpu::kPageSize;
    const auto pages = static_cast<std::uint64_t>(
        c.call(kMmap, 0, kPages, PROT_READ | PROT_WRITE, kAnonymous, -1, 0));
    ASSERT_EQ(c.call(kMunmap, pages + 2 * cpu::kPageSize, cpu::kPageSize), 0);
    const auto end = pages + 2 * cpu::kPageSize;
    EXPECT_EQ(c.call(kPread, fd, buffer, 64, end - 8), 8);
    EXPECT_EQ(c.call(kPread, fd, buffer, 64, end), -EIO);
    EXPECT_EQ(c.call(kPread, fd, buffer, 64, ~0ull << 48), -EINVAL);
    EXPECT_EQ(c.call(kPread, fd, buffer, 64, 1ull << 60), -EIO);
    EXPECT_EQ(c.call(kPread, fd, end, 8, at), -EFAULT);
    EXPECT_EQ(c.call(kPread, fd, buffer, 0, at), 0);
    EXPECT_EQ(c.call(kPwrite, fd, buffer, 8, at), -EBADF);
    EXPECT_EQ(c.call(kMprotect, pages, cpu::kPageSize, PROT_NONE), 0);
    EXPECT_EQ(c.call(kPread, fd, buffer, 8, pages), 8);
}

TEST_P(MemoryFile, WritesWhereTheProgramMayNot) {
    const auto fd = c.call(kOpen, c.text("/proc/self/mem"), O_WRONLY);
    const auto page =
        static_cast<std::uint64_t>(c.call(kMmap, 0, cpu::kPageSize, PROT_READ, kAnonymous, -1, 0));
    EXPECT_EQ(c.call(kPwrite, fd, c.text("in"), 3, page), 3);
    EXPECT_EQ(text(page), "in");
    EXPECT_FALSE(c.memory().write(page, "x", 1));
    EXPECT_EQ(c.call(kRead, fd, buffer, 1), -EBADF);
}

INSTANTIATE_TEST_SUITE_P(Policies, MemoryFile, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "Sandbox" : "Trusted"; });

TEST(Descriptors, OwnersAndSignalsAreSetAndReadBack) {
    Caller c;
    const auto ends = c.room(8);
    ASSERT_EQ(c.call(kPipe, ends), 0);
    const auto fd = c.get<std::int32_t>(ends);
    const auto pid = c.call(kGetpid);
    EXPECT_EQ(c.call(kFcntl, fd, F_SETOWN, pid), 0);
    EXPECT_EQ(c.call(kFcntl, fd, F_GETOWN), pid);
    EXPECT_EQ(c.call(kFcntl, fd, F_SETSIG, SIGUSR1), 0);
    EXPECT_EQ(c.call(kFcntl, fd, F_GETSIG), SIGUSR1);
    EXPECT_EQ(c.call(kFcntl, fd, F_SETSIG, 65), -EINVAL);
    const auto owner = c.object(std::array<std::int32_t, 2>{F_OWNER_PID, 0});
    EXPECT_EQ(c.call(kFcntl, fd, F_GETOWN_EX, owner), 0);
    EXPECT_EQ((c.get<std::array<std::int32_t, 2>>(owner)),
              (std::array<std::int32_t, 2>{F_OWNER_PID, static_cast<std::int32_t>(pid)}));
    EXPECT_EQ(c.call(kFcntl, fd, F_SETOWN_EX, owner), 0);
    EXPECT_EQ(c.call(kFcntl, fd, F_SETOWN_EX, 8), -EFAULT);
    for (const std::int32_t type : {-1, 7, 0x10002})  // none of the enumeration
        EXPECT_EQ(c.call(kFcntl, fd, F_SETOWN_EX, c.object(std::array{type, 0})), -EINVAL) << type;
    EXPECT_EQ(c.call(kFcntl, fd, F_SETPIPE_SZ, 65536), 65536);
    EXPECT_EQ(c.call(kFcntl, fd, 4711, 8), -EINVAL);
    EXPECT_EQ(c.call(kFcntl, 99, 4711, 8), -EBADF);
}

// --- ioctl ---

TEST(Ioctl, RequestsOfFilesGiveWhatTheHostGives) {
    const ScratchDirectory scratch;
    const std::string path = scratch.path() / "file";
    std::ofstream(path) << "twelve bytes";
    Caller c;
    const auto fd = c.call(kOpen, c.text(path), O_RDWR);
    const int host = open(path.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    for (const unsigned long request :
         {std::uint64_t{FIGETBSZ}, std::uint64_t{FS_IOC_GETFLAGS}, std::uint64_t{FS_IOC_GETVERSION},
          std::uint64_t{FIONREAD}, std::uint64_t{FIOQSIZE}, std::uint64_t{FS_IOC_FSGETXATTR},
          std::uint64_t{TIOCGWINSZ}, std::uint64_t{TCGETS}, std::uint64_t{BLKGETSIZE64},
          std::uint64_t{TIOCEXCL}}) {
        std::array<std::uint8_t, 64> theirs{};
        const long expected = ioctl(host, request, theirs.data()) == 0 ? 0 : -errno;
        const auto at = c.room(64);
        EXPECT_EQ(c.call(kIoctl, fd, request, at), expected) << std::hex << request;
        EXPECT_EQ((c.get<decltype(theirs)>(at)), theirs) << std::hex << request;
        if (expected == 0) {
            EXPECT_EQ(c.call(kIoctl, fd, request, 8), -EFAULT) << std::hex << request;
        }
    }
    const long clone = ioctl(host, FICLONE, host) == 0 ? 0 : -errno;
    EXPECT_EQ(c.call(kIoctl, fd, FICLONE, fd), clone);
    EXPECT_EQ(c.call(kIoctl, fd, FICLONE, 77), -EBADF);
    EXPECT_EQ(c.call(kIoctl, 77, FIGETBSZ, c.room(8)), -EBADF);
    close(host);
}

TEST(Ioctl, TerminalsHaveTheirRequests) {
    constexpr std::uint32_t kTcgets2 = 0x802c542a, kTcsets2 = 0x402c542b;
    Caller c;
    const auto fd = c.call(kOpen, c.text("/dev/ptmx"), O_RDWR | O_NOCTTY);
    if (fd < 0) GTEST_SKIP() << "no pseudo-terminals here";
    const auto settings = c.room(64), word = c.room(8);
    EXPECT_EQ(c.call(kIoctl, fd, TCGETS, settings), 0);
    EXPECT_EQ(c.call(kIoctl, fd, kTcgets2, settings), 0);
    EXPECT_EQ(c.call(kIoctl, fd, kTcsets2, settings), 0);
    EXPECT_EQ(c.call(kIoctl, fd, TIOCEXCL, ~0ull), 0);
    EXPECT_EQ(c.call(kIoctl, fd, TIOCGEXCL, word), 0);
    EXPECT_EQ(c.get<std::int32_t>(word), 1);
    EXPECT_EQ(c.call(kIoctl, fd, TIOCGPTN, word), 0);
    EXPECT_EQ(c.call(kIoctl, fd, TIOCSPTLCK, c.object(0)), 0);
    const auto peer = c.call(kIoctl, fd, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    ASSERT_GE(peer, 0);
    EXPECT_EQ(c.call(kWrite, peer, c.text("hi"), 2), 2);
    EXPECT_EQ(c.call(kRead, fd, settings, 64), 2);
}

TEST(Ioctl, UnknownRequestsNeverReachTheHost) {
    Caller c;
    const auto zero = c.call(kOpen, c.text("/dev/zero"), O_RDWR);
    const auto host = reinterpret_cast<std::uint64_t>(c.memory().view().base);
    for (const std::uint64_t request :
         {0x541eull /* TIOCGSERIAL */, 0xae01ull, 0x5409ull /* TCSBRK */, 0xc0189436ull, 0x125dull,
          0xffff'ffffull})
        for (const std::uint64_t argument : std::array<std::uint64_t, 3>{8, ~0ull, host})
            EXPECT_EQ(c.call(kIoctl, zero, request, argument), -ENOTTY) << std::hex << request;
}

// --- limits ---

TEST(Limits, AreTheCallersUntilTheGuestSetsThem) {
    Caller c;
    const auto back = c.room(16);
    for (unsigned resource = 0; resource < RLIM_NLIMITS; ++resource) {
        const rlimit expected = ResourceLimits::callers().get(resource);
        ASSERT_EQ(c.call(kPrlimit, 0, resource, 0, back), 0);
        EXPECT_EQ(c.get<rlimit>(back).rlim_cur, expected.rlim_cur) << resource;
        EXPECT_EQ(c.get<rlimit>(back).rlim_max, expected.rlim_max) << resource;
    }
    EXPECT_EQ(c.call(kUgetrlimit, 10001, back), 0);
    EXPECT_EQ(c.call(kUgetrlimit, 16, back), -EINVAL);
    EXPECT_EQ(c.call(kSetrlimit, 16, back), -EINVAL);
    EXPECT_EQ(c.call(kSetrlimit, RLIMIT_CORE, c.object(rlimit{2, 1})), -EINVAL);
    EXPECT_EQ(c.call(kSetrlimit, RLIMIT_CORE, 8), -EFAULT);
    for (const unsigned resource :
         {unsigned{RLIMIT_CORE}, unsigned{RLIMIT_STACK}, 10001u, 10002u}) {
        const rlimit own{1 << 20, 1 << 21};
        ASSERT_EQ(c.call(kSetrlimit, resource, c.object(own)), 0) << resource;
        ASSERT_EQ(c.call(kUgetrlimit, resource, back), 0);
        EXPECT_EQ(c.get<rlimit>(back).rlim_cur, own.rlim_cur) << resource;
        EXPECT_EQ(c.get<rlimit>(back).rlim_max, own.rlim_max) << resource;
    }
    rlimit host{};
    getrlimit(RLIMIT_CORE, &host);
    EXPECT_EQ(host.rlim_cur, ResourceLimits::callers().get(RLIMIT_CORE).rlim_cur);
}

TEST(Limits, OfMemoryBindTheGuestsMappings) {
    constexpr int kReadWrite = 3;
    Caller c;
    const auto limit = c.object(rlimit{1u << 30, RLIM_INFINITY});
    ASSERT_EQ(c.call(kSetrlimit, RLIMIT_AS, limit), 0);
    EXPECT_EQ(c.call(kMmap, 0, 2ull << 30, kReadWrite, kAnonymous, -1, 0), -ENOMEM);
    const auto half = c.call(kMmap, 0, 1u << 29, kReadWrite, kAnonymous, -1, 0);
    EXPECT_GT(half, 0);
    EXPECT_EQ(c.call(kMremap, half, 1u << 29, 1u << 30, 1), -ENOMEM);
    const auto brk = c.call(kBrk, 0);
    EXPECT_EQ(c.call(kBrk, brk + (1ll << 30)), brk);
    ASSERT_EQ(c.call(kSetrlimit, RLIMIT_AS, c.object(rlimit{RLIM_INFINITY, RLIM_INFINITY})), 0);
    EXPECT_EQ(c.call(kBrk, brk + (1ll << 30)), brk + (1ll << 30));

    ASSERT_EQ(c.call(kSetrlimit, RLIMIT_DATA, c.object(rlimit{1u << 20, RLIM_INFINITY})), 0);
    EXPECT_EQ(c.call(kMmap, 0, 2u << 20, kReadWrite, kAnonymous, -1, 0), -ENOMEM);
    EXPECT_GT(c.call(kMmap, 0, 2u << 20, 1, kAnonymous, -1, 0), 0) << "not writable: no data";
}

TEST(Limits, OfTheStackMoveItsEnd) {
    Caller c;
    const auto begin = [&] { return c.memory().region_at(kStackTop - 1)->begin; };
    const std::uint64_t first = begin();
    ASSERT_EQ(c.call(kSetrlimit, RLIMIT_STACK, c.object(rlimit{1u << 20, RLIM_INFINITY})), 0);
    EXPECT_EQ(begin(), (kStackTop - (1u << 20)) & ~4095ull);
    ASSERT_EQ(c.call(kSetrlimit, RLIMIT_STACK, c.object(rlimit{4096, RLIM_INFINITY})), 0);
    EXPECT_LT(begin(), c.state().usd_base) << "what is in use stays";
    ASSERT_EQ(c.call(kSetrlimit, RLIMIT_STACK, c.object(rlimit{RLIM_INFINITY, RLIM_INFINITY})), 0);
    EXPECT_EQ(begin(), first);
}

}  // namespace
}  // namespace e2k::guest
