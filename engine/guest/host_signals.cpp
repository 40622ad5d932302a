#include "engine/guest/host_signals.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

#include "engine/cpu/host_faults.h"

// A host system call with the test of the wake word and the call itself between two labels. A
// signal handler that finds the thread between them sends it to `cut`, so a wake-up is either seen
// by the test, or moves the thread, or interrupts the call in the kernel.
extern "C" long e2k_interruptible_call(const void* wake, long number, std::uint64_t a,
                                       std::uint64_t b, std::uint64_t c, std::uint64_t d,
                                       std::uint64_t e, std::uint64_t f);
extern "C" const char e2k_interruptible_begin[], e2k_interruptible_end[], e2k_interruptible_cut[];
asm(R"(
    .text
    .p2align 4
    .globl e2k_interruptible_call
    .hidden e2k_interruptible_call
    .type e2k_interruptible_call, @function
e2k_interruptible_call:
    .cfi_startproc
    endbr64
    mov %rsi, %rax
    mov %rdi, %r11
    mov %rdx, %rdi
    mov %rcx, %rsi
    mov %r8, %rdx
    mov %r9, %r10
    mov 8(%rsp), %r8
    mov 16(%rsp), %r9
    .globl e2k_interruptible_begin
    .hidden e2k_interruptible_begin
e2k_interruptible_begin:
    cmpl $0, (%r11)
    jne e2k_interruptible_cut
    syscall
    .globl e2k_interruptible_end
    .hidden e2k_interruptible_end
e2k_interruptible_end:
    ret
    .globl e2k_interruptible_cut
    .hidden e2k_interruptible_cut
e2k_interruptible_cut:
    mov $-512, %rax
    ret
    .cfi_endproc
    .size e2k_interruptible_call, . - e2k_interruptible_call
)");

#ifdef E2K_THREAD_SANITIZER
/// The C library's own name for sigaction, which the thread sanitizer does not replace. Its
/// replacement defers handlers to places it knows and gives them a copy of the registers; here a
/// handler must move the interrupted thread at once.
extern "C" int __sigaction(int, const struct sigaction*, struct sigaction*) noexcept;
#endif

