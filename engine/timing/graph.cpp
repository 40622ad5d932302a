#include "engine/timing/graph.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "engine/cpu/exec/micro_op.h"
#include "engine/timing/timed_bundle.h"

namespace e2k::timing {

using cpu::exec::RegRef;
using cpu::exec::Space;
using cpu::exec::Write;

namespace {

/// A place that holds a value: a register, predicate or CTPR. Based registers and predicates are
/// numbered as before any iteration.
struct Place {
    enum class Kind : std::uint8_t { Window, Based, Global, Predicate, Ctpr } kind;
    std::uint16_t index;
    auto operator<=>(const Place&) const = default;
};

struct Access {
    std::uint16_t node;
    bool store, array;
    RegRef base;
    bool literal_offset;
    std::uint64_t offset;
    unsigned size;
    std::uint32_t version;  ///< how often the base had been written
};

struct Writer {
    std::uint16_t node;
    std::uint8_t latency;  ///< to an operation of its own kind
    OpClass op_class;
    PredicateSource source;
    std::uint8_t iteration;
};

std::string reference_text(RegRef ref, const TimedBundle& b) {
    if (ref.space == Space::Literal) return fmt::format("0x{:x}", b.literals[ref.index].lo);
    return Waited{Waited::Kind::Register, ref.space, ref.index, 0}.text();
}

class Builder {
public:
    Builder(std::span<const isa::Bundle> bundles, bool loop, int iset, const Processor& processor)
        : p_(processor), loop_(loop) {
        timed_.resize(bundles.size());
        for (std::size_t i = 0; i < bundles.size(); ++i) {
            make_timed(bundles[i], iset, processor, timed_[i]);
            rotates_ |= bundles[i].ss.abn != 0;
            graph_.pauses.push_back(bundles[i].nop);
        }
        graph_.loop = loop;
    }

    DependenceGraph run() {
        // Of the last pass all that came before is known.
        passes_ = !loop_ ? 1 : rotates_ ? kRotatingPasses : kPasses;
        for (pass_ = 0; pass_ < passes_; ++pass_) {
            node_ = 0;
            for (std::size_t i = 0; i < timed_.size(); ++i) bundle(i);
        }
        add_transfer_order();
        std::ranges::sort(graph_.edges, {}, [](const GraphEdge& e) {
            return std::tuple(e.to, e.from, e.distance, e.kind);
        });
        const auto same = [](const GraphEdge& a, const GraphEdge& b) { return a == b; };
        graph_.edges.erase(std::unique(graph_.edges.begin(), graph_.edges.end(), same),
                           graph_.edges.end());
        return std::move(graph_);
    }

private:
    /// Iterations that a value may live on, and one.
    static constexpr unsigned kPasses = 3, kRotatingPasses = 34;

    Place place_of(RegRef ref) const {
        switch (ref.space) {
            case Space::Based:
                // A rotation gives %b[n] of now the number n + 2.
                return {Place::Kind::Based,
                        static_cast<std::uint16_t>(512 + ref.index - 2 * turns_)};
            case Space::Global:
                return {Place::Kind::Global, ref.index};
            default:
                return {Place::Kind::Window, ref.index};
        }
    }

    /// Where predicates rotate, all are taken to: %pred0 of now is %pred1 of the next iteration.
    Place predicate_place(unsigned index) const {
        return {Place::Kind::Predicate,
                static_cast<std::uint16_t>(512 + static_cast<int>(index) - predicate_turns_)};
    }

    void edge(const Writer& from, std::size_t to, unsigned latency, Dependence kind) {
        const unsigned distance = pass_ - from.iteration;
        if (pass_ + 1 != passes_) return;
        if (distance == 0 && from.node >= to) return;
        graph_.edges.push_back({from.node, static_cast<std::uint16_t>(to),
                                static_cast<std::uint8_t>(latency),
                                static_cast<std::uint8_t>(distance), kind});
    }

