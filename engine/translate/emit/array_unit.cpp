// The array access unit in host code: stores through its registers, writes of them, prefetch
// programs (arrays.md).
#include <bit>

#include "engine/cpu/exec/aau.h"
#include "engine/translate/emit/control_state.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using cpu::AauState;
using cpu::CpuState;
using cpu::SemKind;
using cpu::exec::ArrayAddress;
using cpu::exec::MicroOp;
namespace x86 = asmjit::x86;

namespace {

enum Group : std::uint8_t { kAad = 0, kAasti = 1, kAaind = 2, kAaincr = 3 };

/// Element `index` of an array of 8-byte numbers in the unit's state.
constexpr std::size_t element(std::size_t field, unsigned index) {
    return offsetof(CpuState, aau) + field + index * sizeof(std::uint64_t);
}
constexpr std::size_t descriptor(unsigned n) { return element(offsetof(AauState, aad_base), n); }
constexpr std::size_t upper_half(unsigned n) { return element(offsetof(AauState, aad_hi), n); }
constexpr std::size_t store_index(unsigned n) { return element(offsetof(AauState, aasti), n); }
constexpr std::size_t load_index(unsigned n) { return element(offsetof(AauState, aaind), n); }
constexpr std::size_t step(unsigned n) { return element(offsetof(AauState, aaincr), n); }

/// Of a prefetch program, in bytes (32 instructions).
constexpr unsigned kLongestProgram = 512;
constexpr unsigned kPrefetchCtpr = 2;
constexpr unsigned kAddressBits = 48;

void read_prefetch_program(CpuState* s, std::uint64_t address) {
    cpu::exec::start_prefetch(s->aau, {s->memory_base, s->page_map}, address);
}

}  // namespace

/// rax = its checked address.
void RegionEmitter::emit_array_address(const MicroOp& op) {
    const ArrayAddress& array = b_->arrays[op.array];
    const std::uint64_t offset = array.literal + (op.pair_second ? 8u : 0u);
    mark(Reason::Semantics, op.channel);
    a_.mov(x86::rax, state(store_index(array.ind), 8));
    a_.add(x86::rax, state(descriptor(array.d), 8));
    if (offset > 0x7fff'ffff) {
        v_.load_constant(x86::rcx, offset);
        a_.add(x86::rax, x86::rcx);
    } else if (offset) {
        a_.add(x86::rax, imm(offset));
    }
    mark(Reason::BoundCheck, op.channel);
    a_.cmp(x86::rax, x86::qword_ptr(x86::rsp, offsetof(Frame, limit)));
    a_.jae(bail());
    mark(Reason::Semantics, op.channel);
}

/// Post-increments, when all accesses of the bundle are done: nothing can go to the interpreter any
/// more, and the predicates are still those from before the bundle.
void RegionEmitter::advance_store_indices() {
    for (unsigned i = 0; i < b_->op_count; ++i) {
        const MicroOp& op = b_->ops[i];
        if (op.kind != SemKind::ArrayStore) continue;
        const ArrayAddress& array = b_->arrays[op.array];
        if (!array.increments) continue;
        mark(Reason::Semantics, op.channel);
        const Label skip = a_.newLabel();
        emit_guard(array.incr_guard, skip);
        if (b_->flags & cpu::exec::kLoopMode) {
            a_.test(x86::byte_ptr(x86::rsp, offsetof(Frame, masked)), imm(1 << i));
            a_.jnz(skip);
        }
        const Mem index = state(store_index(array.ind), 8);
        const int shift = std::countr_zero(unsigned{op.access_size});
        if (known_step(array.incr)) {
            advance_index(index, array.incr, static_cast<unsigned>(shift));
            a_.bind(skip);
            continue;
        }
        a_.mov(x86::rax, state(step(array.incr), 8));
        if (shift) a_.shl(x86::rax, imm(shift));
        a_.add(x86::rax, index);
        wrap_index();
        a_.mov(index, x86::rax);
        a_.bind(skip);
    }
}

