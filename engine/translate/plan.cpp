#include "engine/translate/plan.h"

#include <algorithm>
#include <deque>

namespace e2k::translate {

using cpu::CtprTag;
using cpu::exec::ExecBundle;
using cpu::exec::MicroOp;
using cpu::exec::TransferKind;
using cpu::exec::Write;

Facts facts_after(const ExecBundle& b, Facts facts) {
    if (b.flags & cpu::exec::kPrepare) {
        CtprFact& fact = facts[b.prepare.ctpr - 1u];
        fact.kind = CtprFact::Kind::Known;
        fact.base = b.prepare.target;
        fact.opc = b.prepare.kind == isa::Cs0Kind::Ldisp;
        fact.ipd = b.prepare.ipd;
        fact.tag = b.prepare.kind == isa::Cs0Kind::Sdisp    ? CtprTag::System
                   : b.prepare.kind == isa::Cs0Kind::Return ? CtprTag::Return
                                                            : CtprTag::Label;
    }
    for (unsigned i = 0; i < b.op_count; ++i) {
        const MicroOp& op = b.ops[i];
        if (op.write == Write::Ctpr)
            facts[op.dst.index - 1u] = {CtprFact::Kind::Unknown, CtprTag::Empty, 0, 3, 0};
    }
    return facts;
}

Facts cleared_facts() {
    Facts facts;
    for (CtprFact& fact : facts) fact = {CtprFact::Kind::Known, CtprTag::Empty, 0, 0, 0};
    return facts;
}

namespace {

class Planner {
public:
    explicit Planner(const PlanRequest& request) : request_(request) {
        plan_.iset = request.state.strict ? request.state.iset : isa::kMaxIset - 1;
    }

    Plan run() {
        plan_.address = request_.state.ip;
        plan_.entry = Config::of(request_.state);
        pending_.push_back({nullptr, plan_.address, plan_.entry, {}, false});
        while (!pending_.empty()) {
            const Start start = pending_.back();
            pending_.pop_back();
            trace(start);
        }
        find_loops();
        return std::move(plan_);
    }

private:
    struct Start {
        Edge* edge;
        std::uint64_t address;
        Config config;
        Facts facts;
        bool after_call;
    };

    int find(std::uint64_t address, Config config, const Facts& facts) const {
        for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
            const Node& n = *plan_.nodes[i];
            if (n.address == address && n.config == config && n.facts == facts)
                return static_cast<int>(i);
        }
        return -1;
    }

    /// Lays out nodes one after another from `start` as long as control falls through.
    void trace(Start start) {
        bool fallthrough = false;
        while (true) {
            if (start.edge) *start.edge = {-1, start.address, start.config};
            const int known = find(start.address, start.config, start.facts);
            if (known >= 0) {
                Node& node = *plan_.nodes[static_cast<std::size_t>(known)];
                node.join = true;
                node.entered_by_return |= start.after_call;
                if (start.edge) start.edge->node = known;
                return;
            }
            const bool first = plan_.nodes.empty();
            if (plan_.nodes.size() >= request_.max_bundles) return;
            if (!first && request_.is_breakpoint(start.address)) return;
            auto bundle = cpu::fetch(request_.memory, start.address, plan_.iset);
            if (!bundle) return;
            auto node = std::make_unique<Node>();
            cpu::exec::predecode(*bundle, plan_.iset, node->bundle);
            node->address = start.address;
            node->config = start.config;
            node->facts = start.facts;
            node->join = !fallthrough || start.after_call;
            node->entered_by_return = start.after_call;
            node->bundle_dbl = config_after(node->bundle, node->config, false).window().dbl;
            node->interpret = !can_emit(node->bundle, node->config, node->facts);
            Node& n = *node;
            if (start.edge) start.edge->node = static_cast<int>(plan_.nodes.size());
            plan_.nodes.push_back(std::move(node));
            if (n.interpret || !connect(n, start)) return;
            fallthrough = !start.after_call;
        }
    }

