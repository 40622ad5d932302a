#include "engine/timing/scheduler.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <optional>

#include <fmt/format.h>

namespace e2k::timing {

namespace {

using Nodes = std::vector<std::uint16_t>;
constexpr std::size_t kExactNodes = 10;
constexpr unsigned kArrayLoads = 4, kLogic = 3;

/// Gives each node one of its sets, none of which share a channel.
bool match(const DependenceGraph& g, const Nodes& nodes, std::size_t next, unsigned taken) {
    while (next < nodes.size() && g.nodes[nodes[next]].unit != Unit::Channel) ++next;
    if (next == nodes.size()) return true;
    for (const std::uint8_t choice : g.nodes[nodes[next]].choices)
        if (!(taken & choice) && match(g, nodes, next + 1, taken | choice)) return true;
    return false;
}

unsigned channels_of(const GraphNode& node) {
    return node.unit == Unit::Channel && !node.choices.empty()
               ? static_cast<unsigned>(std::popcount(node.choices.front()))
               : 0;
}

/// Longest path from each node to the end, in cycles.
std::vector<unsigned> heights(const DependenceGraph& g) {
    std::vector<unsigned> height(g.nodes.size(), 0);
    // Edges are sorted by their heads, which are above their tails.
    for (auto e = g.edges.rbegin(); e != g.edges.rend(); ++e)
        if (e->distance == 0)
            height[e->from] = std::max(height[e->from], height[e->to] + e->latency);
    return height;
}

std::vector<std::vector<GraphEdge>> by_head(const DependenceGraph& g) {
    std::vector<std::vector<GraphEdge>> edges(g.nodes.size());
    for (const GraphEdge& e : g.edges) edges[e.to].push_back(e);
    return edges;
}

/// Whether the graph has no chain that needs more than `interval` cycles an iteration.
bool recurrences_allow(const DependenceGraph& g, unsigned interval) {
    std::vector<long> at(g.nodes.size(), 0);
    for (std::size_t round = 0; round <= g.nodes.size(); ++round) {
        bool changed = false;
        for (const GraphEdge& e : g.edges) {
            const long least = at[e.from] + e.latency - static_cast<long>(interval) * e.distance;
            if (at[e.to] >= least) continue;
            at[e.to] = least;
            changed = true;
        }
        if (!changed) return true;
    }
    return false;
}

unsigned ceil_div(unsigned a, unsigned b) { return (a + b - 1) / b; }

unsigned resource_bound(const DependenceGraph& g, Machine m) {
    if (m.infinite) return 1;
    unsigned total = 0, left = 0, right = 0, logic = 0, prepare = 0, transfer = 0, least = 1;
    for (const GraphNode& n : g.nodes) {
        total += std::min(channels_of(n), m.lanes);
        if (n.unit == Unit::Array) ++(n.choices.front() & 0b0011 ? left : right);
        if (n.unit == Unit::Logic) ++logic;
        if (n.unit == Unit::Prepare) ++prepare;
        if (n.unit == Unit::Transfer) ++transfer;
    }
    for (const unsigned n : {ceil_div(total, m.lanes), ceil_div(left, 2), ceil_div(right, 2),
                             ceil_div(logic, kLogic), prepare, transfer})
        least = std::max(least, n);
    // Operations that can go to some channels only.
    for (unsigned set = 1; set < 1u << isa::kChannels; ++set) {
        unsigned needed = 0;
        for (const GraphNode& n : g.nodes) {
            if (n.unit != Unit::Channel) continue;
            const bool inside = std::ranges::all_of(
                n.choices, [&](std::uint8_t choice) { return (choice & ~set) == 0; });
            if (inside) needed += channels_of(n);
        }
        least = std::max(least, ceil_div(needed, static_cast<unsigned>(std::popcount(set))));
    }
    return least;
}

/// List scheduling, cycle by cycle.
class ListScheduler {
public:
    ListScheduler(const DependenceGraph& g, Machine m) : g_(g), m_(m), edges_(by_head(g)) {
        order_.resize(g.nodes.size());
        std::iota(order_.begin(), order_.end(), std::uint16_t{0});
        const auto height = heights(g);
        std::ranges::stable_sort(order_, [&](auto a, auto b) { return height[a] > height[b]; });
    }

