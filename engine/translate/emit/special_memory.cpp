// Memory operations other than plain loads and stores: locked pairs (memory.md §3), stores of
// software-pipelined loops (loops.md §5), array elements (arrays.md §4).
#include "engine/cpu/exec/aau.h"
#include "engine/translate/emit/control_state.h"
#include "engine/translate/host_features.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using cpu::AauArea;
using cpu::AauState;
using cpu::CpuState;
using cpu::LoopState;
using cpu::WaitLock;
using cpu::exec::ArrayLoad;
using cpu::exec::MicroOp;
namespace x86 = asmjit::x86;

namespace {

constexpr unsigned kPlaneAreas = 32;  // channels 0 and 1 use the left plane, 2 and 3 the right one

constexpr std::size_t lock_offset(std::size_t field) { return offsetof(CpuState, lock) + field; }
constexpr std::size_t aau_offset(std::size_t field) { return offsetof(CpuState, aau) + field; }

unsigned area_of(const ArrayLoad& load) {
    return load.area + (load.channel >= 2 ? kPlaneAreas : 0);
}
std::size_t area_offset(const ArrayLoad& load, std::size_t field) {
    return aau_offset(offsetof(AauState, area)) + area_of(load) * sizeof(AauArea) + field;
}

}  // namespace

// --- locked pairs ---

/// Readable and writable memory at the operation's address, which stays in rax.
void RegionEmitter::emit_lock_address(const MicroOp& op) {
    static_cast<void>(address_of(op, true));
    mark(Reason::BoundCheck, op.channel);
    probe_page(x86::rax, cpu::kPageRead, op.access_size, bail());
    probe_page(x86::rax, cpu::kPageWrite, op.access_size, bail());
    mark(Reason::Semantics, op.channel);
}

void RegionEmitter::emit_lock_load(unsigned i) {
    const MicroOp& op = b_->ops[i];
    mark(Reason::Semantics, op.channel);
    emit_lock_address(op);
    const Mem at = host::guest(x86::ptr(x86::rax, 0, op.access_size));
    const Gp d = v_.def();
    {
        const Access access(*this);
        op.access_size <= 2   ? a_.movzx(d.r32(), at)
        : op.access_size == 4 ? a_.mov(d.r32(), at)
                              : a_.mov(d, at);
    }
    a_.mov(state(lock_offset(offsetof(WaitLock, address)), 8), x86::rax);
    a_.mov(state(lock_offset(offsetof(WaitLock, value)), 8), d);
    a_.mov(state(lock_offset(offsetof(WaitLock, value_hi)), 8), imm(0));
    a_.mov(state(lock_offset(offsetof(WaitLock, size)), 1), imm(op.access_size));
    a_.mov(state(lock_offset(offsetof(WaitLock, valid)), 1), imm(1));
    v_.set_result(d);
}

void RegionEmitter::emit_conditional_store(unsigned i) {
    const MicroOp& op = b_->ops[i];
    mark(Reason::Semantics, op.channel);
    const Gp m = v_.result_gpr(kMlockResult);
    const Gp value = v_.use(op.data, op.access_size == 8 ? 64 : 32);
    const Gp address = v_.def();
    emit_lock_address(op);
    if (op.access_size > 1) {
        // The host's exchange is atomic anywhere, but that of the interpreter only where the
        // processor's is.
        a_.test(x86::al, imm(op.access_size - 1));
        a_.jnz(bail());
    }
    a_.mov(address, x86::rax);
    const Label failed = a_.newLabel(), done = a_.newLabel();
    a_.cmp(state(lock_offset(offsetof(WaitLock, valid)), 1), imm(0));
    a_.je(failed);
    a_.cmp(state(lock_offset(offsetof(WaitLock, address)), 8), address);
    a_.jne(failed);
    a_.cmp(state(lock_offset(offsetof(WaitLock, size)), 1), imm(op.access_size));
    a_.jne(failed);
    a_.mov(x86::rax, state(lock_offset(offsetof(WaitLock, value)), 8));
    const Mem at = host::guest(x86::ptr(address, 0, op.access_size));
    std::optional<Access> access(std::in_place, *this);
    switch (op.access_size) {
        case 1:
            a_.lock().cmpxchg(at, value.r8());
            break;
        case 2:
            a_.lock().cmpxchg(at, value.r16());
            break;
        case 4:
            a_.lock().cmpxchg(at, value.r32());
            break;
        default:
            a_.lock().cmpxchg(at, value);
            break;
    }
    access.reset();
    a_.jz(done);
    a_.bind(failed);
    a_.mov(m.r32(), imm(1));
    a_.bind(done);
    a_.mov(state(lock_offset(offsetof(WaitLock, valid)), 1), imm(0));
}

