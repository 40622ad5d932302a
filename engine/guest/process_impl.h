// Inside of a guest process; for the files of engine/guest only.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>

#include "engine/cpu/guest_clock.h"
#include "engine/guest/aio.h"
#include "engine/guest/fd_table.h"
#include "engine/guest/host_signals.h"
#include "engine/guest/limits.h"
#include "engine/guest/process.h"
#include "engine/guest/sandbox.h"
#include "engine/guest/stack_contexts.h"
#include "engine/guest/streams.h"
#include "engine/guest/structs.h"
#include "engine/guest/sysroot.h"
#include "engine/guest/vfork.h"

namespace e2k::guest {

namespace libc {
class Library;
}

inline constexpr int kSignals = 64;
constexpr std::uint64_t signal_bit(int signal) { return 1ull << (signal - 1); }

/// Everything a handler must not disturb: captured at delivery, put back at sigreturn. The window
/// itself stays where it is; the handler's window lies above it.
struct SavedState {
    explicit SavedState(const cpu::CpuState& state);
    void restore(cpu::CpuState& state) const;

    std::uint64_t ip;
    cpu::Reg* window;
    std::uint8_t* window_tags;
    cpu::ChainFrame* chain_top;
    cpu::WindowDescriptor wd;
    cpu::RotationState br;
    cpu::PredicateFile pred;
    cpu::LoopState lsr, ilcr;
    std::array<cpu::Ctpr, 3> ctpr;
    std::uint64_t usd_base, usd_size, sbr;
    std::uint32_t pfpfr, fpcr, fpsr, upsr;
    std::array<cpu::Reg, 16> g;  ///< %g16..%g31
    std::array<std::uint8_t, 16> g_tags;
    cpu::AauState aau;
};

/// A system call that a signal interrupted; its result is not written yet.
struct InterruptedCall {
    cpu::Stop stop;
    bool restartable = false;  ///< SA_RESTART may issue it again (not so for sleeps, polls, waits)
    bool settled = false;      ///< a handler was entered: EINTR written, or restart noted
};

/// One handler in progress.
struct SignalContext {
    SavedState saved;
    bool siginfo = false;              ///< the handler takes (sig, info, ucontext)
    std::uint64_t ucontext = 0;        ///< guest address
    std::optional<cpu::Stop> restart;  ///< system call to issue again after the handler
};

struct Thread::SignalState {
    std::uint64_t mask = 0;                        ///< blocked signals, bit n-1
    std::optional<std::uint64_t> mask_to_restore;  ///< rt_sigsuspend, ppoll: mask after the handler
    StackE2k alt_stack{0, 2 /* SS_DISABLE */, 0, 0};
    std::vector<SignalContext> contexts;  ///< innermost handler last
    /// What the thread executes on; null: its own stacks, as since its start.
    std::shared_ptr<StackContext> context;
    std::vector<SiginfoE2k> pending;   ///< sent to this thread (Impl::signal_mutex)
    std::optional<timespec> deadline;  ///< of the waiting call in progress (Call::deadline)
    std::uint64_t robust_list = 0;
    std::string name;                  ///< PR_SET_NAME (Impl::signal_mutex)
    std::uint64_t host_mask = 0;       ///< signals that this thread's host thread blocks for it
    std::unique_ptr<VforkWait> vfork;  ///< the child this thread waits for
    int parent_death_signal = 0;       ///< PR_SET_PDEATHSIG
    /// Virtual time: what will have passed when the wait in progress times out; 0: none does.
    std::atomic<std::uint64_t> wakes_at{0};

