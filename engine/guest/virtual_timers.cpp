// Timers and waits where time is virtual (cpu/guest_clock.h): timers are due at a bundle, waits let
// time pass.
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "engine/guest/process_impl.h"

namespace e2k::guest {
namespace {

bool counts_processor(const GuestTimer& timer) { return timer.clock == CLOCK_PROCESS_CPUTIME_ID; }

/// What the timer's due is measured against.
std::uint64_t now_of(const cpu::GuestClock& clock, const GuestTimer& timer,
                     const cpu::CpuState& state) {
    return counts_processor(timer) ? clock.passed_processor(state) : clock.passed(state);
}

/// Bundles until the first one behind which the timer is due: the same one, wherever it is asked
/// from, although times are rounded. What has passed has just been published.
std::uint64_t bundles_until(const cpu::GuestClock& clock, const GuestTimer& timer,
                            const cpu::CpuState& state) {
    if (counts_processor(timer))
        return clock.bundles_in(timer.due) - clock.bundles_in(clock.passed_processor(state));
    return clock.bundles_in(timer.due - state.clock.base) - state.bundles;
}

/// A child that has something to do: not one that only waits to be waited for.
bool is_alive(pid_t pid) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return false;
    return info.si_pid == 0;
}

}  // namespace

itimerspec Process::Impl::virtual_timer(const Thread& thread, int id) const {
    const GuestTimer& timer = timers[static_cast<std::size_t>(id)];
    if (!timer.due) return {};
    const std::uint64_t now = now_of(*clock, timer, thread.state);
    return {cpu::to_timespec(timer.interval),
            cpu::to_timespec(timer.due > now ? timer.due - now : 1)};
}

void Process::Impl::set_virtual_timer(Thread& thread, int id, bool absolute,
                                      const itimerspec& fresh, itimerspec& old) {
    old = virtual_timer(thread, id);
    GuestTimer& timer = timers[static_cast<std::size_t>(id)];
    std::uint64_t wait = cpu::to_nanoseconds(fresh.it_value);
    timer.due = 0;
    if (wait == 0) return;
    if (absolute) {
        const std::uint64_t now = clock->peek(timer.clock, thread.state);
        wait = wait > now ? wait - now : 0;
    }
    timer.interval = cpu::to_nanoseconds(fresh.it_interval);
    timer.due = now_of(*clock, timer, thread.state) + std::max<std::uint64_t>(wait, 1);
    virtual_timers = true;
    std::lock_guard lock(thread_mutex);
    if (threads.size() > 1) wake_all();  // they run no farther than this timer
}

namespace {

/// Sends the timer's signal.
void expire(Process::Impl& process, int id, GuestTimer& timer, std::uint64_t missed) {
    if (timer.signal == 0) return;
    const int overrun = static_cast<int>(std::min<std::uint64_t>(missed, 0x7fff'ffff));
    timer.overrun.store(static_cast<std::uint32_t>(overrun));
    process.post(id < Process::Impl::kItimers
                     ? SiginfoE2k::kernel(timer.signal)
                     : SiginfoE2k::timer(timer.signal, id, overrun, timer.value));
}

}  // namespace

std::uint64_t Process::Impl::run_timers(Thread& thread) {
    clock->publish(thread.state);
    std::uint64_t bundles = ~0ull;
    std::lock_guard lock(timer_mutex);
    bool set = false;
    for (std::size_t id = 0; id < timers.size(); ++id) {
        GuestTimer& timer = timers[id];
        if (!timer.used || !timer.due) continue;
        const std::uint64_t now = now_of(*clock, timer, thread.state);
        if (timer.due <= now) {
            const std::uint64_t missed = timer.interval ? (now - timer.due) / timer.interval : 0;
            timer.due = timer.interval ? timer.due + (missed + 1) * timer.interval : 0;
            expire(*this, static_cast<int>(id), timer, missed);
        }
        if (!timer.due) continue;
        set = true;
        bundles = std::min(bundles, bundles_until(*clock, timer, thread.state));
    }
    virtual_timers = set;
    return bundles;
}

bool Process::Impl::let_time_pass(Thread& thread, std::uint64_t nanoseconds) {
    std::uint64_t wait = nanoseconds;
    if (virtual_timers) {
        std::lock_guard lock(timer_mutex);
        const std::uint64_t now = clock->passed(thread.state);
        for (const GuestTimer& timer : timers)
            if (timer.used && timer.due && !counts_processor(timer))
                wait = std::min(wait, timer.due > now ? timer.due - now : 0);
    }
    clock->sleep(thread.state, wait);
    if (virtual_timers) run_timers(thread);
    return wait == nanoseconds;
}

bool Process::Impl::others_run(const Thread& thread, std::uint64_t until) {
    std::lock_guard lock(thread_mutex);
    if (std::ranges::any_of(children, is_alive)) return true;
    return std::ranges::any_of(threads, [&](const auto& other) {
        if (other.get() == &thread || other->exited) return false;
        const std::uint64_t wakes_at = other->signals->wakes_at.load();
        return wakes_at ? wakes_at < until : other->signals->blocked_in.load() == 0;
    });
}

std::uint64_t Process::bundles_to_timer(Thread& thread) {
    if (!impl_->virtual_timers.load(std::memory_order_relaxed)) return ~0ull;
    return impl_->run_timers(thread);
}

cpu::GuestClock& Process::clock() { return *impl_->clock; }

}  // namespace e2k::guest
