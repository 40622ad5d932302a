// A second guest that executes a recording: the bundles as they are, and what came from outside as
// it is written down. Nothing of it reaches the host's files, terminals or processes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "engine/cpu/clock_tape.h"
#include "engine/cpu/interpreter.h"
#include "engine/guest/address_space.h"
#include "engine/history/checkpoint.h"
#include "engine/history/log.h"
#include "engine/translate/translator.h"

namespace e2k::history {

/// Why a replica stands still.
enum class Halt : std::uint8_t {
    There,       ///< at the place it should run to
    Breakpoint,  ///< before a bundle with a breakpoint
    Watched,     ///< behind a bundle or an event that has touched what is watched
    End,         ///< the log has nothing more
    Cancelled,
    Differs,  ///< what happens is not what was recorded; trouble() tells
};

class Replica final : private cpu::ClockTape {
public:
    /// Stands at the beginning of the log.
    static tl::expected<std::unique_ptr<Replica>, std::string> create(
        std::shared_ptr<const Log> log, bool interpret = false);
    ~Replica() override;
    Replica(const Replica&) = delete;
    Replica& operator=(const Replica&) = delete;

    const cpu::CpuState& state() const { return state_; }
    cpu::CpuState& state() { return state_; }
    guest::AddressSpace& memory() { return *memory_; }
    const guest::AddressSpace& memory() const { return *memory_; }
    Position position() const { return {state_.bundles, place_.number}; }
    /// Events that happened at this very bundle.
    const std::vector<EventKind>& recent() const { return recent_; }
    std::uint64_t events_here() const {
        return recent_bundle_ == state_.bundles ? recent_.size() : 0;
    }
    /// The last event is no part of the bundle before it: one can stand between them.
    bool last_event_stands_alone() const {
        return events_here() != 0 && recent_.back() != EventKind::Call &&
               recent_.back() != EventKind::Return;
    }
    /// The thread that is recorded has ended.
    bool ended() const { return ended_; }
    const std::string& trouble() const { return trouble_; }
    /// Not nullptr: the event that comes next at this bundle.
    const Event* coming();
    bool coming_events() { return peek() != nullptr; }
    std::uint64_t next_event_bundle() { return peek()->bundle; }

    /// Where run_to() stops: as soon as so many bundles have been executed, the system call that
    /// the last of them makes included; or with exactly so many events.
    struct Goal {
        std::uint64_t bundle = 0;
        std::optional<std::uint64_t> events = {};
    };
    Halt run_to(const Goal& goal, const std::function<bool()>& cancelled = {});
    /// One bundle in the interpreter, breakpoints ignored, with the system call that it makes; or
    /// one event that happens before it.
    Halt step();

    void set_breakpoints(std::vector<std::uint64_t> addresses);
    /// run_to() halts behind whatever touches them.
    void watch(std::vector<guest::WatchedRange> ranges);
    const std::optional<guest::WatchHit>& hit() const { return hit_; }

    std::shared_ptr<Checkpoint> checkpoint(const Checkpoint* before) const;
    bool restore(const Checkpoint& checkpoint);

private:
    Replica(std::shared_ptr<const Log> log, bool interpret)
        : log_(std::move(log)), interpret_(interpret) {}
    std::uint64_t reading(const cpu::CpuState& state, std::uint64_t now) override;

    bool start();
    Halt stretch(std::uint64_t bundles);
    Halt attempt();
    Halt handle(const cpu::Stop& stop);
    Halt meet(EventKind kind);
    Halt differ(std::string what);
    bool apply(const Event& event);
    bool apply_memory(const Event& event);
    bool apply_change(const MappingChange& change);
    void code_changed(std::uint64_t begin, std::uint64_t end);
    const Event* peek();
    void take();

    std::shared_ptr<const Log> log_;
    bool interpret_;
    std::unique_ptr<guest::AddressSpace> memory_;
    cpu::HardwareStacks stacks_;
    cpu::CpuState state_;
    std::unique_ptr<cpu::Interpreter> interpreter_;
    std::unique_ptr<translate::Translator> translator_;
    LogPlace place_;
    std::optional<Event> next_;
    LogPlace after_next_;
    std::vector<EventKind> recent_;
    std::uint64_t recent_bundle_ = ~0ull;
    bool ended_ = false, in_call_ = false;
    std::string trouble_;
    std::vector<std::uint64_t> breakpoints_;
    bool skip_breakpoint_ = false, watching_ = false;
    std::optional<guest::WatchHit> hit_;
};

}  // namespace e2k::history
