// The table of system calls as a whole: which numbers exist, and calls that came late to Linux.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/guest/syscalls/call.h"
#include "tests/guest/caller.h"

namespace e2k::guest {
namespace {

using test::Caller;
namespace fs = std::filesystem;

constexpr std::uint64_t kCwd = static_cast<std::uint64_t>(-100);
constexpr std::uint32_t kLastNumber = 445;

/// Numbers that Elbrus Linux itself answers with ENOSYS (removed, reserved, or of the protected
/// mode only).
constexpr std::array kAbsent{17,  18,  28,  31,  32,  35,  44,  48,  53,  56,  58,  59,
                             67,  72,  82,  84,  98,  110, 112, 113, 123, 127, 130, 134,
                             137, 149, 166, 167, 169, 173, 188, 189, 193, 194, 222, 223,
                             225, 226, 227, 231, 255, 260, 311, 326, 350, 397, 398, 399,
                             417, 418, 419, 420, 421, 422, 423, 424, 425, 445};

struct Scratch {
    Scratch() {
        char name[] = "/tmp/e2k-table-XXXXXX";
        path = mkdtemp(name);
    }
    ~Scratch() { fs::remove_all(path); }
    std::string operator/(const std::string& name) const { return path + "/" + name; }
    std::string path;
};

TEST(CallTable, EveryNumberThatLinuxHasIsThere) {
    for (std::uint32_t number = 0; number <= kLastNumber; ++number) {
        const SyscallRow* row = find_syscall(number);
        const bool absent = std::ranges::find(kAbsent, static_cast<int>(number)) != kAbsent.end();
        EXPECT_EQ(row == nullptr, absent) << number << (row ? row->name : "");
    }
    EXPECT_EQ(find_syscall(kLastNumber + 1), nullptr);
}

TEST(CallTable, RefusedCallsNameAReason) {
    Caller c;
    const auto here = c.text(".");
    EXPECT_EQ(c.call(21, c.text("none"), here, c.text("tmpfs"), 0, 0), -EPERM);
    EXPECT_EQ(c.call(21, 0, c.text("./none"), 0, 0, 0), -ENOENT);
    EXPECT_EQ(c.call(52, here, 0x100), -EINVAL);
    EXPECT_EQ(c.call(256, 8, c.room(120)), -EPERM);
    EXPECT_EQ(c.call(284, c.room(64), 32, 0, 0), -EBUSY);
    EXPECT_EQ(c.call(323, c.text("user"), c.text("name"), 0, 0, 0), -EACCES);
    EXPECT_EQ(c.call(363, 0, 0, 0, 0, 0), -EFAULT);
    EXPECT_EQ(c.call(373, 0, 0), -EPERM);
    EXPECT_EQ(c.call(387, 0, 0, 0), -EPERM);
    EXPECT_EQ(c.call(392, 1, 0, 0), -EINVAL);
    EXPECT_EQ(c.call(439, 0, 0, 1), -EOPNOTSUPP);
    EXPECT_EQ(c.call(0), -EINTR);
}

// --- files ---

TEST(CallTable, OpenatTwoKeepsItsRules) {
    Caller c;
    const Scratch dir;
    fs::create_directory(dir / "below");
    std::ofstream(dir / "below/file") << "x";
    fs::create_symlink("file", dir / "below/link");
    fs::create_symlink("../..", dir / "below/up");
    auto open2 = [&](std::uint64_t at, const std::string& path, open_how how, std::uint64_t size) {
        return c.call(432, at, c.text(path), c.object(how), size);
    };
    const auto top = open2(kCwd, dir / "below", {O_DIRECTORY, 0, 0}, 24);
    EXPECT_EQ(top, 3);
    const auto at = static_cast<std::uint64_t>(top);
    EXPECT_EQ(open2(at, "file", {}, 8), -EINVAL);
    EXPECT_EQ(open2(at, "file", {}, 4097), -E2BIG);
    EXPECT_EQ(open2(at, "file", {1ull << 40, 0, 0}, 24), -EINVAL);
    EXPECT_EQ(open2(at, "file", {0, 0600, 0}, 24), -EINVAL);
    EXPECT_EQ(open2(at, "link", {0, 0, RESOLVE_NO_SYMLINKS}, 24), -ELOOP);
    EXPECT_EQ(open2(at, "../below/file", {0, 0, RESOLVE_BENEATH}, 24), -EXDEV);
    EXPECT_EQ(open2(at, dir / "below/file", {0, 0, RESOLVE_BENEATH}, 24), -EXDEV);
    EXPECT_EQ(open2(at, "up/etc", {0, 0, RESOLVE_BENEATH}, 24), -EXDEV);
    EXPECT_EQ(open2(at, "/link", {0, 0, RESOLVE_IN_ROOT}, 24), 4);
    EXPECT_EQ(open2(at, "/../../file", {0, 0, RESOLVE_IN_ROOT}, 24), 5);
    EXPECT_EQ(open2(kCwd, "/proc/self/exe", {0, 0, RESOLVE_NO_MAGICLINKS}, 24), -ELOOP);
    EXPECT_EQ(open2(at, "new", {O_CREAT | O_WRONLY, 0640, RESOLVE_BENEATH}, 24), 6);
    EXPECT_TRUE(fs::exists(dir / "below/new"));
    // Zeros behind the known part are a longer structure of the same meaning.
    struct {
        open_how how{};
        std::uint64_t more = 0;
    } longer;
    EXPECT_EQ(c.call(432, at, c.text("file"), c.object(longer), sizeof longer), 7);
    longer.more = 1;
    EXPECT_EQ(c.call(432, at, c.text("file"), c.object(longer), sizeof longer), -E2BIG);
}

TEST(CallTable, EmptyPathsMeanTheDescriptor) {
    constexpr std::uint64_t kEmptyPath = 0x1000;
    const Scratch dir;
    std::ofstream(dir / "file") << "x";
    fs::create_directory(dir / "inside");
    std::ofstream(dir / "inside/file") << "x";
    fs::create_symlink("file", dir / "link");
    ProcessOptions boxed;
    boxed.policy.sandbox = true;
    boxed.policy.writable = {dir / "inside"};
    for (const bool sandbox : {false, true}) {
        Caller c(sandbox ? boxed : ProcessOptions{});
        const auto empty = c.text(""), buffer = c.room(256);
        const auto fd = c.call(5, c.text(dir / "file"), O_RDONLY, 0);
        ASSERT_GE(fd, 0);
        EXPECT_EQ(c.call(434, fd, empty, 0, 0), -ENOENT);
        EXPECT_EQ(c.call(434, fd, empty, 0, kEmptyPath), 0);
        EXPECT_EQ(c.call(434, 99, empty, 0, kEmptyPath), -EBADF);
        EXPECT_EQ(c.call(402, fd, empty, kEmptyPath, 0xfff, buffer), 0);
        const auto link = c.call(5, c.text(dir / "link"), O_PATH | O_NOFOLLOW, 0);
        ASSERT_GE(link, 0);
        EXPECT_EQ(c.call(343, link, empty, buffer, 256), 4);
        // A descriptor that only reads changes nothing in the sandbox.
        const auto changed = c.call(338, fd, empty, getuid(), getgid(), kEmptyPath);
        if (sandbox)
            EXPECT_LT(changed, 0);
        else
            EXPECT_EQ(changed, 0);
        const auto own = c.call(5, c.text(dir / "inside/file"), O_RDWR, 0);
        ASSERT_GE(own, 0);
        EXPECT_EQ(c.call(338, own, empty, getuid(), getgid(), kEmptyPath), 0);
    }
}

TEST(CallTable, AttributesOfFiles) {
    Caller c;
    const Scratch dir;
    const auto path = c.text(dir / "file"), name = c.text("user.e2k");
    const auto fd = c.call(5, path, O_RDWR | O_CREAT, 0600);
    const auto buffer = c.room(256);
    const auto set = c.call(232, path, name, c.text("value"), 5, 0);
    if (set == -EOPNOTSUPP) GTEST_SKIP() << "no attributes in /tmp";
    EXPECT_EQ(set, 0);
    EXPECT_EQ(c.call(235, path, name, buffer, 256), 5);
    EXPECT_EQ(c.memory().read_string(buffer, 5), "value");
    EXPECT_EQ(c.call(237, fd, name, 0, 0), 5);
    EXPECT_EQ(c.call(235, path, name, buffer, 3), -ERANGE);
    EXPECT_EQ(c.call(238, path, buffer, 256), 9);
    EXPECT_EQ(c.memory().read_string(buffer), "user.e2k");
    EXPECT_EQ(c.call(234, fd, name, c.text("x"), 1, 1), -EEXIST);
    EXPECT_EQ(c.call(234, fd, name, c.text("x"), 65537, 0), -E2BIG);
    EXPECT_EQ(c.call(234, fd, name, c.text("x"), 1, 4), -EINVAL);
    fs::create_symlink("file", dir / "link");
    EXPECT_EQ(c.call(236, c.text(dir / "link"), name, buffer, 256), -ENODATA);
    EXPECT_EQ(c.call(235, c.text(dir / "link"), name, buffer, 256), 5);
    EXPECT_EQ(c.call(243, fd, name), 0);
    EXPECT_EQ(c.call(241, path, name), -ENODATA);
    EXPECT_EQ(c.call(235, path, c.text(""), buffer, 256), -ERANGE);
    EXPECT_EQ(c.call(238, c.text("./none"), buffer, 100), -ENOENT);
}

TEST(CallTable, VectorsAtAPosition) {
    Caller c;
    const Scratch dir;
    const auto fd = c.call(5, c.text(dir / "file"), O_RDWR | O_CREAT, 0600);
    const auto out = c.object(std::array<std::uint64_t, 2>{c.text("hello"), 5});
    const auto buffer = c.room(16);
    const auto in = c.object(std::array<std::uint64_t, 2>{buffer, 16});
    EXPECT_EQ(c.call(396, fd, out, 1, 2, 0, 0), 5);
    EXPECT_EQ(c.call(395, fd, in, 1, 2, 0, 0), 5);
    EXPECT_EQ(c.memory().read_string(buffer), "hello");
    EXPECT_EQ(c.call(395, fd, in, 1, -1, 0, 0), 7);  // the position, still 0
    EXPECT_EQ(c.call(395, -1, in, 1, 0, 0, 0), -EBADF);
    EXPECT_EQ(c.call(395, fd, in, 1, 0, 0, 0x40000000), -EOPNOTSUPP);
    EXPECT_EQ(c.call(395, fd, in, 0x1'0000'0001, 0, 0, 0), -EINVAL);
    EXPECT_EQ(c.call(357, fd, 0, 4, 7), 0);
    const auto pair = c.room(8);
    ASSERT_EQ(c.call(42, pair), 0);
    const auto reader = c.get<std::int32_t>(pair), writer = c.get<std::int32_t>(pair + 4);
    EXPECT_EQ(c.call(330, writer, out, 1, 0), 5);
    EXPECT_EQ(c.call(3, reader, buffer, 16), 5);
}

TEST(CallTable, OldDirectoryEntries) {
    Caller c;
    const Scratch dir;
    std::ofstream(dir / "one") << "1";
    const auto fd = c.call(5, c.text(dir.path), O_RDONLY | O_DIRECTORY, 0);
    const auto entry = c.room(300);
    std::vector<std::string> names;
    while (c.call(89, fd, entry, 1) == 1) {
        names.push_back(*c.memory().read_string(entry + 18));
        EXPECT_EQ(c.get<std::uint16_t>(entry + 16), names.back().size());
    }
    EXPECT_EQ(c.result(), 0);
    std::ranges::sort(names);
    EXPECT_EQ(names, (std::vector<std::string>{".", "..", "one"}));
    EXPECT_GT(c.call(135, 3, 0, 0), 0);
    const auto index = c.call(135, 1, c.text("proc"), 0);
    EXPECT_GE(index, 0);
    EXPECT_EQ(c.call(135, 2, index, entry), 0);
    EXPECT_EQ(c.memory().read_string(entry), "proc");
}

TEST(CallTable, MessageQueues) {
    Caller c;
    const std::string text = "e2k_test_" + std::to_string(getpid());
    const auto name = c.text(text);
    const auto queue = c.call(315, name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600,
                              c.object(std::array<std::int64_t, 8>{0, 4, 32}));
    ASSERT_EQ(queue, 3);
    EXPECT_EQ(c.call(316, name), 0);
    EXPECT_EQ(c.call(316, name), -ENOENT);
    EXPECT_EQ(c.call(317, queue, c.text("note"), 5, 7, 0), 0);
    EXPECT_EQ(c.call(317, queue, 8, 33, 0, 0), -EMSGSIZE);
    EXPECT_EQ(c.call(317, queue, 8, 5, 0, 0), -EFAULT);
    const auto attributes = c.room(64), buffer = c.room(32), priority = c.room(4);
    EXPECT_EQ(c.call(320, queue, 0, attributes), 0);
    EXPECT_EQ(c.get<std::int64_t>(attributes + 16), 32);
    EXPECT_EQ(c.get<std::int64_t>(attributes + 24), 1);
    EXPECT_EQ(c.call(318, queue, buffer, 16, priority, 0), -EMSGSIZE);
    EXPECT_EQ(c.call(318, queue, buffer, 32, priority, 0), 5);
    EXPECT_EQ(c.memory().read_string(buffer), "note");
    EXPECT_EQ(c.get<std::uint32_t>(priority), 7u);
    EXPECT_EQ(c.call(318, queue, buffer, 32, 0, 0), -EAGAIN);
    EXPECT_EQ(c.call(319, queue, 0), 0);
    ProcessOptions options;
    options.policy.sandbox = true;
    Caller inside(options);
    EXPECT_EQ(inside.call(315, inside.text(text), O_RDWR | O_CREAT, 0600, 0), -EACCES);
}

TEST(CallTable, AsynchronousInputAndOutput) {
    Caller c;
    const Scratch dir;
    const auto fd = c.call(5, c.text(dir / "file"), O_RDWR | O_CREAT, 0600);
    const auto id = c.room(8);
    ASSERT_EQ(c.call(294, 2, id), 0);
    const auto context = c.get<std::uint64_t>(id);
    EXPECT_EQ(c.call(294, 2, id), -EINVAL);
    EXPECT_EQ(c.get<std::uint32_t>(context), 0u);  // an address that a library may look at
    struct Block {
        std::uint64_t data, key;
        std::uint16_t opcode;
        std::int16_t priority;
        std::int32_t fd;
        std::uint64_t buffer, bytes;
        std::int64_t offset;
        std::uint64_t reserved, flags;
    };
    const auto buffer = c.room(16);
    const auto file = static_cast<std::int32_t>(fd);
    const auto write = c.object(Block{11, 0, 1, 0, file, c.text("hello"), 5, 0, 0, 0});
    const auto read = c.object(Block{22, 0, 0, 0, file, buffer, 16, 1, 0, 0});
    const auto blocks = c.object(std::array<std::uint64_t, 3>{write, read, 8});
    EXPECT_EQ(c.call(297, context, 2, blocks), 2);
    EXPECT_EQ(c.call(297, context, 1, blocks), -EAGAIN);
    const auto events = c.room(64);
    EXPECT_EQ(c.call(296, context, 1, 4, events, 0), 2);
    EXPECT_EQ(c.get<std::uint64_t>(events), 11u);
    EXPECT_EQ(c.get<std::uint64_t>(events + 8), write);
    EXPECT_EQ(c.get<std::int64_t>(events + 16), 5);
    EXPECT_EQ(c.get<std::int64_t>(events + 48), 4);
    EXPECT_EQ(c.memory().read_string(buffer), "ello");
    const auto soon = c.object(timespec{0, 1'000'000});
    EXPECT_EQ(c.call(296, context, 1, 4, events, soon), 0);
    EXPECT_EQ(c.call(297, context, 1, blocks + 16), -EFAULT);
    EXPECT_EQ(c.call(298, context, write, events), -EINVAL);
    EXPECT_EQ(c.call(295, context), 0);
    EXPECT_EQ(c.call(295, context), -EINVAL);
}

// --- processes ---

TEST(CallTable, DescriptorsOfProcesses) {
    Caller c;
    const auto self = c.call(20);
    EXPECT_EQ(c.call(206, 0, 0), -EINVAL);
    const auto fd = c.call(206, self, 0);
    ASSERT_EQ(fd, 3);
    EXPECT_EQ(c.call(205, fd, 0, 0, 0), 0);
    EXPECT_EQ(c.call(205, fd, 65, 0, 0), -EINVAL);
    EXPECT_EQ(c.call(205, fd, 0, 0, 8), -EINVAL);
    EXPECT_EQ(c.call(205, 0, 0, 0, 0), -EBADF);
    EXPECT_EQ(c.call(205, fd, 0, 8, 0), -EFAULT);
    EXPECT_EQ(c.call(433, fd, fd, 0), 4);
    EXPECT_EQ(c.call(382, self, self, KCMP_FILE, fd, 4), 0);
    EXPECT_EQ(c.call(382, self, self, KCMP_VM, 0, 0), 0);
    EXPECT_EQ(c.call(433, fd, 99, 0), -EBADF);
    EXPECT_EQ(c.call(442, fd, 0), -EINVAL);
    // Sent to itself it is the guest's signal.
    EXPECT_EQ(c.call(174, SIGUSR1, c.object(SigactionE2k{1, 0, 0, 0}), 0, 8), 0);
    EXPECT_EQ(c.call(205, fd, SIGUSR1, 0, 0), 0);
    ProcessOptions options;
    options.policy.sandbox = true;
    Caller inside(options);
    EXPECT_EQ(inside.call(206, 1, 0), -EPERM);
}

TEST(CallTable, MemoryOfOneself) {
    Caller c;
    const auto self = c.call(20);
    const auto from = c.text("copied"), to = c.room(16);
    const auto local = c.object(std::array<std::uint64_t, 2>{to, 16});
    const auto remote = c.object(std::array<std::uint64_t, 2>{from, 7});
    EXPECT_EQ(c.call(380, self, local, 1, remote, 1, 0), 7);
    EXPECT_EQ(c.memory().read_string(to), "copied");
    EXPECT_EQ(c.call(380, self, local, 1, remote, 1, 1), -EINVAL);
    EXPECT_EQ(c.call(380, 1, local, 1, remote, 1, 0), -EPERM);
    // An address of the host is none of the guest's.
    const std::uint64_t secret = 42;
    const auto host = c.object(std::array<std::uint64_t, 2>{word(&secret), 8});
    EXPECT_EQ(c.call(380, self, local, 1, host, 1, 0), -EFAULT);
    EXPECT_EQ(c.call(381, self, local, 1, host, 1, 0), -EFAULT);
}

TEST(CallTable, SchedulingAndRights) {
    Caller c;
    const auto room = c.room(128);
    EXPECT_EQ(c.call(288, 0, room, 56, 0), 0);
    EXPECT_GE(c.get<std::uint32_t>(room), 48u);
    EXPECT_EQ(c.call(288, 0, room, 47, 0), -EINVAL);
    EXPECT_EQ(c.call(288, -1, room, 56, 0), -EINVAL);
    EXPECT_EQ(c.call(287, 0, room, 0), 0);
    const auto small = c.object(std::array<std::uint32_t, 16>{20});
    EXPECT_EQ(c.call(287, 0, small, 0), -E2BIG);
    EXPECT_GE(c.get<std::uint32_t>(small), 48u);
    EXPECT_GE(c.call(290, 1, 0), 0);
    EXPECT_EQ(c.call(290, 7, 0), -EINVAL);
    const auto header = c.object(std::array<std::uint32_t, 2>{0x20080522, 0});
    EXPECT_EQ(c.call(184, header, room), 0);
    const auto unknown = c.object(std::array<std::uint32_t, 2>{1, 0});
    EXPECT_EQ(c.call(184, unknown, room), -EINVAL);
    EXPECT_EQ(c.get<std::uint32_t>(unknown), 0x20080522u);
    EXPECT_EQ(c.call(364, 0), 0);
    EXPECT_EQ(c.call(364, CLONE_FILES), 0);
    EXPECT_EQ(c.call(364, CLONE_NEWUSER), -EPERM);
    EXPECT_EQ(c.call(364, 1), -EINVAL);
    EXPECT_EQ(c.call(61, c.text("./none")), -ENOENT);
    EXPECT_EQ(c.call(61, c.text("/")), -EPERM);
    EXPECT_EQ(c.call(379, 0, 0), -EINVAL);
}

TEST(CallTable, PoliciesOfMemory) {
    Caller c;
    const auto mode = c.object(std::uint32_t{77});
    EXPECT_EQ(c.call(313, mode, 0, 0, 0, 0), 0);
    EXPECT_EQ(c.get<std::uint32_t>(mode), 0u);
    const auto at = c.call(90, 0, 8192, 3, 0x12, -1, 0);
    EXPECT_EQ(c.call(312, at, 8192, 0, 0, 0, 0), 0);
    EXPECT_EQ(c.call(312, at + 1, 8192, 0, 0, 0, 0), -EINVAL);
    EXPECT_EQ(c.call(312, 0x7000'0000, 4096, 0, 0, 0, 0), -EFAULT);
    EXPECT_EQ(c.call(314, 99, 0, 0), -EINVAL);
    EXPECT_EQ(c.call(391, at, 10, 2), -EINVAL);
    const auto pages = c.object(std::array<std::uint64_t, 2>{static_cast<std::uint64_t>(at), 8});
    const auto status = c.room(8);
    EXPECT_EQ(c.call(328, 0, 2, pages, 0, status, 0), 0);
    EXPECT_LT(c.get<std::int32_t>(status + 4), 0);
    EXPECT_EQ(c.call(328, 1, 2, pages, 0, status, 0), -EPERM);
}

TEST(CallTable, WaitingForManyWords) {
    Caller c;
    struct Waiter {
        std::uint64_t value, address;
        std::uint32_t flags, reserved;
    };
    const auto futex = c.object(std::uint32_t{5});
    EXPECT_EQ(c.call(443, c.object(Waiter{4, futex, 2, 0}), 1, 0, 0, 0), -EAGAIN);
    EXPECT_EQ(c.call(443, c.object(Waiter{5, futex, 0, 0}), 1, 0, 0, 0), -EINVAL);
    const auto past = c.object(timespec{0, 1});
    EXPECT_EQ(c.call(443, c.object(Waiter{5, futex, 2, 0}), 1, 0, past, 0), -ETIMEDOUT);
    EXPECT_EQ(c.call(443, c.object(Waiter{5, 0, 2, 0}), 1, 0, past, 0), -EFAULT);
    EXPECT_EQ(c.call(443, 0, 1, 0, 0, 0), -EINVAL);
    EXPECT_EQ(c.call(426, c.room(88), 32), -EINVAL);
    EXPECT_EQ(c.call(426, 8, 88), -EFAULT);
}

}  // namespace
}  // namespace e2k::guest
