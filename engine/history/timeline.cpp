#include "engine/history/timeline.h"

#include <algorithm>
#include <array>

namespace e2k::history {
namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

/// Bundles that are gone through at least between two looks at the clock.
constexpr std::uint64_t kLeastDistance = 200'000;
constexpr std::uint64_t kFirstSlice = 1'000'000;

Found found(Halt halt, const Replica& replica) {
    using What = Found::What;
    switch (halt) {
        case Halt::There:
            return {What::Place};
        case Halt::Breakpoint:
            return {What::Breakpoint};
        case Halt::Watched:
            return {What::Watch, replica.hit()};
        case Halt::End:
            return {What::Nothing};
        case Halt::Cancelled:
            return {What::Cancelled};
        case Halt::Differs:
            break;
    }
    return {What::Differs};
}

bool failed(const Found& f) {
    return f.what == Found::What::Differs || f.what == Found::What::Cancelled;
}

}  // namespace

tl::expected<std::unique_ptr<Timeline>, std::string> Timeline::create(
    std::shared_ptr<const Log> log, TimelineOptions options) {
    std::unique_ptr<Timeline> self(new Timeline(log, std::move(options)));
    auto replica = Replica::create(std::move(log), self->options_.interpret);
    if (!replica) return tl::unexpected(replica.error());
    self->replica_ = std::move(*replica);
    self->keep_checkpoint();
    return self;
}

const Checkpoint* Timeline::nearest(Position at) const {
    const Checkpoint* best = nullptr;
    for (const auto& checkpoint : checkpoints_)
        if (checkpoint->position <= at) best = checkpoint.get();
    return best;
}

/// Of the place where the replica is, if there is none near.
void Timeline::keep_checkpoint() {
    const auto begin = Clock::now();
    const Position at = here();
    auto next = std::ranges::lower_bound(
        checkpoints_, at, {}, [](const auto& checkpoint) { return checkpoint->position; });
    if (next != checkpoints_.end() && (*next)->position == at) return;
    const Checkpoint* const before = next == checkpoints_.begin() ? nullptr : (next - 1)->get();
    auto made = replica_->checkpoint(before);
    checkpoint_bytes_ += made->own_bytes();
    checkpoints_.insert(next, std::move(made));
    checkpoint_seconds_ = seconds(Clock::now() - begin);
    if (checkpoint_bytes_ > options_.most_bytes) thin_out();
}

/// Those go that close the smallest gap for their distance from here.
void Timeline::thin_out() {
    const std::uint64_t now = here().bundle;
    while (checkpoint_bytes_ > options_.most_bytes * 3 / 4 && checkpoints_.size() > 2) {
        std::size_t least = 1;
        double least_worth = 0;
        for (std::size_t i = 1; i + 1 < checkpoints_.size(); ++i) {
            const std::uint64_t at = checkpoints_[i]->position.bundle;
            const auto gap = static_cast<double>(checkpoints_[i + 1]->position.bundle -
                                                 checkpoints_[i - 1]->position.bundle);
            const auto away = static_cast<double>(at > now ? at - now : now - at) + 1e6;
            if (i > 1 && gap / away >= least_worth) continue;
            least = i;
            least_worth = gap / away;
        }
        checkpoint_bytes_ -= std::min(checkpoint_bytes_, checkpoints_[least]->own_bytes());
        checkpoints_.erase(checkpoints_.begin() + static_cast<std::ptrdiff_t>(least));
    }
}

/// Runs on from where the replica is, and keeps checkpoints on the way so that no place is further
/// than `distance` from one.
Found Timeline::forward(const Replica::Goal& goal, bool keep_checkpoints) {
    std::uint64_t slice = kFirstSlice;
    auto begin = Clock::now();
    for (;;) {
        Replica::Goal part = goal;
        const std::uint64_t now = here().bundle;
        if (keep_checkpoints && goal.bundle > now && goal.bundle - now > slice)
            part = {now + slice, std::nullopt};
        const Found f = found(replica_->run_to(part, options_.cancelled), *replica_);
        if (f.what != Found::What::Place || part.bundle == goal.bundle) return f;
        const double took = seconds(Clock::now() - begin);
        const double wanted = std::max(std::chrono::duration<double>(options_.distance).count(),
                                       10 * checkpoint_seconds_);
        if (took >= wanted / 2) {
            keep_checkpoint();
            begin = Clock::now();
        } else {
            slice = std::max(kLeastDistance, slice * 2);
        }
        if (took > wanted) slice = std::max(kLeastDistance, slice / 2);
    }
}

