// Control state: checks that come first, predicate logic, preparations, loop counters.
#include "engine/translate/emit/control_state.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using cpu::ChainFrame;
using cpu::CpuState;
using cpu::Ctpr;
using cpu::CtprTag;
using cpu::LoopState;
using cpu::SemKind;
using cpu::exec::MicroOp;
using cpu::exec::Write;
using isa::ConditionType;
namespace x86 = asmjit::x86;

namespace {

bool needs_loop_end(ConditionType type) {
    switch (type) {
        case ConditionType::LoopEnd:
        case ConditionType::NotLoopEnd:
        case ConditionType::PredOrLoopEnd:
        case ConditionType::NotPredAndNotLoopEnd:
        case ConditionType::NotPredOrLoopEnd:
        case ConditionType::PredAndNotLoopEnd:
            return true;
        default:
            return false;
    }
}

}  // namespace

// --- what may trap ---

void RegionEmitter::emit_checks() {
    mark(Reason::BoundCheck);
    expect_no_failure();
    look_at_tags();
    check_transfer();
    if (b_->bap) check_prefetch();
    expect_arrays();
    for (unsigned i = 0; i < b_->op_count; ++i) {
        expect_descriptor(i);
        if (b_->ops[i].kind == SemKind::Div) check_division(i);
        if (b_->ops[i].kind == SemKind::GetSp) check_getsp(i);
        if (b_->ops[i].kind == SemKind::TagOp && request_.exact_tags) check_tag(i);
    }
}

void RegionEmitter::check_transfer() {
    const auto tag_is = [&](CtprTag tag) {
        a_.cmp(state(ctpr_offset(b_->transfer.ctpr) + offsetof(Ctpr, tag), 1),
               imm(static_cast<int>(tag)));
        a_.jne(bail());
    };
    switch (node_->taken_kind) {
        case TakenKind::Predicted:
        case TakenKind::IndirectJump:
            tag_is(CtprTag::Label);
            a_.test(state(ctpr_offset(b_->transfer.ctpr), 1), imm(7));
            a_.jnz(bail());
            return;
        case TakenKind::PredictedReturn:
            tag_is(CtprTag::Return);
            [[fallthrough]];
        case TakenKind::Return:
            a_.mov(x86::rax, state(offsetof(CpuState, chain_top), 8));
            a_.cmp(x86::rax, state(offsetof(CpuState, chain_file), 8));
            a_.jbe(bail());
            return;
        case TakenKind::IndirectCall:
            tag_is(CtprTag::Label);
            a_.test(state(ctpr_offset(b_->transfer.ctpr), 1), imm(7));
            a_.jnz(bail());
            [[fallthrough]];
        case TakenKind::Call:
        case TakenKind::SystemCall:
            a_.mov(x86::rax, state(offsetof(CpuState, chain_top), 8));
            a_.cmp(x86::rax, state(offsetof(CpuState, chain_limit), 8));
            a_.jae(bail());
            return;
        default:
            return;
    }
}

void RegionEmitter::check_division(unsigned i) {
    const MicroOp& op = b_->ops[i];
    if (off(i)) return;
    v_.start_operation(i);
    const bool direct = can_divide(i);
    if (direct) {
        constexpr unsigned kOperands = 3;
        v_.make_room(kOperands, 0);
    } else {
        v_.spill_results();
        v_.write_back_caller_saved();
        for (const cpu::exec::RegRef r : {op.a, op.b}) v_.write_back(r);
    }
    const Label skip = a_.newLabel();
    const Label failed = direct ? Label() : bail();
    if (guarded(i)) emit_guard(op.guard, skip);
    const ValueCache before = v_.cache;
    if (direct) {
        mark(Reason::Semantics, op.channel);
        divide(i);
    } else {
        call_helper(i);
    }
    if (!direct && (!op.speculative || request_.exact_tags)) {
        a_.test(x86::rdx, x86::rdx);
        a_.jnz(failed);
    }
    a_.bind(skip);
    if (guarded(i)) {
        merge_conditional(before);
        conditional_ |= 1u << i;
    }
    v_.end_operation();
}