/// aaurw*: the register that the operation names. The second half of a pair has the upper half of a
/// descriptor, and nothing else.
void RegionEmitter::commit_array_register(unsigned i) {
    const MicroOp& op = b_->ops[i];
    const ArrayAddress& array = b_->arrays[op.array];
    if (op.access_size < 4) return;
    mark(Reason::Semantics, op.channel);
    const bool word = op.access_size == 4, wide = plan_.iset >= cpu::exec::kFirstWideIndex;
    const Result& result = v_.result(i);
    const bool known = result.kind == Result::Kind::Constant;
    const std::uint64_t constant = result.constant;
    // A number that wraps, or a 32-bit one.
    const auto store_index_at = [&](std::size_t offset, bool is_signed) {
        if (known) {
            const std::uint64_t number =
                word && is_signed ? static_cast<std::uint64_t>(static_cast<std::int32_t>(constant))
                                  : constant;
            return store_immediate64(offset, cpu::exec::wrap_index(number, plan_.iset));
        }
        const Gp value = v_.result_gpr(i);
        if (word && is_signed && wide) {
            a_.movsxd(x86::rax, value.r32());
        } else if (word || !wide) {
            a_.mov(x86::eax, value.r32());
        } else {
            a_.mov(x86::rax, value);
            wrap_index();
        }
        a_.mov(state(offset, 8), x86::rax);
    };
    const auto store_address_at = [&](std::size_t offset, std::uint64_t mask) {
        if (known) return store_immediate64(offset, constant & mask);
        const Gp value = v_.result_gpr(i);
        const Extent extent = result.extent;
        if (mask == ~std::uint64_t{0} || extent.is_natural() || extent == Extent::pointer(0))
            return (void)a_.mov(state(offset, 8), value);
        a_.mov(x86::rax, value);
        a_.shl(x86::rax, imm(64 - kAddressBits));
        a_.shr(x86::rax, imm(64 - kAddressBits));
        a_.mov(state(offset, 8), x86::rax);
    };
    if (op.pair_second) {
        if (array.group == kAad) store_address_at(upper_half(array.d), ~std::uint64_t{0});
        return;
    }
    switch (array.group) {
        case kAad:
            return store_address_at(descriptor(array.d), (std::uint64_t{1} << kAddressBits) - 1);
        case kAasti:
            return store_index_at(store_index(array.ind), false);
        case kAaind:
            if (array.ind != 0) store_index_at(load_index(array.ind), false);
            return;
        case kAaincr:
            if ((array.ind & 7) == 0) return;
            v_.cache.arrays.steps &= static_cast<std::uint8_t>(~(1u << (array.ind & 7)));
            return store_index_at(step(array.ind & 7), true);
        default:
            return;  // registers only the kernel looks at
    }
}

/// The program can be read, however long it is.
void RegionEmitter::check_prefetch() {
    const CtprFact& fact = node_->facts[kPrefetchCtpr - 1];
    if (fact.kind == CtprFact::Kind::Known) {
        if (fact.base >= kCheckedSpace) return (void)a_.jmp(bail());
        v_.load_constant(x86::rax, fact.base);
    } else {
        const std::size_t ctpr = ctpr_offset(kPrefetchCtpr);
        a_.cmp(state(ctpr + offsetof(cpu::Ctpr, tag), 1),
               imm(static_cast<int>(cpu::CtprTag::Label)));
        a_.jne(bail());
        a_.cmp(state(ctpr + offsetof(cpu::Ctpr, opc), 1), imm(1));
        a_.jne(bail());
        a_.mov(x86::rax, state(ctpr, 8));
        check_address(x86::rax, bail());
    }
    probe_page(x86::rax, cpu::kPageRead, kLongestProgram, bail());
}

/// bap, the last effect of a bundle but for the rotation. Reading the program is a call.
void RegionEmitter::start_prefetch() {
    v_.cache.arrays.areas = 0;
    // Made anew, a loop around it has had the same program before.
    v_.cache.arrays.stale |= region_.tier == 1;
    v_.spill_results();
    v_.write_back_caller_saved();
    mark(Reason::Semantics);
    a_.mov(x86::rdi, host::kState);
    const CtprFact& fact = node_->facts[kPrefetchCtpr - 1];
    if (fact.kind == CtprFact::Kind::Known)
        v_.load_constant(x86::rsi, fact.base);
    else
        a_.mov(x86::rsi, state(ctpr_offset(kPrefetchCtpr), 8));
    a_.mov(x86::rax, reinterpret_cast<std::uint64_t>(&read_prefetch_program));
    a_.call(x86::rax);
    v_.forget_caller_saved();
}

/// rax as an index: 32 bits, from v5 on 48 signed ones.
void RegionEmitter::wrap_index() {
    if (plan_.iset < cpu::exec::kFirstWideIndex) return (void)a_.mov(x86::eax, x86::eax);
    a_.shl(x86::rax, 16);
    a_.sar(x86::rax, 16);
}

}  // namespace e2k::translate
