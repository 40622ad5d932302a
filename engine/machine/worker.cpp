// The run loop of the worker: goals, what stops mean, publication.
#include "engine/machine/worker.h"

#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace e2k::machine {

namespace {

constexpr std::chrono::milliseconds kPublication{25};  ///< light snapshots: at most 40 a second
constexpr int kQuietBeats = 4;  ///< publications missed before a waiting call is cut short
/// Under a speed limit the interpreter runs slices of this length; faster limits are kept by
/// letting the translator rest between publications.
constexpr double kSlice = 0.016;
constexpr double kInterpretedSpeed = 10e6;
constexpr std::uint64_t kStepSlice = 1u << 16;

constexpr std::size_t kSyscallEntries = 1u << 16, kSyscallBytes = 32u << 20;
constexpr std::size_t kConsoleEntries = 1u << 14, kConsoleBytes = 8u << 20;
constexpr std::size_t kNoticeEntries = 1u << 10, kNoticeBytes = 1u << 20;

double seconds(std::chrono::steady_clock::duration d) {
    return std::chrono::duration<double>(d).count();
}

}  // namespace

Worker::Worker()
    : syscalls(kSyscallEntries, kSyscallBytes),
      console(kConsoleEntries, kConsoleBytes),
      notices(kNoticeEntries, kNoticeBytes),
      exchange_(std::make_shared<const Snapshot>()),
      ticker_(kPublication,
              [this] {
                  {
                      std::lock_guard lock(guest_mutex_);
                      if (guest_) guest_->interrupt_all();
                      // A system call that waits is cut short now and then, and continued: other
                      // threads and the clock go on, and the figures with them.
                      if (guest_ && ++quiet_beats_ >= kQuietBeats) {
                          quiet_beats_ = 0;
                          guest_->process().interrupt_blocked();
                      }
                  }
                  // The worker may be waiting inside a system call of the guest.
                  if (news_.exchange(false)) wake();
              }),
      thread_([this] { supervise(); }) {}

Worker::~Worker() {
    queue_.close();
    {
        std::lock_guard lock(guest_mutex_);
        if (guest_) guest_->process().interrupt_blocked();
    }
    thread_.join();
}

void Worker::send(Command command) {
    {
        std::lock_guard lock(idle_mutex_);
        ++sent_;
    }
    queue_.push(std::move(command));
    std::lock_guard lock(guest_mutex_);
    if (guest_) guest_->process().interrupt_blocked();
}

void Worker::on_publish(std::function<void()> wake) {
    std::lock_guard lock(wake_mutex_);
    wake_ = std::move(wake);
}

void Worker::wait_until_stopped() {
    std::unique_lock lock(idle_mutex_);
    idle_.wait(lock, [this] { return done_ == sent_ && !running_; });
}

void Worker::supervise() {
    // A thread does not come out again from behind the wall of a sandbox: a program for which that
    // wall is none gets another thread.
    do {
        walled_for_.reset();
        std::thread([this] { run(); }).join();
    } while (!queue_.closed());
}

void Worker::run() {
    // The guest's threads begin here: what it sets as its umask, directory and root shall be theirs
    // alone. Where the host refuses that (some containers do), all threads share them.
    static_cast<void>(unshare(CLONE_FS));
    standing_.emplace();
    umask_ = umask(0);
    umask(umask_);
    publish();
    if (std::exchange(on_another_thread_, false)) {
        launch();
        count_command();
    }
    while (!queue_.closed()) {
        execute_commands();
        if (on_another_thread_) return;
        if (state_ == RunState::Running)
            stretch();
        else
            queue_.wait();
    }
    drop_guest();
}

void Worker::execute_commands() {
    std::ranges::move(queue_.take(), std::back_inserter(commands_));
    while (!commands_.empty()) {
        Command command = std::move(commands_.front());
        commands_.pop_front();
        std::visit([this](auto& c) { execute(c); }, command);
        if (on_another_thread_) return;  // and counted there
        count_command();
    }
}

void Worker::count_command() {
    std::lock_guard lock(idle_mutex_);
    running_ = state_ == RunState::Running;
    ++done_;
    if (!running_) idle_.notify_all();
}

