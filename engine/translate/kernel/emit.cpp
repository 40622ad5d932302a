// Host code of kernels: the bundles are emitted as those of other regions; here is what differs.
// One host register counts passes down. Others point into the streams; they are moved once in a
// turn of the ring, and what lies in between are displacements.
#include <algorithm>

#include "engine/translate/emit/control_state.h"
#include "engine/translate/emit/operands.h"
#include "engine/translate/kernel/entries.h"
#include "engine/translate/kernel/facts.h"
#include "engine/translate/kernel/registers.h"
#include "engine/translate/kernel/state.h"
#include "engine/translate/region_emitter.h"

namespace e2k::translate {

std::uint64_t kernels_entered = 0;

using asmjit::imm;
using cpu::CpuState;
using cpu::exec::ArrayLoad;
using cpu::exec::MicroOp;
namespace x86 = asmjit::x86;

namespace {

bool calls_function(const MicroOp& op) {
    return host_code_of(op.row, op.kind) != HostCode::Own || op.kind == cpu::SemKind::Div;
}

/// It leaves general registers alone.
bool floats_only(const MicroOp& op) {
    return op.guard.count == 0 &&
           ((floating(op) && writes_register(op)) || op.kind == cpu::SemKind::ArrayStore);
}

template <typename F>
bool any_operation(const Plan& plan, F&& f) {
    return std::any_of(plan.nodes.begin(), plan.nodes.end(), [&f](const auto& node) {
        const auto& b = node->bundle;
        return std::any_of(b.ops.begin(), b.ops.begin() + b.op_count, f);
    });
}

}  // namespace

/// Pointers beyond those in registers stay in the frame.
std::size_t RegionEmitter::pointers_in_registers(const EmitRequest& request) {
    const std::size_t count = request.kernel->pointers.size();
    if (any_operation(request.plan, calls_function)) return std::min(count, kKeptPointers);
    const bool others =
        any_operation(request.plan, [](const MicroOp& op) { return !floats_only(op); });
    return std::min(count, others ? kFewerPointers : kPointerRegisters);
}

/// Host registers that hold guest values.
std::uint32_t RegionEmitter::gpr_pool(const EmitRequest& request) {
    std::uint32_t pool = host::kGprPool;
    if (!request.kernel) return pool;
    pool &= ~(1u << host::kPassesLeft.id());
    for (std::size_t n = 0; n < pointers_in_registers(request); ++n)
        pool &= ~(1u << kernel_pointer(n).id());
    return pool;
}

/// With the state in memory. What does not fit goes to code that makes no assumptions.
void RegionEmitter::enter_kernel() {
    mark(Reason::BoundCheck);
    const Label slow = a_.newLabel(), entered = a_.newLabel();
    check_kernel(slow);
    a_.bind(entered);
    if (request_.statistics) {
        mark(Reason::Counter);
        a_.mov(x86::rax, reinterpret_cast<std::uint64_t>(&kernels_entered));
        a_.lock().inc(x86::qword_ptr(x86::rax));
    }
    cold([this, slow, entered] {
        mark(Reason::BoundCheck);
        a_.bind(slow);
        a_.mov(x86::rdi, host::kState);
        a_.mov(x86::rsi, reinterpret_cast<std::uint64_t>(request_.kernel));
        a_.lea(x86::rdx, x86::ptr(x86::rsp, offsetof(Frame, pointers)));
        a_.mov(x86::rax, reinterpret_cast<std::uint64_t>(&begin_kernel));
        a_.call(x86::rax);
        a_.mov(host::kPassesLeft, x86::rax);
        for (std::size_t n = 0; n < pointers_in_registers_; ++n)
            a_.mov(kernel_pointer(n), frame_pointer(n));
        a_.test(x86::rax, x86::rax);
        a_.jnz(entered);
        if (region_.profile) {  // not a bundle has been executed
            mark(Reason::Profile);
            const auto* entries = region_.profile->edges.front().count;
            a_.dec(x86::qword_ptr_abs(reinterpret_cast<std::uint64_t>(entries)));
        }
        mark(Reason::Exit);
        emit_exit({-1, plan_.address, plan_.entry}, true);
    });
    in_kernel_ = true;
}

/// Bundle of the pass in front of which control is.
std::uint32_t RegionEmitter::kernel_position() const {
    return (node_index_ + (executed_ ? 1u : 0u)) % request_.kernel->bundles;
}

/// The state in memory gets counters and indices. Changes what functions may change.
void RegionEmitter::settle_kernel() {
    if (loop_over_) return settle_last_pass();
    a_.mov(x86::rdi, host::kState);
    a_.mov(x86::rsi, reinterpret_cast<std::uint64_t>(request_.kernel));
    a_.mov(x86::rdx, host::kPassesLeft);
    a_.mov(x86::ecx, imm(kernel_position()));
    a_.mov(x86::rax, reinterpret_cast<std::uint64_t>(&end_kernel));
    a_.call(x86::rax);
}

/// `offset` bytes from where the stream is at the beginning of the pass. May change rax.
asmjit::x86::Mem RegionEmitter::in_stream(const KernelStream& stream, std::int64_t offset,
                                          unsigned size) {
    const KernelFacts& facts = *request_.kernel;
    const KernelIndex& index = facts.indices[stream.index];
    std::int64_t pass = node_index_ / facts.bundles;
    if (index.store) pass -= facts.prologue;  // has none in these passes
    offset += stream.distance + pass * index.pass + index.before[node_index_ % facts.bundles];
    Gp pointer = x86::rax;
    if (stream.pointer < pointers_in_registers_)
        pointer = kernel_pointer(stream.pointer);
    else
        a_.mov(x86::rax, frame_pointer(stream.pointer));
    return host::guest(x86::ptr(pointer, static_cast<std::int32_t>(offset), size));
}

asmjit::x86::Mem RegionEmitter::stored_element(const MicroOp& op) {
    const cpu::exec::ArrayAddress& array = b_->arrays[op.array];
    return in_stream(request_.kernel->stream_of(array),
                     std::int64_t{array.literal} + (op.pair_second ? 8 : 0), op.access_size);
}

void RegionEmitter::emit_kernel_elements() {
    for (unsigned k = 0; k < b_->mova_count; ++k) {
        const ArrayLoad& load = b_->mova[k];
        mark(Reason::Semantics);
        v_.start_operation(kElementResult + k);
        prepare_element(k);
        load_element(k, in_stream(request_.kernel->stream_of(load), load.ind, load.size));
        v_.end_operation();
    }
}

bool RegionEmitter::closes_pass() const {
    return request_.kernel && (node_index_ + 1) % request_.kernel->bundles == 0;
}

/// The transfer that closes a pass. Its condition, without the end of the loop, is in the bundle.
void RegionEmitter::close_pass(unsigned index) {
    const Node& node = *node_;
    const KernelFacts& facts = *request_.kernel;
    const bool asks = b_->transfer.condition != isa::ConditionType::Always;
    const Label over = a_.newLabel(), away = a_.newLabel();
    mark(Reason::ControlTransfer);
    if (has_condition_) {
        v_.start_operation(kConditionResult);
        v_.result_gpr(kConditionResult);
    }
    a_.dec(host::kPassesLeft);
    a_.jz(over);
    if (asks) branch_on_condition(away, true);
    v_.end_bundle();
    const auto leave = [this](const Label& label, const Edge& edge, bool loop_over) {
        cold_with_values([this, label, edge, loop_over] {
            a_.bind(label);
            flush_counts();
            loop_over_ = loop_over;
            emit_edge(edge, node_->address);
            loop_over_ = false;
        });
    };
    if (facts.endless)
        leave(over, {-1, facts.header, node.taken.config}, false);  // to the check again
    else
        leave(over, node.next, index / facts.bundles >= facts.prologue);
    if (asks) leave(away, node.next, false);
    if (asks && !has_condition_) learn_condition(true);
    if (node.taken.node == static_cast<int>(index) + 1) return fall_into(index + 1);
    // A turn of the ring is over.
    for (std::size_t n = 0; n < facts.pointers.size(); ++n) {
        const std::int64_t turn = facts.pointers[n] * facts.period;
        if (turn == 0) continue;
        if (n < pointers_in_registers_)
            a_.add(kernel_pointer(n), imm(turn));
        else
            a_.add(frame_pointer(n), imm(turn));
    }
    flush_counts();
    emit_edge(node.taken, node.address);
}

}  // namespace e2k::translate
