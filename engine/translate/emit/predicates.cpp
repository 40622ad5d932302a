// Predicates: what is known of guards, the predicate logic (predicates.md). Results stay in host
// registers, one bit each, until memory must have them.
#include "engine/translate/emit/control_state.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using asmjit::x86::CondCode;
using asmjit::x86::Gp;
using cpu::LoopState;
namespace x86 = asmjit::x86;

// --- guards ---

/// Whether the condition holds, if that is known here.
std::optional<bool> RegionEmitter::known_condition(const cpu::exec::Condition& c) const {
    if (c.pcnt) return std::nullopt;
    const auto value = v_.known_predicate(v_.predicate_index(c.index));
    if (!value) return std::nullopt;
    return *value != c.negated;
}

/// What is left of the guards of the bundle's operations.
void RegionEmitter::find_guards() {
    guarded_ = off_ = 0;
    for (unsigned i = 0; i < b_->op_count; ++i) {
        const cpu::exec::ConditionRange& guard = b_->ops[i].guard;
        bool open = false, off = false;
        for (unsigned k = guard.begin; k < guard.begin + unsigned{guard.count}; ++k) {
            const auto known = known_condition(b_->conditions[k]);
            open |= !known;
            off |= known && !*known;
        }
        if (off)
            off_ |= 1u << i;
        else if (open)
            guarded_ |= 1u << i;
    }
}

// --- predicate logic ---

namespace {

/// An operand of the predicate logic.
struct Term {
    PredicateValue value;  ///< Memory, Constant (with the negation), Compare
    unsigned predicate = 0;
    bool negated = false;

    bool constant() const { return value.kind == PredicateValue::Kind::Constant; }
    bool compares() const { return value.kind == PredicateValue::Kind::Compare && !bit(); }
    bool bit() const {
        return value == PredicateValue::bit_of(value.x, static_cast<std::uint8_t>(CondCode::kNZ));
    }
    bool memory() const { return value.kind == PredicateValue::Kind::Memory; }
};

/// Products of terms in host registers. Only bit 0 of a register counts.
class Product {
public:
    explicit Product(HostValues& values) : v_(values), a_(values.a) {}

    /// d = x & y, neither of them known.
    void emit(const Gp& d, Term x, Term y) {
        const auto rank = [](const Term& t) { return t.compares() ? 2 : t.negated ? 1 : 0; };
        if (rank(x) < rank(y)) std::swap(x, y);
        load(d, x, false);
        if (y.compares() || (x.compares() && y.negated)) {
            load(x86::rcx, y, false);
            a_.and_(d.r8(), x86::cl);
        } else if (y.negated) {  // so is x: neither of them
            combine(x86::Inst::kIdOr, d, y);
            a_.xor_(d.r32(), imm(1));
        } else {
            if (x.negated && !x.compares()) a_.xor_(d.r32(), imm(1));
            combine(x86::Inst::kIdAnd, d, y);
        }
    }

    /// to = t; without `whole` a negation of what is no comparison is left to the caller ...
    void load(const Gp& to, const Term& t, bool whole) {
        if (t.compares()) {
            const CondCode cc = v_.test(t.value, t.predicate);
            a_.set(t.negated ? x86::negateCond(cc) : cc, to.r8());
        } else if (t.constant()) {
            a_.mov(to.r32(), imm(t.value.value ? 1 : 0));
        } else {
            if (t.memory())
                a_.movzx(to.r32(), v_.predicate_memory(t.predicate));
            else
                a_.mov(to.r32(), x86::gpd(static_cast<std::uint32_t>(t.value.x)));
            // ... who has one bit to change for two of them.
            if (t.negated && (whole || to.id() == x86::rcx.id())) a_.xor_(to.r32(), imm(1));
        }
    }

private:
    void combine(asmjit::InstId id, const Gp& d, const Term& t) {
        if (t.memory())
            a_.emit(id, d.r8(), v_.predicate_memory(t.predicate));
        else
            a_.emit(id, d.r32(), x86::gpd(static_cast<std::uint32_t>(t.value.x)));
    }

    HostValues& v_;
    asmjit::x86::Assembler& a_;
};

Term known_term(bool value) { return {PredicateValue::known(value), 0, false}; }

}  // namespace

void RegionEmitter::emit_predicate_logic() {
    if (!(b_->flags & cpu::exec::kPlu)) return;
    for (unsigned k = 0; k < b_->plu.count; ++k) {
        mark(Reason::Predicate);
        v_.start_operation(kPluResult + k);
        emit_product(k);
        v_.end_operation();
    }
}

