// Process: life of threads and end of the process. Start, signals and calls have their own files.
#include "engine/guest/process.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "engine/guest/libc/library.h"
#include "engine/guest/process_impl.h"

namespace e2k::guest {

Process::Process() : impl_(std::make_unique<Impl>(*this)) {}
Process::~Process() = default;

Process::Impl::Impl(Process& owner) : self(owner) {}

Process::Impl::~Impl() {
    for (GuestTimer& timer : timers)
        if (timer.used) timer_delete(timer.host);
    host_signals::detach(sink_slot);
    pump.reset();
    if (cwd >= 0) close(cwd);
}

AddressSpace& Process::memory() { return *impl_->memory; }
std::shared_ptr<const SymbolTable> Process::symbols() const {
    std::lock_guard lock(impl_->thread_mutex);
    return impl_->symbols;
}
std::string Process::executable() const {
    std::lock_guard lock(impl_->thread_mutex);
    return impl_->executable;
}
unsigned Process::machine_number() const { return impl_->image.e_flags >> 24; }
std::vector<int> Process::children() const {
    std::lock_guard lock(impl_->thread_mutex);
    return {impl_->children.begin(), impl_->children.end()};
}
std::vector<std::uint64_t> Process::auxiliary_vector() const { return impl_->auxiliary_vector; }
std::string Process::name_of(const Thread& thread) const { return impl_->name_of(thread); }
std::shared_ptr<const std::vector<Section>> Process::sections() const {
    std::lock_guard lock(impl_->thread_mutex);
    return impl_->sections;
}
const std::string& Process::notice() const { return impl_->notice; }
Thread& Process::main_thread() { return *impl_->main_thread; }

std::vector<std::shared_ptr<Thread>> Process::threads() const {
    std::lock_guard lock(impl_->thread_mutex);
    return impl_->threads;
}

ExitStatus Process::exit_status() const {
    std::lock_guard lock(impl_->exit_mutex);
    return impl_->status;
}

std::string Process::exit_detail() const {
    std::lock_guard lock(impl_->exit_mutex);
    return impl_->detail;
}

void Process::on_syscall(std::function<void(const SyscallRecord&)> sink) {
    impl_->sink = std::move(sink);
}
void Process::on_new_thread(std::function<bool(std::shared_ptr<Thread>)> starter) {
    impl_->thread_starter = std::move(starter);
}
void Process::on_signal(std::function<SignalVerdict(Thread&, const SiginfoE2k&)> judge) {
    impl_->signal_judge = std::move(judge);
}
void Process::on_fork(std::function<void()> before, std::function<void(bool)> after) {
    impl_->before_fork = std::move(before);
    impl_->after_fork = std::move(after);
}

void Process::Impl::add_thread(const std::shared_ptr<Thread>& thread) {
    std::lock_guard lock(thread_mutex);
    threads.push_back(thread);
    for (auto& slot : wake_list) {
        Thread::SignalState* expected = nullptr;
        if (slot.compare_exchange_strong(expected, thread->signals.get())) break;
    }
    if (wakers.load() == 0) graveyard.clear();
}

std::shared_ptr<Thread> Process::Impl::find_thread(std::uint32_t tid) const {
    std::lock_guard lock(thread_mutex);
    const auto it = std::ranges::find_if(threads, [&](const auto& t) { return t->tid == tid; });
    return it == threads.end() ? nullptr : *it;
}

bool Process::Impl::remove_thread(Thread& thread) {
    std::lock_guard lock(thread_mutex);
    const auto it =
        std::ranges::find_if(threads, [&](const auto& t) { return t.get() == &thread; });
    if (it != threads.end()) {
        for (auto& slot : wake_list) {
            Thread::SignalState* expected = thread.signals.get();
            if (slot.compare_exchange_strong(expected, nullptr)) break;
        }
        graveyard.push_back(std::move(*it));
        threads.erase(it);
    }
    return threads.empty();
}

Next Process::Impl::end_thread(Thread& thread, int code) {
    thread.exited = true;
    release_robust_futexes(thread);
    if (thread.clear_child_tid) {
        const std::uint32_t zero = 0;
        if (memory->write(thread.clear_child_tid, &zero, sizeof zero))
            syscall(SYS_futex, memory->host(thread.clear_child_tid, 4), FUTEX_WAKE, 1, nullptr,
                    nullptr, 0);
    }
    {
        std::lock_guard lock(contexts.mutex());
        contexts.thread_ended(thread);
    }
    const bool last = remove_thread(thread);
    thread_ended.notify_all();
    if (virtual_timers) wake_all();  // who waits in the host sets the timer anew
    if (last) return exit_process({ExitStatus::Kind::Exited, code & 0xff}, "");
    return Next::ThreadExit;
}

Next Process::Impl::exit_process(ExitStatus end, std::string why) {
    {
        std::lock_guard lock(exit_mutex);
        if (exiting) return Next::ProcessExit;
        status = end;
        detail = std::move(why);
        if (pump && !forked) pump->flush();
        exiting = true;
    }
    for (const auto& thread : self.threads())
        if (!thread->exited) release_robust_futexes(*thread);
    if (forked) {
        // The host process exists only for this guest: end it the way its parent waits for.
        release_vfork_parent();
        if (end.kind == ExitStatus::Kind::Signaled) host_signals::die_by(end.value);
        _exit(end.value);
    }
    wake_all();
    return Next::ProcessExit;
}

Next Process::Impl::die(int signal, std::string why) {
    return exit_process({ExitStatus::Kind::Signaled, signal}, std::move(why));
}

}  // namespace e2k::guest
