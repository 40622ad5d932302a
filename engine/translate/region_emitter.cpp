#include "engine/translate/region_emitter.h"

#include <fmt/format.h>

namespace e2k::translate {

using asmjit::imm;
using cpu::CpuState;
using cpu::exec::ExecBundle;
namespace x86 = asmjit::x86;

namespace {

/// Jumps that are patched while other threads run keep their displacement within 8 bytes.
constexpr std::size_t kPatchAlignment = 8, kJumpOpcodeBytes = 1, kDisplacementBytes = 4;

std::string key_text(Config config) {
    const cpu::WindowDescriptor wd = config.window();
    const cpu::RotationState br = config.rotation();
    return fmt::format("wsz {} psize {} dbl {} rbs {} rsz {} rcur {} psz {} pcur {}", wd.size / 2,
                       wd.psize / 2, wd.dbl, br.rbs, br.rsz, br.rcur, br.psz, br.pcur);
}

}  // namespace

RegionEmitter::RegionEmitter(asmjit::CodeHolder& code, const EmitRequest& request)
    : request_(request),
      plan_(request.plan),
      region_(request.region),
      code_(code),
      a_(&code),
      v_(a_) {
    code_.setErrorHandler(&errors_);
}

bool RegionEmitter::run() {
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
        labels_.push_back(a_.newLabel());
        return_labels_.push_back(a_.newLabel());
        headers_.push_back({false, a_.newLabel(), {}});
    }
    if (request_.statistics) {
        mark(Reason::Counter);
        a_.mov(x86::rax, reinterpret_cast<std::uint64_t>(region_.executions.get()));
        a_.inc(x86::qword_ptr(x86::rax));
    }
    for (unsigned i = 0; i < plan_.nodes.size(); ++i) emit_node(i);
    emit_cold();
    if (v_.exhausted || errors_.seen || code_.flatten() != asmjit::kErrorOk ||
        code_.resolveUnresolvedLinks() != asmjit::kErrorOk ||
        code_.relocateToBase(reinterpret_cast<std::uint64_t>(request_.base)) != asmjit::kErrorOk)
        return false;
    for (const PatchSite& p : patches_) {
        p.site->displacement = request_.base + code_.labelOffset(p.jump) + kJumpOpcodeBytes;
        p.site->stub = request_.base + code_.labelOffset(p.stub);
    }
    region_.entry = request_.base;
    region_.size = static_cast<std::uint32_t>(code_.textSection()->bufferSize());
    finish_record();
    return true;
}

void RegionEmitter::emit_node(unsigned index) {
    Node& node = *plan_.nodes[index];
    node_ = &node;
    node_index_ = index;
    b_ = &node.bundle;
    config_ = node.config;
    const bool fell = falls_into_ == static_cast<int>(index);
    falls_into_ = -1;
    const bool loop = emit_loop_header(index, fell);
    if (node.join && !loop) {
        if (fell) flush_counts();
        v_.cache.forget_all();
    }
    if (node.entered_by_return) {
        // rsi, rdi, r8: return address, window descriptor, rotation that `return` has restored.
        mark(Reason::ControlTransfer);
        a_.bind(return_labels_[index]);
        const auto expect = [&](const Gp& r, std::uint64_t value) {
            if (static_cast<std::int64_t>(value) == static_cast<std::int32_t>(value)) {
                a_.cmp(r, imm(static_cast<std::int32_t>(value)));
            } else {
                a_.mov(x86::rax, static_cast<std::int64_t>(value));
                a_.cmp(r, x86::rax);
            }
            a_.jne(imm(request_.stubs.returned));
        };
        expect(x86::rsi, node.address);
        expect(x86::rdi, node.config.wd);
        expect(x86::r8, node.config.br);
    }
    if (!loop) a_.bind(labels_[index]);
    if (node.interpret) {
        flush_counts();
        mark(Reason::Exit);
        leave(Leave::Interpret, node.address);
        return;
    }
    emit_body(node);
    emit_transfer(index);
    v_.end_bundle();
}

void RegionEmitter::emit_body(Node& node) {
    bail_ = a_.newLabel();
    bail_used_ = mlock_used_ = has_condition_ = false;
    v_.start_bundle(node.bundle, node.config);
    conditional_ = shared_destinations();
    emit_checks();
    emit_memory();
    for (unsigned i = 0; i < b_->op_count; ++i) emit_operation(i);
    emit_predicate_logic();
    capture_condition();
    if (bail_used_) {
        const Label label = bail_;
        const std::uint64_t ip = node.address;
        const std::uint32_t bundles = pending_bundles_, operations = pending_operations_;
        cold([=, this] {
            mark(Reason::Exit);
            a_.bind(label);
            count(bundles, operations);
            leave(Leave::Interpret, ip);
        });
    }
    commit_results();
    commit_control();
    pending_bundles_ += 1;
    pending_operations_ += b_->operations;
}

/// Guarded operations whose register another operation of the bundle writes too: the highest
/// channel that is enabled wins (machine.md §2.4), so each must leave the register alone if not.
unsigned RegionEmitter::shared_destinations() const {
    unsigned shared = 0;
    const auto register_of = [&](unsigned i) -> int {
        const cpu::exec::MicroOp& op = b_->ops[i];
        const bool none = op.write == cpu::exec::Write::None ||
                          op.write == cpu::exec::Write::Predicate ||
                          op.write == cpu::exec::Write::Ctpr || op.write == cpu::exec::Write::State;
        return none ? -1 : static_cast<int>(v_.slot(op.dst));
    };
    for (unsigned i = 0; i < b_->op_count; ++i)
        for (unsigned k = 0; k < b_->op_count; ++k)
            if (i != k && b_->ops[i].guard.count != 0 && register_of(i) >= 0 &&
                register_of(i) == register_of(k))
                shared |= 1u << i;
    return shared;
}

