// Life and death of processes: fork, wait, exit, limits, scheduling.
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

std::int64_t sys_exit_group(Call& call) {
    call.writes_result = false;
    call.next = call.process.exit_process({ExitStatus::Kind::Exited, call.integer(0) & 0xff}, "");
    return 0;
}

std::int64_t sys_exit(Call& call) {
    call.writes_result = false;
    call.next = call.process.end_thread(call.thread, call.integer(0));
    return 0;
}

timeval to_timeval(std::uint64_t nanoseconds) {
    constexpr std::uint64_t kSecond = cpu::GuestClock::kSecond;
    return {static_cast<time_t>(nanoseconds / kSecond),
            static_cast<suseconds_t>(nanoseconds % kSecond / 1000)};
}

/// Where time is virtual, all of it is the program's own and none the system's; what depends on the
/// host's scheduler is left out, so that runs are alike.
void set_virtual_usage(rusage& usage, std::uint64_t processor_time) {
    usage.ru_utime = to_timeval(processor_time);
    usage.ru_stime = {};
    usage.ru_minflt = usage.ru_majflt = usage.ru_nvcsw = usage.ru_nivcsw = 0;
}

/// A child has been waited for.
void note_end(Call& call, int pid, rusage& usage) {
    const std::uint64_t time = call.process.clock->reaped(pid);
    if (call.process.clock->is_virtual()) set_virtual_usage(usage, time);
    call.process.clock->publish(call.thread.state);  // the wait ended no earlier than the child
    std::lock_guard lock(call.process.thread_mutex);
    call.process.children.erase(pid);
}

std::int64_t wait_for(Call& call, std::uint64_t pid, std::uint64_t status_at, std::uint64_t options,
                      std::uint64_t usage_at) {
    int status = 0;
    rusage usage{};
    const std::int64_t result =
        call.blocking(SYS_wait4, pid, reinterpret_cast<std::uint64_t>(&status), options,
                      usage_at ? reinterpret_cast<std::uint64_t>(&usage) : 0);
    if (result <= 0) return result;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
        note_end(call, static_cast<int>(result), usage);
        if (Sandbox* sandbox = call.process.sandbox())
            sandbox->remove_process(static_cast<int>(result));
    }
    if (status_at && !call.put(status_at, status)) return -EFAULT;
    if (usage_at && !call.put(usage_at, usage)) return -EFAULT;
    return result;
}
std::int64_t sys_waitpid(Call& call) {
    return wait_for(call, call.arg[0], call.arg[1], call.arg[2], 0);
}
std::int64_t sys_wait4(Call& call) {
    return wait_for(call, call.arg[0], call.arg[1], call.arg[2], call.arg[3]);
}
std::int64_t sys_waitid(Call& call) {
    siginfo_t info{};
    rusage usage{};
    constexpr int kByDescriptor = 3;  // P_PIDFD
    const std::uint64_t which = call.integer(0) == kByDescriptor ? word(call.fd(1)) : call.arg[1];
    const std::int64_t result =
        call.blocking(SYS_waitid, call.arg[0], which, reinterpret_cast<std::uint64_t>(&info),
                      call.arg[3], call.arg[4] ? reinterpret_cast<std::uint64_t>(&usage) : 0);
    if (result < 0) return result;
    const bool ended =
        info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED;
    if (info.si_pid != 0 && ended && !(call.arg[3] & WNOWAIT)) note_end(call, info.si_pid, usage);
    if (call.arg[2]) {
        const SiginfoE2k guest = info.si_pid ? SiginfoE2k::from_host(info) : SiginfoE2k{};
        if (!call.put(call.arg[2], guest)) return -EFAULT;
    }
    if (call.arg[4] && !call.put(call.arg[4], usage)) return -EFAULT;
    return result;
}

// --- usage ---

std::int64_t sys_getrusage(Call& call) {
    rusage usage{};
    const int who = call.integer(0);
    if (getrusage(static_cast<__rusage_who>(who), &usage) != 0) return -errno;
    if (cpu::GuestClock& clock = *call.process.clock; clock.is_virtual()) {
        timespec used{};
        if (who != RUSAGE_CHILDREN)
            clock.read(who == RUSAGE_THREAD ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID,
                       call.thread.state, used);
        set_virtual_usage(
            usage, who == RUSAGE_CHILDREN ? clock.children_time() : cpu::to_nanoseconds(used));
    }
    return call.put_result(call.arg[1], usage);
}
std::int64_t sys_times(Call& call) {
    tms buffer{};
    if (cpu::GuestClock& clock = *call.process.clock; clock.is_virtual()) {
        constexpr std::uint64_t kTick = cpu::GuestClock::kSecond / 100;
        buffer.tms_utime = static_cast<clock_t>(clock.processor_time(call.thread.state) / kTick);
        buffer.tms_cutime = static_cast<clock_t>(clock.children_time() / kTick);
        if (call.arg[0] && !call.put(call.arg[0], buffer)) return -EFAULT;
        return static_cast<std::int64_t>(clock.peek(CLOCK_MONOTONIC, call.thread.state) / kTick);
    }
    const std::int64_t ticks = Call::host(SYS_times, reinterpret_cast<std::uint64_t>(&buffer));
    if (call.arg[0] && !call.put(call.arg[0], buffer)) return -EFAULT;
    return ticks;
}
std::int64_t sys_sysinfo(Call& call) {
    struct sysinfo info {};
    if (sysinfo(&info) != 0) return -errno;
    if (cpu::GuestClock& clock = *call.process.clock; clock.is_virtual())
        info.uptime =
            static_cast<long>(clock.nanoseconds(call.thread.state) / cpu::GuestClock::kSecond);
    return call.put_result(call.arg[0], info);
}

