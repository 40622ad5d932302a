// Schedulers against brute force, and against bounds and the compiler's order.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "engine/timing/scheduler.h"

namespace e2k::timing {
namespace {

std::vector<std::uint8_t> channels(unsigned mask) {
    std::vector<std::uint8_t> sets;
    for (unsigned c = 0; c < 6; ++c)
        if (mask >> c & 1) sets.push_back(static_cast<std::uint8_t>(1u << c));
    return sets;
}

DependenceGraph random_graph(std::mt19937& random, std::size_t nodes, bool loop) {
    constexpr std::array<unsigned, 5> kMasks{0b111111, 0b011011, 0b100100, 0b101101, 0b100000};
    DependenceGraph g;
    g.loop = loop;
    const auto below = [&](std::size_t n) { return static_cast<unsigned>(random() % n); };
    for (std::size_t n = 0; n < nodes; ++n) {
        GraphNode node;
        node.choices = channels(kMasks[below(kMasks.size())]);
        if (below(8) == 0) node.choices = {0b100100};
        node.bundle = static_cast<std::uint16_t>(n);
        g.nodes.push_back(node);
        g.pauses.push_back(0);
        for (std::size_t from = 0; from < n; ++from)
            if (below(4) == 0)
                g.edges.push_back({static_cast<std::uint16_t>(from), static_cast<std::uint16_t>(n),
                                   static_cast<std::uint8_t>(below(4)), 0, Dependence::Register});
        if (loop && below(3) == 0)
            g.edges.push_back({static_cast<std::uint16_t>(n),
                               static_cast<std::uint16_t>(below(n + 1)),
                               static_cast<std::uint8_t>(1 + below(4)),
                               static_cast<std::uint8_t>(1 + below(2)), Dependence::Register});
    }
    std::ranges::sort(g.edges, {}, [](const GraphEdge& e) { return std::pair(e.to, e.from); });
    return g;
}

/// Whether some placement takes `length` cycles, tried one by one: no cleverness.
class BruteForce {
public:
    BruteForce(const DependenceGraph& g, Machine m, unsigned interval, unsigned cycles)
        : g_(g), m_(m), interval_(interval), cycles_(cycles) {
        s_.cycle.assign(g.nodes.size(), 0);
    }
    bool possible() { return place(0); }

private:
    bool place(std::size_t n) {
        if (n == s_.cycle.size()) return check_schedule(g_, s_, m_, interval_).empty();
        for (std::uint32_t cycle = 0; cycle < cycles_; ++cycle) {
            s_.cycle[n] = cycle;
            const bool early = std::ranges::any_of(g_.edges, [&](const GraphEdge& e) {
                return e.to == n && e.from < n && e.distance == 0 &&
                       cycle < s_.cycle[e.from] + e.latency;
            });
            if (!early && place(n + 1)) return true;
        }
        return false;
    }
    const DependenceGraph& g_;
    Machine m_;
    unsigned interval_, cycles_;
    Schedule s_;
};

constexpr std::array kMachines{Machine{1, false}, Machine{2, false}, Machine{4, false},
                               Machine{6, false}, Machine{6, true}};

TEST(Scheduler, BlocksAreAsShortAsBruteForceFindsThem) {
    std::mt19937 random(7);
    for (int round = 0; round < 60; ++round) {
        const DependenceGraph g = random_graph(random, 2 + random() % 5, false);
        for (const Machine m : kMachines) {
            const Schedule s = schedule_block(g, m);
            EXPECT_EQ(check_schedule(g, s, m, 0), "");
            EXPECT_TRUE(s.optimal);
            unsigned least = 1;
            while (!BruteForce(g, m, 0, least).possible()) ++least;
            EXPECT_EQ(s.length, least) << "round " << round << ", " << m.lanes << " lanes";
        }
    }
}

TEST(Scheduler, LoopsAreAsDenseAsBruteForceFindsThem) {
    std::mt19937 random(11);
    for (int round = 0; round < 20; ++round) {
        const DependenceGraph g = random_graph(random, 2 + random() % 3, true);
        for (const Machine m : kMachines) {
            const Schedule s = schedule_loop(g, m);
            EXPECT_EQ(check_schedule(g, s, m, s.interval), "");
            unsigned least = 1;
            while (!BruteForce(g, m, least, 14).possible()) ++least;
            EXPECT_EQ(s.interval, least) << "round " << round << ", " << m.lanes << " lanes";
        }
    }
}

TEST(Scheduler, LargerGraphsKeepTheirBounds) {
    std::mt19937 random(3);
    for (int round = 0; round < 20; ++round) {
        const bool loop = round % 2;
        const DependenceGraph g = random_graph(random, round < 10 ? 10 : 40, loop);
        unsigned wider = ~0u;
        for (const Machine m : kMachines) {
            const Bounds b = bounds_of(g, m);
            const Schedule block = schedule_block(g, m);
            EXPECT_EQ(check_schedule(g, block, m, 0), "");
            EXPECT_GE(block.length, std::max(b.critical_path, b.resources));
            if (block.optimal) {
                EXPECT_LE(block.length, wider);
                wider = block.length;
            }
            if (!loop) continue;
            const Schedule s = schedule_loop(g, m);
            EXPECT_EQ(check_schedule(g, s, m, s.interval), "");
            EXPECT_GE(s.interval, std::max(b.recurrence, b.resources));
        }
        const Bounds free = bounds_of(g, {6, true});
        const Schedule compiler = compiler_schedule(g);
        EXPECT_GE(compiler.length, free.critical_path);
        if (!loop) continue;
        EXPECT_GE(compiler.interval, free.recurrence);
    }
}

TEST(Scheduler, ARecurrenceIsSeen) {
    DependenceGraph g;
    g.loop = true;
    for (unsigned n = 0; n < 2; ++n) {
        g.nodes.push_back(
            {"", Unit::Channel, channels(0b111111), static_cast<std::uint16_t>(n), 0});
        g.pauses.push_back(0);
    }
    g.edges = {{1, 0, 3, 2, Dependence::Register}, {0, 1, 4, 0, Dependence::Register}};
    EXPECT_EQ(bounds_of(g, {6, false}).recurrence, 4u);  // 7 cycles over two iterations
    EXPECT_EQ(schedule_loop(g, {6, false}).interval, 4u);
    EXPECT_EQ(bounds_of(g, {1, false}).resources, 2u);
}

}  // namespace
}  // namespace e2k::timing