    Schedule run() {
        Schedule s;
        s.cycle.assign(g_.nodes.size(), kNone);
        std::size_t left = g_.nodes.size();
        for (std::uint32_t cycle = 0; left != 0; ++cycle) {
            Nodes now;
            // An edge of no latency may lead to a node of the same cycle.
            for (bool more = true; more;) {
                more = false;
                for (const std::uint16_t n : order_) {
                    if (s.cycle[n] != kNone || earliest(s, n) > cycle) continue;
                    now.push_back(n);
                    if (!fits(g_, now, m_)) {
                        now.pop_back();
                        continue;
                    }
                    s.cycle[n] = cycle;
                    --left;
                    more = true;
                }
            }
            if (!m_.infinite) count_idle(s, now, cycle);
            s.length = cycle + 1;
        }
        s.interval = s.length;
        return s;
    }

private:
    static constexpr std::uint32_t kNone = ~0u;

    std::uint32_t earliest(const Schedule& s, std::uint16_t n) const {
        std::uint32_t least = 0;
        for (const GraphEdge& e : edges_[n]) {
            if (e.distance != 0) continue;
            if (s.cycle[e.from] == kNone) return kNone;
            least = std::max(least, s.cycle[e.from] + e.latency);
        }
        return least;
    }

    void count_idle(Schedule& s, const Nodes& now, std::uint32_t cycle) const {
        unsigned used = 0;
        for (const std::uint16_t n : now) used += std::min(channels_of(g_.nodes[n]), m_.lanes);
        if (used >= m_.lanes) return;
        Idle why = Idle::Nothing;
        for (const std::uint16_t n : order_) {
            if (s.cycle[n] != kNone || g_.nodes[n].unit != Unit::Channel) continue;
            const std::uint32_t at = earliest(s, n);
            why = at == kNone ? Idle::Dependence : at > cycle ? Idle::Latency : Idle::Resource;
            break;
        }
        s.idle[static_cast<std::size_t>(why)] += m_.lanes - used;
    }

    const DependenceGraph& g_;
    Machine m_;
    std::vector<std::vector<GraphEdge>> edges_;
    Nodes order_;
};

/// All schedules of few nodes: in every cycle all sets that leave out nothing that would fit.
class ExactBlock {
public:
    ExactBlock(const DependenceGraph& g, Machine m, unsigned limit)
        : g_(g), m_(m), edges_(by_head(g)), height_(heights(g)), best_length_(limit) {
        cycle_.assign(g.nodes.size(), kNone);
    }
    /// Cycles of a schedule shorter than `limit`, or none.
    std::optional<std::vector<std::uint32_t>> run() {
        search(0, g_.nodes.size());
        return best_;
    }
    /// All have been looked at.
    bool complete() const { return patience_ != 0; }

private:
    static constexpr std::uint32_t kNone = ~0u;

    void search(std::uint32_t cycle, std::size_t left) {
        if (left == 0) {
            best_length_ = cycle;
            best_ = cycle_;
            return;
        }
        if (patience_ == 0 || --patience_ == 0) return;
        for (std::size_t n = 0; n < cycle_.size(); ++n)
            if (cycle_[n] == kNone && cycle + height_[n] + 1 >= best_length_) return;
        choose(cycle, left, 0, {});
    }

    bool ready(std::size_t n, std::uint32_t cycle) const {
        return std::ranges::all_of(edges_[n], [&](const GraphEdge& e) {
            return e.distance != 0 ||
                   (cycle_[e.from] != kNone && cycle_[e.from] + e.latency <= cycle);
        });
    }

    /// Nodes are in an order in which edges of distance 0 lead upwards.
    void choose(std::uint32_t cycle, std::size_t left, std::size_t from, Nodes now) {
        for (std::size_t n = from; n < cycle_.size(); ++n) {
            if (cycle_[n] != kNone || !ready(n, cycle)) continue;
            Nodes with = now;
            with.push_back(static_cast<std::uint16_t>(n));
            if (!fits(g_, with, m_)) continue;
            cycle_[n] = cycle;
            choose(cycle, left - 1, n + 1, with);
            cycle_[n] = kNone;
            // Without it: only where another takes its place.
            if (m_.infinite) return;
        }
        search(cycle + 1, left);
    }

