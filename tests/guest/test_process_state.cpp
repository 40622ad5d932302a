// What a process says about itself: prctl, personality, /proc; robust futexes; signal descriptors.
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "caller.h"

namespace e2k::guest::test {
namespace {

enum : std::uint32_t {
    kExit = 1,
    kRead = 3,
    kOpen = 5,
    kClose = 6,
    kKill = 37,
    kPersonality = 136,
    kReadv = 145,
    kPoll = 168,
    kPrctl = 172,
    kSigprocmask = 175,
    kSigpending = 176,
    kSigtimedwait = 177,
    kSigqueue = 178,
    kSigaltstack = 186,
    kSignalfd4 = 347,
    kGetRobustList = 365,
    kSetRobustList = 366,
};

struct ProcessState : testing::Test {
    Caller c;
    std::string file(const std::string& path) {
        const auto fd = c.call(kOpen, c.text(path), O_RDONLY, 0);
        if (fd < 0) return "error " + std::to_string(-fd);
        std::string text;
        const std::uint64_t buffer = c.room(4096);
        for (std::int64_t n; (n = c.call(kRead, fd, buffer, 4096)) > 0;) {
            std::string part(static_cast<std::size_t>(n), 0);
            EXPECT_TRUE(c.memory().read(buffer, part.data(), part.size()));
            text += part;
        }
        c.call(kClose, fd);
        return text;
    }
    static bool has(const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    }
};

TEST_F(ProcessState, PrctlReadsBackWhatWasSet) {
    EXPECT_EQ(c.call(kPrctl, PR_GET_DUMPABLE), 1);
    EXPECT_EQ(c.call(kPrctl, PR_SET_DUMPABLE, 0), 0);
    EXPECT_EQ(c.call(kPrctl, PR_GET_DUMPABLE), 0);
    EXPECT_EQ(c.call(kPrctl, PR_SET_DUMPABLE, 2), -EINVAL);
    EXPECT_EQ(prctl(PR_GET_DUMPABLE), 1);  // the workbench itself
    EXPECT_EQ(c.call(kPrctl, PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
    EXPECT_EQ(c.call(kPrctl, PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
    EXPECT_EQ(c.call(kPrctl, PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
    EXPECT_EQ(c.call(kPrctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    EXPECT_EQ(c.call(kPrctl, PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0), -EINVAL);
    EXPECT_EQ(c.call(kPrctl, PR_GET_TIMING), 0);
    EXPECT_EQ(c.call(kPrctl, PR_SET_TIMING, 1), -EINVAL);
    EXPECT_EQ(c.call(kPrctl, PR_GET_KEEPCAPS), 0);
    EXPECT_EQ(c.call(kPrctl, PR_SET_TIMERSLACK, 60'000), 0);
    EXPECT_EQ(c.call(kPrctl, PR_GET_TIMERSLACK), 60'000);
    EXPECT_EQ(c.call(kPrctl, PR_SET_TIMERSLACK, 0), 0);
    const std::uint64_t word = c.room(8);
    EXPECT_EQ(c.call(kPrctl, PR_GET_CHILD_SUBREAPER, word), 0);
    EXPECT_EQ(c.get<std::int32_t>(word), 0);
    EXPECT_EQ(c.call(kPrctl, PR_SET_CHILD_SUBREAPER, 1), 0);
    EXPECT_EQ(c.call(kPrctl, PR_GET_CHILD_SUBREAPER, word), 0);
    EXPECT_EQ(c.get<std::int32_t>(word), 1);
    EXPECT_EQ(c.call(kPrctl, PR_SET_CHILD_SUBREAPER, 0), 0);
    EXPECT_EQ(c.call(kPrctl, 12345), -EINVAL);
    EXPECT_EQ(c.call(kPersonality, 0x40000), 0);
    EXPECT_EQ(c.call(kPersonality, 0xffff'ffff), 0x40000);
}

TEST_F(ProcessState, TheNameIsThatOfTheProgram) {
    const std::uint64_t name = c.room(16);
    EXPECT_EQ(c.call(kPrctl, PR_GET_NAME, name), 0);
    EXPECT_EQ(*c.memory().read_string(name), "hello");
    EXPECT_EQ(file("/proc/self/comm"), "hello\n");
    EXPECT_EQ(c.call(kPrctl, PR_SET_NAME, c.text("a name that is too long")), 0);
    EXPECT_EQ(c.call(kPrctl, PR_GET_NAME, name), 0);
    EXPECT_EQ(*c.memory().read_string(name), "a name that is ");
    EXPECT_EQ(c.call(kPrctl, PR_SET_NAME, 8), -EFAULT);
}

TEST_F(ProcessState, FilesOfProcDescribeTheGuest) {
    const std::string program = guest_path("hello");
    const std::string pid = std::to_string(getpid());
    EXPECT_TRUE(file("/proc/self/status").starts_with("Name:\thello\n"));
    EXPECT_TRUE(has(file("/proc/self/status"), "\nPid:\t" + pid + "\n"));
    EXPECT_TRUE(has(file("/proc/self/status"), "\nThreads:\t1\n"));
    EXPECT_TRUE(file("/proc/self/stat").starts_with(pid + " (hello) "));
    EXPECT_EQ(file("/proc/self/task/" + pid + "/comm"), "hello\n");
    for (const char* const name : {"maps", "smaps"}) {
        const std::string text = file(std::string("/proc/self/") + name);
        EXPECT_TRUE(has(text, program)) << text;
        EXPECT_TRUE(has(text, "[stack]"));
        EXPECT_FALSE(has(text, ".so"));
        EXPECT_FALSE(has(text, "test_guest"));
    }
    EXPECT_TRUE(has(file("/proc/self/smaps"), "\nRss: "));
    EXPECT_EQ(file("/proc/self/cmdline"), program + std::string(1, '\0'));
    std::uint64_t type = 0;
    const std::string auxv = file("/proc/self/auxv");
    ASSERT_GE(auxv.size(), 16u);
    std::memcpy(&type, auxv.data(), 8);
    EXPECT_EQ(type, 3u);  // AT_PHDR comes first
    EXPECT_EQ(auxv.substr(auxv.size() - 16), std::string(16, '\0'));
    std::uint64_t size = 0;
    EXPECT_EQ(std::sscanf(file("/proc/self/statm").c_str(), "%lu", &size), 1);
    EXPECT_LT(size, 1u << 20);
}

TEST_F(ProcessState, FilesOfProcByWhateverPath) {
    const std::string comm = "hello\n";
    for (const std::string& path :
         {std::string("/proc/thread-self/comm"), "/proc/" + std::to_string(getpid()) + "/comm",
          std::string("//proc//self/./comm"), std::string("/proc/../proc/self/comm"),
          std::string("/proc/self/../self/comm")})
        EXPECT_EQ(file(path), comm) << path;
    const std::uint64_t target = c.room(256);
    const auto n = c.call(85u, c.text("/proc/../proc//self/exe"), target, 256);
    EXPECT_EQ(n, static_cast<std::int64_t>(guest_path("hello").size()));
}

TEST_F(ProcessState, EnvironmentInProc) {
    ProcessOptions options;
    options.environment = {"A=1", "B=two"};
    Caller other(options);
    const auto fd = other.call(kOpen, other.text("/proc/self/environ"), O_RDONLY, 0);
    const std::uint64_t buffer = other.room(64);
    EXPECT_EQ(other.call(kRead, fd, buffer, 64), 10);
    std::array<char, 10> text{};
    ASSERT_TRUE(other.memory().read(buffer, text.data(), text.size()));
    EXPECT_EQ(std::string(text.data(), 10), std::string("A=1\0B=two\0", 10));
}

TEST_F(ProcessState, RobustFutexesOfAnEndingThreadAreMarked) {
    const auto tid = c.thread().tid;
    struct {
        std::uint64_t list, offset, pending;
        std::uint64_t entry[2];
        std::uint32_t word[4];
    } data{};
    const std::uint64_t at = c.room(sizeof data);
    const auto address = [&](std::size_t offset) { return at + offset; };
    data.offset = 16;  // words are 16 bytes behind their entries
    data.list = address(24);
    data.entry[0] = address(32);
    data.entry[1] = at;
    data.pending = address(40);          // its word is word[2]: not this thread's
    data.word[0] = tid | FUTEX_WAITERS;  // entry[0] + 16 = word[0]
    data.word[2] = tid;                  // entry[1] + 16 = word[2]
    ASSERT_TRUE(c.memory().write(at, &data, sizeof data));
    EXPECT_EQ(c.call(kSetRobustList, at, 8), -EINVAL);
    EXPECT_EQ(c.call(kSetRobustList, at, 24), 0);
    const std::uint64_t head = c.room(16);
    EXPECT_EQ(c.call(kGetRobustList, 0, head, head + 8), 0);
    EXPECT_EQ(c.get<std::uint64_t>(head), at);
    EXPECT_EQ(c.issue(kExit, {0}), Next::ProcessExit);
    EXPECT_EQ(c.get<std::uint32_t>(address(40)), FUTEX_WAITERS | FUTEX_OWNER_DIED);
    EXPECT_EQ(c.get<std::uint32_t>(address(48)), unsigned{FUTEX_OWNER_DIED});
}

// --- signal descriptors ---

struct SignalDescriptors : ProcessState {
    std::uint64_t buffer = c.room(512);
    std::int64_t open_for(std::uint64_t mask, int flags, std::int64_t fd = -1) {
        return c.call(kSignalfd4, fd, c.object(mask), 8, flags);
    }
    bool readable(std::int64_t fd) {
        const pollfd wanted{static_cast<int>(fd), POLLIN, 0};
        return c.call(kPoll, c.object(wanted), 1, 0) == 1;
    }
    void block(std::uint64_t mask) {
        EXPECT_EQ(c.call(kSigprocmask, SIG_SETMASK, c.object(mask), 0, 8), 0);
    }
    void queue(int signal, int value) {
        SiginfoE2k info =
            SiginfoE2k::sent(signal, SI_QUEUE, getpid(), 0, static_cast<std::uint64_t>(value));
        EXPECT_EQ(c.call(kSigqueue, getpid(), signal, c.object(info)), 0);
    }
    static constexpr std::uint64_t bit(int n) { return 1ull << (n - 1); }
};

TEST_F(SignalDescriptors, ReadWhatIsPending) {
    block(bit(SIGUSR1) | bit(40));
    const auto fd = open_for(bit(SIGUSR1) | bit(40), SFD_NONBLOCK);
    ASSERT_GE(fd, 0);
    EXPECT_FALSE(readable(fd));
    EXPECT_EQ(c.call(kRead, fd, buffer, 512), -EAGAIN);
    EXPECT_EQ(c.call(kKill, getpid(), SIGUSR1), 0);
    queue(40, 5);
    queue(40, 6);
    EXPECT_TRUE(readable(fd));
    EXPECT_EQ(c.call(kRead, fd, buffer, 127), -EINVAL);
    ASSERT_EQ(c.call(kRead, fd, buffer, 300), 256);
    auto info = c.get<signalfd_siginfo>(buffer);
    EXPECT_EQ(info.ssi_signo, static_cast<unsigned>(SIGUSR1));
    EXPECT_EQ(info.ssi_pid, static_cast<unsigned>(getpid()));
    info = c.get<signalfd_siginfo>(buffer + 128);
    EXPECT_EQ(info.ssi_signo, 40u);
    EXPECT_EQ(info.ssi_int, 5);
    EXPECT_TRUE(readable(fd));
    const std::array<std::uint64_t, 2> part{buffer, 128};
    ASSERT_EQ(c.call(kReadv, fd, c.object(part), 1), 128);
    EXPECT_EQ(c.get<signalfd_siginfo>(buffer).ssi_int, 6);
    EXPECT_FALSE(readable(fd));
    EXPECT_EQ(c.call(kRead, fd, buffer, 512), -EAGAIN);
}

TEST_F(SignalDescriptors, FollowOtherWaysToTakeASignal) {
    block(bit(SIGUSR1) | bit(SIGUSR2));
    const auto fd = open_for(bit(SIGUSR1), SFD_NONBLOCK | SFD_CLOEXEC);
    EXPECT_EQ(c.call(kKill, getpid(), SIGUSR1), 0);
    EXPECT_TRUE(readable(fd));
    const timespec none{};
    EXPECT_EQ(c.call(kSigtimedwait, c.object(bit(SIGUSR1)), 0, c.object(none), 8), SIGUSR1);
    EXPECT_FALSE(readable(fd));
    EXPECT_EQ(c.call(kKill, getpid(), SIGUSR2), 0);
    EXPECT_FALSE(readable(fd));
    EXPECT_EQ(open_for(bit(SIGUSR2), 0, fd), fd);
    EXPECT_TRUE(readable(fd));
    // A host signal gets there, too.
    EXPECT_EQ(open_for(bit(SIGUSR1), 0, fd), fd);
    ::kill(getpid(), SIGUSR1);
    EXPECT_TRUE(readable(fd) || readable(fd));
}

TEST_F(SignalDescriptors, GiveTheErrorsOfLinux) {
    EXPECT_EQ(open_for(1, 1), -EINVAL);
    EXPECT_EQ(c.call(kSignalfd4, -1, c.object(1ull), 4, 0), -EINVAL);
    EXPECT_EQ(c.call(kSignalfd4, -1, 8, 8, 0), -EFAULT);
    EXPECT_EQ(open_for(1, 0, 99), -EBADF);
    EXPECT_EQ(open_for(1, 0, 1), -EINVAL);
}

TEST_F(ProcessState, AlternateStackTakesAutoDisarm) {
    const StackE2k stack{c.room(8192), static_cast<std::int32_t>(1u << 31), 0, 8192};
    const std::uint64_t old = c.room(sizeof stack);
    EXPECT_EQ(c.call(kSigaltstack, c.object(stack), 0), 0);
    EXPECT_EQ(c.call(kSigaltstack, 0, old), 0);
    EXPECT_EQ(c.get<StackE2k>(old).flags, stack.flags);
    const StackE2k bad{stack.sp, 1 << 20, 0, 8192};
    EXPECT_EQ(c.call(kSigaltstack, c.object(bad), 0), -EINVAL);
}

}  // namespace
}  // namespace e2k::guest::test