    // Host side, touched by other threads and by host signal handlers.
    std::atomic<std::uint32_t> wake{0};  ///< something is to be looked at; cuts blocking calls
    std::atomic<int> blocked_in{0};      ///< host thread inside an interruptible call, 0 = none
    std::atomic<bool> pause{false};      ///< interrupt_blocked(): leave the call to be retried
    std::atomic<std::uint32_t>* interrupt = nullptr;  ///< CpuState::interrupt
};

/// What a process sets about itself and reads back (process_state.cpp).
struct ProcessState {
    int dumpable = 1;
    bool subreaper = false, no_new_privileges = false, huge_pages_disabled = false;
    std::uint32_t personality = 0;
};

/// What a host descriptor refers to, the same for all its copies.
using DescriptorIdentity = std::pair<std::uint64_t, std::uint64_t>;

/// A descriptor of signalfd4. The host's is the end of a pipe that holds a byte while a signal of
/// `mask` is pending: polls and epolls of it are the host's affair, reads are the guest's.
struct SignalDescriptor {
    std::uint64_t mask = 0;
    int writer = -1, reader = -1;  ///< ends of the pipe that belong to the workbench
    bool ready = false;
};

/// A guest timer: setitimer's three and those of timer_create, all on host POSIX timers. In virtual
/// time the host's is set only while a thread waits in the host (virtual_timers.cpp).
struct GuestTimer {
    bool used = false;
    timer_t host{};
    int clock = 0;
    std::uint64_t due = 0, interval = 0;  ///< virtual time, nanoseconds; due 0: not set
    std::atomic<bool> fired{false};       ///< the host's has sent the signal
    int signal = 0;                       ///< 0: SIGEV_NONE
    std::uint64_t value = 0;
    std::uint32_t thread = 0;  ///< SIGEV_THREAD_ID target, 0 = process
    std::atomic<std::uint32_t> overrun{0};
};

/// A program that execve has opened and checked, with everything it starts from.
struct NewProgram {
    ElfImage image;
    std::string executable;  ///< absolute path
    std::string invoked_as;  ///< as execve was given it
    std::vector<std::string> argv, environment;
    cpu::HardwareStacks stacks;
};

struct Process::Impl final : HostSignalSink {
    static constexpr int kMaxThreads = 1024;
    static constexpr int kItimers = 3;  ///< timers 0..2 are ITIMER_REAL, VIRTUAL, PROF
    static constexpr int kTimers = 64;

    explicit Impl(Process& owner);
    ~Impl();

    Process& self;
    ElfImage image;
    ProcessOptions options;
    std::shared_ptr<const SymbolTable> symbols;
    std::shared_ptr<const std::vector<Section>> sections;
    std::unique_ptr<AddressSpace> memory;
    FdTable fds;
    ResourceLimits limits;
    std::unique_ptr<cpu::GuestClock> clock;  ///< what every reading of the time asks
    std::unique_ptr<StreamPump> pump;        ///< null: the host's descriptors are used
    AioContexts aio;
    int cwd = -1;                           ///< O_PATH descriptor of the guest's working directory
    std::string executable;                 ///< absolute path for /proc/self/exe
    std::string invoked_as;                 ///< what the program's file was called at its start
    std::uint64_t stack_size = kStackSize;  ///< of the main thread, as mapped at the start
    std::uint64_t stack_pointer = 0;        ///< at process start; argument area follows
    std::uint64_t argv_begin = 0, argv_end = 0;  ///< strings, for /proc/self/cmdline
    int pid = 0;
    std::shared_ptr<const Sysroot> sysroot;  ///< null: none
    bool forked = false;                     ///< this host process was made by the guest's fork
    int window = 0;  ///< the process of the window that the guest was started in; 0: none
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();

    /// The C library bridge of a dynamically linked program; null: it is not used.
    std::unique_ptr<libc::Library> library;
    std::shared_ptr<libc::ThreadData> first_thread_data;
    std::array<std::uint8_t, 16> at_random{};  ///< AT_RANDOM
    std::string notice;

    // --- threads ---
    mutable std::mutex thread_mutex;
    std::vector<std::shared_ptr<Thread>> threads;    ///< alive
    std::vector<std::shared_ptr<Thread>> graveyard;  ///< until no signal handler can see them
    std::shared_ptr<Thread> main_thread;
    std::array<std::atomic<Thread::SignalState*>, kMaxThreads> wake_list{};
    std::atomic<int> wakers{0};
    std::uint32_t next_tid = 0;
    std::set<int> children;  ///< pids of forked guest processes
    StackContexts contexts;
    std::unique_ptr<VforkChild> vfork_parent;  ///< this process is a vfork child; till it execs

