// Which bundle issued when: what a pipeline diagram draws, and files for other viewers of such.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/timing/model.h"

namespace e2k::timing {

/// One executed bundle.
struct TimelineEntry {
    std::uint64_t cycle = 0;   ///< of its issue
    std::uint32_t bundle = 0;  ///< index of TimelineCode::bundles
    std::uint16_t wait = 0;    ///< cycles before that in which it waited
    Reason reason = Reason::Issue;
    std::uint8_t enabled = 0;  ///< bit i: operation i had a true guard
    Waited waited;
    std::array<std::uint8_t, isa::kChannels> latency{};  ///< of operation i, 255 and more are 255
};

/// The bundles that entries name.
struct TimelineCode {
    struct Operation {
        std::uint8_t channel = 0;
        std::string text;
    };
    struct Bundle {
        std::uint64_t address = 0;
        std::uint8_t pause = 0;
        bool rotates = false;  ///< ends an iteration of a pipelined loop
        std::vector<Operation> operations;
    };
    std::vector<Bundle> bundles;
};

/// An immutable picture of a recording.
class Timeline {
public:
    static constexpr std::size_t kChunk = 4096;
    using Chunk = std::vector<TimelineEntry>;

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    const TimelineEntry& operator[](std::size_t i) const {
        return (*chunks_[i / kChunk])[i % kChunk];
    }
    const TimelineCode& code() const { return *code_; }
    const TimelineCode::Bundle& bundle(std::size_t i) const {
        return code_->bundles[(*this)[i].bundle];
    }
    /// Entries that were given up before the first.
    std::uint64_t dropped() const { return dropped_; }
    const Totals& totals() const { return totals_; }
    const std::string& processor() const { return processor_; }
    std::uint64_t first_cycle() const { return empty() ? 0 : (*this)[0].cycle - (*this)[0].wait; }
    std::uint64_t end_cycle() const { return totals_.cycles; }
    /// Index of the first entry that issues at or after `cycle`.
    std::size_t at_cycle(std::uint64_t cycle) const;

private:
    friend class TimelineRecorder;
    std::vector<std::shared_ptr<const Chunk>> chunks_;
    std::shared_ptr<const TimelineCode> code_ = std::make_shared<TimelineCode>();
    std::size_t size_ = 0;
    std::uint64_t dropped_ = 0;
    Totals totals_;
    std::string processor_;
};

/// Records the latest bundles, at least `most` of them.
class TimelineRecorder final : public IssueSink {
public:
    explicit TimelineRecorder(std::size_t most) : most_(most) {}
    void issued(const Issued& issued) override;
    /// What there is now; costs little, whole chunks are shared.
    std::shared_ptr<const Timeline> picture(const CycleModel& model);

private:
    std::uint32_t index_of(const TimedBundle& bundle);

    std::size_t most_;
    std::deque<std::shared_ptr<const Timeline::Chunk>> full_;
    Timeline::Chunk last_;
    std::uint64_t dropped_ = 0;
    std::unordered_map<const TimedBundle*, std::uint32_t> indices_;
    std::shared_ptr<TimelineCode> code_ = std::make_shared<TimelineCode>();
    bool code_shared_ = false;
};

using Place = std::function<std::string(std::uint64_t address)>;
/// A log for Konata: an operation a row, stages "St" (its bundle waits) and "Ex".
std::string konata_log(const Timeline& timeline, const Place& place);
/// Events for chrome://tracing and Perfetto: a row for each channel and one for waits; a cycle is a
/// microsecond.
std::string chrome_trace(const Timeline& timeline, const Place& place);

}  // namespace e2k::timing
