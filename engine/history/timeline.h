// A recorded run to be gone through in both directions: a replica, and checkpoints of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "engine/history/replica.h"

namespace e2k::history {

struct TimelineOptions {
    /// Bytes of checkpoints; the beginning stays reachable.
    std::uint64_t most_bytes = 256u << 20;
    /// Time that going forward from a checkpoint may take.
    std::chrono::milliseconds distance{25};
    bool interpret = false;  ///< replay in the interpreter
    /// Asked now and then; true: stop where it is.
    std::function<bool()> cancelled = {};
};

/// Why a search has ended.
struct Found {
    enum class What : std::uint8_t {
        Nothing,  ///< the beginning (going back) or the end (forward) was reached
        Breakpoint,
        Watch,
        Call,
        Place,  ///< where it should go
        Cancelled,
        Differs,
    } what = What::Nothing;
    std::optional<guest::WatchHit> hit = {};
};

/// What one searches for.
struct Search {
    std::vector<std::uint64_t> breakpoints;
    std::vector<guest::WatchedRange> watches;
    bool calls = false;  ///< stop behind system calls
};

struct LastWrite {
    Position position;      ///< before the bundle, or the event, that wrote it
    std::uint64_t ip = 0;   ///< of the bundle
    bool by_event = false;  ///< a system call, a signal, the user
    std::uint64_t before = 0, after = 0;
};

class Timeline {
public:
    /// Stands at the beginning.
    static tl::expected<std::unique_ptr<Timeline>, std::string> create(
        std::shared_ptr<const Log> log, TimelineOptions options = {});

    Replica& replica() { return *replica_; }
    const Log& log() const { return *log_; }
    Position here() const { return replica_->position(); }
    /// Where the log ends.
    Position end() const { return {log_->end_bundle(), log_->events()}; }
    bool at_end() const { return here() >= end() || replica_->ended(); }
    const std::string& trouble() const { return replica_->trouble(); }

    /// So many bundles have been executed, and nothing more.
    Found go_to(std::uint64_t bundle);
    Found go_to(Position position);
    Found go_to_end();

    /// One bundle, or one event that stands between bundles.
    Found step();
    Found step_back();
    /// The bundle in front of this one in the same procedure: calls are gone over.
    Found step_back_over();
    /// The call that has led here.
    Found step_back_out();
    Found run(const Search& search);       ///< forward
    Found run_back(const Search& search);  ///< to the last place before this one

    /// Before here; nullopt: it has not been written since the beginning. Stays where it is.
    std::optional<LastWrite> last_write(const Target& target);

    std::size_t checkpoints() const { return checkpoints_.size(); }
    std::uint64_t checkpoint_bytes() const { return checkpoint_bytes_; }
    void set_limit(std::uint64_t most_bytes) { options_.most_bytes = most_bytes; }

private:
    Timeline(std::shared_ptr<const Log> log, TimelineOptions options)
        : log_(std::move(log)), options_(std::move(options)) {}
    Found forward(const Replica::Goal& goal, bool keep_checkpoints = true);
    /// Visits the stretches between checkpoints from here backwards: the replica stands at the
    /// beginning of one, `end` is its end. True: found, stop.
    Found backwards(const std::function<Found(Position end)>& visit);
    Found back_to(const std::function<bool()>& is_wanted);
    const Checkpoint* nearest(Position at) const;
    void keep_checkpoint();
    void thin_out();

    std::shared_ptr<const Log> log_;
    TimelineOptions options_;
    std::unique_ptr<Replica> replica_;
    std::vector<std::shared_ptr<Checkpoint>> checkpoints_;  ///< by position
    std::uint64_t checkpoint_bytes_ = 0;
    double checkpoint_seconds_ = 0;  ///< what the last one cost
};

}  // namespace e2k::history
