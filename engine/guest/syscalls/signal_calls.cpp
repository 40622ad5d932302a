// Signal actions, masks, sending and waiting.
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kSetSize = 8;
constexpr std::uint64_t kUnblockable = signal_bit(SIGKILL) | signal_bit(SIGSTOP);
constexpr std::int32_t kSsOnStack = 1, kSsDisable = 2;
constexpr auto kSsAutoDisarm = static_cast<std::int32_t>(1u << 31);
constexpr std::uint64_t kMinimumStack = 4096;

bool is_signal(std::int64_t number) { return number >= 1 && number <= kSignals; }

std::int64_t sys_rt_sigaction(Call& call) {
    Process::Impl& p = call.process;
    const int signal = call.integer(0);
    if (call.arg[3] != kSetSize || !is_signal(signal)) return -EINVAL;
    if (call.arg[1] && (signal == SIGKILL || signal == SIGSTOP)) return -EINVAL;
    SigactionE2k fresh;
    if (call.arg[1] && !call.get(call.arg[1], fresh)) return -EFAULT;
    SigactionE2k old;
    {
        std::lock_guard lock(p.signal_mutex);
        SigactionE2k& action = p.actions[static_cast<std::size_t>(signal)];
        old = action;
        if (call.arg[1]) {
            fresh.mask &= ~kUnblockable;
            action = fresh;
        }
    }
    if (call.arg[1]) p.follow_action(signal, fresh, call.thread.signals->mask);
    return call.arg[2] ? call.put_result(call.arg[2], old) : 0;
}

std::int64_t change_mask(Call& call, int how, std::uint64_t set) {
    std::uint64_t& mask = call.thread.signals->mask;
    switch (how) {
        case SIG_BLOCK:
            mask |= set;
            break;
        case SIG_UNBLOCK:
            mask &= ~set;
            break;
        case SIG_SETMASK:
            mask = set;
            break;
        default:
            return -EINVAL;
    }
    mask &= ~kUnblockable;
    // A signal from outside must wait, too, instead of ending the host process.
    if (call.process.owns_host_process())
        for (int signal = 1; signal <= kSignals; ++signal)
            if (mask & signal_bit(signal)) call.process.watch_signal(signal);
    call.process.follow_mask(call.thread);
    call.thread.signals->wake = 1;  // look for signals that are deliverable now
    return 0;
}

std::int64_t sys_rt_sigprocmask(Call& call) {
    if (call.number == 175 && call.arg[3] != kSetSize) return -EINVAL;
    const std::uint64_t old = call.thread.signals->mask;
    if (call.arg[1]) {
        std::uint64_t set = 0;
        if (!call.get(call.arg[1], set)) return -EFAULT;
        if (const std::int64_t error = change_mask(call, call.integer(0), set)) return error;
    }
    return call.arg[2] ? call.put_result(call.arg[2], old) : 0;
}

constexpr std::uint64_t kLowWord = 0xffff'ffff;
std::int64_t sys_sgetmask(Call& call) {
    return static_cast<std::int64_t>(call.thread.signals->mask & kLowWord);
}
std::int64_t sys_ssetmask(Call& call) {
    const std::int64_t old = sys_sgetmask(call);
    change_mask(call, SIG_SETMASK, call.arg[0] & kLowWord);
    return old;
}

std::int64_t sys_rt_sigpending(Call& call) {
    if (call.number == 176 && call.arg[1] != kSetSize) return -EINVAL;
    return call.put_result(call.arg[0],
                           call.process.pending_set(call.thread) & call.thread.signals->mask);
}

std::int64_t sys_rt_sigsuspend(Call& call) {
    if (call.arg[1] != kSetSize) return -EINVAL;
    std::uint64_t set = 0;
    if (!call.get(call.arg[0], set)) return -EFAULT;
    const TemporaryMask mask(call, set);
    return mask.after(call.waiting(SYS_ppoll, 0, 0, 0, 0, 0));
}

std::int64_t sys_pause(Call& call) { return call.waiting(SYS_ppoll, 0, 0, 0, 0, 0); }

std::int64_t sys_rt_sigtimedwait(Call& call) {
    if (call.arg[3] != kSetSize) return -EINVAL;
    std::uint64_t set = 0;
    timespec time{};
    if (!call.get(call.arg[0], set)) return -EFAULT;
    if (call.arg[2] && !call.get(call.arg[2], time)) return -EFAULT;
    if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec > 999'999'999) return -EINVAL;
    for (;;) {
        if (auto info = call.process.take_signal(call.thread, set & ~kUnblockable)) {
            if (call.arg[1] && !call.put(call.arg[1], *info)) return -EFAULT;
            return info->signo;
        }
        timespec left{};
        if (call.arg[2]) {
            left = call.remaining(time);
            if (left.tv_sec == 0 && left.tv_nsec == 0) return -EAGAIN;
        }
        const std::int64_t result =
            call.arg[2] ? call.wait_for(left, 0,
                                        [&](timespec part) {
                                            return call.waiting(SYS_ppoll, 0, 0, word(&part), 0, 0);
                                        })
                        : call.waiting(SYS_ppoll, 0, 0, 0, 0, 0);
        if (result < 0) return result;
    }
}

