// New threads and new processes, and what threads wait on.
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "engine/guest/libc/library.h"
#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

// Register and chain stacks of a thread other than the first.
constexpr std::size_t kThreadRegisters = 1u << 20, kThreadFrames = 1u << 17;
constexpr std::size_t kThreadPointer = 13;  // %g13

/// State of the child of clone(CLONE_VM): the caller's window, alone on fresh hardware stacks.
void copy_for_thread(const cpu::CpuState& from, cpu::CpuState& to) {
    to.memory_base = from.memory_base;
    to.page_map = from.page_map;
    to.ip = from.ip;
    to.tags_live = from.tags_live;
    to.wd = from.wd;
    to.br = from.br;
    to.pred = from.pred;
    to.pfpfr = from.pfpfr;
    to.fpcr = from.fpcr;
    to.fpsr = from.fpsr;
    to.upsr = from.upsr;
    // %g16..%g31 start empty (syscalls.md §9.7).
    std::copy_n(from.g.begin(), 16, to.g.begin());
    std::copy_n(from.g_tags.begin(), 16, to.g_tags.begin());
    to.psp_base = from.psp_base;
    to.pcsp_base = from.pcsp_base;
    to.psp_size = from.psp_size;
    to.pcsp_size = from.pcsp_size;
    to.iset = from.iset;
    to.exact_tags = from.exact_tags;
    to.uncover_tags = from.uncover_tags;
    to.strict_alignment = from.strict_alignment;
    to.strict = from.strict;
    to.idr_model = from.idr_model;
    std::copy_n(from.window, from.wd.size, to.window);
    std::copy_n(from.window_tags, from.wd.size, to.window_tags);
    // The copied function must not return: below it is only this frame.
    cpu::ChainFrame bottom;
    bottom.return_ip = cpu::kSentinelReturn;
    *to.chain_top++ = bottom;
}

void set_user_stack(cpu::CpuState& state, const AddressSpace& memory, std::uint64_t sp,
                    std::uint64_t bottom) {
    sp &= ~15ull;
    const auto region = memory.region_at(sp ? sp - 1 : 0);
    if (bottom == 0) bottom = region ? region->begin : sp;
    constexpr std::uint64_t kMaxStack = 0xffff'fff0;  // USD.size has 32 bits
    state.usd_base = sp;
    state.usd_size = std::min(sp - bottom, kMaxStack) & ~15ull;
    state.sbr = region ? region->end : sp;
}

std::int64_t start_thread(Call& call, const CloneRequest& request) {
    Process::Impl& p = call.process;
    if (!p.thread_starter) return -EAGAIN;
    {
        std::lock_guard lock(p.thread_mutex);
        if (p.executing || p.threads.size() >= Process::Impl::kMaxThreads) return -EAGAIN;
    }
    auto thread = std::make_shared<Thread>();
    if (!thread->stacks.reserve(kThreadRegisters, kThreadFrames)) return -ENOMEM;
    cpu::CpuState& state = thread->state;
    thread->stacks.attach(state);
    copy_for_thread(call.thread.state, state);
    p.clock->start_thread(call.thread.state, state);
    write_result(state, call.stop, 0);
    if (request.stack)
        set_user_stack(state, call.memory(), request.stack, request.stack_bottom);
    else {
        state.usd_base = call.thread.state.usd_base;
        state.usd_size = call.thread.state.usd_size;
        state.sbr = call.thread.state.sbr;
    }
    if (request.flags & CLONE_SETTLS) {
        state.g[kThreadPointer].lo = request.tls;
        state.g_tags[kThreadPointer] = 0;
    }
    if (request.entry) {
        state.ip = request.entry;
        for (std::size_t k = 0; k < request.arguments.size(); ++k) {
            state.window[k].lo = request.arguments[k];
            state.window_tags[k] = 0;
        }
        thread->library = request.library;
    }
    {
        std::lock_guard lock(p.thread_mutex);
        thread->tid = p.next_tid++;
    }
    if (request.flags & CLONE_CHILD_CLEARTID) thread->clear_child_tid = request.child_tid;
    thread->signals = std::make_shared<Thread::SignalState>();
    thread->signals->interrupt = &state.interrupt;
    thread->signals->mask = call.thread.signals->mask;
    thread->signals->name = p.name_of(call.thread);
    if ((request.flags & CLONE_PARENT_SETTID) && !call.put(request.parent_tid, thread->tid))
        return -EFAULT;
    if ((request.flags & CLONE_CHILD_SETTID) && !call.put(request.child_tid, thread->tid))
        return -EFAULT;
    const std::uint32_t tid = thread->tid;
    p.add_thread(thread);
    if (p.thread_starter(thread)) return tid;
    p.remove_thread(*thread);
    p.thread_ended.notify_all();
    return -EAGAIN;
}