/// The result of CLP `k`.
void RegionEmitter::emit_product(unsigned k) {
    const isa::PredicateLogic& plu = b_->plu;
    const isa::Clp& clp = plu.clp[k];
    constexpr auto kNotZero = static_cast<std::uint8_t>(CondCode::kNZ);
    const auto result_of = [](unsigned local) { return kPluResult + local - 4; };
    const auto term = [&](unsigned local, bool negated, const Gp& scratch) {
        Term t;
        if (local >= 4) {
            const Result& r = v_.result(result_of(local));
            if (r.kind == Result::Kind::Compare)
                t.value = r.compare;
            else if (r.kind == Result::Kind::Constant)
                t = known_term(r.constant & 1);
            else
                t.value = PredicateValue::bit_of(r.reg, kNotZero);
        } else if (plu.elp[local].kind == isa::Elp::Kind::Pred) {
            t.predicate = v_.cache.origin(v_.predicate_index(plu.elp[local].index));
            t.value = v_.cache.predicate(t.predicate);
        } else if (plu.elp[local].kind == isa::Elp::Kind::Lcntex) {
            a_.cmp(state(lsr_offset(offsetof(LoopState, lcnt)), 8), imm(0));
            a_.setz(scratch.r8());
            t.value = PredicateValue::bit_of(static_cast<int>(scratch.id()), kNotZero);
        } else {
            t = known_term(false);
        }
        if (t.constant()) return known_term(t.value.value != negated);
        t.negated = negated;
        return t;
    };
    const auto known = [&](unsigned local, bool negated) -> std::optional<bool> {
        const bool loop = local < 4 && plu.elp[local].kind == isa::Elp::Kind::Lcntex;
        if (loop) return std::nullopt;
        const Term t = term(local, negated, x86::rcx);
        return t.constant() ? std::optional(t.value.value) : std::nullopt;
    };
    const bool moves = clp.opcode == isa::ClpOpcode::Movep;
    const auto x_known = known(clp.p0, clp.neg0), y_known = known(clp.p1, clp.neg1);
    if (!moves && (x_known == false || y_known == false)) return v_.set_constant(0);
    if (!moves && x_known && y_known) return v_.set_constant(1);
    // Registers first: handing one out may take that of a predicate.
    const Gp d = v_.def();
    for (const unsigned local : {unsigned{clp.p0}, unsigned{clp.p1}, unsigned{clp.p0}}) {
        if (local < 4) continue;
        const Result::Kind kind = v_.result(result_of(local)).kind;
        if (kind != Result::Kind::Compare && kind != Result::Kind::Constant)
            v_.result_gpr(result_of(local));
    }
    const Term x = term(clp.p0, clp.neg0, x86::rdx), y = term(clp.p1, clp.neg1, x86::rcx);
    Product product(v_);
    if (moves) {
        // With a false first operand the predicate is left alone: its condition is kept in the
        // upper byte of the result.
        product.load(d, y, true);
        product.load(x86::rcx, x, true);
        a_.and_(d.r32(), x86::ecx);
        a_.and_(x86::ecx, imm(1));
        a_.shl(x86::ecx, 8);
        a_.movzx(d.r32(), d.r8());
        a_.or_(d.r32(), x86::ecx);
    } else if (x_known || y_known) {
        product.load(d, x_known ? y : x, true);
    } else {
        product.emit(d, x, y);
    }
    // Predicates may have come with their tags.
    if (!moves && tags_ && request_.aware.contains(node_->address))
        a_.and_(d.r32(), imm(cpu::kPredValue));
    v_.set_result(d);
}

void RegionEmitter::commit_predicate_logic() {
    if (!(b_->flags & cpu::exec::kPlu)) return;
    for (unsigned k = 0; k < b_->plu.count; ++k) {
        const isa::Clp& clp = b_->plu.clp[k];
        if (!clp.writes) continue;
        mark(Reason::Predicate);
        v_.start_operation(kPluResult + k);
        const unsigned p = v_.predicate_index(clp.pdst);
        const Result& r = v_.result(kPluResult + k);
        if (clp.opcode == isa::ClpOpcode::Movep) {
            const Gp value = v_.result_gpr(kPluResult + k);
            v_.write_back_predicate(p);
            const Label keep = a_.newLabel();
            a_.test(value.r32(), imm(0x100));
            a_.jz(keep);
            a_.mov(v_.predicate_memory(p), value.r8());
            a_.bind(keep);
            v_.cache.set_predicate(p, {});
        } else {
            set_predicate(p, kPluResult + k, r);
            if (fails_ & failed_product(k)) commit_predicate_tag(p, failed_product(k));
        }
        v_.end_operation();
    }
}

/// The predicate is result `index` from now on; memory gets it later.
void RegionEmitter::set_predicate(unsigned p, unsigned index, const Result& r) {
    if (r.kind == Result::Kind::Compare) return v_.cache.set_predicate(p, r.compare);
    if (r.kind == Result::Kind::Constant)
        return v_.cache.set_predicate(p, PredicateValue::known(r.constant & 1));
    const Gp value = v_.result_gpr(index);
    v_.cache.set_predicate(p, PredicateValue::bit_of(static_cast<int>(value.id()),
                                                     static_cast<std::uint8_t>(CondCode::kNZ)));
}

}  // namespace e2k::translate
