// What a host signal handler does to a guest process: note the signal, wake the threads.
// Async-signal-safe throughout, and built without the thread sanitizer (engine/CMakeLists.txt).
#include "engine/guest/process_impl.h"

namespace e2k::guest {

void Process::Impl::host_signal(const siginfo_t& info) noexcept {
    SiginfoE2k guest = SiginfoE2k::from_host(info);
    post(guest);
}

void Process::Impl::host_timer(int id, int overrun) noexcept {
    if (id < 0 || id >= kTimers) return;
    GuestTimer& timer = timers[static_cast<std::size_t>(id)];
    if (!timer.used || timer.signal == 0) return;
    if (timer.due != 0) {  // virtual time: whoever waits in the host finds out what is due
        timer.fired.store(true);
        wakers.fetch_add(1);
        for (auto& slot : wake_list)
            if (Thread::SignalState* thread = slot.load())
                if (const int tid = thread->blocked_in.load()) kick_host_thread(tid);
        wakers.fetch_sub(1);
        return;
    }
    timer.overrun.store(static_cast<std::uint32_t>(overrun));
    post(id < kItimers ? SiginfoE2k::kernel(timer.signal)
                       : SiginfoE2k::timer(timer.signal, id, overrun, timer.value));
}

bool Process::Impl::post(const SiginfoE2k& info) noexcept {
    if (info.signo < 1 || info.signo > kSignals) return false;
    const bool room = inbox.push(info);
    wake_all();
    return room;
}

void Process::Impl::wake(Thread::SignalState& thread) noexcept {
    thread.wake.store(1);
    thread.interrupt->store(1);
    if (const int tid = thread.blocked_in.load()) kick_host_thread(tid);
}

void Process::Impl::wake_all() noexcept {
    wakers.fetch_add(1);
    for (auto& slot : wake_list)
        if (Thread::SignalState* thread = slot.load()) wake(*thread);
    wakers.fetch_sub(1);
}

}  // namespace e2k::guest