Found Timeline::go_to(Position position) {
    const Checkpoint* const from = nearest(position);
    if (here() > position || !replica_->trouble().empty() || (from && from->position > here()))
        if (!from || !replica_->restore(*from)) return {Found::What::Differs};
    replica_->set_breakpoints({});
    replica_->watch({});
    return forward({position.bundle, position.events});
}

Found Timeline::go_to(std::uint64_t bundle) {
    // Events at this bundle that are no part of the one before lie behind the place.
    const Checkpoint* from = nearest({bundle, 0});
    if (!from) from = checkpoints_.front().get();  // the beginning
    if (here().bundle >= bundle || !replica_->trouble().empty() ||
        (from && from->position > here()))
        if (!from || !replica_->restore(*from)) return {Found::What::Differs};
    replica_->set_breakpoints({});
    replica_->watch({});
    return forward({bundle, std::nullopt});
}

Found Timeline::go_to_end() { return go_to(end()); }

Found Timeline::step() {
    replica_->watch({});
    return found(replica_->step(), *replica_);
}

Found Timeline::step_back() {
    const Position now = here();
    const auto& recent = replica_->recent();
    const bool at_this_bundle = !recent.empty() && now.events > 1;
    if (at_this_bundle && replica_->last_event_stands_alone())
        return go_to({now.bundle, now.events - 1});
    if (now.bundle <= log_->first_bundle()) return {};
    return go_to({now.bundle - 1, now.events - replica_->events_here()});
}

Found Timeline::backwards(const std::function<Found(Position end)>& visit) {
    const Position from = here();
    Position end = from;
    while (true) {
        const Checkpoint* begin = nullptr;
        for (const auto& checkpoint : checkpoints_)
            if (checkpoint->position < end) begin = checkpoint.get();
        if (!begin) break;
        const Position start = begin->position;
        if (!replica_->restore(*begin)) return {Found::What::Differs};
        const Found f = visit(end);
        if (f.what != Found::What::Nothing) return f;
        end = start;
    }
    static_cast<void>(go_to(Position{log_->first_bundle(), 1}));
    return {};
}

Found Timeline::run_back(const Search& search) {
    const Position from = here();
    std::optional<Position> last;
    Found what;
    const Found f = backwards([&](Position end) -> Found {
        replica_->set_breakpoints(search.breakpoints);
        replica_->watch(search.watches);
        const auto note = [&](Found::What kind) {
            const bool behind = kind == Found::What::Watch;  // its bundle lies before
            if (here() > from || (!behind && here() == from) || (last && here() <= *last)) return;
            last = here();
            what = {kind, replica_->hit()};
        };
        // A breakpoint on the first bundle of the stretch is met before anything runs.
        if (std::ranges::find(search.breakpoints, replica_->state().ip) != search.breakpoints.end())
            note(Found::What::Breakpoint);
        std::uint64_t events = here().events;
        while (here() < end) {
            Replica::Goal goal{end.bundle, end.events};
            if (search.calls && replica_->coming_events())
                goal = {replica_->next_event_bundle(), events + 1};
            if (goal.bundle > end.bundle) goal = {end.bundle, end.events};
            const Halt halt = replica_->run_to(goal, options_.cancelled);
            if (halt == Halt::Differs || halt == Halt::Cancelled) return found(halt, *replica_);
            if (halt == Halt::Breakpoint) note(Found::What::Breakpoint);
            if (halt == Halt::Watched) note(Found::What::Watch);
            if (halt == Halt::End) break;
            if (search.calls && here().events != events && !replica_->recent().empty() &&
                replica_->recent().back() == EventKind::Call)
                note(Found::What::Call);
            events = here().events;
        }
        replica_->set_breakpoints({});
        replica_->watch({});
        return last ? Found{Found::What::Place} : Found{};
    });
    replica_->set_breakpoints({});
    replica_->watch({});
    if (failed(f) || !last) return f;
    Found there = go_to(*last);
    // Before what touched it.
    if (there.what == Found::What::Place && what.what == Found::What::Watch) there = step_back();
    return there.what == Found::What::Place ? what : there;
}