/// In the child of fork(): one thread, a new identity, nothing pending, no timers.
void become_child(Call& call) {
    Process::Impl& p = call.process;
    p.forked = true;
    p.pid = getpid();
    const auto self =
        std::ranges::find_if(p.threads, [&](const auto& t) { return t.get() == &call.thread; });
    p.main_thread = *self;
    p.executing = nullptr;
    p.next_program.reset();
    p.main_thread->signals->parent_death_signal = 0;
    p.main_thread->signals->vfork.reset();
    p.vfork_parent.reset();  // a grandchild does not hold the parent up
    p.threads = {p.main_thread};
    p.main_thread->tid = static_cast<std::uint32_t>(p.pid);
    p.next_tid = p.main_thread->tid + 1;
    for (auto& slot : p.wake_list) slot = nullptr;
    p.wake_list[0] = p.main_thread->signals.get();
    p.wakers = 0;
    p.children.clear();
    p.contexts.keep_only(call.thread);
    for (SiginfoE2k lost; p.inbox.pop(lost);) {
    }
    p.pending.clear();
    call.thread.signals->pending.clear();
    call.thread.signals->pause = false;
    for (GuestTimer& timer : p.timers) {
        timer.used = false;
        timer.due = 0;
    }
    p.virtual_timers = false;
    p.clock->become_child(call.thread.state, p.pid);
    if (p.pump) p.pump->forget_threads();
}

}  // namespace

namespace {

/// What the parent of a vfork may do while it waits: end, and be held by the workbench. Everything
/// else waits with it, as on Linux.
std::int64_t wait_for_vfork(Call& call) {
    Process::Impl& p = call.process;
    Thread::SignalState& signals = *call.thread.signals;
    char byte = 0;
    while (call.blocking(SYS_read, static_cast<std::uint64_t>(signals.vfork->gate),
                         reinterpret_cast<std::uint64_t>(&byte), 1) == kRestart) {
        if (signals.pause.exchange(false)) {
            call.next = Next::Retry;
            return 0;
        }
        signals.wake = 0;
        if (p.must_end(call.thread)) return kRestart;  // deliver() sees to it
    }
    const std::unique_ptr<VforkWait> done = std::move(signals.vfork);
    if (done->pages) done->pages->apply(*p.memory);
    signals.wake = 1;  // what came meanwhile
    return done->child;
}

/// The child of fork() has everything of its own from here on.
void settle_in_child(Call& call, const CloneRequest& request) {
    Process::Impl& p = call.process;
    p.take_over_host_signals();
    p.renew_signal_descriptors();
    if (request.stack)
        set_user_stack(call.thread.state, call.memory(), request.stack, request.stack_bottom);
    if (request.flags & CLONE_SETTLS) call.thread.state.g[kThreadPointer].lo = request.tls;
    call.thread.clear_child_tid = (request.flags & CLONE_CHILD_CLEARTID) ? request.child_tid : 0;
    if (request.flags & CLONE_CHILD_SETTID) call.put(request.child_tid, call.thread.tid);
    if (p.after_fork) p.after_fork(true);
}

}  // namespace

