// Calls, returns and system calls that leave the region: the chain of frames in host code.
#include "engine/translate/emit/control_state.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

using asmjit::imm;
using cpu::ChainFrame;
using cpu::CpuState;
namespace x86 = asmjit::x86;

void RegionEmitter::clear_ctprs() {
    a_.pxor(x86::xmm15, x86::xmm15);
    for (unsigned n = 1; n <= 3; ++n) a_.movaps(state(ctpr_offset(n), 16), x86::xmm15);
}

/// Every predicate to its file and to the frame in rax. The copy of the file comes first: it would
/// have to wait for bytes written shortly before.
void RegionEmitter::save_predicates() {
    for (int half = 0; half < 32; half += 16) {
        a_.movups(x86::xmm15, state(offsetof(CpuState, pred) + static_cast<std::size_t>(half), 16));
        a_.movups(
            x86::ptr(x86::rax, static_cast<std::int32_t>(offsetof(ChainFrame, pred)) + half, 16),
            x86::xmm15);
    }
    v_.cache.for_each_predicate([&](unsigned p) {
        const PredicateValue& value = v_.cache.predicate(p);
        const Mem frame =
            x86::byte_ptr(x86::rax, static_cast<std::int32_t>(offsetof(ChainFrame, pred) + p));
        if (value.kind == PredicateValue::Kind::Constant) {
            a_.mov(frame, imm(value.value ? 1 : 0));
            v_.write_back_predicate(p);
        } else {
            v_.load_predicate(x86::rcx, p);
            a_.mov(frame, x86::cl);
            a_.mov(v_.predicate_memory(p), x86::cl);
            v_.cache.set_predicate(p, {});
        }
    });
}

/// push_call() in host code, and the prediction of the return (windows.md §4).
void RegionEmitter::emit_call(unsigned index) {
    Node& node = *plan_.nodes[index];
    const unsigned wbs = 2u * b_->transfer.wbs;
    const Config caller = config_after(*b_, config_, true);
    const Config callee = config_of_callee(caller, wbs);
    const auto field = [](std::size_t offset, unsigned size) {
        return x86::ptr(x86::rax, static_cast<std::int32_t>(offset), size);
    };
    v_.write_back_registers();
    a_.mov(x86::rax, state(offsetof(CpuState, chain_top), 8));
    save_predicates();
    if (node.taken_kind == TakenKind::IndirectCall)
        a_.mov(x86::rsi, state(ctpr_offset(b_->transfer.ctpr), 8));
    const auto store = [&](std::size_t offset, std::uint64_t value) {
        if (static_cast<std::int64_t>(value) == static_cast<std::int32_t>(value)) {
            a_.mov(field(offset, 8), imm(static_cast<std::int32_t>(value)));
        } else {
            a_.mov(x86::rcx, static_cast<std::int64_t>(value));
            a_.mov(field(offset, 8), x86::rcx);
        }
    };
    store(offsetof(ChainFrame, return_ip), b_->next_address);
    store(offsetof(ChainFrame, wd), caller.wd);
    store(offsetof(ChainFrame, br), caller.br);
    a_.mov(field(offsetof(ChainFrame, wbs), 4), imm(wbs));
    a_.mov(x86::rcx, state(offsetof(CpuState, usd_size), 8));
    a_.shr(x86::rcx, 4);
    a_.mov(field(offsetof(ChainFrame, ussz), 4), x86::ecx);
    if (node.return_to.node >= 0 && !request_.unchained) {
        a_.lea(x86::rdx, x86::ptr(return_labels_[static_cast<std::size_t>(node.return_to.node)]));
    } else {
        a_.xor_(x86::edx, x86::edx);
    }
    a_.mov(x86::rcx, x86::rax);
    a_.shr(x86::rcx, 3);
    a_.add(x86::rcx, x86::qword_ptr(x86::rsp, offsetof(Frame, shadow_bias)));
    a_.mov(x86::qword_ptr(x86::rcx), x86::rdx);
    a_.add(x86::rax, imm(sizeof(ChainFrame)));
    a_.mov(state(offsetof(CpuState, chain_top), 8), x86::rax);
    if (wbs) {
        a_.add(host::kWindow, imm(wbs * sizeof(cpu::Reg)));
        a_.mov(state(offsetof(CpuState, window), 8), host::kWindow);
        a_.add(state(offsetof(CpuState, window_tags), 8), imm(wbs));
    }
    if (!one_wd_ || callee.wd != plan_.entry.wd)
        store_immediate64(offsetof(CpuState, wd), callee.wd);
    if (!one_br_) store_immediate64(offsetof(CpuState, br), callee.br);
    clear_ctprs();
    if (node.taken_kind == TakenKind::IndirectCall) {
        poll_complete(std::nullopt);
        a_.jmp(imm(request_.stubs.jump));
        return;
    }
    const Edge edge{-1, node.taken.target, callee};
    poll_complete(edge.target);
    emit_exit(edge);
}