/// puttag of anything but 0 makes a diagnostic value: the interpreter's.
void RegionEmitter::check_tag(unsigned i) {
    const MicroOp& op = b_->ops[i];
    if (op.wa == isa::Width::None) return;  // gettag
    mark(Reason::BoundCheck, op.channel);
    if (const auto tag = v_.constant(op.b, 32)) {
        if (*tag & 0xff) a_.jmp(bail());
        return;
    }
    v_.start_operation(i);
    a_.test(v_.use(op.b, 32).r8(), imm(0xff));
    a_.jnz(bail());
    v_.end_operation();
}

void RegionEmitter::check_getsp(unsigned i) {
    const MicroOp& op = b_->ops[i];
    mark(Reason::Semantics, op.channel);
    v_.start_operation(i);
    const Gp d = v_.def();
    if (node_->frame >= 0) {
        // The state keeps the stack pointer of the region's entry; bundles_inside() has seen to it
        // that the distance is known.
        if (node_->stack_after < node_->stack && node_->stack_after < 0) {
            a_.cmp(state(offsetof(CpuState, usd_size), 8), imm(-std::int64_t{node_->stack_after}));
            a_.jl(bail());
        }
        a_.mov(d, state(offsetof(CpuState, usd_base), 8));
        if (node_->stack_after) a_.add(d, imm(node_->stack_after));
        v_.set_result(d);
        return v_.end_operation();
    }
    const auto known = v_.constant(op.b, 32);
    if (known && *known != 0x8000'0000) {
        const std::int32_t delta =
            static_cast<std::int32_t>(static_cast<std::uint32_t>(*known) & ~15u);
        if (delta < 0) {
            a_.cmp(state(offsetof(CpuState, usd_size), 8), imm(-std::int64_t{delta}));
            a_.jl(bail());
        }
        a_.mov(d, state(offsetof(CpuState, usd_base), 8));
        if (delta) a_.add(d, imm(delta));
    } else {
        const Gp r = v_.use(op.b, 32);
        a_.movsxd(d, r.r32());
        a_.and_(d, imm(-16));
        a_.mov(x86::rax, state(offsetof(CpuState, usd_size), 8));
        a_.add(x86::rax, d);
        a_.js(bail());
        a_.add(d, state(offsetof(CpuState, usd_base), 8));
    }
    v_.set_result(d);
    v_.end_operation();
}

// --- the transfer ---

/// The decision of the transfer, taken from the state before the bundle, where the bundle or the
/// loop counters would change it.
void RegionEmitter::capture_condition() {
    const cpu::exec::Transfer& t = b_->transfer;
    const bool loop = needs_loop_end(t.condition);
    bool reads =
        loop && t.condition != ConditionType::LoopEnd && t.condition != ConditionType::NotLoopEnd;
    reads |= t.condition == ConditionType::Pred || t.condition == ConditionType::NotPred;
    const unsigned phys = pred_phys(config_.rotation(), t.psrc);
    bool written = false;
    for (unsigned i = 0; i < b_->op_count; ++i)
        written |= b_->ops[i].write == Write::Predicate &&
                   pred_phys(config_.rotation(), b_->ops[i].dst.index) == phys;
    for (unsigned k = 0; (b_->flags & cpu::exec::kPlu) && k < b_->plu.count; ++k)
        written |=
            b_->plu.clp[k].writes && pred_phys(config_.rotation(), b_->plu.clp[k].pdst) == phys;
    if (!loop && !(reads && written)) return;
    mark(Reason::ControlTransfer);
    v_.start_operation(kConditionResult);
    if (!loop) return capture_predicate(v_.predicate_index(t.psrc));
    if (reads) v_.write_back_predicate(v_.predicate_index(t.psrc));
    const Gp d = v_.def();
    emit_loop_end(d);  // 1 at the end of the loop
    if (reads) {
        // p = prologue ? 0 : (predicate as the condition wants it)
        const Label prologue = a_.newLabel(), done = a_.newLabel();
        a_.xor_(x86::ecx, x86::ecx);
        a_.cmp(state(lsr_offset(offsetof(LoopState, semc)), 1), imm(0));
        const Label no_prologue = a_.newLabel();
        a_.jne(no_prologue);
        a_.cmp(state(lsr_offset(offsetof(LoopState, pcnt)), 1), imm(0));
        a_.jne(prologue);
        a_.bind(no_prologue);
        v_.load_predicate(x86::rcx, v_.predicate_index(t.psrc));
        a_.jmp(done);
        a_.bind(prologue);
        // The predicate does not count: for the and-forms it is as if it allowed the jump.
        if (t.condition == ConditionType::PredAndNotLoopEnd ||
            t.condition == ConditionType::NotPredOrLoopEnd)
            a_.mov(x86::ecx, imm(1));
        a_.bind(done);
        // ecx: Pred forms 1 = predicate true; now make it "wants to jump".
        if (t.condition == ConditionType::NotPredAndNotLoopEnd ||
            t.condition == ConditionType::NotPredOrLoopEnd)
            a_.xor_(x86::ecx, imm(1));
    }
    switch (t.condition) {
        case ConditionType::NotLoopEnd:
            a_.xor_(d.r32(), imm(1));
            break;
        case ConditionType::PredOrLoopEnd:
        case ConditionType::NotPredOrLoopEnd:
            a_.or_(d.r32(), x86::ecx);
            break;
        case ConditionType::NotPredAndNotLoopEnd:
        case ConditionType::PredAndNotLoopEnd:
            a_.xor_(d.r32(), imm(1));
            a_.and_(d.r32(), x86::ecx);
            break;
        default:
            break;
    }
    v_.set_result(d);
    v_.end_operation();
    has_condition_ = true;
}

