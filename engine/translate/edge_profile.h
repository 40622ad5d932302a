// How often the bundles of a region were executed, for little: code counts only the ways that do
// not simply lead from one bundle to the bundle laid out next; the executions follow from these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace e2k::translate {

struct Region;

/// A way from bundle to bundle that the region's code counts when it takes it.
struct CountedEdge {
    int from = -1;  ///< index of the node left; -1: the region is entered
    int to = -1;    ///< index of the node reached; -1: the region is left
    std::uint64_t* count = nullptr;
};

class EdgeProfile {
public:
    /// Of a region of so many nodes.
    explicit EdgeProfile(std::size_t nodes);
    ~EdgeProfile();
    EdgeProfile(const EdgeProfile&) = delete;
    EdgeProfile& operator=(const EdgeProfile&) = delete;

    /// The counter of one more way. The code may keep its address, which has 31 bits so that an
    /// instruction can hold it; null: there is no room.
    std::uint64_t* count(int from, int to);

    std::vector<CountedEdge> edges;
    std::vector<bool> falls;  ///< per node: control can fall into the node laid out next

private:
    std::uint64_t* counters_ = nullptr;
    std::size_t bytes_ = 0;
};

/// Executions of each bundle of the region. Exact when no thread is in the region.
std::vector<std::uint64_t> bundle_executions(const Region& region);

}  // namespace e2k::translate