// --- bytes by a mask ---

/// stmqp (memory.md §1): the bytes whose bits are set. The pages of the first and the last one
/// are looked at before; no byte between them is on another.
void RegionEmitter::emit_masked_store(const MicroOp& op) {
    constexpr unsigned kBytes = 16;
    const x86::Xmm value = v_.use_xmm(op.data, 128);
    const Gp base = v_.use(op.a, 64), mask = v_.use(op.b, 32);
    const Label done = a_.newLabel();
    a_.test(mask.r16(), imm(0xffff));
    a_.jz(done);
    mark(Reason::BoundCheck, op.channel);
    if (op.quad_aligned) {
        a_.test(base.r8(), imm(kBytes - 1));
        a_.jnz(bail());
    }
    for (const bool last : {false, true}) {
        a_.movzx(x86::eax, mask.r16());
        last ? a_.bsr(x86::eax, x86::eax) : a_.bsf(x86::eax, x86::eax);
        a_.add(x86::rax, base);
        check_address(x86::rax, bail());
        probe_page(x86::rax, cpu::kPageWrite, 1, bail());
    }
    mark(Reason::Semantics, op.channel);
    const Access access(*this);
    for (unsigned k = 0; k < kBytes; ++k) {
        const Label skip = a_.newLabel();
        a_.test(mask.r32(), imm(1u << k));
        a_.jz(skip);
        a_.pextrb(host::guest(x86::ptr(base, static_cast<std::int32_t>(k), 1)), value, imm(k));
        a_.bind(skip);
    }
    a_.bind(done);
}

// --- loop mode ---

/// Jumps to `skip` if the prologue or the end of the loop masks store `i`. Both are seldom there.
/// What the end lets through the frame counts, until the bundle's results are written.
void RegionEmitter::emit_store_mask(unsigned i, const Label& skip) {
    const Mem pcnt = state(lsr_offset(offsetof(LoopState, pcnt)), 1);
    const Label rare = a_.newLabel(), enabled = a_.newLabel();
    a_.cmp(pcnt, imm(0));
    a_.jne(rare);
    a_.cmp(state(lsr_offset(offsetof(LoopState, lcnt)), 8), imm(2));
    a_.jb(rare);
    a_.bind(enabled);
    const bool array = b_->ops[i].kind == cpu::SemKind::ArrayStore;
    cold([this, rare, enabled, skip, pcnt, i, array] {
        const Mem through = x86::dword_ptr(x86::rsp, offsetof(Frame, last_stores));
        const Label masked = a_.newLabel();
        mark(Reason::Predicate, b_->ops[i].channel);
        a_.bind(rare);
        a_.cmp(state(lsr_offset(offsetof(LoopState, semc)), 1), imm(0));
        a_.jne(enabled);
        a_.cmp(pcnt, imm(0));
        a_.jne(masked);
        emit_loop_end(x86::rcx);
        a_.test(x86::ecx, x86::ecx);
        a_.jz(enabled);
        a_.movzx(x86::ecx, state(lsr_offset(offsetof(LoopState, strmd)), 1));
        a_.cmp(x86::ecx, through);
        a_.je(masked);
        a_.inc(through);
        a_.jmp(enabled);
        a_.bind(masked);
        if (array) a_.or_(x86::dword_ptr(x86::rsp, offsetof(Frame, masked)), imm(1 << i));
        a_.jmp(skip);
    });
}