Found Timeline::run(const Search& search) {
    replica_->set_breakpoints(search.breakpoints);
    replica_->watch(search.watches);
    const Position from = here();
    // Not the one it stands on.
    if (!search.breakpoints.empty()) {
        const Halt halt = replica_->step();
        if (halt != Halt::There) {
            replica_->set_breakpoints({});
            replica_->watch({});
            return found(halt, *replica_);
        }
        if (std::ranges::find(search.breakpoints, replica_->state().ip) !=
            search.breakpoints.end()) {
            replica_->set_breakpoints({});
            replica_->watch({});
            return {Found::What::Breakpoint};
        }
    }
    Found f;
    for (;;) {
        Replica::Goal goal{end().bundle, end().events};
        if (search.calls && replica_->coming_events())
            goal = {replica_->next_event_bundle(), here().events + 1};
        f = forward(goal, search.breakpoints.empty() && search.watches.empty());
        if (f.what != Found::What::Place) break;
        if (at_end()) {
            f = {};
            break;
        }
        if (search.calls && !replica_->recent().empty() &&
            replica_->recent().back() == EventKind::Call && here() > from) {
            f = {Found::What::Call};
            break;
        }
        if (!search.calls) break;
    }
    replica_->set_breakpoints({});
    replica_->watch({});
    return f;
}

/// To the last place before this one that is wanted.
Found Timeline::back_to(const std::function<bool()>& is_wanted) {
    std::optional<Position> last;
    const Found f = backwards([&](Position end) -> Found {
        while (here() < end) {
            if (is_wanted()) last = here();
            const Halt halt = replica_->step();
            if (halt != Halt::There) {
                if (halt == Halt::End) break;
                return found(halt, *replica_);
            }
            if (options_.cancelled && options_.cancelled()) return {Found::What::Cancelled};
        }
        return last ? Found{Found::What::Place} : Found{};
    });
    if (failed(f) || !last) return f;
    return go_to(*last);
}

Found Timeline::step_back_over() {
    const std::size_t depth = replica_->state().depth();
    const Position from = here();
    const Found first = step_back();
    if (first.what != Found::What::Place || replica_->state().depth() <= depth) return first;
    // Behind a call: to the last place before it that is no deeper.
    return back_to([&] { return replica_->state().depth() <= depth && here() < from; });
}

Found Timeline::step_back_out() {
    const std::size_t depth = replica_->state().depth();
    if (depth == 0) return {};
    return back_to([&] { return replica_->state().depth() < depth; });
}

namespace {

/// Where a target is, independent of what the window does meanwhile.
struct Cell {
    Target target;
    std::uint64_t place = 0;  ///< Register: in the window file
    std::vector<std::uint64_t> value(const Replica& replica) const {
        const cpu::CpuState& s = replica.state();
        switch (target.kind) {
            case Target::Kind::Register:
                return {s.window_file[place].lo, s.window_file[place].ext};
            case Target::Kind::Global:
                return {s.g[target.index].lo, s.g[target.index].ext};
            case Target::Kind::Predicate:
                return {s.pred[s.pred_phys(static_cast<unsigned>(target.index))]};
            case Target::Kind::Ctpr:
                return {s.ctpr[target.index].base, s.ctpr[target.index].image()};
            case Target::Kind::Memory: {
                std::vector<std::uint64_t> words((target.size + 7) / 8);
                static_cast<void>(replica.memory().read(target.index, words.data(), target.size));
                return words;
            }
        }
        return {};
    }
};

}  // namespace

std::optional<LastWrite> Timeline::last_write(const Target& target) {
    const cpu::CpuState& s = replica_->state();
    Cell cell{target, s.window_index() + target.index};
    const bool exists = target.kind == Target::Kind::Register    ? target.index < s.wd.size
                        : target.kind == Target::Kind::Global    ? target.index < s.g.size()
                        : target.kind == Target::Kind::Predicate ? target.index < s.pred.size()
                        : target.kind == Target::Kind::Ctpr      ? target.index < s.ctpr.size()
                                                                 : target.size <= 4096;
    if (!exists) return std::nullopt;
    const Position from = here();
    std::optional<LastWrite> last;
    static_cast<void>(backwards([&](Position end) -> Found {
        auto now = cell.value(*replica_);
        while (here() < end) {
            const Position before = here();
            const std::uint64_t ip = replica_->state().ip;
            const Halt halt = replica_->step();
            auto next = cell.value(*replica_);
            if (next != now && here() <= from) {
                const bool event = here().events != before.events;
                last = {before, ip, event, now[0], next[0]};
            }
            now = std::move(next);
            if (halt == Halt::End) break;
            if (halt != Halt::There) return found(halt, *replica_);
            if (options_.cancelled && options_.cancelled()) return {Found::What::Cancelled};
        }
        return last ? Found{Found::What::Place} : Found{};
    }));
    static_cast<void>(go_to(from));
    return last;
}

}  // namespace e2k::history
