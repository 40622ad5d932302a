// The dependences of a block or loop body: what any schedule of it has to keep to.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/isa/bundle.h"
#include "engine/timing/processor.h"

namespace e2k::timing {

/// What of a bundle an operation occupies.
enum class Unit : std::uint8_t {
    Channel,   ///< one of the six arithmetic-logic channels, or two of them
    Array,     ///< array loads: two of each plane
    Logic,     ///< predicate logic: three a bundle
    Prepare,   ///< disp, return, …: one a bundle
    Transfer,  ///< ct, call: one a bundle
};

struct GraphNode {
    std::string text;  ///< "addd %dr1, 8 -> %dr2"
    Unit unit = Unit::Channel;
    /// Sets of channels of which it takes one, as bit masks; for Array the array channels.
    std::vector<std::uint8_t> choices;
    std::uint16_t bundle = 0;  ///< position of its bundle in the compiler's code
    std::uint8_t channel = 0;  ///< the compiler's choice
};

enum class Dependence : std::uint8_t { Register, Predicate, Memory, Output, Transfer };
struct GraphEdge {
    std::uint16_t from = 0, to = 0;
    std::uint8_t latency = 0;   ///< cycles from issue to issue at least
    std::uint8_t distance = 0;  ///< iterations in between
    Dependence kind = Dependence::Register;
    bool operator==(const GraphEdge&) const = default;
};

struct DependenceGraph {
    std::vector<GraphNode> nodes;
    std::vector<GraphEdge> edges;  ///< those of distance 0 lead from lower to higher nodes
    bool loop = false;
    std::vector<std::uint8_t> pauses;  ///< `nop` of each bundle of the compiler's code
};

/// True dependences only: results are taken to go to registers of their own, and what crosses
/// between clusters to cost nothing. Accesses of the same base are ordered where they may overlap;
/// others too, unless the body rotates registers: there the compiler has found them independent.
DependenceGraph make_graph(std::span<const isa::Bundle> bundles, bool loop, int iset,
                           const Processor& processor);

}  // namespace e2k::timing
