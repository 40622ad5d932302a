#include "engine/translate/plan.h"

#include <algorithm>
#include <cstdlib>
#include <deque>

#include "engine/translate/value_cache.h"

namespace e2k::translate {

using cpu::CtprTag;
using cpu::exec::ExecBundle;
using cpu::exec::MicroOp;
using cpu::exec::TransferKind;
using cpu::exec::Write;

Facts cleared_facts() {
    Facts facts;
    for (CtprFact& fact : facts) fact = {CtprFact::Kind::Known, CtprTag::Empty, 0, 0, 0, false};
    return facts;
}

namespace {

constexpr std::int64_t kLargestStackChange = 1 << 24;

/// The CTPRs after `b`, without its transfer, in a callee of the region (`frame`) or outside.
Facts facts_after(const ExecBundle& b, Facts facts, const CallFrame* frame) {
    if (b.flags & cpu::exec::kPrepare) {
        CtprFact& fact = facts[b.prepare.ctpr - 1u];
        fact.kind = CtprFact::Kind::Known;
        fact.base = b.prepare.target;
        fact.in_state = false;
        fact.opc = b.prepare.kind == isa::Cs0Kind::Ldisp;
        fact.ipd = b.prepare.ipd;
        fact.tag = b.prepare.kind == isa::Cs0Kind::Sdisp    ? CtprTag::System
                   : b.prepare.kind == isa::Cs0Kind::Return ? CtprTag::Return
                                                            : CtprTag::Label;
        if (b.prepare.kind == isa::Cs0Kind::Return) {
            fact.base = frame ? frame->return_ip : 0;
            fact.in_state = frame == nullptr;
        }
    }
    for (unsigned i = 0; i < b.op_count; ++i) {
        const MicroOp& op = b.ops[i];
        if (op.write == Write::Ctpr)
            facts[op.dst.index - 1u] = {CtprFact::Kind::Unknown, CtprTag::Empty, 0, 3, 0, false};
    }
    return facts;
}

/// What getsp adds to the stack pointer, if the bundle says so; 0 without getsp.
std::optional<std::int32_t> stack_change(const ExecBundle& b) {
    for (unsigned i = 0; i < b.op_count; ++i) {
        if (b.ops[i].kind != cpu::SemKind::GetSp) continue;
        if (b.ops[i].b.space != cpu::exec::Space::Literal) return std::nullopt;
        const auto delta = static_cast<std::int32_t>(b.literals[b.ops[i].b.index].lo);
        if (std::abs(std::int64_t{delta}) > kLargestStackChange) return std::nullopt;
        return delta & ~15;
    }
    return 0;
}

/// Predicates the bundle writes, by physical number.
std::uint32_t written_by(const Node& n) {
    const ExecBundle& b = n.bundle;
    const cpu::RotationState br = n.config.rotation();
    std::uint32_t set = 0;
    for (unsigned i = 0; i < b.op_count; ++i)
        if (b.ops[i].write == Write::Predicate) set |= 1u << pred_phys(br, b.ops[i].dst.index);
    for (unsigned k = 0; (b.flags & cpu::exec::kPlu) && k < b.plu.count; ++k)
        if (b.plu.clp[k].writes) set |= 1u << pred_phys(br, b.plu.clp[k].pdst);
    return set;
}

/// CTPRs that hold labels are likely to do so whenever control comes here.
Facts likely_facts(const cpu::CpuState& state) {
    Facts facts;
    for (unsigned n = 0; n < facts.size(); ++n) {
        const cpu::Ctpr& now = state.ctpr[n];
        if (now.tag == CtprTag::Label && now.base != 0 && (now.base & 7) == 0)
            facts[n] = {CtprFact::Kind::Known, now.tag, now.opc, now.ipd, now.base, true};
    }
    return facts;
}

/// The CTPRs that the bundle uses and that are known from likely_facts() alone.
unsigned guessed_by(const Node& n) {
    const auto guessed = [&n](unsigned ctpr) {
        const CtprFact& fact = n.after[ctpr - 1u];
        return fact.kind == CtprFact::Kind::Known && fact.tag == CtprTag::Label && fact.in_state
                   ? 1u << (ctpr - 1u)
                   : 0u;
    };
    constexpr unsigned kPrefetchCtpr = 2;
    const cpu::exec::Transfer& t = n.bundle.transfer;
    unsigned used = n.bundle.bap ? guessed(kPrefetchCtpr) : 0;
    if (t.kind == TransferKind::Jump || t.kind == TransferKind::Call) used |= guessed(t.ctpr);
    return used;
}

class Planner {
public:
    explicit Planner(const PlanRequest& request) : request_(request) {
        plan_.iset = request.state.strict ? request.state.iset : isa::kMaxIset - 1;
    }

