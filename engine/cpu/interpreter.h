// The readable reference: executes one bundle at a time, exactly (execution.md §1).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/cpu/memory.h"
#include "engine/cpu/state.h"
#include "engine/cpu/trap.h"
#include "engine/isa/bundle.h"

namespace e2k::cpu {

/// What an observer keeps of a bundle; derive from it.
struct Observed {};

/// Sees each bundle before it executes (tracing, cycle model). May not change state.
class BundleObserver {
public:
    virtual ~BundleObserver() = default;
    /// Once for every bundle that is decoded for a processor of version `iset`. The answer is what
    /// before() gets for it and must stay valid as long as the observer is set.
    virtual Observed& learn(const isa::Bundle& bundle, int iset) = 0;
    virtual void before(Observed& known, const CpuState& state) = 0;
};

/// True if execution must stop before the bundle at `address` (breakpoints).
using BreakpointTest = std::function<bool(std::uint64_t address)>;

/// Interprets guest code. Keeps a cache of pre-decoded bundles; one instance per guest thread.
class Interpreter {
public:
    explicit Interpreter(MemoryView memory);
    ~Interpreter();

    /// Runs at most `max_bundles` bundles from state.ip. Every other StopKind ends it earlier.
    Stop run(CpuState& state, std::uint64_t max_bundles);
    /// Exactly one bundle, ignoring a breakpoint on it and `interrupt`.
    Stop step(CpuState& state);
    /// Runs the bundle as if it stood at state.ip, without fetching (translator's fallback).
    Stop execute(CpuState& state, const isa::Bundle& bundle);

    /// Drops pre-decoded bundles that overlap [begin, end).
    void invalidate(std::uint64_t begin, std::uint64_t end);
    void set_observer(BundleObserver* observer);
    /// Stop before these addresses (sorted or not); replaces the earlier set.
    void set_breakpoints(std::span<const std::uint64_t> addresses);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Decodes the bundle at `address` from guest memory for state's iset; traps InstrPageMiss etc.
/// become the error.
tl::expected<isa::Bundle, Trap> fetch(const MemoryView& memory, std::uint64_t address, int iset);

/// What %clkr and %sclkr count without a GuestClock: nanoseconds of the host's steady clock.
std::uint64_t host_clock();

/// Reads/writes what a state register shows (rrd/rwd, debugger, UI). Error: the trap it raises.
tl::expected<std::uint64_t, TrapCode> read_state_register(const CpuState& state, std::uint8_t code);
/// What a write would raise, without doing it (exceptions come before the first commit).
tl::expected<void, TrapCode> state_register_writable(const CpuState& state, std::uint8_t code);
tl::expected<void, TrapCode> write_state_register(CpuState& state, std::uint8_t code,
                                                  std::uint64_t value);

/// BR and CR0.pf as registers and chain records hold them (registers.md §3, §4). Of a rotation from
/// memory is_sound_rotation() has to be asked.
std::uint64_t rotation_image(const RotationState& br);
RotationState rotation_from(std::uint64_t image);
std::uint64_t predicate_image(const PredicateFile& pred);

/// What is wrong with window, chain or rotation, in plain words. Nothing is wrong with what the
/// machine itself makes; this is asked wherever a state begins to run, so that a mistake elsewhere
/// becomes a fault of the guest. The trap made of it is fatal.
std::optional<std::string> stacks_complaint(const CpuState& state);
Trap stacks_trap(const CpuState& state, std::string complaint);
/// The same for the window that a return would make.
std::optional<std::string> return_complaint(const CpuState& state);
/// Fields that fit the architecture's: what a rotation state from memory must satisfy to be used.
inline bool is_rotation(const RotationState& br) {
    return br.rbs < 64 && br.rsz < 64 && br.rcur < 64 && br.psz < 32 && br.pcur < 32;
}
/// The same, and the current positions lie inside of the areas.
inline bool is_sound_rotation(const RotationState& br) {
    return is_rotation(br) && br.rcur <= br.rsz && br.pcur <= br.psz;
}

/// setwd/call/return as the machine does them; shared by interpreter, signals and longjmp.
void push_call(CpuState& state, unsigned wbs_registers, std::uint64_t return_ip);
/// Pops the top frame; returns the address to continue at (kSentinelReturn for sentinels).
std::uint64_t pop_return(CpuState& state);

// In the tag-exact mode the tags of all registers beyond the current window are 0 at every bundle
// boundary: whatever moves the end of the window down clears those it leaves behind.
/// True if a register of the window, a global or a predicate is diagnostic.
bool has_visible_tags(const CpuState& state);
/// To be called after the end of the window has moved down from `old_end` (window_tags + wd.size).
void clear_tags_above(CpuState& state, const std::uint8_t* old_end);

}  // namespace e2k::cpu
