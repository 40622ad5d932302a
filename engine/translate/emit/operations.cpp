// Operations: guards, computation inline or by a call of the semantic function, commit.
#include "engine/cpu/exec/registers.h"
#include "engine/translate/emit/control_state.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using asmjit::x86::CondCode;
using cpu::CpuState;
using cpu::SemKind;
using cpu::exec::Condition;
using cpu::exec::MicroOp;
using cpu::exec::RegRef;
using cpu::exec::Space;
using cpu::exec::Write;
namespace x86 = asmjit::x86;

namespace {

/// One that can be read (can_emit.cpp). The host's flags belong to the guest here.
std::uint64_t state_register(CpuState* state, std::uint8_t code) {
    if (code == kStatePfpfr || code == kStateFpsr)
        cpu::FpEnvironment::fold(state->pfpfr, state->fpsr);
    return cpu::read_state_register(*state, code).value_or(0);
}

bool same(const Condition& x, const Condition& y) {
    return x.index == y.index && x.pcnt == y.pcnt && x.negated == y.negated;
}

}  // namespace

CondCode RegionEmitter::test_condition(const Condition& c) {
    if (c.pcnt) {
        ++v_.flag_changes;
        a_.cmp(state(lsr_offset(offsetof(cpu::LoopState, pcnt)), 1), imm(c.index));
        return c.negated ? CondCode::kUnsignedLE : CondCode::kUnsignedGT;
    }
    const CondCode holds = v_.test_predicate(v_.predicate_index(c.index));
    return c.negated ? holds : x86::negateCond(holds);
}

void RegionEmitter::emit_guard(cpu::exec::ConditionRange range, const Label& skip) {
    for (unsigned k = range.begin; k < range.begin + unsigned{range.count}; ++k) {
        const auto known = known_condition(b_->conditions[k]);
        if (!known)
            a_.j(test_condition(b_->conditions[k]), skip);
        else if (!*known)
            a_.jmp(skip);
    }
}

void RegionEmitter::emit_operation(unsigned i) {
    const MicroOp& op = b_->ops[i];
    if (op.kind == SemKind::Load || op.kind == SemKind::Store || op.kind == SemKind::ArrayStore ||
        op.kind == SemKind::Div || op.kind == SemKind::GetSp)
        return;  // done with the checks and accesses
    if (off(i)) return;
    mark(Reason::Semantics, op.channel);
    v_.start_operation(i);
    const Emitter* emitter = emitter_of(op.row);
    const bool cheap = op.kind == SemKind::MoveTag || op.kind == SemKind::TagOp ||
                       (op.kind == SemKind::Int64 && emitter && emitter->pure);
    const bool selects = guarded(i) && op.guard.count == 1 && cheap &&
                         (op.write == Write::Word || op.write == Write::WordKeep ||
                          op.write == Write::Double || op.write == Write::Predicate);
    if (guarded(i) && !selects) {
        constexpr unsigned kGprs = 4, kXmms = 6;  // three operands, a result, packed also two more
        v_.spill_results();
        prepare_helper(i);
        v_.make_room(kGprs, kXmms);
        const Label skip = a_.newLabel();
        mark(Reason::Predicate, op.channel);
        emit_guard(op.guard, skip);
        mark(Reason::Semantics, op.channel);
        const ValueCache before = v_.cache;
        compute(i);
        a_.bind(skip);
        merge_conditional(before);
        conditional_ |= 1u << i;
    } else {
        prepare_helper(i);
        choose_registers(i);
        compute(i);
        v_.result(i).extent = extent_of_result(op);
        if (selects) {
            v_.result(i).extent = {};
            if (op.write == Write::Predicate)
                select_predicate(i);
            else
                conditional_ |= 1u << i;  // the commit selects
        }
    }
    v_.end_operation();
}

/// Before a call of a semantic function: memory gets what the function may destroy and its
/// operands.
void RegionEmitter::prepare_helper(unsigned i) {
    const MicroOp& op = b_->ops[i];
    if (op.kind == SemKind::StateRead && op.source_state != kStateIp) v_.write_back_caller_saved();
    if (!has_function(op.kind) || emits_directly(context_of(op))) return;
    v_.write_back_caller_saved();
    for (const RegRef r : {op.a, op.b, op.c}) v_.write_back(r);
}

