// The one predicate that says whether a bundle is translated or interpreted.
#include <bit>
#include <limits>

#include "engine/translate/emitters.h"
#include "engine/translate/plan.h"

namespace e2k::translate {

using cpu::CtprTag;
using cpu::SemKind;
using cpu::exec::ExecBundle;
using cpu::exec::MemoryMode;
using cpu::exec::MicroOp;
using cpu::exec::RegRef;
using cpu::exec::Space;
using cpu::exec::TransferKind;
using cpu::exec::Write;
using isa::ConditionType;

namespace {

/// State registers that every version has (state.md §1) and that can be read where others of
/// the bundle's operations may already have been computed.
bool can_read(std::uint8_t code, const ExecBundle& b) {
    switch (code) {
        case 0x00:  // %psr
        case 0x1e:  // %sbr
        case kStateUpsr:
        case kStateIp:
        case kStateLsr:
        case 0x85:  // %fpcr
        case kStateIlcr:
        case 0x89:  // %bgr
        case 0x8a:  // %idr
            return true;
        case kStatePfpfr:
        case kStateFpsr:
            return !(b.flags & cpu::exec::kFloating);
        default:
            return belongs_to_frame(code);
    }
}

bool register_exists(RegRef r, const cpu::RotationState& br, unsigned size) {
    switch (r.space) {
        case Space::Window:
            return r.index < size;
        case Space::Based:
            return based_index(br, r.index, size) >= 0;
        default:
            return true;
    }
}

bool registers_exist(const ExecBundle& b, Config config) {
    const cpu::RotationState br = config.rotation();
    const unsigned old_size = config.window().size;
    const unsigned new_size = b.flags & cpu::exec::kSetwd ? b.window.size : old_size;
    if (old_size > kMaxWindow || new_size > kMaxWindow) return false;
    for (unsigned i = 0; i < b.op_count; ++i) {
        const MicroOp& op = b.ops[i];
        for (const RegRef r : {op.a, op.b, op.c, op.data})
            if (!register_exists(r, br, old_size)) return false;
        const bool to_register = op.write != Write::None && op.write != Write::Predicate &&
                                 op.write != Write::Ctpr && op.write != Write::State;
        if (to_register && !register_exists(op.dst, br, new_size)) return false;
    }
    for (unsigned i = 0; i < b.mova_count; ++i)
        if (!b.mova[i].discard && !register_exists(b.mova[i].dst, br, new_size)) return false;
    return true;
}

bool can_access(const MicroOp& op) {
    if (op.pair_second || (op.access_size == 16 && op.big_endian)) return false;
    if (op.mode == MemoryMode::CheckLoad) return op.access_size <= 8;
    // A conditional store must run exactly once: nothing behind it may go to the interpreter.
    if (op.mode == MemoryMode::LockLoad || op.mode == MemoryMode::ConditionalStore)
        return op.access_size <= 8 && op.guard.count == 0 && !op.big_endian;
    return op.mode == MemoryMode::Plain || op.mode == MemoryMode::NoStore ||
           op.mode == MemoryMode::MaskedStore;
}

bool can_compute(const MicroOp& op, const ExecBundle& b) {
    if (host_code_of(op.row, op.kind) == HostCode::None) return false;
    switch (op.kind) {
        case SemKind::Load:
        case SemKind::Store:
            return can_access(op);
        case SemKind::ArrayStore:
            return op.mode == MemoryMode::Plain && (op.access_size <= 8 || !op.big_endian);
        case SemKind::AauWrite:
            return op.guard.count == 0;
        case SemKind::StateWrite:
            return op.guard.count == 0 &&
                   (op.dst.index == kStateLsr || op.dst.index == kStateIlcr ||
                    op.dst.index == kStateUpsr);
        case SemKind::StateRead:
            return can_read(op.source_state, b) &&
                   (op.write == Write::Double || op.write == Write::Word);
        case SemKind::GetSp:
            return op.guard.count == 0;
        default:
            return op.write != Write::State;
    }
}

/// Predicates written twice, or guards that an earlier commit of the bundle would change.
bool predicates_clash(const ExecBundle& b, Config config) {
    const cpu::RotationState br = config.rotation();
    std::uint32_t written = 0;
    bool twice = false;
    const auto write = [&](unsigned n) {
        const std::uint32_t bit = 1u << pred_phys(br, n);
        twice |= (written & bit) != 0;
        written |= bit;
    };
    for (unsigned i = 0; i < b.op_count; ++i)
        if (b.ops[i].write == Write::Predicate) write(b.ops[i].dst.index);
    if (b.flags & cpu::exec::kPlu)
        for (unsigned k = 0; k < b.plu.count; ++k)
            if (b.plu.clp[k].writes) write(b.plu.clp[k].pdst);
    if (twice) return true;
    for (unsigned i = 0; i < b.op_count; ++i) {
        const MicroOp& op = b.ops[i];
        if (op.write != Write::Predicate) continue;
        for (unsigned k = op.guard.begin; k < op.guard.begin + unsigned{op.guard.count}; ++k)
            if (!b.conditions[k].pcnt && (written >> pred_phys(br, b.conditions[k].index) & 1))
                return true;
    }
    return false;
}

/// CLP operands in the order in which they are computed (predicates.md §1).
bool plu_in_order(const ExecBundle& b) {
    if (!(b.flags & cpu::exec::kPlu)) return true;
    for (unsigned k = 0; k < b.plu.count; ++k)
        if (b.plu.clp[k].p0 >= 4 + k || b.plu.clp[k].p1 >= 4 + k) return false;
    return true;
}

bool can_transfer(const ExecBundle& b, Config config, const Facts& facts) {
    const cpu::exec::Transfer& t = b.transfer;
    if (t.kind == TransferKind::None) return true;
    if (static_cast<unsigned>(t.condition) > static_cast<unsigned>(ConditionType::Mlock) &&
        t.condition != ConditionType::NotPredOrLoopEnd &&
        t.condition != ConditionType::PredAndNotLoopEnd)
        return false;
    if (t.condition == ConditionType::Mlock) return t.kind == TransferKind::Branch;
    if (t.kind == TransferKind::Branch) return true;
    const bool calls = t.kind == TransferKind::Call || t.kind == TransferKind::DirectCall;
    const unsigned size = b.flags & cpu::exec::kSetwd ? b.window.size : config.window().size;
    if (calls && 2u * t.wbs > size) return false;
    if (t.kind == TransferKind::DirectCall) return (t.target & 7) == 0;
    if (t.kind != TransferKind::Jump && t.kind != TransferKind::Call) return false;
    for (unsigned i = 0; i < b.op_count; ++i)
        if (b.ops[i].write == Write::Ctpr && b.ops[i].dst.index == t.ctpr) return false;
    if ((b.flags & cpu::exec::kPrepare) && b.prepare.ctpr == t.ctpr) return false;
    const CtprFact& fact = facts[t.ctpr - 1u];
    if (fact.kind != CtprFact::Kind::Known) return true;
    if (fact.tag == CtprTag::Label) return (fact.base & 7) == 0;
    if (fact.tag == CtprTag::System) return calls;
    return fact.tag == CtprTag::Return && !calls;
}

/// The address of the prefetch program that `bap` starts is known, or in the state.
bool can_prefetch(const ExecBundle& b, const Facts& facts) {
    constexpr unsigned kPrefetchCtpr = 2;
    for (unsigned i = 0; i < b.op_count; ++i)
        if (b.ops[i].write == Write::Ctpr && b.ops[i].dst.index == kPrefetchCtpr) return false;
    if ((b.flags & cpu::exec::kPrepare) && b.prepare.ctpr == kPrefetchCtpr) return false;
    const CtprFact& fact = facts[kPrefetchCtpr - 1];
    if (fact.kind == CtprFact::Kind::Entry) return true;
    return fact.kind == CtprFact::Kind::Known && fact.tag == CtprTag::Label && fact.opc == 1;
}

bool stores_in_arrays(const ExecBundle& b) {
    for (unsigned i = 0; i < b.op_count; ++i)
        if (b.ops[i].kind == SemKind::ArrayStore) return true;
    return false;
}

}  // namespace

bool belongs_to_frame(std::uint8_t code) {
    switch (code) {
        case 0x01:  // %wd
        case 0x07:  // %psp.hi
        case 0x09:  // %psp.lo
        case 0x0d:  // %pcsp.hi
        case 0x0f:  // %pcsp.lo
        case 0x2c:  // %usd.hi
        case 0x2d:  // %usd.lo
        case 0x51:  // %cr0.hi
        case 0x53:  // %cr0.lo
        case 0x55:  // %cr1.hi
        case 0x57:  // %cr1.lo
        case 0x88:  // %br
            return true;
        default:
            return false;
    }
}

bool can_emit(const ExecBundle& b, Config config, const Facts& facts) {
    if ((b.flags & cpu::exec::kIllegal) || (b.bap && !can_prefetch(b, facts))) return false;
    // Indices of array stores advance before the results of other operations are written.
    if ((b.flags & cpu::exec::kAauWrite) && stores_in_arrays(b)) return false;
    if ((b.flags & cpu::exec::kSetwd) && b.window.size < config.window().psize) return false;
    unsigned getsp = 0, locks = 0;
    bool masked = false;
    for (unsigned i = 0; i < b.op_count; ++i) {
        if (!can_compute(b.ops[i], b)) return false;
        getsp += b.ops[i].kind == SemKind::GetSp;
        masked |= b.ops[i].mode == MemoryMode::MaskedStore;
        locks +=
            b.ops[i].mode == MemoryMode::LockLoad || b.ops[i].mode == MemoryMode::ConditionalStore;
    }
    if (getsp > 1) return false;
    if (locks != 0 && (b.flags & cpu::exec::kLoopMode)) return false;
    if (masked && std::popcount(b.memory_ops) != 1) return false;
    if (locks != 0 && (std::popcount(b.memory_ops) != 1 || b.mova_count != 0)) return false;
    for (unsigned i = 0; i < b.mova_count; ++i)
        if (b.mova[i].size == 0 || (b.mova[i].packed && b.mova[i].big_endian)) return false;
    return registers_exist(b, config) && !predicates_clash(b, config) && plu_in_order(b) &&
           can_transfer(b, config, facts);
}

}  // namespace e2k::translate