std::int64_t fork_guest(Call& call, const CloneRequest& request) {
    Process::Impl& p = call.process;
    const bool waits = (request.flags & CLONE_VFORK) != 0;
    std::array<int, 2> gate{-1, -1};  // open in the child until it ends or executes
    if (waits && pipe2(gate.data(), O_CLOEXEC) != 0) return -errno;
    const auto pages =
        waits && (request.flags & CLONE_VM) ? VforkPages::create() : std::shared_ptr<VforkPages>();
    pid_t pid = 0;
    int error = 0;
    bool alone = true;
    if (p.before_fork) p.before_fork();
    {
        // Every lock of this process is held, so that the child does not inherit a locked one.
        std::scoped_lock locks(p.thread_mutex, p.signal_mutex, p.timer_mutex, p.exit_mutex,
                               p.contexts.mutex());
        p.memory->lock_for_fork();
        p.fds.lock_for_fork();
        if (p.library) p.library->lock_for_fork();
        alone = p.threads.size() == 1;
        pid = fork();
        error = errno;
        if (pid == 0) become_child(call);
        if (pid > 0) p.children.insert(pid);
        if (pid > 0 && p.sandbox()) p.sandbox()->add_process(pid);
        if (p.library) p.library->unlock_after_fork(pid == 0, call.thread.tid);
        p.fds.unlock_after_fork();
        p.memory->unlock_after_fork(pid == 0);
    }
    if (pid == 0) {
        if (waits) {
            close(gate[0]);
            p.vfork_parent = std::make_unique<VforkChild>(gate[1], pages);
            if (!alone) p.vfork_parent->keep_base(*p.memory);
        }
        settle_in_child(call, request);
        return 0;
    }
    if (p.after_fork) p.after_fork(false);
    if (waits) close(gate[1]);
    if (pid < 0) {
        if (waits) close(gate[0]);
        return -error;
    }
    if (waits) call.thread.signals->vfork = std::make_unique<VforkWait>(pid, gate[0], pages);
    if ((request.flags & CLONE_PARENT_SETTID) && !call.put(request.parent_tid, pid)) return -EFAULT;
    return waits ? wait_for_vfork(call) : pid;
}

namespace {

/// Flags that contradict each other, or ask for what a guest cannot have.
std::int64_t check_flags(std::uint64_t flags) {
    constexpr std::uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                          CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                          CLONE_NEWNET;
    if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND)) return -EINVAL;
    if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM)) return -EINVAL;
    return (flags & kNamespaces) ? -EPERM : 0;
}

}  // namespace

std::int64_t clone_guest(Call& call, const CloneRequest& request) {
    if (call.thread.signals->vfork) return wait_for_vfork(call);
    if (const std::int64_t error = check_flags(request.flags)) return error;
    if ((request.flags & CLONE_VM) && !(request.flags & CLONE_VFORK))
        return start_thread(call, request);
    return fork_guest(call, request);
}

