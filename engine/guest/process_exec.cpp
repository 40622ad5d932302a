// execve of an Elbrus program: it replaces the old one inside this process. Whatever the workbench
// has decided about the guest (policy, processor, tags, streams, log) stays where it is, out of the
// guest's reach, and no host program is started.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>

#include "engine/guest/process_impl.h"

namespace e2k::guest {
namespace {

/// How long to wait before asking the other threads again to end: a kick can meet a thread between
/// two host calls.
constexpr auto kAskAgain = std::chrono::milliseconds(2);

/// Everything as in a new thread, but for what others may be writing (the interrupt word) and the
/// counters of the run.
void forget_registers(cpu::CpuState& state) {
    const auto fresh = std::make_unique<cpu::CpuState>();
    fresh->bundles = state.bundles;
    fresh->operations = state.operations;
    fresh->clock = state.clock;
    constexpr std::size_t kBegin = offsetof(cpu::CpuState, interrupt);
    constexpr std::size_t kEnd = kBegin + sizeof state.interrupt;
    auto* const to = reinterpret_cast<std::byte*>(&state);
    const auto* const from = reinterpret_cast<const std::byte*>(fresh.get());
    std::memcpy(to, from, kBegin);
    std::memcpy(to + kEnd, from + kEnd, sizeof state - kEnd);
}

/// The name of the process is that of its first host thread, whoever executes.
void name_process(const std::string& name) {
    const int fd = open("/proc/self/comm", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    static_cast<void>(!write(fd, name.data(), name.size()));
    close(fd);
}

}  // namespace

Next Process::Impl::execute_next(Thread& thread) {
    for (;;) {
        if (exiting) return Next::ProcessExit;
        if (thread.signals->pause.exchange(false)) return Next::Retry;
        if (take_signal(thread, signal_bit(SIGKILL))) return die(SIGKILL, "SIGKILL");
        wake_all();
        std::unique_lock lock(thread_mutex);
        if (threads.size() == 1) break;
        thread_ended.wait_for(lock, kAskAgain);
        if (threads.size() == 1) break;
    }
    return replace_program(thread);
}

Next Process::Impl::replace_program(Thread& thread) {
    const std::unique_ptr<NewProgram> next = std::move(next_program);
    release_vfork_parent();

    // What the old program leaves behind.
    fds.close_on_exec();
    drop_handlers();
    {
        std::lock_guard lock(timer_mutex);
        for (std::size_t id = kItimers; id < timers.size(); ++id) {
            if (timers[id].used) timer_delete(timers[id].host);
            timers[id].used = false;
        }
    }
    Thread::SignalState& signals = *thread.signals;
    signals.contexts.clear();
    signals.alt_stack = {0, SS_DISABLE, 0, 0};
    signals.mask_to_restore.reset();
    signals.deadline.reset();
    release_robust_futexes(thread);
    thread.clear_child_tid = 0;
    {
        std::lock_guard lock(aio.mutex);
        aio.all.clear();
    }
    memory->clear();

    // The new one.
    image = std::move(next->image);
    options.argv = std::move(next->argv);
    options.environment = std::move(next->environment);
    invoked_as = std::move(next->invoked_as);
    {
        std::lock_guard lock(thread_mutex);
        executable = std::move(next->executable);
        main_thread = threads.front();
        if (thread.tid != static_cast<std::uint32_t>(pid))
            thread.tid = static_cast<std::uint32_t>(pid);
    }
    set_name(thread, program_name());
    if (owns_host_process() && gettid() != getpid()) name_process(program_name());
    self_state.dumpable = 1;
    executing = nullptr;
    for (auto step : {&Impl::load_program, &Impl::lay_out_stack})
        if (auto done = (this->*step)(); !done) return die(SIGSEGV, "SIGSEGV: " + done.error());
    forget_registers(thread.state);
    thread.stacks = std::move(next->stacks);
    thread.stacks.attach(thread.state);
    enter_program(thread.state);
    thread.library = first_thread_data;
    signals.context.reset();  // only now is nothing of it in use
    std::lock_guard lock(contexts.mutex());
    contexts.clear();
    return Next::Continue;
}

void Process::Impl::release_vfork_parent() {
    if (!vfork_parent) return;
    vfork_parent->hand_over(*memory);
    vfork_parent.reset();
}

}  // namespace e2k::guest
