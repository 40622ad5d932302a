#include "engine/translate/edge_profile.h"

#include <sys/mman.h>

#include "engine/translate/region.h"

namespace e2k::translate {

namespace {

/// A node is left in at most three ways that count and entered in two.
constexpr std::size_t kEdgesPerNode = 5;

}  // namespace

EdgeProfile::EdgeProfile(std::size_t nodes)
    : falls(nodes), bytes_((nodes * kEdgesPerNode + 1) * sizeof(std::uint64_t)) {
    void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (memory != MAP_FAILED) counters_ = static_cast<std::uint64_t*>(memory);
}

EdgeProfile::~EdgeProfile() {
    if (counters_) munmap(counters_, bytes_);
}

std::uint64_t* EdgeProfile::count(int from, int to) {
    if (!counters_ || (edges.size() + 1) * sizeof(std::uint64_t) > bytes_) return nullptr;
    return edges.emplace_back(CountedEdge{from, to, counters_ + edges.size()}).count;
}

std::vector<std::uint64_t> bundle_executions(const Region& region) {
    const EdgeProfile& profile = *region.profile;
    const std::size_t nodes = profile.falls.size();
    // What reaches a node other than from the node before it, what leaves it for the node after it
    // never to be reached, and what is handed back before it was executed.
    std::vector<std::uint64_t> in(nodes), away(nodes), refused(nodes);
    const auto load = [](const std::uint64_t& count) {
        return __atomic_load_n(&count, __ATOMIC_RELAXED);
    };
    for (const CountedEdge& edge : profile.edges) {
        const std::uint64_t count = load(*edge.count);
        if (edge.to >= 0) in[static_cast<std::size_t>(edge.to)] += count;
        if (edge.from >= 0) away[static_cast<std::size_t>(edge.from)] += count;
    }
    for (const RecoveryPoint& point : region.recoveries)
        (point.executed ? away : refused)[point.node] += load(point.times);

    // The counters are read one after another while the code may run: never below zero.
    const auto less = [](std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; };
    std::vector<std::uint64_t> executed(nodes);
    std::uint64_t falls = 0;
    for (std::size_t i = 0; i < nodes; ++i) {
        executed[i] = less(in[i] + falls, refused[i]);
        falls = profile.falls[i] ? less(executed[i], away[i]) : 0;
    }
    return executed;
}

}  // namespace e2k::translate