    // --- execve in progress ---
    std::atomic<Thread*> executing{nullptr};  ///< the thread that goes on; all others end
    std::unique_ptr<NewProgram> next_program;
    std::condition_variable thread_ended;  ///< with thread_mutex

    // --- what the process says about itself ---
    ProcessState self_state;
    std::uint64_t environment_end = 0;  ///< of its strings, which begin at argv_end
    std::vector<std::uint64_t> auxiliary_vector;

    // --- signals ---
    std::mutex signal_mutex;
    std::array<SigactionE2k, kSignals + 1> actions{};
    std::vector<SiginfoE2k> pending;  ///< sent to the process
    SignalInbox inbox;
    std::atomic<std::uint64_t> watched{0};
    /// signalfd: which signals each reports, by the identity of its host descriptor.
    std::map<DescriptorIdentity, SignalDescriptor> signal_descriptors;
    std::atomic<bool> has_signal_descriptors{false};
    std::atomic<bool> has_memory_files{false};  ///< /proc/self/mem has been opened
    int sink_slot = -1;
    std::array<GuestTimer, kTimers> timers;
    std::mutex timer_mutex;
    std::atomic<bool> virtual_timers{false};  ///< one is set in virtual time

    // --- end ---
    std::atomic<bool> exiting{false};
    mutable std::mutex exit_mutex;
    ExitStatus status;
    std::string detail;

    // --- log ---
    std::function<void(const SyscallRecord&)> sink;
    std::atomic<std::uint64_t> sequence{0};
    std::atomic<std::uint64_t> random_state{0};  ///< ProcessOptions::seed
    std::function<SignalVerdict(Thread&, const SiginfoE2k&)> signal_judge;
    std::function<bool(std::shared_ptr<Thread>)> thread_starter;
    std::function<void()> before_fork;
    std::function<void(bool)> after_fork;

    // process_start.cpp
    tl::expected<void, std::string> load_program();
    /// Of a dynamically linked program: libraries, relocations, the C library bridge
    /// (process_link.cpp).
    tl::expected<void, std::string> link_program();
    void publish_symbols();
    tl::expected<void, std::string> lay_out_stack();
    tl::expected<void, std::string> open_streams();
    tl::expected<void, std::string> make_main_thread();
    /// What follows from the seed; false: there is none.
    bool seeded_random(std::span<std::uint8_t> to);
    /// What the caller of the workbench ignores and blocks, the guest ignores and blocks.
    void inherit_signals();
    /// The state at the first bundle: a fresh `state` with empty stacks becomes the program's.
    void enter_program(cpu::CpuState& state) const;

    // process_exec.cpp
    /// Replaces the program by next_program as soon as `thread` is the only one. Retry: the wait
    /// for the others was cut short; call again.
    Next execute_next(Thread& thread);
    Next replace_program(Thread& thread);
    /// What the parent of a vfork waits for: this process has ended or executes another program.
    void release_vfork_parent();

    // libc/dispatch.cpp
    /// A call of the C library bridge, which has its own entry for `sdisp`.
    Next library_call(Thread& thread, const cpu::Stop& stop);
    /// Its result when a signal handler has been entered instead.
    void interrupt_library_call(Thread& thread, const cpu::Stop& stop) const;

    // threads (process.cpp)
    void add_thread(const std::shared_ptr<Thread>& thread);
    bool remove_thread(Thread& thread);         ///< true: it was the last one
    Next end_thread(Thread& thread, int code);  ///< clear_child_tid, futex wake; last one: exit
    std::shared_ptr<Thread> find_thread(std::uint32_t tid) const;
    /// Futexes that a thread still owns at its end are marked, and a waiter wakes (robust.cpp).
    void release_robust_futexes(Thread& thread);

    // syscalls/process_state.cpp
    std::string name_of(const Thread& thread);
    std::string program_name() const;                        ///< of a program that has just begun
    void set_name(Thread& thread, const std::string& name);  ///< `thread` is the calling one