    /// Finds out where `n` leads. True: tracing goes on at `start`.
    bool connect(Node& n, Start& start) {
        const ExecBundle& b = n.bundle;
        const Config not_taken = config_after(b, n.config, false);
        const Config taken = config_after(b, n.config, true);
        const Facts facts = facts_after(b, n.facts);
        n.next = {-1, b.next_address, not_taken};
        const bool always = b.transfer.condition == isa::ConditionType::Always;
        n.falls_through = !always;
        switch (b.transfer.kind) {
            case TransferKind::None:
                n.falls_through = true;
                start = {&n.next, b.next_address, not_taken, facts, false};
                return true;
            case TransferKind::Branch:
                n.taken_kind = TakenKind::Direct;
                n.taken = {-1, b.transfer.target, taken};
                break;
            case TransferKind::Jump:
                resolve_jump(n, facts[b.transfer.ctpr - 1u], taken);
                break;
            case TransferKind::Call:
            case TransferKind::DirectCall:
                return connect_call(n, start, taken, facts);
            default:
                return false;  // can_emit() has refused these
        }
        if (n.taken_kind == TakenKind::Direct || n.taken_kind == TakenKind::Predicted) {
            if (always && n.taken_kind == TakenKind::Direct) {
                start = {&n.taken, n.taken.target, taken, facts, false};
                return true;
            }
            // A loop seen for the first time: its next iteration is laid out next.
            const bool loops =
                !always && n.taken.target <= n.address && find(n.taken.target, taken, facts) < 0;
            if (loops) {
                pending_.push_back({&n.next, b.next_address, not_taken, facts, false});
                start = {&n.taken, n.taken.target, taken, facts, false};
                return true;
            }
            pending_.push_back({&n.taken, n.taken.target, taken, facts, false});
        }
        if (always) return false;
        start = {&n.next, b.next_address, not_taken, facts, false};
        return true;
    }

    void resolve_jump(Node& n, const CtprFact& fact, Config taken) {
        if (fact.kind == CtprFact::Kind::Known) {
            n.taken_kind = fact.tag == CtprTag::Return ? TakenKind::Return : TakenKind::Direct;
            n.taken = {-1, fact.base, taken};
            return;
        }
        n.taken_kind = TakenKind::IndirectJump;
        if (fact.kind == CtprFact::Kind::Unknown) return;
        const cpu::Ctpr& hint = request_.state.ctpr[n.bundle.transfer.ctpr - 1u];
        if (hint.tag == CtprTag::Return) n.taken_kind = TakenKind::PredictedReturn;
        if (hint.tag == CtprTag::Label && (hint.base & 7) == 0) {
            n.taken_kind = TakenKind::Predicted;
            n.taken = {-1, hint.base, taken};
        }
    }

    bool connect_call(Node& n, Start& start, Config taken, const Facts& facts) {
        const ExecBundle& b = n.bundle;
        const unsigned wbs = 2u * b.transfer.wbs;
        std::uint64_t target = b.transfer.target;
        n.taken_kind = TakenKind::Call;
        if (b.transfer.kind == TransferKind::Call) {
            const CtprFact& fact = facts[b.transfer.ctpr - 1u];
            if (fact.kind == CtprFact::Kind::Known)
                target = fact.base;
            else
                n.taken_kind = TakenKind::IndirectCall;
        }
        n.taken = {-1, target, config_of_callee(taken, wbs)};
        // The ways to the next bundle know different things about the CTPRs, so the code after the
        // return is a place of its own when the call is conditional.
        if (n.falls_through)
            pending_.push_back({&n.next, b.next_address, n.next.config, facts, false});
        start = {&n.return_to, b.next_address, taken, cleared_facts(), true};
        return true;
    }

    void find_loops() {
        for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
            const Node& latch = *plan_.nodes[i];
            for (const Edge* edge : {&latch.next, &latch.taken}) {
                if (edge->node < 0 || edge->node > static_cast<int>(i)) continue;
                Node& header = *plan_.nodes[static_cast<std::size_t>(edge->node)];
                header.loop_end = std::max(header.loop_end, static_cast<int>(i));
            }
        }
        for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
            Node& header = *plan_.nodes[i];
            for (int k = static_cast<int>(i); k <= header.loop_end; ++k) {
                const Node& n = *plan_.nodes[static_cast<std::size_t>(k)];
                if (n.interpret || n.entered_by_return || n.taken_kind == TakenKind::Call ||
                    n.taken_kind == TakenKind::IndirectCall)
                    header.loop_end = -1;
            }
        }
    }

    const PlanRequest& request_;
    Plan plan_;
    std::deque<Start> pending_;
};

}  // namespace

Plan plan_region(const PlanRequest& request) { return Planner(request).run(); }

}  // namespace e2k::translate