void RegionEmitter::commit_store_mask() {
    if (!(b_->flags & cpu::exec::kStores)) return;
    static_assert(offsetof(Frame, masked) == offsetof(Frame, last_stores) + 4);
    const Mem both = x86::qword_ptr(x86::rsp, offsetof(Frame, last_stores));
    const Label rare = a_.newLabel(), done = a_.newLabel();
    a_.cmp(both, imm(0));
    a_.jne(rare);
    a_.bind(done);
    cold([this, rare, done, both] {
        mark(Reason::Predicate);
        a_.bind(rare);
        a_.mov(x86::ecx, x86::dword_ptr(x86::rsp, offsetof(Frame, last_stores)));
        a_.sub(state(lsr_offset(offsetof(LoopState, strmd)), 1), x86::cl);
        a_.mov(both, imm(0));
        a_.jmp(done);
    });
}

// --- array elements ---

/// All movas of the bundle. Those of one area whose place is known share its address.
void RegionEmitter::emit_elements() {
    if (request_.kernel) return emit_kernel_elements();
    for (unsigned k = 0; k < b_->mova_count; ++k) {
        const ArrayLoad& load = b_->mova[k];
        const cpu::AauArea* area = known_area(load);
        if (!area) {
            emit_element(k);
            continue;
        }
        if (v_.result(kElementResult + k).kind != Result::Kind::None) continue;
        mark(Reason::Semantics);
        // Registers first: handing one out may change rax.
        for (unsigned n = k; n < b_->mova_count; ++n)
            if (known_area(b_->mova[n]) == area) {
                v_.start_operation(kElementResult + n);
                prepare_element(n);
                v_.end_operation();
            }
        a_.mov(x86::rax, state(aau_offset(offsetof(AauState, aad_base)) + area->d * 8u, 8));
        a_.add(x86::rax, state(area_offset(load, offsetof(AauArea, cur)), 8));
        constexpr std::uint32_t kLargestOffset = 1 << 16;
        const bool adds = area->disp > kLargestOffset || (area->disp & 15);
        if (area->disp > 0x7fff'ffff) {
            v_.load_constant(x86::rcx, area->disp);
            a_.add(x86::rax, x86::rcx);
        } else if (adds) {
            a_.add(x86::rax, imm(area->disp));
        }
        mark(Reason::BoundCheck);
        check_address(x86::rax, bail());
        const std::uint32_t offset = adds ? 0 : area->disp;
        for (unsigned n = k; n < b_->mova_count; ++n) {
            const ArrayLoad& element = b_->mova[n];
            if (known_area(element) != area) continue;
            v_.start_operation(kElementResult + n);
            if (plan_.iset < cpu::exec::kFirstUnalignedElement && element.size > 1) {
                mark(Reason::BoundCheck);
                const unsigned bits = element.size - 1u;
                if (element.ind & bits) {
                    a_.lea(x86::ecx, x86::ptr(x86::rax, element.ind));
                    a_.test(x86::cl, imm(bits));
                } else {
                    a_.test(x86::al, imm(bits));
                }
                a_.jnz(bail());
            }
            mark(Reason::Semantics);
            load_element(
                n, host::guest(x86::ptr(x86::rax, static_cast<std::int32_t>(offset + element.ind),
                                        element.size)));
            v_.end_operation();
        }
    }
}

/// One mova; an element that cannot be read is the interpreter's.
void RegionEmitter::emit_element(unsigned k) {
    const ArrayLoad& load = b_->mova[k];
    mark(Reason::Semantics);
    v_.start_operation(kElementResult + k);
    prepare_element(k);
    a_.cmp(state(aau_offset(offsetof(AauState, active)), 1), imm(0));
    a_.je(bail());
    a_.cmp(state(area_offset(load, offsetof(AauArea, fmt)), 1), imm(load.min_fmt));
    a_.jb(bail());
    a_.movzx(x86::ecx, state(area_offset(load, offsetof(AauArea, d)), 1));
    a_.mov(x86::rax,
           x86::ptr(host::kState, x86::rcx, 3,
                    static_cast<std::int32_t>(aau_offset(offsetof(AauState, aad_base))), 8));
    a_.add(x86::rax, state(area_offset(load, offsetof(AauArea, cur)), 8));
    a_.mov(x86::ecx, state(area_offset(load, offsetof(AauArea, disp)), 4));
    a_.add(x86::rax, x86::rcx);
    if (load.ind) a_.add(x86::rax, imm(load.ind));
    mark(Reason::BoundCheck);
    if (plan_.iset < cpu::exec::kFirstUnalignedElement && load.size > 1) {
        a_.test(x86::al, imm(load.size - 1));
        a_.jnz(bail());
    }
    check_address(x86::rax, bail());
    mark(Reason::Semantics);
    load_element(k, host::guest(x86::ptr(x86::rax, 0, load.size)));
    v_.end_operation();
}