namespace e2k::guest {
namespace {

int set_action(int signal, const struct sigaction& action) {
#ifdef E2K_THREAD_SANITIZER
    return __sigaction(signal, &action, nullptr);
#else
    return sigaction(signal, &action, nullptr);
#endif
}

constexpr int kMaxSinks = 32;
std::array<std::atomic<HostSignalSink*>, kMaxSinks> g_sinks;
std::atomic<int> g_handlers_running{0};
std::mutex g_install_mutex;

void leave_interruptible_call(void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    const auto ip = static_cast<std::uint64_t>(registers[REG_RIP]);
    if (ip >= reinterpret_cast<std::uint64_t>(e2k_interruptible_begin) &&
        ip < reinterpret_cast<std::uint64_t>(e2k_interruptible_end))
        registers[REG_RIP] = reinterpret_cast<greg_t>(e2k_interruptible_cut);
}

/// Signals that reach the guest when they come from outside.
std::atomic<std::uint64_t> g_watched{0};

constexpr std::uint64_t bit(int signal) { return 1ull << (signal - 1); }
constexpr std::array kFaults{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
bool is_fault(int signal) { return std::ranges::find(kFaults, signal) != kFaults.end(); }
/// The C library keeps two signals to itself: for cancelling threads, and for changing the ids of
/// all of them.
constexpr int kCancel = 32, kSetIds = 33;
/// Not one of the real-time signals: those are lost where the queue of signals is full, and how
/// long it may be is the guest's to set. Without a handler, in a program just executed, it does
/// nothing.
constexpr int kKick = SIGURG;

void hand_on(const siginfo_t& info) {
    g_handlers_running.fetch_add(1);
    for (auto& slot : g_sinks)
        if (HostSignalSink* sink = slot.load()) sink->host_signal(info);
    g_handlers_running.fetch_sub(1);
}

bool is_own(const siginfo_t& info) { return info.si_pid == getpid(); }

/// Without room in the queue of signals (RLIMIT_SIGPENDING) the kernel delivers a kick, but has
/// forgotten who sent it.
bool is_kick(const siginfo_t& info) {
    const bool forgotten = info.si_code == SI_USER && info.si_pid == 0 && info.si_uid == 0;
    return forgotten || (info.si_code == SI_TKILL && is_own(info));
}

void on_kick(int signal, siginfo_t* info, void* context) {
    const int saved = errno;
    if (info->si_code == SI_TIMER) {
        const int value = info->si_value.sival_int;
        g_handlers_running.fetch_add(1);
        if (HostSignalSink* sink = g_sinks[static_cast<std::size_t>(value >> 16) % kMaxSinks])
            sink->host_timer(value & 0xffff, info->si_overrun);
        g_handlers_running.fetch_sub(1);
    } else if (!is_kick(*info) && (g_watched.load() & bit(signal))) {
        hand_on(*info);  // somebody else uses the number
    }
    leave_interruptible_call(context);
    errno = saved;
}

void on_watched(int signal, siginfo_t* info, void* context) {
    const int saved = errno;
    // What the kernel says of a broken pipe comes from the writer itself; the call tells the guest.
    if (signal != SIGPIPE || !is_own(*info)) hand_on(*info);
    leave_interruptible_call(context);
    errno = saved;
}

/// One of the five fault signals was sent.
bool on_sent_fault(int signal, siginfo_t* info, void* context) {
    if (!(g_watched.load() & bit(signal))) return false;
    on_watched(signal, info, context);
    return true;
}

void install(int signal, void (*handler)(int, siginfo_t*, void*)) {
    struct sigaction action {};
    action.sa_sigaction = handler;
    // SA_RESTART spares the rest of the workbench EINTR. An interruptible call is not restarted:
    // the kernel has moved it back to its `syscall`, where the handler finds it.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigfillset(&action.sa_mask);
    for (int fault : kFaults) sigdelset(&action.sa_mask, fault);
    set_action(signal, action);
}

/// sigaction as the kernel knows it, for the signals that the C library does not let go.
struct KernelAction {
    void (*handler)(int, siginfo_t*, void*);
    unsigned long flags;
    void (*restorer)();
    std::uint64_t mask;
};
std::array<std::atomic<void (*)(int, siginfo_t*, void*)>, 2> g_library_handlers;

void on_library_signal(int signal, siginfo_t* info, void* context) {
    const auto library = g_library_handlers[static_cast<std::size_t>(signal - kCancel)].load();
    if (info->si_code == SI_TKILL && is_own(*info)) {
        if (library) library(signal, info, context);
        return;
    }
    on_watched(signal, info, context);
}

void install_library_signal(int signal) {
    // The C library sets its own handler with the first thread: let it be done with that.
    static std::once_flag once;
    std::call_once(once, [] {
        try {
            std::thread([] {}).join();
        } catch (const std::system_error&) {  // no more threads; then it has none to cancel either
        }
    });
    KernelAction mine{}, library{};
    // The restorer is the C library's; every action that it has set names it.
    if (syscall(SYS_rt_sigaction, kick_signal(), nullptr, &mine, sizeof mine.mask) != 0) return;
    if (syscall(SYS_rt_sigaction, signal, nullptr, &library, sizeof mine.mask) != 0) return;
    mine.handler = on_library_signal;
    if (library.handler == on_library_signal) return;
    const bool has_handler = reinterpret_cast<std::uintptr_t>(library.handler) > 1;
    g_library_handlers[static_cast<std::size_t>(signal - kCancel)].store(
        has_handler ? library.handler : nullptr);
    syscall(SYS_rt_sigaction, signal, &mine, nullptr, sizeof mine.mask);
}

/// Back to the default action, whatever the C library thinks of the number.
void set_default(int signal) {
    KernelAction standard{};
    syscall(SYS_rt_sigaction, signal, &standard, nullptr, sizeof standard.mask);
    const std::uint64_t set = bit(signal);
    syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, nullptr, sizeof set);
}

}  // namespace

int kick_signal() { return kKick; }

void kick_host_thread(int tid) { syscall(SYS_tgkill, getpid(), tid, kick_signal()); }

long interruptible_call(const std::atomic<std::uint32_t>& wake, long number, std::uint64_t a,
                        std::uint64_t b, std::uint64_t c, std::uint64_t d, std::uint64_t e,
                        std::uint64_t f) {
    static_assert(sizeof(wake) == 4);
    const long result = e2k_interruptible_call(&wake, number, a, b, c, d, e, f);
    return result == -EINTR ? kRestart : result;
}

bool SignalInbox::push(const SiginfoE2k& info) noexcept {
    std::uint32_t at = head_.load();
    do {
        if (at - tail_.load() >= kSlots) return false;
    } while (!head_.compare_exchange_weak(at, at + 1));
    Slot& slot = slots_[at % kSlots];
    slot.info = info;
    slot.turn.store(2 * (at / kSlots) + 1, std::memory_order_release);
    return true;
}

bool SignalInbox::pop(SiginfoE2k& info) noexcept {
    const std::uint32_t at = tail_.load();
    if (at == head_.load()) return false;
    Slot& slot = slots_[at % kSlots];
    // A pusher that has claimed the slot but not filled it yet will wake the guest once more.
    if (slot.turn.load(std::memory_order_acquire) != 2 * (at / kSlots) + 1) return false;
    info = slot.info;
    tail_.store(at + 1);
    return true;
}

namespace host_signals {

int attach(HostSignalSink* sink) {
    std::lock_guard lock(g_install_mutex);
    static bool installed = false;
    if (!installed) {
        install(kick_signal(), on_kick);
        signal(SIGPIPE, SIG_IGN);
        installed = true;
    }
    for (int slot = 0; slot < kMaxSinks; ++slot) {
        HostSignalSink* expected = nullptr;
        if (g_sinks[static_cast<std::size_t>(slot)].compare_exchange_strong(expected, sink))
            return slot;
    }
    return -1;
}

void receive_here() {
    std::uint64_t needed = bit(kKick);
    for (const int fault : kFaults) needed |= bit(fault);
    syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &needed, nullptr, sizeof needed);
}

void detach(int slot) {
    if (slot < 0) return;
    g_sinks[static_cast<std::size_t>(slot)] = nullptr;
    while (g_handlers_running.load() != 0) sched_yield();
}

void watch(int signal) {
    std::lock_guard lock(g_install_mutex);
    const bool known = (g_watched.fetch_or(bit(signal)) & bit(signal)) != 0;
    if (is_fault(signal))
        cpu::receive_sent_faults(on_sent_fault);
    else if (signal == kCancel || signal == kSetIds)
        install_library_signal(signal);
    else if (signal != kick_signal() || !known)
        install(signal, signal == kick_signal() ? on_kick : on_watched);
}

bool is_shared(int signal) {
    return is_fault(signal) || signal == kick_signal() || signal == SIGPIPE || signal == kCancel ||
           signal == kSetIds;
}

void pass_through(int signal, bool ignore) {
    if (is_shared(signal)) return;
    std::lock_guard lock(g_install_mutex);
    g_watched.fetch_and(~bit(signal));
    ::signal(signal, ignore ? SIG_IGN : SIG_DFL);
}

void stop_by(int signal) {
    const std::lock_guard lock(g_install_mutex);
    set_default(signal);
    kill(getpid(), signal);
    if (g_watched.load() & bit(signal)) install(signal, on_watched);
}

void die_by(int signal) {
    const rlimit no_core{0, 0};  // the guest's core is not the workbench's
    setrlimit(RLIMIT_CORE, &no_core);
    set_default(signal);
    kill(getpid(), signal);
    _exit(128 + signal);
}

}  // namespace host_signals
}  // namespace e2k::guest