void Worker::stretch() {
    attend_others();
    if (state_ != RunState::Running) return;
    if (main_ended_ && focus_ == &guest_->main()) {
        queue_.wait_for(kPublication);  // other threads go on
    } else {
        react(advance_goal());
        if (guest_->forked()) guest_->run_forked();
        if (state_ == RunState::Running && speed_ > 0) pace();
    }
    if (state_ == RunState::Running && Clock::now() - last_publication_ >= kPublication)
        publish_live();
}

Event Worker::advance_goal() {
    if (goal_.kind == Goal::Kind::Steps) {
        const std::uint64_t before = focus_->state().bundles;
        const bool first = std::exchange(goal_.started, true) == false;
        const Event event =
            first ? focus_->step() : focus_->advance(std::min(goal_.remaining, kStepSlice));
        const bool acted = event == Event::Handled && focus_->state().bundles == before;
        const std::uint64_t executed = focus_->state().bundles - before + (acted ? 1 : 0);
        goal_.remaining -= std::min(goal_.remaining, executed);
        return event;
    }
    Runner& main = guest_->main();
    if (speed_ > 0 && speed_ < kInterpretedSpeed)
        return main.advance(
            std::max<std::uint64_t>(1, static_cast<std::uint64_t>(speed_ * kSlice)));
    return main.advance();
}

void Worker::pace() {
    const double elapsed = seconds(Clock::now() - pace_begin_);
    const double due = static_cast<double>(guest_->bundles() - pace_bundles_) / speed_;
    if (due > elapsed + 0.0005) {
        publish_live();
        queue_.wait_for(std::chrono::duration<double>(due - elapsed));
    }
    // A guest that waited in a system call must not catch up at full speed.
    if (elapsed > due + 2 * kSlice) {
        pace_begin_ = Clock::now();
        pace_bundles_ = guest_->bundles();
    }
}

void Worker::react(Event event) {
    switch (event) {
        case Event::Budget:
        case Event::Handled:
        case Event::Interrupted:
        case Event::Blocked:
        case Event::CallEntry:
        case Event::CallReturn:
            break;
        case Event::Breakpoint:
            return stop_at_breakpoint(goal_.kind == Goal::Kind::Steps ? *focus_ : guest_->main());
        case Event::Failed: {
            const cpu::Trap& trap = focus_->trap();
            return stop(RunState::Failed,
                        fmt::format("This build cannot execute the bundle at {}: {}",
                                    place(trap.ip), trap.detail));
        }
        case Event::ThreadEnd:
            if (focus_ == &guest_->main()) main_ended_ = true;
            if (goal_.kind == Goal::Kind::Steps)
                return stop(RunState::Paused, "The thread has ended; others go on");
            return;
        case Event::ProcessEnd:
            return end_of_process();
    }
    if (goal_.kind == Goal::Kind::Steps && goal_.remaining == 0) stop(RunState::Paused, "");
}

void Worker::attend_others() {
    std::vector<std::pair<Runner*, Event>> news;
    {
        std::lock_guard lock(others_mutex_);
        news.swap(others_);
    }
    for (const auto& [runner, event] : news) {
        if (state_ != RunState::Running) return;
        if (event == Event::ProcessEnd) return end_of_process();
        if (event == Event::ThreadEnd) continue;
        guest_->hold_all();
        focus_ = runner;
        if (event == Event::Breakpoint)
            stop_at_breakpoint(*runner);
        else
            react(event);
    }
}

void Worker::stop_at_breakpoint(Runner& runner) {
    const std::uint64_t ip = runner.state().ip;
    const bool users = std::ranges::find(breakpoints_, ip) != breakpoints_.end();
    const bool arrived = goal_.kind == Goal::Kind::Arrive && ip == goal_.address &&
                         runner.state().depth() <= goal_.depth;
    if (!users && !arrived) {  // an inner call of the function being stepped out of
        runner.leave_breakpoint();
        guest_->let_go();
        return;
    }
    focus_ = &runner;
    stop(RunState::Paused, users ? fmt::format("Breakpoint at {}", place(ip)) : "");
}

void Worker::end_of_process() {
    const guest::ExitStatus status = guest_->process().exit_status();
    if (status.kind == guest::ExitStatus::Kind::Signaled) {
        std::string why = guest_->process().exit_detail();
        if (why.empty()) why = fmt::format("signal {}", status.value);
        stop(RunState::Signaled, fmt::format("Ended by {}", why));
    } else {
        stop(RunState::Exited, fmt::format("Exited with code {}", status.value));
    }
}

