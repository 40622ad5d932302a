// What a bundle changes: memory, registers, predicates, control state. Included by executor.cpp.
#pragma once

#include <atomic>

#include "engine/cpu/exec/executor.h"
#include "engine/cpu/interpreter.h"

namespace e2k::cpu::exec {

/// Set in every word of a speculative result whose guard is diagnostic (speculation.md §4).
inline constexpr std::uint64_t kDiagnosticBits = 0x4000'0000'4000'0000ull;

// --- memory, in channel order 0, 2, 3, 5 (execution.md §3) ---

template <bool Tags>
inline void Executor<Tags>::load(const MicroOp& op, unsigned i, Pending& p) {
    Value& result = p.result[i];
    if (p.dropped >> i & 1) [[unlikely]] {
        result.lo = result.ext = kFaultPattern;
        p.tag[i] = 1;
        return;
    }
    load_element(memory_, p.address[i], op.access_size, result);
    if (op.mode != MemoryMode::Plain) [[unlikely]] {
        const Value raw = result;
        if (op.big_endian) reverse_element(result, op.access_size);
        special_load(op, i, raw, p);
    } else if (op.big_endian) {
        reverse_element(result, op.access_size);
    }
}

template <bool Tags>
void Executor<Tags>::special_load(const MicroOp& op, unsigned i, const Value& raw, Pending& p) {
    const Value& result = p.result[i];
    if (op.mode == MemoryMode::CheckLoad) {
        // The early load wrote the same register; a different value now is a conflict (memory.md
        // §4).
        if (op.write == Write::None) {
            p.mlock = true;
            return;
        }
        const Reg& early = spaces_.at(op.dst);
        if (early.lo != result.lo || (op.access_size == 16 && early.ext != result.ext))
            p.mlock = true;
        const isa::Width loaded = op.access_size == 16 ? isa::Width::P : isa::Width::D;
        if (Tags && operand_tag(op.dst, loaded) != 0) p.mlock = true;
        return;
    }
    WaitLock& lock = s_.lock;
    if (op.pair_second) {
        lock.value_hi = raw.lo;
        lock.size = 16;
        return;
    }
    lock.address = p.address[i];
    lock.size = op.access_size;
    lock.value = raw.lo;
    lock.value_hi = op.access_size == 16 ? raw.ext : 0;
    lock.valid = 1;
}

template <bool Tags>
void Executor<Tags>::conditional_store(const ExecBundle& b, const MicroOp& op, unsigned i,
                                       Value value, Pending& p) {
    if (op.pair_second) return;  // stored together with the first half
    unsigned size = op.access_size;
    if (i + 1 < b.op_count && b.ops[i + 1].pair_second) {
        value.ext = spaces_.at(b.ops[i + 1].data).lo;
        size = 16;
    }
    WaitLock& lock = s_.lock;
    const bool held = lock.valid && lock.address == p.address[i] && lock.size == size;
    if (!held ||
        !compare_and_store(memory_, p.address[i], size, {lock.value, lock.value_hi}, value))
        p.mlock = true;
    lock.valid = 0;
}

template <bool Tags>
void Executor<Tags>::store(const ExecBundle& b, const MicroOp& op, unsigned i, Pending& p) {
    if (p.dropped >> i & 1) return;
    Value value = value_of(spaces_.at(op.data));
    if constexpr (Tags) {
        if (p.diag_guard >> i & 1) {
            value.lo |= kDiagnosticBits;
            value.ext |= kDiagnosticBits;
        }
    }
    if (op.big_endian) reverse_element(value, op.access_size);
    switch (op.mode) {
        case MemoryMode::ConditionalStore:
            return conditional_store(b, op, i, value, p);
        case MemoryMode::MaskedStore: {
            // The address is that of the first selected byte; see probe_one.
            const unsigned mask = static_cast<unsigned>(low(op.b, isa::Width::D)) & 0xffff;
            const unsigned first = static_cast<unsigned>(std::countr_zero(mask));
            return store_masked(memory_, p.address[i] - first, mask, value);
        }
        case MemoryMode::CodeFlush:
            code_flush_ = true;
            stop_.flush_address = p.address[i];
            return;
        case MemoryMode::NoStore:
            return;
        default:
            store_element(memory_, p.address[i], op.access_size, value);
    }
}

template <bool Tags>
inline void Executor<Tags>::store_plain(const MicroOp& op, std::uint64_t address) {
    const std::uint64_t value = spaces_.at(op.data).lo;
    switch (op.access_size) {
        case 1:
            return memory_.store(address, static_cast<std::uint8_t>(value));
        case 2:
            return memory_.store(address, static_cast<std::uint16_t>(value));
        case 4:
            return memory_.store(address, static_cast<std::uint32_t>(value));
        default:
            return memory_.store(address, value);
    }
}

/// What store() would write, into the list.
template <bool Tags>
void Executor<Tags>::hold_store(const ExecBundle& b, const MicroOp& op, unsigned i, Pending& p) {
    if (p.dropped >> i & 1) return;
    HeldStore held{op.channel, p.address[i], op.access_size, 0, value_of(spaces_.at(op.data))};
    if constexpr (Tags) {
        if (p.diag_guard >> i & 1) {
            held.value.lo |= kDiagnosticBits;
            held.value.ext |= kDiagnosticBits;
        }
    }
    if (op.big_endian) reverse_element(held.value, op.access_size);
    switch (op.mode) {
        case MemoryMode::ConditionalStore: {
            if (op.pair_second) return;
            if (i + 1 < b.op_count && b.ops[i + 1].pair_second) {
                held.value.ext = spaces_.at(b.ops[i + 1].data).lo;
                held.size = 16;
            }
            WaitLock& lock = s_.lock;
            bool done = lock.valid && lock.address == held.address && lock.size == held.size;
            if (done) {
                Value current{};
                load_element(memory_, held.address, held.size, current);
                const std::uint64_t bits = held.size >= 8 ? ~0ull : (1ull << 8 * held.size) - 1;
                done = (current.lo & bits) == (lock.value & bits) &&
                       (held.size != 16 || current.ext == lock.value_hi);
            }
            if (!done) p.mlock = true;
            lock.valid = 0;
            if (!done) return;
            break;
        }
        case MemoryMode::MaskedStore:
            held.mask = static_cast<unsigned>(low(op.b, isa::Width::D)) & 0xffff;
            held.address -= static_cast<unsigned>(std::countr_zero(held.mask));
            held.size = 16;
            break;
        case MemoryMode::CodeFlush:
        case MemoryMode::NoStore:
            return store(b, op, i, p);
        default:
            break;
    }
    held_->push_back(held);
}

/// Loads find what stores of the same bundle before them would have left.
template <bool Tags>
void Executor<Tags>::access_held_memory(const ExecBundle& b, Pending& p) {
    for (unsigned m = p.enabled & b.memory_ops; m; m &= m - 1) {
        const unsigned i = static_cast<unsigned>(std::countr_zero(m));
        const MicroOp& op = b.ops[i];
        if (op.kind != SemKind::Load) {
            hold_store(b, op, i, p);
            continue;
        }
        load(op, i, p);
        if (p.dropped >> i & 1) continue;
        auto* const bytes = reinterpret_cast<std::uint8_t*>(&p.result[i]);
        for (const HeldStore& store : *held_)
            for (unsigned k = 0; k < op.access_size; ++k) {
                const std::uint64_t at = p.address[i] + k - store.address;
                if (at >= store.size || (store.mask && !(store.mask >> at & 1))) continue;
                const std::uint64_t half = at < 8 ? store.value.lo : store.value.ext;
                bytes[op.big_endian ? op.access_size - 1 - k : k] =
                    static_cast<std::uint8_t>(half >> 8 * (at & 7));
            }
    }
}

template <bool Tags>
inline void Executor<Tags>::access_memory(const ExecBundle& b, Pending& p) {
    if (held_) [[unlikely]]
        return access_held_memory(b, p);
    for (unsigned m = p.enabled & b.memory_ops; m; m &= m - 1) {
        const unsigned i = static_cast<unsigned>(std::countr_zero(m));
        const MicroOp& op = b.ops[i];
        if (op.kind == SemKind::Load)
            load(op, i, p);
        else if (!Tags && op.plain_access && !(p.dropped >> i & 1))
            store_plain(op, p.address[i]);
        else
            store(b, op, i, p);
    }
}

template <bool Tags>
void Executor<Tags>::read_elements(const ExecBundle& b, Pending& p) {
    for (unsigned i = 0; i < b.mova_count; ++i)
        p.element_valid[i] = load_array_element(s_.aau, memory_, b.mova[i], s_.iset, p.element[i]);
}

/// Values of aaurw*, read before any register is written.
template <bool Tags>
void Executor<Tags>::read_array_values(const ExecBundle& b, Pending& p) {
    for (unsigned m = p.enabled; m; m &= m - 1) {
        const unsigned i = static_cast<unsigned>(std::countr_zero(m));
        if (b.ops[i].kind == SemKind::AauWrite) p.result[i] = value_of(spaces_.at(b.ops[i].data));
    }
}

// --- registers and predicates ---

template <bool Tags>
inline void Executor<Tags>::commit_one(const MicroOp& op, const Pending& p, unsigned i) {
    constexpr std::uint64_t kHighWord = 0xffff'ffff'0000'0000ull;
    Value result = p.result[i];
    if constexpr (Tags) {
        if ((p.diag_guard >> i & 1) && op.write != Write::Predicate) {
            const bool word = op.write == Write::Word || op.write == Write::WordKeep;
            result.lo |= word ? kDiagnosticBits & 0xffff'ffff : kDiagnosticBits;
            if (op.write == Write::Packed) result.ext |= kDiagnosticBits;
        }
    }
    switch (op.write) {
        case Write::Double:
            spaces_.at(op.dst).lo = result.lo;
            break;
        case Write::Word: {
            Reg& dst = spaces_.at(op.dst);
            dst.lo = (dst.lo & (p.dbl ? 0 : kHighWord)) | result.lo;
            break;
        }
        case Write::WordKeep: {
            Reg& dst = spaces_.at(op.dst);
            dst.lo = (dst.lo & kHighWord) | (result.lo & ~kHighWord);
            break;
        }
        case Write::Extended: {
            Reg& dst = spaces_.at(op.dst);
            dst.lo = result.lo;
            dst.ext = result.ext & 0xffff;
            break;
        }
        case Write::Packed: {
            Reg& dst = spaces_.at(op.dst);
            dst.lo = result.lo;
            dst.ext = result.ext;
            break;
        }
        case Write::Predicate:
            s_.pred[s_.pred_phys(op.dst.index)] = static_cast<std::uint8_t>(
                (result.lo & kPredValue) | (Tags && p.tag[i] ? kPredTag : 0u));
            break;
        default:
            break;
    }
    if constexpr (Tags) commit_tag(op, p.tag[i], p.dbl);
}

template <bool Tags>
inline void Executor<Tags>::commit_results(const ExecBundle& b, const Pending& p) {
    for (unsigned m = p.enabled & b.write_ops; m; m &= m - 1) {
        const unsigned i = static_cast<unsigned>(std::countr_zero(m));
        commit_one(b.ops[i], p, i);
    }
}

/// `tag`: 0 = number, 1 = diagnostic; moves and puttag carry kRawTag | the tag itself.
template <bool Tags>
void Executor<Tags>::commit_tag(const MicroOp& op, unsigned tag, bool dbl) {
    if (op.write == Write::Predicate) return;
    const bool raw = tag & kRawTag;
    unsigned value = tag & ~kRawTag;
    std::uint8_t& at = spaces_.tag_at(op.dst);
    unsigned keep = 0;
    switch (op.write) {
        case Write::Word:
            // With dbl the upper half is cleared, but a diagnostic result marks it as well.
            keep = dbl ? 0xf0 : 0xfc;
            value &= 3;
            if (dbl && !raw && value) value = 5;
            break;
        case Write::WordKeep:
            keep = 0xfc;
            value &= 3;
            break;
        case Write::Packed:
            if (!raw && value) value = 0x55;
            break;
        default:
            keep = 0xf0;
            value = raw ? value & 0xf : (value ? 5 : 0);
            break;
    }
    at = static_cast<std::uint8_t>((at & keep) | value);
}

template <bool Tags>
void Executor<Tags>::commit_mova(const ExecBundle& b, const Pending& p) {
    for (unsigned i = 0; i < b.mova_count; ++i) {
        const ArrayLoad& load = b.mova[i];
        if (load.discard) continue;
        Reg& dst = spaces_.at(load.dst);
        dst.lo = p.element[i].lo;
        if (load.packed) dst.ext = p.element[i].ext;
        if constexpr (Tags) {
            std::uint8_t& tag = spaces_.tag_at(load.dst);
            const unsigned bad = load.packed ? 0x55 : 5;
            tag = static_cast<std::uint8_t>((load.packed ? 0u : tag & 0xf0u) |
                                            (p.element_valid[i] ? 0u : bad));
        }
    }
}

// --- predicate logic (predicates.md) ---

template <bool Tags>
void Executor<Tags>::evaluate_plu(const ExecBundle& b, Pending& p) {
    const isa::PredicateLogic& plu = b.plu;
    std::array<std::uint8_t, 7> local{};
    for (unsigned k = 0; k < 4; ++k) {
        const isa::Elp& elp = plu.elp[k];
        if (elp.kind == isa::Elp::Kind::Pred)
            local[k] = s_.pred[s_.pred_phys(elp.index)];
        else if (elp.kind == isa::Elp::Kind::Lcntex)
            local[k] = s_.lsr.lcnt == 0 ? kPredValue : 0;
    }
    p.plu_write = 0;
    for (unsigned k = 0; k < plu.count; ++k) {
        const isa::Clp& clp = plu.clp[k];
        const unsigned x = local[clp.p0] ^ (clp.neg0 ? kPredValue : 0u);
        const unsigned y = local[clp.p1] ^ (clp.neg1 ? kPredValue : 0u);
        unsigned tag;
        bool writes = clp.writes;
        switch (clp.opcode) {
            case isa::ClpOpcode::Landp:
                tag = (x & kPredTag) | ((x & kPredValue) ? (y & kPredTag) : 0u);
                break;
            case isa::ClpOpcode::Movep:
                tag = (x & kPredTag) | ((x & kPredValue) ? (y & kPredTag) : 0u);
                // Without a true first operand the destination keeps its value (predicates.md §2).
                writes = writes && (x & (kPredValue | (Tags ? kPredTag : 0u)));
                break;
            default:
                tag = (x | y) & kPredTag;
                break;
        }
        local[4 + k] = static_cast<std::uint8_t>((x & y & kPredValue) | (Tags ? tag : 0u));
        p.plu_value[k] = local[4 + k];
        if (writes) p.plu_write |= 1u << k;
    }
}

template <bool Tags>
void Executor<Tags>::commit_plu(const ExecBundle& b, const Pending& p) {
    for (unsigned k = 0; k < b.plu.count; ++k)
        if (p.plu_write >> k & 1) s_.pred[s_.pred_phys(b.plu.clp[k].pdst)] = p.plu_value[k];
}

// --- control state ---

template <bool Tags>
void Executor<Tags>::commit_preparation(const ExecBundle& b) {
    Ctpr& ctpr = s_.ctpr[b.prepare.ctpr - 1u];
    ctpr.base = b.prepare.target;
    ctpr.opc = 0;
    ctpr.ipd = b.prepare.ipd;
    switch (b.prepare.kind) {
        case isa::Cs0Kind::Sdisp:
            ctpr.tag = CtprTag::System;
            break;
        case isa::Cs0Kind::Return:
            ctpr.tag = CtprTag::Return;
            ctpr.base = s_.chain_top == s_.chain_file ? 0 : s_.chain_top[-1].return_ip;
            break;
        case isa::Cs0Kind::Ldisp:
            ctpr.opc = 1;
            ctpr.tag = CtprTag::Label;
            break;
        default:
            ctpr.tag = CtprTag::Label;
            break;
    }
}

/// movtd to %ctpr, rwd/rws, getsp, aaurw*, post-increments of staa.
template <bool Tags>
void Executor<Tags>::commit_state(const ExecBundle& b, const Pending& p) {
    for (unsigned m = p.enabled; m; m &= m - 1) {
        const unsigned i = static_cast<unsigned>(std::countr_zero(m));
        const MicroOp& op = b.ops[i];
        if (op.write == Write::Ctpr) {
            Ctpr& ctpr = s_.ctpr[op.dst.index - 1u];
            ctpr.base = p.result[i].lo & ((1ull << 48) - 1);
            ctpr.tag = Tags && (p.tag[i] & ~kRawTag) ? CtprTag::Diagnostic : CtprTag::Label;
            ctpr.opc = 0;
            ctpr.ipd = 3;
        } else if (op.write == Write::State) {
            const std::uint8_t code = op.dst.index;
            if (is_fp_register(code)) fp_.fold();
            // state_register_writable() has been asked: it cannot fail.
            static_cast<void>(write_state_register(s_, code, p.result[i].lo));
            if (is_fp_register(code)) fp_.reload();
        } else if (op.kind == SemKind::GetSp) {
            s_.usd_base = p.usd_base;
            s_.usd_size = p.usd_size;
        } else if (op.kind == SemKind::AauWrite) {
            const std::uint64_t mask = op.access_size == 4 ? 0xffff'ffff : ~0ull;
            write_array_register(s_.aau, b.arrays[op.array], p.result[i].lo & mask, op.access_size,
                                 op.pair_second, s_.iset);
        }
    }
    for (unsigned m = p.increments; m; m &= m - 1) {
        const MicroOp& op = b.ops[static_cast<unsigned>(std::countr_zero(m))];
        advance_store_index(s_.aau, b.arrays[op.array], op.access_size, s_.iset);
    }
}

/// Registers that setwd adds are diagnostic, unless the same bundle writes them (windows.md §2).
template <bool Tags>
void Executor<Tags>::uncover(const Pending& p) {
    if (!s_.uncover_tags) return;
    for (unsigned n = s_.wd.size; n < p.window_size; ++n) s_.window_tags[n] = 5;
}

template <bool Tags>
void Executor<Tags>::commit_window(const ExecBundle& b, const Pending& p) {
    if (b.flags & kSetwd) {
        const std::uint8_t* const old_end = s_.window_tags + s_.wd.size;
        s_.wd.size = p.window_size;
        if constexpr (Tags) clear_tags_above(s_, old_end);
        s_.wd.fx = !b.window.nfx;
        s_.wd.dbl = b.window.dbl;
    }
    if (b.window.setbn) {
        s_.br.rbs = b.window.rbs;
        s_.br.rsz = b.window.rsz;
        s_.br.rcur = b.window.rcur;
    }
    if (b.window.setbp) {
        s_.br.psz = b.window.psz;
        s_.br.pcur = 0;
    }
    spaces_.update(s_);
}

/// Loop counters and rotation (loops.md §3).
template <bool Tags>
void Executor<Tags>::advance(const ExecBundle& b, bool taken) {
    const unsigned when = taken ? 1 : 2;
    if (b.alc & when) {
        LoopState& l = s_.lsr;
        if (l.pcnt != 0) --l.pcnt;
        if (l.lcnt != 0) --l.lcnt;
        l.over = l.lcnt == 0;
        if (l.vlc && l.lcnt == 0 && l.ecnt != 0) --l.ecnt;
    }
    if (b.abp & when) s_.br.pcur = s_.br.pcur == 0 ? s_.br.psz : s_.br.pcur - 1;
    if (b.abn & when) {
        s_.br.rcur = s_.br.rcur == 0 ? s_.br.rsz : s_.br.rcur - 1;
        spaces_.update(s_);
    }
}

/// ibranch under MLOCK, possibly or-ed with results of this bundle (syllables.md §1.3, types 8, 9).
template <bool Tags>
bool Executor<Tags>::mlock_condition(const ExecBundle& b, const Pending& p) const {
    if (p.mlock) return true;
    constexpr std::uint8_t kChannel[4] = {0, 1, 3, 4};
    const unsigned psrc = b.transfer.psrc;
    const auto operation_of = [&](unsigned channel) -> int {
        for (unsigned i = 0; i < b.op_count; ++i)
            if (b.ops[i].channel == channel && (p.enabled >> i & 1)) return static_cast<int>(i);
        return -1;
    };
    if (b.transfer.condition == isa::ConditionType::Mlock) {
        if constexpr (Tags)
            for (unsigned k = 0; k < 4; ++k) {
                const int i = psrc >> k & 1 ? operation_of(kChannel[k]) : -1;
                if (i >= 0 && (p.tag[static_cast<unsigned>(i)] & ~kRawTag)) return true;
            }
        return false;
    }
    const auto compare = [&](unsigned channel, bool negated) {
        const int i = operation_of(channel);
        const bool value = i >= 0 && b.ops[static_cast<unsigned>(i)].write == Write::Predicate &&
                           (p.result[static_cast<unsigned>(i)].lo & 1);
        return value != negated;
    };
    switch (psrc >> 3) {
        case 0:
            return compare(kChannel[psrc >> 1 & 3], psrc & 1);
        case 1: {
            const unsigned first = psrc & 4 ? 2 : 0;
            return compare(kChannel[first], psrc >> 1 & 1) ||
                   compare(kChannel[first + 1], psrc & 1);
        }
        case 2: {
            const unsigned n = psrc >> 1 & 3;
            const bool value = n < b.plu.count && (p.plu_value[n] & kPredValue);
            return value != ((psrc & 1) != 0);
        }
        default:
            return false;
    }
}

// --- transfer (control.md §2) ---

template <bool Tags>
bool Executor<Tags>::call(const ExecBundle& b, std::uint64_t target) {
    push_call(s_, 2u * b.transfer.wbs, b.next_address);
    spaces_.update(s_);
    s_.ip = target;
    return true;
}

template <bool Tags>
bool Executor<Tags>::system_call(const ExecBundle& b, std::uint64_t entry) {
    for (Ctpr& ctpr : s_.ctpr) ctpr = {0, CtprTag::Empty, 0, 0, {}};
    s_.ip = b.next_address;
    stop_.kind = StopKind::SystemCall;
    stop_.syscall_entry = static_cast<std::uint32_t>(entry);
    stop_.syscall_wbs = b.transfer.wbs;
    return false;
}

template <bool Tags>
bool Executor<Tags>::return_to_caller() {
    s_.ip = pop_return(s_);
    spaces_.update(s_);
    if (s_.ip != kSentinelReturn) return true;
    stop_.kind = StopKind::SignalReturn;
    return false;
}

template <bool Tags>
inline bool Executor<Tags>::transfer(const ExecBundle& b, Pending& p) {
    const Transfer& t = b.transfer;
    switch (t.kind) {
        case TransferKind::Jump: {
            const Ctpr& ctpr = s_.ctpr[t.ctpr - 1u];
            if (ctpr.tag == CtprTag::Return) return return_to_caller();
            s_.ip = ctpr.base;
            return true;
        }
        case TransferKind::Call: {
            const Ctpr& ctpr = s_.ctpr[t.ctpr - 1u];
            if (ctpr.tag == CtprTag::System) return system_call(b, ctpr.base);
            return call(b, ctpr.base);
        }
        case TransferKind::Branch:
            s_.ip = t.target;
            return true;
        case TransferKind::DirectCall:
            return call(b, t.target);
        case TransferKind::IndirectJump:
            s_.ip = p.indirect_target;
            return true;
        case TransferKind::IndirectCall:
            return call(b, p.indirect_target);
        case TransferKind::None:
            break;
    }
    s_.ip = b.next_address;
    return true;
}

}  // namespace e2k::cpu::exec
