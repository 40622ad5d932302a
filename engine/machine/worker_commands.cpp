// What each command does.
#include <sys/stat.h>

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "engine/machine/worker.h"

namespace e2k::machine {

namespace {

std::size_t cost_of(const guest::SyscallRecord& record) {
    return sizeof record + record.name.size() + record.arguments.size() + record.result_text.size();
}

constexpr std::uint64_t kStepsAtOnce = 10'000;
/// Of one write of the program to its console: pieces of this size, and no more than the last ones.
constexpr std::size_t kConsolePiece = 64u << 10, kConsoleMost = 8u << 20;

/// A bundle that can enter a procedure: `call`, or an indirect call of v6.
bool calls(const isa::Bundle& bundle) { return bundle.cs1.call || bundle.cs1.icall; }

}  // namespace

bool Worker::alive(const char* what) {
    if (state_ == RunState::Running) return true;
    if (!guest_) {
        notice(fmt::format("{}: no program is open", what), true);
        return false;
    }
    if (state_ == RunState::Exited || state_ == RunState::Signaled) {
        notice(fmt::format("{}: the program has ended; restart it to run again", what), true);
        return false;
    }
    return true;
}

void Worker::drop_guest() {
    ticker_.stop();
    if (input_) input_->close();
    builder_.reset();
    focus_ = nullptr;
    std::unique_ptr<Guest> old;
    {
        std::lock_guard lock(guest_mutex_);
        old = std::move(guest_);
    }
    if (old) old->process().kill_children();
    old.reset();  // kills what still runs
    std::lock_guard lock(others_mutex_);
    others_.clear();
}

void Worker::launch() {
    drop_guest();
    state_ = RunState::NoProgram;
    banner_.clear();
    goal_ = {};
    main_ended_ = false;
    run_seconds_ = rate_ = 0;
    syscall_count_ = 0;
    syscalls.begin_anew();
    console.begin_anew();
    const guest::Policy& policy = launch_.process.policy;
    if (walled_for_ && (!policy.sandbox || *walled_for_ != policy.writable)) {
        standing_->restore();
        on_another_thread_ = true;
        return;
    }
    if (policy.sandbox) walled_for_ = policy.writable;

    GuestOptions options;
    options.process = launch_.process;
    options.process.log_syscalls = true;
    options.tier = tier_;
    options.translator.hot_samples = translate::kUsualHotSamples;
    options.translator.statistics = launch_.statistics;
    options.translator.profile = launch_.profile;
    options.translator.perf_map = launch_.perf_map;
    options.start_stopped = true;
    options.report_children = false;
    if (launch_.own_streams) {
        input_ = std::make_unique<InputQueue>();
        options.process.streams.terminal = true;
        options.process.streams.output = [this](int fd, std::string_view text) {
            if (text.size() > kConsoleMost) text.remove_prefix(text.size() - kConsoleMost);
            for (std::size_t at = 0; at < text.size(); at += kConsolePiece) {
                const std::string_view piece = text.substr(at, kConsolePiece);
                console.append(ConsoleChunk{0, fd, std::string(piece)},
                               piece.size() + sizeof(ConsoleChunk));
            }
            news_ = true;
        };
        options.process.streams.input = [queue = input_.get()](char* to, std::size_t max) {
            return queue->read(to, max);
        };
    }
    options.on_syscall = [this](const guest::SyscallRecord& record) {
        ++syscall_count_;
        syscalls.append(record, cost_of(record));
        news_ = true;
    };
    options.on_event = [this](Runner& runner, Event event) {
        {
            std::lock_guard lock(others_mutex_);
            others_.emplace_back(&runner, event);
        }
        queue_.nudge();
        runner.guest().main().interrupt();
    };
    umask(umask_);  // the last guest may have changed it
    standing_->restore();
    auto guest = Guest::start(path_, std::move(options));
    if (!guest) {
        banner_ = guest.error();
        notice(guest.error(), true);
        publish();
        return;
    }
    {
        std::lock_guard lock(guest_mutex_);
        guest_ = std::move(*guest);
    }
    if (!guest_->notice().empty()) notice(guest_->notice(), false);
    builder_ = std::make_unique<SnapshotBuilder>(*guest_, path_);
    builder_->watch_quality(watches_quality_);
    focus_ = &guest_->main();
    place_breakpoints();
    if (launch_.start_paused) {
        state_ = RunState::Paused;
        publish();
    } else {
        begin({.kind = Goal::Kind::Free});
    }
}

void Worker::execute(Open& command) {
    if (command.path != path_) breakpoints_.clear();
    path_ = std::move(command.path);
    launch_ = std::move(command.options);
    if (launch_.process.argv.empty()) launch_.process.argv = {path_};
    tier_ = launch_.tier;
    launch();
}

void Worker::execute(Restart&) {
    if (path_.empty()) return notice("Restart: no program is open", true);
    launch();
}

void Worker::execute(Run&) {
    if (!alive("Run")) return;
    if (state_ == RunState::Running) {
        if (goal_.kind == Goal::Kind::Free) return;
        stop(RunState::Paused, "");
    }
    begin({.kind = Goal::Kind::Free});
}

void Worker::execute(Pause&) {
    if (state_ != RunState::Running) return;
    stop(RunState::Paused, focus_->in_system_call() ? "Paused inside a system call" : "");
}

void Worker::execute(StepBundle& command) {
    if (!alive("Step") || command.count == 0) return;
    if (state_ == RunState::Running) stop(RunState::Paused, "");
    execute_steps(command.count);
}

void Worker::execute_steps(std::uint64_t count) {
    begin({.kind = Goal::Kind::Steps, .remaining = count});
    // A few steps end before the next command begins; many, or a waiting call, can be paused.
    if (count > kStepsAtOnce) return;
    for (Event event{}; state_ == RunState::Running && event != Event::Blocked;) {
        event = advance_goal();
        if (guest_->forked()) guest_->run_forked();
        react(event);
    }
}

void Worker::execute(StepOver&) {
    if (!alive("Step over")) return;
    if (state_ == RunState::Running) stop(RunState::Paused, "");
    const cpu::CpuState& s = focus_->state();
    const auto bundle = cpu::fetch(guest_->process().memory().view(), s.ip, s.iset);
    // A conditional call that is not taken arrives at the same bundle.
    if (bundle && calls(*bundle) && !focus_->in_system_call())
        begin({.kind = Goal::Kind::Arrive, .address = bundle->next_address(), .depth = s.depth()});
    else
        execute_steps(1);
}

void Worker::execute(StepOut&) {
    if (!alive("Step out")) return;
    if (state_ == RunState::Running) stop(RunState::Paused, "");
    const cpu::CpuState& s = focus_->state();
    if (s.depth() == 0 || s.chain_top[-1].return_ip == 0)
        return notice("Step out: this is the program's first procedure; it has no caller", true);
    if (s.chain_top[-1].return_ip == cpu::kSentinelReturn)
        return notice("Step out: the caller is the system (a signal handler or a thread's start)",
                      true);
    begin(
        {.kind = Goal::Kind::Arrive, .address = s.chain_top[-1].return_ip, .depth = s.depth() - 1});
}

void Worker::execute(RunTo& command) {
    if (!alive("Run to")) return;
    if (state_ == RunState::Running) stop(RunState::Paused, "");
    begin({.kind = Goal::Kind::Arrive, .address = command.address, .depth = ~std::size_t{0}});
}

void Worker::execute(SetBreakpoint& command) {
    const auto at = std::ranges::find(breakpoints_, command.address);
    if (command.enabled == (at != breakpoints_.end())) return;
    if (command.enabled)
        breakpoints_.push_back(command.address);
    else
        breakpoints_.erase(at);
    std::ranges::sort(breakpoints_);
    if (!guest_) return publish();
    guest_->hold_all();
    place_breakpoints();
    if (state_ == RunState::Running) {
        guest_->let_go();
        publish_live();
    } else {
        publish();
    }
}

void Worker::execute(Kill&) {
    if (!guest_ || state_ == RunState::Exited || state_ == RunState::Signaled) return;
    if (input_) input_->close();
    guest_->process().kill_children();
    guest_->process().post_signal(SIGKILL);
    guest_->let_go();
    // The main runner takes the signal here; it would not while it is paused.
    Event event = Event::Handled;
    if (!main_ended_)
        event = guest_->main().handle({.kind = cpu::StopKind::Interrupted, .trap = {}});
    while (event != Event::ProcessEnd &&
           guest_->process().exit_status().kind == guest::ExitStatus::Kind::Running)
        std::this_thread::yield();  // the last of the others takes it
    stop(RunState::Signaled, "Killed");
}

void Worker::execute(SetTier& command) {
    tier_ = command.tier;
    launch_.tier = command.tier;
    if (guest_) guest_->set_tier(command.tier);
    if (state_ == RunState::Running)
        publish_live();
    else
        publish();
}

void Worker::execute(SetProfile& command) {
    launch_.profile = command.on;
    if (guest_) {
        guest_->translator().set_profile(command.on);
        builder_->forget_region();
    }
    if (state_ == RunState::Running)
        publish_live();
    else
        publish();
}

void Worker::execute(SetSpeed& command) {
    speed_ = std::max(0.0, command.bundles_per_second);
    pace_begin_ = Clock::now();
    if (guest_) pace_bundles_ = guest_->bundles();
}

void Worker::execute(Input& command) {
    if (!input_) return notice("Input: the program does not read from this window", true);
    input_->push(command.bytes, command.end_of_file);
}

void Worker::execute(ShowCode& command) {
    if (!guest_) return;
    builder_->show_code(command.address);
    if (state_ == RunState::Running)
        publish_live();
    else
        publish();
}

void Worker::execute(ShowRegion& command) {
    if (!guest_) return;
    builder_->show_region(command.address);
    if (state_ == RunState::Running)
        publish_live();
    else
        publish();
}

void Worker::execute(ReadMemory& command) {
    if (!guest_) return;
    builder_->show_memory(command.address, command.size);
    if (state_ != RunState::Running) publish();
}

void Worker::execute(WriteRegister& command) {
    if (state_ != RunState::Paused)
        return notice("Registers can be written while the program is paused", true);
    cpu::CpuState& s = focus_->state();
    if (command.global ? command.index >= s.g.size() : command.index >= s.wd.size)
        return notice(
            fmt::format("%{}{} does not exist here", command.global ? "g" : "r", command.index),
            true);
    (command.global ? s.g[command.index] : s.window[command.index]).lo = command.value;
    (command.global ? s.g_tags[command.index] : s.window_tags[command.index]) = 0;
    publish();
}

void Worker::execute(WatchQuality& command) {
    watches_quality_ = command.on;
    if (!guest_) return;
    builder_->watch_quality(command.on);
    if (state_ == RunState::Running)
        publish_live();
    else
        publish();
}

void Worker::execute(ShowThread& command) {
    if (state_ == RunState::Running)
        return notice("Another thread can be shown while the program is paused", true);
    if (!guest_) return;
    for (Runner* runner : guest_->runners())
        if (runner->thread().tid == command.tid) focus_ = runner;
    publish();
}

}  // namespace e2k::machine
