// Clocks, sleeps and timers.
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

bool valid(const timespec& t) {
    return t.tv_sec >= 0 && t.tv_nsec >= 0 && t.tv_nsec <= 999'999'999;
}
bool valid(const timeval& t) { return t.tv_sec >= 0 && t.tv_usec >= 0 && t.tv_usec <= 999'999; }

std::int64_t sys_time(Call& call) {
    timespec time{};
    call.process.clock->read(CLOCK_REALTIME_COARSE, call.thread.state, time);
    const std::int64_t now = time.tv_sec;
    if (call.arg[0] && !call.put(call.arg[0], now)) return -EFAULT;
    return now;
}

std::int64_t sys_gettimeofday(Call& call) {
    timeval now{};
    struct timezone zone {};
    if (call.process.clock->is_virtual()) {
        timespec time{};
        call.process.clock->read(CLOCK_REALTIME, call.thread.state, time);
        now = {time.tv_sec, time.tv_nsec / 1000};
    } else if (syscall(SYS_gettimeofday, &now, &zone) != 0) {
        // The system call, for the kernel's time zone; the library call would not fill it.
        return -errno;
    }
    if (call.arg[0] && !call.put(call.arg[0], now)) return -EFAULT;
    if (call.arg[1] && !call.put(call.arg[1], zone)) return -EFAULT;
    return 0;
}

std::int64_t sys_clock_gettime(Call& call) {
    timespec now{};
    if (const int error = call.process.clock->read(call.integer(0), call.thread.state, now))
        return error;
    return call.put_result(call.arg[1], now);
}

std::int64_t sys_clock_getres(Call& call) {
    timespec resolution{};
    if (clock_getres(call.integer(0), &resolution) != 0) return -errno;
    return call.arg[1] ? call.put_result(call.arg[1], resolution) : 0;
}

std::int64_t sleep_virtually(Call& call, const timespec& left) {
    return call.wait_for(left, 0, [&](timespec host) {
        return call.waiting(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, word(&host), 0);
    });
}

std::int64_t sleep_until(Call& call, int clock, const timespec& end) {
    if (call.process.clock->is_virtual()) return sleep_virtually(call, call.until(clock, end));
    return call.waiting(SYS_clock_nanosleep, static_cast<std::uint64_t>(clock), TIMER_ABSTIME,
                        reinterpret_cast<std::uint64_t>(&end), 0);
}

/// A relative sleep keeps its end over re-issues; what is left is reported in case a handler runs.
std::int64_t sleep_for(Call& call, const timespec& time, std::uint64_t left_at) {
    const timespec end = call.deadline(time);
    const std::int64_t result = call.process.clock->is_virtual()
                                    ? sleep_virtually(call, call.remaining(time))
                                    : sleep_until(call, CLOCK_MONOTONIC, end);
    if (result == kRestartNoHand && left_at) {
        const timespec left = call.remaining(time);
        if (!call.put(left_at, left)) return -EFAULT;
    }
    return result;
}

std::int64_t sys_nanosleep(Call& call) {
    timespec time{};
    if (call.thread.signals->deadline) return sleep_for(call, time, call.arg[1]);
    if (!call.get(call.arg[0], time)) return -EFAULT;
    return valid(time) ? sleep_for(call, time, call.arg[1]) : -EINVAL;
}

std::int64_t sys_clock_nanosleep(Call& call) {
    const int clock = call.integer(0);
    timespec time{}, now{};
    if (call.thread.signals->deadline) return sleep_for(call, time, call.arg[3]);
    if (clock_gettime(clock, &now) != 0 || clock == CLOCK_THREAD_CPUTIME_ID) return -EINVAL;
    if (!call.get(call.arg[2], time)) return -EFAULT;
    if (!valid(time)) return -EINVAL;
    if (call.arg[1] & TIMER_ABSTIME) return sleep_until(call, clock, time);
    return sleep_for(call, time, call.arg[3]);
}

std::int64_t refuse_eperm(Call&) { return -EPERM; }

std::int64_t sys_adjtimex(Call& call) {
    timex state{};
    const unsigned at = call.number == 376 ? 1 : 0;
    if (!call.get(call.arg[at], state)) return -EFAULT;
    if (state.modes != 0) return -EPERM;
    const int result = at ? clock_adjtime(call.integer(0), &state) : adjtimex(&state);
    if (result < 0) return -errno;
    if (call.process.clock->is_virtual()) {
        timespec now{};
        call.process.clock->read(CLOCK_REALTIME, call.thread.state, now);
        state.time = {now.tv_sec, (state.status & STA_NANO) ? now.tv_nsec : now.tv_nsec / 1000};
    }
    return call.put(call.arg[at], state) ? result : -EFAULT;
}

// --- timers: each guest timer is a host POSIX timer whose signal is the kick (host_signals.h) ---

std::int64_t create_host_timer(Process::Impl& p, int id, int clock, int signal) {
    GuestTimer& timer = p.timers[static_cast<std::size_t>(id)];
    sigevent event{};
    event.sigev_notify = signal ? SIGEV_SIGNAL : SIGEV_NONE;
    event.sigev_signo = kick_signal();
    event.sigev_value.sival_int = p.sink_slot << 16 | id;
    if (timer_create(clock, &event, &timer.host) != 0) return -errno;
    timer.signal = signal;
    timer.clock = clock;
    timer.due = 0;
    timer.used = true;
    return 0;
}

/// The host's signal comes at each expiry, wanted or not: periods of nanoseconds would leave the
/// workbench no time for anything else. The more timers there are, the longer is the shortest
/// period of the next. What is left out shows as overruns.
itimerspec bearable(const Process::Impl& p, itimerspec t) {
    constexpr long kShortest = 100'000;
    const long used = std::ranges::count_if(p.timers, [](const auto& timer) { return timer.used; });
    if (t.it_interval.tv_sec == 0 && t.it_interval.tv_nsec > 0)
        t.it_interval.tv_nsec = std::max(t.it_interval.tv_nsec, kShortest * std::max(used, 1l));
    return t;
}

itimerval to_timeval(const itimerspec& t) {
    return {{t.it_interval.tv_sec, t.it_interval.tv_nsec / 1000},
            {t.it_value.tv_sec, (t.it_value.tv_nsec + 999) / 1000}};
}
itimerspec to_timespec(const itimerval& t) {
    return {{t.it_interval.tv_sec, t.it_interval.tv_usec * 1000},
            {t.it_value.tv_sec, t.it_value.tv_usec * 1000}};
}

/// timer_settime of a timer that exists (timer_mutex).
std::int64_t set_timer(Call& call, int id, bool absolute, const itimerspec& fresh,
                       itimerspec& old) {
    Process::Impl& p = call.process;
    const itimerspec spec = bearable(p, fresh);
    if (p.clock->is_virtual()) {
        p.set_virtual_timer(call.thread, id, absolute, spec, old);
        return 0;
    }
    const timer_t host = p.timers[static_cast<std::size_t>(id)].host;
    return timer_settime(host, absolute ? TIMER_ABSTIME : 0, &spec, &old) == 0 ? 0 : -errno;
}

std::int64_t get_timer(Call& call, int id, itimerspec& now) {
    Process::Impl& p = call.process;
    if (p.clock->is_virtual()) {
        now = p.virtual_timer(call.thread, id);
        return 0;
    }
    return timer_gettime(p.timers[static_cast<std::size_t>(id)].host, &now) == 0 ? 0 : -errno;
}

struct IntervalKind {
    int clock, signal;
};
constexpr std::array<IntervalKind, 3> kIntervals{IntervalKind{CLOCK_MONOTONIC, SIGALRM},
                                                 IntervalKind{CLOCK_PROCESS_CPUTIME_ID, SIGVTALRM},
                                                 IntervalKind{CLOCK_PROCESS_CPUTIME_ID, SIGPROF}};

std::int64_t set_interval(Call& call, unsigned which, const itimerval& fresh, itimerval& old) {
    Process::Impl& p = call.process;
    std::lock_guard lock(p.timer_mutex);
    if (!p.timers[which].used) {
        const auto& kind = kIntervals[which];
        if (const auto error =
                create_host_timer(p, static_cast<int>(which), kind.clock, kind.signal))
            return error;
    }
    itimerspec previous{};
    const std::int64_t result =
        set_timer(call, static_cast<int>(which), false, to_timespec(fresh), previous);
    old = to_timeval(previous);
    return result;
}

std::int64_t sys_setitimer(Call& call) {
    if (call.arg[0] >= kIntervals.size()) return -EINVAL;
    itimerval fresh{}, old{};
    if (call.arg[1] && !call.get(call.arg[1], fresh)) return -EFAULT;
    if (!valid(fresh.it_interval) || !valid(fresh.it_value)) return -EINVAL;
    if (const auto error = set_interval(call, static_cast<unsigned>(call.arg[0]), fresh, old))
        return error;
    return call.arg[2] ? call.put_result(call.arg[2], old) : 0;
}

std::int64_t sys_getitimer(Call& call) {
    if (call.arg[0] >= kIntervals.size()) return -EINVAL;
    itimerspec now{};
    {
        std::lock_guard lock(call.process.timer_mutex);
        const auto which = static_cast<int>(call.arg[0]);
        if (call.process.timers[call.arg[0]].used)
            if (const std::int64_t error = get_timer(call, which, now)) return error;
    }
    return call.put_result(call.arg[1], to_timeval(now));
}

std::int64_t sys_alarm(Call& call) {
    itimerval fresh{}, old{};
    fresh.it_value.tv_sec = static_cast<std::uint32_t>(call.arg[0]);
    if (const auto error = set_interval(call, 0, fresh, old)) return error;
    return old.it_value.tv_sec + (old.it_value.tv_usec >= 500'000 ||
                                  (old.it_value.tv_sec == 0 && old.it_value.tv_usec > 0));
}

/// sigevent of the guest; equal to x86-64's.
struct SigeventE2k {
    std::uint64_t value = 0;
    std::int32_t signal = 0, notify = 0, tid = 0;
    std::array<std::uint8_t, 44> rest{};
};
static_assert(sizeof(SigeventE2k) == 64);

std::int64_t sys_timer_create(Call& call) {
    Process::Impl& p = call.process;
    SigeventE2k event;
    event.signal = SIGALRM;
    event.notify = SIGEV_SIGNAL;
    if (call.arg[1] && !call.get(call.arg[1], event)) return -EFAULT;
    const bool silent = event.notify == SIGEV_NONE;
    if (!silent && event.notify != SIGEV_SIGNAL && event.notify != SIGEV_THREAD_ID) return -EINVAL;
    if (!silent && (event.signal < 1 || event.signal > kSignals)) return -EINVAL;
    int clock = call.integer(0);
    if (clock == CLOCK_THREAD_CPUTIME_ID) clock = CLOCK_PROCESS_CPUTIME_ID;
    std::lock_guard lock(p.timer_mutex);
    int id = Process::Impl::kItimers;
    while (id < Process::Impl::kTimers && p.timers[static_cast<std::size_t>(id)].used) ++id;
    if (id == Process::Impl::kTimers) return -EAGAIN;
    GuestTimer& timer = p.timers[static_cast<std::size_t>(id)];
    timer.value = call.arg[1] ? event.value : static_cast<std::uint64_t>(id);
    if (const auto error = create_host_timer(p, id, clock, silent ? 0 : event.signal)) return error;
    if (call.put(call.arg[2], std::int32_t{id})) return 0;
    timer_delete(timer.host);
    timer.used = false;
    return -EFAULT;
}

/// Runs `f(timer)` on the timer a call names.
template <class F>
std::int64_t with_timer(Call& call, F&& f) {
    const int id = call.integer(0);
    std::lock_guard lock(call.process.timer_mutex);
    if (id < Process::Impl::kItimers || id >= Process::Impl::kTimers) return -EINVAL;
    GuestTimer& timer = call.process.timers[static_cast<std::size_t>(id)];
    return timer.used ? f(timer) : -EINVAL;
}

std::int64_t sys_timer_settime(Call& call) {
    itimerspec fresh{}, old{};
    if (!call.get(call.arg[2], fresh)) return -EFAULT;
    if (!valid(fresh.it_value) || !valid(fresh.it_interval)) return -EINVAL;
    const bool absolute = (call.integer(1) & TIMER_ABSTIME) != 0;
    const std::int64_t result = with_timer(
        call, [&](GuestTimer&) { return set_timer(call, call.integer(0), absolute, fresh, old); });
    if (result == 0 && call.arg[3]) return call.put_result(call.arg[3], old);
    return result;
}
std::int64_t sys_timer_gettime(Call& call) {
    itimerspec now{};
    const std::int64_t result =
        with_timer(call, [&](GuestTimer&) { return get_timer(call, call.integer(0), now); });
    return result == 0 ? call.put_result(call.arg[1], now) : result;
}
std::int64_t sys_timer_getoverrun(Call& call) {
    return with_timer(call, [](GuestTimer& timer) -> std::int64_t { return timer.overrun.load(); });
}
std::int64_t sys_timer_delete(Call& call) {
    return with_timer(call, [](GuestTimer& timer) -> std::int64_t {
        timer.used = false;
        return timer_delete(timer.host) == 0 ? 0 : -errno;
    });
}

std::int64_t sys_timerfd_create(Call& call) {
    return adopt_fd(call, Call::host(SYS_timerfd_create, call.arg[0], call.arg[1]));
}
std::int64_t sys_timerfd_settime(Call& call) {
    itimerspec fresh{}, old{};
    if (!call.get(call.arg[2], fresh)) return -EFAULT;
    if (timerfd_settime(call.fd(0), call.integer(1), &fresh, &old) != 0) return -errno;
    return call.arg[3] ? call.put_result(call.arg[3], old) : 0;
}
std::int64_t sys_timerfd_gettime(Call& call) {
    itimerspec now{};
    if (timerfd_gettime(call.fd(0), &now) != 0) return -errno;
    return call.put_result(call.arg[1], now);
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{13, "time", {LongOut}, sys_time},
    SyscallRow{25, "stime", {Ptr}, refuse_eperm},
    SyscallRow{27, "alarm", {UInt}, sys_alarm},
    SyscallRow{78, "gettimeofday", {TimevalOut, Ptr}, sys_gettimeofday},
    SyscallRow{79, "settimeofday", {TimevalIn, Ptr}, refuse_eperm},
    SyscallRow{104, "setitimer", {ItimerWhich, ItimervalIn, ItimervalOut}, sys_setitimer},
    SyscallRow{105, "getitimer", {ItimerWhich, ItimervalOut}, sys_getitimer},
    SyscallRow{124, "adjtimex", {Ptr}, sys_adjtimex},
    SyscallRow{162, "nanosleep", {TimespecIn, TimespecOut}, sys_nanosleep},
    SyscallRow{261, "timer_create", {Clock, Ptr, WordOut}, sys_timer_create},
    SyscallRow{262, "timer_settime", {Int, Hex, ItimerspecIn, ItimerspecOut}, sys_timer_settime},
    SyscallRow{263, "timer_gettime", {Int, ItimerspecOut}, sys_timer_gettime},
    SyscallRow{264, "timer_getoverrun", {Int}, sys_timer_getoverrun},
    SyscallRow{265, "timer_delete", {Int}, sys_timer_delete},
    SyscallRow{266, "clock_settime", {Clock, TimespecIn}, refuse_eperm},
    SyscallRow{267, "clock_gettime", {Clock, TimespecOut}, sys_clock_gettime},
    SyscallRow{268, "clock_getres", {Clock, TimespecOut}, sys_clock_getres},
    SyscallRow{269, "clock_nanosleep", {Clock, Hex, TimespecIn, TimespecOut}, sys_clock_nanosleep},
    SyscallRow{351, "timerfd_create", {Clock, Hex}, sys_timerfd_create},
    SyscallRow{352, "timerfd_settime", {Fd, Hex, ItimerspecIn, ItimerspecOut}, sys_timerfd_settime},
    SyscallRow{353, "timerfd_gettime", {Fd, ItimerspecOut}, sys_timerfd_gettime},
    SyscallRow{376, "clock_adjtime", {Clock, Ptr}, sys_adjtimex},
};

// Gate 6: the same things without entering the scheduler (syscalls.md §6).
std::int64_t fast_getcpu(Call& call) {
    unsigned cpu = 0, node = 0;
    if (getcpu(&cpu, &node) != 0) return -errno;
    if (call.arg[0] && !call.put(call.arg[0], cpu)) return -EFAULT;
    if (call.arg[1] && !call.put(call.arg[1], node)) return -EFAULT;
    return 0;
}
constexpr std::array kFastRows{
    SyscallRow{0, "gettimeofday", {TimevalOut, Ptr}, sys_gettimeofday},
    SyscallRow{1, "clock_gettime", {Clock, TimespecOut}, sys_clock_gettime},
    SyscallRow{2, "getcpu", {WordOut, WordOut}, fast_getcpu},
    SyscallRow{3, "siggetmask", {SignalSetOut, Size}, fast_siggetmask},
    SyscallRow{4, "getcontext", {Ptr, Size}, fast_getcontext},
    SyscallRow{5, "set_return", {Ptr, Hex}, fast_set_return},
};

}  // namespace

std::span<const SyscallRow> time_rows() { return kRows; }

const SyscallRow* find_fast_call(std::uint32_t number) {
    return number < kFastRows.size() ? &kFastRows[number] : nullptr;
}

}  // namespace e2k::guest
