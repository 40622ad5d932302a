// A Linux process of the guest: address space, file descriptors, signals, threads, system calls.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "engine/cpu/guest_clock.h"
#include "engine/cpu/state.h"
#include "engine/cpu/trap.h"
#include "engine/guest/address_space.h"
#include "engine/guest/elf_image.h"

namespace e2k::guest {

class Sandbox;
namespace libc {
struct ThreadData;
}

/// What the guest may touch outside its own memory. In the sandbox every system call is judged by
/// its rule (syscalls/rules.h); a call without a rule is refused.
struct Policy {
    bool sandbox = false;  ///< deny network, other processes, writes outside `writable`
    std::vector<std::string> writable;  ///< directories a sandboxed guest may write below
    /// What the sandbox remembers; goes along with fork and exec. Process::start() makes it.
    std::shared_ptr<Sandbox> state;
};

/// Source/sink of standard streams when the window owns them; nullptr members = host's fd 0/1/2.
struct StandardStreams {
    std::function<void(int fd, std::string_view)> output;  ///< fd 1 or 2
    /// Blocks; 0 = end of file. Must return once the owner wants the process gone.
    std::function<std::size_t(char* to, std::size_t max)> input;
    /// The guest sees terminals (without echo or signals from keys), where the host has any to
    /// give; otherwise pipes. Terminals ask for `input` again after each end of file.
    bool terminal = false;
};

struct ProcessOptions {
    std::vector<std::string> argv;         ///< argv[0] is the program
    std::vector<std::string> environment;  ///< "NAME=value"
    Policy policy;
    StandardStreams streams;
    /// Host descriptors that become the guest's under their numbers, to close and to replace: the
    /// process exists for this guest. Absent: copies of 0, 1 and 2 (or `streams`).
    std::optional<std::vector<int>> descriptors;
    int iset_override = 0;  ///< 0 = from the file
    std::uint8_t idr_override = 0;
    bool exact_tags = true;     ///< diagnostic values are modelled; using one traps
    bool uncover_tags = false;  ///< registers never written are diagnostic too: only interpreted
    bool strict_alignment = false;  ///< CpuState::strict_alignment; for the interpreter only
    bool log_syscalls = false;
    /// Where the built-in dynamic linker looks for libraries, after the program's own directory.
    std::vector<std::string> library_path;
    bool strict_imports = false;  ///< names that no library has are an error at the start
    /// The guest's working directory when it starts; empty: the workbench's own.
    std::string working_directory;
    /// Directory of an Elbrus system: every absolute path of the guest is looked up there first,
    /// and the program's dynamic linker is taken from there. Empty: none.
    std::string sysroot;
    cpu::ClockOptions clock;            ///< what the guest's clocks show
    std::string kernel_release;         ///< what uname says; empty: the host's
    std::uint64_t stack_size = 0;       ///< bytes, and the soft limit; 0: the limit of the caller
    std::optional<std::uint64_t> seed;  ///< AT_RANDOM and getrandom follow from it
};

/// One finished (or still blocked) system call, decoded for the log.
struct SyscallRecord {
    std::uint64_t sequence = 0;
    std::uint64_t bundle = 0;  ///< CpuState::bundles at the call
    std::uint64_t ip = 0;      ///< address after the call
    std::uint32_t thread = 0;  ///< guest tid
    std::uint32_t number = 0;
    std::string name;       ///< "write", or "syscall_123" when unknown
    std::string arguments;  ///< "1, \"hello\\n\", 6"
    std::int64_t result = 0;
    std::string result_text;   ///< "6" or "-1 ENOENT (No such file or directory)"
    double start_seconds = 0;  ///< since process start
    double duration_seconds = 0;
    bool unknown = false;  ///< not implemented: ENOSYS was returned
    bool library = false;  ///< a function of the C library bridge
    bool failed = false;
};

/// How the process ended.
struct ExitStatus {
    enum class Kind : std::uint8_t { Running, Exited, Signaled } kind = Kind::Running;
    int value = 0;  ///< exit code or signal number
};

class Process;

/// A guest thread. Its CpuState runs on one host thread at a time.
struct Thread {
    std::uint32_t tid = 0;
    cpu::CpuState state;
    cpu::HardwareStacks stacks;
    std::uint64_t clear_child_tid = 0;
    struct SignalState;
    std::shared_ptr<SignalState> signals;  ///< mask, pending, altstack, frames in progress
    std::atomic<bool> exited{false};
    std::shared_ptr<libc::ThreadData> library;  ///< of the C library bridge; null: not used
};

struct SiginfoE2k;
/// What a debugger has to say about a signal that is about to reach the guest.
enum class SignalVerdict : std::uint8_t {
    Deliver,
    Discard,  ///< a fault happens again
    Hold,     ///< stays pending, the call in progress is cut short; asked again later
};

/// What a system call or signal asks of the caller that runs the thread.
enum class Next : std::uint8_t {
    Continue,     ///< go on at thread.state.ip
    ThreadExit,   ///< this thread ended; others go on
    ProcessExit,  ///< whole process ended, see exit_status()
    Retry,        ///< interrupt_blocked() cut a blocking call: pause if wanted, then call
                  ///< system_call() again with the same stop
};

class Process {
public:
    /// Loads the program and lays out stack, auxiliary vector and registers (process.md).
    static tl::expected<std::unique_ptr<Process>, std::string> start(ElfImage image,
                                                                     ProcessOptions options);
    ~Process();

