#include "tests/guest/fuzz_syscalls/fuzzer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <new>
#include <thread>

#include <fmt/format.h>

#include "tests/guest/fuzz_syscalls/worker.h"

namespace e2k::guest::fuzz {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kHang = std::chrono::seconds(30);
constexpr std::size_t kMostFindings = 20;

/// What the supervising process tells its parent.
struct Report {
    Progress progress;
    std::uint64_t workers = 0;
    std::array<char, 1 << 16> findings{};  ///< separated by '\0', ended by an empty one
};

template <class T>
T* shared() {
    void* const at =
        mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? nullptr : new (at) T;
}

std::string last_call(const Progress& progress) {
    const std::uint32_t number = progress.number;
    const SyscallRow* row = find_syscall(number);
    std::string text = fmt::format("{} ({})", row ? row->name : "unknown", number);
    for (const auto& argument : progress.arguments) text += fmt::format(" {:#x}", argument.load());
    return text;
}

class Supervisor {
public:
    Supervisor(Report& report) : report_(report) {}

    /// Runs `work` in a process of its own; it must end by itself and well.
    template <class F>
    void run_worker(const std::string& which, F&& work) {
        const int pid = fork();
        if (pid == 0) {
            // Nothing of this process goes on here, whatever is thrown.
            [&]() noexcept { work(); }();
            _exit(0);
        }
        ++report_.workers;
        std::uint64_t last = report_.progress.calls;
        auto since = Clock::now();
        int status = 0;
        for (int ended = 0; ended != pid || WIFSTOPPED(status);) {
            // A guest may stop itself, as with Ctrl+Z.
            ended = waitpid(pid, &status, WNOHANG | WUNTRACED);
            if (ended == pid && WIFSTOPPED(status)) kill(pid, SIGCONT);
            if (ended == pid) continue;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            if (report_.progress.calls != last) {
                last = report_.progress.calls;
                since = Clock::now();
            } else if (Clock::now() - since > kHang) {
                add(which + ": hangs in " + last_call(report_.progress));
                kill(pid, SIGKILL);
                waitpid(pid, nullptr, 0);
                return;
            }
        }
        reap_children();
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
        add(fmt::format("{}: ended by {} {} in {}", which,
                        WIFSIGNALED(status) ? "signal" : "exit code",
                        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                        last_call(report_.progress)));
    }

    void look_around(Outside& outside, const std::string& which) {
        if (const std::uint32_t number = report_.progress.host_memory_changed.exchange(0))
            add(fmt::format("{}: memory of the host was written, up to call {}", which,
                            number - 1));
        for (const std::string& change : outside.changes()) add(which + ": " + change);
    }

    void add(const std::string& finding) {
        std::fprintf(stderr, "FINDING %s\n", finding.c_str());
        if (++findings_ > kMostFindings) return;
        const std::size_t size = std::min(finding.size(), report_.findings.size() - used_ - 2);
        std::copy_n(finding.begin(), size, report_.findings.begin() + static_cast<long>(used_));
        used_ += size + 1;
    }
    bool full() const { return findings_ >= kMostFindings; }

private:
    /// Children of guests end with their worker; this process has inherited them.
    static void reap_children() {
        while (waitpid(-1, nullptr, WNOHANG) > 0) {
        }
    }

    Report& report_;
    std::size_t used_ = 0, findings_ = 0;
};

void supervise(const Settings& settings, Report& report, bool alone) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setsid();
    Outside outside;
    Surroundings around = outside.surroundings();
    around.all_processes = alone;
    if (!settings.sandbox) {  // nothing holds the guest back: only crashes are looked for
        around.processes.clear();
        around.all_processes = false;
    }
    Supervisor supervisor(report);
    const auto begin = Clock::now();
    auto told = begin;
    for (std::uint64_t worker = 0; report.progress.calls < settings.calls; ++worker) {
        if (settings.worker >= 0) worker = static_cast<std::uint64_t>(settings.worker);
        const std::string which = fmt::format("seed {} worker {}", settings.seed, worker);
        supervisor.run_worker(
            which, [&] { work(settings, around, worker, settings.calls, report.progress); });
        if (settings.sandbox) supervisor.look_around(outside, which);
        const auto now = Clock::now();
        const double passed = std::chrono::duration<double>(now - begin).count();
        if (settings.progress && now - told > std::chrono::seconds(10)) {
            told = now;
            std::fprintf(stderr, "%.0f s: %llu calls, %llu guests\n", passed,
                         static_cast<unsigned long long>(report.progress.calls.load()),
                         static_cast<unsigned long long>(report.progress.guests.load()));
        }
        if (settings.seconds > 0 && passed > settings.seconds) break;
        if (settings.worker >= 0 || supervisor.full()) break;
    }
}

void supervise_bad_pointers(bool sandbox, Report& report, bool alone) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setsid();
    Outside outside;
    Surroundings around = outside.surroundings();
    around.all_processes = alone;
    Supervisor supervisor(report);
    for (std::uint32_t number = 0; number < kNumbers && !supervisor.full(); ++number)
        if (const SyscallRow* row = find_syscall(number))
            supervisor.run_worker(
                "bad pointers", [&] { work_bad_pointers(around, sandbox, *row, report.progress); });
    if (sandbox) supervisor.look_around(outside, "bad pointers");
}

template <class F>
Outcome in_child(F&& supervise) {
    Outcome outcome;
    auto* const report = shared<Report>();
    if (!report) {
        outcome.findings.emplace_back("no memory for the report");
        return outcome;
    }
    const int pid = fork();
    if (pid == 0) {
        [&]() noexcept { supervise(*report, isolate()); }();
        _exit(0);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    const Progress& progress = report->progress;
    outcome.calls = progress.calls;
    outcome.guests = progress.guests;
    outcome.workers = report->workers;
    for (std::uint32_t number = 0; number < kNumbers; ++number)
        if (const SyscallRow* row = find_syscall(number))
            outcome.rows.push_back({row->name, progress.made[number], progress.succeeded[number]});
    for (const char* at = report->findings.data(); *at; at += std::string_view(at).size() + 1)
        outcome.findings.emplace_back(at);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        outcome.findings.push_back(
            fmt::format("the supervising process ended by status {:#x}; last call {}", status,
                        last_call(progress)));
    munmap(report, sizeof *report);
    return outcome;
}

}  // namespace

Outcome run(const Settings& settings) {
    return in_child([&](Report& report, bool alone) { supervise(settings, report, alone); });
}

Outcome run_bad_pointers(bool sandbox) {
    return in_child(
        [&](Report& report, bool alone) { supervise_bad_pointers(sandbox, report, alone); });
}

}  // namespace e2k::guest::fuzz