/// A register for an element: of the kind that it is wanted in.
void RegionEmitter::prepare_element(unsigned k) {
    const ArrayLoad& load = b_->mova[k];
    const bool floats = load.size >= 4 && !load.big_endian && !load.discard &&
                        floats_behind(node_index_, v_.slot(load.dst));
    if (load.size == 16 || floats)
        v_.set_result(v_.def_xmm(), load.size == 16 ? 128 : 64);
    else
        v_.set_result(v_.def());
}

bool RegionEmitter::element_in_xmm(unsigned k) {
    const Result::Kind kind = v_.result(kElementResult + k).kind;
    return kind == Result::Kind::Xmm || kind == Result::Kind::SpilledXmm;
}

/// The element at `at` into the register of its result.
void RegionEmitter::load_element(unsigned k, const Mem& at) {
    const ArrayLoad& load = b_->mova[k];
    if (element_in_xmm(k)) {
        const x86::Xmm d = v_.result_xmm(kElementResult + k);
        const Access access(*this);
        load.size == 16 ? a_.movups(d, at) : load.size == 8 ? a_.movsd(d, at) : a_.movss(d, at);
        return;
    }
    const Gp d = v_.result_gpr(kElementResult + k);
    {
        const Access access(*this);
        load.size <= 2   ? a_.movzx(d.r32(), at)
        : load.size == 4 ? a_.mov(d.r32(), at)
                         : a_.mov(d, at);
    }
    if (load.big_endian) {
        if (load.size == 2)
            a_.rol(d.r16(), 8);
        else if (load.size == 4)
            a_.bswap(d.r32());
        else if (load.size == 8)
            a_.bswap(d);
    }
}

void RegionEmitter::commit_elements() {
    for (unsigned k = 0; k < b_->mova_count; ++k) {
        const ArrayLoad& load = b_->mova[k];
        if (load.discard) continue;
        mark(Reason::Semantics);
        v_.start_operation(kElementResult + k);
        const unsigned slot = v_.slot(load.dst);
        if (element_in_xmm(k))
            v_.result_xmm(kElementResult + k);
        else
            v_.result_gpr(kElementResult + k);
        v_.commit(slot, v_.result(kElementResult + k), load.size == 16 && load.packed ? 128 : 64);
        v_.end_operation();
    }
}

/// Each area once, whatever number of movas advance it.
void RegionEmitter::advance_areas() {
    std::uint64_t advanced = 0;
    for (unsigned k = 0; k < b_->mova_count; ++k) {
        const ArrayLoad& load = b_->mova[k];
        const std::uint64_t bit = std::uint64_t{1} << area_of(load);
        if (!load.advance || (advanced & bit)) continue;
        advanced |= bit;
        const Mem cur = state(area_offset(load, offsetof(AauArea, cur)), 8);
        const cpu::AauArea* area = known_area(load);
        if (area && known_step(area->incr)) {
            advance_index(cur, area->incr, area->fmt - 1u);
            continue;
        }
        a_.movzx(x86::eax, state(area_offset(load, offsetof(AauArea, incr)), 1));
        a_.mov(x86::rax,
               x86::ptr(host::kState, x86::rax, 3,
                        static_cast<std::int32_t>(aau_offset(offsetof(AauState, aaincr))), 8));
        a_.movzx(x86::ecx, state(area_offset(load, offsetof(AauArea, fmt)), 1));
        a_.dec(x86::ecx);
        a_.shl(x86::rax, x86::cl);
        a_.add(x86::rax, cur);
        wrap_index();
        a_.mov(cur, x86::rax);
    }
}

// --- loop state ---