    AddressSpace& memory();
    /// Of the program that runs now: execve puts another one into the same process. Any thread.
    std::shared_ptr<const SymbolTable> symbols() const;
    std::shared_ptr<const std::vector<Section>> sections() const;
    Thread& main_thread();
    std::vector<std::shared_ptr<Thread>> threads() const;

    /// Executes the system call `stop` reports for `thread`; writes result registers.
    Next system_call(Thread& thread, const cpu::Stop& stop);
    /// Turns a trap into a guest signal (handler frame set up) or ends the process.
    Next trap(Thread& thread, const cpu::Trap& trap);
    /// `return` reached a sentinel frame: end of a signal handler. A return from the first
    /// function of a thread arrives here too and ends the process, as on Linux, by SIGSEGV.
    Next signal_return(Thread& thread);
    /// Delivers pending unblocked signals; call when state.interrupt was raised. The run loop
    /// clears `interrupt` first; a signal that comes later raises it again.
    Next deliver_signals(Thread& thread);
    /// Bundles until a timer of virtual time is due, whose signal is sent as soon as they have run;
    /// ~0: none is set. To be asked by the thread before it runs.
    std::uint64_t bundles_to_timer(Thread& thread);
    cpu::GuestClock& clock();
    /// Asynchronous signal to the process (host SIGALRM/SIGINT..., UI kill with 9). Any thread,
    /// also from a host signal handler.
    void post_signal(int signal);
    /// Makes every guest thread that waits inside a host call return from system_call() with
    /// Next::Retry, and the next blocking call of the others too. Any thread.
    void interrupt_blocked();

    /// Ends the processes the guest has forked, and theirs, by SIGKILL. Any thread.
    void kill_children();

    std::string executable() const;  ///< absolute path of the program that runs now
    std::vector<std::uint64_t> auxiliary_vector() const;  ///< pairs, AT_NULL last
    std::string name_of(const Thread& thread) const;      ///< PR_SET_NAME
    unsigned machine_number() const;                      ///< of the ELF header's flags
    std::vector<int> children() const;                    ///< processes it has forked
    /// What the user should know of the program that has been loaded; "": nothing.
    const std::string& notice() const;

    ExitStatus exit_status() const;
    std::string exit_detail() const;  ///< plain words for the banner, "" while running

    /// Called for each finished system call when log_syscalls is set (any guest thread).
    void on_syscall(std::function<void(const SyscallRecord&)> sink);
    /// Called by clone(CLONE_VM): must start a host thread that runs `thread`. False: the host has
    /// no more threads.
    void on_new_thread(std::function<bool(std::shared_ptr<Thread>)> starter);
    /// Asked before every signal but SIGKILL, on the guest thread that would take it.
    void on_signal(std::function<SignalVerdict(Thread&, const SiginfoE2k&)> judge);
    /// Called around fork(2), so that the child inherits no lock that another host thread holds:
    /// `before` takes the owner's locks; `after` gives them back and, in the child, forgets the
    /// other host threads.
    void on_fork(std::function<void()> before, std::function<void(bool in_child)> after);

    struct Impl;

private:
    Process();
    std::unique_ptr<Impl> impl_;
};

}  // namespace e2k::guest