    Plan run() {
        plan_.address = request_.state.ip;
        plan_.entry = Config::of(request_.state);
        Facts facts;
        if (const auto& trial = request_.trial) {
            plan_.address = trial->target;
            plan_.entry = trial->config;
            facts = cleared_facts();
        } else if (request_.guess_ctprs) {
            facts = plan_.entry_facts = likely_facts(request_.state);
        }
        pending_.push_back({nullptr, plan_.address, plan_.entry, facts, false, -1, 0});
        trace_pending();
        find_loops();
        for (const auto& node : plan_.nodes) plan_.guessed_ctprs |= guessed_by(*node);
        for (const auto& node : plan_.nodes)
            if (node->frame >= 0)
                plan_.frames[static_cast<std::size_t>(node->frame)].writes |= written_by(*node);
        return std::move(plan_);
    }

private:
    struct Start {
        Edge* edge;
        std::uint64_t address;
        Config config;
        Facts facts;
        bool after_call;
        int frame;
        std::int32_t stack;
    };

    void trace_pending() {
        while (!pending_.empty()) {
            const Start start = pending_.back();
            pending_.pop_back();
            trace(start);
        }
    }

    const CallFrame* frame_of(int frame) const {
        return frame < 0 ? nullptr : &plan_.frames[static_cast<std::size_t>(frame)];
    }

    int find(const Start& start) const {
        for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
            const Node& n = *plan_.nodes[i];
            if (n.address == start.address && n.frame == start.frame && n.config == start.config &&
                n.stack == start.stack && n.facts == start.facts)
                return static_cast<int>(i);
        }
        return -1;
    }

    /// Where `n` continues in the same function.
    Start onward(Node& n, Edge& edge) const {
        return {&edge, edge.target, edge.config, n.after, false, n.frame, n.stack_after};
    }

    /// Whether the code of the last node falls into what is laid out next for `start`.
    bool follows_last(const Start& start) const {
        if (plan_.nodes.empty()) return false;
        const Node& last = *plan_.nodes.back();
        if (start.edge == &last.next) return true;
        return start.edge == &last.taken &&
               (last.taken_kind != TakenKind::Predicted || last.falls_through);
    }

    /// Lays out nodes one after another from `start` as long as control falls through.
    void trace(Start start) {
        while (true) {
            if (start.edge) *start.edge = {-1, start.address, start.config};
            const int known = find(start);
            if (known >= 0) {
                Node& node = *plan_.nodes[static_cast<std::size_t>(known)];
                node.join = true;
                node.entered_by_return |= start.after_call;
                if (start.edge) start.edge->node = known;
                return;
            }
            const bool first = plan_.nodes.empty();
            if (start.frame < 0 && plan_.nodes.size() - inside_ >= request_.max_bundles) return;
            const bool stops = !first || request_.trial;
            if (stops && request_.is_breakpoint(start.address)) return;
            auto bundle = cpu::fetch(request_.memory, start.address, plan_.iset);
            if (!bundle) return;
            auto node = std::make_unique<Node>();
            cpu::exec::predecode(*bundle, plan_.iset, node->bundle);
            node->address = start.address;
            node->config = start.config;
            node->facts = start.facts;
            node->frame = start.frame;
            const CallFrame* frame = frame_of(start.frame);
            if (frame) {
                node->window = frame->window;
                node->file = frame->depth;
                ++inside_;
            }
            node->stack = node->stack_after = start.stack;
            if (frame || request_.trial)
                node->stack_after += stack_change(node->bundle).value_or(0);
            node->after = facts_after(node->bundle, node->facts, frame);
            node->join = !follows_last(start) || start.after_call;
            node->entered_by_return = start.after_call;
            node->bundle_dbl = config_after(node->bundle, node->config, false).window().dbl;
            node->interpret = !can_emit(node->bundle, node->config, node->facts);
            Node& n = *node;
            if (start.edge) start.edge->node = static_cast<int>(plan_.nodes.size());
            plan_.nodes.push_back(std::move(node));
            if (n.interpret || !connect(n, start)) return;
        }
    }