    // signal_posting.cpp
    void host_signal(const siginfo_t& info) noexcept override;
    void host_timer(int id, int overrun) noexcept override;
    /// To the process; async-signal-safe. False: too many are on their way.
    bool post(const SiginfoE2k& info) noexcept;
    static void wake(Thread::SignalState& thread) noexcept;
    void wake_all() noexcept;

    // virtual_timers.cpp: timers and waits in virtual time
    /// Sets timer `id` (timer_mutex) and says what it was set to.
    void set_virtual_timer(Thread& thread, int id, bool absolute, const itimerspec& fresh,
                           itimerspec& old);
    itimerspec virtual_timer(const Thread& thread, int id) const;  ///< timer_mutex
    /// Sends the signals of timers that are due; bundles until the next one is.
    std::uint64_t run_timers(Thread& thread);
    /// Lets time pass without bundles. False: a timer came first, no more than that has passed.
    bool let_time_pass(Thread& thread, std::uint64_t nanoseconds);
    /// A thread or child has something to do before `until` has passed; waiting is worth while.
    bool others_run(const Thread& thread, std::uint64_t until);

    // signals.cpp
    void post_to(Thread& thread, const SiginfoE2k& info);
    /// Takes the next signal of `accept` that is pending for the thread or the process.
    std::optional<SiginfoE2k> take_signal(Thread& thread, std::uint64_t accept);
    std::uint64_t pending_set(Thread& thread);
    /// A pending signal, or the process, ends the thread whatever else it does.
    bool must_end(Thread& thread);
    bool ignores(int signal) const;  ///< SIG_IGN, or default that does nothing
    /// Acts on everything pending; `call` is settled if a handler was entered.
    Next deliver(Thread& thread, InterruptedCall* call);
    /// A fault: its handler, or death if there is none or the signal is blocked.
    Next force(Thread& thread, const SiginfoE2k& info, std::string why);
    void stop_process(int signal);
    /// What the debugger says, if there is one; a signal that it holds is pending again.
    SignalVerdict judge(Thread& thread, const SiginfoE2k& info, bool queued);
    void fetch_pending();  ///< from the inbox (signal_mutex)

    // signal_frame.cpp
    /// False if the frame does not fit anywhere.
    bool enter_handler(Thread& thread, const SiginfoE2k& info, const SigactionE2k& action,
                       InterruptedCall* call);
    Next leave_handler(Thread& thread);
    /// The function of a made context has returned (syscalls/context_calls.cpp).
    Next finish_context(Thread& thread);
    /// longjmp out of handlers: forgets those entered above `depth` chain frames.
    static void drop_contexts(Thread& thread, std::size_t depth);
    /// execve: handlers become default actions, what is ignored stays so.
    void drop_handlers();
    void watch_signal(int signal);
    /// Once this host process is the guest's own: signals that the workbench also uses itself.
    void take_over_host_signals();
    /// Beside a window: signals that the guest, or its children, can bring upon the workbench are
    /// the guest's.
    void shield_window();
    /// The host's disposition; `blocked`: by the calling thread.
    void follow_action(int signal, const SigactionE2k& action, std::uint64_t blocked);
    void follow_mask(Thread& thread);  ///< the host thread's mask

    // syscalls/signal_descriptors.cpp
    /// Readable are those for which something is pending (signal_mutex).
    void descriptors_follow();
    /// In the child of a fork: descriptors of its own.
    void renew_signal_descriptors();

    bool owns_host_process() const { return forked || !pump; }
    /// Null outside of the sandbox.
    Sandbox* sandbox() const { return options.policy.state.get(); }

    // end of the process (process.cpp)
    Next exit_process(ExitStatus status, std::string detail);
    Next die(int signal, std::string detail);
};

/// Writes a system call's result where its caller looks for it: %b[0].
void write_result(cpu::CpuState& state, const cpu::Stop& stop, std::int64_t value);

/// "SIGSEGV"; "SIGRT5"; "signal 99".
std::string signal_name(int signal);
/// Signals that mean the workbench itself where the guest runs beside its window.
bool is_windows_own(int signal);
/// "ENOENT"; "errno 999".
std::string errno_name(int error);

}  // namespace e2k::guest