void RegionEmitter::compute(unsigned i) {
    const MicroOp& op = b_->ops[i];
    if (has_function(op.kind)) return compute_scalar(i);
    switch (op.kind) {
        case SemKind::MoveTag:
            if (op.write == Write::WordKeep) {
                const Gp from = v_.use(op.b, 32), d = v_.def();
                a_.mov(d.r32(), from.r32());  // the upper half of a result must be zero
                return v_.set_result(d);
            }
            if (const auto x = v_.only_in_xmm(op.b, 64)) return v_.set_result(*x, 64);
            return v_.set_result(v_.use(op.b, 64), false);
        case SemKind::TagOp: {
            if (op.wa == isa::Width::None) return v_.set_constant(0);  // gettag: no tags are live
            if (op.wa == isa::Width::P) return v_.set_result(v_.use_xmm(op.a, 128), 128);
            if (op.wa != isa::Width::S) return v_.set_result(v_.use(op.a, 64), false);
            const Gp from = v_.use(op.a, 32), d = v_.def();
            a_.mov(d.r32(), from.r32());
            return v_.set_result(d);
        }
        case SemKind::StateWrite:
            if (op.wb != isa::Width::S) return v_.set_result(v_.use(op.b, 64), false);
            {
                const Gp from = v_.use(op.b, 32), d = v_.def();
                a_.mov(d.r32(), from.r32());
                return v_.set_result(d);
            }
        case SemKind::AauWrite: {
            const unsigned bits = op.access_size == 4 ? 32 : 64;
            if (const auto known = v_.constant(op.data, bits)) return v_.set_constant(*known);
            return v_.set_result(v_.use(op.data, bits), false);
        }
        case SemKind::StateRead:
            return read_state(op);
        default:
            return;
    }
}

