#include "app/window_keeper.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include "engine/machine/whole_file.h"

namespace e2k::app {

namespace {

namespace fs = std::filesystem;

/// The files of a window. Nothing else is ever written for it.
constexpr std::array<std::string_view, 4> kFiles{"workbench.json", "imgui.ini", "quality.csv",
                                                 "quality.json"};
constexpr std::uint32_t kMostBytes = 4u << 20;
constexpr std::chrono::seconds kFarewell{5};  ///< for killed processes that do not end
constexpr int kPassedOn[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH};
constexpr int kFromTerminal[] = {SIGINT, SIGQUIT};  ///< the window gets them from there as well

bool send_all(int fd, const void* data, std::size_t size) {
    const auto* at = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

bool receive_all(int fd, void* data, std::size_t size) {
    auto* at = static_cast<char*>(data);
    while (size > 0) {
        const ssize_t n = recv(fd, at, size, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

bool send_text(int fd, std::string_view text) {
    const auto size = static_cast<std::uint32_t>(std::min<std::size_t>(text.size(), kMostBytes));
    return send_all(fd, &size, sizeof size) && send_all(fd, text.data(), size);
}

std::optional<std::string> receive_text(int fd) {
    std::uint32_t size = 0;
    if (!receive_all(fd, &size, sizeof size) || size > kMostBytes) return std::nullopt;
    std::string text(size, '\0');
    if (!receive_all(fd, text.data(), size)) return std::nullopt;
    return text;
}

std::string write_kept(const std::string& folder, const std::string& name,
                       const std::string& text) {
    if (folder.empty() || std::ranges::find(kFiles, name) == kFiles.end())
        return "there is no such file of the window";
    return machine::write_whole_file(folder + "/" + name, text);
}

/// From /proc/PID/stat: "pid (name) state ppid …", where the name may hold anything. 0 if gone.
pid_t parent_of(const std::string& pid) {
    std::ifstream file("/proc/" + pid + "/stat");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const std::size_t name_end = text.rfind(") ");
    pid_t parent = 0;
    if (name_end != std::string::npos && name_end + 4 < text.size())
        std::from_chars(text.data() + name_end + 4, text.data() + text.size(), parent);
    return parent;
}

void kill_children() {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename().string();
        pid_t pid = 0;
        const auto read = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (read.ec != std::errc() || read.ptr != name.data() + name.size()) continue;
        if (parent_of(name) == getpid()) kill(pid, SIGKILL);
    }
}

/// Everything the guest has made is a child of this process when its own parent is gone: killed
/// until there is none.
void end_everything() {
    const auto end = std::chrono::steady_clock::now() + kFarewell;
    for (;;) {
        kill_children();
        pid_t ended = 0;
        while ((ended = waitpid(-1, nullptr, WNOHANG)) > 0) {
        }
        if (ended < 0 && errno == ECHILD) return;
        if (std::chrono::steady_clock::now() > end) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

[[noreturn]] void end_like(int status) {
    if (WIFSIGNALED(status)) {
        const rlimit no_core{0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        const int number = WTERMSIG(status);
        signal(number, SIG_DFL);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, number);
        sigprocmask(SIG_UNBLOCK, &set, nullptr);
        raise(number);
        _exit(128 + number);
    }
    _exit(WEXITSTATUS(status));
}

/// The other side: what the keeper does until the window has ended.
class KeeperProcess {
public:
    KeeperProcess(pid_t window, int channel, int signals)
        : window_(window), channel_(channel), signals_(signals) {}

    [[noreturn]] void run() {
        while (!ended_) {
            pollfd waits[] = {{signals_, POLLIN, 0}, {channel_, POLLIN, 0}};
            if (poll(waits, 2, -1) < 0 && errno != EINTR) break;
            if (waits[1].revents != 0 && !serve()) channel_ = -1;  // poll leaves it out from now on
            if (waits[0].revents != 0) take_signal();
        }
        end_everything();
        end_like(status_);
    }

private:
    /// One request: a folder's name, or a file's and its text.
    bool serve() {
        const auto name = receive_text(channel_);
        const auto text = name ? receive_text(channel_) : std::nullopt;
        if (!text) return false;
        if (name->empty()) {
            if (folder_.empty()) folder_ = *text;
            return true;
        }
        return send_text(channel_, write_kept(folder_, *name, *text));
    }

    void take_signal() {
        signalfd_siginfo info{};
        if (read(signals_, &info, sizeof info) != sizeof info) return;
        const int number = static_cast<int>(info.ssi_signo);
        if (std::ranges::find(kPassedOn, number) != std::end(kPassedOn)) {
            kill(window_, number);
            return;
        }
        if (number != SIGCHLD) return;
        int status = 0;
        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
            if (pid != window_) continue;
            status_ = status;
            ended_ = true;
        }
    }

    pid_t window_;
    int channel_, signals_;
    std::string folder_;
    bool ended_ = false;
    int status_ = 0;
};

}  // namespace

WindowKeeper WindowKeeper::start() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return WindowKeeper(-1);
    sigset_t watched, before;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    for (const int number : kPassedOn) sigaddset(&watched, number);
    for (const int number : kFromTerminal) sigaddset(&watched, number);
    sigprocmask(SIG_BLOCK, &watched, &before);
    const int signals = signalfd(-1, &watched, SFD_CLOEXEC);
    const bool adopts = prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
    const pid_t window = signals >= 0 && adopts ? fork() : -1;
    if (window > 0) {
        close(ends[1]);
        KeeperProcess(window, ends[0], signals).run();
    }
    if (window == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    } else {
        prctl(PR_SET_CHILD_SUBREAPER, 0);
        close(ends[1]);
        ends[1] = -1;
    }
    close(ends[0]);
    if (signals >= 0) close(signals);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    return WindowKeeper(ends[1]);
}

WindowKeeper::~WindowKeeper() {
    if (channel_ >= 0) close(channel_);
}

void WindowKeeper::keep_in(const std::string& folder) {
    folder_ = folder;
    // An empty name announces the folder.
    if (channel_ >= 0 && send_text(channel_, "")) send_text(channel_, folder);
}

std::string WindowKeeper::keep(const std::string& name, const std::string& text) {
    if (channel_ < 0) return write_kept(folder_, name, text);
    if (!send_text(channel_, name) || !send_text(channel_, text))
        return "the process that writes it has ended";
    const auto answer = receive_text(channel_);
    return answer ? *answer : "the process that writes it has ended";
}

}  // namespace e2k::app
