// How often the bundles of a region were executed, for little: code counts only the ways that do
// not simply lead from one bundle to the bundle laid out next; the executions follow from these.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

namespace e2k::translate {

struct Region;

/// A way from bundle to bundle that the region's code counts when it takes it.
struct CountedEdge {
    int from = -1;  ///< index of the node left; -1: the region is entered
    int to = -1;    ///< index of the node reached; -1: the region is left
    std::uint64_t count = 0;
};

struct EdgeProfile {
    std::deque<CountedEdge> edges;  ///< the code has the addresses of their counters
    std::vector<bool> falls;        ///< per node: control can fall into the node laid out next
};

/// Executions of each bundle of the region. Exact when no thread is in the region.
std::vector<std::uint64_t> bundle_executions(const Region& region);

}  // namespace e2k::translate
