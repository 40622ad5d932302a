#include "engine/translate/region_emitter.h"

#include <algorithm>

#include <fmt/format.h>

namespace e2k::translate {

using asmjit::imm;
using cpu::CpuState;
namespace x86 = asmjit::x86;

namespace {

/// Jumps that are patched while other threads run keep their displacement within 8 bytes.
constexpr std::size_t kPatchAlignment = 8, kJumpOpcodeBytes = 1, kDisplacementBytes = 4;
/// One instruction that does nothing, of 1, 2 or 3 bytes.
constexpr std::uint8_t kPadding[][3] = {{0x90}, {0x66, 0x90}, {0x0f, 0x1f, 0x00}};
static_assert(std::size(kPadding) == kPatchAlignment - kDisplacementBytes - kJumpOpcodeBytes);

std::string key_text(Config config) {
    const cpu::WindowDescriptor wd = config.window();
    const cpu::RotationState br = config.rotation();
    return fmt::format("wsz {} psize {} dbl {} rbs {} rsz {} rcur {} psz {} pcur {}{}", wd.size / 2,
                       wd.psize / 2, wd.dbl, br.rbs, br.rsz, br.rcur, br.psz, br.pcur,
                       wd.tagged ? " tags" : "");
}

}  // namespace

RegionEmitter::RegionEmitter(asmjit::CodeHolder& code, const EmitRequest& request)
    : request_(request),
      plan_(request.plan),
      region_(request.region),
      code_(code),
      a_(&code),
      pointers_in_registers_(request.kernel ? pointers_in_registers(request) : 0),
      v_(a_, gpr_pool(request)) {
    code_.setErrorHandler(&errors_);
}

bool RegionEmitter::run() {
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
        labels_.push_back(a_.newLabel());
        return_labels_.push_back(a_.newLabel());
    }
    entries_.resize(plan_.nodes.size());
    find_live();
    if (plan_.entry.window().tagged) tags_ = find_tag_sets(plan_, tag_places());
    region_.frames = plan_.frames;
    for (const auto& node : plan_.nodes) {
        if (node->frame >= 0) continue;  // the state has the configuration of the outermost
        for (const Config& c : {config_after(node->bundle, node->config, false),
                                config_after(node->bundle, node->config, true), node->config}) {
            one_wd_ &= c.wd == plan_.entry.wd;
            one_br_ &= c.br == plan_.entry.br;
        }
    }
    if (request_.profile) {
        region_.profile = std::make_unique<EdgeProfile>(plan_.nodes.size());
    }
    if (request_.statistics) {
        mark(Reason::Counter);
        a_.mov(x86::rax, reinterpret_cast<std::uint64_t>(region_.executions.get()));
        a_.inc(x86::qword_ptr(x86::rax));
    }
    count_way(-1, 0);
    emit_entry_checks();
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

void RegionEmitter::start_node(unsigned index) {
    Node& node = *plan_.nodes[index];
    node_ = &node;
    node_index_ = index;
    b_ = &node.bundle;
    config_ = node.config;
    facts_ = node.facts;
    frame_ = node.frame;
    stack_ = node.stack;
    has_snapshot_ = executed_ = false;
    counted_at_ = kNowhere;
    loop_ = -1;
    for (int k = static_cast<int>(index); k >= 0 && loop_ < 0; --k)
        if (plan_.nodes[static_cast<std::size_t>(k)]->loop_end >= static_cast<int>(index))
            loop_ = k;
}

/// What could stop the region's setwd and the calls inside it, once for all of them: the
/// interpreter does what does not fit.
void RegionEmitter::emit_entry_checks() {
    start_node(0);
    mark(Reason::BoundCheck);
    unsigned depth = 0;
    for (const CallFrame& frame : plan_.frames) depth = std::max(depth, frame.depth);
    const Label stop = a_.newLabel();
    bool used = check_window(stop, plan_.entry.window().size);
    if (depth != 0) {
        used = true;
        a_.mov(x86::rax, state(offsetof(CpuState, chain_top), 8));
        a_.add(x86::rax, imm(depth * sizeof(cpu::ChainFrame)));
        a_.cmp(x86::rax, state(offsetof(CpuState, chain_limit), 8));
        a_.ja(stop);
        // A chain frame keeps the stack's size in units of 16 bytes.
        a_.test(state(offsetof(CpuState, usd_size), 1), imm(15));
        a_.jnz(stop);
    }
    if (used) stop_cold(stop, Leave::Interpret);
    expect_ctprs();
    emit_tag_check(0);
    if (request_.kernel) enter_kernel();
}

/// Jumps to `stop` unless the window file has room for every setwd of the region, as it surely has
/// for `size` registers. False: that is enough.
bool RegionEmitter::check_window(const Label& stop, unsigned size) {
    unsigned end = 0;
    for (const auto& node : plan_.nodes)
        if (node->bundle.flags & cpu::exec::kSetwd)
            end = std::max(end, node->window + node->bundle.window.size);
    if (end <= size) return false;
    a_.lea(x86::rax, x86::ptr(host::kWindow, static_cast<std::int32_t>(end * sizeof(cpu::Reg))));
    a_.cmp(x86::rax, state(offsetof(CpuState, window_limit), 8));
    a_.ja(stop);
    return true;
}

/// The interpreter gets the bundle that would begin here.
void RegionEmitter::stop_cold(const Label& stop, Leave why) {
    const RecoveryPoint& point = recovery(why, node_->address, config_, facts_);
    cold([this, stop, &point] {
        mark(Reason::Exit);
        a_.bind(stop);
        leave_by(point);
    });
}

void RegionEmitter::emit_node(unsigned index) {
    start_node(index);
    Node& node = *node_;
    const bool fell = falls_into_ == static_cast<int>(index);
    falls_into_ = -1;
    if (node.join) {
        Entry& entry = entries_[index];
        const bool first = fell || index == 0;
        if (!entry.fixed)
            fix_entry(index, first ? v_.cache : ValueCache(v_.cache.gpr.pool(), host::kXmmPool));
        if (first) {
            // Belongs to the way here, which may be rarer than the join.
            if (fell) --node_index_;
            executed_ = fell;
            if (fell) flush_counts();
            conform(*entry.map, node.address, node.config, node.facts);
            node_index_ = index;
            executed_ = false;
        }
        v_.cache = *entry.map;
        has_snapshot_ = false;
    }
    if (node.entered_by_return) emit_return_entry(index);
    a_.bind(labels_[index]);
    if (node.interpret) {
        mark(Reason::Exit);
        leave_by(recovery(Leave::Declined, node.address, config_, facts_));
        pending_bundles_ = pending_operations_ = 0;
        return;
    }
    emit_body(node);
    emit_transfer(index);
}

/// Return address, window descriptor and rotation that `return` has restored are in rsi, rdi, r8.
void RegionEmitter::emit_return_entry(unsigned index) {
    const Node& node = *plan_.nodes[index];
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
    count_way(-1, static_cast<int>(index));
    mark(Reason::BoundCheck);
    const Label stop = a_.newLabel();
    if (check_window(stop, node.config.window().size)) stop_cold(stop, Leave::Interpret);
    emit_tag_check(index);
}

void RegionEmitter::emit_body(Node& node) {
    bail_ = a_.newLabel();
    bail_used_ = mlock_used_ = has_condition_ = false;
    v_.start_bundle(node.bundle, node.config, node.window, node.file);
    find_guards();
    find_failures();
    conditional_ = shared_destinations();
    emit_checks();
    emit_memory();
    for (unsigned i = 0; i < b_->op_count; ++i) emit_operation(i);
    emit_predicate_logic();
    capture_condition();
    commit_results();
    commit_control();
    pending_bundles_ += 1;
    pending_operations_ += b_->operations;
}

void RegionEmitter::count_way(int from, int to) {
    if (!region_.profile) return;
    const std::uint64_t* counter = region_.profile->count(from, to);
    if (!counter) {
        v_.exhausted = true;
        return;
    }
    mark(Reason::Profile);
    a_.inc(x86::qword_ptr_abs(reinterpret_cast<std::uint64_t>(counter)));
}

/// Guarded operations whose register another operation of the bundle writes too: the highest
/// channel that is enabled wins (execution.md §4), so each must leave the register alone if not.
unsigned RegionEmitter::shared_destinations() const {
    unsigned shared = 0;
    const auto register_of = [&](unsigned i) -> int {
        const cpu::exec::MicroOp& op = b_->ops[i];
        const bool none = off(i) || op.write == cpu::exec::Write::None ||
                          op.write == cpu::exec::Write::Predicate ||
                          op.write == cpu::exec::Write::Ctpr || op.write == cpu::exec::Write::State;
        return none ? -1 : static_cast<int>(v_.slot(op.dst));
    };
    for (unsigned i = 0; i < b_->op_count; ++i)
        for (unsigned k = 0; k < b_->op_count; ++k)
            if (i != k && guarded(i) && register_of(i) >= 0 && register_of(i) == register_of(k))
                shared |= 1u << i;
    return shared;
}

void RegionEmitter::count(std::uint32_t bundles, std::uint32_t operations) {
    constexpr std::uint32_t kMost = (1u << (31 - host::kOperationBits)) - 1;
    for (; bundles > kMost; bundles -= kMost)
        a_.add(host::kCounts, imm(kMost << host::kOperationBits));
    a_.add(host::kCounts, imm(bundles << host::kOperationBits | operations));
    counted_at_ = a_.offset();
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
    if (edge.target <= from || edge.node < 0) emit_poll(edge);
    if (edge.node < 0) {
        settle(edge.config);
        count_way(static_cast<int>(node_index_), -1);
        return emit_exit(edge);
    }
    reach(edge);
    const auto node = static_cast<std::size_t>(edge.node);
    conform(*entries_[node].map, edge.target, edge.config, facts_);
    count_way(static_cast<int>(node_index_), edge.node);
    mark(Reason::ControlTransfer);
    a_.jmp(labels_[node]);
}

/// The state in memory is complete but for the ip.
void RegionEmitter::emit_exit(const Edge& edge, bool general) {
    mark(Reason::Exit);
    ExitSite& site = region_.exits.emplace_back();
    site.why = Leave::Linkable;
    site.target = edge.target;
    site.config = edge.config;
    site.general = general;
    site.from = &region_;
    std::size_t padding = 0;
    while ((a_.offset() + padding + kJumpOpcodeBytes) % kPatchAlignment >
           kPatchAlignment - kDisplacementBytes)
        ++padding;
    if (padding) a_.embed(kPadding[padding - 1], padding);
    const Label jump = a_.newLabel(), stub = a_.newLabel();
    a_.bind(jump);
    a_.long_().jmp(stub);
    patches_.push_back({&site, jump, stub});
    const std::uint64_t target = edge.target;
    cold([this, stub, target, &site] {
        mark(Reason::Exit);
        a_.bind(stub);
        store_immediate64(offsetof(CpuState, ip), target);
        a_.mov(x86::rax, reinterpret_cast<std::uint64_t>(static_cast<Exit*>(&site)));
        a_.jmp(imm(request_.stubs.leave));
    });
}

/// Where a slice of bundles has ended, cold code looks whether there is cause to leave; `leave`
/// does it. A region of the quick tier is always left, for the dispatcher to look at it; so is one
/// that runs while tags are visible, which may no longer be so.
void RegionEmitter::poll(std::function<void()> leave) {
    mark(Reason::Counter);
    const Label end = a_.newLabel(), back = a_.newLabel();
    if (counted_at_ != a_.offset()) a_.test(host::kCounts, host::kCounts);
    a_.jns(end);
    a_.bind(back);
    cold([this, end, back, leave = std::move(leave)] {
        mark(Reason::Exit);
        a_.bind(end);
        if (region_.tier != 1 && !tags_) {
            a_.call(imm(request_.stubs.poll));
            a_.je(back);
        }
        leave();
    });
}

/// A poll in front of `edge`.
void RegionEmitter::emit_poll(const Edge& edge) {
    const RecoveryPoint& point = recovery(Leave::Interrupted, edge.target, edge.config, facts_);
    poll([this, &point] { leave_by(point); });
}

/// A poll where the state in memory is complete but for the ip, which is `ip` or in rsi.
void RegionEmitter::poll_complete(std::optional<std::uint64_t> ip) {
    poll([this, ip] {
        if (ip)
            store_immediate64(offsetof(CpuState, ip), *ip);
        else
            a_.mov(state(offsetof(CpuState, ip), 8), x86::rsi);
        a_.mov(x86::rax, reinterpret_cast<std::uint64_t>(static_cast<Exit*>(&region_.slice_end)));
        a_.jmp(imm(request_.stubs.leave));
    });
}

asmjit::Label RegionEmitter::bail() {
    if (bail_used_ && bail_version_ == v_.cache.version) return bail_;
    bail_ = a_.newLabel();
    bail_used_ = true;
    bail_version_ = v_.cache.version;
    const RecoveryPoint& point = recovery(Leave::Interpret, node_->address, config_, node_->facts);
    cold([this, label = bail_, &point] {
        mark(Reason::Exit);
        a_.bind(label);
        leave_by(point);
    });
    return bail_;
}

asmjit::Label RegionEmitter::distrust() {
    const Label label = a_.newLabel();
    const RecoveryPoint& point = recovery(Leave::Distrust, node_->address, config_, node_->facts);
    cold([this, label, &point] {
        mark(Reason::Exit);
        a_.bind(label);
        leave_by(point);
    });
    return label;
}

void RegionEmitter::cold(std::function<void()> emit) {
    cold_.push_back({node_index_, nullptr, facts_, frame_, stack_, executed_, pending_bundles_,
                     pending_operations_, std::move(emit)});
}

void RegionEmitter::cold_with_values(std::function<void()> emit) {
    cold(std::move(emit));
    cold_.back().values = std::make_unique<ValueCache>(v_.cache);
}

void RegionEmitter::emit_cold() {
    cold_begin_ = static_cast<std::uint32_t>(a_.offset());
    if (!ranges_.empty()) {
        // No range lies on both sides.
        ranges_.back().end = cold_begin_;
        ranges_.push_back(ranges_.back());
        ranges_.back().begin = cold_begin_;
    }
    // Cold code may add more of it.
    for (std::size_t i = 0; i < cold_.size(); ++i) {
        Cold item = std::move(cold_[i]);
        node_index_ = item.node;
        node_ = plan_.nodes[item.node].get();
        b_ = &node_->bundle;
        config_ = node_->config;
        facts_ = item.facts;
        frame_ = item.frame;
        stack_ = item.stack;
        pending_bundles_ = item.bundles;
        pending_operations_ = item.operations;
        has_snapshot_ = false;
        executed_ = item.executed;
        counted_at_ = kNowhere;
        if (item.values) {
            v_.cache = *item.values;
            v_.start_bundle(*b_, config_, node_->window, node_->file);
        }
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
    record->tier = static_cast<std::uint8_t>(region_.tier);
    for (const auto& node : plan_.nodes) {
        record->bundle_addresses.push_back(node->address);
        record->guest_operations += node->bundle.operations;
        record->bundle_operations.push_back(static_cast<std::uint16_t>(node->bundle.operations));
        region_.guest.push_back({node->address, node->bundle.next_address});
    }
    record->key_text = (request_.kernel ? "kernel " : "") + key_text(plan_.entry);
    record->host_address = reinterpret_cast<std::uint64_t>(request_.base);
    const auto& text = code_.textSection()->buffer();
    record->host_code.assign(text.data(), text.data() + text.size());
    if (!ranges_.empty()) ranges_.back().end = region_.size;
    record->ranges = std::move(ranges_);
    record->cold_begin = cold_begin_;
    if (request_.helper_operations) record->helper_calls = *request_.helper_operations;
    region_.record = std::move(record);
}

}  // namespace e2k::translate
