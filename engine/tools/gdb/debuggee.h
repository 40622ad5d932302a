// A guest under a debugger: its threads, and going on until something is to be reported.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "engine/history/timeline.h"
#include "engine/machine/guest.h"
#include "engine/tools/gdb/registers.h"

namespace e2k::tools::gdb {

/// Why the guest has stopped.
struct StopReport {
    enum class Kind : std::uint8_t {
        Start,  ///< nothing has been executed yet
        Breakpoint,
        Step,
        Signal,     ///< `value`: number; it is about to reach the thread
        Interrupt,  ///< the debugger wanted it
        Watch,      ///< `value`: address
        CallEntry,  ///< `value`: number of the system call
        CallReturn,
        Fork,     ///< `value`: the child
        Exec,     ///< another program runs in the process
        Begin,    ///< of the history: there is nothing to go back to
        Missing,  ///< this build cannot execute the bundle
        Exited,   ///< `value`: exit code
        Killed,   ///< `value`: signal
    };
    Kind kind = Kind::Start;
    unsigned thread = 1;
    std::uint64_t value = 0;
    guest::WatchKind watch = guest::WatchKind::Write;
    bool ended() const { return kind == Kind::Exited || kind == Kind::Killed; }
};

/// What threads do when the guest goes on.
struct Resume {
    enum class How : std::uint8_t { Stay, Continue, Step };
    struct Action {
        How how = How::Stay;
        int signal = 0;  ///< that the thread gets; 0: the one it has stopped for is dropped
    };
    std::map<unsigned, Action> of_thread;
    Action others;  ///< of all threads not named
    const Action& of(unsigned thread) const {
        const auto it = of_thread.find(thread);
        return it == of_thread.end() ? others : it->second;
    }
};

/// One thread's view; used by one host thread, which also executes the guest's first thread.
class Debuggee {
public:
    struct Options {
        guest::ProcessOptions process;
        machine::Tier tier = machine::Tier::Translator;
        std::function<void(const guest::SyscallRecord&)> on_syscall;
        std::function<void()> on_child;  ///< in a forked child, at once
    };
    static tl::expected<std::unique_ptr<Debuggee>, std::string> start(const std::string& path,
                                                                      Options options);
    ~Debuggee();

    guest::Process& process() { return guest_->process(); }
    machine::Guest& guest() { return *guest_; }

    /// Threads by the numbers that the debugger knows them by: 1, 2, 3 …, never used again.
    std::vector<unsigned> threads();
    bool is_alive(unsigned thread);
    guest::Thread* thread(unsigned number);
    /// As it stands now; of thread 1 if there is none with that number.
    StoppedThread stopped(unsigned number);
    /// The signal information of what the thread has stopped for: 128 bytes, or none.
    std::vector<std::uint8_t> signal_information(unsigned number);

    /// Lets the guest go on until there is something to report. `interrupted` is asked now and
    /// then, and whenever interrupt() has been called.
    StopReport resume(const Resume& how, const std::function<bool()>& interrupted);
    /// From any thread: resume() looks at `interrupted` soon.
    void interrupt();
    // --- the past (debuggee_history.cpp) ---
    /// One bundle back, or to the last place where it would have stopped.
    StopReport back(bool step, const std::function<bool()>& interrupted);
    /// To where so many bundles had been executed. Error: why not.
    tl::expected<StopReport, std::string> go_to(std::uint64_t bundle);
    /// What is recorded, for a person.
    std::string describe_history();
    /// What is looked at is not the guest, but what it was: nothing can be changed.
    bool in_past() const { return in_past_; }
    /// Of the guest, or of what it was.
    guest::AddressSpace& memory();

    /// What the guest does when nobody debugs it any more: to its end, or until `interrupted`.
    StopReport run_alone(const std::function<bool()>& interrupted);
    void kill();

    void set_breakpoint(std::uint64_t address, bool on);
    void watch(const guest::WatchedRange& range, bool on);
    void pass_signals(std::set<int> signals) { passed_ = std::move(signals); }
    /// Which system calls are stopped at; nullopt: none, empty: all.
    void catch_calls(std::optional<std::set<std::uint64_t>> numbers) {
        caught_ = std::move(numbers);
    }
    bool follows_forks = false, follows_exec = false;  ///< whether they are reported

private:
    /// What stands between a thread and the signal it has stopped for.
    struct Judgement {
        int held = 0;  ///< signal that waits for the debugger; 0: none
        std::vector<std::uint8_t> information;
        int approved = 0;  ///< signal that may pass
        int refused = 0;   ///< signal to be dropped
    };
    struct Known {
        std::shared_ptr<guest::Thread> thread;
        machine::Runner* runner = nullptr;
        Judgement judgement;
        std::int64_t system_call = -1;
        std::uint64_t trap_ip = 0, trap_bits = 0;
    };

    Debuggee() = default;
    guest::SignalVerdict judge(guest::Thread& thread, const guest::SiginfoE2k& info);
    void report(machine::Runner& runner, machine::Event event);
    void push(StopReport report);
    std::optional<StopReport> take_report();
    void refresh();
    unsigned number_of(const guest::Thread& thread);
    Known* known(unsigned number);
    void settle_signals(const Resume& how);
    StopReport run(const Resume& how, const std::function<bool()>& interrupted);
    std::optional<StopReport> step(unsigned number, machine::Runner& runner,
                                   const std::function<bool()>& interrupted);
    std::optional<StopReport> run_main();
    std::optional<StopReport> meaning(machine::Runner& runner, machine::Event event);
    std::optional<StopReport> changes(machine::Runner& runner);
    StopReport end();
    tl::expected<void, std::string> enter_past();
    void leave_past();
    StopReport report_of(const history::Found& found) const;
    std::optional<StopReport> forward_in_past(const Resume& how,
                                              const std::function<bool()>& interrupted);
    [[noreturn]] void go_on_as_child();

    Options options_;
    std::unique_ptr<machine::Guest> guest_;
    std::mutex mutex_;  ///< of what guest threads touch: reports, threads and judgements
    std::condition_variable reported_;
    std::deque<StopReport> reports_;
    std::map<unsigned, Known> threads_;
    unsigned next_number_ = 1;
    std::set<std::uint64_t> breakpoints_;
    std::vector<guest::WatchedRange> watches_;
    std::set<int> passed_;
    std::optional<std::set<std::uint64_t>> caught_;
    std::shared_ptr<const guest::SymbolTable> program_;
    std::set<int> children_;
    std::shared_ptr<history::Log> log_;
    std::unique_ptr<history::Timeline> timeline_;  ///< made when it is first gone back
    bool in_past_ = false;
    const std::function<bool()>* cancelled_ = nullptr;
    std::atomic<bool> alone_{false};
    bool main_ended_ = false;
};

}  // namespace e2k::tools::gdb
