#include "tests/guest/fuzz_syscalls/worker.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/guest/sandbox.h"
#include "engine/guest/wall.h"

namespace e2k::guest::fuzz {
namespace {

constexpr std::uint64_t kCallsOfGuest = 1'000;
constexpr unsigned kWbs = 8;
constexpr int kLog = 1000;  // standard error, out of the guest's way

/// A guest that has not done anything, and the sandbox it is in, if any.
struct Fresh {
    std::shared_ptr<Sandbox> sandbox;
    std::unique_ptr<Process> process;
};

Fresh start_guest(const Surroundings& around, bool sandbox) {
    renew_scratch(around);
    static_cast<void>(!chdir(around.scratch.c_str()));
    auto image = ElfImage::load(E2K_SOURCE_DIR "/tests/data/guests/elf/hello");
    if (!image) dprintf(kLog, "%s\n", image.error().c_str());
    if (!image) return {};
    ProcessOptions options;
    options.argv = {"hello"};
    options.policy.sandbox = sandbox;
    if (sandbox) {
        options.policy.writable = {around.scratch};
        auto made = Sandbox::create(options.policy.writable);
        if (!made) dprintf(kLog, "%s\n", made.error().c_str());
        if (!made) return {};
        options.policy.state = std::move(*made);
    }
    const auto state = options.policy.state;
    auto started = Process::start(std::move(*image), std::move(options));
    if (!started) dprintf(kLog, "%s\n", started.error().c_str());
    return {state, started ? std::move(*started) : nullptr};
}

/// A guest without code: the calls of its main thread are given.
class Guest {
public:
    Guest(std::unique_ptr<Process> process, Progress& progress)
        : process_(std::move(process)), progress_(progress) {
        state().wd.size = 32;
        window_ = state().window;
    }
    Process& process() { return *process_; }
    std::int64_t result() { return static_cast<std::int64_t>(state().window[2 * kWbs].lo); }

    /// False when the guest has ended, or cannot go on as it is.
    bool call(std::uint32_t number, const std::array<std::uint64_t, 6>& arguments) {
        cpu::Reg* b = state().window + 2 * kWbs;
        b[0] = {};
        b[0].lo = number;
        std::fill_n(state().window_tags + 2 * kWbs, 8, std::uint8_t{0});
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            b[i + 1] = {};
            b[i + 1].lo = arguments[i];
            progress_.arguments[i] = arguments[i];
        }
        progress_.number = number;
        cpu::Stop stop;
        stop.kind = cpu::StopKind::SystemCall;
        stop.syscall_entry = 3;
        stop.syscall_wbs = kWbs;
        const int pid = getpid();
        const Next next = process_->system_call(process_->main_thread(), stop);
        if (getpid() != pid) _exit(0);  // the child of a fork
        ++progress_.calls;
        if (number < kNumbers) ++progress_.made[number];
        if (next == Next::Retry) return true;
        if (next != Next::Continue) return false;
        // A handler was entered, or a jump made.
        if (state().window != window_ || state().wd.size != 32) return false;
        const auto result = static_cast<std::int64_t>(b[0].lo);
        if (number < kNumbers && (result >= 0 || result < -4095)) ++progress_.succeeded[number];
        return true;
    }

private:
    cpu::CpuState& state() { return process_->main_thread().state; }
    std::unique_ptr<Process> process_;
    Progress& progress_;
    cpu::Reg* window_ = nullptr;
};

/// Cuts calls short that wait.
class Ticker {
public:
    explicit Ticker(Progress& progress)
        : thread_([this, &progress] {
              std::uint64_t last = 0;
              while (!end_) {
                  std::this_thread::sleep_for(std::chrono::microseconds(500));
                  const std::uint64_t now = progress.calls;
                  std::lock_guard lock(mutex_);
                  if (now == last && process_) process_->interrupt_blocked();
                  last = now;
              }
          }) {}
    ~Ticker() {
        end_ = true;
        thread_.join();
    }
    void watch(Process* process) {
        std::lock_guard lock(mutex_);
        process_ = process;
    }

private:
    std::mutex mutex_;
    Process* process_ = nullptr;
    std::atomic<bool> end_{false};
    std::thread thread_;
};

/// Runs `work` as the threads are that execute a guest: behind the second wall, in the sandbox.
template <class F>
void in_walled_thread(const std::shared_ptr<Sandbox>& sandbox, F&& work) {
    std::thread([&] {
        if (sandbox) {
            const auto wall = raise_wall(*sandbox);
            if (!wall) dprintf(kLog, "%s\n", wall.error().c_str());
            if (!wall) _exit(96);
        }
        work();
    }).join();
}

void limit(int resource, rlim_t value) {
    const rlimit both{value, value};
    setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

/// What a guest may use up of the machine.
void prepare_worker() {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGXFSZ, SIG_IGN);
    limit(RLIMIT_FSIZE, 1 << 20);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_MEMLOCK, 1 << 20);
    dup3(2, kLog, O_CLOEXEC);
    const int nothing = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) dup2(nothing, fd);
    if (nothing > 2) close(nothing);
}

