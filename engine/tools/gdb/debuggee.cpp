#include "engine/tools/gdb/debuggee.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include "engine/guest/structs.h"

namespace e2k::tools::gdb {

using machine::Event;
using machine::Runner;

namespace {

constexpr auto kLook = std::chrono::milliseconds(20);

bool is_fault(const guest::SiginfoE2k& info) {
    switch (info.signo) {
        case SIGSEGV:
        case SIGBUS:
        case SIGILL:
        case SIGFPE:
        case SIGTRAP:
            return info.code > 0;
        default:
            return false;
    }
}

}  // namespace

tl::expected<std::unique_ptr<Debuggee>, std::string> Debuggee::start(const std::string& path,
                                                                     Options options) {
    std::unique_ptr<Debuggee> self(new Debuggee);
    Debuggee* const raw = self.get();
    machine::GuestOptions guest;
    guest.process = std::move(options.process);
    guest.process.log_syscalls = static_cast<bool>(options.on_syscall);
    guest.on_syscall = options.on_syscall;
    guest.report_children = false;
    guest.translator.hot_samples = translate::kUsualHotSamples;
    guest.tier = options.tier;
    guest.start_stopped = true;
    guest.catches = [raw](Runner&, std::uint32_t number) {
        return !raw->alone_ && raw->caught_ &&
               (raw->caught_->empty() || raw->caught_->contains(number));
    };
    guest.on_event = [raw](Runner& runner, Event event) { raw->report(runner, event); };
    guest.on_child = options.on_child;
    self->options_ = std::move(options);
    auto started = machine::Guest::start(path, std::move(guest));
    if (!started) return tl::unexpected(std::move(started.error()));
    self->guest_ = std::move(*started);
    self->process().on_signal(
        [raw](guest::Thread& t, const guest::SiginfoE2k& info) { return raw->judge(t, info); });
    self->process().memory().watched().set_callback(
        [raw](const cpu::CpuState* state, const guest::WatchHit& hit) {
            StopReport report{StopReport::Kind::Watch, 1, hit.range.begin, hit.range.kind};
            {
                const std::lock_guard lock(raw->mutex_);
                for (auto& [number, known] : raw->threads_)
                    if (&known.thread->state == state) report.thread = number;
            }
            raw->push(report);
        });
    self->log_ = std::make_shared<history::Log>();
    self->guest_->record(self->log_);
    self->program_ = self->process().symbols();
    self->refresh();
    return self;
}

Debuggee::~Debuggee() {
    alone_ = true;
    if (guest_ && guest_->forked()) static_cast<void>(guest_.release());
}

/// A thread that has begun since the last stop gets its number here (mutex_).
unsigned Debuggee::number_of(const guest::Thread& thread) {
    for (const auto& [number, known] : threads_)
        if (known.thread.get() == &thread) return number;
    for (const auto& alive : process().threads()) {
        if (alive.get() != &thread) continue;
        threads_[next_number_].thread = alive;
        return next_number_++;
    }
    return 0;
}

void Debuggee::refresh() {
    const auto alive = process().threads();
    const auto runners = guest_->runners();
    const std::lock_guard lock(mutex_);
    std::erase_if(threads_, [&](const auto& entry) {
        return std::ranges::find(alive, entry.second.thread) == alive.end();
    });
    for (const auto& thread : alive) static_cast<void>(number_of(*thread));
    for (auto& entry : threads_) {
        const guest::Thread* const thread = entry.second.thread.get();
        const auto runner =
            std::ranges::find_if(runners, [&](Runner* r) { return &r->thread() == thread; });
        entry.second.runner = runner == runners.end() ? nullptr : *runner;
    }
}

Debuggee::Known* Debuggee::known(unsigned number) {
    const auto it = threads_.find(number);
    return it == threads_.end() ? nullptr : &it->second;
}

std::vector<unsigned> Debuggee::threads() {
    std::vector<unsigned> numbers;
    for (const auto& [number, known] : threads_) numbers.push_back(number);
    return numbers;
}
bool Debuggee::is_alive(unsigned thread) { return known(thread) != nullptr; }

guest::Thread* Debuggee::thread(unsigned number) {
    Known* const found = known(number);
    return found ? found->thread.get() : nullptr;
}

StoppedThread Debuggee::stopped(unsigned number) {
    if (in_past_) return {&timeline_->replica().state(), 0, 0, -1};
    Known* found = known(number);
    if (!found && !threads_.empty()) found = &threads_.begin()->second;
    if (!found) return {&guest_->main().state(), 0, 0, -1};
    return {&found->thread->state, found->trap_ip, found->trap_bits, found->system_call};
}

std::vector<std::uint8_t> Debuggee::signal_information(unsigned number) {
    Known* const found = known(number);
    return found ? found->judgement.information : std::vector<std::uint8_t>();
}

guest::SignalVerdict Debuggee::judge(guest::Thread& thread, const guest::SiginfoE2k& info) {
    using guest::SignalVerdict;
    if (alone_ || guest_->forked()) return SignalVerdict::Deliver;
    StopReport report{StopReport::Kind::Signal, 1, static_cast<std::uint64_t>(info.signo)};
    {
        const std::lock_guard lock(mutex_);
        Known* const found = known(report.thread = number_of(thread));
        if (!found) return SignalVerdict::Deliver;
        Judgement& j = found->judgement;
        if (std::exchange(j.approved, j.approved == info.signo ? 0 : j.approved) == info.signo)
            return SignalVerdict::Deliver;
        if (std::exchange(j.refused, j.refused == info.signo ? 0 : j.refused) == info.signo)
            return SignalVerdict::Discard;
        if (passed_.contains(info.signo)) return SignalVerdict::Deliver;
        j.held = info.signo;
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(&info);
        j.information.assign(bytes, bytes + sizeof info);
        if (is_fault(info)) {
            found->trap_ip = thread.state.ip;
            found->trap_bits = std::uint64_t{1} << (info.u.fault.trapno & 63);
        }
    }
    push(report);
    return SignalVerdict::Hold;
}

void Debuggee::report(Runner& runner, Event event) {
    if (alone_) return;
    if (auto what = meaning(runner, event)) push(*what);
}

void Debuggee::push(StopReport report) {
    {
        const std::lock_guard lock(mutex_);
        if (alone_) return;
        reports_.push_back(report);
    }
    guest_->request_hold();
    interrupt();
}

void Debuggee::interrupt() {
    guest_->main().interrupt();
    process().interrupt_blocked();
    reported_.notify_all();
}

std::optional<StopReport> Debuggee::take_report() {
    const std::lock_guard lock(mutex_);
    if (reports_.empty()) return std::nullopt;
    // What ends everything comes first.
    auto first = std::ranges::find_if(reports_, &StopReport::ended);
    if (first == reports_.end()) first = reports_.begin();
    const StopReport report = *first;
    reports_.erase(first);
    return report;
}

StopReport Debuggee::end() {
    const guest::ExitStatus status = process().exit_status();
    const bool killed = status.kind == guest::ExitStatus::Kind::Signaled;
    return {killed ? StopReport::Kind::Killed : StopReport::Kind::Exited, 1,
            static_cast<std::uint64_t>(status.value)};
}

std::optional<StopReport> Debuggee::meaning(Runner& runner, Event event) {
    StopReport report;
    {
        const std::lock_guard lock(mutex_);
        report.thread = std::max(1u, number_of(runner.thread()));
    }
    switch (event) {
        case Event::Breakpoint:
            report.kind = StopReport::Kind::Breakpoint;
            return report;
        case Event::CallEntry:
        case Event::CallReturn: {
            report.kind = event == Event::CallEntry ? StopReport::Kind::CallEntry
                                                    : StopReport::Kind::CallReturn;
            report.value = runner.call_number();
            return report;
        }
        case Event::Failed:
            report.kind = StopReport::Kind::Missing;
            return report;
        case Event::ProcessEnd:
            return end();
        case Event::ThreadEnd:
            if (&runner == &guest_->main()) main_ended_ = true;
            return std::nullopt;
        default:
            return std::nullopt;
    }
}

/// A fork or another program, after a system call.
std::optional<StopReport> Debuggee::changes(Runner& runner) {
    StopReport report;
    {
        const std::lock_guard lock(mutex_);
        report.thread = std::max(1u, number_of(runner.thread()));
    }
    if (follows_forks)
        for (const int child : process().children())
            if (children_.insert(child).second) {
                report.kind = StopReport::Kind::Fork;
                report.value = static_cast<std::uint64_t>(child);
                return report;
            }
    if (!follows_exec) return std::nullopt;
    auto program = process().symbols();
    if (std::exchange(program_, program) == program) return std::nullopt;
    report.kind = StopReport::Kind::Exec;
    return report;
}

void Debuggee::settle_signals(const Resume& how) {
    const std::lock_guard lock(mutex_);
    for (auto& [number, known] : threads_) {
        const Resume::Action& action = how.of(number);
        if (action.how == Resume::How::Stay) continue;
        Judgement& j = known.judgement;
        known.trap_ip = known.trap_bits = 0;
        known.system_call = -1;
        j.approved = action.signal;
        const int held = std::exchange(j.held, 0);
        if (held == 0 && action.signal != 0 && number == how.of_thread.begin()->first)
            process().post_signal(action.signal);
        else if (held != 0 && held != action.signal)
            j.refused = held;
        j.information.clear();
    }
}

StopReport Debuggee::resume(const Resume& how, const std::function<bool()>& interrupted) {
    if (in_past_)
        if (auto report = forward_in_past(how, interrupted)) return *report;
    if (process().exit_status().kind != guest::ExitStatus::Kind::Running) return end();
    {
        // Others may have met something at the same time as the one that was reported.
        const std::lock_guard lock(mutex_);
        const auto waiting = std::ranges::find_if(reports_, [&](const StopReport& report) {
            return how.of(report.thread).how != Resume::How::Stay &&
                   threads_.contains(report.thread);
        });
        if (waiting != reports_.end()) {
            const StopReport report = *waiting;
            reports_.erase(waiting);
            return report;
        }
        reports_.clear();
    }
    settle_signals(how);
    process().memory().watched().arm(true);
    const StopReport report = run(how, interrupted);
    guest_->hold_all();
    process().memory().watched().arm(false);
    guest_->park({});
    refresh();
    if (Known* const found = known(report.thread);
        found && (report.kind == StopReport::Kind::CallEntry))
        found->system_call = static_cast<std::int64_t>(report.value);
    return report;
}

StopReport Debuggee::run(const Resume& how, const std::function<bool()>& interrupted) {
    unsigned stepping = 0;
    Runner* stepped = nullptr;
    bool others_go = false;
    std::vector<Runner*> parked;
    for (const auto& [number, known] : threads_) {
        const Resume::How does = how.of(number).how;
        if (does == Resume::How::Step && stepping == 0) {
            stepping = number;
            stepped = known.runner;
            if (stepped) parked.push_back(stepped);
        } else if (does == Resume::How::Continue) {
            others_go = true;
        } else if (known.runner) {
            parked.push_back(known.runner);
        }
    }
    guest_->set_breakpoints({breakpoints_.begin(), breakpoints_.end()}, std::nullopt);
    const bool main_stays =
        std::ranges::find(parked, &guest_->main()) != parked.end() && stepping == 0;
    const unsigned first = threads_.begin()->first;
    guest_->park(std::move(parked));
    if (stepping == 0 || others_go) guest_->let_go();
    if (stepping != 0) {
        auto report = stepped ? step(stepping, *stepped, interrupted) : std::nullopt;
        return report.value_or(StopReport{StopReport::Kind::Step, stepping});
    }
    for (;;) {
        if (auto report = take_report()) return *report;
        if (main_stays || main_ended_) {
            std::unique_lock lock(mutex_);
            reported_.wait_for(lock, kLook, [this] { return !reports_.empty(); });
        } else if (auto report = run_main()) {
            return *report;
        }
        if (auto report = take_report()) return *report;
        if (interrupted()) return {StopReport::Kind::Interrupt, first};
    }
}

std::optional<StopReport> Debuggee::run_main() {
    Runner& main = guest_->main();
    const Event event = main.advance();
    if (guest_->forked()) go_on_as_child();
    if (auto report = meaning(main, event)) return report;
    if (event == Event::Handled || event == Event::Blocked) return changes(main);
    return std::nullopt;
}

std::optional<StopReport> Debuggee::step(unsigned number, Runner& runner,
                                         const std::function<bool()>& interrupted) {
    for (;;) {
        const std::uint64_t ip = runner.state().ip;
        const bool in_call = runner.in_system_call();
        const Event event = runner.step();
        if (guest_->forked()) go_on_as_child();
        if (auto report = take_report()) return report;
        if (auto report = meaning(runner, event)) return report;
        if (runner.ended()) return std::nullopt;
        if (event == Event::Handled)
            if (auto report = changes(runner)) return report;
        const bool waits = event == Event::Blocked ||
                           (event == Event::Interrupted && runner.state().ip == ip && !in_call);
        if (!waits) return std::nullopt;
        if (interrupted()) return StopReport{StopReport::Kind::Interrupt, number};
    }
}

StopReport Debuggee::run_alone(const std::function<bool()>& interrupted) {
    alone_ = true;
    if (in_past_) leave_past();
    guest_->record(nullptr);
    timeline_.reset();
    {
        const std::lock_guard lock(mutex_);
        reports_.clear();
        for (auto& [number, known] : threads_) known.judgement = {};
    }
    guest_->set_breakpoints({}, std::nullopt);
    process().memory().watched().set({});
    guest_->let_go();
    for (;;) {
        if (main_ended_) {
            guest_->join_others();
            return end();
        }
        const Event event = guest_->main().advance();
        if (guest_->forked()) go_on_as_child();
        if (event == Event::ThreadEnd) main_ended_ = true;
        if (event == Event::ProcessEnd) return end();
        if (event == Event::Failed) return {StopReport::Kind::Missing, 1};
        if (!interrupted()) continue;
        alone_ = false;
        guest_->hold_all();
        refresh();
        return {StopReport::Kind::Interrupt, 1};
    }
}

void Debuggee::go_on_as_child() {
    alone_ = true;
    process().memory().watched().arm(false);
    guest_->run_forked();
}

void Debuggee::kill() {
    alone_ = true;
    process().post_signal(SIGKILL);
    process().kill_children();
}

void Debuggee::set_breakpoint(std::uint64_t address, bool on) {
    if (on)
        breakpoints_.insert(address);
    else
        breakpoints_.erase(address);
}

void Debuggee::watch(const guest::WatchedRange& range, bool on) {
    std::erase(watches_, range);
    if (on) watches_.push_back(range);
    process().memory().watched().set(watches_);
}

}  // namespace e2k::tools::gdb
