// What is pending, who takes it, and what the default actions are (signals.md).
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "engine/guest/process_impl.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kHandlerDefault = 0, kHandlerIgnore = 1;
constexpr std::uint64_t kUnblockable = signal_bit(SIGKILL) | signal_bit(SIGSTOP);
constexpr std::uint64_t kTerminalSignals = signal_bit(SIGTTIN) | signal_bit(SIGTTOU);
constexpr std::uint64_t kStops = kTerminalSignals | signal_bit(SIGSTOP) | signal_bit(SIGTSTP);
constexpr std::uint64_t kFaults = signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) |
                                  signal_bit(SIGFPE) | signal_bit(SIGTRAP);
/// Signals by which people control the workbench itself; a guest in its window leaves them alone.
constexpr std::uint64_t kWorkbenchOwn =
    signal_bit(SIGINT) | signal_bit(SIGTERM) | signal_bit(SIGHUP) | signal_bit(SIGQUIT) |
    signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU) | signal_bit(SIGWINCH) |
    signal_bit(SIGCONT);

enum class Default : std::uint8_t { Terminate, Ignore, Stop };
Default default_action(int signal) {
    switch (signal) {
        case SIGCHLD:
        case SIGCONT:
        case SIGURG:
        case SIGWINCH:
            return Default::Ignore;
        case SIGSTOP:
        case SIGTSTP:
        case SIGTTIN:
        case SIGTTOU:
            return Default::Stop;
        default:
            return Default::Terminate;
    }
}

bool is_realtime(int signal) { return signal >= 32; }

/// Takes the first queued signal of `accept`, faults first, then the lowest number.
std::optional<SiginfoE2k> take_from(std::vector<SiginfoE2k>& queue, std::uint64_t accept) {
    auto best = queue.end();
    auto rank = [](const SiginfoE2k& info) {
        return info.signo + ((signal_bit(info.signo) & kFaults) ? 0 : 100);
    };
    for (auto it = queue.begin(); it != queue.end(); ++it)
        if ((signal_bit(it->signo) & accept) && (best == queue.end() || rank(*it) < rank(*best)))
            best = it;
    if (best == queue.end()) return std::nullopt;
    const SiginfoE2k info = *best;
    queue.erase(best);
    return info;
}

/// SIGCONT and the signals that stop make each other go.
void drop_opposites(std::vector<SiginfoE2k>& queue, int signal) {
    const std::uint64_t gone = signal == SIGCONT               ? kStops
                               : (signal_bit(signal) & kStops) ? signal_bit(SIGCONT)
                                                               : 0;
    if (gone) std::erase_if(queue, [&](const auto& info) { return signal_bit(info.signo) & gone; });
}

/// Standard signals do not queue: a second one while the first is pending is lost.
void enqueue(std::vector<SiginfoE2k>& queue, const SiginfoE2k& info) {
    constexpr std::size_t kMaxQueued = 1u << 16;
    drop_opposites(queue, info.signo);
    const bool present = std::ranges::any_of(
        queue, [&](const SiginfoE2k& other) { return other.signo == info.signo; });
    if ((present && !is_realtime(info.signo)) || queue.size() >= kMaxQueued) return;
    queue.push_back(info);
}

}  // namespace

