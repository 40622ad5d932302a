// Loads and stores (execution.md §3, speculation.md §3, memory.md §4). Guest addresses, or the
// registers they are made of, are compared with the checked space; what lies beyond, and what the
// host refuses, is done by the interpreter.
#include "engine/cpu/exec/memory_access.h"
#include "engine/translate/emit/control_state.h"
#include "engine/translate/emit/operands.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using cpu::CpuState;
using cpu::SemKind;
using cpu::exec::MemoryMode;
using cpu::exec::MicroOp;
using cpu::exec::RegRef;
using cpu::exec::Write;
namespace x86 = asmjit::x86;

namespace {

/// A prefetch: whatever becomes of it, nobody sees it.
bool leads_nowhere(const MicroOp& op) {
    return op.kind == SemKind::Load && op.speculative && op.write == Write::None &&
           op.mode == MemoryMode::Plain;
}
bool touches_memory(const MicroOp& op) {
    return (op.kind == SemKind::Load || stores(op)) && op.mode != MemoryMode::NoStore &&
           !leads_nowhere(op);
}
/// A load that compares with the early one; without a transfer that asks it is like any other.
bool compares(const MicroOp& op, const cpu::exec::ExecBundle& b) {
    return op.mode == MemoryMode::CheckLoad && (b.flags & cpu::exec::kMlock);
}
bool plain(const MicroOp& op, const cpu::exec::ExecBundle& b) {
    return op.mode == MemoryMode::Plain || (op.mode == MemoryMode::CheckLoad && !compares(op, b));
}

}  // namespace

void RegionEmitter::emit_memory() {
    emit_elements();
    // Stores of a loop count towards its end whether or not they are done.
    const auto skipped = [this](unsigned i) {
        return off(i) && !(b_->flags & cpu::exec::kLoopMode);
    };
    // An access after a store must be known to succeed before the store is done.
    bool stored = false;
    for (unsigned i = 0; i < b_->op_count; ++i) {
        const MicroOp& op = b_->ops[i];
        if (!touches_memory(op) || skipped(i)) continue;
        // Where an array store goes, a kernel has looked at in front of the loop.
        if (stored && !(request_.kernel && op.kind == SemKind::ArrayStore)) {
            mark(Reason::BoundCheck, op.channel);
            v_.start_operation(i);
            probe(op);
            v_.end_operation();
        }
        stored |= stores(op);
    }
    for (unsigned i = 0; i < b_->op_count; ++i)
        if (touches_memory(b_->ops[i]) && !skipped(i)) emit_access(i);
    if (b_->array_count) advance_store_indices();
}

void RegionEmitter::emit_access(unsigned i) {
    const MicroOp& op = b_->ops[i];
    v_.start_operation(i);
    const bool check = compares(op, *b_);
    const bool decides = check || op.mode == MemoryMode::ConditionalStore;
    if (decides && !mlock_used_) {
        v_.start_operation(kMlockResult);
        const Gp m = v_.def();
        a_.xor_(m.r32(), m.r32());
        v_.set_result(m);
        v_.end_operation();
        v_.start_operation(i);
        mlock_used_ = true;
    }
    const bool masked = stores(op) && (b_->flags & cpu::exec::kLoopMode);
    if (!guarded(i) && !off(i) && !masked) {
        if (check && op.write != Write::None) v_.write_back(op.dst);
        if (op.kind == SemKind::Load && plain(op, *b_)) choose_registers(i);
        op.mode == MemoryMode::LockLoad           ? emit_lock_load(i)
        : op.mode == MemoryMode::ConditionalStore ? emit_conditional_store(i)
        : op.kind == SemKind::Load                ? emit_load(i, nullptr)
                                                  : emit_store(i);
        return v_.end_operation();
    }
    if (check && op.write != Write::None) v_.write_back(op.dst);
    // A guarded load into a register starts from the old value; then nothing is left to decide.
    const bool overwrites = op.kind == SemKind::Load && !check && op.access_size <= 8 &&
                            (op.write == Write::Word || op.write == Write::Double) &&
                            !(conditional_ >> i & 1);
    Gp d;
    if (overwrites) {
        const unsigned bits = op.write == Write::Double || node_->bundle_dbl ? 64 : 32;
        const Gp old = v_.use(op.dst, bits);
        d = v_.def();
        a_.mov(sized(d, bits), sized(old, bits));
    }
    constexpr unsigned kOperands = 3;
    v_.make_room(kOperands, 1);
    if (check) v_.result_gpr(kMlockResult);  // back in its register before the conditional part
    const Label skip = a_.newLabel();
    mark(Reason::Predicate, op.channel);
    if (masked) emit_store_mask(i, skip);
    emit_guard(op.guard, skip);
    const ValueCache before = v_.cache;
    if (stores(op))
        emit_store(i);
    else
        emit_load(i, overwrites ? &d : nullptr);
    a_.bind(skip);
    merge_conditional(before);
    if (op.kind == SemKind::Load && !overwrites) conditional_ |= 1u << i;
    v_.end_operation();
}

