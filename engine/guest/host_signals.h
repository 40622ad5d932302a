// The host side of signals: handlers that only note what came, and host calls that such a signal
// interrupts without a race. Nothing here knows the guest's rules (signals.cpp does).
#pragma once

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>

#include "engine/guest/structs.h"

namespace e2k::guest {

/// Result of interruptible_call when a wake-up came first; kernel-internal errno values.
inline constexpr long kRestart = -512;        ///< ERESTARTSYS: restart if SA_RESTART allows
inline constexpr long kRestartNoHand = -514;  ///< restart only if no handler ran

/// Host system call `number`, abandoned with kRestart as soon as *wake is nonzero. A kick that
/// arrives between the test and the call is not lost: the handler moves the thread past the call.
long interruptible_call(const std::atomic<std::uint32_t>& wake, long number, std::uint64_t a = 0,
                        std::uint64_t b = 0, std::uint64_t c = 0, std::uint64_t d = 0,
                        std::uint64_t e = 0, std::uint64_t f = 0);

/// Makes host thread `tid` leave an interruptible call. Async-signal-safe.
void kick_host_thread(int tid);
/// The host signal used for kicks and for the guest's timers. No limit makes a kick get lost.
int kick_signal();

/// Bounded queue of signals on their way to the guest: any thread or signal handler pushes without
/// locks; one consumer at a time (under the process's signal lock).
class SignalInbox {
public:
    bool push(const SiginfoE2k& info) noexcept;  ///< false: full, the signal is lost
    bool pop(SiginfoE2k& info) noexcept;
    bool empty() const noexcept {
        return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
    }

private:
    static constexpr std::uint32_t kSlots = 4096;
    struct Slot {
        std::atomic<std::uint32_t> turn{0};  ///< 2 * lap + 1 when filled
        SiginfoE2k info;
    };
    std::array<Slot, kSlots> slots_;
    std::atomic<std::uint32_t> head_{0}, tail_{0};
};

/// Receives host signals. Called inside host signal handlers: async-signal-safe code only.
class HostSignalSink {
public:
    virtual void host_signal(const siginfo_t& info) noexcept = 0;
    virtual void host_timer(int id, int overrun) noexcept = 0;

protected:
    ~HostSignalSink() = default;
};

/// The workbench's handlers, shared by all guest processes in it.
namespace host_signals {
/// Installs the kick handler, ignores SIGPIPE (a guest's broken pipe must not end the workbench).
/// Returns the slot to give back to detach() and to name in timers, or -1 if too many.
int attach(HostSignalSink* sink);
/// The calling thread, which is to execute a guest, takes kicks and faults, whatever signals its
/// maker blocks. Threads that it starts do as well.
void receive_here();
void detach(int slot);  ///< returns when no handler uses the sink any more
/// Routes `signal`, when somebody sends it, to all sinks instead of its current action. Any number
/// but SIGKILL and SIGSTOP: faults of the workbench itself stay faults, kicks stay kicks.
void watch(int signal);
/// Gives `signal` the host action SIG_IGN or SIG_DFL (SIGCHLD's decide about zombies, those of
/// SIGTTIN and SIGTTOU about reading and writing). What the workbench needs itself stays as it is.
void pass_through(int signal, bool ignore);
/// Stops the calling process by `signal`, as its parent sees it, until it is continued.
void stop_by(int signal);
/// Ends the calling process by `signal`, as a shell expects.
[[noreturn]] void die_by(int signal);
/// Whether `signal` is one that the workbench handles for its own purposes, too.
bool is_shared(int signal);
}  // namespace host_signals

}  // namespace e2k::guest
