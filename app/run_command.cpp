// `e2kwb run`: the program itself, with its streams, exit code and signals.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <mutex>

#include <fmt/format.h>

#include "app/commands.h"
#include "engine/guest/fd_table.h"
#include "engine/guest/host_signals.h"
#include "engine/machine/run_log.h"

namespace e2k::app {

namespace {

/// One line per call, as strace prints it.
class SystemCallPrinter {
public:
    void operator()(const guest::SyscallRecord& record) {
        std::lock_guard lock(mutex_);
        const std::string thread =
            threads_seen(record.thread) > 1 ? fmt::format("[{}] ", record.thread) : std::string();
        print_message("{}{}{}({}){}{}{}\n", thread, record.library ? "libc: " : "", record.name,
                      record.arguments, record.result_text.empty() ? "" : " = ", record.result_text,
                      record.unknown ? "   <- not implemented" : "");
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
    print_message("executed        {:>13.4f} % by emitted code\n",
                  100.0 - percent(n.by_helper) - percent(n.interpreted));
    print_message("  by helper     {:>13.4f} % {}\n", percent(n.by_helper), n.by_helper);
    for (std::size_t i = 0; i < std::min(kShown, n.helpers.size()); ++i)
        print_message("                {:>14}   {}\n", n.helpers[i].second, n.helpers[i].first);
    print_message("  interpreted   {:>13.4f} % {}\n", percent(n.interpreted), n.interpreted);
    for (std::size_t i = 0; i < std::min(kShown, n.bundles.size()); ++i)
        print_message("                {:>14}   at 0x{:x}: {}\n", n.bundles[i].operations,
                      n.bundles[i].address, name_of(n.bundles[i].why));
}

void print_statistics(const machine::HeadlessResult& r, bool interpreter) {
    const machine::Counters& c = r.counters;
    const auto& t = r.translation;
    const double seconds = c.run_seconds > 0 ? c.run_seconds : 1e-9;
    print_message("\n");
    print_message("time            {:>14.3f} s\n", c.run_seconds);
    print_message("bundles         {:>14}   {:.1f} million a second\n", c.bundles,
                  static_cast<double>(c.bundles) / seconds / 1e6);
    print_message(
        "operations      {:>14}   {:.2f} a bundle\n", c.operations,
        c.bundles ? static_cast<double>(c.operations) / static_cast<double>(c.bundles) : 0.0);
    if (interpreter) return;
    print_message("regions         {:>14}   {} bundles, {:.3f} s to translate\n", t.regions,
                  t.bundles_translated, t.translate_seconds);
    print_message("host code       {:>14} B {} instructions, {:.1f} an operation\n", t.host_bytes,
                  r.census.instructions,
                  static_cast<double>(r.census.instructions) /
                      static_cast<double>(std::max<std::uint64_t>(r.census.operations, 1)));
    print_message("by helper       {:>14}   of {} operations translated\n", t.operations_helper,
                  t.operations_translated);
    print_message("interpreted     {:>14}   bundles the translator declined\n",
                  t.interpreted_bundles);
    print_message("links, flushes  {:>14}   {}\n", t.links, t.flushes);
    print_run_counts(r);
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
    if (!result.lost.empty()) complain(result.lost);
    if (result.exit.kind != guest::ExitStatus::Kind::Signaled)
        return result.exit.value == 0 && !result.lost.empty() ? kExitFailure : result.exit.value;
    // As in any pipeline, the end of the reader is no news.
    if (result.exit.value != SIGPIPE)
        complain(fmt::format("{}: {}", program,
                             result.detail.empty() ? strsignal(result.exit.value) : result.detail));
    guest::host_signals::die_by(result.exit.value);
}

}  // namespace

namespace {

/// Whole lines, of this process and those it forks, one behind the other.
tl::expected<std::shared_ptr<machine::RunLog>, std::string> open_log(const LogOptions& options) {
    if (options.items == 0) return nullptr;
    machine::RunLogOptions log{options.items, options.ranges};
    if (options.file.empty()) {
        keep_standard_error();
        return std::make_shared<machine::RunLog>(std::move(log), write_message);
    }
    std::string path = options.file;
    if (const std::size_t at = path.find("%d"); at != std::string::npos)
        path.replace(at, 2, std::to_string(getpid()));
    const int fd = guest::move_out_of_the_way(
        open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666));
    if (fd < 0) return tl::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
    return std::make_shared<machine::RunLog>(std::move(log), [fd](std::string_view text) {
        while (!text.empty()) {
            const ssize_t n = write(fd, text.data(), text.size());
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return;  // a full disk: the program goes on
            text.remove_prefix(static_cast<std::size_t>(n));
        }
    });
}

}  // namespace

int run(const RunOptions& options) {
    const std::string& path = options.program.argv.front();
    if (!is_there(path)) return kExitNotFound;
    machine::HeadlessOptions headless;
    headless.census = options.stats;
    headless.process = options.program.process();
    headless.tier =
        options.program.interpreter ? machine::Tier::Interpreter : machine::Tier::Translator;
    headless.differential = options.differential;
    auto log = open_log(options.program.log);
    if (!log) {
        complain("the log: " + log.error());
        return kExitFailure;
    }
    headless.log = std::move(*log);
    headless.perf_map = options.perf_map;
    headless.jitdump = options.jitdump;
    SystemCallPrinter printer;
    if (options.strace || options.stats || options.differential) keep_standard_error();
    if (options.strace) headless.on_syscall = std::ref(printer);
    headless.on_notice = [](const std::string& text) { complain(text); };
    const auto result = machine::run_headless(path, std::move(headless));
    if (!result) {
        complain(with_advice(result.error()));
        return kExitCannotRun;
    }
    if (options.stats) print_statistics(*result, options.program.interpreter);
    if (options.differential) {
        print_message("{} regions compared, {}\n", result->regions_compared,
                      !result->difference.empty() ? "1 difference"
                      : result->comparison_end.empty()
                          ? "no difference"
                          : "no difference until comparing ended: " + result->comparison_end);
    }
    return finish(*result, path);
}

}  // namespace e2k::app
