// Modulo scheduling: the same schedule for every iteration, a new one begun every `interval`
// cycles.
#include <algorithm>
#include <bit>
#include <optional>

#include "engine/timing/scheduler.h"

namespace e2k::timing {

namespace {

using Nodes = std::vector<std::uint16_t>;
constexpr std::size_t kExactNodes = 10;
constexpr long kNone = -1;

/// One interval. Nodes are placed by priority; what stands in the way is taken out again (iterative
/// modulo scheduling).
class Placement {
public:
    Placement(const DependenceGraph& g, Machine m, unsigned interval)
        : g_(g),
          m_(m),
          interval_(interval),
          into_(g.nodes.size()),
          out_of_(g.nodes.size()),
          at_(g.nodes.size(), kNone),
          last_(g.nodes.size(), kNone),
          slots_(interval) {
        for (const GraphEdge& e : g.edges) {
            into_[e.to].push_back(e);
            out_of_[e.from].push_back(e);
        }
        find_heights();
    }

    std::optional<std::vector<std::uint32_t>> run() {
        std::size_t budget = g_.nodes.size() * 12 + 50;
        for (;;) {
            const std::optional<std::uint16_t> n = next();
            if (!n) return times();
            if (budget-- == 0) return std::nullopt;
            place(*n);
        }
    }

    /// Every placement that can be, for few nodes.
    std::optional<std::vector<std::uint32_t>> exact() {
        if (!try_from(0)) return std::nullopt;
        return times();
    }
    bool complete() const { return patience_ != 0; }

private:
    void find_heights() {
        height_.assign(g_.nodes.size(), 0);
        for (std::size_t round = 0; round < g_.nodes.size(); ++round) {
            bool changed = false;
            for (const GraphEdge& e : g_.edges) {
                const long h = height_[e.to] + e.latency - long{interval_} * e.distance;
                if (h <= height_[e.from]) continue;
                height_[e.from] = h;
                changed = true;
            }
            if (!changed) break;
        }
    }

    std::optional<std::uint16_t> next() const {
        std::optional<std::uint16_t> best;
        for (std::size_t n = 0; n < at_.size(); ++n)
            if (at_[n] == kNone && (!best || height_[n] > height_[*best]))
                best = static_cast<std::uint16_t>(n);
        return best;
    }

    long earliest(std::uint16_t n) const {
        long least = 0;
        for (const GraphEdge& e : into_[n])
            if (at_[e.from] != kNone && e.from != n)
                least = std::max(least, at_[e.from] + e.latency - long{interval_} * e.distance);
        return least;
    }

    bool room(std::uint16_t n, long cycle) const {
        Nodes nodes = slots_[static_cast<std::size_t>(cycle) % interval_];
        nodes.push_back(n);
        return fits(g_, nodes, m_);
    }

    void put(std::uint16_t n, long cycle) {
        at_[n] = last_[n] = cycle;
        slots_[static_cast<std::size_t>(cycle) % interval_].push_back(n);
    }

    void take_out(std::uint16_t n) {
        std::erase(slots_[static_cast<std::size_t>(at_[n]) % interval_], n);
        at_[n] = kNone;
    }

    void place(std::uint16_t n) {
        const long from = earliest(n);
        long cycle = from;
        while (cycle < from + long{interval_} && !room(n, cycle)) ++cycle;
        if (cycle == from + long{interval_}) {
            cycle = last_[n] == kNone ? from : std::max(from, last_[n] + 1);
            Nodes& slot = slots_[static_cast<std::size_t>(cycle) % interval_];
            while (!room(n, cycle)) {
                const std::uint16_t victim = slot.front();
                take_out(victim);
            }
        }
        put(n, cycle);
        for (const GraphEdge& e : out_of_[n])
            if (e.to != n && at_[e.to] != kNone &&
                at_[e.to] < cycle + e.latency - long{interval_} * e.distance)
                take_out(e.to);
    }

    bool agrees(std::uint16_t n, long cycle) const {
        for (const GraphEdge& e : out_of_[n])
            if (e.to != n && at_[e.to] != kNone &&
                at_[e.to] < cycle + e.latency - long{interval_} * e.distance)
                return false;
        return true;
    }

    bool try_from(std::uint16_t n) {
        if (n == at_.size()) return true;
        const long from = earliest(n);
        // Twice the interval: a node of the iteration before may still be pushed back.
        for (long cycle = from; cycle < from + 2 * long{interval_}; ++cycle) {
            if (!room(n, cycle) || !agrees(n, cycle)) continue;
            put(n, cycle);
            if (try_from(static_cast<std::uint16_t>(n + 1))) return true;
            take_out(n);
            if (patience_ == 0 || --patience_ == 0) return false;
        }
        return false;
    }

    std::vector<std::uint32_t> times() const {
        std::vector<std::uint32_t> cycles;
        for (const long at : at_) cycles.push_back(static_cast<std::uint32_t>(at));
        return cycles;
    }

    const DependenceGraph& g_;
    Machine m_;
    unsigned interval_;
    std::vector<std::vector<GraphEdge>> into_, out_of_;
    std::vector<long> at_, last_, height_;
    std::vector<Nodes> slots_;
    std::size_t patience_ = 20'000;
};

void count_idle(const DependenceGraph& g, Schedule& s, Machine m) {
    std::uint64_t used = 0;
    for (const GraphNode& n : g.nodes)
        if (n.unit == Unit::Channel && !n.choices.empty())
            used += std::min<unsigned>(static_cast<unsigned>(std::popcount(n.choices.front())),
                                       m.lanes);
    const std::uint64_t lanes = std::uint64_t{m.lanes} * s.interval;
    const Bounds b = bounds_of(g, m);
    // What keeps the interval where it is keeps all of its empty lanes empty.
    const Idle why = b.recurrence >= s.interval  ? Idle::Dependence
                     : b.resources >= s.interval ? Idle::Resource
                                                 : Idle::Latency;
    s.idle[static_cast<std::size_t>(why)] = lanes - std::min(lanes, used);
}

}  // namespace

Schedule schedule_loop(const DependenceGraph& g, Machine m) {
    const Bounds b = bounds_of(g, m);
    const unsigned least = std::max({1u, b.resources, b.recurrence});
    Schedule alone = schedule_block(g, m);
    // Without overlap what an iteration leaves for the next has to be waited for.
    unsigned most = alone.length;
    while (!check_schedule(g, alone, {m.lanes, true}, most).empty() && most < 100'000) ++most;
    bool all_tried = true;  // of the intervals so far
    for (unsigned interval = least; interval < most; ++interval) {
        auto cycles = Placement(g, m, interval).run();
        if (!cycles && g.nodes.size() <= kExactNodes) {
            Placement exact(g, m, interval);
            cycles = exact.exact();
            all_tried &= cycles || exact.complete();
        } else if (!cycles) {
            all_tried = false;
        }
        if (!cycles) continue;
        Schedule s;
        s.cycle = std::move(*cycles);
        s.interval = interval;
        s.length = s.cycle.empty() ? 0 : *std::ranges::max_element(s.cycle) + 1;
        s.optimal = all_tried;
        if (!m.infinite) count_idle(g, s, m);
        return s;
    }
    alone.interval = most;
    alone.optimal = all_tried;
    return alone;
}

}  // namespace e2k::timing
