// The first wall: what a guest in the sandbox may reach, call by call.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/guest/syscalls/rules.h"
#include "tests/guest/caller.h"

namespace e2k::guest {
namespace {

using test::Caller;
namespace fs = std::filesystem;

constexpr std::uint64_t kCwd = static_cast<std::uint64_t>(-100);

/// Two directories: the guest may write below one of them.
struct Place {
    Place() {
        char name[] = "/tmp/e2k-sandbox-XXXXXX";
        root = mkdtemp(name);
        fs::create_directory(in(""));
        fs::create_directory(out(""));
        std::ofstream(out("file")) << "kept";
        std::ofstream(in("file")) << "mine";
        chmod(out("file").c_str(), 0600);
        fs::create_symlink(out("file"), in("link"));
        fs::create_directory_symlink(out(""), in("away"));
    }
    ~Place() { fs::remove_all(root); }
    std::string in(const std::string& name) const { return root + "/in/" + name; }
    std::string out(const std::string& name) const { return root + "/out/" + name; }
    ProcessOptions options() const {
        ProcessOptions options;
        options.policy.sandbox = true;
        options.policy.writable = {in("")};
        return options;
    }
    /// Everything about the outer directory that a guest could have changed.
    std::string outside() const {
        std::string text;
        for (const auto& entry : fs::recursive_directory_iterator(out(""))) {
            struct stat st {};
            lstat(entry.path().c_str(), &st);
            text += entry.path().filename().string() + ' ' + std::to_string(st.st_mode) + ' ' +
                    std::to_string(st.st_uid) + ' ' + std::to_string(st.st_size) + ' ' +
                    std::to_string(st.st_mtim.tv_sec) + ' ' + std::to_string(st.st_ctim.tv_nsec) +
                    ' ' + std::to_string(st.st_nlink) + '\n';
        }
        return text;
    }
    std::string root;
};

testing::AssertionResult refused(std::int64_t result) {
    if (result == -EACCES || result == -EPERM) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "the result is " << result;
}

// --- the table ---

TEST(SandboxRules, EveryCallHasOne) {
    const auto rules = sandbox_rules();
    EXPECT_TRUE(std::ranges::is_sorted(rules, {}, &SandboxRule::number));
    for (std::uint32_t number = 0; number < 1024; ++number) {
        const SyscallRow* row = find_syscall(number);
        if (!row) continue;
        const auto rule = std::ranges::find(rules, number, &SandboxRule::number);
        ASSERT_NE(rule, rules.end()) << number << " " << row->name
                                     << " has no rule and is refused in the sandbox: give it one";
        EXPECT_STREQ(rule->name, row->name);
    }
}

// --- files ---

TEST(SandboxFiles, ADescriptorForReadingChangesNothing) {
    const Place place;
    const std::string before = place.outside();
    Caller c(place.options());
    for (const std::string& name : {place.out("file"), place.in("file")}) {
        const auto fd = c.call(5, c.text(name), O_RDONLY, 0);
        ASSERT_GE(fd, 0);
        EXPECT_TRUE(refused(c.call(94, fd, 0644)));
        EXPECT_TRUE(refused(c.call(95, fd, 1, 1)));
        EXPECT_TRUE(refused(c.call(207, fd, 1, 1)));
        EXPECT_TRUE(refused(c.call(333, fd, 0, c.room(32), 0))) << "futimens";
        EXPECT_TRUE(refused(c.call(93, fd, 0)));
        EXPECT_TRUE(refused(c.call(356, fd, 0, 0, 100)));
        EXPECT_TRUE(refused(c.call(143, fd, LOCK_EX | LOCK_NB)));
        EXPECT_TRUE(refused(c.call(234, fd, c.text("user.x"), c.text("y"), 1, 0)));
        EXPECT_TRUE(refused(c.call(243, fd, c.text("user.x"))));
        struct flock lock {};
        lock.l_type = F_RDLCK;
        EXPECT_TRUE(refused(c.call(55, fd, F_SETLK, c.object(lock))));
        EXPECT_TRUE(refused(c.call(55, fd, F_SETLEASE, F_RDLCK)));
        EXPECT_EQ(c.call(54, fd, FS_IOC_SETFLAGS, c.room(8)), -ENOTTY);
        EXPECT_EQ(c.call(143, fd, LOCK_UN), 0);
    }
    EXPECT_EQ(place.outside(), before);
}

TEST(SandboxFiles, WhatWasOpenedForWritingBelowTheDirectoryChanges) {
    const Place place;
    Caller c(place.options());
    const auto fd = c.call(5, c.text(place.in("file")), O_RDWR, 0);
    EXPECT_EQ(c.call(94, fd, 0640), 0);
    EXPECT_EQ(c.call(93, fd, 1), 0);
    EXPECT_EQ(c.call(143, fd, LOCK_EX | LOCK_NB), 0);
    EXPECT_EQ(c.call(333, fd, 0, 0, 0), 0);
    struct stat st {};
    ASSERT_EQ(stat(place.in("file").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 0640u);
    EXPECT_EQ(st.st_size, 1);
    const auto memory = c.call(386, c.text("m"), 0);
    EXPECT_EQ(c.call(93, memory, 100), 0);
    EXPECT_EQ(c.call(94, memory, 0600), 0);
}

TEST(SandboxFiles, NoPathLeadsToAChangeOutside) {
    const Place place;
    const std::string before = place.outside();
    Caller c(place.options());
    const auto outer = c.call(5, c.text(place.out("")), O_RDONLY | O_DIRECTORY, 0);
    ASSERT_GE(outer, 0);
    ASSERT_EQ(c.call(12, c.text(place.in(""))), 0);
    for (const std::string& name :
         {place.out("file"), place.in("link"), place.in("away/file"), place.in("../out/file"),
          std::string("away/../out/file"), std::string("link")}) {
        const auto path = c.text(name);
        EXPECT_TRUE(refused(c.call(5, path, O_WRONLY, 0))) << name;
        EXPECT_TRUE(refused(c.call(5, path, O_RDONLY | O_TRUNC, 0))) << name;
        EXPECT_TRUE(refused(c.call(8, path, 0600))) << name;
        EXPECT_TRUE(refused(c.call(15, path, 0644))) << name;
        EXPECT_TRUE(refused(c.call(182, path, 1, 1))) << name;
        EXPECT_TRUE(refused(c.call(30, path, 0))) << name;
        EXPECT_TRUE(refused(c.call(309, path, 0))) << name;
        EXPECT_TRUE(refused(c.call(362, kCwd, path, 0))) << name;
        EXPECT_TRUE(refused(c.call(333, kCwd, path, 0, 0))) << name;
        EXPECT_TRUE(refused(c.call(92, path, 0))) << name;
        EXPECT_TRUE(refused(c.call(232, path, c.text("user.x"), c.text("y"), 1, 0))) << name;
        EXPECT_TRUE(refused(c.call(241, path, c.text("user.x")))) << name;
        EXPECT_TRUE(
            refused(c.call(341, kCwd, path, kCwd, c.text(place.in("hard")), AT_SYMLINK_FOLLOW)))
            << name;
    }
    for (const std::string& name :
         {place.out("new"), place.in("away/new"), place.in("../out/new")}) {
        const auto path = c.text(name);
        EXPECT_TRUE(refused(c.call(39, path, 0700))) << name;
        EXPECT_TRUE(refused(c.call(14, path, S_IFIFO | 0600, 0))) << name;
        EXPECT_TRUE(refused(c.call(83, c.text("x"), path))) << name;
        EXPECT_TRUE(refused(c.call(9, c.text(place.in("file")), path))) << name;
        EXPECT_TRUE(refused(c.call(38, c.text(place.in("file")), path))) << name;
        EXPECT_TRUE(refused(c.call(5, path, O_WRONLY | O_CREAT, 0600))) << name;
        EXPECT_TRUE(refused(c.call(5, path, O_WRONLY | O_CREAT | O_EXCL, 0600))) << name;
    }
    EXPECT_TRUE(refused(c.call(38, c.text(place.out("file")), c.text(place.in("stolen")))));
    EXPECT_TRUE(refused(c.call(9, c.text(place.out("file")), c.text(place.in("hard")))));
    EXPECT_TRUE(refused(c.call(10, c.text(place.out("file")))));
    EXPECT_TRUE(refused(c.call(339, outer, c.text("file"), 0)));
    EXPECT_TRUE(refused(c.call(344, outer, c.text("file"), 0644)));
    EXPECT_TRUE(refused(c.call(335, outer, c.text("file"), O_RDWR, 0)));
    EXPECT_TRUE(refused(c.call(335, kCwd, c.text(place.out("")), O_TMPFILE | O_RDWR, 0600)));
    EXPECT_EQ(place.outside(), before);
    EXPECT_FALSE(fs::exists(place.in("hard")));
}

TEST(SandboxFiles, TheDirectoryItselfStays) {
    const Place place;
    fs::create_directory(place.in("empty"));
    ProcessOptions options = place.options();
    options.policy.writable = {place.in("empty")};
    Caller c(options);
    const auto path = c.text(place.in("empty"));
    EXPECT_TRUE(refused(c.call(40, path)));
    EXPECT_TRUE(refused(c.call(15, path, 0700)));
    EXPECT_TRUE(refused(c.call(15, c.text(place.in("empty/.")), 0700)));
    EXPECT_TRUE(refused(c.call(38, path, c.text(place.in("empty/x")))));
    // Whatever is put in its place later is not what was allowed.
    fs::remove(place.in("empty"));
    fs::create_directory_symlink(place.out(""), place.in("empty"));
    EXPECT_TRUE(refused(c.call(5, c.text(place.in("empty/new")), O_WRONLY | O_CREAT, 0600)));
}

TEST(SandboxFiles, NoDevicesAndNoForeignRights) {
    const Place place;
    Caller c(place.options());
    EXPECT_TRUE(refused(c.call(14, c.text(place.in("d")), S_IFCHR | 0600, makedev(1, 3))));
    EXPECT_TRUE(refused(c.call(337, kCwd, c.text(place.in("d")), S_IFBLK | 0600, makedev(7, 0))));
    EXPECT_EQ(c.call(14, c.text(place.in("pipe")), S_IFIFO | 0600, 0), 0);
    EXPECT_TRUE(refused(c.call(15, c.text(place.in("file")), 04755)));
    EXPECT_TRUE(refused(c.call(344, kCwd, c.text(place.in("file")), 02755)));
    umask(0);
    EXPECT_GE(c.call(5, c.text(place.in("new")), O_WRONLY | O_CREAT, 06755), 0);
    EXPECT_EQ(c.call(39, c.text(place.in("newdir")), 07755), 0);
    umask(022);
    struct stat st {};
    ASSERT_EQ(stat(place.in("new").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 0755u);
    ASSERT_EQ(stat(place.in("newdir").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 0755u);
    EXPECT_TRUE(refused(
        c.call(232, c.text(place.in("file")), c.text("security.capability"), c.room(20), 20, 0)));
    EXPECT_TRUE(
        refused(c.call(384, kCwd, c.text(place.in("file")), kCwd, c.text(place.in("w")), 4)))
        << "RENAME_WHITEOUT";
}

TEST(SandboxFiles, DevicesAreOpenedAndNothingElse) {
    const Place place;
    Caller c(place.options());
    EXPECT_GE(c.call(5, c.text("/dev/null"), O_RDWR, 0), 0);
    EXPECT_GE(c.call(5, c.text("/dev/urandom"), O_RDONLY, 0), 0);
    EXPECT_TRUE(refused(c.call(5, c.text("/dev/urandom"), O_WRONLY, 0)));
    struct stat st {};
    ASSERT_EQ(stat("/dev/null", &st), 0);
    EXPECT_TRUE(refused(c.call(15, c.text("/dev/null"), st.st_mode & 07777)));
    EXPECT_TRUE(refused(c.call(182, c.text("/dev/null"), st.st_uid, st.st_gid)));
    EXPECT_TRUE(refused(c.call(309, c.text("/dev/null"), 0)));
    if (fs::exists("/dev/kmsg")) {
        EXPECT_TRUE(refused(c.call(5, c.text("/dev/kmsg"), O_RDONLY | O_NONBLOCK, 0)));
    }
    // Who reads from a pipe takes what was meant for somebody else.
    ASSERT_EQ(mkfifo(place.out("pipe").c_str(), 0600), 0);
    EXPECT_TRUE(refused(c.call(5, c.text(place.out("pipe")), O_RDONLY | O_NONBLOCK, 0)));
    ASSERT_EQ(mkfifo(place.in("pipe").c_str(), 0600), 0);
    EXPECT_GE(c.call(5, c.text(place.in("pipe")), O_RDONLY | O_NONBLOCK, 0), 0);
}

// --- /proc and names of descriptors ---

std::vector<std::string> names_of(int fd, const std::string& scratch) {
    const std::string n = std::to_string(fd), pid = std::to_string(getpid());
    fs::create_symlink("/proc/self/fd/" + n, scratch + "/to" + n);
    return {"/proc/self/fd/" + n,
            "/proc/self//fd/" + n,
            "/proc/self/fd//" + n,
            "/proc//self/./fd/" + n,
            "/proc/self/../self/fd/" + n,
            "/proc/" + pid + "/fd/" + n,
            "/proc/thread-self/fd/" + n,
            "/proc/self/task/" + std::to_string(gettid()) + "/fd/" + n,
            "/dev/fd/" + n,
            "/proc/self/root/proc/self/fd/" + n,
            "/proc/self/cwd/../proc/self/fd/" + n,
            scratch + "/to" + n};
}

TEST(SandboxNames, DescriptorsAreTheGuestsHoweverTheyAreWritten) {
    for (const bool sandbox : {true, false}) {
        const Place place;
        const int secret = fcntl(open(place.out("file").c_str(), O_RDONLY), F_DUPFD, 40);
        ProcessOptions options = place.options();
        options.policy.sandbox = sandbox;
        Caller c(options);
        ASSERT_EQ(c.call(12, c.text("/tmp")), 0);
        for (const std::string& name : names_of(secret, place.in("")))
            EXPECT_EQ(c.call(5, c.text(name), O_RDONLY, 0), -ENOENT) << name;
        const auto proc = c.call(5, c.text("/proc/self/fd"), O_RDONLY | O_DIRECTORY, 0);
        EXPECT_EQ(c.call(335, proc, c.text(std::to_string(secret)), O_RDONLY, 0), -ENOENT);
        const auto own = c.call(5, c.text(place.in("file")), O_RDONLY, 0);
        ASSERT_GE(own, 0);
        const auto buffer = c.room(64);
        for (const std::string& name : names_of(static_cast<int>(own), place.in(""))) {
            const auto fd = c.call(5, c.text(name), O_RDONLY, 0);
            ASSERT_GE(fd, 0) << name;
            EXPECT_EQ(c.call(3, fd, buffer, 64), 4) << name;
            EXPECT_EQ(*c.memory().read_string(buffer, 4), "mine") << name;
            EXPECT_EQ(c.call(6, fd), 0);
        }
        close(secret);
    }
}

TEST(SandboxNames, OtherProcessesAreNotThere) {
    const Place place;
    Caller c(place.options());
    const std::string other = "/proc/" + std::to_string(getppid());
    for (const std::string& name :
         {std::string("/proc/1/status"), other + "/environ", other + "/fd", other + "/cwd/x",
          other + "/root/etc/passwd", std::string("/proc/1//stat"),
          std::string("/proc/self/../1/stat")}) {
        EXPECT_TRUE(refused(c.call(5, c.text(name), O_RDONLY, 0))) << name;
        EXPECT_TRUE(refused(c.call(106, c.text(name), c.room(256)))) << name;
    }
    EXPECT_TRUE(refused(c.call(85, c.text(other + "/exe"), c.room(256), 256)));
    EXPECT_GE(c.call(5, c.text("/proc/cpuinfo"), O_RDONLY, 0), 0);
    EXPECT_GE(c.call(5, c.text("/proc/self/maps"), O_RDONLY, 0), 0);
    EXPECT_GE(c.call(5, c.text("/proc/meminfo"), O_RDONLY, 0), 0);
    EXPECT_TRUE(refused(c.call(5, c.text("/proc/self/io"), O_RDONLY, 0)));
    EXPECT_TRUE(refused(c.call(5, c.text("/proc/sys/kernel/hostname"), O_WRONLY, 0)));
}

// --- processes ---

TEST(SandboxProcesses, OthersAreNotReached) {
    Caller c(Place().options());
    const auto parent = static_cast<std::uint64_t>(getppid());
    const auto mask = c.object(~0ull), limit = c.object(rlimit{1, 1}), param = c.room(8);
    std::array<std::int32_t, 32> info{SIGTERM, 0, -1};
    EXPECT_TRUE(refused(c.call(37, parent, 0)));
    EXPECT_TRUE(refused(c.call(246, parent, 0)));
    EXPECT_TRUE(refused(c.call(308, parent, parent, 0)));
    EXPECT_TRUE(refused(c.call(178, parent, 0, c.object(info))));
    EXPECT_TRUE(refused(c.call(334, parent, parent, 0, c.object(info))));
    EXPECT_TRUE(refused(c.call(97, PRIO_PROCESS, parent, 5)));
    EXPECT_TRUE(refused(c.call(97, PRIO_PGRP, 0, 5)));
    EXPECT_TRUE(refused(c.call(97, PRIO_USER, 0, 5)));
    EXPECT_TRUE(refused(c.call(249, parent, 8, mask)));
    EXPECT_TRUE(refused(c.call(154, parent, param)));
    EXPECT_TRUE(refused(c.call(156, parent, SCHED_OTHER, param)));
    EXPECT_TRUE(refused(c.call(156, 0, SCHED_FIFO, param)));
    EXPECT_TRUE(refused(c.call(375, parent, RLIMIT_CORE, limit, 0)));
    EXPECT_TRUE(refused(c.call(57, parent, parent)));
    EXPECT_TRUE(refused(c.call(57, 0, parent)));
    EXPECT_TRUE(refused(c.call(132, parent)));
    EXPECT_TRUE(refused(c.call(147, parent)));
    EXPECT_TRUE(refused(c.call(26, 16, parent, 0, 0)));
    EXPECT_TRUE(refused(c.call(206, parent, 0)));
    EXPECT_TRUE(refused(c.call(380, parent, 0, 0, 0, 0, 0)));
    const auto fd = c.call(42, c.room(8));
    ASSERT_EQ(fd, 0);
    EXPECT_TRUE(refused(c.call(55, 3, F_SETOWN, parent)));
    EXPECT_EQ(c.call(37, getpid(), 0), 0);
    EXPECT_EQ(c.call(132, 0), getpgid(0));
}

TEST(SandboxProcesses, TheGuestsOwnAre) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    Caller c(Place().options());
    const std::int64_t child = c.call(2);
    if (child == 0) {
        for (;;) pause();
    }
    ASSERT_GT(child, 0);
    EXPECT_EQ(c.call(37, child, 0), 0);
    EXPECT_EQ(c.call(132, child), getpgid(0));
    EXPECT_EQ(c.call(37, child, SIGKILL), 0);
    EXPECT_EQ(c.call(114, child, 0, 0, 0), child);
    EXPECT_TRUE(refused(c.call(37, child, 0))) << "the number may be somebody else's by now";
    close(ready[0]);
    close(ready[1]);
}

TEST(SandboxProcesses, OnlyObjectsOfTheGuest) {
    const Place place;
    const int memory = shmget(IPC_PRIVATE, 4096, 0600), queue = msgget(IPC_PRIVATE, 0600),
              semaphore = semget(IPC_PRIVATE, 1, 0600);
    {
        Caller c(place.options());
        EXPECT_TRUE(refused(c.call(280, memory, 0, 0)));
        EXPECT_TRUE(refused(c.call(279, memory, IPC_STAT, c.room(256))));
        EXPECT_TRUE(refused(c.call(279, memory, IPC_RMID, 0)));
        EXPECT_TRUE(refused(c.call(273, queue, c.object(1ull), 0, 0)));
        EXPECT_TRUE(refused(c.call(272, queue, c.room(64), 32, 0, IPC_NOWAIT)));
        EXPECT_TRUE(refused(c.call(271, queue, IPC_RMID, 0)));
        EXPECT_TRUE(refused(c.call(277, semaphore, c.room(6), 1)));
        EXPECT_TRUE(refused(c.call(275, semaphore, 0, SETVAL, 5)));
        EXPECT_TRUE(refused(c.call(117, 14, queue, IPC_RMID, 0, 0, 0))) << "through ipc";
        EXPECT_TRUE(refused(c.call(117, 24, memory, IPC_RMID, 0, 0, 0)));
        EXPECT_TRUE(refused(c.call(278, 0x1234, 4096, IPC_CREAT | 0600)));
        const auto own = c.call(278, IPC_PRIVATE, 4096, 0600);
        ASSERT_GE(own, 0);
        EXPECT_GT(c.call(280, own, 0, 0), 0);
        const auto left = c.call(270, IPC_PRIVATE, 0600);
        ASSERT_GE(left, 0);
        EXPECT_EQ(c.call(273, left, c.object(1ull), 0, 0), 0);
    }
    EXPECT_EQ(semctl(semaphore, 0, GETVAL), 0);
    EXPECT_EQ(shmctl(memory, IPC_RMID, nullptr), 0);
    EXPECT_EQ(msgctl(queue, IPC_RMID, nullptr), 0);
    EXPECT_EQ(semctl(semaphore, 0, IPC_RMID), 0);
}

// --- sockets ---

struct Listener {
    explicit Listener(const std::string& path) : fd(socket(AF_UNIX, SOCK_DGRAM, 0)) {
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    ~Listener() { close(fd); }
    bool got_something() const {
        char byte = 0;
        return recv(fd, &byte, 1, MSG_DONTWAIT) >= 0;
    }
    int fd;
    sockaddr_un address{};
};

TEST(SandboxSockets, NoNameIsReached) {
    const Place place;
    const Listener other(place.out("socket"));
    Caller c(place.options());
    const auto address = c.object(other.address);
    constexpr auto kSize = sizeof other.address;
    const auto text = c.text("hello");
    const auto fd = c.call(403, AF_UNIX, SOCK_DGRAM, 0);
    ASSERT_GE(fd, 0);
    EXPECT_TRUE(refused(c.call(404, fd, address, kSize)));
    EXPECT_TRUE(refused(c.call(406, fd, text, 5, 0, address, kSize)));
    const iovec part{reinterpret_cast<void*>(text), 5};
    msghdr message{};
    message.msg_name = reinterpret_cast<void*>(address);
    message.msg_namelen = kSize;
    message.msg_iov = reinterpret_cast<iovec*>(c.object(part));
    message.msg_iovlen = 1;
    EXPECT_TRUE(refused(c.call(408, fd, c.object(message), 0)));
    EXPECT_TRUE(refused(c.call(378, fd, c.object(mmsghdr{message, 0}), 1, 0)));
    const std::array<std::uint64_t, 6> words{
        static_cast<std::uint64_t>(fd), text, 5, 0, address, kSize};
    EXPECT_TRUE(refused(c.call(102, 11, c.object(words)))) << "through socketcall";
    sockaddr_un own{};
    own.sun_family = AF_UNIX;
    own.sun_path[1] = 'x';
    EXPECT_TRUE(refused(c.call(410, fd, c.object(own), sizeof own))) << "an abstract name";
    for (const int domain : {AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, 40 /* AF_VSOCK */})
        EXPECT_TRUE(refused(c.call(403, domain, SOCK_DGRAM, 0))) << domain;
    EXPECT_FALSE(other.got_something());
}

TEST(SandboxSockets, PairsWork) {
    Caller c(Place().options());
    const auto pair = c.room(8), buffer = c.room(64);
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
        ASSERT_EQ(c.call(414, AF_UNIX, type, 0, pair), 0);
        const auto [a, b] = c.get<std::array<std::int32_t, 2>>(pair);
        std::array<iovec, 2> parts{iovec{reinterpret_cast<void*>(c.text("two ")), 4},
                                   iovec{reinterpret_cast<void*>(c.text("parts")), 5}};
        msghdr message{};
        message.msg_iov = reinterpret_cast<iovec*>(c.object(parts));
        message.msg_iovlen = 2;
        EXPECT_EQ(c.call(408, a, c.object(message), 0), 9);
        EXPECT_EQ(c.call(407, b, buffer, 64, 0, 0, 0), 9);
        EXPECT_EQ(*c.memory().read_string(buffer, 9), "two parts");
        EXPECT_EQ(c.call(406, b, c.text("x"), 1, 0, 0, 0), 1);
    }
}

// --- addresses of the guest are never the host's ---

TEST(SocketOptions, PointersAreTranslatedOrRefused) {
    for (const bool sandbox : {true, false}) {
        ProcessOptions options;
        options.policy.sandbox = sandbox;
        Caller c(options);
        const auto fd = c.call(403, AF_UNIX, SOCK_STREAM, 0);
        const sock_filter instruction{6, 0, 0, 0};
        struct {
            std::uint64_t length = 1, program = 0;
        } filter;
        filter.program = c.object(instruction);
        EXPECT_EQ(c.call(415, fd, SOL_SOCKET, SO_ATTACH_FILTER, c.object(filter), 16), 0);
        filter.program = reinterpret_cast<std::uint64_t>(&instruction);  // of the host
        EXPECT_EQ(c.call(415, fd, SOL_SOCKET, SO_ATTACH_FILTER, c.object(filter), 16), -EFAULT);
        EXPECT_EQ(c.call(416, fd, SOL_SOCKET, SO_GET_FILTER, c.room(64), c.object(64)),
                  -ENOPROTOOPT);
        EXPECT_EQ(c.call(415, fd, SOL_SOCKET, 50 /* SO_ATTACH_BPF */, c.object(3), 4),
                  -ENOPROTOOPT);
        EXPECT_EQ(c.call(415, fd, 263 /* SOL_PACKET */, 22, c.room(16), 16), -ENOPROTOOPT);
        EXPECT_EQ(c.call(415, fd, SOL_SOCKET, SO_SNDBUF, c.object(4096), 4), 0);
        const auto type = c.room(4);
        EXPECT_EQ(c.call(416, fd, SOL_SOCKET, SO_TYPE, type, c.object(4)), 0);
        EXPECT_EQ(c.get<std::int32_t>(type), SOCK_STREAM);
    }
}

}  // namespace
}  // namespace e2k::guest
