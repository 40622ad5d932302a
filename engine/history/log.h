// The events of a recording in order, compressed piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "engine/history/event.h"

namespace e2k::history {

/// A reading of a clock register.
struct Reading {
    std::uint64_t bundle = 0, value = 0;
};

/// What is known of the program beside its events.
struct ProgramFacts {
    std::string path;  ///< of the program's file, as it was started
    std::vector<std::string> argv;
    std::vector<std::uint8_t> file;  ///< its bytes, for symbols and listings; may be empty
};

/// Where a reader is.
struct LogPlace {
    std::size_t piece = 0, offset = 0;
    std::uint64_t number = 0;  ///< events before it
    bool operator==(const LogPlace&) const = default;
};

/// Used by one thread at a time.
class Log {
public:
    /// Bytes it may take; beyond them the recording ends.
    explicit Log(std::uint64_t most_bytes = 256u << 20) : most_bytes_(most_bytes) {}

    // --- recording ---
    void append(const Event& event);
    void append(Reading reading);
    /// The run went on without being recorded from here on; the reason in plain words.
    void end(std::string why, std::uint64_t bundle);
    /// The guest has executed so many bundles.
    void reached(std::uint64_t bundle) { end_bundle_ = std::max(end_bundle_, bundle); }
    bool full() const { return bytes() > most_bytes_; }

    // --- looking at it ---
    std::uint64_t events() const { return events_; }
    std::uint64_t bytes() const;
    std::uint64_t first_bundle() const { return first_bundle_; }
    /// Up to here the run can be gone through.
    std::uint64_t end_bundle() const { return end_bundle_; }
    /// Why nothing is recorded beyond end_bundle(); "": the program has ended, or still runs.
    const std::string& ended() const { return ended_; }
    bool is_ended() const { return !ended_.empty(); }
    /// The event at `place`, which moves on; nullptr at the end. Valid until the next call.
    const Event* next(LogPlace& place) const;
    /// Why next() has answered nullptr before the end, if it has.
    const std::string& damage() const { return damage_; }
    const std::vector<Reading>& readings() const { return readings_; }
    /// Where something happened; of many system calls only some.
    const std::vector<Mark>& marks() const { return marks_; }
    std::optional<std::uint64_t> reading_at(std::uint64_t bundle) const;

    ProgramFacts program;

    // --- files (file.cpp) ---
    tl::expected<void, std::string> save(const std::string& path) const;
    static tl::expected<std::shared_ptr<Log>, std::string> load(const std::string& path);

    // --- for tests ---
    /// Changes what the numbered event does.
    void damage_event(std::uint64_t number);

private:
    struct Piece {
        ByteStream bytes;         ///< compressed, if `size` is not 0
        std::size_t size = 0;     ///< of what it is compressed from
        std::uint64_t first = 0;  ///< number of its first event
    };
    void seal();
    const ByteStream* opened(std::size_t piece) const;

    std::uint64_t most_bytes_;
    std::vector<Piece> pieces_;
    std::uint64_t sealed_bytes_ = 0;
    std::vector<Reading> readings_;
    void mark(const Event& event);
    std::vector<Mark> marks_;
    std::uint64_t mark_every_ = 1, calls_ = 0;
    std::uint64_t events_ = 0, first_bundle_ = 0, end_bundle_ = 0;
    std::string ended_;
    mutable std::string damage_;
    mutable Event event_;
    mutable std::size_t opened_piece_ = ~std::size_t{0};
    mutable ByteStream opened_bytes_;
};

}  // namespace e2k::history