    void uses(Place place, std::size_t to, Consumer consumer) {
        const auto found = writers_.find(place);
        if (found == writers_.end()) return;
        for (const Writer& w : found->second) {
            const ClassTiming& t = p_.timing(w.op_class);
            const unsigned more = consumer == Consumer::StoreData ? t.store
                                  : consumer == Consumer::Float   ? 0
                                                                  : t.integer;
            edge(w, to, w.latency + more, Dependence::Register);
        }
    }

    void uses_predicate(unsigned index, std::size_t to, TimedCondition::Use use) {
        const auto found = writers_.find(predicate_place(index));
        if (found == writers_.end()) return;
        for (const Writer& w : found->second) {
            const PredicateTiming& t = p_.predicates[static_cast<std::size_t>(w.source)];
            edge(w, to,
                 use == TimedCondition::Use::Logic   ? t.logic
                 : use == TimedCondition::Use::Guard ? t.guard
                                                     : t.transfer,
                 Dependence::Predicate);
        }
    }

    /// A guarded result joins those that were there; any other replaces them.
    void writes(Place place, Writer writer, bool guarded) {
        pending_writes_.emplace_back(place, writer, guarded);
    }

    void commit() {
        for (const auto& [place, writer, guarded] : pending_writes_) {
            auto& list = writers_[place];
            if (guarded) {
                for (const Writer& w : list)
                    if (w.node != writer.node || w.iteration != writer.iteration)
                        edge(w, writer.node, std::max(1, int{w.latency} - int{writer.latency} + 1),
                             Dependence::Output);
            } else {
                list.clear();
            }
            list.push_back(writer);
            ++versions_[place];
        }
        pending_writes_.clear();
    }

    std::size_t add_node(GraphNode node) {
        if (pass_ == 0) graph_.nodes.push_back(std::move(node));
        return node_++;
    }

    static std::vector<std::uint8_t> choices_of(const isa::Operation& row) {
        std::vector<std::uint8_t> sets;
        switch (row.pair) {
            case isa::Pair::P01_34:
                return {0b000011, 0b011000};
            case isa::Pair::P02_35:
                return {0b000101, 0b101000};
            case isa::Pair::P25:
                return {0b100100};
            case isa::Pair::P01:
                return {0b000011};
            case isa::Pair::None:
                break;
        }
        for (int c = 0; c < isa::kChannels; ++c)
            if (row.channels >> c & 1) sets.push_back(static_cast<std::uint8_t>(1u << c));
        return sets;
    }

    void bundle(std::size_t at) {
        const TimedBundle& b = timed_[at];
        const auto position = static_cast<std::uint16_t>(at);
        std::size_t first_of_pair = 0;
        for (unsigned i = 0; i < b.op_count; ++i) {
            const TimedOp& op = b.ops[i];
            const isa::AlsOp& als = b.bundle.als[op.channel];
            if (als.pair_second)
                finish_operation(b, op, first_of_pair);
            else
                first_of_pair = operation(b, op, position);
        }
        for (unsigned i = 0; i < b.mova_count; ++i) array_load(b, b.mova[i], position);
        if (b.logic_count) logic(b, position);
        if (b.prepare.ctpr) {
            const auto n = add_node(
                {"prepare %ctpr" + std::to_string(b.prepare.ctpr), Unit::Prepare, {}, position, 0});
            const unsigned latency = b.prepare.kind == isa::Cs0Kind::Return  ? p_.return_to_transfer
                                     : b.prepare.kind == isa::Cs0Kind::Sdisp ? p_.system_to_transfer
                                                                             : p_.label_to_transfer;
            writes({Place::Kind::Ctpr, b.prepare.ctpr}, writer(n, latency, OpClass::State), false);
        }
        if (b.transfer.kind != cpu::exec::TransferKind::None) transfer(b, position);
        commit();
        if (b.bundle.ss.abn != 0) ++turns_;
        if (b.bundle.ss.abp != 0) ++predicate_turns_;
    }

