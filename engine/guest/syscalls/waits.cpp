// Host calls that may wait: cut short by signals and pauses, and, in virtual time, by the clock.
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kSecond = cpu::GuestClock::kSecond;
/// How long to wait before looking again whether others still run.
constexpr std::uint64_t kLookAgain = 1'000'000;

timespec sum(timespec begin, const timespec& relative) {
    constexpr time_t kMostWait = time_t{1} << 40, kMostEnd = time_t{1} << 41;
    begin.tv_sec = std::min(begin.tv_sec + std::min(relative.tv_sec, kMostWait), kMostEnd);
    begin.tv_nsec += relative.tv_nsec;
    if (begin.tv_nsec >= static_cast<long>(kSecond)) {
        begin.tv_nsec -= kSecond;
        ++begin.tv_sec;
    }
    return begin;
}

/// end - now, or 0.
timespec difference(const timespec& end, const timespec& now) {
    timespec left{end.tv_sec - now.tv_sec, end.tv_nsec - now.tv_nsec};
    if (left.tv_nsec < 0) {
        left.tv_nsec += kSecond;
        --left.tv_sec;
    }
    return left.tv_sec < 0 ? timespec{0, 0} : left;
}

std::uint64_t since(std::chrono::steady_clock::time_point begin) {
    return static_cast<std::uint64_t>(
        std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
}

/// The timer of virtual time that is due next; those of processor time stand while a thread waits.
struct NextTimer {
    int id = -1;  ///< none
    std::uint64_t due = 0;
    std::uint64_t wait = ~0ull;  ///< from what has passed for the thread
};
NextTimer next_timer(Process::Impl& process, const Thread& thread) {
    NextTimer next;
    if (!process.virtual_timers.load(std::memory_order_relaxed)) return next;
    const std::uint64_t passed = process.clock->passed(thread.state);
    std::lock_guard lock(process.timer_mutex);
    for (std::size_t id = 0; id < process.timers.size(); ++id) {
        const GuestTimer& t = process.timers[id];
        if (!t.used || !t.due || !t.signal || t.clock == CLOCK_PROCESS_CPUTIME_ID) continue;
        if (next.id >= 0 && t.due >= next.due) continue;
        next = {static_cast<int>(id), t.due, t.due > passed ? t.due - passed : 0};
    }
    return next;
}

/// While a thread waits in the host, the next timer of virtual time is one of the host: at once if
/// nothing else runs, else after the real time it has to wait.
class TimerOfWait {
public:
    TimerOfWait(Process::Impl& process, Thread& thread, const NextTimer& next)
        : timer_(process.timers[static_cast<std::size_t>(next.id)]),
          others_(process.others_run(thread, next.due)) {
        timer_.fired = false;
        set(others_ ? std::max(next.wait, kLookAgain) : kLookAgain);
    }
    ~TimerOfWait() { set(0); }
    TimerOfWait(const TimerOfWait&) = delete;
    TimerOfWait& operator=(const TimerOfWait&) = delete;
    bool fired() const { return timer_.fired; }
    bool others() const { return others_; }

private:
    void set(std::uint64_t nanoseconds) {
        const itimerspec spec{{0, 0}, cpu::to_timespec(nanoseconds)};
        timer_settime(timer_.host, 0, &spec, nullptr);
    }
    GuestTimer& timer_;
    bool others_;
};

}  // namespace

std::int64_t Call::blocking(long nr, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                            std::uint64_t d, std::uint64_t e, std::uint64_t f) const {
    Thread::SignalState& signals = *thread.signals;
    const auto issue = [&] {
        signals.blocked_in = gettid();
        const long result = interruptible_call(signals.wake, nr, a, b, c, d, e, f);
        signals.blocked_in = 0;
        return result;
    };
    // A call that only the host's scheduler has held up is not one that waits: ask again.
    constexpr int kRounds = 3;
    for (int round = 1;; ++round) {
        const NextTimer next = signals.wakes_at ? NextTimer{} : next_timer(process, thread);
        if (next.id < 0) return issue();
        const TimerOfWait timer(process, thread, next);
        const long result = issue();
        if (result != kRestart || signals.wake || !timer.fired()) return result;
        if (round < kRounds && !timer.others()) continue;
        // Others may have let some of the time pass meanwhile.
        const NextTimer now = next_timer(process, thread);
        if (now.id >= 0) static_cast<void>(process.let_time_pass(thread, now.wait));
        return kRestart;
    }
}

std::int64_t Call::waiting(long nr, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                           std::uint64_t d, std::uint64_t e, std::uint64_t f) const {
    const std::int64_t result = blocking(nr, a, b, c, d, e, f);
    return result == kRestart ? kRestartNoHand : result;
}

std::int64_t Call::wait_for(const timespec& left, std::int64_t timed_out,
                            const std::function<std::int64_t(const timespec&)>& issue) const {
    if (!process.clock->is_virtual()) return issue(left);
    const std::uint64_t wait = cpu::to_nanoseconds(left);
    const std::uint64_t first = std::min(wait, next_timer(process, thread).wait);
    const std::uint64_t now = process.clock->passed(thread.state);
    const std::uint64_t end = now + first, target = now + wait;
    thread.signals->wakes_at = std::max<std::uint64_t>(end, 1);
    const auto begin = std::chrono::steady_clock::now();
    std::int64_t result = 0;
    for (bool others = true; others;) {
        const std::uint64_t waited = since(begin);
        others = waited < first && process.others_run(thread, end);
        result = issue(cpu::to_timespec(others ? std::min(first - waited, kLookAgain) : 0));
        if (result != timed_out) break;
    }
    thread.signals->wakes_at = 0;
    if (result != timed_out) return result;
    const std::uint64_t passed = process.clock->passed(thread.state);
    const std::uint64_t rest = target > passed ? target - passed : 0;
    return process.let_time_pass(thread, rest) ? timed_out : kRestartNoHand;
}

timespec Call::until(clockid_t clock, const timespec& end) const {
    timespec now{};
    if (process.clock->is_virtual())
        now = cpu::to_timespec(process.clock->peek(clock, thread.state));
    else
        clock_gettime(clock, &now);
    return difference(end, now);
}

timespec Call::host_end(clockid_t clock, const timespec& relative) {
    timespec now{};
    clock_gettime(clock, &now);
    return sum(now, relative);
}

timespec Call::deadline(const timespec& relative) const {
    auto& kept = thread.signals->deadline;
    if (!kept)
        kept = process.clock->is_virtual()
                   ? sum(cpu::to_timespec(process.clock->passed(thread.state)), relative)
                   : host_end(CLOCK_MONOTONIC, relative);
    return *kept;
}

timespec Call::remaining(const timespec& relative) const {
    const timespec end = deadline(relative);
    if (process.clock->is_virtual())
        return difference(end, cpu::to_timespec(process.clock->passed(thread.state)));
    return until(CLOCK_MONOTONIC, end);
}

}  // namespace e2k::guest
