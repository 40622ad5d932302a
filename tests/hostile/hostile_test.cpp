// Guests that attack the workbench (tests/data/hostile), in both tiers and in the sandbox: each
// ends as a fault of its own or by itself, as its first lines say; never is it the workbench that
// falls.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace {

namespace fs = std::filesystem;
using e2k::test::ChildResult;

const fs::path kFolder = fs::path(E2K_SOURCE_DIR) / "tests/data/hostile";
/// A guest needs a second at most; this is for sanitizers on a busy machine.
constexpr std::chrono::seconds kLimit{240};

struct SignalName {
    const char* name;
    int number;
};
constexpr std::array kSignals{
    SignalName{"SIGILL", SIGILL},   SignalName{"SIGTRAP", SIGTRAP}, SignalName{"SIGABRT", SIGABRT},
    SignalName{"SIGBUS", SIGBUS},   SignalName{"SIGFPE", SIGFPE},   SignalName{"SIGKILL", SIGKILL},
    SignalName{"SIGSEGV", SIGSEGV}, SignalName{"SIGSYS", SIGSYS},   SignalName{"SIGXFSZ", SIGXFSZ},
    SignalName{"SIGPIPE", SIGPIPE},
};

/// One way in which a guest may end.
struct End {
    std::string kind;  ///< "exit" or "fault"
    std::vector<std::string> what;
};

/// What the first lines of a guest say, after `!` or `//`.
struct Header {
    std::vector<End> ends;
    std::vector<std::string> messages, options;
    std::string mistake;
};

std::vector<std::string> words(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> list;
    for (std::string word; in >> word;) list.push_back(word);
    return list;
}

void read_ends(const std::string& text, Header& header) {
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, '|');) {
        auto list = words(part);
        if (list.size() < 2 || (list[0] != "exit" && list[0] != "fault")) {
            header.mistake = "not an end: " + part;
            return;
        }
        header.ends.push_back({list[0], {list.begin() + 1, list.end()}});
    }
}

Header read_header(const fs::path& path) {
    Header header;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const auto begin = line.find_first_not_of("!/ ");
        if (begin == std::string::npos || (line[0] != '!' && line[0] != '/')) break;
        const std::string text = line.substr(begin);
        const auto after = [&text](const std::string& name) -> std::string {
            return text.starts_with(name + ": ") ? text.substr(name.size() + 2) : "";
        };
        if (const auto ends = after("expect"); !ends.empty()) read_ends(ends, header);
        if (const auto message = after("message"); !message.empty())
            header.messages.push_back(message);
        if (const auto options = after("options"); !options.empty())
            header.options = words(options);
    }
    if (header.ends.empty() && header.mistake.empty()) header.mistake = "no `expect:` line";
    return header;
}

/// Whether the guest ended by the signal: the workbench says so, and takes its status.
bool faulted_by(const ChildResult& result, const std::string& signal) {
    const auto known =
        std::ranges::find_if(kSignals, [&signal](const SignalName& s) { return signal == s.name; });
    return known != kSignals.end() && result.shell_status() == 128 + known->number &&
           result.errors.find(": " + signal) != std::string::npos;
}

bool ended_so(const ChildResult& result, const End& end) {
    if (end.kind == "exit")
        return result.signal == 0 && std::to_string(result.exit_code) == end.what.front();
    return std::ranges::any_of(
        end.what, [&result](const std::string& signal) { return faulted_by(result, signal); });
}

std::vector<std::string> guest_names() {
    std::vector<std::string> names;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(kFolder, missing))
        if (entry.path().extension() == ".s") names.push_back(entry.path().stem().string());
    std::ranges::sort(names);
    return names;
}

void check(const std::string& name, bool interpreted) {
    const Header header = read_header(kFolder / (name + ".s"));
    ASSERT_EQ(header.mistake, "");
    std::vector<std::string> command{E2KWB, "run", "--sandbox"};
    if (interpreted) command.push_back("--interp");
    command.insert(command.end(), header.options.begin(), header.options.end());
    command.push_back((kFolder / (name + ".s")).string());
    e2k::test::ChildOptions options;
    options.limit = kLimit;
    const ChildResult result = e2k::test::run_child(command, options);
    EXPECT_FALSE(result.timed_out);
    EXPECT_TRUE(std::ranges::any_of(header.ends,
                                    [&result](const End& end) { return ended_so(result, end); }))
        << "ended with status " << result.shell_status() << "\n"
        << result.errors;
    // The last of the nets (cpu::stacks_complaint), which nothing should ever need.
    EXPECT_EQ(result.errors.find("fault of the emulator"), std::string::npos) << result.errors;
    for (const std::string& message : header.messages)
        EXPECT_NE(result.errors.find(message), std::string::npos)
            << "no \"" << message << "\" in:\n"
            << result.errors;
}

class Hostile : public testing::TestWithParam<std::string> {};

TEST_P(Hostile, Translated) { check(GetParam(), false); }
TEST_P(Hostile, Interpreted) { check(GetParam(), true); }

INSTANTIATE_TEST_SUITE_P(Guests, Hostile, testing::ValuesIn(guest_names()),
                         [](const auto& guest) { return guest.param; });

TEST(HostileGuests, AreHere) { EXPECT_GE(guest_names().size(), 60u); }

}  // namespace
