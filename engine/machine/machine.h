// One guest on its own worker thread: commands in, snapshots and event logs out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "engine/guest/process.h"
#include "engine/machine/snapshot.h"

namespace e2k::machine {

struct LaunchOptions {
    guest::ProcessOptions process;
    Tier tier = Tier::Translator;
    bool start_paused = true;  ///< stop before the first bundle
    bool own_streams = false;  ///< guest output goes to the console log, input comes by command
    bool statistics = true;    ///< region execution counters
    bool profile = false;      ///< SetProfile from the start
    bool perf_map = false;
};

// --- commands (value types, executed in order on the worker) ---
struct Open {
    std::string path;
    LaunchOptions options;
};
struct Run {};
struct Pause {};
struct StepBundle {
    std::uint64_t count = 1;
};
struct StepOver {};  ///< a call runs until it returns
struct StepOut {};
struct RunTo {
    std::uint64_t address = 0;
};
struct SetBreakpoint {
    std::uint64_t address = 0;
    bool enabled = true;
};
struct Restart {};
struct Kill {};
struct SetTier {
    Tier tier = Tier::Translator;
};
struct SetProfile {
    bool on = false;
};  ///< count executions of every bundle; a change drops all translations
struct SetSpeed {
    double bundles_per_second = 0;
};  ///< 0 = unlimited
struct Input {
    std::string bytes;
    bool end_of_file = false;
};
struct ShowCode {
    std::uint64_t address = 0;
};  ///< puts code around address into snapshots
struct ShowRegion {
    std::uint64_t address = 0;
};  ///< region record to publish; 0: the one entered most often
struct ReadMemory {
    std::uint64_t address = 0;
    std::uint32_t size = 0;
};
struct WriteRegister {
    unsigned index = 0;
    bool global = false;
    std::uint64_t value = 0;
};
struct WatchQuality {
    bool on = false;
};  ///< assesses all regions about once a second and puts the report into snapshots
struct ShowThread {
    std::uint32_t tid = 0;
};  ///< the thread that panels show and steps execute, while the program is paused
using Command = std::variant<Open, Run, Pause, StepBundle, StepOver, StepOut, RunTo, SetBreakpoint,
                             Restart, Kill, SetTier, SetProfile, SetSpeed, Input, ShowCode,
                             ShowRegion, ReadMemory, WriteRegister, WatchQuality, ShowThread>;

/// Where panels send commands; implemented by Machine and by test recorders.
class CommandSink {
public:
    virtual ~CommandSink() = default;
    virtual void send(Command command) = 0;
};

struct ConsoleChunk {
    std::uint64_t sequence = 0;
    int fd = 1;
    std::string text;
};
struct Notice {
    std::uint64_t sequence = 0;
    bool error = false;
    std::string text;
    /// Not empty: the sandbox kept the program from changing something in this directory.
    std::string refused_in = {};
};

/// A bounded append-only log: readers ask for everything after a sequence number.
template <class T>
struct LogSlice {
    std::vector<T> items;
    std::uint64_t next = 0;     ///< pass this as `after` next time
    std::uint64_t first = 0;    ///< of this run of the program, kept or not
    std::uint64_t dropped = 0;  ///< entries lost from the ring so far
};

class Machine final : public CommandSink {
public:
    Machine();
    ~Machine() override;  ///< stops the guest and joins the worker, within milliseconds

    void send(Command command) override;  ///< never blocks
    /// Latest snapshot; never null, wait-free for one reader (the UI thread).
    std::shared_ptr<const Snapshot> snapshot();
    LogSlice<guest::SyscallRecord> syscalls(std::uint64_t after) const;
    LogSlice<ConsoleChunk> console(std::uint64_t after) const;
    LogSlice<Notice> notices(std::uint64_t after) const;
    /// Called on the worker after each publication (the app posts an empty event).
    void on_publish(std::function<void()> wake);
    /// Blocks until the guest exits or stops by itself (headless front ends, tests).
    std::shared_ptr<const Snapshot> wait_until_stopped();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

class RunLog;

/// Runs a program to its end on the calling thread, streams on the host's descriptors: the engine
/// of `e2kwb run`. Returns its status; error text if it could not start.
struct HeadlessOptions {
    guest::ProcessOptions process;
    Tier tier = Tier::Translator;
    std::function<void(const guest::SyscallRecord&)> on_syscall;
    std::function<void(const std::string&)> on_notice;  ///< before the first bundle
    bool differential = false;    ///< interpreter beside translator, compare at every region exit
    std::shared_ptr<RunLog> log;  ///< what to write down on the way (run_log.h); null: nothing
    bool perf_map = false;
    bool census = false;   ///< fill HeadlessResult::census and ::run_counts
    std::string jitdump;   ///< directory for perf's jit-PID.dump; empty: none
    bool profile = false;  ///< count every bundle; fill HeadlessResult::regions and symbols
};
struct HeadlessResult {
    guest::ExitStatus exit;
    bool failed = false;  ///< stopped at a bundle this build cannot execute; `exit` means nothing
    std::string detail;   ///< why, for deaths by trap or missing operations
    Counters counters;
    translate::TranslatorStats translation;
    translate::HostCodeCensus census;
    translate::RunCounts run_counts;
    std::vector<std::shared_ptr<const translate::RegionRecord>> regions;
    std::shared_ptr<const guest::SymbolTable> symbols;  ///< of the program
    std::string difference;  ///< differential mode: first difference, readable; "" if none
    std::uint64_t regions_compared = 0;
    std::string comparison_end;  ///< why comparing ended before the program did; "" if it did not
    std::string lost;  ///< what of the files for perf could not be written, and why; "" if all was
};
tl::expected<HeadlessResult, std::string> run_headless(const std::string& path,
                                                       HeadlessOptions options);

}  // namespace e2k::machine