    const DependenceGraph& g_;
    Machine m_;
    std::vector<std::vector<GraphEdge>> edges_;
    std::vector<unsigned> height_;
    std::vector<std::uint32_t> cycle_;
    unsigned best_length_;
    std::size_t patience_ = 50'000;
    std::optional<std::vector<std::uint32_t>> best_;
};

}  // namespace

bool fits(const DependenceGraph& g, const Nodes& nodes, Machine m) {
    if (m.infinite) return true;
    unsigned lanes = 0, left = 0, right = 0, logic = 0, prepare = 0, transfer = 0;
    for (const std::uint16_t n : nodes) {
        const GraphNode& node = g.nodes[n];
        lanes += std::min(channels_of(node), m.lanes);
        if (node.unit == Unit::Array) ++(node.choices.front() & 0b0011 ? left : right);
        if (node.unit == Unit::Logic) ++logic;
        if (node.unit == Unit::Prepare) ++prepare;
        if (node.unit == Unit::Transfer) ++transfer;
    }
    static_assert(kArrayLoads == 4);
    if (lanes > m.lanes || left > kArrayLoads / 2 || right > kArrayLoads / 2 || logic > kLogic ||
        prepare > 1 || transfer > 1)
        return false;
    return match(g, nodes, 0, 0);
}

Bounds bounds_of(const DependenceGraph& g, Machine m) {
    Bounds b;
    b.resources = resource_bound(g, m);
    for (const unsigned h : heights(g)) b.critical_path = std::max(b.critical_path, h + 1);
    if (!g.loop) return b;
    unsigned low = 0, high = 1;
    while (!recurrences_allow(g, high)) high *= 2;
    while (low + 1 < high) {
        const unsigned middle = (low + high) / 2;
        (recurrences_allow(g, middle) ? high : low) = middle;
    }
    b.recurrence = recurrences_allow(g, 0) ? 0 : high;
    return b;
}

Schedule schedule_block(const DependenceGraph& g, Machine m) {
    Schedule s = ListScheduler(g, m).run();
    const Bounds b = bounds_of(g, m);
    s.optimal = s.length <= std::max(b.critical_path, b.resources);
    if (s.optimal || g.nodes.size() > kExactNodes) return s;
    ExactBlock exact(g, m, s.length);
    if (auto shorter = exact.run()) {
        s.cycle = std::move(*shorter);
        s.length = s.interval = *std::ranges::max_element(s.cycle) + 1;
    }
    s.optimal = exact.complete() || s.length <= std::max(b.critical_path, b.resources);
    return s;
}

Schedule compiler_schedule(const DependenceGraph& g) {
    Schedule s;
    const std::size_t bundles = g.pauses.size();
    const unsigned rounds = g.loop ? 64 : 1;
    const auto edges = by_head(g);
    std::vector<std::vector<std::uint16_t>> nodes_of(bundles);
    for (std::size_t n = 0; n < g.nodes.size(); ++n)
        nodes_of[g.nodes[n].bundle].push_back(static_cast<std::uint16_t>(n));
    std::vector<std::vector<std::uint32_t>> at(rounds, std::vector<std::uint32_t>(g.nodes.size()));
    std::uint32_t next = 0;
    std::vector<std::uint32_t> begins;
    for (unsigned round = 0; round < rounds; ++round) {
        for (std::size_t b = 0; b < bundles; ++b) {
            std::uint32_t issue = next;
            for (const std::uint16_t n : nodes_of[b])
                for (const GraphEdge& e : edges[n])
                    if (e.distance <= round && !(e.distance == 0 && g.nodes[e.from].bundle == b))
                        issue = std::max(issue, at[round - e.distance][e.from] + e.latency);
            for (const std::uint16_t n : nodes_of[b]) at[round][n] = issue;
            if (b == 0) begins.push_back(issue);
            next = issue + 1u + g.pauses[b];
        }
        if (round == 0) s.length = next;
    }
    s.cycle = at.front();
    const unsigned counted = rounds - 1 - rounds / 2;
    s.interval = rounds > 1 ? ceil_div(begins[rounds - 1] - begins[rounds / 2], counted) : s.length;
    return s;
}

std::string check_schedule(const DependenceGraph& g, const Schedule& s, Machine m,
                           unsigned interval) {
    for (const GraphEdge& e : g.edges) {
        if (interval == 0 && e.distance != 0) continue;
        const long least = long{s.cycle[e.from]} + e.latency - long{interval} * e.distance;
        if (long{s.cycle[e.to]} < least)
            return fmt::format("node {} in cycle {} comes before {}", e.to, s.cycle[e.to], least);
    }
    std::vector<Nodes> slots;
    for (std::size_t n = 0; n < g.nodes.size(); ++n) {
        const std::size_t slot = interval ? s.cycle[n] % interval : s.cycle[n];
        if (slots.size() <= slot) slots.resize(slot + 1);
        slots[slot].push_back(static_cast<std::uint16_t>(n));
    }
    for (std::size_t slot = 0; slot < slots.size(); ++slot)
        if (!fits(g, slots[slot], m)) return fmt::format("cycle {} holds too much", slot);
    return {};
}

}  // namespace e2k::timing