/// Jumps out unless `address` is below kCheckedSpace.
void RegionEmitter::check_address(const Gp& address, const Label& fail) {
    a_.cmp(address, x86::qword_ptr(x86::rsp, offsetof(Frame, limit)));
    a_.jae(fail);
}

/// Checks a register of an address on its own, so that later accesses through it need no check. A
/// bundle where that went wrong (a negative index) has its sums checked from then on.
bool RegionEmitter::check_base(const MicroOp& op, RegRef r) {
    if (request_.distrusted.contains(node_->address)) return false;
    const Gp base = v_.use(r, 64);
    mark(Reason::BoundCheck, op.channel);
    check_address(base, distrust());
    v_.cache.set_extent(v_.slot(r), Extent::pointer(0));
    mark(Reason::Semantics, op.channel);
    return true;
}

/// Address a + b as a host operand. With `in_rax` the address is in rax too. What cannot be an
/// address goes to `miss`, if there is one.
x86::Mem RegionEmitter::address_of(const MicroOp& op, bool in_rax, const Label* miss) {
    constexpr std::uint64_t kMaxDisplacement = 0x7fff'0000;
    const auto size = static_cast<std::uint32_t>(op.access_size);
    if (op.kind == SemKind::ArrayStore) {
        if (request_.kernel) return stored_element(op);
        emit_array_address(op);
        return host::guest(x86::ptr(x86::rax, 0, size));
    }
    const auto x = v_.constant(op.a, 64), y = v_.constant(op.b, 64);
    if (x && y) {
        const std::uint64_t address = *x + *y;
        if (address >= kCheckedSpace) {
            a_.jmp(miss ? *miss : bail());
            return host::guest(x86::ptr(x86::rax, 0, size));
        }
        if (address <= kMaxDisplacement && !in_rax) return host::guest(Mem(address, size));
        v_.load_constant(x86::rax, address);
        return host::guest(x86::ptr(x86::rax, 0, size));
    }
    bool safe = (v_.extent(op.a) + v_.extent(op.b)).reserved();
    if (x || y) {
        const RegRef base = x ? op.b : op.a;
        const std::uint64_t offset = x ? *x : *y;
        const auto displacement = static_cast<std::int64_t>(offset);
        if (!in_rax && displacement == static_cast<std::int32_t>(displacement)) {
            const auto d = static_cast<std::int32_t>(displacement);
            if (safe || (!miss && check_base(op, base)))
                return host::guest(x86::ptr(v_.use(base, 64), d, size));
        }
        const Gp r = v_.use(base, 64);
        if (displacement == static_cast<std::int32_t>(displacement)) {
            a_.lea(x86::rax, x86::ptr(r, static_cast<std::int32_t>(displacement)));
        } else {
            v_.load_constant(x86::rax, offset);
            a_.add(x86::rax, r);
        }
    } else {
        if (!safe && !miss && v_.extent(op.b).is_small()) safe = check_base(op, op.a);
        if (!safe && !miss && v_.extent(op.a).is_small()) safe = check_base(op, op.b);
        const Gp r = v_.use(op.a, 64), s = v_.use(op.b, 64);
        if (safe && !in_rax) return host::guest(x86::ptr(r, s, 0, 0, size));
        a_.lea(x86::rax, x86::ptr(r, s));
    }
    // What is asked for in rax is an index into the page map, which has no reserve around it.
    if (!safe || in_rax) {
        mark(Reason::BoundCheck, op.channel);
        check_address(x86::rax, miss ? *miss : bail());
        mark(Reason::Semantics, op.channel);
    }
    return host::guest(x86::ptr(x86::rax, 0, size));
}

