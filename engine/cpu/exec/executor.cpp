#include "engine/cpu/exec/executor.h"

#include "engine/cpu/exec/executor_effects.h"
#include "engine/cpu/exec/executor_precise.h"

namespace e2k::cpu::exec {
namespace {

Value to_value(V128 v) {
    Value r;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(&r), v);
    return r;
}

}  // namespace

template <bool Tags>
void Executor<Tags>::compute_one(const ExecBundle& b, const MicroOp& op, unsigned i, Pending& p) {
    const RegRef a = first(b, op);
    switch (op.kind) {
        case SemKind::Int64:
        case SemKind::Sse64:
            p.result[i].lo = op.fn64(low(a, op.wa), low(op.b, op.wb), low(op.c, op.wc));
            return;
        case SemKind::Int128:
        case SemKind::Sse128:
        case SemKind::X87:
            p.result[i] = to_value(op.fn128(wide(a, op.wa), wide(op.b, op.wb), wide(op.c, op.wc)));
            return;
        case SemKind::MoveTag:
            p.result[i].lo = spaces_.at(op.b).lo;
            if constexpr (Tags)
                if (op.tag_free)
                    p.tag[i] = static_cast<std::uint16_t>(kRawTag | operand_tag(op.b, op.wb));
            return;
        case SemKind::TagOp:
            return tag_operation(op, i, p);
        default:
            return;
    }
}

/// gettag*: the tag as a number. puttag*: operand a with the tag in operand b (speculation.md §1).
template <bool Tags>
void Executor<Tags>::tag_operation(const MicroOp& op, unsigned i, Pending& p) {
    const bool get = op.wa == isa::Width::None;
    if (get) {
        p.result[i].lo = Tags ? operand_tag(op.b, op.wb) : 0;
        p.tag[i] = 0;
        return;
    }
    p.result[i] = to_value(wide(op.a, op.wa));
    if constexpr (Tags) {
        const unsigned wanted = static_cast<unsigned>(low(op.b, isa::Width::S)) & 0xff;
        const unsigned own = operand_tag(op.a, op.wa);
        // A nonzero tag does not hide that the source already was diagnostic (integer.md §11).
        const bool keeps = wanted != 0 && (own != 0 || operand_tag(op.b, op.wb) != 0);
        p.tag[i] = static_cast<std::uint16_t>(kRawTag | (keeps && own != 0 ? own : wanted));
    }
}

template <bool Tags>
inline void Executor<Tags>::compute(const ExecBundle& b, Pending& p) {
    for (unsigned m = p.enabled & b.compute_ops; m; m &= m - 1) {
        const unsigned i = static_cast<unsigned>(std::countr_zero(m));
        const MicroOp& op = b.ops[i];
        if (op.scalar) [[likely]]
            p.result[i].lo = op.fn64(low(op.a, op.wa), low(op.b, op.wb), low(op.c, op.wc));
        else
            compute_one(b, op, i, p);
    }
}

template <bool Tags>
inline void Executor<Tags>::begin(const ExecBundle& b, Pending& p) {
    spaces_.set_literals(b.literals.data());
    p.enabled = (1u << b.op_count) - 1;
    p.dropped = p.masked = p.increments = p.diag_guard = 0;
    p.dbl = s_.wd.dbl;
    p.window_size = s_.wd.size;
    p.taken = p.mlock = false;
}

/// Counts the bundle and goes to the next one.
template <bool Tags>
inline bool Executor<Tags>::finish(const ExecBundle& b, Pending& p) {
    ++s_.bundles;
    s_.operations += b.operations;
    if (p.taken) return transfer(b, p);
    s_.ip = b.next_address;
    return true;
}

