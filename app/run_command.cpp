// `e2kwb run`: the program itself, with its streams, exit code and signals.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>

#include <fmt/format.h>

#include "app/commands.h"

namespace e2k::app {

namespace {

/// One line per call, as strace prints it.
class SystemCallPrinter {
public:
    void operator()(const guest::SyscallRecord& record) {
        std::lock_guard lock(mutex_);
        const std::string thread =
            threads_seen(record.thread) > 1 ? fmt::format("[{}] ", record.thread) : std::string();
        fmt::print(stderr, "{}{}({}) = {}{}\n", thread, record.name, record.arguments,
                   record.result_text, record.unknown ? "   <- not implemented" : "");
    }

private:
    unsigned threads_seen(std::uint32_t thread) {
        if (first_ == 0) first_ = thread;
        if (thread != first_) several_ = true;
        return several_ ? 2 : 1;
    }
    std::mutex mutex_;
    std::uint32_t first_ = 0;
    bool several_ = false;
};

/// What was executed other than by emitted code, as shares of all operations executed.
void print_run_counts(const machine::HeadlessResult& r) {
    constexpr std::size_t kShown = 6;
    const auto& n = r.run_counts;
    const double all = static_cast<double>(std::max<std::uint64_t>(r.counters.operations, 1));
    const auto percent = [&](std::uint64_t part) {
        return 100.0 * static_cast<double>(part) / all;
    };
    fmt::print(stderr, "executed        {:>13.4f} % by emitted code\n",
               100.0 - percent(n.by_helper) - percent(n.interpreted));
    fmt::print(stderr, "  by helper     {:>13.4f} % {}\n", percent(n.by_helper), n.by_helper);
    for (std::size_t i = 0; i < std::min(kShown, n.helpers.size()); ++i)
        fmt::print(stderr, "                {:>14}   {}\n", n.helpers[i].second,
                   n.helpers[i].first);
    fmt::print(stderr, "  interpreted   {:>13.4f} % {}\n", percent(n.interpreted), n.interpreted);
    for (std::size_t i = 0; i < std::min(kShown, n.bundles.size()); ++i)
        fmt::print(stderr, "                {:>14}   at 0x{:x}: {}\n", n.bundles[i].operations,
                   n.bundles[i].address, name_of(n.bundles[i].why));
}

void print_statistics(const machine::HeadlessResult& r, bool interpreter) {
    const machine::Counters& c = r.counters;
    const auto& t = r.translation;
    const double seconds = c.run_seconds > 0 ? c.run_seconds : 1e-9;
    fmt::print(stderr, "\n");
    fmt::print(stderr, "time            {:>14.3f} s\n", c.run_seconds);
    fmt::print(stderr, "bundles         {:>14}   {:.1f} million a second\n", c.bundles,
               static_cast<double>(c.bundles) / seconds / 1e6);
    fmt::print(
        stderr, "operations      {:>14}   {:.2f} a bundle\n", c.operations,
        c.bundles ? static_cast<double>(c.operations) / static_cast<double>(c.bundles) : 0.0);
    if (interpreter) return;
    fmt::print(stderr, "regions         {:>14}   {} bundles, {:.3f} s to translate\n", t.regions,
               t.bundles_translated, t.translate_seconds);
    fmt::print(stderr, "host code       {:>14} B {} instructions, {:.1f} an operation\n",
               t.host_bytes, r.census.instructions,
               static_cast<double>(r.census.instructions) /
                   static_cast<double>(std::max<std::uint64_t>(r.census.operations, 1)));
    fmt::print(stderr, "by helper       {:>14}   of {} operations translated\n",
               t.operations_helper, t.operations_translated);
    fmt::print(stderr, "interpreted     {:>14}   bundles the translator declined\n",
               t.interpreted_bundles);
    fmt::print(stderr, "links, flushes  {:>14}   {}\n", t.links, t.flushes);
    print_run_counts(r);
}

/// Ends this process by the guest's signal, so that whoever started it sees the same.
[[noreturn]] void die_by(int signal) {
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);  // a dump of the workbench says nothing about the guest
    std::signal(signal, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    raise(signal);
    _exit(128 + signal);
}

int finish(const machine::HeadlessResult& result, const std::string& program) {
    if (!result.difference.empty()) {
        complain(
            fmt::format("{}: translator and interpreter differ: {}", program, result.difference));
        return kExitFailure;
    }
    if (result.failed) {
        complain(fmt::format("{}: {}", program, result.detail));
        return kExitMissingOperation;
    }
    if (result.exit.kind != guest::ExitStatus::Kind::Signaled) return result.exit.value;
    complain(fmt::format("{}: {}", program,
                         result.detail.empty() ? strsignal(result.exit.value) : result.detail));
    std::fflush(nullptr);
    die_by(result.exit.value);
}

}  // namespace

int run(const RunOptions& options) {
    const std::string& path = options.program.argv.front();
    if (access(path.c_str(), F_OK) != 0) {
        complain(fmt::format("{}: {}", path, std::strerror(errno)));
        return kExitNotFound;
    }
    machine::HeadlessOptions headless;
    headless.census = options.stats;
    headless.process = options.program.process();
    headless.tier =
        options.program.interpreter ? machine::Tier::Interpreter : machine::Tier::Translator;
    headless.differential = options.differential;
    headless.perf_map = options.perf_map;
    headless.jitdump = options.jitdump;
    SystemCallPrinter printer;
    if (options.strace) headless.on_syscall = std::ref(printer);
    const auto result = machine::run_headless(path, std::move(headless));
    if (!result) {
        complain(result.error());
        return kExitCannotRun;
    }
    if (options.stats) print_statistics(*result, options.program.interpreter);
    if (options.differential) {
        fmt::print(stderr, "{} regions compared, {}\n", result->regions_compared,
                   !result->difference.empty() ? "1 difference"
                   : result->comparison_end.empty()
                       ? "no difference"
                       : "no difference until comparing ended: " + result->comparison_end);
    }
    return finish(*result, path);
}

}  // namespace e2k::app