/// Jumps to `fail` unless the pages of [address, address + size) have `bits`. Uses rcx and rdx.
void RegionEmitter::probe_page(const Gp& address, unsigned bits, unsigned size, const Label& fail) {
    a_.mov(x86::rdx, state(offsetof(CpuState, page_map), 8));
    const auto test = [&](const Gp& page) {
        a_.shr(page, imm(cpu::kPageShift));
        a_.test(x86::byte_ptr(x86::rdx, page), imm(bits));
        a_.jz(fail);
    };
    a_.mov(x86::rcx, address);
    test(x86::rcx);
    if (size == 1) return;
    a_.lea(x86::rcx, x86::ptr(address, static_cast<std::int32_t>(size - 1)));
    test(x86::rcx);
}

/// Makes sure that an access will succeed; otherwise the interpreter gets the bundle.
void RegionEmitter::probe(const MicroOp& op) {
    const Label skip = a_.newLabel();
    constexpr unsigned kOperands = 3;
    v_.make_room(kOperands, 0);
    if (op.guard.count != 0) emit_guard(op.guard, skip);
    const ValueCache before = v_.cache;
    if (op.kind == SemKind::Load && !request_.probing.contains(node_->address)) {
        // Tried here; its value counts only after the stores.
        const Mem at = address_of(op, false);
        const Access access(*this);
        op.access_size == 16  ? a_.movups(x86::xmm15, at)
        : op.access_size == 8 ? a_.mov(x86::rax, at)
        : op.access_size == 4 ? a_.mov(x86::eax, at)
                              : a_.movzx(x86::eax, at);
    } else {
        static_cast<void>(address_of(op, true));
        probe_page(x86::rax, op.kind == SemKind::Load ? cpu::kPageRead : cpu::kPageWrite,
                   op.access_size, bail());
    }
    a_.bind(skip);
    merge_conditional(before);
}