void RegionEmitter::count(std::uint32_t bundles, std::uint32_t operations) {
    if (bundles) a_.add(host::kBundles, imm(bundles));
    if (operations) a_.add(host::kOperations, imm(operations));
}

void RegionEmitter::flush_counts() {
    if (!pending_bundles_) return;
    mark(Reason::Counter);
    count(pending_bundles_, pending_operations_);
    pending_bundles_ = pending_operations_ = 0;
}

void RegionEmitter::emit_next(unsigned index) {
    const Edge& edge = plan_.nodes[index]->next;
    if (edge.node == static_cast<int>(index) + 1 &&
        !plan_.nodes[static_cast<std::size_t>(edge.node)]->entered_by_return)
        return fall_into(index + 1);
    flush_counts();
    emit_edge(edge, plan_.nodes[index]->address);
}

void RegionEmitter::emit_edge(const Edge& edge, std::uint64_t from) {
    mark(Reason::ControlTransfer);
    if (edge.target <= from) emit_poll(edge.target);
    if (edge.node < 0) return emit_exit(edge);
    const auto node = static_cast<std::size_t>(edge.node);
    if (headers_[node].emitted && !in_cold_) {
        shuffle_to(headers_[node].carried);
        a_.jmp(headers_[node].hot);
    } else {
        a_.jmp(labels_[node]);
    }
}

void RegionEmitter::emit_exit(const Edge& edge) {
    mark(Reason::Exit);
    ExitSite& site = region_.exits.emplace_back();
    site.target = edge.target;
    site.config = edge.config;
    site.from = &region_;
    while ((a_.offset() + kJumpOpcodeBytes) % kPatchAlignment >
           kPatchAlignment - kDisplacementBytes)
        a_.nop();
    const Label jump = a_.newLabel(), stub = a_.newLabel();
    a_.bind(jump);
    a_.long_().jmp(stub);
    patches_.push_back({&site, jump, stub});
    const std::uint64_t target = edge.target;
    cold([this, stub, target, &site] {
        mark(Reason::Exit);
        a_.bind(stub);
        store_immediate64(offsetof(CpuState, ip), target);
        a_.mov(x86::rax, reinterpret_cast<std::uint64_t>(&site));
        a_.jmp(imm(request_.stubs.leave));
    });
}

void RegionEmitter::emit_poll(std::uint64_t ip) {
    mark(Reason::ControlTransfer);
    const Label stop = a_.newLabel();
    a_.cmp(state(offsetof(CpuState, interrupt), 4), imm(0));
    a_.jne(stop);
    cold([this, stop, ip] {
        mark(Reason::Exit);
        a_.bind(stop);
        leave(Leave::Interrupted, ip);
    });
}

void RegionEmitter::leave(Leave why, std::uint64_t ip) {
    store_immediate64(offsetof(CpuState, ip), ip);
    a_.mov(x86::eax, imm(static_cast<std::uint32_t>(why)));
    a_.jmp(imm(request_.stubs.leave));
}

asmjit::Label RegionEmitter::bail() {
    bail_used_ = true;
    return bail_;
}

void RegionEmitter::cold(std::function<void()> emit) {
    cold_.push_back({node_index_, std::move(emit)});
}

void RegionEmitter::emit_cold() {
    in_cold_ = true;
    // Cold code may add more of it.
    for (std::size_t i = 0; i < cold_.size(); ++i) {
        const Cold item = std::move(cold_[i]);
        node_index_ = item.node;
        item.emit();
    }
}

void RegionEmitter::store_immediate64(std::size_t offset, std::uint64_t value) {
    if (static_cast<std::int64_t>(value) == static_cast<std::int32_t>(value)) {
        a_.mov(state(offset, 8), imm(static_cast<std::int32_t>(value)));
    } else {
        a_.mov(x86::rax, static_cast<std::int64_t>(value));
        a_.mov(state(offset, 8), x86::rax);
    }
}

asmjit::x86::Mem RegionEmitter::predicate(unsigned logical) const {
    return state(offsetof(CpuState, pred) + pred_phys(config_.rotation(), logical), 1);
}

void RegionEmitter::mark(Reason reason, int lane) {
    const auto at = static_cast<std::uint32_t>(a_.offset());
    if (!ranges_.empty()) {
        HostRange& last = ranges_.back();
        if (last.reason == reason && last.lane == lane && last.bundle == node_index_) return;
        last.end = at;
        if (last.begin == at) ranges_.pop_back();
    }
    HostRange range;
    range.begin = range.end = at;
    range.bundle = static_cast<std::uint16_t>(node_index_);
    range.lane = static_cast<std::int8_t>(lane);
    range.reason = reason;
    ranges_.push_back(range);
}

void RegionEmitter::finish_record() {
    auto record = std::make_shared<RegionRecord>();
    record->guest_begin = plan_.address;
    for (const auto& node : plan_.nodes) {
        record->bundle_addresses.push_back(node->address);
        record->guest_operations += node->bundle.operations;
        region_.guest.push_back({node->address, node->bundle.next_address});
    }
    record->key_text = key_text(plan_.entry);
    record->host_address = reinterpret_cast<std::uint64_t>(request_.base);
    const auto& text = code_.textSection()->buffer();
    record->host_code.assign(text.data(), text.data() + text.size());
    if (!ranges_.empty()) ranges_.back().end = region_.size;
    record->ranges = std::move(ranges_);
    if (request_.helper_operations) record->helper_calls = *request_.helper_operations;
    region_.record = std::move(record);
}

}  // namespace e2k::translate
