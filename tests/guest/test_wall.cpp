// The second wall alone: a guest without the sandbox, so that no rule of the first wall is asked,
// on a thread behind the second one.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include "engine/guest/wall.h"
#include "tests/guest/caller.h"

namespace e2k::guest {
namespace {

using test::Caller;
namespace fs = std::filesystem;

struct Directories {
    Directories() {
        char name[] = "/tmp/e2k-wall-XXXXXX";
        root = mkdtemp(name);
        fs::create_directory(in(""));
        fs::create_directory(out(""));
        std::ofstream(out("file")) << "kept";
    }
    ~Directories() { fs::remove_all(root); }
    std::string in(const std::string& name) const { return root + "/in/" + name; }
    std::string out(const std::string& name) const { return root + "/out/" + name; }
    std::string root;
};

/// Runs `work` in a process of its own, behind the wall; the first thing it finds wrong comes back.
std::string behind_the_wall(const std::vector<std::string>& writable,
                            const std::function<std::string(Caller&, const Wall&)>& work) {
    int report[2];
    if (pipe(report) != 0) return "no pipe";
    const pid_t child = fork();
    if (child == 0) {
        std::string text;
        auto sandbox = Sandbox::create(writable);
        Caller caller;
        const auto wall = sandbox
                              ? raise_wall(**sandbox)
                              : tl::expected<Wall, std::string>(tl::unexpected(sandbox.error()));
        text = wall ? work(caller, *wall) : wall.error();
        static_cast<void>(!write(report[1], text.data(), text.size()));
        _exit(0);
    }
    close(report[1]);
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = read(report[0], buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(n));
    close(report[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) text += " (the process died)";
    return text;
}

/// "" if `result` is a refusal.
std::string must_fail(const char* what, std::int64_t result) {
    return result == -EACCES || result == -EPERM
               ? ""
               : std::string(what) + " gives " + std::to_string(result) + "; ";
}
std::string must_work(const char* what, std::int64_t result) {
    return result >= 0 ? "" : std::string(what) + " gives " + std::to_string(result) + "; ";
}

TEST(Wall, HoldsForFiles) {
    const Directories d;
    const auto text = behind_the_wall({d.in("")}, [&](Caller& c, const Wall& wall) {
        if (wall.landlock == 0) return std::string("skip");
        std::string wrong;
        const auto file = c.text(d.out("file")), fresh = c.text(d.out("new"));
        wrong += must_fail("open to write", c.call(5, file, O_WRONLY, 0));
        wrong += must_fail("creat", c.call(8, fresh, 0600));
        wrong += must_fail("unlink", c.call(10, file));
        wrong += must_fail("mkdir", c.call(39, fresh, 0700));
        wrong += must_fail("symlink", c.call(83, c.text("x"), fresh));
        wrong += must_fail("mkfifo", c.call(14, fresh, S_IFIFO | 0600, 0));
        wrong += must_fail("mknod", c.call(14, c.text(d.in("n")), S_IFCHR | 0600, makedev(1, 3)));
        wrong += must_fail("truncate", c.call(92, file, 0));
        wrong += must_fail("setuid mode", c.call(15, c.text(d.in("")), 04755));
        wrong += must_work("open to read", c.call(5, file, O_RDONLY, 0));
        wrong += must_work("creat inside", c.call(8, c.text(d.in("new")), 0600));
        wrong += must_fail("rename out", c.call(38, c.text(d.in("new")), fresh));
        wrong += must_work("rename", c.call(38, c.text(d.in("new")), c.text(d.in("newer"))));
        wrong += must_work("/dev/null", c.call(5, c.text("/dev/null"), O_RDWR, 0));
        wrong += must_work("fork", c.call(2));
        return wrong;
    });
    if (text.starts_with("skip")) GTEST_SKIP() << "this kernel has no Landlock";
    EXPECT_EQ(text, "");
    std::ifstream file(d.out("file"));
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "kept");
    EXPECT_FALSE(fs::exists(d.out("new")));
}

TEST(Wall, WithoutWritableDirectoriesNothingChanges) {
    const Directories d;
    const auto text = behind_the_wall({}, [&](Caller& c, const Wall& wall) {
        if (!wall.filter) return std::string("skip");
        std::string wrong;
        const auto file = c.text(d.out("file"));
        const auto fd = c.call(5, file, O_RDONLY, 0);
        wrong += must_work("open to read", fd);
        wrong += must_fail("chmod", c.call(15, file, 0644));
        wrong += must_fail("fchmod", c.call(94, fd, 0644));
        wrong += must_fail("chown", c.call(182, file, 1, 1));
        wrong += must_fail("fchown", c.call(95, fd, 1, 1));
        wrong += must_fail("utimes", c.call(309, file, 0));
        wrong += must_fail("setxattr", c.call(232, file, c.text("user.x"), c.text("y"), 1, 0));
        wrong += must_fail("link", c.call(9, file, c.text(d.out("hard"))));
        return wrong;
    });
    if (text.starts_with("skip")) GTEST_SKIP() << "this kernel has no seccomp filters";
    EXPECT_EQ(text, "");
}

TEST(Wall, HoldsForSockets) {
    const Directories d;
    const int other = socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    d.out("socket").copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(bind(other, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const auto text = behind_the_wall({d.in("")}, [&](Caller& c, const Wall& wall) {
        if (!wall.filter) return std::string("skip");
        std::string wrong;
        const auto name = c.object(address);
        constexpr auto kSize = sizeof address;
        const auto fd = c.call(403, AF_UNIX, SOCK_DGRAM, 0);
        wrong += must_work("socket", fd);
        wrong += must_fail("an inet socket", c.call(403, AF_INET, SOCK_STREAM, 0));
        wrong += must_fail("connect", c.call(404, fd, name, kSize));
        wrong += must_fail("bind", c.call(410, fd, name, kSize));
        wrong += must_fail("sendto", c.call(406, fd, c.text("hello"), 5, 0, name, kSize));
        const iovec part{reinterpret_cast<void*>(c.text("hello")), 5};
        msghdr message{};
        message.msg_name = reinterpret_cast<void*>(name);
        message.msg_namelen = kSize;
        message.msg_iov = reinterpret_cast<iovec*>(c.object(part));
        message.msg_iovlen = 1;
        wrong += must_fail("sendmsg", c.call(408, fd, c.object(message), 0));
        return wrong;
    });
    char byte = 0;
    EXPECT_LT(recv(other, &byte, 1, MSG_DONTWAIT), 0) << "the other process got something";
    close(other);
    if (text.starts_with("skip")) GTEST_SKIP() << "this kernel has no seccomp filters";
    EXPECT_EQ(text, "");
}

TEST(Wall, HoldsForOtherProcesses) {
    const auto text = behind_the_wall({}, [&](Caller& c, const Wall& wall) {
        std::string wrong;
        const auto parent = static_cast<std::uint64_t>(getppid());
        if (wall.landlock >= 6) {
            wrong += must_fail("kill", c.call(37, parent, 0));
            wrong += must_fail("tgkill", c.call(308, parent, parent, 0));
        }
        if (!wall.filter) return "skip" + wrong;
        wrong += must_fail("setpriority", c.call(97, PRIO_PROCESS, parent, 1));
        wrong += must_fail("setpriority of the user", c.call(97, PRIO_USER, 0, 1));
        wrong += must_fail("real time", c.call(156, 0, 1, c.object(std::array{1, 0})));
        wrong += must_fail("affinity", c.call(249, parent, 8, c.object(~0ull)));
        wrong += must_fail("shmget by key", c.call(278, 0x4711, 4096, 01600));
        char* const arguments[] = {const_cast<char*>("true"), nullptr};
        execve("/bin/true", arguments, nullptr);
        wrong += must_fail("execve", -errno);
        wrong += must_work("kill itself", c.call(37, getpid(), 0));
        return wrong;
    });
    EXPECT_EQ(text, "");
}

TEST(Wall, BindsOneThreadAndWhatItStarts) {
    const Directories d;
    const auto text = behind_the_wall({}, [&](Caller&, const Wall& wall) {
        if (wall.landlock == 0) return std::string();
        bool made = false;
        std::thread([&] { made = std::ofstream(d.out("thread")).is_open(); }).join();
        return std::string(made ? "a thread is free" : "");
    });
    EXPECT_EQ(text, "");
    std::thread([&] {
        auto sandbox = Sandbox::create({});
        ASSERT_TRUE(sandbox);
        EXPECT_TRUE(raise_wall(**sandbox));
        EXPECT_TRUE(raise_wall(**sandbox)) << "a second time";
        const auto other = Sandbox::create({d.in("")});
        EXPECT_FALSE(raise_wall(**other)) << "the wall cannot be moved";
    }).join();
    EXPECT_TRUE(std::ofstream(d.out("free")).is_open()) << "this thread is not behind the wall";
}

}  // namespace
}  // namespace e2k::guest
