// A started program and what executes it: one Runner per guest thread, each on a host thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "engine/cpu/interpreter.h"
#include "engine/guest/process.h"
#include "engine/guest/sandbox.h"
#include "engine/history/recorder.h"
#include "engine/machine/snapshot.h"
#include "engine/translate/translator.h"

namespace e2k::machine {

/// What ended one stretch of execution, after the Linux layer has done its part.
enum class Event : std::uint8_t {
    Budget,       ///< the number of bundles asked for has run
    Handled,      ///< a system call, signal or code change was dealt with; go on
    Interrupted,  ///< CpuState::interrupt was raised: look for commands, then go on
    Blocked,      ///< a waiting system call was cut short; it continues at the next advance()
    Breakpoint,   ///< about to execute a bundle with a breakpoint
    CallEntry,    ///< a system call that is caught (GuestOptions::catches) is about to be made
    CallReturn,   ///< and has been made
    Failed,       ///< this build cannot execute the bundle (see Runner::trap)
    ThreadEnd,
    ProcessEnd,
};

class Guest;

/// Executes one guest thread. Used by one host thread at a time.
class Runner final : private translate::CallService {
public:
    Runner(Guest& guest, std::shared_ptr<guest::Thread> thread);

    Guest& guest() { return guest_; }
    guest::Thread& thread() { return *thread_; }
    cpu::CpuState& state() { return thread_->state; }
    cpu::Interpreter& interpreter() { return interpreter_; }
    /// Last trap that reached the guest as a signal or stopped it; code None if none.
    const cpu::Trap& trap() const { return trap_; }
    /// A system call waits to be continued: state().ip is already behind it.
    bool in_system_call() const { return pending_call_.has_value(); }
    const std::optional<cpu::Stop>& pending_call() const { return pending_call_; }
    /// Number of the system call of the last CallEntry or CallReturn.
    std::uint32_t call_number() const { return call_number_; }
    bool ended() const { return ended_; }

    /// One stretch in the guest's tier, and the consequences of its end. `max_bundles` other than 0
    /// bounds it and makes the interpreter run it.
    Event advance(std::uint64_t max_bundles = 0);
    /// Takes over code changes and breakpoints set since; advance() does this itself.
    void prepare();
    /// Exactly one bundle in the interpreter, a breakpoint on it ignored.
    Event step();
    /// The next advance() begins with a step(), to get off a breakpoint.
    void leave_breakpoint() { step_first_ = true; }
    /// What a stop of either tier means for the thread.
    Event handle(const cpu::Stop& stop);

    /// From any thread: [begin, end) no longer holds the code it held.
    void code_changed(std::uint64_t begin, std::uint64_t end);
    void interrupt() { thread_->state.interrupt.store(1); }

    std::uint64_t bundles() const { return bundles_.load(std::memory_order_relaxed); }
    std::uint64_t operations() const { return operations_.load(std::memory_order_relaxed); }

private:
    Event advance_region();
    Answer serve(cpu::CpuState& state, const cpu::Stop& call) override;
    Event after(guest::Next next, const cpu::Stop& stop);
    Event make_pending_call();
    bool is_caught(const cpu::Stop& call);
    history::Recorder* recorder() const;  ///< of this thread; null: it is not recorded
    /// Work of the Linux layer, which reaches watched pages, too.
    template <class Work>
    guest::Next by_kernel(history::EventKind kind, std::uint64_t number, Work&& work);
    guest::Next system_call(const cpu::Stop& call);
    void drop_changed_code();
    void count();

    Guest& guest_;
    std::shared_ptr<guest::Thread> thread_;
    cpu::Interpreter interpreter_;
    cpu::Trap trap_;
    std::optional<cpu::Stop> pending_call_;
    bool caught_ = false;  ///< Event::CallEntry has been reported for it
    std::uint32_t call_number_ = 0;
    /// What a call has come to that was answered in translated code and is not simply done.
    std::optional<std::pair<guest::Next, cpu::Stop>> served_;
    bool step_first_ = false, ended_ = false;
    std::uint64_t breakpoint_generation_ = 0;