    /// Finds out where `n` leads. True: tracing goes on at `start`.
    bool connect(Node& n, Start& start) {
        const ExecBundle& b = n.bundle;
        const Config not_taken = config_after(b, n.config, false);
        const Config taken = config_after(b, n.config, true);
        n.next = {-1, b.next_address, not_taken};
        const bool always = b.transfer.condition == isa::ConditionType::Always;
        n.falls_through = !always;
        switch (b.transfer.kind) {
            case TransferKind::None:
                n.falls_through = true;
                start = onward(n, n.next);
                return true;
            case TransferKind::Branch:
                n.taken_kind = TakenKind::Direct;
                n.taken = {-1, b.transfer.target, taken};
                break;
            case TransferKind::Jump:
                resolve_jump(n, n.after[b.transfer.ctpr - 1u], taken);
                break;
            case TransferKind::Call:
            case TransferKind::DirectCall:
                return connect_call(n, start, taken);
            default:
                return false;  // can_emit() has refused these
        }
        if (n.taken_kind == TakenKind::InlineReturn) {
            const CallFrame& frame = *frame_of(n.frame);
            if (!always) pending_.push_back(onward(n, n.next));
            start = {&n.taken, n.taken.target, n.taken.config, cleared_facts(),
                     false,    frame.parent,   frame.stack};
            returns_.push_back(start);
            return false;
        }
        if (n.taken_kind == TakenKind::Direct || n.taken_kind == TakenKind::Predicted) {
            if (always && n.taken_kind == TakenKind::Direct) {
                start = onward(n, n.taken);
                return true;
            }
            // A loop seen for the first time: its next iteration is laid out next.
            const bool loops =
                !always && n.taken.target <= n.address && find(onward(n, n.taken)) < 0;
            if (loops) {
                pending_.push_back(onward(n, n.next));
                start = onward(n, n.taken);
                return true;
            }
            pending_.push_back(onward(n, n.taken));
        }
        if (always) return false;
        start = onward(n, n.next);
        return true;
    }