void Worker::begin(Goal goal) {
    goal_ = goal;
    place_breakpoints();
    if (goal.kind != Goal::Kind::Steps) {
        if (focus_) focus_->leave_breakpoint();
        focus_ = &guest_->main();
        guest_->let_go();
    }
    state_ = RunState::Running;
    banner_.clear();
    builder_->show_code(std::nullopt);
    resumed_ = last_publication_ = pace_begin_ = Clock::now();
    last_bundles_ = pace_bundles_ = guest_->bundles();
    // A handful of steps is over before anybody could look.
    if (goal.kind != Goal::Kind::Steps || goal.remaining > 1) {
        ticker_.start();
        if (goal.kind != Goal::Kind::Steps) publish_live();
    }
}

void Worker::stop(RunState state, std::string banner) {
    ticker_.stop();
    guest_->hold_all();
    const auto now = Clock::now();
    if (state_ == RunState::Running) run_seconds_ += seconds(now - resumed_);
    const double interval = seconds(now - last_publication_);
    if (interval > 0.001) rate_ = static_cast<double>(guest_->bundles() - last_bundles_) / interval;
    state_ = state;
    banner_ = std::move(banner);
    goal_ = {};
    place_breakpoints();
    {
        // Everything is held now: what others met meanwhile they will meet again.
        std::lock_guard lock(others_mutex_);
        std::erase_if(others_, [](const auto& news) { return news.second != Event::ProcessEnd; });
    }
    publish();
    std::lock_guard lock(idle_mutex_);
    running_ = false;
    idle_.notify_all();
}

void Worker::place_breakpoints() {
    if (!guest_) return;
    std::optional<std::uint64_t> stepping;
    if (goal_.kind == Goal::Kind::Arrive) stepping = goal_.address;
    guest_->set_breakpoints(breakpoints_, stepping);
}

std::string Worker::place(std::uint64_t address) const {
    const std::string name = guest_ ? guest_->process().symbols()->describe(address) : "";
    return name.empty() ? fmt::format("0x{:x}", address) : name;
}

void Worker::notice(std::string text, bool error) {
    const std::size_t cost = text.size() + sizeof(Notice);
    notices.append(Notice{0, error, std::move(text), {}}, cost);
}

void Worker::report_refusals() {
    for (guest::Sandbox::Refusal& refusal : guest_->take_refusals()) {
        Notice notice{0, false, "The sandbox did not let the program change " + refusal.path,
                      std::move(refusal.directory)};
        const std::size_t cost = notice.text.size() + notice.refused_in.size() + sizeof(Notice);
        notices.append(std::move(notice), cost);
    }
}

void Worker::publish() {
    auto snapshot = std::make_shared<Snapshot>();
    if (guest_) builder_->fill(*snapshot, *focus_);
    hand_over(std::move(snapshot));
}

void Worker::publish_live() {
    const auto now = Clock::now();
    const double interval = seconds(now - last_publication_);
    const std::uint64_t bundles = guest_->bundles();
    if (interval > 0.001) rate_ = static_cast<double>(bundles - last_bundles_) / interval;
    last_publication_ = now;
    last_bundles_ = bundles;
    auto snapshot = std::make_shared<Snapshot>();
    builder_->fill_live(*snapshot, *focus_);
    hand_over(std::move(snapshot));
}

void Worker::hand_over(std::shared_ptr<Snapshot> snapshot) {
    snapshot->sequence = ++sequence_;
    snapshot->run_state = state_;
    snapshot->tier = tier_;
    snapshot->profile = launch_.profile;
    snapshot->program = path_;
    snapshot->banner = banner_;
    snapshot->breakpoints = breakpoints_;
    if (guest_) {
        report_refusals();
        snapshot->exit = guest_->process().exit_status();
        snapshot->trap = focus_->trap();
    }
    snapshot->counters.bundles_per_second = rate_;
    snapshot->counters.run_seconds = run_seconds_;
    if (state_ == RunState::Running)
        snapshot->counters.run_seconds += seconds(Clock::now() - resumed_);
    snapshot->counters.syscalls = syscall_count_.load();
    exchange_.publish(std::move(snapshot));
    quiet_beats_ = 0;
    news_ = false;
    wake();
}

void Worker::wake() {
    std::lock_guard lock(wake_mutex_);
    if (wake_) wake_();
}

}  // namespace e2k::machine