/// rrd, rrs: %ip is known, for the others the state is asked.
void RegionEmitter::read_state(const MicroOp& op) {
    const bool word = op.write == Write::Word;
    if (op.source_state == kStateIp)
        return v_.set_constant(word ? b_->address & 0xffff'ffff : b_->address);
    v_.spill_results();
    if (belongs_to_frame(op.source_state)) settle_control(config_);
    a_.mov(x86::rdi, host::kState);
    a_.mov(x86::esi, imm(op.source_state));
    a_.mov(x86::rax, reinterpret_cast<std::uint64_t>(&state_register));
    a_.call(x86::rax);
    v_.forget_caller_saved();
    const Gp d = v_.def();
    word ? a_.mov(d.r32(), x86::eax) : a_.mov(d, x86::rax);
    v_.set_result(d);
}

void RegionEmitter::compute_scalar(unsigned i) {
    const MicroOp& op = b_->ops[i];
    if (op.kind == SemKind::Int64 && !op.merges) {
        const auto known = [&](RegRef r, isa::Width w) -> std::optional<std::uint64_t> {
            if (w == isa::Width::None) return 0;
            return v_.constant(r, w == isa::Width::S ? 32 : 64);
        };
        const auto x = known(op.a, op.wa), y = known(op.b, op.wb), z = known(op.c, op.wc);
        if (x && y && z) return v_.set_constant(op.fn64(*x, *y, *z));
    }
    OpContext context = context_of(op);
    if (emits_directly(context)) return emitter_of(op.row)->emit(context);
    call_helper(i);
}

OpContext RegionEmitter::context_of(const MicroOp& op) {
    OpContext context{v_, a_, op, plan_.iset};
    if (op.merges && op.merge.count == 1) {
        const Condition& c = b_->conditions[op.merge.begin];
        if (!c.pcnt) {
            context.selects = true;
            context.selector = v_.predicate_index(c.index);
            context.selector_negated = c.negated;
        }
    }
    return context;
}

bool RegionEmitter::emits_directly(const OpContext& context) const {
    const MicroOp& op = context.op;
    const Emitter* emitter = emitter_of(op.row);
    if (!emitter || (op.merges && op.merge.count != 0 && !context.selects)) return false;
    return !emitter->accepts || emitter->accepts(context);
}

void RegionEmitter::load_argument(const Gp& reg, RegRef r, isa::Width w) {
    const std::uint64_t mask = cpu::exec::low_mask(w);
    if (r.space == Space::Literal) return v_.load_constant(reg, b_->literals[r.index].lo & mask);
    if (mask == 0)
        a_.xor_(reg.r32(), reg.r32());
    else if (mask == 0xffff'ffff)
        a_.mov(reg.r32(), v_.memory(r, 4));
    else
        a_.mov(reg, v_.memory(r, 8));
}

void RegionEmitter::load_argument(const x86::Xmm& reg, RegRef r, isa::Width w) {
    if (r.space == Space::Literal || w == isa::Width::None) {
        v_.load_constant(x86::rax, r.space == Space::Literal
                                       ? b_->literals[r.index].lo & cpu::exec::low_mask(w)
                                       : 0);
        return (void)a_.movq(reg, x86::rax);
    }
    switch (w) {
        case isa::Width::S:
            a_.movss(reg, v_.memory(r, 4));
            return;
        case isa::Width::P:
            a_.movaps(reg, v_.memory(r, 16));
            return;
        case isa::Width::X:
            a_.movzx(x86::eax, v_.memory(r, 2, 8));
            a_.movq(x86::xmm15, x86::rax);
            a_.movq(reg, v_.memory(r, 8));
            a_.punpcklqdq(reg, x86::xmm15);
            return;
        default:
            a_.movq(reg, v_.memory(r, 8));
            return;
    }
}

/// Operands come from memory, where prepare_helper() has written them.
void RegionEmitter::call_helper(unsigned i) {
    const MicroOp& op = b_->ops[i];
    if (request_.helper_operations) ++*request_.helper_operations;
    mark(Reason::Helper, op.channel);
    v_.spill_results();
    if (request_.call_counts) {
        a_.mov(x86::rax, reinterpret_cast<std::uint64_t>(request_.call_counts + op.row));
        a_.lock().inc(x86::qword_ptr(x86::rax));
    }
    const bool wide =
        op.kind == SemKind::Int128 || op.kind == SemKind::Sse128 || op.kind == SemKind::X87;
    const auto first = [&](const auto& reg) {
        if (!op.merges || op.merge.count == 0) return load_argument(reg, op.a, op.wa);
        const Label other = a_.newLabel(), done = a_.newLabel();
        emit_guard(op.merge, other);
        load_argument(reg, op.b, op.wa);
        a_.jmp(done);
        a_.bind(other);
        load_argument(reg, op.a, op.wa);
        a_.bind(done);
    };
    if (wide) {
        first(x86::xmm0);
        load_argument(x86::xmm1, op.b, op.wb);
        load_argument(x86::xmm2, op.c, op.wc);
    } else {
        first(x86::rdi);
        load_argument(x86::rsi, op.b, op.wb);
        load_argument(x86::rdx, op.c, op.wc);
    }
    // Reading another member than was written: the union holds one function pointer.
    const std::uint64_t function = op.kind == SemKind::Div
                                       ? reinterpret_cast<std::uint64_t>(op.fn_div)
                                   : wide ? reinterpret_cast<std::uint64_t>(op.fn128)
                                          : reinterpret_cast<std::uint64_t>(op.fn64);
    a_.mov(x86::rax, function);
    a_.call(x86::rax);
    v_.forget_caller_saved();
    if (wide) {
        const x86::Xmm d = v_.def_xmm();
        if (d.id() != 0) a_.movaps(d, x86::xmm0);
        v_.set_result(d, 128);
    } else {
        const Gp d = v_.def();
        a_.mov(d, x86::rax);
        v_.set_result(d);
    }
}

/// A predicate computed regardless of its guard: the old value where the guard is false.
void RegionEmitter::select_predicate(unsigned i) {
    const MicroOp& op = b_->ops[i];
    mark(Reason::Predicate, op.channel);
    const Gp r = v_.owned_gpr(i);
    v_.load_predicate(x86::rcx, v_.predicate_index(op.dst.index));
    const CondCode off = test_condition(b_->conditions[op.guard.begin]);
    a_.cmov(off, r.r32(), x86::ecx);
}

/// The result becomes the register's old value where the guard is false.
void RegionEmitter::select_old(unsigned i, unsigned slot) {
    const MicroOp& op = b_->ops[i];
    const Condition& c = b_->conditions[op.guard.begin];
    mark(Reason::Predicate, op.channel);
    const bool whole = op.write == Write::Double || (op.write == Write::Word && node_->bundle_dbl);
    const unsigned bits = whole ? 64 : 32;
    const Gp r = v_.owned_gpr(i);
    const GuestValue& now = v_.cache.at(slot);
    std::optional<Gp> old;
    if (now.dirty || now.constant_bits || now.gpr >= 0) old = v_.use_slot(slot, bits);
    // Operations of a bundle often have their guard in common.
    if (!selected_by_ || !same(*selected_by_, c) || selected_at_ != v_.flag_changes) {
        selected_off_ = test_condition(c);
        selected_by_ = c;
        selected_at_ = v_.flag_changes;
    }
    if (old)
        a_.cmov(selected_off_, sized(r, bits), sized(*old, bits));
    else
        a_.cmov(selected_off_, sized(r, bits), v_.memory(slot, bits / 8));
}

void RegionEmitter::commit_results() {
    selected_by_.reset();
    for (unsigned i = 0; i < b_->op_count; ++i) {
        const MicroOp& op = b_->ops[i];
        if (v_.result(i).kind == Result::Kind::None) continue;
        if (op.write == Write::Predicate || op.write == Write::Ctpr || op.write == Write::None ||
            op.write == Write::State)
            continue;
        commit_register(i);
    }
    commit_elements();
    for (unsigned i = 0; i < b_->op_count; ++i)
        if (b_->ops[i].write == Write::Predicate && v_.result(i).kind != Result::Kind::None)
            commit_predicate(i);
    commit_tags();
}

void RegionEmitter::commit_predicate(unsigned i) {
    const MicroOp& op = b_->ops[i];
    mark(Reason::Predicate, op.channel);
    v_.start_operation(i);
    const Result& r = v_.result(i);
    const unsigned p = v_.predicate_index(op.dst.index);
    if (conditional_ >> i & 1) {
        const Gp value = v_.result_gpr(i);
        v_.write_back_predicate(p);
        const Label skip = a_.newLabel();
        emit_guard(op.guard, skip);
        a_.mov(v_.predicate_memory(p), value.r8());
        a_.bind(skip);
        v_.cache.set_predicate(p, {});
    } else {
        set_predicate(p, i, r);
        if (fails_here(i)) commit_predicate_tag(p, 1u << i);
    }
    v_.end_operation();
}

/// The register keeps its value if the guard is false: both are brought to memory.
void RegionEmitter::commit_if(unsigned i, unsigned slot) {
    const MicroOp& op = b_->ops[i];
    const Result& r = v_.result(i);
    const bool word = op.write == Write::Word || op.write == Write::WordKeep;
    const bool clears = op.write == Write::Word && node_->bundle_dbl;
    v_.write_back(slot);
    if (r.kind == Result::Kind::Constant) v_.result_gpr(i);
    const Label skip = a_.newLabel();
    emit_guard(op.guard, skip);
    if (r.kind == Result::Kind::Gpr) {
        const Gp reg = x86::gpq(static_cast<std::uint32_t>(r.reg));
        word && !clears ? a_.mov(v_.memory(slot, 4), reg.r32()) : a_.mov(v_.memory(slot, 8), reg);
    } else {
        store_xmm(op, slot, x86::xmm(static_cast<std::uint32_t>(r.reg)));
    }
    a_.bind(skip);
    v_.cache.forget(slot);
}

void RegionEmitter::store_xmm(const MicroOp& op, unsigned slot, const x86::Xmm& reg) {
    switch (op.write) {
        case Write::Packed:
            a_.movaps(v_.memory(slot, 16), reg);
            return;
        case Write::Extended:
            a_.movq(v_.memory(slot, 8), reg);
            a_.pextrw(x86::eax, reg, imm(4));
            a_.mov(v_.memory(slot, 8, 8), x86::rax);
            return;
        case Write::Double:
            a_.movsd(v_.memory(slot, 8), reg);
            return;
        default:
            a_.movss(v_.memory(slot, 4), reg);
            if (op.write == Write::Word && node_->bundle_dbl) a_.mov(v_.memory(slot, 4, 4), imm(0));
            return;
    }
}

void RegionEmitter::commit_register(unsigned i) {
    const MicroOp& op = b_->ops[i];
    mark(Reason::Semantics, op.channel);
    v_.start_operation(i);
    Result& r = v_.result(i);
    if (r.kind == Result::Kind::SpilledGpr || r.kind == Result::Kind::Compare) v_.result_gpr(i);
    if (r.kind == Result::Kind::SpilledXmm) v_.result_xmm(i);
    const unsigned slot = v_.slot(op.dst);
    const bool clears = op.write == Write::Word && node_->bundle_dbl;
    const bool conditional = conditional_ >> i & 1;
    const bool selects =
        conditional && op.guard.count == 1 && r.kind != Result::Kind::Xmm &&
        (op.write == Write::Word || op.write == Write::WordKeep || op.write == Write::Double);
    if (selects) select_old(i, slot);
    if (conditional && !selects) {
        commit_if(i, slot);
    } else if (op.write == Write::Extended) {
        v_.cache.forget(slot);
        if (r.kind != Result::Kind::Xmm) {
            v_.exhausted = true;  // no such operation
            return;
        }
        store_xmm(op, slot, x86::xmm(static_cast<std::uint32_t>(r.reg)));
        v_.cache.set_xmm(slot, r.reg, 64);
    } else if (op.write == Write::Packed) {
        v_.commit(slot, r, 128);
    } else if (op.write == Write::Double || (clears && r.kind != Result::Kind::Xmm)) {
        v_.commit(slot, r, 64);
    } else {
        if (clears) {
            if (v_.cache.at(slot).dirty > 64) v_.write_back(slot);
            v_.cache.forget(slot);
            a_.mov(v_.memory(slot, 4, 4), imm(0));
        }
        v_.commit(slot, r, 32);
    }
    v_.end_operation();
}

}  // namespace e2k::translate