    void resolve_jump(Node& n, const CtprFact& fact, Config taken) {
        if (fact.kind == CtprFact::Kind::Known) {
            n.taken_kind = fact.tag == CtprTag::Return ? TakenKind::Return : TakenKind::Direct;
            n.taken = {-1, fact.base, taken};
            if (n.taken_kind == TakenKind::Return && n.frame >= 0) resolve_return(n, taken);
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

    /// As pop_return() does (windows.md §4).
    void resolve_return(Node& n, Config callee) {
        const CallFrame& frame = *frame_of(n.frame);
        cpu::WindowDescriptor wd = frame.caller.window();
        wd.size = static_cast<std::uint16_t>(frame.wbs + callee.window().psize);
        n.taken_kind = TakenKind::InlineReturn;
        n.taken = {-1, frame.return_ip, Config::of(wd, frame.caller.rotation())};
    }

    bool connect_call(Node& n, Start& start, Config taken) {
        const ExecBundle& b = n.bundle;
        const unsigned wbs = 2u * b.transfer.wbs;
        std::uint64_t target = b.transfer.target;
        n.taken_kind = TakenKind::Call;
        if (b.transfer.kind == TransferKind::Call) {
            const CtprFact& fact = n.after[b.transfer.ctpr - 1u];
            if (fact.kind == CtprFact::Kind::Known && fact.tag == CtprTag::System) {
                n.taken_kind = TakenKind::SystemCall;
                n.taken = {-1, b.next_address, taken};
                if (n.falls_through) start = onward(n, n.next);
                return n.falls_through;
            }
            if (fact.kind == CtprFact::Kind::Known)
                target = fact.base;
            else
                n.taken_kind = TakenKind::IndirectCall;
        }
        n.taken = {-1, target, config_of_callee(taken, wbs)};
        // The ways to the next bundle know different things about the CTPRs, so the code after the
        // return is a place of its own when the call is conditional.
        if (n.falls_through) pending_.push_back(onward(n, n.next));
        if (n.taken_kind == TakenKind::Call && fits_inside(n, wbs)) {
            return inside(n, taken, wbs, start);
        }
        if (n.frame >= 0) return false;  // on trial only: such a function is not taken in
        start = {&n.return_to, b.next_address, taken, cleared_facts(), true, -1, 0};
        return true;
    }

    bool fits_inside(const Node& n, unsigned wbs) const {
        const CallFrame* parent = frame_of(n.frame);
        Trial callee{n.taken.target, n.taken.config, 1 + (parent ? parent->depth : 0),
                     n.window + wbs};
        if (request_.trial) {
            callee.depth += request_.trial->depth;
            callee.window += request_.trial->window;
        }
        if (callee.depth >= kPredicateFiles || callee.window > kGlobalSlot - kMaxWindow)
            return false;
        if (request_.callee_bundles == 0) return false;
        const unsigned size = request_.size_inside(callee);
        // Those of a callee's callees are in its size.
        return size != 0 && (parent || inside_ + size <= request_.callee_bundles);
    }

    /// Plans the callee of `n`. True: tracing goes on at `start`, after its return.
    bool inside(Node& n, Config caller, unsigned wbs, Start& start) {
        CallFrame frame;
        const CallFrame* parent = frame_of(n.frame);
        frame.parent = n.frame;
        frame.depth = parent ? parent->depth + 1 : 1;
        frame.caller = caller;
        frame.wbs = wbs;
        frame.window = n.window + wbs;
        frame.stack = n.stack_after;
        frame.target = n.taken.target;
        frame.return_ip = n.bundle.next_address;
        n.taken_kind = TakenKind::InlineCall;
        const int index = static_cast<int>(plan_.frames.size());
        plan_.frames.push_back(frame);

        std::deque<Start> later;
        later.swap(pending_);
        std::vector<Start> outer;
        outer.swap(returns_);
        pending_.push_back(
            {&n.taken, n.taken.target, n.taken.config, cleared_facts(), false, index, frame.stack});
        trace_pending();
        pending_.swap(later);
        returns_.swap(outer);
        // The last return in layout order falls through to the caller; the others jump there.
        if (outer.empty()) return false;  // not as on trial: callees_complete() will find out
        start = outer.back();
        outer.pop_back();
        pending_.insert(pending_.end(), outer.begin(), outer.end());
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
    std::vector<Start> returns_;  ///< of the callee being planned
    unsigned inside_ = 0;         ///< nodes in callees
};

}  // namespace

namespace {

/// Whether the bundle of a function leads only to bundles of the plan or out by a known return.
bool stays_inside(const Node& node) {
    if (node.interpret || !stack_change(node.bundle)) return false;
    for (unsigned i = 0; i < node.bundle.op_count; ++i)
        if (node.bundle.ops[i].kind == cpu::SemKind::StateRead &&
            belongs_to_frame(node.bundle.ops[i].source_state))
            return false;
    if (node.falls_through && node.next.node < 0) return false;
    switch (node.taken_kind) {
        case TakenKind::None:
            return true;
        case TakenKind::Return:
            return node.frame < 0;
        case TakenKind::Direct:
        case TakenKind::InlineCall:
        case TakenKind::InlineReturn:
            return node.taken.node >= 0;
        default:
            return false;
    }
}

}  // namespace

unsigned bundles_inside(const Plan& plan, unsigned largest) {
    if (plan.nodes.empty() || plan.nodes.size() > largest) return 0;
    bool returns = false;
    for (const auto& node : plan.nodes) {
        if (!stays_inside(*node)) return 0;
        returns |= node->taken_kind == TakenKind::Return;
    }
    return returns ? static_cast<unsigned>(plan.nodes.size()) : 0;
}

bool callees_complete(const Plan& plan) {
    return std::all_of(plan.nodes.begin(), plan.nodes.end(), [&plan](const auto& node) {
        if (node->taken_kind == TakenKind::InlineCall && node->taken.node < 0) return false;
        const CallFrame* frame =
            node->frame < 0 ? nullptr : &plan.frames[static_cast<std::size_t>(node->frame)];
        // The outermost may go on in another region.
        const bool leaves = frame && frame->parent < 0 &&
                            node->taken_kind == TakenKind::InlineReturn &&
                            !(node->falls_through && node->next.node < 0);
        return !frame || leaves || stays_inside(*node);
    });
}

Plan plan_region(const PlanRequest& request) { return Planner(request).run(); }

}  // namespace e2k::translate