void check_host_memory(Progress& progress) {
    for (std::uint64_t& one : host_memory())
        if (one != 0) {
            progress.host_memory_changed = progress.number.load() + 1;
            one = 0;
        }
}

/// Calls that end or double the guest, or make the whole machine work: seldom, or never.
unsigned percent_of(std::uint32_t number) {
    switch (number) {
        case 36:   // sync
        case 377:  // syncfs
            return 0;
        case 1:
        case 2:
        case 11:
        case 119:
        case 120:
        case 190:
        case 229:
        case 230:
        case 300:
        case 388:
        case 426:
            return 3;
        case 118:
        case 148:
        case 357:
            return 10;
        default:
            return 100;
    }
}

/// Without the sandbox these reach the fuzzer's own processes.
bool reaches_others(std::uint32_t number) {
    constexpr std::array kCalls{11u, 37u, 178u, 205u, 246u, 308u, 334u, 375u, 388u};
    return std::ranges::find(kCalls, number) != kCalls.end();
}

std::vector<const SyscallRow*> all_rows(bool sandbox) {
    std::vector<const SyscallRow*> rows;
    for (std::uint32_t number = 0; number < kNumbers; ++number)
        if (const SyscallRow* row = find_syscall(number);
            row && (sandbox || !reaches_others(number)))
            rows.push_back(row);
    return rows;
}

/// A few open files, so that small numbers are descriptors of several kinds.
void open_some(Guest& guest, Random& random) {
    AddressSpace& memory = guest.process().memory();
    const auto at = memory.map(0, 4096, kProtRead | kProtWrite, false, false, -1, 0, "names");
    if (!at) return;
    auto text = [&](const std::string& name) {
        memory.write(*at, name.c_str(), name.size() + 1);
        return *at;
    };
    guest.call(5, {text("a"), O_RDWR});
    guest.call(5, {text("."), O_RDONLY});
    guest.call(5, {text("../outside/file"), O_RDONLY});
    guest.call(5, {text("../outside"), O_RDONLY});
    guest.call(42, {*at});
    guest.call(414, {1, 1 + random.below(2), 0, *at});
    guest.call(348, {0, 0});
    guest.call(360, {0});
    guest.call(206, {guest.process().main_thread().tid, 0});
}

}  // namespace

void work(const Settings& settings, const Surroundings& around, std::uint64_t worker,
          std::uint64_t limit, Progress& progress) {
    prepare_worker();
    const auto rows = all_rows(settings.sandbox);
    Random random(Random(settings.seed + worker * 0x1'0000'0001ull).next());
    auto started = start_guest(around, settings.sandbox);
    if (!started.process) _exit(97);
    ++progress.guests;
    Ticker ticker(progress);
    in_walled_thread(started.sandbox, [&] {
        Guest guest(std::move(started.process), progress);
        ticker.watch(&guest.process());
        open_some(guest, random);
        Grammar grammar(guest.process(), around, random);
        const std::uint64_t end = std::min(limit, progress.calls + kCallsOfGuest);
        for (std::uint64_t i = 0; i < 4 * kCallsOfGuest && progress.calls < end; ++i) {
            const SyscallRow& row =
                settings.number < 0 ? *random.pick(rows)
                                    : *find_syscall(static_cast<std::uint32_t>(settings.number));
            if (!random.chance(percent_of(row.number))) continue;
            const auto arguments = grammar.arguments(row);
            const std::uint32_t number =
                random.chance(1) ? static_cast<std::uint32_t>(random.next()) : row.number;
            if (!guest.call(number, arguments)) break;
            if (number == row.number) grammar.learn(row, arguments, guest.result());
            if (progress.calls % 64 == 0) check_host_memory(progress);
        }
        check_host_memory(progress);
        ticker.watch(nullptr);
    });
}

void work_bad_pointers(const Surroundings& around, bool sandbox, const SyscallRow& row,
                       Progress& progress) {
    if (percent_of(row.number) == 0 || (!sandbox && reaches_others(row.number))) return;
    prepare_worker();
    Ticker ticker(progress);
    const std::size_t bad = bad_addresses().size() + 1;  // and one at the end of a page
    Random random(row.number);
    // All of them on one guest, on the next from where it ended.
    for (std::size_t at = 0; at < 6 * bad;) {
        auto started = start_guest(around, sandbox);
        if (!started.process) _exit(97);
        ++progress.guests;
        in_walled_thread(started.sandbox, [&] {
            Guest guest(std::move(started.process), progress);
            ticker.watch(&guest.process());
            open_some(guest, random);
            Grammar grammar(guest.process(), around, random);
            for (bool alive = true; alive && at < 6 * bad; ++at) {
                const std::size_t k = at / bad, i = at % bad;
                if (!Grammar::is_address(row.arguments[k])) continue;
                auto arguments = grammar.harmless(row);
                arguments[k] = i + 1 < bad ? bad_addresses()[i] : grammar.page_end();
                alive = guest.call(row.number, arguments);
                check_host_memory(progress);
            }
            ticker.watch(nullptr);
        });
    }
}

}  // namespace e2k::guest::fuzz