    Writer writer(std::size_t node, unsigned latency, OpClass c,
                  PredicateSource source = PredicateSource::Compare) const {
        return {static_cast<std::uint16_t>(node), static_cast<std::uint8_t>(latency), c, source,
                static_cast<std::uint8_t>(pass_)};
    }

    std::size_t operation(const TimedBundle& b, const TimedOp& op, std::uint16_t position) {
        std::string text(op.operation->mnemonic);
        const std::size_t n = add_node(
            {std::move(text), Unit::Channel, choices_of(*op.operation), position, op.channel});
        finish_operation(b, op, n);
        return n;
    }

    void finish_operation(const TimedBundle& b, const TimedOp& op, std::size_t n) {
        const Consumer consumer = consumer_of(*op.operation);
        std::string text;
        const auto reads = [&](RegRef ref, Consumer how) {
            if (ref.space != Space::Literal) uses(place_of(ref), n, how);
            if (ref.space != Space::Literal || ref.index != 0)
                text += (text.empty() ? " " : ", ") + reference_text(ref, b);
        };
        for (const RegRef ref : {op.a, op.b, op.c}) reads(ref, consumer);
        const bool stores = op.kind == TimedOp::Kind::Store || op.kind == TimedOp::Kind::ArrayStore;
        if (stores) reads(op.data, Consumer::StoreData);
        for (unsigned k = op.guard.begin; k < op.guard.begin + unsigned{op.guard.count}; ++k)
            if (!b.guards[k].pcnt) uses_predicate(b.guards[k].index, n, TimedCondition::Use::Guard);
        for (unsigned k = op.merge.begin; k < op.merge.begin + unsigned{op.merge.count}; ++k)
            if (!b.guards[k].pcnt) uses_predicate(b.guards[k].index, n, TimedCondition::Use::Guard);
        if (op.kind != TimedOp::Kind::Compute) memory(b, op, n);
        const bool guarded = op.guard.count != 0;
        switch (op.write) {
            case Write::None:
            case Write::State:
                break;
            case Write::Predicate:
                text += fmt::format(" -> %pred{}", op.dst.index);
                writes(predicate_place(op.dst.index),
                       writer(n, 1, op.op_class,
                              op.float_compare ? PredicateSource::FloatCompare
                                               : PredicateSource::Compare),
                       guarded);
                break;
            case Write::Ctpr:
                text += fmt::format(" -> %ctpr{}", op.dst.index);
                writes({Place::Kind::Ctpr, op.dst.index},
                       writer(n, p_.move_to_transfer, OpClass::State), guarded);
                break;
            default:
                text += " -> " + reference_text(op.dst, b);
                writes(place_of(op.dst), writer(n, op.latency, op.op_class), guarded);
                break;
        }
        if (pass_ == 0) graph_.nodes[n].text += text;
    }

    void array_load(const TimedBundle& b, const cpu::exec::ArrayLoad& m, std::uint16_t position) {
        const std::vector<std::uint8_t> plane = m.channel >= 2
                                                    ? std::vector<std::uint8_t>{0b0100, 0b1000}
                                                    : std::vector<std::uint8_t>{0b0001, 0b0010};
        const std::size_t n =
            add_node({fmt::format("mova area {} -> {}", m.area,
                                  m.discard ? "nothing" : reference_text(m.dst, b)),
                      Unit::Array, plane, position, m.channel});
        if (!m.discard)
            writes(place_of(m.dst), writer(n, p_.timing(OpClass::Array).latency, OpClass::Array),
                   false);
    }

    /// All predicate logic of a bundle is one node: what it computes belongs together.
    void logic(const TimedBundle& b, std::uint16_t position) {
        std::string text = "logic ->";
        for (unsigned i = 0; i < b.logic_count; ++i) text += fmt::format(" %pred{}", b.logic[i]);
        const std::size_t n = add_node({std::move(text), Unit::Logic, {}, position, 0});
        for (unsigned i = 0; i < b.condition_count; ++i)
            if (b.conditions[i].use == TimedCondition::Use::Logic)
                uses_predicate(b.conditions[i].index, n, TimedCondition::Use::Logic);
        for (unsigned i = 0; i < b.logic_count; ++i)
            writes(predicate_place(b.logic[i]),
                   writer(n, 1, OpClass::State, PredicateSource::Logic), false);
    }