/// The predicate that decides the transfer, as it was before the bundle.
void RegionEmitter::capture_predicate(unsigned p) {
    const bool negated = b_->transfer.condition == ConditionType::NotPred;
    PredicateValue value = v_.cache.predicate(v_.cache.origin(p));
    if (value.kind == PredicateValue::Kind::Compare) {
        if (negated)
            value.condition = static_cast<std::uint8_t>(
                x86::negateCond(static_cast<x86::CondCode>(value.condition)));
        v_.set_compare(value);
    } else {
        const Gp d = v_.def();
        v_.load_predicate(d, p);
        if (negated) a_.xor_(d.r32(), imm(1));
        v_.set_result(d);
    }
    v_.end_operation();
    has_condition_ = true;
}

/// to = vlc && lcnt < 2 && ecnt == 0 (loops.md §2).
void RegionEmitter::emit_loop_end(const Gp& to) {
    const Label no = a_.newLabel();
    a_.xor_(to.r32(), to.r32());
    a_.cmp(state(lsr_offset(offsetof(LoopState, lcnt)), 8), imm(2));
    a_.jae(no);
    a_.cmp(state(lsr_offset(offsetof(LoopState, vlc)), 1), imm(0));
    a_.je(no);
    a_.cmp(state(lsr_offset(offsetof(LoopState, ecnt)), 1), imm(0));
    a_.sete(to.r8());
    a_.bind(no);
}

// --- commits other than registers and predicates of operations ---

void RegionEmitter::commit_control() {
    commit_predicate_logic();
    mark(Reason::ControlTransfer);
    if (b_->flags & cpu::exec::kLoopMode) commit_store_mask();
    if (b_->flags & cpu::exec::kFence) a_.mfence();
    if (b_->flags & cpu::exec::kPrepare) commit_preparation();
    for (unsigned i = 0; i < b_->op_count; ++i) {
        const MicroOp& op = b_->ops[i];
        v_.start_operation(i);
        if (op.write == Write::Ctpr) {
            const Gp r = v_.result_gpr(i);
            a_.mov(x86::rax, r);
            a_.shl(x86::rax, 16);
            a_.shr(x86::rax, 16);
            a_.mov(state(ctpr_offset(op.dst.index), 8), x86::rax);
            store_immediate64(ctpr_offset(op.dst.index) + offsetof(Ctpr, tag),
                              ctpr_image(CtprTag::Label, 0, 3));
        } else if (op.write == Write::State) {
            commit_state(i);
        } else if (op.kind == SemKind::AauWrite) {
            commit_array_register(i);
        } else if (op.kind == SemKind::GetSp) {
            const auto known = v_.constant(op.b, 32);
            if (node_->frame >= 0 || (known && (*known & ~15ull) == 0)) continue;
            const Gp base = v_.result_gpr(i);
            a_.mov(x86::rax, base);
            a_.sub(x86::rax, state(offsetof(CpuState, usd_base), 8));
            a_.add(state(offsetof(CpuState, usd_size), 8), x86::rax);
            a_.mov(state(offsetof(CpuState, usd_base), 8), base);
        }
        v_.end_operation();
    }
    advance_areas();
    if (b_->eap) v_.cache.arrays.areas = 0;
    if (b_->eap)
        a_.mov(state(offsetof(CpuState, aau) + offsetof(cpu::AauState, active), 1), imm(0));
    if (b_->bap) start_prefetch();
}

