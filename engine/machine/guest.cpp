#include "engine/machine/guest.h"

#include "engine/guest/sandbox.h"
#include "engine/guest/wall.h"

#include <unistd.h>

#include <csignal>

#include <algorithm>
#include <chrono>
#include <list>
#include <system_error>

#include "engine/cpu/stack_watch.h"
#include "engine/guest/libc/stubs.h"

namespace e2k::machine {

using guest::Next;

namespace {

/// How long to wait before asking a held thread again: a kick can meet it between two host calls.
constexpr auto kAskAgain = std::chrono::milliseconds(2);
/// Instruction cache line the code flush covers.
constexpr std::uint64_t kFlushLine = 256;
constexpr int kForkFailed = 125;  ///< as `e2kwb run` ends at a missing operation
/// Process::bundles_to_timer: there is none.
constexpr std::uint64_t kNoTimer = ~0ull;

}  // namespace

Runner::Runner(Guest& guest, std::shared_ptr<guest::Thread> thread)
    : guest_(guest), thread_(std::move(thread)), interpreter_(guest.process().memory().view()) {}

void Runner::code_changed(std::uint64_t begin, std::uint64_t end) {
    std::lock_guard lock(changed_mutex_);
    changed_.emplace_back(begin, end);
    has_changed_.store(true);
}

void Runner::drop_changed_code() {
    if (!has_changed_.load()) return;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    {
        std::lock_guard lock(changed_mutex_);
        ranges.swap(changed_);
        has_changed_.store(false);
    }
    for (const auto& [begin, end] : ranges) interpreter_.invalidate(begin, end);
}

void Runner::count() {
    bundles_.store(thread_->state.bundles, std::memory_order_relaxed);
    operations_.store(thread_->state.operations, std::memory_order_relaxed);
}

void Runner::prepare() {
    drop_changed_code();
    if (breakpoint_generation_ == guest_.breakpoint_generation()) return;
    breakpoint_generation_ = guest_.breakpoint_generation();
    interpreter_.set_breakpoints(guest_.breakpoints());
}

Event Runner::advance(std::uint64_t max_bundles) {
    if (ended_) return Event::ThreadEnd;
    const cpu::StackWatch watch(thread_->state);  // system calls read and write the stacks too
    if (pending_call_) return make_pending_call();
    prepare();
    if (std::exchange(step_first_, false)) {
        const Event event = step();
        return event == Event::Budget ? Event::Handled : event;
    }
    if (guest_.by_regions() && max_bundles == 0) return advance_region();
    // A timer of virtual time is due at a bundle, whoever executes it.
    const std::uint64_t until_timer = guest_.process().bundles_to_timer(*thread_);
    cpu::CpuState& s = thread_->state;
    if (max_bundles != 0) return handle(interpreter_.run(s, std::min(max_bundles, until_timer)));
    Event event;
    if (guest_.tier() == Tier::Interpreter || until_timer <= translate::kMostOvershoot) {
        event = handle(interpreter_.run(s, until_timer));
    } else {
        s.run_until = until_timer == kNoTimer ? kNoTimer
                                              : s.bundles + until_timer - translate::kMostOvershoot;
        event = handle(guest_.translator().run(s, interpreter_, this));
        if (const auto served = std::exchange(served_, std::nullopt))
            return after(served->first, served->second);
    }
    return event == Event::Budget ? Event::Handled : event;
}

history::Recorder* Runner::recorder() const {
    history::Recorder* const recorder = guest_.recorder();
    return recorder && recorder->recording() && this == &guest_.main() ? recorder : nullptr;
}

template <class Work>
Next Runner::by_kernel(history::EventKind kind, std::uint64_t number, Work&& work) {
    guest::WatchedPages& watched = guest_.process().memory().watched();
    history::Recorder* const recording = recorder();
    if (!watched.armed() && !recording) return work();
    const bool watching = watched.armed();
    if (recording) recording->before(kind, number);
    if (watching) watched.pause();
    const Next next = work();
    if (watching) watched.go_on();
    // In the child of a fork nothing is recorded.
    if (recording && recorder() == recording)
        recording->after(next == Next::Continue || next == Next::Retry, next == Next::Retry);
    return next;
}

Next Runner::system_call(const cpu::Stop& call) {
    const unsigned at = 2 * call.syscall_wbs;
    const std::uint64_t number = at < thread_->state.wd.size ? thread_->state.window[at].lo : 0;
    return by_kernel(history::EventKind::Call, number << 8 | call.syscall_entry,
                     [&] { return guest_.process().system_call(*thread_, call); });
}

bool Runner::is_caught(const cpu::Stop& call) {
    const unsigned at = 2 * call.syscall_wbs;
    if (call.syscall_entry == guest::libc::kBridgeGate || at >= thread_->state.wd.size)
        return false;
    call_number_ = static_cast<std::uint32_t>(thread_->state.window[at].lo);
    return guest_.catches(*this, call_number_);
}

Event Runner::make_pending_call() {
    const cpu::Stop call = *std::exchange(pending_call_, std::nullopt);
    const Event event = after(system_call(call), call);
    if (pending_call_ || !std::exchange(caught_, false)) return event;
    return event == Event::Handled ? Event::CallReturn : event;
}

/// Functions of the C library bridge are called often, and mostly change nothing but memory.
translate::CallService::Answer Runner::serve(cpu::CpuState&, const cpu::Stop& call) {
    if (call.syscall_entry != guest::libc::kBridgeGate) return Answer::None;
    guest::Process& process = guest_.process();
    const Next next = system_call(call);
    if (next != Next::Continue) {
        served_.emplace(next, call);
        return Answer::Leave;
    }
    const bool prepared = !has_changed_.load(std::memory_order_relaxed) &&
                          breakpoint_generation_ == guest_.breakpoint_generation() &&
                          process.bundles_to_timer(*thread_) == kNoTimer;
    return prepared ? Answer::GoOn : Answer::Leave;
}

Event Runner::advance_region() {
    guest_.process().bundles_to_timer(*thread_);
    cpu::CpuState& s = thread_->state;
    if (s.interrupt.load() != 0)  // neither step() nor run_region() looks at it
        return handle({.kind = cpu::StopKind::Interrupted, .trap = {}});
    guest_.entering(*this);
    const Event event = handle(guest_.tier() == Tier::Interpreter
                                   ? interpreter_.step(s)
                                   : guest_.translator().run_region(s, interpreter_));
    return event == Event::Budget ? Event::Handled : event;
}

Event Runner::step() {
    if (ended_ || pending_call_) return advance();
    step_first_ = false;
    guest_.process().bundles_to_timer(*thread_);
    if (thread_->state.interrupt.load() != 0) {  // the interpreter's step() does not look at it
        const Event event = handle({.kind = cpu::StopKind::Interrupted, .trap = {}});
        if (event != Event::Interrupted) return event;
    }
    drop_changed_code();
    return handle(interpreter_.step(thread_->state));
}

Event Runner::after(Next next, const cpu::Stop& stop) {
    count();
    switch (next) {
        case Next::Continue:
            return Event::Handled;
        case Next::ThreadExit:
            ended_ = true;
            return Event::ThreadEnd;
        case Next::ProcessExit:
            ended_ = true;
            return Event::ProcessEnd;
        case Next::Retry:  // or a fault that the debugger looks at first
            if (stop.kind == cpu::StopKind::SystemCall) pending_call_ = stop;
            return Event::Blocked;
    }
    return Event::Handled;
}

Event Runner::handle(const cpu::Stop& stop) {
    count();
    guest::Process& process = guest_.process();
    cpu::CpuState& s = thread_->state;
    if (process.memory().watched().has_touched()) process.memory().watched().close_touched();
    switch (stop.kind) {
        case cpu::StopKind::Budget:
            return Event::Budget;
        case cpu::StopKind::Breakpoint:
            step_first_ = true;
            return Event::Breakpoint;
        case cpu::StopKind::Interrupted: {
            s.interrupt.store(0);  // before looking: what comes later raises it again
            drop_changed_code();
            const Next next = by_kernel(history::EventKind::Signals, 0,
                                        [&] { return process.deliver_signals(*thread_); });
            return next == Next::Continue ? Event::Interrupted : after(next, stop);
        }
        case cpu::StopKind::SystemCall:
            if (is_caught(stop)) {
                pending_call_ = stop;
                caught_ = true;
                return Event::CallEntry;
            }
            return after(system_call(stop), stop);
        case cpu::StopKind::Trapped:
            trap_ = stop.trap;
            if (stop.trap.code == cpu::TrapCode::Unsupported) return Event::Failed;
            return after(
                by_kernel(history::EventKind::Trap, static_cast<std::uint64_t>(stop.trap.code),
                          [&] { return process.trap(*thread_, stop.trap); }),
                stop);
        case cpu::StopKind::CodeFlush: {
            const std::uint64_t begin = stop.flush_address & ~(kFlushLine - 1);
            guest_.code_changed(begin, begin + kFlushLine);
            return Event::Handled;
        }
        case cpu::StopKind::SignalReturn:
            return after(by_kernel(history::EventKind::Return, 0,
                                   [&] { return process.signal_return(*thread_); }),
                         stop);
    }
    return Event::Handled;
}

/// The other runners and their host threads. Replaced as a whole in a forked child, where those
/// threads do not exist and the mutex may be held by one of them.
struct Guest::Crew {
    struct Member {
        Member(Guest& guest, std::shared_ptr<guest::Thread> thread)
            : runner(guest, std::move(thread)) {}
        Runner runner;
        std::thread host;
        bool ended = false;
    };
    mutable std::mutex mutex;
    std::condition_variable changed;
    bool held = false, closing = false;
    unsigned executing = 0;  ///< members that are not waiting at the gate
    unsigned alive = 0;
    std::list<Member> members;
    std::uint64_t past_bundles = 0, past_operations = 0;  ///< of members already gone

