// One bad pointer among good arguments, for every pointer of every function of the bridge.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/guest/libc/row_caller.h"

namespace e2k::guest::libc::test {
namespace {

class PlainCaller : public RowCaller {
public:
    void TestBody() override {}
    using RowCaller::forget;
    using RowCaller::issue;
    using RowCaller::process;
    using RowCaller::put;
};

/// The kinds of a row's arguments, one letter each.
std::string kinds_of(const Row& row) {
    const std::string_view all = row.signature;
    std::string kinds;
    for (std::size_t at = all.find('(') + 1; at < all.size() && all[at] != ')'; ++at)
        if (all[at] != ',' && all[at] != '.') kinds += all[at];
    return kinds;
}
bool is_pointer(char kind) { return std::string_view("psSF").find(kind) != std::string_view::npos; }

/// A guest of its own for each fault, and the end of waiting for calls that would wait.
class Guests {
public:
    Guests()
        : ticker_([this] {
              while (!end_) {
                  std::this_thread::sleep_for(std::chrono::milliseconds(1));
                  const std::lock_guard lock(mutex_);
                  if (caller_) caller_->process().interrupt_blocked();
              }
          }) {}
    ~Guests() {
        end_ = true;
        ticker_.join();
    }
    PlainCaller& get() {
        if (!caller_) {
            auto made = std::make_unique<PlainCaller>();
            const std::lock_guard lock(mutex_);
            caller_ = std::move(made);
        }
        return *caller_;
    }
    void drop() {
        const std::lock_guard lock(mutex_);
        caller_.reset();
    }

private:
    std::mutex mutex_;
    std::unique_ptr<PlainCaller> caller_;
    std::atomic<bool> end_{false};
    std::thread ticker_;
};

/// Good pointers lead to a page that begins with a short text; good numbers are 1.
std::vector<std::uint64_t> good_arguments(PlainCaller& caller, const std::string& kinds) {
    std::vector<std::uint64_t> arguments;
    for (const char kind : kinds) {
        const std::string page = "x" + std::string(1023, '\0');
        arguments.push_back(is_pointer(kind) ? caller.put(page.data(), page.size()) : 1);
    }
    return arguments;
}

TEST(Rows, OneBadPointerAmongGoodArgumentsIsTheGuestsFault) {
    constexpr std::array<std::uint64_t, 3> kBad{0x18, 0x7fff'ffff'f000, ~std::uint64_t{0}};
    const pid_t pid = getpid();
    std::size_t faults = 0, pointers = 0;
    Guests guests;
    for (const Row& row : library_rows()) {
        const std::string kinds = kinds_of(row);
        for (std::size_t i = 0; i < std::min<std::size_t>(kinds.size(), 8); ++i) {
            if (!is_pointer(kinds[i])) continue;
            const std::uint64_t bad = kBad[pointers++ % kBad.size()];
            PlainCaller& caller = guests.get();
            caller.forget();
            auto arguments = good_arguments(caller, kinds);
            arguments[i] = bad;
            const Next next = caller.issue(row.name, arguments);
            if (getpid() != pid) _exit(0);  // the child of a row that forks
            if (next == Next::Continue || next == Next::Retry) continue;
            EXPECT_EQ(next, Next::ProcessExit) << row.name;
            const ExitStatus status = caller.process().exit_status();
            EXPECT_TRUE(status.kind != ExitStatus::Kind::Signaled || status.value == SIGSEGV ||
                        status.value == SIGABRT)
                << row.name << ", argument " << i << ": signal " << status.value;
            ++faults;
            guests.drop();
        }
    }
    EXPECT_GT(pointers, 500u);
    EXPECT_GT(faults, pointers / 3);
}

}  // namespace
}  // namespace e2k::guest::libc::test