void RegionEmitter::commit_preparation() {
    const cpu::exec::Preparation& p = b_->prepare;
    const Facts& after = node_->after;
    const unsigned n = p.ctpr - 1u;
    if (after[n] == node_->facts[n]) return;
    v_.cache.stored_ctprs &= static_cast<std::uint8_t>(~(1u << n));
    const std::size_t at = ctpr_offset(p.ctpr);
    // A constant: the state gets it when it must.
    if (after[n].kind == CtprFact::Kind::Known && !after[n].in_state) return;
    if (p.kind != isa::Cs0Kind::Return) {
        const CtprTag tag = p.kind == isa::Cs0Kind::Sdisp ? CtprTag::System : CtprTag::Label;
        store_immediate64(at, p.target);
        return store_immediate64(at + offsetof(Ctpr, tag),
                                 ctpr_image(tag, p.kind == isa::Cs0Kind::Ldisp, p.ipd));
    }
    const Label outermost = a_.newLabel();
    a_.xor_(x86::ecx, x86::ecx);
    a_.mov(x86::rax, state(offsetof(CpuState, chain_top), 8));
    a_.cmp(x86::rax, state(offsetof(CpuState, chain_file), 8));
    a_.je(outermost);
    a_.mov(x86::rcx,
           x86::qword_ptr(x86::rax, static_cast<std::int32_t>(offsetof(ChainFrame, return_ip)) -
                                        static_cast<std::int32_t>(sizeof(ChainFrame))));
    a_.bind(outermost);
    a_.mov(state(at, 8), x86::rcx);
    store_immediate64(at + offsetof(Ctpr, tag), ctpr_image(CtprTag::Return, 0, p.ipd));
}

/// State changes that depend on whether the transfer is taken.
void RegionEmitter::emit_advance(bool taken) {
    mark(Reason::ControlTransfer);
    if (b_->alc & (taken ? 1 : 2)) emit_loop_counters();
}

/// alc (loops.md §3).
void RegionEmitter::emit_loop_counters() {
    const Mem pcnt = state(lsr_offset(offsetof(LoopState, pcnt)), 1);
    const Mem lcnt = state(lsr_offset(offsetof(LoopState, lcnt)), 8);
    const Mem ecnt = state(lsr_offset(offsetof(LoopState, ecnt)), 1);
    const Mem over = state(lsr_offset(offsetof(LoopState, over)), 1);
    const Label rare = a_.newLabel(), done = a_.newLabel();
    a_.cmp(pcnt, imm(0));
    a_.jne(rare);
    a_.mov(x86::rax, lcnt);
    a_.sub(x86::rax, imm(1));
    a_.jbe(rare);
    a_.mov(lcnt, x86::rax);
    a_.mov(over, imm(0));
    a_.bind(done);
    cold([this, rare, done, pcnt, lcnt, ecnt, over] {
        const Label started = a_.newLabel(), empty = a_.newLabel();
        mark(Reason::ControlTransfer);
        a_.bind(rare);
        a_.cmp(pcnt, imm(0));
        a_.je(started);
        a_.dec(pcnt);
        a_.bind(started);
        a_.mov(x86::rax, lcnt);
        a_.test(x86::rax, x86::rax);
        a_.jz(empty);
        a_.dec(x86::rax);
        a_.mov(lcnt, x86::rax);
        a_.bind(empty);
        a_.test(x86::rax, x86::rax);
        a_.sete(over);
        a_.jnz(done);
        a_.cmp(state(lsr_offset(offsetof(LoopState, vlc)), 1), imm(0));
        a_.je(done);
        a_.cmp(ecnt, imm(0));
        a_.je(done);
        a_.dec(ecnt);
        a_.jmp(done);
    });
}

}  // namespace e2k::translate
