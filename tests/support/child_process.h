// Runs the built e2kwb as a user would, in an empty directory, and collects what it says.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "app/scratch_directory.h"

namespace e2k::test {

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

using e2k::ScratchDirectory;

struct ChildResult {
    std::string output, errors;
    int exit_code = -1;  ///< -1 when killed by a signal
    int signal = 0;
    bool timed_out = false;

    /// The status a shell would show.
    int shell_status() const { return signal ? 128 + signal : exit_code; }
};

struct ChildOptions {
    std::string input = {};
    std::vector<std::string> environment = {};  ///< "NAME=value", added to ours; "NAME" removes it
    std::chrono::seconds limit{120};            ///< against hangs only
};

inline ChildResult run_child(const std::vector<std::string>& command,
                             const ChildOptions& options = {}) {
    const ScratchDirectory files;
    const ScratchDirectory work;
    const auto in = files.path() / "in", out = files.path() / "out", err = files.path() / "err";
    std::ofstream(in, std::ios::binary) << options.input;
    const pid_t pid = fork();
    if (pid == 0) {
        const auto redirect = [](const std::filesystem::path& path, int flags, int to) {
            const int fd = open(path.c_str(), flags | O_CLOEXEC, 0600);
            if (fd < 0 || dup2(fd, to) < 0) _exit(120);
        };
        redirect(in, O_RDONLY, 0);
        redirect(out, O_WRONLY | O_CREAT, 1);
        redirect(err, O_WRONLY | O_CREAT, 2);
        if (chdir(work.path().c_str()) != 0) _exit(121);
        setpgid(0, 0);
        for (const std::string& entry : options.environment) {
            const auto equals = entry.find('=');
            if (equals == std::string::npos)
                unsetenv(entry.c_str());
            else
                setenv(entry.substr(0, equals).c_str(), entry.c_str() + equals + 1, 1);
        }
        std::vector<char*> argv;
        for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
        argv.push_back(nullptr);
        execv(argv[0], argv.data());
        _exit(122);
    }
    ChildResult result;
    const auto end = std::chrono::steady_clock::now() + options.limit;
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() > end) {
            result.timed_out = true;
            kill(-pid, SIGKILL);
            waitpid(pid, &status, 0);
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
    result.output = read_file(out);
    result.errors = read_file(err);
    return result;
}

}  // namespace e2k::test