/// The dispatcher hands the call on; the kernel looks at the state only.
void RegionEmitter::emit_system_call() {
    const cpu::exec::Transfer& t = b_->transfer;
    SystemCallExit& exit = region_.system_calls.emplace_back();
    exit.why = Leave::SystemCall;
    exit.entry = static_cast<std::uint32_t>(node_->after[t.ctpr - 1u].base);
    exit.wbs = t.wbs;
    v_.write_back_all();
    settle_control(config_after(*b_, config_, true));
    clear_ctprs();
    mark(Reason::Exit);
    store_immediate64(offsetof(CpuState, ip), b_->next_address);
    a_.mov(x86::rax, reinterpret_cast<std::uint64_t>(static_cast<Exit*>(&exit)));
    a_.jmp(imm(request_.stubs.leave));
}

/// pop_return() in host code. The predicted continuation checks address, window and rotation.
void RegionEmitter::emit_return() {
    const auto field = [](std::size_t offset, unsigned size) {
        return x86::ptr(x86::rax, static_cast<std::int32_t>(offset), size);
    };
    const cpu::WindowDescriptor wd = config_after(*b_, config_, true).window();
    v_.write_back_registers();  // the predicates come from the frame
    clear_tags(wd.psize, wd.size);
    mark(Reason::ControlTransfer);
    a_.mov(x86::rax, state(offsetof(CpuState, chain_top), 8));
    a_.sub(x86::rax, imm(sizeof(ChainFrame)));
    a_.mov(state(offsetof(CpuState, chain_top), 8), x86::rax);
    for (int half = 0; half < 32; half += 16) {
        a_.movups(x86::xmm15,
                  field(offsetof(ChainFrame, pred) + static_cast<std::size_t>(half), 16));
        a_.movups(state(offsetof(CpuState, pred) + static_cast<std::size_t>(half), 16), x86::xmm15);
    }
    a_.mov(x86::r9d, field(offsetof(ChainFrame, wbs), 4));
    a_.mov(x86::rdi, field(offsetof(ChainFrame, wd), 8));
    a_.lea(x86::ecx, x86::ptr(x86::r9, wd.psize));
    a_.movzx(x86::ecx, x86::cx);
    a_.and_(x86::rdi, imm(-0x10000));
    a_.or_(x86::rdi, x86::rcx);
    // Such code goes on in such code only, whoever made the frame.
    if (tags_) a_.bts(x86::rdi, imm(kTaggedBit));
    a_.mov(state(offsetof(CpuState, wd), 8), x86::rdi);
    a_.mov(x86::r8, field(offsetof(ChainFrame, br), 8));
    a_.mov(state(offsetof(CpuState, br), 8), x86::r8);
    a_.sub(state(offsetof(CpuState, window_tags), 8), x86::r9);
    a_.shl(x86::r9, 4);
    a_.sub(host::kWindow, x86::r9);
    a_.mov(state(offsetof(CpuState, window), 8), host::kWindow);
    a_.mov(x86::edx, field(offsetof(ChainFrame, ussz), 4));
    a_.shl(x86::rdx, 4);
    a_.mov(x86::rcx, x86::rdx);
    a_.sub(x86::rcx, state(offsetof(CpuState, usd_size), 8));
    a_.add(state(offsetof(CpuState, usd_base), 8), x86::rcx);
    a_.mov(state(offsetof(CpuState, usd_size), 8), x86::rdx);
    clear_ctprs();
    a_.mov(x86::rsi, field(offsetof(ChainFrame, return_ip), 8));
    const Label unknown = a_.newLabel();
    poll_complete(std::nullopt);
    a_.shr(x86::rax, 3);
    a_.add(x86::rax, x86::qword_ptr(x86::rsp, offsetof(Frame, shadow_bias)));
    a_.mov(x86::rax, x86::qword_ptr(x86::rax));
    a_.test(x86::rax, x86::rax);
    a_.jz(unknown);
    a_.jmp(x86::rax);
    cold([this, unknown] {
        mark(Reason::Exit);
        a_.bind(unknown);
        a_.jmp(imm(request_.stubs.returned));
    });
}

}  // namespace e2k::translate