// --- scheduling ---

std::int64_t target(Call& call) {
    const int pid = call.integer(0);
    if (pid < 0) return -EINVAL;
    if (pid == 0 || call.process.find_thread(static_cast<std::uint32_t>(pid))) return 0;
    return may_touch_process(call.process, pid) ? pid : -EPERM;
}
std::int64_t sys_sched_yield(Call&) { return Call::host(SYS_sched_yield); }
std::int64_t sys_sched_getparam(Call& call) {
    const std::int64_t pid = target(call);
    if (pid < 0) return pid;
    sched_param param{};
    if (sched_getparam(static_cast<pid_t>(pid), &param) != 0) return -errno;
    return call.put_result(call.arg[1], param);
}
std::int64_t sys_sched_getscheduler(Call& call) {
    const std::int64_t pid = target(call);
    return pid < 0 ? pid : Call::host(SYS_sched_getscheduler, static_cast<std::uint64_t>(pid));
}
std::int64_t sys_sched_setscheduler(Call& call) {
    const std::int64_t pid = target(call);
    if (pid < 0) return pid;
    const bool with_policy = call.number == 156;
    sched_param param{};
    if (!call.get(call.arg[with_policy ? 2 : 1], param)) return -EFAULT;
    return Call::host(with_policy ? SYS_sched_setscheduler : SYS_sched_setparam,
                      static_cast<std::uint64_t>(pid),
                      with_policy ? call.arg[1] : reinterpret_cast<std::uint64_t>(&param),
                      reinterpret_cast<std::uint64_t>(&param));
}
std::int64_t sys_sched_priority_max(Call& call) {
    return Call::host(SYS_sched_get_priority_max, call.arg[0]);
}
std::int64_t sys_sched_priority_min(Call& call) {
    return Call::host(SYS_sched_get_priority_min, call.arg[0]);
}
std::int64_t sys_sched_rr_interval(Call& call) {
    const std::int64_t pid = target(call);
    if (pid < 0) return pid;
    timespec interval{};
    if (sched_rr_get_interval(static_cast<pid_t>(pid), &interval) != 0) return -errno;
    return call.put_result(call.arg[1], interval);
}
std::int64_t sys_sched_getaffinity(Call& call) {
    const std::int64_t pid = target(call);
    if (pid < 0) return pid;
    std::array<std::uint8_t, 1024> mask{};
    const std::uint64_t size = std::min<std::uint64_t>(call.arg[1], mask.size());
    const std::int64_t n = Call::host(SYS_sched_getaffinity, static_cast<std::uint64_t>(pid), size,
                                      reinterpret_cast<std::uint64_t>(mask.data()));
    if (n < 0) return n;
    return call.memory().write(call.arg[2], mask.data(), static_cast<std::size_t>(n)) ? n : -EFAULT;
}
std::int64_t sys_sched_setaffinity(Call& call) {
    const std::int64_t pid = target(call);
    if (pid < 0) return pid;
    std::array<std::uint8_t, 1024> mask{};
    const std::uint64_t size = std::min<std::uint64_t>(call.arg[1], mask.size());
    if (!call.memory().read(call.arg[2], mask.data(), size)) return -EFAULT;
    return Call::host(SYS_sched_setaffinity, static_cast<std::uint64_t>(pid), size,
                      reinterpret_cast<std::uint64_t>(mask.data()));
}
/// A thread of the guest has a number of its own: for the host it is the calling one.
std::uint64_t priority_target(const Call& call) {
    const auto who = static_cast<std::uint32_t>(call.arg[1]);
    return call.integer(0) == PRIO_PROCESS && call.process.find_thread(who) ? 0 : call.arg[1];
}
std::int64_t sys_getpriority(Call& call) {
    return Call::host(SYS_getpriority, call.arg[0], priority_target(call));
}
std::int64_t sys_setpriority(Call& call) {
    // The window goes on after the guest, and a priority given away does not come back.
    if (!call.process.owns_host_process()) return -EPERM;
    return Call::host(SYS_setpriority, call.arg[0], priority_target(call), call.arg[2]);
}
std::int64_t sys_nice(Call& call) {
    if (!call.process.owns_host_process()) return -EPERM;
    const std::int64_t now = Call::host(SYS_getpriority, PRIO_PROCESS, 0);
    if (now < 0) return now;
    const std::int64_t wanted = std::clamp<std::int64_t>(20 - now + call.integer(0), -20, 19);
    return Call::host(SYS_setpriority, PRIO_PROCESS, 0, static_cast<std::uint64_t>(wanted));
}
std::int64_t sys_getcpu(Call& call) {
    unsigned cpu = 0, node = 0;
    if (getcpu(&cpu, &node) != 0) return -errno;
    if (call.arg[0] && !call.put(call.arg[0], cpu)) return -EFAULT;
    if (call.arg[1] && !call.put(call.arg[1], node)) return -EFAULT;
    return 0;
}