std::string signal_name(int signal) {
    if (signal >= 32 && signal <= kSignals) return fmt::format("SIGRT{}", signal - 32);
    const char* name = sigabbrev_np(signal);
    return name ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

void Process::Impl::post_to(Thread& thread, const SiginfoE2k& info) {
    {
        std::lock_guard lock(signal_mutex);
        enqueue(thread.signals->pending, info);
        descriptors_follow();
    }
    wake(*thread.signals);
}

void Process::post_signal(int signal) {
    impl_->post(SiginfoE2k::sent(signal, SI_USER, impl_->pid, static_cast<int>(getuid())));
}

void Process::interrupt_blocked() {
    impl_->wakers.fetch_add(1);
    for (auto& slot : impl_->wake_list) {
        if (Thread::SignalState* thread = slot.load()) {
            thread->pause = true;
            Impl::wake(*thread);
        }
    }
    impl_->wakers.fetch_sub(1);
}

void Process::Impl::fetch_pending() {
    for (SiginfoE2k info; inbox.pop(info);) enqueue(pending, info);
}

std::optional<SiginfoE2k> Process::Impl::take_signal(Thread& thread, std::uint64_t accept) {
    std::lock_guard lock(signal_mutex);
    fetch_pending();
    auto info = take_from(thread.signals->pending, accept);
    if (!info) info = take_from(pending, accept);
    descriptors_follow();
    return info;
}

std::uint64_t Process::Impl::pending_set(Thread& thread) {
    std::lock_guard lock(signal_mutex);
    fetch_pending();
    std::uint64_t set = 0;
    for (const auto* queue : {&thread.signals->pending, &pending})
        for (const SiginfoE2k& info : *queue) set |= signal_bit(info.signo);
    sigset_t host;
    if (thread.signals->host_mask && sigpending(&host) == 0)
        for (const int signal : {SIGTTIN, SIGTTOU})
            if (sigismember(&host, signal) == 1) set |= signal_bit(signal);
    return set;
}

bool Process::Impl::must_end(Thread& thread) {
    if (exiting || executing) return true;
    const std::uint64_t set = pending_set(thread) & (~thread.signals->mask | kUnblockable);
    for (int signal = 1; signal <= kSignals; ++signal)
        if ((set & signal_bit(signal)) && !ignores(signal) &&
            actions[static_cast<std::size_t>(signal)].handler == kHandlerDefault &&
            default_action(signal) == Default::Terminate)
            return true;
    return false;
}

bool Process::Impl::ignores(int signal) const {
    const std::uint64_t handler = actions[static_cast<std::size_t>(signal)].handler;
    return handler == kHandlerIgnore ||
           (handler == kHandlerDefault && default_action(signal) == Default::Ignore);
}

void Process::Impl::drop_handlers() {
    std::lock_guard lock(signal_mutex);
    if (actions[SIGCHLD].handler != kHandlerIgnore) follow_action(SIGCHLD, {}, 0);
    for (SigactionE2k& action : actions)
        action = {action.handler == kHandlerIgnore ? kHandlerIgnore : kHandlerDefault, 0, 0, 0};
}

bool is_windows_own(int signal) {
    if (signal < 1 || signal > kSignals) return false;
    return ((kWorkbenchOwn | kUnblockable) & signal_bit(signal)) ||
           (host_signals::is_shared(signal) && signal != kick_signal());
}

void Process::Impl::watch_signal(int signal) {
    const std::uint64_t bit = signal_bit(signal);
    if (kUnblockable & bit) return;
    if (!owns_host_process() && is_windows_own(signal)) return;
    if (watched.fetch_or(bit) & bit) return;
    host_signals::watch(signal);
}

void Process::Impl::shield_window() {
    window = getpid();
    for (int signal = 1; signal <= kSignals; ++signal)
        if (signal != SIGCHLD) watch_signal(signal);  // its action decides about zombies
}

void Process::Impl::take_over_host_signals() {
    for (int signal = 1; signal <= kSignals; ++signal)
        if (host_signals::is_shared(signal)) watch_signal(signal);
}

void Process::Impl::follow_action(int signal, const SigactionE2k& action, std::uint64_t blocked) {
    const bool ignores = action.handler == kHandlerIgnore;
    constexpr std::uint64_t kSaNoChildWait = 2;
    const bool reap = signal == SIGCHLD && (ignores || (action.flags & kSaNoChildWait));
    // The host's disposition decides whether children become zombies, and for processes in the
    // background, what reading and writing a terminal gives.
    if (signal == SIGCHLD ? reap || action.handler == kHandlerDefault
                          : ignores && !(blocked & signal_bit(signal)) && owns_host_process()) {
        if (host_signals::is_shared(signal) || (kUnblockable & signal_bit(signal))) return;
        watched.fetch_and(~signal_bit(signal));
        host_signals::pass_through(signal, ignores || reap);
        return;
    }
    if (action.handler != kHandlerDefault) return watch_signal(signal);
    // From SIG_IGN, which the host follows, back to the default action; a handler that is still in
    // place does it itself.
    if (owns_host_process() && !host_signals::is_shared(signal) &&
        !(kUnblockable & signal_bit(signal)) && !(watched & signal_bit(signal)))
        host_signals::pass_through(signal, false);
}

/// Signals of job control that are blocked must be so in the host: it asks when a process in the
/// background reads or writes its terminal.
void Process::Impl::follow_mask(Thread& thread) {
    Thread::SignalState& signals = *thread.signals;
    const std::uint64_t wanted = signals.mask & kTerminalSignals;
    if (wanted == signals.host_mask || !owns_host_process()) return;
    signals.host_mask = wanted;
    sigset_t block, unblock;
    sigemptyset(&block);
    sigemptyset(&unblock);
    for (const int signal : {SIGTTIN, SIGTTOU})
        sigaddset((wanted & signal_bit(signal)) ? &block : &unblock, signal);
    pthread_sigmask(SIG_BLOCK, &block, nullptr);
    pthread_sigmask(SIG_UNBLOCK, &unblock, nullptr);
}

void Process::Impl::stop_process(int signal) {
    // In the window the process is the workbench's own: it cannot stop with its guest.
    if (owns_host_process()) host_signals::stop_by(signal);
}

SignalVerdict Process::Impl::judge(Thread& thread, const SiginfoE2k& info, bool queued) {
    if (!signal_judge || info.signo == SIGKILL) return SignalVerdict::Deliver;
    const SignalVerdict verdict = signal_judge(thread, info);
    if (verdict != SignalVerdict::Hold) return verdict;
    if (queued) {
        const std::lock_guard lock(signal_mutex);
        thread.signals->pending.insert(thread.signals->pending.begin(), info);
        descriptors_follow();
    }
    thread.signals->pause = true;
    wake(*thread.signals);
    return verdict;
}

Next Process::Impl::deliver(Thread& thread, InterruptedCall* call) {
    Thread::SignalState& signals = *thread.signals;
    signals.wake = 0;
    memory->restore_forced_pages();
    for (;;) {
        if (exiting) return Next::ProcessExit;
        if (Thread* one = executing; one && one != &thread) return end_thread(thread, 0);
        auto info = take_signal(thread, ~signals.mask | kUnblockable);
        if (!info) return Next::Continue;
        const int signal = info->signo;
        SigactionE2k action;
        {
            std::lock_guard lock(signal_mutex);
            action = actions[static_cast<std::size_t>(signal)];
        }
        if (signal == SIGKILL) return die(signal, "SIGKILL");
        const SignalVerdict verdict = judge(thread, *info, true);
        if (verdict == SignalVerdict::Hold) return Next::Continue;
        if (verdict == SignalVerdict::Discard) continue;
        if (action.handler > kHandlerIgnore) {
            if (!enter_handler(thread, *info, action, call))
                return die(SIGSEGV,
                           fmt::format("SIGSEGV: no room on the stack for the frame of the "
                                       "{} handler",
                                       signal_name(signal)));
            continue;
        }
        if (ignores(signal)) continue;
        if (default_action(signal) == Default::Stop)
            stop_process(signal);
        else
            return die(signal, signal_name(signal));
    }
}

Next Process::Impl::force(Thread& thread, const SiginfoE2k& info, std::string why) {
    SigactionE2k action;
    {
        std::lock_guard lock(signal_mutex);
        action = actions[static_cast<std::size_t>(info.signo)];
    }
    if (judge(thread, info, false) != SignalVerdict::Deliver) return Next::Retry;
    const bool blocked = (thread.signals->mask & signal_bit(info.signo)) != 0;
    if (action.handler > kHandlerIgnore && !blocked && enter_handler(thread, info, action, nullptr))
        return Next::Continue;
    return die(info.signo, std::move(why));
}

Next Process::deliver_signals(Thread& thread) {
    if (impl_->exiting) return Next::ProcessExit;
    return impl_->deliver(thread, nullptr);
}

Next Process::signal_return(Thread& thread) { return impl_->leave_handler(thread); }

}  // namespace e2k::guest
