// Processes that the guest has forked.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/guest/process_impl.h"

namespace e2k::guest {

namespace {

namespace fs = std::filesystem;

constexpr auto kReaping = std::chrono::milliseconds(200);  ///< at most, for killed children

/// From /proc/PID/stat: "pid (name) state ppid …", where the name may hold anything. 0 if gone.
pid_t parent_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const std::size_t name_end = text.rfind(") ");
    if (name_end == std::string::npos || name_end + 4 >= text.size()) return 0;
    pid_t parent = 0;
    std::from_chars(text.data() + name_end + 4, text.data() + text.size(), parent);
    return parent;
}

std::unordered_multimap<pid_t, pid_t> processes_by_parent() {
    std::unordered_multimap<pid_t, pid_t> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename().string();
        pid_t pid = 0;
        const auto read = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (read.ec == std::errc() && read.ptr == name.data() + name.size())
            found.emplace(parent_of(pid), pid);
    }
    return found;
}

}  // namespace

void Process::kill_children() {
    std::vector<pid_t> doomed;
    {
        std::lock_guard lock(impl_->thread_mutex);
        doomed.assign(impl_->children.begin(), impl_->children.end());
        impl_->children.clear();
    }
    // A number may belong to somebody else by now.
    std::erase_if(doomed, [](pid_t pid) { return parent_of(pid) != getpid(); });
    if (doomed.empty()) return;
    const std::size_t own = doomed.size();
    const auto by_parent = processes_by_parent();
    for (std::size_t i = 0; i < doomed.size(); ++i) {
        const auto [first, last] = by_parent.equal_range(doomed[i]);
        for (auto it = first; it != last; ++it) doomed.push_back(it->second);
    }
    for (const pid_t pid : doomed) kill(pid, SIGKILL);
    const auto end = std::chrono::steady_clock::now() + kReaping;
    for (std::size_t i = 0; i < own; ++i) {
        while (waitpid(doomed[i], nullptr, WNOHANG) == 0 && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

}  // namespace e2k::guest
