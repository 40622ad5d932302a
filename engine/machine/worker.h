// The worker thread of a Machine: owns the guest, executes commands, publishes what happens.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/machine/bounded_log.h"
#include "engine/machine/command_queue.h"
#include "engine/machine/exchange.h"
#include "engine/machine/guest.h"
#include "engine/machine/input_queue.h"
#include "engine/machine/machine.h"
#include "engine/machine/snapshot_builder.h"
#include "engine/machine/thread_standing.h"
#include "engine/machine/ticker.h"

namespace e2k::machine {

/// What the guest is running for.
struct Goal {
    enum class Kind : std::uint8_t { None, Free, Steps, Arrive } kind = Kind::None;
    std::uint64_t remaining = 0;  ///< Steps: bundles to go
    std::uint64_t address = 0;    ///< Arrive: stop before this bundle …
    std::size_t depth = 0;        ///< … when the call depth is at most this
    bool started = false;
};

class Worker {
public:
    Worker();
    ~Worker();

    // --- any thread ---
    void send(Command command);
    std::shared_ptr<const Snapshot> snapshot() { return exchange_.latest(); }
    void on_publish(std::function<void()> wake);
    void wait_until_stopped();

    BoundedLog<guest::SyscallRecord> syscalls;
    BoundedLog<ConsoleChunk> console;
    BoundedLog<Notice> notices;

private:
    using Clock = std::chrono::steady_clock;

    void run();
    void execute_commands();
    void supervise();
    void count_command();  ///< it has been executed
    void stretch();        ///< one stretch of the running guest
    void pace();           ///< waits where a speed limit asks for it
    Event advance_goal();
    void react(Event event);
    void attend_others();

    // commands (worker_commands.cpp)
    void execute(Open& command);
    void execute(Run& command);
    void execute(Pause& command);
    void execute(StepBundle& command);
    void execute(StepOver& command);
    void execute(StepOut& command);
    void execute(RunTo& command);
    void execute(SetBreakpoint& command);
    void execute(Restart& command);
    void execute(Kill& command);
    void execute(SetTier& command);
    void execute(SetProfile& command);
    void execute(SetSpeed& command);
    void execute(Input& command);
    void execute(ShowCode& command);
    void execute(ShowRegion& command);
    void execute(ReadMemory& command);
    void execute(WriteRegister& command);
    void execute(WatchQuality& command);
    void execute(ShowThread& command);
    void execute_steps(std::uint64_t count);
    bool alive(const char* what);  ///< a guest that can run; else a notice
    void launch();
    void drop_guest();

    void begin(Goal goal);
    void stop(RunState state, std::string banner);
    void stop_at_breakpoint(Runner& runner);
    void end_of_process();
    void place_breakpoints();

    void publish();
    void publish_live();
    void wake();
    void hand_over(std::shared_ptr<Snapshot> snapshot);
    void report_refusals();
    void notice(std::string text, bool error = false);
    std::string place(std::uint64_t address) const;

    // The program.
    std::string path_;
    LaunchOptions launch_;
    std::unique_ptr<Guest> guest_;  ///< written under guest_mutex_
    std::mutex guest_mutex_;        ///< senders and the ticker interrupt through guest_
    std::unique_ptr<SnapshotBuilder> builder_;
    std::unique_ptr<InputQueue> input_;

    /// Where programs executed by this thread may write, once it is behind the wall for that.
    std::optional<std::vector<std::string>> walled_for_;
    bool on_another_thread_ = false;  ///< launch() goes on there
    std::deque<Command> commands_;    ///< taken from the queue, not yet executed

    // What is going on.
    RunState state_ = RunState::NoProgram;
    mode_t umask_ = 0;                        ///< the window's, which each guest starts with
    std::optional<ThreadStanding> standing_;  ///< the same
    std::string banner_;
    Runner* focus_ = nullptr;  ///< the thread that panels show and that is stepped
    bool main_ended_ = false;
    Goal goal_;
    Tier tier_ = Tier::Translator;
    double speed_ = 0;
    std::vector<std::uint64_t> breakpoints_;
    bool watches_quality_ = false;
    std::mutex others_mutex_;
    std::vector<std::pair<Runner*, Event>> others_;  ///< news of other guest threads

    // Figures.
    double run_seconds_ = 0;
    Clock::time_point resumed_, last_publication_, pace_begin_;
    std::uint64_t last_bundles_ = 0, pace_bundles_ = 0;
    double rate_ = 0;
    std::atomic<std::uint64_t> syscall_count_{0};
    std::atomic<int> quiet_beats_{0};  ///< beats of the ticker since the last publication
    std::atomic<bool> news_{false};    ///< a log has grown since the last wake-up
    std::uint64_t sequence_ = 0;

    // Ways out.
    Exchange<std::shared_ptr<const Snapshot>> exchange_;
    std::mutex wake_mutex_;
    std::function<void()> wake_;
    std::mutex idle_mutex_;
    std::condition_variable idle_;
    std::uint64_t sent_ = 0, done_ = 0;
    bool running_ = false;

    CommandQueue queue_;
    Ticker ticker_;
    std::thread thread_;  ///< last: starts when everything else exists
};

}  // namespace e2k::machine
