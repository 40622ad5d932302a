#include "app/bench/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "app/scratch_directory.h"

namespace e2k::bench {

namespace {

using Clock = std::chrono::steady_clock;

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() { reset(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    void reset() {
        if (fd_ >= 0) close(fd_);
        fd_ = -1;
    }

private:
    int fd_;
};

/// A file of empty lines, read from its start.
int empty_lines() {
    const int fd = memfd_create("input", MFD_CLOEXEC);
    const std::string lines(64, '\n');
    if (fd < 0 || write(fd, lines.data(), lines.size()) < 0) return -1;
    lseek(fd, 0, SEEK_SET);
    return fd;
}

tl::expected<pid_t, std::string> start(const std::vector<std::string>& argv,
                                       const std::string& directory, int input, int output) {
    std::vector<char*> arguments;
    arguments.reserve(argv.size() + 1);
    for (const std::string& argument : argv)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int error =
        posix_spawn(&child, argv.front().c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) return tl::unexpected(fmt::format("{}: {}", argv.front(), std::strerror(error)));
    return child;
}

/// Reads until the other side closes; false when the deadline passed first.
bool read_all(int fd, std::string& to, Clock::time_point deadline) {
    std::array<char, 65536> buffer;
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0) return false;
        pollfd wait{fd, POLLIN, 0};
        const int ready = poll(&wait, 1, static_cast<int>(std::min<long>(left, 1'000'000)));
        if (ready < 0 && errno != EINTR) return true;
        if (ready <= 0) continue;
        const ssize_t got = read(fd, buffer.data(), buffer.size());
        if (got == 0 || (got < 0 && errno != EINTR)) return true;
        if (got > 0) to.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

double seconds(const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

}  // namespace

tl::expected<ProcessResult, std::string> run_process(const std::vector<std::string>& argv,
                                                     double timeout_seconds) {
    const ScratchDirectory directory;
    if (directory.path().empty()) return tl::unexpected(std::string("no temporary directory"));
    const Descriptor input(empty_lines());
    int ends[2];
    if (input.get() < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return tl::unexpected(fmt::format("no pipe: {}", std::strerror(errno)));
    const Descriptor reading(ends[0]);
    Descriptor writing(ends[1]);

    const auto began = Clock::now();
    const auto child = start(argv, directory.path().string(), input.get(), writing.get());
    if (!child) return tl::unexpected(child.error());
    writing.reset();

    ProcessResult result;
    const auto limit =
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(timeout_seconds));
    result.timed_out = !read_all(reading.get(), result.output, began + limit);
    if (result.timed_out) kill(*child, SIGKILL);
    int status = 0;
    rusage usage{};
    while (wait4(*child, &status, 0, &usage) < 0 && errno == EINTR) continue;
    result.wall = std::chrono::duration<double>(Clock::now() - began).count();
    result.user = seconds(usage.ru_utime);
    result.system = seconds(usage.ru_stime);
    result.peak_kib = usage.ru_maxrss;
    if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
    return result;
}

}  // namespace e2k::bench
