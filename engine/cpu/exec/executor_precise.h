// The part of a bundle that may trap: nothing has been written yet. Included by executor.cpp.
#pragma once

#include <fmt/format.h>

#include "engine/cpu/exec/executor.h"
#include "engine/cpu/exec/trap_text.h"
#include "engine/cpu/interpreter.h"

namespace e2k::cpu::exec {

template <bool Tags>
bool Executor<Tags>::trap(Trap trap) {
    stop_.kind = StopKind::Trapped;
    stop_.trap = std::move(trap);
    return false;
}

template <bool Tags>
bool Executor<Tags>::trap(const ExecBundle& b, const MicroOp* op, TrapCode code,
                          std::string detail) {
    return trap(make_trap(b, op, code, std::move(detail)));
}

template <bool Tags>
bool Executor<Tags>::check_window_setup(const ExecBundle& b, Pending& p) {
    const unsigned size = b.window.size;
    if (size < s_.wd.psize)
        return trap(b, nullptr, TrapCode::IllegalOpcode,
                    fmt::format("setwd of {} registers is below the parameter area of {}", size,
                                s_.wd.psize));
    if (s_.window + size > s_.window_limit)
        return trap(b, nullptr, TrapCode::ProcStackBounds,
                    "the procedure stack is full: calls are nested too deeply");
    p.window_size = static_cast<std::uint16_t>(size);
    p.dbl = b.window.dbl;
    return true;
}

template <bool Tags>
bool Executor<Tags>::reference_ok(const ExecBundle& b, const MicroOp* op, RegRef ref,
                                  unsigned size) {
    const bool ok = ref.space == Space::Window  ? ref.index < size
                    : ref.space == Space::Based ? s_.based_index(ref.index, size) >= 0
                                                : true;
    return ok || trap(window_trap(b, op, ref, s_, size));
}

/// Sources against the window before the bundle, destinations against the one setwd makes.
template <bool Tags>
bool Executor<Tags>::check_windows(const ExecBundle& b, const Pending& p) {
    for (unsigned m = p.enabled; m; m &= m - 1) {
        const MicroOp& op = b.ops[static_cast<unsigned>(std::countr_zero(m))];
        for (const RegRef ref : {op.a, op.b, op.c, op.data})
            if (!reference_ok(b, &op, ref, s_.wd.size)) return false;
        const bool to_register = op.write != Write::None && op.write != Write::Predicate &&
                                 op.write != Write::Ctpr && op.write != Write::State;
        if (to_register && !reference_ok(b, &op, op.dst, p.window_size)) return false;
    }
    for (unsigned i = 0; i < b.mova_count; ++i)
        if (!b.mova[i].discard && !reference_ok(b, nullptr, b.mova[i].dst, p.window_size))
            return false;
    return true;
}

template <bool Tags>
inline bool Executor<Tags>::evaluate_guards(const ExecBundle& b, Pending& p) {
    unsigned enabled = 0;
    for (unsigned i = 0; i < b.op_count; ++i) {
        const MicroOp& op = b.ops[i];
        bool on = op.guard.count == 0 || conditions_hold(b, op.guard);
        if constexpr (Tags) {
            if (p.masked >> i & 1) continue;
            if (const Condition* part = diagnostic_part(b, op.guard)) {
                // State and transfer registers are not speculative: they trap even with ,sm.
                if (!op.speculative || op.write == Write::State || op.write == Write::Ctpr)
                    return trap(b, &op, TrapCode::DiagCond,
                                fmt::format("%pred{}, the guard, is diagnostic", part->index));
                p.diag_guard |= 1u << i;
                on = true;
            }
        }
        if (on) enabled |= 1u << i;
    }
    p.enabled = enabled & ~p.masked;
    return true;
}

/// Transfer condition except its MLOCK part (control.md §3).
template <bool Tags>
inline bool Executor<Tags>::decide_transfer(const ExecBundle& b, Pending& p) {
    using isa::ConditionType;
    const Transfer& t = b.transfer;
    if (t.condition == ConditionType::Always) {
        p.taken = true;
        return true;
    }
    const bool le = s_.lsr.loop_end(), prologue = s_.lsr.prologue();
    const std::uint8_t pred = s_.pred[s_.pred_phys(t.psrc)];
    const bool holds = pred & kPredValue;
    bool reads_predicate = false;
    switch (t.condition) {
        case ConditionType::Pred:
            p.taken = holds;
            reads_predicate = true;
            break;
        case ConditionType::NotPred:
            p.taken = !holds;
            reads_predicate = true;
            break;
        case ConditionType::LoopEnd:
            p.taken = le;
            break;
        case ConditionType::NotLoopEnd:
            p.taken = !le;
            break;
        case ConditionType::PredOrLoopEnd:
            p.taken = le || (!prologue && holds);
            reads_predicate = !prologue;
            break;
        case ConditionType::NotPredAndNotLoopEnd:
            p.taken = !le && (prologue || !holds);
            reads_predicate = !prologue;
            break;
        case ConditionType::NotPredOrLoopEnd:
            p.taken = le || (!prologue && !holds);
            reads_predicate = !prologue;
            break;
        case ConditionType::PredAndNotLoopEnd:
            p.taken = !le && (prologue || holds);
            reads_predicate = !prologue;
            break;
        default:
            break;  // Mlock and MlockOrCompare: after the memory operations
    }
    if constexpr (Tags) {
        if (reads_predicate && (pred & kPredTag))
            return trap(
                b, nullptr, TrapCode::DiagCtCond,
                fmt::format("%pred{}, the condition of the transfer, is diagnostic", t.psrc));
    }
    return true;
}

template <bool Tags>
Ctpr Executor<Tags>::transfer_register(const ExecBundle& b, const Pending& p, unsigned n) const {
    Ctpr ctpr = s_.ctpr[n - 1];
    if ((b.flags & kPrepare) && b.prepare.ctpr == n) {
        ctpr.base = b.prepare.target;
        ctpr.opc = b.prepare.kind == isa::Cs0Kind::Ldisp;
        switch (b.prepare.kind) {
            case isa::Cs0Kind::Sdisp:
                ctpr.tag = CtprTag::System;
                break;
            case isa::Cs0Kind::Return:
                ctpr.tag = CtprTag::Return;
                break;
            default:
                ctpr.tag = CtprTag::Label;
                break;
        }
    }
    for (unsigned i = 0; i < b.op_count; ++i) {
        const MicroOp& op = b.ops[i];
        if (op.write != Write::Ctpr || op.dst.index != n || !(p.enabled >> i & 1)) continue;
        ctpr.base = low(op.b, isa::Width::D) & ((1ull << 48) - 1);
        ctpr.tag = CtprTag::Label;
        ctpr.opc = 0;
        if (Tags && operand_tag(op.b, isa::Width::D) != 0) ctpr.tag = CtprTag::Diagnostic;
    }
    return ctpr;
}

/// The transfers that hold nothing to check in detail: ct and call through a label prepared
/// earlier, ct on a prepared return.
template <bool Tags>
inline bool Executor<Tags>::transfer_is_plain(const ExecBundle& b, const Pending& p) const {
    const Transfer& t = b.transfer;
    if (t.kind == TransferKind::Branch) return true;
    if (t.ctpr == 0 || (b.flags & (kPrepare | kStateWrite))) return false;
    const Ctpr& ctpr = s_.ctpr[t.ctpr - 1u];
    if (t.kind == TransferKind::Jump && ctpr.tag == CtprTag::Return) return return_fits();
    if (ctpr.tag != CtprTag::Label || (ctpr.base & 7)) return false;
    return t.kind == TransferKind::Jump ||
           (2u * t.wbs <= p.window_size && s_.chain_top < s_.chain_limit);
}

template <bool Tags>
bool Executor<Tags>::check_transfer(const ExecBundle& b, Pending& p) {
    const Transfer& t = b.transfer;
    const bool calls = t.kind == TransferKind::Call || t.kind == TransferKind::DirectCall ||
                       t.kind == TransferKind::IndirectCall;
    std::uint64_t target = t.target;
    bool returns = false;
    if (t.kind == TransferKind::IndirectJump || t.kind == TransferKind::IndirectCall) {
        target = spaces_.at(t.target_register).lo;
    } else if (t.ctpr != 0) {
        const Ctpr ctpr = transfer_register(b, p, t.ctpr);
        const bool usable = ctpr.tag == CtprTag::Label ||
                            (calls ? ctpr.tag == CtprTag::System : ctpr.tag == CtprTag::Return);
        if (!usable) {
            const bool diagnostic = ctpr.tag == CtprTag::Diagnostic;
            return trap(
                b, nullptr, diagnostic ? TrapCode::DiagInstrAddr : TrapCode::IllegalInstrAddr,
                diagnostic ? fmt::format("%ctpr{} is diagnostic", t.ctpr)
                           : fmt::format("%ctpr{} does not hold a prepared {} (its tag is {})",
                                         t.ctpr, calls ? "call target" : "transfer",
                                         static_cast<unsigned>(ctpr.tag)));
        }
        target = ctpr.tag == CtprTag::Label ? ctpr.base : 0;
        returns = ctpr.tag == CtprTag::Return;
    }
    if (returns) {
        auto complaint = return_complaint(s_);
        if (complaint) return trap(b, nullptr, TrapCode::WindowBounds, std::move(*complaint));
    }
    if (target & 7)
        return trap(b, nullptr, TrapCode::IllegalInstrAddr,
                    fmt::format("the target 0x{:x} is not a multiple of 8", target));
    if (!calls) return true;
    if (2u * t.wbs > p.window_size)
        return trap(b, nullptr, TrapCode::IllegalOperand,
                    fmt::format("call moves the window by {} registers, which has only {}",
                                2u * t.wbs, p.window_size));
    if (s_.chain_top >= s_.chain_limit)
        return trap(b, nullptr, TrapCode::ChainStackBounds,
                    "the chain stack is full: calls are nested too deeply");
    return true;
}

template <bool Tags>
bool Executor<Tags>::precise_operations(const ExecBundle& b, Pending& p) {
    for (unsigned m = p.enabled & b.precise_ops; m; m &= m - 1) {
        const unsigned i = static_cast<unsigned>(std::countr_zero(m));
        const MicroOp& op = b.ops[i];
        Value& result = p.result[i];
        switch (op.kind) {
            case SemKind::Div: {
                const DivResult r = op.fn_div(low(op.a, op.wa), low(op.b, op.wb), low(op.c, op.wc));
                result.lo = r.trap ? 0 : r.value;
                if (!r.trap) break;
                if (!op.speculative)
                    return trap(b, &op, TrapCode::Division,
                                "division by zero, or the quotient does not fit");
                p.tag[i] = 1;
                break;
            }
            case SemKind::StateRead: {
                if (is_fp_register(op.source_state)) fp_.fold();
                const auto value = read_state_register(s_, op.source_state);
                if (!value)
                    return trap(b, &op, value.error(),
                                fmt::format("state register 0x{:02x} cannot be read by a program",
                                            op.source_state));
                result.lo = op.write == Write::Word ? *value & 0xffff'ffff : *value;
                break;
            }
            case SemKind::StateWrite: {
                const auto allowed = state_register_writable(s_, op.dst.index);
                if (!allowed)
                    return trap(
                        b, &op, allowed.error(),
                        fmt::format("state register 0x{:02x} cannot be written by a program",
                                    op.dst.index));
                result.lo = low(op.b, op.wb);
                break;
            }
            case SemKind::GetSp: {
                const auto delta = static_cast<std::int64_t>(
                    static_cast<std::int32_t>(low(op.b, isa::Width::S) & ~15ull));
                const auto size = static_cast<std::int64_t>(s_.usd_size) + delta;
                if (size < 0)
                    return trap(b, &op, TrapCode::ArrayBounds,
                                fmt::format("the user stack has {} bytes left, {} were asked for",
                                            s_.usd_size, -delta));
                p.usd_size = static_cast<std::uint64_t>(size);
                p.usd_base = s_.usd_base + static_cast<std::uint64_t>(delta);
                result.lo = p.usd_base;
                break;
            }
            default:
                return trap(unsupported_trap(b, op, s_.iset));
        }
    }
    return true;
}

template <bool Tags>
bool Executor<Tags>::check_prefetch(const ExecBundle& b, const Pending& p) {
    if (!b.bap) return true;
    const Ctpr ctpr = transfer_register(b, p, 2);
    if (ctpr.tag != CtprTag::Label || ctpr.opc != 1)
        return trap(b, nullptr, TrapCode::IllegalOpcode,
                    "bap needs a prefetch program prepared by ldisp in %ctpr2");
    std::uint64_t fault = 0;
    if (prefetch_program_readable(memory_, ctpr.base, fault)) return true;
    Trap t = make_trap(
        b, nullptr, TrapCode::InstrPageMiss,
        fmt::format("the prefetch program at 0x{:x} cannot be read at 0x{:x}", ctpr.base, fault));
    t.address = fault;
    t.access = Access::Read;
    return trap(std::move(t));
}

// --- memory ---

/// Store masking of software-pipelined loops (loops.md §5).
template <bool Tags>
void Executor<Tags>::mask_loop_stores(const ExecBundle& b, Pending& p) {
    if (s_.lsr.semc) return;
    const bool le = s_.lsr.loop_end();
    for (unsigned i = 0; i < b.op_count; ++i) {
        const MicroOp& op = b.ops[i];
        if (op.kind != SemKind::Store && op.kind != SemKind::ArrayStore) continue;
        if (s_.lsr.pcnt != 0 || (le && p.strmd == 0))
            p.masked |= 1u << i;
        else if (le)
            --p.strmd;
    }
    p.enabled &= ~p.masked;
}

/// What hardware does about UPSR.ac; ordinarily every access may be misaligned (state.md §2.2).
template <bool Tags>
bool Executor<Tags>::misaligned(const MicroOp& op, std::uint64_t address) const {
    constexpr std::uint32_t kAlignmentCheck = 4;
    const unsigned size = op.access_size;
    return (s_.upsr & kAlignmentCheck) && !op.any_alignment && op.mode != MemoryMode::MaskedStore &&
           (size & (size - 1)) == 0 && (address & (size - 1)) != 0;
}

template <bool Tags>
bool Executor<Tags>::probe_one(const ExecBundle& b, const MicroOp& op, unsigned i, Pending& p) {
    std::uint64_t address;
    unsigned size = op.access_size;
    if (op.kind == SemKind::ArrayStore) {
        address = array_store_address(s_.aau, b.arrays[op.array]);
    } else if (op.mode == MemoryMode::MaskedStore) {
        const unsigned mask = static_cast<unsigned>(low(op.b, isa::Width::D)) & 0xffff;
        if (mask == 0) {
            p.dropped |= 1u << i;
            return true;
        }
        const unsigned first = static_cast<unsigned>(std::countr_zero(mask));
        size = static_cast<unsigned>(std::bit_width(mask)) - first;
        address = low(op.a, op.wa) + first;
    } else {
        address = low(op.a, op.wa) + low(op.b, op.wb);
    }
    const bool off_quad = op.quad_aligned && (low(op.a, op.wa) & 15) != 0;
    if (op.pair_second) address += 8;
    p.address[i] = address;
    if (p.dropped >> i & 1) return true;  // `,sm` access through a diagnostic address
    std::uint8_t bits = op.kind == SemKind::Load ? kPageRead : kPageWrite;
    switch (op.mode) {
        case MemoryMode::NoStore:
        case MemoryMode::CodeFlush:
            return true;
        case MemoryMode::Privileged:
            return trap(b, &op, TrapCode::PrivilegedAction,
                        "this memory access specifier is for the kernel");
        case MemoryMode::LockLoad:
        case MemoryMode::ConditionalStore:
            bits = kPageRead | kPageWrite;
            break;
        default:
            break;
    }
    if (off_quad || (s_.strict_alignment && misaligned(op, address))) {
        if (!op.speculative)
            return trap(alignment_trap(b, op, off_quad ? low(op.a, op.wa) : address, off_quad));
        p.dropped |= 1u << i;
        return true;
    }
    if (memory_.allows(address, size, bits)) [[likely]]
        return true;
    if (!op.speculative) return trap(page_trap(b, op, memory_, address, size, bits & kPageWrite));
    p.dropped |= 1u << i;
    return true;
}

/// The usual access: one compare with the page map.
template <bool Tags>
inline bool Executor<Tags>::probe_plain(const ExecBundle& b, const MicroOp& op, unsigned i,
                                        Pending& p) {
    if (Tags || !op.plain_access || s_.strict_alignment) return probe_one(b, op, i, p);
    const std::uint64_t address = low(op.a, op.wa) + low(op.b, op.wb);
    p.address[i] = address;
    const std::uint8_t bits = op.kind == SemKind::Load ? kPageRead : kPageWrite;
    return memory_.allows(address, op.access_size, bits) || probe_one(b, op, i, p);
}

/// Addresses and pages of all accesses; loads too when no store of the bundle can precede them.
template <bool Tags>
inline bool Executor<Tags>::probe_memory(const ExecBundle& b, Pending& p) {
    if (b.array_count != 0) find_increments(b, p);
    const bool load_now = !(b.flags & kStores);
    for (unsigned m = p.enabled & b.memory_ops; m; m &= m - 1) {
        const unsigned i = static_cast<unsigned>(std::countr_zero(m));
        if (!probe_plain(b, b.ops[i], i, p)) return false;
        if (load_now) load(b.ops[i], i, p);
    }
    return true;
}

template <bool Tags>
void Executor<Tags>::find_increments(const ExecBundle& b, Pending& p) {
    for (unsigned i = 0; i < b.op_count; ++i) {
        const MicroOp& op = b.ops[i];
        if (op.kind != SemKind::ArrayStore || (p.masked >> i & 1)) continue;
        const ArrayAddress& a = b.arrays[op.array];
        if (a.increments && conditions_hold(b, a.incr_guard)) p.increments |= 1u << i;
    }
}

// --- tags and floating-point exceptions ---

template <bool Tags>
unsigned Executor<Tags>::operand_tag(RegRef r, isa::Width w) const {
    const unsigned tag = spaces_.tag_at(r);
    switch (w) {
        case isa::Width::None:
            return 0;
        case isa::Width::S:
            return tag & 0x3;
        case isa::Width::P:
            return tag;
        default:
            return tag & 0xf;
    }
}

template <bool Tags>
std::optional<RegRef> Executor<Tags>::diagnostic_source(const ExecBundle& b,
                                                        const MicroOp& op) const {
    const auto tagged = [&](RegRef r, isa::Width w) { return operand_tag(r, w) != 0; };
    if (op.merges) {
        const bool second = op.merge.count != 0 && conditions_hold(b, op.merge);
        if (second ? tagged(op.b, op.wb) : tagged(op.a, op.wa)) return second ? op.b : op.a;
    } else {
        isa::Width wa = op.wa, wc = op.wc;
        if (op.words_by_descriptor) {
            // insfd: bits 13 and 15 of its descriptor say whether the low word alone counts.
            const std::uint64_t descriptor = low(op.b, isa::Width::D);
            if (descriptor >> 13 & 1) wa = isa::Width::S;
            if (descriptor >> 15 & 1) wc = isa::Width::S;
        }
        if (tagged(op.a, wa)) return op.a;
        if (tagged(op.b, op.wb)) return op.b;
        if (tagged(op.c, wc)) return op.c;
        return std::nullopt;
    }
    if (tagged(op.c, op.wc)) return op.c;
    return std::nullopt;
}

template <bool Tags>
bool Executor<Tags>::check_operand_tags(const ExecBundle& b, const MicroOp& op, unsigned i,
                                        Pending& p) {
    if (op.merges)
        if (const Condition* part = diagnostic_part(b, op.merge)) {
            if (!op.speculative)
                return trap(b, &op, TrapCode::DiagCond,
                            fmt::format("%pred{}, which selects, is diagnostic", part->index));
            p.diag_guard |= 1u << i;
            p.tag[i] = 1;
        }
    const bool stores =
        op.kind == SemKind::Store || op.kind == SemKind::ArrayStore || op.kind == SemKind::AauWrite;
    const bool data = stores && !op.speculative && op.mode != MemoryMode::NoStore &&
                      op.mode != MemoryMode::CodeFlush &&
                      operand_tag(op.data, isa::operation(op.row).src4) != 0;
    const std::optional<RegRef> source = data ? op.data : diagnostic_source(b, op);
    if (!source) return true;
    if (!op.speculative)
        return trap(b, &op, TrapCode::DiagOperand,
                    fmt::format("{} is diagnostic{}", register_name(*source),
                                data ? ", and only a store with ,sm takes it" : ""));
    if (op.kind == SemKind::Load || op.kind == SemKind::Store) p.dropped |= 1u << i;
    p.tag[i] = 1;
    return true;
}

/// The increment of an array store has its own guard, whatever that of the store says.
template <bool Tags>
bool Executor<Tags>::check_increment_tags(const ExecBundle& b, const Pending& p) {
    for (unsigned i = 0; i < b.op_count; ++i) {
        const MicroOp& op = b.ops[i];
        if (op.kind != SemKind::ArrayStore || op.speculative || (p.masked >> i & 1)) continue;
        const ArrayAddress& a = b.arrays[op.array];
        if (!a.increments) continue;
        if (const Condition* part = diagnostic_part(b, a.incr_guard))
            return trap(
                b, &op, TrapCode::DiagCond,
                fmt::format("%pred{}, the guard of the increment, is diagnostic", part->index));
    }
    return true;
}

template <bool Tags>
bool Executor<Tags>::check_tags(const ExecBundle& b, Pending& p) {
    for (unsigned m = p.enabled; m; m &= m - 1) {
        const unsigned i = static_cast<unsigned>(std::countr_zero(m));
        const MicroOp& op = b.ops[i];
        p.tag[i] = (p.diag_guard >> i & 1) ? 1 : 0;
        // An indirect transfer that is not taken looks at nothing.
        const bool idle = op.kind == SemKind::IndirectBranch && !p.taken && !(b.flags & kMlock);
        if (op.tag_free || idle) continue;
        if (!check_operand_tags(b, op, i, p)) return false;
    }
    return b.array_count == 0 || check_increment_tags(b, p);
}

/// Computes with unmasked FP exceptions: each operation's own flags decide whether it traps.
template <bool Tags>
bool Executor<Tags>::compute_checked(const ExecBundle& b, Pending& p) {
    fp_.fold();
    const std::uint32_t pfpfr = s_.pfpfr, fpsr = s_.fpsr;
    for (unsigned m = p.enabled & b.compute_ops; m; m &= m - 1) {
        const unsigned i = static_cast<unsigned>(std::countr_zero(m));
        const MicroOp& op = b.ops[i];
        fp_.watch();
        compute_one(b, op, i, p);
        const std::uint32_t unmasked = fp_.unmasked();
        if (unmasked == 0) continue;
        if (op.speculative) {
            p.tag[i] = 1;  // no exception, a diagnostic result
            continue;
        }
        s_.pfpfr = pfpfr;  // nothing of the bundle is committed, flags of other operations neither
        s_.fpsr = fpsr;
        fp_.reload();
        Trap t =
            make_trap(b, &op, TrapCode::FloatingPoint,
                      fmt::format("unmasked floating-point exception, flags 0x{:02x}", unmasked));
        t.fp_flags = static_cast<std::uint8_t>(unmasked);
        return trap(std::move(t));
    }
    return true;
}

}  // namespace e2k::cpu::exec