std::int64_t sys_prctl(Call& call) {
    switch (call.integer(0)) {
        case PR_SET_PDEATHSIG: {
            const int signal = call.arg[1] <= kSignals ? call.integer(1) : -1;
            if (signal < 0) return -EINVAL;
            // The window is not the guest's to end.
            if (call.process.owns_host_process() && prctl(PR_SET_PDEATHSIG, signal) != 0)
                return -errno;
            call.thread.signals->parent_death_signal = signal;
            return 0;
        }
        case PR_GET_PDEATHSIG:
            return call.put_result(call.arg[1], call.thread.signals->parent_death_signal);
        default:
            return process_option(call);
    }
}

std::int64_t refuse_eperm(Call&) { return -EPERM; }

using enum Arg;
constexpr std::array kRows{
    SyscallRow{1, "exit", {Int}, sys_exit},
    SyscallRow{7, "waitpid", {Int, WaitStatusOut, WaitOptions}, sys_waitpid},
    SyscallRow{26, "ptrace", {Long, Int, Ptr, Ptr}, refuse_eperm},
    SyscallRow{34, "nice", {Int}, sys_nice},
    SyscallRow{43, "times", {Ptr}, sys_times},
    SyscallRow{77, "getrusage", {Int, Ptr}, sys_getrusage},
    SyscallRow{88, "reboot", {Hex, Hex, Hex, Ptr}, refuse_eperm},
    SyscallRow{96, "getpriority", {Int, Int}, sys_getpriority},
    SyscallRow{97, "setpriority", {Int, Int, Int}, sys_setpriority},
    SyscallRow{114, "wait4", {Int, WaitStatusOut, WaitOptions, Ptr}, sys_wait4},
    SyscallRow{116, "sysinfo", {Ptr}, sys_sysinfo},
    SyscallRow{128, "init_module", {Ptr, Size, Text}, refuse_eperm},
    SyscallRow{129, "delete_module", {Text, Hex}, refuse_eperm},
    SyscallRow{136, "personality", {Hex}, sys_personality},
    SyscallRow{154, "sched_setparam", {Int, Ptr}, sys_sched_setscheduler},
    SyscallRow{155, "sched_getparam", {Int, Ptr}, sys_sched_getparam},
    SyscallRow{156, "sched_setscheduler", {Int, Int, Ptr}, sys_sched_setscheduler},
    SyscallRow{157, "sched_getscheduler", {Int}, sys_sched_getscheduler},
    SyscallRow{158, "sched_yield", {}, sys_sched_yield},
    SyscallRow{159, "sched_get_priority_max", {Int}, sys_sched_priority_max},
    SyscallRow{160, "sched_get_priority_min", {Int}, sys_sched_priority_min},
    SyscallRow{161, "sched_rr_get_interval", {Int, TimespecOut}, sys_sched_rr_interval},
    SyscallRow{172, "prctl", {Int, Hex, Hex, Hex, Hex}, sys_prctl},
    SyscallRow{249, "sched_setaffinity", {Int, Size, Ptr}, sys_sched_setaffinity},
    SyscallRow{250, "sched_getaffinity", {Int, Size, Ptr}, sys_sched_getaffinity},
    SyscallRow{300, "exit_group", {Int}, sys_exit_group},
    SyscallRow{322, "waitid", {Int, Int, Ptr, WaitOptions, Ptr}, sys_waitid},
    SyscallRow{327, "getcpu", {WordOut, WordOut, Ptr}, sys_getcpu},
    SyscallRow{383, "finit_module", {Fd, Text, Hex}, refuse_eperm},
};

}  // namespace

std::span<const SyscallRow> process_rows() { return kRows; }

}  // namespace e2k::guest