// --- sending ---

SiginfoE2k from_self(const Call& call, int signal, int code, std::uint64_t value = 0) {
    return SiginfoE2k::sent(signal, code, call.process.pid, static_cast<int>(getuid()), value);
}

/// kill of 0, -1 or a group, among the guest's own processes.
std::int64_t signal_group(Call& call, int target, int signal) {
    Process::Impl& p = call.process;
    std::vector<int> own;
    if (p.sandbox()) {
        own = p.sandbox()->processes();
    } else {
        std::lock_guard lock(p.thread_mutex);
        own.assign(p.children.begin(), p.children.end());
        own.push_back(p.pid);
    }
    const pid_t group = target == 0 ? getpgid(0) : -target;
    std::int64_t result = -ESRCH;
    for (const int pid : own) {
        if (target == -1 ? pid == p.pid : getpgid(pid) != group) continue;
        result = 0;
        if (pid != p.pid && may_signal(p, pid, signal))
            kill(pid, signal);
        else if (pid == p.pid && signal)
            p.post(from_self(call, signal, SI_USER));
    }
    return result;
}

std::int64_t sys_kill(Call& call) {
    Process::Impl& p = call.process;
    const int pid = call.integer(0), signal = call.integer(1);
    if (signal != 0 && !is_signal(signal)) return -EINVAL;
    if (pid == p.pid) {
        if (signal) p.post(from_self(call, signal, SI_USER));
        return 0;
    }
    if (pid > 0) {
        if (!may_signal(p, pid, signal)) return -EPERM;
        return Call::host(SYS_kill, call.arg[0], call.arg[1]);
    }
    // Groups: from the window, or a sandbox, only what belongs to the guest is reached.
    if (p.sandbox() || p.window) return signal_group(call, pid, signal);
    const std::int64_t result = Call::host(SYS_kill, call.arg[0], call.arg[1]);
    // The handler takes a SIGPIPE of this process for one of its writes.
    if (result == 0 && signal == SIGPIPE && (pid == 0 || pid == -getpgrp()))
        p.post(from_self(call, signal, SI_USER));
    return result;
}

std::int64_t send_to_thread(Call& call, int group, int tid, const SiginfoE2k& info, int signal) {
    Process::Impl& p = call.process;
    if (tid <= 0 || (signal != 0 && !is_signal(signal))) return -EINVAL;
    if (group == p.pid) {
        const auto thread = p.find_thread(static_cast<std::uint32_t>(tid));
        if (!thread) return -ESRCH;
        if (signal) p.post_to(*thread, info);
        return 0;
    }
    if (!may_touch_process(p, tid) || !may_signal(p, group, signal)) return -EPERM;
    return Call::host(SYS_tgkill, static_cast<std::uint64_t>(group),
                      static_cast<std::uint64_t>(tid), static_cast<std::uint64_t>(signal));
}

std::int64_t sys_tgkill(Call& call) {
    if (call.integer(0) <= 0) return -EINVAL;
    return send_to_thread(call, call.integer(0), call.integer(1),
                          from_self(call, call.integer(2), SI_TKILL), call.integer(2));
}
std::int64_t sys_tkill(Call& call) {
    const int tid = call.integer(0);
    const bool own = tid > 0 && call.process.find_thread(static_cast<std::uint32_t>(tid));
    return send_to_thread(call, own ? call.process.pid : tid, tid,
                          from_self(call, call.integer(1), SI_TKILL), call.integer(1));
}

/// rt_sigqueueinfo and rt_tgsigqueueinfo carry a siginfo of the sender's making.
std::int64_t sys_rt_sigqueueinfo(Call& call) {
    const bool to_thread = call.number == 334;
    const int signal = call.integer(to_thread ? 2 : 1);
    SiginfoE2k info;
    if (!call.get(call.arg[to_thread ? 3 : 2], info)) return -EFAULT;
    if (signal != 0 && !is_signal(signal)) return -EINVAL;
    const int pid = call.integer(0);
    if (pid != call.process.pid && (info.code >= 0 || info.code == SI_TKILL)) return -EPERM;
    info.signo = signal;
    if (to_thread) return send_to_thread(call, pid, call.integer(1), info, signal);
    if (pid == call.process.pid) {
        if (signal && !call.process.post(info)) return -EAGAIN;
        return 0;
    }
    if (!may_signal(call.process, pid, signal)) return -EPERM;
    siginfo_t host{};
    host.si_signo = signal;
    host.si_code = info.code;
    host.si_pid = info.u.sender.pid;
    host.si_uid = static_cast<uid_t>(info.u.sender.uid);
    host.si_value.sival_ptr = reinterpret_cast<void*>(info.u.sender.value);
    return Call::host(SYS_rt_sigqueueinfo, static_cast<std::uint64_t>(pid),
                      static_cast<std::uint64_t>(signal), reinterpret_cast<std::uint64_t>(&host));
}

