// Where control goes after a bundle: the condition, the side that comes next, the side that is
// cold.
#include "engine/translate/emit/control_state.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using cpu::CpuState;
using isa::ConditionType;
namespace x86 = asmjit::x86;

void RegionEmitter::branch_on_condition(const Label& label, bool invert) {
    const ConditionType type = b_->transfer.condition;
    if (has_condition_ || type == ConditionType::Mlock) {
        if (!has_condition_ && !mlock_used_) {
            if (invert) a_.jmp(label);
            return;
        }
        v_.start_operation(kConditionResult);
        const unsigned index = has_condition_ ? kConditionResult : kMlockResult;
        const Result& result = v_.result(index);
        auto holds = x86::CondCode::kNZ;
        if (result.kind == Result::Kind::Compare)
            holds = v_.test(result.compare, 0);
        else
            a_.test(v_.result_gpr(index).r8(), imm(1));
        return (void)a_.j(invert ? x86::negateCond(holds) : holds, label);
    }
    const bool on_true = (type == ConditionType::Pred) != invert;
    const auto condition = v_.test_predicate(v_.predicate_index(b_->transfer.psrc));
    a_.j(on_true ? condition : x86::negateCond(condition), label);
}

/// On one side of a branch its predicate is known.
void RegionEmitter::learn_condition(bool taken) {
    const ConditionType type = b_->transfer.condition;
    if (type != ConditionType::Pred && type != ConditionType::NotPred) return;
    const unsigned p = v_.cache.origin(v_.predicate_index(b_->transfer.psrc));
    const PredicateValue before = v_.cache.predicate(p);
    if (before.kind == PredicateValue::Kind::Constant) return;
    PredicateValue known = PredicateValue::known((type == ConditionType::Pred) == taken);
    known.stored = before.kind == PredicateValue::Kind::Memory;
    if (!known.stored) learn_extent(before, known.value);
    v_.cache.set_predicate(p, known);
}

void RegionEmitter::emit_transfer(unsigned index) {
    facts_ = node_->after;
    stack_ = node_->stack_after;
    has_snapshot_ = false;
    executed_ = true;
    if (closes_pass()) return close_pass(index);
    const auto symmetric = [](unsigned mask) { return mask == 0 || mask == 3; };
    const bool common = symmetric(b_->alc);
    if (node_->taken_kind == TakenKind::None) {
        v_.end_bundle();
        emit_advance(false);
        return emit_next(index);
    }
    const bool always = b_->transfer.condition == ConditionType::Always;
    const auto follows = [&](const Edge& edge) {
        return edge.node == static_cast<int>(index) + 1 &&
               !plan_.nodes[index + 1]->entered_by_return;
    };
    const TakenKind kind = node_->taken_kind;
    const bool inside = kind == TakenKind::InlineCall || kind == TakenKind::InlineReturn;
    const bool direct = kind == TakenKind::Direct || kind == TakenKind::Predicted || inside;
    const bool back = !inside && node_->taken.target <= node_->address;
    if (always) {
        v_.end_bundle();
        emit_advance(true);
        if ((kind == TakenKind::Direct || inside) && follows(node_->taken)) {
            if (inside) change_frame();
            if (back) emit_poll(node_->taken);
            return fall_into(index + 1);
        }
        flush_counts();
        return emit_taken(index);
    }
    if (common) emit_advance(true);
    mark(Reason::ControlTransfer);
    const bool taken_next = direct && follows(node_->taken);
    const bool loops =
        direct && node_->taken.node >= 0 && node_->taken.node <= static_cast<int>(index);
    const Label away = a_.newLabel();
    // The side that comes next is the one that does not jump.
    branch_on_condition(away, taken_next || loops);
    v_.end_bundle();
    const ValueCache after = v_.cache;
    const auto side = [this, common, learns = !has_condition_](bool taken) {
        if (learns) learn_condition(taken);
        if (!common) emit_advance(taken);
    };
    if (taken_next) {
        reach(node_->next);
        cold_with_values([this, away, side] {
            a_.bind(away);
            side(false);
            flush_counts();
            emit_edge(node_->next, node_->address);
        });
        side(true);
        if (kind == TakenKind::Predicted) {
            flush_counts();
            expect_target();
        }
        if (inside) change_frame();
        if (back) emit_poll(node_->taken);
        return fall_into(index + 1);
    }
    const std::uint32_t bundles = pending_bundles_, operations = pending_operations_;
    if (loops) {
        side(true);
        flush_counts();
        emit_taken(index);
        pending_bundles_ = bundles;
        pending_operations_ = operations;
        v_.cache = after;
        has_snapshot_ = false;
        counted_at_ = kNowhere;
        a_.bind(away);
    } else {
        if (direct) reach(node_->taken);
        cold_with_values([this, away, side, index] {
            a_.bind(away);
            side(true);
            flush_counts();
            emit_taken(index);
        });
    }
    side(false);
    emit_next(index);
}

