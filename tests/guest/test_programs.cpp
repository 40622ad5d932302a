// The guest programs that exercise Linux, run to their end by the interpreter.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/guest/host_signals.h"
#include "tests/guest/caller.h"
#include "tests/guest/run_loop.h"

namespace e2k::guest {
namespace {

namespace fs = std::filesystem;
const std::string kExpected = E2K_SOURCE_DIR "/tests/data/guests/expected/";

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> words(const std::string& path, char separator) {
    std::vector<std::string> list;
    std::istringstream text(read_file(path));
    for (std::string word; std::getline(text, word, separator);)
        if (!word.empty() && word != "\n") list.push_back(word);
    return list;
}

/// Words of a command line with single quotes.
std::vector<std::string> command_words(const std::string& text) {
    std::vector<std::string> list;
    std::string word;
    bool quoted = false, started = false;
    for (const char ch : text + " ") {
        if (ch == '\'') {
            quoted = !quoted;
            started = true;
        } else if (!quoted && (ch == ' ' || ch == '\n')) {
            if (started) list.push_back(word);
            word.clear();
            started = false;
        } else {
            word += ch;
            started = true;
        }
    }
    return list;
}

/// The child of the test: becomes the guest, in `directory`, with files as standard streams.
[[noreturn]] void run_guest(const std::string& name, const std::string& directory) {
    if (chdir(directory.c_str()) != 0) _exit(120);
    const std::string input = kExpected + name + ".stdin";
    const int in = open(fs::exists(input) ? input.c_str() : "/dev/null", O_RDONLY);
    const int out = open((directory + ".out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(in, 0);
    dup2(out, 1);
    ProcessOptions options;
    options.exact_tags = true;
    auto image = ElfImage::load(test::guest_path(name));
    if (!image) _exit(121);
    options.argv = {test::guest_path(name)};
    for (std::string& word : command_words(read_file(kExpected + name + ".args")))
        options.argv.push_back(std::move(word));
    options.environment = words(kExpected + name + ".env", '\n');
    auto process = Process::start(std::move(*image), std::move(options));
    if (!process) _exit(122);
    const ExitStatus status = test::RunLoop(**process).run();
    if (status.kind == ExitStatus::Kind::Signaled) host_signals::die_by(status.value);
    _exit(status.value);
}

class GuestProgram : public testing::TestWithParam<const char*> {};

TEST_P(GuestProgram, BehavesAsOnLinux) {
    const std::string name = GetParam();
    char pattern[] = "/tmp/e2k-guest-XXXXXX";
    const std::string directory = mkdtemp(pattern);
    const pid_t pid = fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) run_guest(name, directory);
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    const std::string ended = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                                  : std::to_string(WEXITSTATUS(status));
    std::string expected = read_file(kExpected + name + ".exit");
    while (!expected.empty() && expected.back() == '\n') expected.pop_back();
    EXPECT_EQ(ended, expected);
    EXPECT_EQ(read_file(directory + ".out"), read_file(kExpected + name + ".stdout"));
    fs::remove_all(directory);
    fs::remove(directory + ".out");
}

INSTANTIATE_TEST_SUITE_P(Linux, GuestProgram,
                         testing::Values("hello", "args", "rot13", "file_rw", "dirlist", "mem_map",
                                         "pipe_fork", "sig_alarm", "sig_segv_resume",
                                         "sig_segv_catch", "sig_altstack", "sig_altstack_far",
                                         "time_sleep", "fast_syscall", "sysinfo", "symlinks",
                                         "err_paths", "exit_codes", "threads_futex",
                                         "atomic_shared", "fault_resume", "err_divzero",
                                         "err_sdivzero", "err_wild_store", "err_illegal",
                                         "err_window", "err_diag_use", "tags_demo"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace e2k::guest