    std::mutex changed_mutex_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> changed_;
    std::atomic<bool> has_changed_{false};
    std::atomic<std::uint64_t> bundles_{0}, operations_{0};  ///< as of the last event
};

struct GuestOptions {
    guest::ProcessOptions process;
    translate::TranslatorOptions translator;
    Tier tier = Tier::Translator;
    bool start_stopped = false;   ///< guest threads wait for let_go()
    bool report_children = true;  ///< on_syscall also in forked children
    /// Called before each region, or, by the interpreter, each bundle, on the guest thread that
    /// executes it; regions do not lead to others then.
    std::function<void(Runner&)> on_enter;
    /// Called for each finished system call, on the guest thread that made it.
    std::function<void(const guest::SyscallRecord&)> on_syscall;
    /// Says of a system call whether the thread stops before and after it.
    std::function<bool(Runner&, std::uint32_t number)> catches;
    /// Called first thing in a child that the guest has forked.
    std::function<void()> on_child;
    /// Called on another guest thread's host thread when it needs attention: it met a breakpoint,
    /// failed, or ended the process.
    std::function<void(Runner&, Event)> on_event;
};

/// A process, its translator and its runners. The thread that owns the Guest executes main();
/// further guest threads have host threads of their own, which hold_all() stops at bundle borders.
class Guest {
public:
    static tl::expected<std::unique_ptr<Guest>, std::string> start(const std::string& path,
                                                                   GuestOptions options);
    ~Guest();  ///< kills what still runs and joins its host threads
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;

    guest::Process& process() { return *process_; }
    translate::Translator& translator() { return *translator_; }
    Runner& main() { return *main_; }
    /// What whoever started the program should know; usually empty.
    const std::string& notice() const { return notice_; }
    /// What the sandbox has refused since the last time.
    std::vector<guest::Sandbox::Refusal> take_refusals();
    /// Threads come back after every region (GuestOptions::on_enter).
    bool by_regions() const { return by_regions_; }
    void entering(Runner& runner) const {
        if (options_.on_enter) options_.on_enter(runner);
    }
    Tier tier() const { return tier_.load(std::memory_order_relaxed); }
    void set_tier(Tier tier) { tier_.store(tier, std::memory_order_relaxed); }
    /// This host process is a child made by the guest's fork: nobody looks at it.
    bool forked() const { return forked_.load(std::memory_order_relaxed); }

    /// A child goes on to its end: no other thread of the workbench exists there, and its locks may
    /// be held by those that do not.
    [[noreturn]] void run_forked();

    /// Breakpoints of all threads: those of the user, and one more that stepping needs. Call while
    /// everything is held.
    void set_breakpoints(std::vector<std::uint64_t> user, std::optional<std::uint64_t> stepping);
    const std::vector<std::uint64_t>& user_breakpoints() const { return user_breakpoints_; }
    const std::vector<std::uint64_t>& breakpoints() const { return breakpoints_; }
    std::uint64_t breakpoint_generation() const { return breakpoint_generation_; }

    /// Records what happens from now on; nothing of the guest runs. Null: no more.
    void record(std::shared_ptr<history::Log> log);
    history::Recorder* recorder() { return recorder_.get(); }
    /// Something that the user does to the state of the thread that is recorded.
    template <class Work>
    void edit(Work&& work) {
        if (recorder_) recorder_->before(history::EventKind::Edit, 0);
        work();
        if (recorder_) recorder_->after(true, false);
    }

    void code_changed(std::uint64_t begin, std::uint64_t end);  ///< any guest thread
    void interrupt_all();  ///< every runner leaves at its next safepoint; any thread
    void hold_all();       ///< returns when no other runner executes
    void request_hold();   ///< other runners stop at their next event; any thread
    /// These stay where they are when the others go on. Call while everything is held.
    void park(std::vector<Runner*> runners);
    /// Whether GuestOptions::catches wants to see the call with this number.
    bool catches(Runner& runner, std::uint32_t number) const;
    void let_go();       ///< other runners go on
    void join_others();  ///< waits until every other guest thread has ended
    std::size_t thread_count() const;
    /// All that have not ended, the main one first; while everything is held.
    std::vector<Runner*> runners();
    std::uint64_t bundles() const;  ///< of all threads, ended ones included
    std::uint64_t operations() const;

private:
    Guest() = default;
    struct Crew;
    /// False: the host has no more threads.
    bool add_thread(std::shared_ptr<guest::Thread> thread);
    void lock_for_fork();
    void unlock_after_fork(bool in_child);
    void run_thread(Crew& crew, Runner& runner);
    bool is_closing(const Crew& crew) const;
    bool is_parked(const Runner& runner) const;  ///< Crew::mutex

    GuestOptions options_;
    std::unique_ptr<guest::Process> process_;
    std::unique_ptr<history::Recorder> recorder_;
    std::unique_ptr<translate::Translator> translator_;
    bool by_regions_ = false;
    std::atomic<Tier> tier_{Tier::Translator};
    std::atomic<bool> forked_{false};
    std::unique_ptr<Runner> main_;
    std::unique_ptr<Crew> crew_;
    std::mutex log_mutex_;  ///< one report at a time, and none while a process forks
    std::vector<std::uint64_t> user_breakpoints_, breakpoints_;
    std::uint64_t breakpoint_generation_ = 0;
    std::vector<Runner*> parked_;  ///< Crew::mutex
    std::string notice_;
};

}  // namespace e2k::machine