namespace {

std::int64_t sys_fork(Call& call) { return clone_guest(call, {}); }

std::int64_t sys_vfork(Call& call) { return clone_guest(call, {.flags = CLONE_VM | CLONE_VFORK}); }

std::int64_t sys_clone(Call& call) {
    return clone_guest(call, {call.arg[0], call.arg[1], 0, call.arg[2], call.arg[3], call.arg[4]});
}

std::int64_t sys_clone2(Call& call) {
    CloneRequest request{
        call.arg[0], call.arg[1] + call.arg[2], call.arg[1], call.arg[3], call.arg[4], call.arg[5]};
    if (call.arg[2] == 0 || request.stack < call.arg[1]) return -EINVAL;
    if (request.flags == 0) request.flags = SIGCHLD | CLONE_VM | CLONE_FS | CLONE_FILES;
    return clone_guest(call, request);
}

std::int64_t sys_set_tid_address(Call& call) {
    call.thread.clear_child_tid = call.arg[0];
    return call.thread.tid;
}

/// FUTEX_WAIT's time is relative, FUTEX_WAIT_BITSET's absolute.
std::int64_t wait_on_futex(Call& call, int operation, std::uint64_t word, const timespec& time) {
    const auto issue = [&](std::uint64_t flags, const timespec& limit) {
        return call.waiting(SYS_futex, word, flags, call.arg[2],
                            reinterpret_cast<std::uint64_t>(&limit), 0, call.arg[5]);
    };
    if (operation == FUTEX_WAIT)
        return call.wait_for(call.remaining(time), -ETIMEDOUT,
                             [&](const timespec& left) { return issue(call.arg[1], left); });
    if (!call.process.clock->is_virtual()) return issue(call.arg[1], time);
    const bool real = (call.arg[1] & FUTEX_CLOCK_REALTIME) != 0;
    const timespec left = call.until(real ? CLOCK_REALTIME : CLOCK_MONOTONIC, time);
    return call.wait_for(left, -ETIMEDOUT, [&](const timespec& host) {
        return issue(call.arg[1] & ~std::uint64_t{FUTEX_CLOCK_REALTIME},
                     Call::host_end(CLOCK_MONOTONIC, host));
    });
}

std::int64_t sys_futex(Call& call) {
    const int operation = call.integer(1) & FUTEX_CMD_MASK;
    const std::uint64_t word = call.pointer(call.arg[0], 4);
    if (call.arg[0] & 3) return -EINVAL;
    switch (operation) {
        case FUTEX_WAIT:
        case FUTEX_WAIT_BITSET: {
            if (call.arg[3] == 0)
                return call.blocking(SYS_futex, word, call.arg[1], call.arg[2], 0, 0, call.arg[5]);
            timespec time{};
            if (!call.get(call.arg[3], time)) return -EFAULT;
            if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec > 999'999'999) return -EINVAL;
            return wait_on_futex(call, operation, word, time);
        }
        case FUTEX_WAKE:
        case FUTEX_WAKE_BITSET:
        case FUTEX_REQUEUE:
        case FUTEX_CMP_REQUEUE:
        case FUTEX_WAKE_OP:
            return Call::host(SYS_futex, word, call.arg[1], call.arg[2], call.arg[3],
                              call.pointer(call.arg[4], 4), call.arg[5]);
        default:
            return -ENOSYS;  // the PI operations name host threads
    }
}

constexpr std::uint64_t kRobustListSize = 24;
std::int64_t sys_set_robust_list(Call& call) {
    if (call.arg[1] != kRobustListSize) return -EINVAL;
    call.thread.signals->robust_list = call.arg[0];
    return 0;
}
std::int64_t sys_get_robust_list(Call& call) {
    const int tid = call.integer(0);
    const auto thread =
        tid == 0 ? nullptr : call.process.find_thread(static_cast<std::uint32_t>(tid));
    if (tid != 0 && !thread) return -ESRCH;
    const std::uint64_t head =
        thread ? thread->signals->robust_list : call.thread.signals->robust_list;
    if (!call.put(call.arg[1], head)) return -EFAULT;
    return call.put_result(call.arg[2], kRobustListSize);
}

std::int64_t sys_membarrier(Call& call) {
    return Call::host(SYS_membarrier, call.arg[0], call.arg[1], call.arg[2]);
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{2, "fork", {}, sys_fork},
    SyscallRow{120, "clone", {CloneFlags, Ptr, Ptr, Ptr, Ptr}, sys_clone},
    SyscallRow{190, "vfork", {}, sys_vfork},
    SyscallRow{229, "clone2", {CloneFlags, Ptr, Size, Ptr, Ptr, Ptr}, sys_clone2},
    SyscallRow{248, "futex", {Ptr, FutexOp, UInt, TimespecIn, Ptr, Hex}, sys_futex},
    SyscallRow{259, "set_tid_address", {Ptr}, sys_set_tid_address},
    SyscallRow{365, "get_robust_list", {Int, LongOut, LongOut}, sys_get_robust_list},
    SyscallRow{366, "set_robust_list", {Ptr, Size}, sys_set_robust_list},
    SyscallRow{390, "membarrier", {Int, Hex, Int}, sys_membarrier},
};

}  // namespace

std::span<const SyscallRow> thread_rows() { return kRows; }

}  // namespace e2k::guest