/// `into`: the register to load into, null: a new one.
void RegionEmitter::emit_load(unsigned i, const Gp* into) {
    const MicroOp& op = b_->ops[i];
    mark(Reason::Semantics, op.channel);
    const bool probes = op.speculative && request_.probing.contains(node_->address);
    const bool goes_on = fails_here(i);
    const bool plain = !into && !probes && !goes_on && !guarded(i) && !off(i) && !op.big_endian &&
                       translate::plain(op, *b_);
    const bool to_xmm =
        op.access_size == 16 || (plain && op.access_size >= 4 && floats_next_as(op));
    // Registers first: nothing may be written back on only one of the ways around the access.
    const x86::Xmm dx = to_xmm ? v_.def_xmm() : x86::Xmm();
    const Gp d = to_xmm ? Gp() : into ? *into : v_.def();
    const Label unreadable = a_.newLabel(), done = a_.newLabel();
    if (propagates_ >> i & 1) {
        // The operands first, for the same reason.
        for (const RegRef r : {op.a, op.b})
            if (!v_.constant(r, 64)) v_.use(r, 64);
        a_.test(x86::dword_ptr(x86::rsp, offsetof(Frame, failed)), imm(1 << i));
        a_.jnz(unreadable);
    }
    const Mem at = address_of(op, probes, goes_on ? &unreadable : nullptr);
    if (probes) {
        mark(Reason::BoundCheck, op.channel);
        probe_page(x86::rax, cpu::kPageRead, op.access_size, goes_on ? unreadable : bail());
        mark(Reason::Semantics, op.channel);
    }
    if (op.access_size == 16) {
        {
            const Access access(*this);
            a_.movups(dx, at);
        }
        a_.bind(done);
        v_.set_result(dx, 128);
        if (goes_on)
            cold([this, unreadable, done, dx, i] {
                a_.bind(unreadable);
                note_failure(i);
                v_.load_constant(x86::rax, cpu::exec::kFaultPattern);
                a_.movq(dx, x86::rax);
                a_.punpcklqdq(dx, dx);
                a_.jmp(done);
            });
        return;
    }
    if (to_xmm) {
        const Access access(*this);
        op.access_size == 8 ? a_.movsd(dx, at) : a_.movss(dx, at);
        return v_.set_result(dx, 64);
    }
    // A miss of a speculative load, or a guard, may leave something else in the register.
    if (op.access_size < 8 && !into && !probes && !goes_on && !guarded(i) && !off(i))
        v_.result(i).extent = Extent::natural(8u * op.access_size);
    {
        const Access access(*this);
        switch (op.access_size) {
            case 1:
            case 2:
                a_.movzx(d.r32(), at);
                break;
            case 4:
                a_.mov(d.r32(), at);
                break;
            default:
                a_.mov(d, at);
                break;
        }
    }
    if (op.big_endian) {
        if (op.access_size == 2) {
            a_.rol(d.r16(), 8);
        } else if (op.access_size == 4) {
            a_.bswap(d.r32());
        } else if (op.access_size == 8) {
            a_.bswap(d);
        }
    }
    a_.bind(done);
    if (goes_on)
        cold([this, unreadable, done, d, i, word = op.write == Write::Word] {
            a_.bind(unreadable);
            note_failure(i);
            const std::uint64_t pattern = cpu::exec::kFaultPattern;
            v_.load_constant(d, word ? pattern & 0xffff'ffff : pattern);
            a_.jmp(done);
        });
    if (compares(op, *b_)) {
        const Gp m = v_.result_gpr(kMlockResult);
        if (op.write == Write::None) {
            a_.mov(m.r32(), imm(1));
        } else {
            a_.cmp(d, v_.memory(op.dst, 8));
            a_.setne(x86::al);
            a_.or_(m.r8(), x86::al);
        }
    }
    v_.set_result(d);
}

/// Whether a load's value is wanted in an XMM register.
bool RegionEmitter::floats_next_as(const MicroOp& op) const {
    return (op.write == Write::Double || op.write == Write::Word) &&
           floats_behind(node_index_, v_.slot(op.dst));
}

void RegionEmitter::emit_store(unsigned i) {
    const MicroOp& op = b_->ops[i];
    mark(Reason::Semantics, op.channel);
    if (op.mode == MemoryMode::MaskedStore) return emit_masked_store(op);
    if (op.access_size == 16) {
        const x86::Xmm value = v_.use_xmm(op.data, 128);
        const Mem at = address_of(op, false);
        const Access access(*this);
        return (void)a_.movups(at, value);
    }
    const unsigned bits = op.access_size == 8 ? 64 : 32;
    const auto known = v_.constant(op.data, bits);
    if (known && !op.big_endian &&
        (bits == 32 || static_cast<std::int64_t>(*known) == static_cast<std::int32_t>(*known))) {
        const Mem at = address_of(op, false);
        const std::uint64_t mask = (std::uint64_t{1} << 8 * (op.access_size & 7)) - 1;
        const auto value = static_cast<std::int64_t>(op.access_size == 8 ? *known : *known & mask);
        const Access access(*this);
        a_.mov(at, op.access_size == 4 ? imm(static_cast<std::int32_t>(value)) : imm(value));
        return;
    }
    if (!op.big_endian && op.access_size >= 4)
        if (const auto x = v_.only_in_xmm(op.data, bits)) {
            const Mem at = address_of(op, false);
            const Access access(*this);
            bits == 64 ? a_.movsd(at, *x) : a_.movss(at, *x);
            return;
        }
    const Gp value = v_.use(op.data, bits);
    Mem at = address_of(op, false);
    Gp from = value;
    if (op.big_endian && op.access_size > 1) {
        a_.mov(x86::rcx, value);
        if (op.access_size == 2)
            a_.rol(x86::cx, 8);
        else if (op.access_size == 4)
            a_.bswap(x86::ecx);
        else
            a_.bswap(x86::rcx);
        from = x86::rcx;
    }
    const Access access(*this);
    switch (op.access_size) {
        case 1:
            a_.mov(at, from.r8());
            break;
        case 2:
            a_.mov(at, from.r16());
            break;
        case 4:
            a_.mov(at, from.r32());
            break;
        default:
            a_.mov(at, from);
            break;
    }
}

}  // namespace e2k::translate