template <bool Tags>
bool Executor<Tags>::execute_common(const ExecBundle& b) {
    const std::uint32_t flags = b.flags;
    if ((flags & kFloating) && fp_exceptions_unmasked(s_.pfpfr, s_.fpcr)) [[unlikely]]
        return execute_general(b);
    Pending p;
    begin(b, p);
    if (b.transfer.kind != TransferKind::None && !decide_transfer(b, p)) return false;
    if ((flags & kGuards) && !evaluate_guards(b, p)) return false;
    if (!spaces_.covers(b) && !check_windows(b, p)) return false;
    if (p.taken && !transfer_is_plain(b, p) && !check_transfer(b, p)) return false;
    if ((flags & kMemory) && !probe_memory(b, p)) return false;
    compute(b, p);
    if (flags & kStores) access_memory(b, p);
    commit_results(b, p);
    if (flags & kPrepare) commit_preparation(b);
    if (flags & kAdvance) advance(b, p.taken);
    return finish(b, p) && !(code_flush_ && stop_for_code_flush());
}

template <bool Tags>
bool Executor<Tags>::stop_for_code_flush() {
    code_flush_ = false;
    stop_.kind = StopKind::CodeFlush;
    return true;
}

template <bool Tags>
bool Executor<Tags>::execute_general(const ExecBundle& b) {
    const std::uint32_t flags = b.flags;
    if (flags & kIllegal) [[unlikely]]
        return trap(illegal_trap(b, s_.iset));
    Pending p;
    begin(b, p);
    p.strmd = s_.lsr.strmd;

    // What may trap; nothing is written yet.
    if ((flags & kSetwd) && !check_window_setup(b, p)) return false;
    if (b.transfer.kind != TransferKind::None && !decide_transfer(b, p)) return false;
    if (flags & kLoopMode) mask_loop_stores(b, p);
    if ((flags & kGuards) && !evaluate_guards(b, p)) return false;
    if ((!spaces_.covers(b) || (flags & kSetwd)) && !check_windows(b, p)) return false;
    if (p.taken && !transfer_is_plain(b, p) && !check_transfer(b, p)) return false;
    if constexpr (Tags)
        if (!check_tags(b, p)) return false;
    if ((flags & kPrecise) && !precise_operations(b, p)) return false;
    if ((flags & kPrefetch) && !check_prefetch(b, p)) return false;
    const bool checked_fp = (flags & kFloating) && fp_exceptions_unmasked(s_.pfpfr, s_.fpcr);
    if (checked_fp && !compute_checked(b, p)) return false;
    if ((flags & kMemory) && !probe_memory(b, p)) return false;

    // Values, from the state before the bundle.
    if (flags & kMova) read_elements(b, p);
    if (!checked_fp) compute(b, p);
    if (flags & kPlu) evaluate_plu(b, p);
    if (flags & kAauWrite) read_array_values(b, p);
    if (flags & kStores) access_memory(b, p);

    // Effects.
    if (flags & kIndirect) p.indirect_target = spaces_.at(b.transfer.target_register).lo;
    if (flags & kFence) std::atomic_thread_fence(std::memory_order_seq_cst);
    if constexpr (Tags)
        if (flags & kSetwd) uncover(p);
    commit_results(b, p);
    if (flags & kMova) commit_mova(b, p);
    if (flags & kPlu) commit_plu(b, p);
    if (flags & kLoopMode) s_.lsr.strmd = p.strmd;
    if (flags & kPrepare) commit_preparation(b);
    if (flags & kStateWrite) commit_state(b, p);
    if (flags & kMova) advance_areas(s_.aau, b.mova.data(), b.mova_count, s_.iset);
    if (flags & kPrefetch) {
        if (b.eap) s_.aau.active = 0;
        if (b.bap) start_prefetch(s_.aau, memory_, s_.ctpr[1].base);
    }
    if (flags & (kSetwd | kRotation)) commit_window(b, p);
    if (flags & kMlock) {
        // Known only now; a ct or call that this takes has not been looked at yet.
        p.taken = mlock_condition(b, p);
        if (p.taken && !transfer_is_plain(b, p) && !check_transfer(b, p)) return false;
    }
    if (flags & kAdvance) advance(b, p.taken);
    return finish(b, p) && !(code_flush_ && stop_for_code_flush());
}

template class Executor<false>;
template class Executor<true>;

}  // namespace e2k::cpu::exec