/// The taken side: counts are flushed, state.wd and state.br are those after the bundle.
void RegionEmitter::emit_taken(unsigned index) {
    Node& node = *plan_.nodes[index];
    mark(Reason::ControlTransfer);
    const auto indirect = [&] {
        settle(config_after(*b_, config_, true));
        a_.mov(x86::rsi, state(ctpr_offset(b_->transfer.ctpr), 8));
        poll_complete(std::nullopt);
        a_.jmp(imm(request_.stubs.jump));
    };
    const auto leaves = [&] {
        // Where control always leaves, the bundle's own count says how often.
        if (b_->transfer.condition != ConditionType::Always) count_way(static_cast<int>(index), -1);
    };
    switch (node.taken_kind) {
        case TakenKind::Direct:
            return emit_edge(node.taken, node.address);
        case TakenKind::InlineCall:
        case TakenKind::InlineReturn:
            change_frame();
            return emit_edge(node.taken, kNoPoll);
        case TakenKind::Predicted:
            expect_target();
            return emit_edge(node.taken, node.address);
        case TakenKind::IndirectJump:
            leaves();
            return indirect();
        case TakenKind::Return:
        case TakenKind::PredictedReturn:
            leaves();
            return emit_return();
        case TakenKind::Call:
        case TakenKind::IndirectCall:
            leaves();
            return emit_call(index);
        case TakenKind::SystemCall:
            return emit_system_call();
        case TakenKind::None:
            return;
    }
}

/// What a call or return inside the region changes: nothing in memory.
void RegionEmitter::change_frame() {
    const bool call = node_->taken_kind == TakenKind::InlineCall;
    if (call) {
        frame_ = plan_.nodes[static_cast<std::size_t>(node_->taken.node)]->frame;
        v_.cache.inherit_predicates(node_->file + 1);
    } else {
        const CallFrame& left = plan_.frames[static_cast<std::size_t>(node_->frame)];
        const cpu::WindowDescriptor wd = config_after(*b_, config_, true).window();
        clear_tags(node_->window + wd.psize, node_->window + wd.size);
        frame_ = left.parent;
        stack_ = left.stack;
        v_.cache.forget_predicates(node_->file);
    }
    facts_ = cleared_facts();
    v_.cache.stored_ctprs = 0;
    has_snapshot_ = false;
}

/// Goes on if the CTPR of a predicted jump holds the predicted label, else to what it holds.
void RegionEmitter::expect_target() {
    const Label other = a_.newLabel();
    const Mem base = state(ctpr_offset(b_->transfer.ctpr), 8);
    const std::uint64_t target = node_->taken.target;
    if (static_cast<std::int64_t>(target) == static_cast<std::int32_t>(target)) {
        a_.cmp(base, imm(static_cast<std::int32_t>(target)));
    } else {
        a_.mov(x86::rax, static_cast<std::int64_t>(target));
        a_.cmp(base, x86::rax);
    }
    a_.jne(other);
    cold_with_values([this, other] {
        mark(Reason::ControlTransfer);
        a_.bind(other);
        settle(config_after(*b_, config_, true));
        count_way(static_cast<int>(node_index_), -1);
        a_.mov(x86::rsi, state(ctpr_offset(b_->transfer.ctpr), 8));
        a_.jmp(imm(request_.stubs.jump));
    });
}

}  // namespace e2k::translate