// --- alternate stack ---

bool on_stack(const StackE2k& stack, std::uint64_t sp) {
    return !(stack.flags & (kSsDisable | kSsAutoDisarm)) && sp > stack.sp &&
           sp - stack.sp <= stack.size;
}

std::int64_t sys_sigaltstack(Call& call) {
    StackE2k& current = call.thread.signals->alt_stack;
    const bool active = on_stack(current, call.thread.state.usd_base);
    StackE2k shown = current;
    if (active) shown.flags |= kSsOnStack;
    StackE2k fresh;
    if (call.arg[0]) {
        if (!call.get(call.arg[0], fresh)) return -EFAULT;
        if (active) return -EPERM;
        const std::int32_t mode = fresh.flags & ~kSsAutoDisarm;
        if (mode != 0 && mode != kSsDisable && mode != kSsOnStack) return -EINVAL;
        if (mode == kSsDisable)
            fresh = StackE2k{0, fresh.flags, 0, 0};
        else if (fresh.size < kMinimumStack)
            return -ENOMEM;
        fresh.flags &= ~kSsOnStack;
    }
    // The new one is in force even if the old one cannot be told.
    if (call.arg[0]) current = fresh;
    if (call.arg[1] && !call.put(call.arg[1], shown)) return -EFAULT;
    return 0;
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{29, "pause", {}, sys_pause},
    SyscallRow{37, "kill", {Int, Signal}, sys_kill},
    SyscallRow{68, "sgetmask", {}, sys_sgetmask},
    SyscallRow{69, "ssetmask", {Hex}, sys_ssetmask},
    SyscallRow{73, "sigpending", {SignalSetOut}, sys_rt_sigpending},
    SyscallRow{126, "sigprocmask", {MaskHow, SignalSetIn, SignalSetOut}, sys_rt_sigprocmask},
    SyscallRow{174, "rt_sigaction", {Signal, ActionIn, ActionOut, Size}, sys_rt_sigaction},
    SyscallRow{
        175, "rt_sigprocmask", {MaskHow, SignalSetIn, SignalSetOut, Size}, sys_rt_sigprocmask},
    SyscallRow{176, "rt_sigpending", {SignalSetOut, Size}, sys_rt_sigpending},
    SyscallRow{177, "rt_sigtimedwait", {SignalSetIn, Ptr, TimespecIn, Size}, sys_rt_sigtimedwait},
    SyscallRow{178, "rt_sigqueueinfo", {Int, Signal, Ptr}, sys_rt_sigqueueinfo},
    SyscallRow{179, "rt_sigsuspend", {SignalSetIn, Size}, sys_rt_sigsuspend},
    SyscallRow{186, "sigaltstack", {Ptr, Ptr}, sys_sigaltstack},
    SyscallRow{246, "tkill", {Int, Signal}, sys_tkill},
    SyscallRow{308, "tgkill", {Int, Int, Signal}, sys_tgkill},
    SyscallRow{334, "rt_tgsigqueueinfo", {Int, Int, Signal, Ptr}, sys_rt_sigqueueinfo},
    SyscallRow{347, "signalfd4", {Fd, SignalSetIn, Size, Hex}, sys_signalfd4},
};

}  // namespace

bool may_signal(const Process::Impl& process, int pid, int signal) {
    if (pid == process.window && pid != process.pid && is_windows_own(signal)) return false;
    return may_touch_process(process, pid);
}

TemporaryMask::TemporaryMask(Call& call, std::uint64_t mask) : signals_(*call.thread.signals) {
    if (signals_.mask_to_restore) return;  // the call is issued again
    signals_.mask_to_restore = signals_.mask;
    signals_.mask = mask & ~kUnblockable;
    signals_.wake = 1;  // something pending may be deliverable now
}

std::int64_t TemporaryMask::after(std::int64_t result) const {
    if (result == kRestart || result == kRestartNoHand) return kRestartNoHand;
    signals_.mask = *signals_.mask_to_restore;
    signals_.mask_to_restore.reset();
    return result;
}

std::span<const SyscallRow> signal_rows() { return kRows; }

}  // namespace e2k::guest
