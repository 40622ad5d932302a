// `e2kwb run`: a program on the calling thread, as if it were started by itself.
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <mutex>

#include "engine/machine/differential.h"
#include "engine/machine/guest.h"
#include "engine/machine/machine.h"
#include "engine/machine/run_log.h"
#include "engine/machine/snapshot_builder.h"

namespace e2k::machine {

namespace {

/// "udivx at main+0x18 (0x10460): {udivx,5 …}: …": what this build cannot execute.
std::string missing_operation(Guest& guest, Runner& runner) {
    const cpu::Trap& trap = runner.trap();
    const std::string place = guest.process().symbols()->describe(trap.ip);
    std::string text = fmt::format("this build cannot execute the bundle at 0x{:x}", trap.ip);
    if (!place.empty()) text += fmt::format(" ({})", place);
    if (!trap.detail.empty()) text += ": " + trap.detail;
    const std::string bundle =
        bundle_text(guest.process().memory().view(), trap.ip, runner.state().iset);
    if (!bundle.empty()) text += fmt::format("\n  bundle: {}", bundle);
    return text;
}

/// What happened on another guest thread's host thread.
struct OtherThreads {
    std::mutex mutex;
    std::string failure;
};

}  // namespace

tl::expected<HeadlessResult, std::string> run_headless(const std::string& path,
                                                       HeadlessOptions options) {
    OtherThreads others;
    Guest* started = nullptr;
    GuestOptions guest_options;
    guest_options.process = std::move(options.process);
    guest_options.process.log_syscalls = static_cast<bool>(options.on_syscall);
    guest_options.translator.hot_samples = translate::kUsualHotSamples;
    guest_options.translator.perf_map = options.perf_map;
    guest_options.translator.count_operations = options.census;
    guest_options.translator.jitdump = options.jitdump;
    guest_options.translator.profile = options.profile;
    guest_options.translator.keep_records = options.profile;
    if (options.perf_map || !options.jitdump.empty())
        guest_options.translator.name_of_address = [&](std::uint64_t address) {
            return started ? started->process().symbols()->describe(address) : std::string();
        };
    guest_options.tier = options.tier;
    RunLog* const log = options.log.get();
    if (log) log->prepare(guest_options);
    std::atomic<std::uint64_t> calls{0};
    if (options.on_syscall || guest_options.process.log_syscalls)
        guest_options.on_syscall = [&](const guest::SyscallRecord& record) {
            ++calls;
            if (options.on_syscall) options.on_syscall(record);
            if (log) log->system_call(record);
        };
    guest_options.on_event = [&](Runner& runner, Event event) {
        if (event != Event::Failed) return;
        {
            std::lock_guard lock(others.mutex);
            others.failure = missing_operation(*started, runner);
            if (log) log->missing(others.failure);
        }
        started->process().post_signal(SIGKILL);
        started->let_go();
    };
    auto guest = Guest::start(path, std::move(guest_options));
    if (!guest) return tl::unexpected(std::move(guest.error()));
    started = guest->get();
    if (log) log->begin(*started);
    if (options.on_notice && !started->notice().empty()) options.on_notice(started->notice());
    Runner& main = started->main();

    const auto begin = std::chrono::steady_clock::now();
    HeadlessResult result;
    std::unique_ptr<Differential> differential;
    if (options.differential) {
        auto made = Differential::create(*started);
        if (!made) return tl::unexpected(std::move(made.error()));
        differential = std::move(*made);
    }
    Event event = Event::Handled;
    while (event != Event::ProcessEnd && event != Event::Failed) {
        event = differential ? differential->advance(main) : main.advance();
        if (event == Event::ThreadEnd) {
            started->join_others();
            event = Event::ProcessEnd;
        }
        if (differential && !differential->difference().empty()) break;
    }
    if (event == Event::Failed) {
        result.failed = true;
        result.detail = missing_operation(*started, main);
        if (log) log->missing(result.detail);
    } else {
        result.exit = started->process().exit_status();
        result.detail = started->process().exit_detail();
        std::lock_guard lock(others.mutex);
        if (!others.failure.empty()) {
            result.failed = true;
            result.detail = others.failure;
        }
    }
    result.counters.run_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    result.counters.bundles = started->bundles();
    result.counters.operations = started->operations();
    result.counters.syscalls = calls;
    result.counters.bundles_per_second =
        static_cast<double>(result.counters.bundles) / std::max(result.counters.run_seconds, 1e-9);
    result.translation = started->translator().stats();
    result.lost = started->translator().perf_trouble();
    if (options.census) {
        result.census = started->translator().census();
        result.run_counts = started->translator().run_counts();
    }
    if (options.profile) {
        result.regions = started->translator().regions();
        result.symbols = started->process().symbols();
    }
    if (differential) {
        result.difference = differential->difference();
        result.regions_compared = differential->regions_compared();
        result.comparison_end = differential->ended();
    }
    return result;
}

}  // namespace e2k::machine