    void transfer(const TimedBundle& b, std::uint16_t position) {
        const std::size_t n = add_node({"transfer", Unit::Transfer, {}, position, 0});
        transfer_ = n;
        for (unsigned i = 0; i < b.condition_count; ++i)
            if (b.conditions[i].use == TimedCondition::Use::Transfer)
                uses_predicate(b.conditions[i].index, n, TimedCondition::Use::Transfer);
        if (!b.transfer.ctpr) return;
        const auto found = writers_.find({Place::Kind::Ctpr, b.transfer.ctpr});
        if (found == writers_.end()) return;
        for (const Writer& w : found->second) edge(w, n, w.latency, Dependence::Transfer);
    }

    void memory(const TimedBundle& b, const TimedOp& op, std::size_t n) {
        Access now{};
        now.node = static_cast<std::uint16_t>(n);
        now.array = op.kind == TimedOp::Kind::ArrayStore;
        now.store = op.kind == TimedOp::Kind::Store || now.array;
        now.size = op.size;
        const bool a_is_base = op.a.space != Space::Literal;
        now.base = a_is_base ? op.a : op.b;
        const RegRef other = a_is_base ? op.b : op.a;
        now.literal_offset = other.space == Space::Literal;
        now.offset = now.literal_offset ? b.literals[other.index].lo : 0;
        now.version = now.base.space == Space::Literal ? 0 : versions_[place_of(now.base)];
        if (rotates_) return;  // a kernel has several iterations side by side: ordered by others
        for (const auto& [before, pass] : accesses_) {
            if (!before.store && !now.store) continue;
            if (before.node == now.node && pass == pass_) continue;
            if (independent(before, now, pass == pass_)) continue;
            Writer w = writer(before.node, 0, OpClass::State);
            w.iteration = static_cast<std::uint8_t>(pass);
            // Accesses of one bundle go in the order of their channels.
            const bool same_bundle =
                pass == pass_ && graph_.nodes[before.node].bundle == graph_.nodes[n].bundle;
            edge(w, n, before.store && !same_bundle ? 1 : 0, Dependence::Memory);
        }
        accesses_.emplace_back(now, pass_);
    }

    bool independent(const Access& x, const Access& y, bool same_pass) const {
        if (x.array || y.array || !same_pass) return x.array != y.array;
        const bool same_base = x.base.space == y.base.space && x.base.index == y.base.index &&
                               x.version == y.version && x.literal_offset && y.literal_offset;
        if (!same_base) return false;
        return x.offset + x.size <= y.offset || y.offset + y.size <= x.offset;
    }

    /// Nothing of an iteration is behind its transfer.
    void add_transfer_order() {
        if (!transfer_) return;
        for (std::size_t n = 0; n < graph_.nodes.size(); ++n)
            if (n < *transfer_)
                graph_.edges.push_back({static_cast<std::uint16_t>(n),
                                        static_cast<std::uint16_t>(*transfer_), 0, 0,
                                        Dependence::Transfer});
    }

    const Processor& p_;
    bool loop_, rotates_ = false;
    std::vector<TimedBundle> timed_;
    DependenceGraph graph_;
    unsigned pass_ = 0, passes_ = 1;
    int turns_ = 0, predicate_turns_ = 0;
    std::size_t node_ = 0;
    std::optional<std::size_t> transfer_;
    std::map<Place, std::vector<Writer>> writers_;
    std::map<Place, std::uint32_t> versions_;
    std::vector<std::tuple<Place, Writer, bool>> pending_writes_;
    std::vector<std::pair<Access, unsigned>> accesses_;
};

}  // namespace

DependenceGraph make_graph(std::span<const isa::Bundle> bundles, bool loop, int iset,
                           const Processor& processor) {
    return Builder(bundles, loop, iset, processor).run();
}

}  // namespace e2k::timing
