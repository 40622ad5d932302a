// Records a guest while it runs: what the Linux layer does to it, and the clocks it reads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/cpu/clock_tape.h"
#include "engine/guest/memory_observer.h"
#include "engine/guest/process.h"
#include "engine/history/log.h"
#include "engine/history/state_image.h"

namespace e2k::history {

/// Of a program's first thread; recording ends where a second one begins, and where others can
/// write its memory. Used on the thread that executes the guest, while nothing of it runs
/// elsewhere.
class Recorder final : private guest::MemoryObserver, private cpu::ClockTape {
public:
    /// The guest stands still; what it is now is the beginning.
    Recorder(guest::Process& process, cpu::CpuState& state, std::shared_ptr<Log> log);
    ~Recorder() override;
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    const std::shared_ptr<Log>& log() const { return log_; }
    bool recording() const { return active_; }

    /// Around everything that is done to the guest by other than its own bundles.
    void before(EventKind kind, std::uint64_t number);
    /// `waits`: a call that is to be continued.
    void after(bool goes_on, bool waits);
    /// Nothing more is recorded, the reason in plain words.
    void end(std::string why);
    /// In the child of a fork: it is none of ours.
    void forget();

private:
    struct Span {
        std::uint64_t address = 0, size = 0;
        std::vector<std::uint8_t> before;  ///< empty: what it holds afterwards is recorded as it is
    };
    // guest::MemoryObserver
    void may_write(std::uint64_t address, std::uint64_t size) override;
    void written(std::uint64_t address, std::uint64_t size) override;
    void mapped(const guest::Region& region, bool content, bool foreign) override;
    void unmapped(std::uint64_t begin, std::uint64_t end) override;
    void protection(std::uint64_t begin, std::uint64_t size, int prot) override;
    void moved(const guest::Remapping& what) override;
    void cleared() override;
    void stacks_written() override { whole_stacks_ = true; }
    // cpu::ClockTape
    std::uint64_t reading(const cpu::CpuState& state, std::uint64_t now) override;

    void record_start();
    void change(guest::Region&& region, MappingChange change);
    void collect_words(Event& event) const;
    void collect_stacks(Event& event);
    void collect_memory(Event& event);
    void add_contents(Event& event, std::uint64_t address, std::uint64_t size) const;
    void add_difference(Event& event, const Span& span) const;
    void add_registers(Event& event, std::uint64_t first, std::uint64_t end) const;
    void add_frames(Event& event, std::uint64_t first, std::uint64_t end) const;

    guest::Process& process_;
    guest::AddressSpace& memory_;
    cpu::CpuState& state_;
    std::shared_ptr<Log> log_;
    bool active_ = false, inside_ = false;
    std::string end_after_;  ///< why this event is the last one

    // Of the event in progress.
    Event event_;
    StateImage image_{};
    std::uint64_t window_ = 0, depth_ = 0;
    std::vector<cpu::Reg> registers_;
    std::vector<std::uint8_t> tags_;
    cpu::ChainFrame frame_;
    const cpu::Reg* window_file_ = nullptr;
    std::vector<Span> spans_;
    bool whole_stacks_ = false;
};

}  // namespace e2k::history