/// rwd, rws of the registers that can_emit.cpp lets through.
void RegionEmitter::commit_state(unsigned i) {
    constexpr std::uint32_t kUpsrMask = 0x7ff;  // bits that exist
    const std::uint8_t code = b_->ops[i].dst.index;
    const Gp value = v_.result_gpr(i);
    if (code != kStateUpsr) return commit_loop_state(value, code == kStateIlcr);
    a_.mov(x86::eax, value.r32());
    a_.and_(x86::eax, imm(kUpsrMask));
    a_.mov(state(offsetof(CpuState, upsr), 4), x86::eax);
}

/// The fields of LSR and the initial values in ILCR, or only these (state.md §2.1).
void RegionEmitter::commit_loop_state(const Gp& r, bool initial) {
    const std::size_t ilcr = offsetof(CpuState, ilcr);
    if (host_features().bmi2) {
        // LoopState has the fields in the order of the register, a byte each.
        static_assert(offsetof(LoopState, lcnt) == 0 && offsetof(LoopState, ecnt) == 8 &&
                      offsetof(LoopState, vlc) == 9 && offsetof(LoopState, over) == 10 &&
                      offsetof(LoopState, ldmc) == 11 && offsetof(LoopState, ldovl) == 12 &&
                      offsetof(LoopState, pcnt) == 13 && offsetof(LoopState, strmd) == 14 &&
                      offsetof(LoopState, semc) == 15);
        constexpr std::uint64_t kFields = 0x017f'1fff'0101'011f, kInitial = 0x0000'1f00'0000'001f;
        constexpr std::size_t kLcnt = offsetof(LoopState, lcnt), kRest = offsetof(LoopState, ecnt);
        a_.mov(x86::eax, r.r32());
        if (!initial) a_.mov(state(lsr_offset(kLcnt), 8), x86::rax);
        a_.mov(state(ilcr + kLcnt, 8), x86::rax);
        a_.mov(x86::rax, r);
        a_.shr(x86::rax, 32);
        a_.mov(x86::rdx, kFields);
        a_.pdep(x86::rax, x86::rax, x86::rdx);
        if (!initial) a_.mov(state(lsr_offset(kRest), 8), x86::rax);
        a_.mov(x86::rdx, kInitial);
        a_.and_(x86::rax, x86::rdx);
        return (void)a_.mov(state(ilcr + kRest, 8), x86::rax);
    }
    const auto store = [&](std::size_t offset) { a_.mov(state(offset, 1), x86::al); };
    const auto field = [&](unsigned low, unsigned width) {
        a_.mov(x86::eax, x86::ecx);
        if (low > 32) a_.shr(x86::eax, imm(low - 32));
        a_.and_(x86::eax, imm((1u << width) - 1));
    };
    for (const std::size_t field_offset :
         {offsetof(LoopState, vlc), offsetof(LoopState, over), offsetof(LoopState, ldmc),
          offsetof(LoopState, ldovl), offsetof(LoopState, strmd), offsetof(LoopState, semc)})
        a_.mov(state(ilcr + field_offset, 1), imm(0));
    const auto store_current = [&](std::size_t field_offset) {
        if (!initial) store(lsr_offset(field_offset));
    };
    a_.mov(x86::eax, r.r32());
    if (!initial) a_.mov(state(lsr_offset(offsetof(LoopState, lcnt)), 8), x86::rax);
    a_.mov(state(ilcr + offsetof(LoopState, lcnt), 8), x86::rax);
    a_.mov(x86::rcx, r);
    a_.shr(x86::rcx, 32);
    field(32, 5);
    store_current(offsetof(LoopState, ecnt));
    store(ilcr + offsetof(LoopState, ecnt));
    if (!initial) {
        field(37, 1);
        store(lsr_offset(offsetof(LoopState, vlc)));
        field(38, 1);
        store(lsr_offset(offsetof(LoopState, over)));
        field(39, 1);
        store(lsr_offset(offsetof(LoopState, ldmc)));
        field(40, 8);
        store(lsr_offset(offsetof(LoopState, ldovl)));
    }
    field(48, 5);
    store_current(offsetof(LoopState, pcnt));
    store(ilcr + offsetof(LoopState, pcnt));
    if (initial) return;
    field(53, 7);
    store(lsr_offset(offsetof(LoopState, strmd)));
    field(60, 1);
    store(lsr_offset(offsetof(LoopState, semc)));
}

}  // namespace e2k::translate
