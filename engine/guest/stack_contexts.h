// Hardware stacks that belong to no thread: what makecontext makes and setcontext switches to
// (syscalls.md §9.5). Private to engine/guest.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/guest/process.h"

namespace e2k::guest {

struct SignalContext;

/// What a context does not share with others while it does not run. Everything else of a CpuState
/// (%g, loop and array state) stays with the thread, as over a call.
struct ParkedState {
    ParkedState(const cpu::CpuState& state, unsigned syscall_wbs);
    void resume(cpu::CpuState& state) const;
    std::uint64_t depth() const { return static_cast<std::uint64_t>(chain_top - chain_file); }

    std::uint64_t ip;
    cpu::Reg *window, *window_file, *window_limit;
    std::uint8_t *window_tags, *tag_file;
    cpu::ChainFrame *chain_top, *chain_file, *chain_limit;
    std::uintptr_t walls_begin, walls_end;
    cpu::WindowDescriptor wd;
    cpu::RotationState br;
    cpu::PredicateFile pred;
    std::uint64_t usd_base, usd_size, sbr;
    std::uint64_t psp_base, pcsp_base, psp_size, pcsp_size;
    unsigned syscall_wbs;  ///< of the call that parked it: where its result goes
};

/// A pair of hardware stacks with what runs on them.
struct StackContext {
    std::uint64_t key = 0;
    cpu::HardwareStacks stacks;           ///< of makecontext; empty for a thread's own
    const Thread* owner = nullptr;        ///< thread whose own stacks these are
    const Thread* running = nullptr;      ///< thread that executes on it now
    bool finished = false;                ///< its function has returned, or its thread has ended
    std::optional<ParkedState> parked;    ///< while it does not run
    std::uint64_t parked_times = 0;       ///< tells one parking from the next
    bool fresh = false;                   ///< has not run yet
    std::uint64_t link = 0;               ///< guest address of the context to go on with, 0: none
    std::vector<SignalContext> handlers;  ///< in progress, while it does not run

    StackContext();
    ~StackContext();
};

/// The contexts of a process, by key. Keys come from the guest's memory: each is looked up.
class StackContexts {
public:
    /// Makes one with stacks of its own; null: the host refuses, or there are too many.
    std::shared_ptr<StackContext> make();
    /// The context of a thread's own stacks, made when it is first asked for.
    std::shared_ptr<StackContext> own(const Thread& thread);
    std::shared_ptr<StackContext> find(std::uint64_t key);
    /// The parked one whose chain stack claims to begin at `pcsp_base`, for `thread` to go on with.
    std::shared_ptr<StackContext> find_base(std::uint64_t pcsp_base, const Thread& thread);
    void erase(std::uint64_t key);
    /// Those that nobody executes on and whose user stack ends at `top`: another gets its place.
    void erase_idle(std::uint64_t top);
    /// What `thread` executes on is finished, its own stacks go away.
    void thread_ended(const Thread& thread);
    /// Forgets all (execve). Nobody may execute on one.
    void clear();
    /// In the child of fork(): no other thread executes.
    void keep_only(const Thread& thread);

    /// Held while contexts change hands, and over fork(2).
    std::mutex& mutex() { return mutex_; }

private:
    std::mutex mutex_;
    std::map<std::uint64_t, std::shared_ptr<StackContext>> by_key_;
    std::uint64_t next_key_ = 1;
};

}  // namespace e2k::guest