    void remove_ended() {
        for (auto it = members.begin(); it != members.end();) {
            if (!it->ended) {
                ++it;
                continue;
            }
            it->host.join();  // it has nothing left to do
            past_bundles += it->runner.bundles();
            past_operations += it->runner.operations();
            it = members.erase(it);
        }
    }
};

tl::expected<std::unique_ptr<Guest>, std::string> Guest::start(const std::string& path,
                                                               GuestOptions options) {
    auto image = guest::ElfImage::load(path);
    if (!image) return tl::unexpected(std::move(image.error()));
    guest::Policy& policy = options.process.policy;
    if (policy.sandbox && !policy.state) {
        auto sandbox = guest::Sandbox::create(policy.writable);
        if (!sandbox) return tl::unexpected(path + ": " + sandbox.error());
        policy.state = std::move(*sandbox);
    }
    std::string unwalled;
    if (policy.state) {
        // This thread executes the guest, and starts the others that do.
        auto wall = guest::raise_wall(*policy.state);
        if (!wall) return tl::unexpected(path + ": the sandbox: " + wall.error());
        if (!wall->missing.empty())
            unwalled = "this kernel has no " + wall->missing +
                       ": the sandbox is the workbench's own checks alone";
    }
    auto process = guest::Process::start(std::move(*image), options.process);
    if (!process) return tl::unexpected(std::move(process.error()));

    std::unique_ptr<Guest> self(new Guest);
    self->options_ = std::move(options);
    self->process_ = std::move(*process);
    self->tier_ = self->options_.tier;
    self->by_regions_ = self->options_.on_enter || self->options_.translator.unchained;
    self->options_.translator.unchained = self->by_regions_;
    self->translator_ = std::make_unique<translate::Translator>(self->process_->memory().view(),
                                                                self->options_.translator);
    self->crew_ = std::make_unique<Crew>();
    self->crew_->held = self->options_.start_stopped;
    self->main_ = std::make_unique<Runner>(*self, self->process_->threads().front());

    self->notice_ = self->process_->notice();
    if (!unwalled.empty()) self->notice_ += (self->notice_.empty() ? "" : "\n") + unwalled;
    Guest* raw = self.get();
    guest::Process& p = *self->process_;
    p.memory().on_code_change([raw](auto begin, auto end) { raw->code_changed(begin, end); });
    p.on_new_thread([raw](auto thread) { return raw->add_thread(std::move(thread)); });
    p.on_fork([raw] { raw->lock_for_fork(); },
              [raw](bool child) { raw->unlock_after_fork(child); });
    if (self->options_.on_syscall)
        p.on_syscall([raw](const guest::SyscallRecord& record) {
            std::lock_guard lock(raw->log_mutex_);
            if (raw->options_.report_children || !raw->forked()) raw->options_.on_syscall(record);
        });
    return self;
}

std::vector<guest::Sandbox::Refusal> Guest::take_refusals() {
    const auto& sandbox = options_.process.policy.state;
    return sandbox ? sandbox->take_refusals() : std::vector<guest::Sandbox::Refusal>();
}

void Guest::record(std::shared_ptr<history::Log> log) {
    recorder_.reset();
    if (log)
        recorder_ = std::make_unique<history::Recorder>(*process_, main_->state(), std::move(log));
}

Guest::~Guest() {
    if (!process_) return;
    recorder_.reset();
    if (crew_) {
        process_->post_signal(SIGKILL);
        {
            std::lock_guard lock(crew_->mutex);
            crew_->closing = true;
            crew_->held = false;
        }
        crew_->changed.notify_all();
        join_others();
        std::lock_guard lock(crew_->mutex);
        crew_->remove_ended();
    }
    process_->memory().on_code_change({});
}

bool Guest::add_thread(std::shared_ptr<guest::Thread> thread) {
    if (recorder_) recorder_->end("the program starts a second thread");
    std::lock_guard lock(crew_->mutex);
    crew_->remove_ended();
    Crew::Member& member = crew_->members.emplace_back(*this, std::move(thread));
    auto run = [this, crew = crew_.get(), &member, wall = guest::wall_of_this_thread()] {
        guest::adopt_wall(wall);
        run_thread(*crew, member.runner);
        // In a forked child the crew may be one that was left behind.
        if (crew_.get() != crew) return;
        {
            std::lock_guard lock(crew->mutex);
            --crew->executing;
            --crew->alive;
            member.ended = true;
        }
        crew->changed.notify_all();
    };
    try {
        member.host = std::thread(std::move(run));
    } catch (const std::system_error&) {
        crew_->members.pop_back();
        return false;
    }
    ++crew_->executing;
    ++crew_->alive;
    return true;
}

void Guest::run_thread(Crew& crew, Runner& runner) {
    for (;;) {
        if (crew_.get() == &crew) {
            std::unique_lock lock(crew.mutex);
            const auto waits = [&] { return crew.held || is_parked(runner); };
            if (waits()) {
                --crew.executing;
                crew.changed.notify_all();
                crew.changed.wait(lock, [&] { return !waits(); });
                ++crew.executing;
            }
        }
        // While it waited, somebody may have stepped it to its end.
        if (runner.ended()) return;
        const Event event = runner.advance();
        const bool stopped = event == Event::Breakpoint || event == Event::Failed ||
                             event == Event::CallEntry || event == Event::CallReturn;
        if (stopped) {
            std::lock_guard lock(crew.mutex);
            if (!crew.closing) crew.held = true;  // wait until somebody has looked
        }
        const bool ended = event == Event::ThreadEnd || event == Event::ProcessEnd;
        if ((stopped || ended) && options_.on_event) options_.on_event(runner, event);
        if (stopped && is_closing(crew)) {
            // Nobody will look any more: let the kill arrive instead of meeting the stop again.
            runner.handle({.kind = cpu::StopKind::Interrupted, .trap = {}});
        }
    }
}

void Guest::run_forked() {
    for (;;) {
        const Event event = main().advance();
        if (event == Event::Failed || event == Event::ProcessEnd) _exit(kForkFailed);
    }
}

bool Guest::is_closing(const Crew& crew) const {
    std::lock_guard lock(crew.mutex);
    return crew.closing;
}

void Guest::lock_for_fork() {
    crew_->mutex.lock();
    log_mutex_.lock();
}

void Guest::unlock_after_fork(bool in_child) {
    const bool others = crew_->alive != 0;
    log_mutex_.unlock();
    crew_->mutex.unlock();
    if (!in_child) return;
    // The std::threads of the others can be neither joined nor detached here, so all of it is left
    // behind. So is a translator that one of them may have been changing.
    forked_ = true;
    if (recorder_) recorder_->forget();
    if (options_.on_child) options_.on_child();
    static_cast<void>(crew_.release());
    crew_ = std::make_unique<Crew>();
    if (!others) return;
    static_cast<void>(translator_.release());
    translator_ =
        std::make_unique<translate::Translator>(process_->memory().view(), options_.translator);
    translator_->set_breakpoints(breakpoints_);
}

void Guest::set_breakpoints(std::vector<std::uint64_t> user,
                            std::optional<std::uint64_t> stepping) {
    user_breakpoints_ = std::move(user);
    std::vector<std::uint64_t> addresses = user_breakpoints_;
    if (stepping) addresses.push_back(*stepping);
    if (addresses == breakpoints_) return;
    breakpoints_ = std::move(addresses);
    ++breakpoint_generation_;
    translator_->set_breakpoints(breakpoints_);
}

void Guest::code_changed(std::uint64_t begin, std::uint64_t end) {
    translator_->invalidate(begin, end);
    std::lock_guard lock(crew_->mutex);
    main_->code_changed(begin, end);
    if (crew_->members.empty()) return;
    main_->interrupt();
    for (auto& member : crew_->members) {
        member.runner.code_changed(begin, end);
        member.runner.interrupt();
    }
}

void Guest::interrupt_all() {
    main_->interrupt();
    std::lock_guard lock(crew_->mutex);
    for (auto& member : crew_->members) member.runner.interrupt();
}

void Guest::hold_all() {
    std::unique_lock lock(crew_->mutex);
    crew_->held = true;
    while (crew_->executing != 0) {
        lock.unlock();
        process_->interrupt_blocked();
        lock.lock();
        crew_->changed.wait_for(lock, kAskAgain, [&] { return crew_->executing == 0; });
    }
}

void Guest::request_hold() {
    const std::lock_guard lock(crew_->mutex);
    if (!crew_->closing) crew_->held = true;
}

void Guest::park(std::vector<Runner*> runners) {
    const std::lock_guard lock(crew_->mutex);
    parked_ = std::move(runners);
}

bool Guest::is_parked(const Runner& runner) const {
    return std::ranges::find(parked_, &runner) != parked_.end() && !crew_->closing;
}

bool Guest::catches(Runner& runner, std::uint32_t number) const {
    return options_.catches && options_.catches(runner, number);
}

void Guest::let_go() {
    {
        std::lock_guard lock(crew_->mutex);
        crew_->held = false;
    }
    crew_->changed.notify_all();
}

void Guest::join_others() {
    std::unique_lock lock(crew_->mutex);
    while (crew_->alive != 0) {
        if (crew_->closing) {
            lock.unlock();
            process_->post_signal(SIGKILL);
            lock.lock();
            crew_->changed.wait_for(lock, kAskAgain, [&] { return crew_->alive == 0; });
        } else {
            crew_->changed.wait(lock, [&] { return crew_->alive == 0; });
        }
    }
}

std::size_t Guest::thread_count() const {
    std::lock_guard lock(crew_->mutex);
    return 1 + crew_->alive;
}

std::vector<Runner*> Guest::runners() {
    std::lock_guard lock(crew_->mutex);
    std::vector<Runner*> all;
    if (!main_->ended()) all.push_back(main_.get());
    for (auto& member : crew_->members)
        if (!member.ended) all.push_back(&member.runner);
    return all;
}

std::uint64_t Guest::bundles() const {
    std::lock_guard lock(crew_->mutex);
    std::uint64_t sum = main_->bundles() + crew_->past_bundles;
    for (const auto& member : crew_->members) sum += member.runner.bundles();
    return sum;
}

std::uint64_t Guest::operations() const {
    std::lock_guard lock(crew_->mutex);
    std::uint64_t sum = main_->operations() + crew_->past_operations;
    for (const auto& member : crew_->members) sum += member.runner.operations();
    return sum;
}

}  // namespace e2k::machine
