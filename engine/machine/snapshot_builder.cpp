#include "engine/machine/snapshot_builder.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "engine/guest/syscalls/call.h"
#include "engine/isa/disassembler.h"

namespace e2k::machine {

namespace {

constexpr std::size_t kFrames = 1024, kLiveFrames = 64;
constexpr std::size_t kFileRegisters = 1024, kLiveFileRegisters = 256;
constexpr int kRegionAge = 20;  ///< live snapshots a region's record serves: half a second
constexpr std::uint32_t kMostMemory = 1u << 20;

RegisterView view(const cpu::Reg& reg, std::uint8_t tag) { return {reg.lo, reg.ext, tag}; }

}  // namespace

std::string bundle_text(const cpu::MemoryView& memory, std::uint64_t address, int iset) {
    const auto bundle = cpu::fetch(memory, address, iset);
    if (!bundle) return "";
    std::string text;
    for (const std::string& line : isa::disassemble(*bundle)) {
        if (!text.empty()) text += "; ";
        text += line;
    }
    return text;
}

SnapshotBuilder::SnapshotBuilder(Guest& guest, const std::string& path)
    : guest_(guest),
      symbols_(guest.process().symbols()),
      code_(guest.process().memory(), symbols_, *guest.process().sections(),
            guest.main().state().iset),
      source_(source_lines(path)) {}

void SnapshotBuilder::fill_registers(Snapshot& to, const cpu::CpuState& state) const {
    to.wd = state.wd;
    to.br = state.br;
    to.window_index = static_cast<std::uint32_t>(state.window_index());
    to.window.resize(state.wd.size);
    for (std::size_t i = 0; i < to.window.size(); ++i)
        to.window[i] = view(state.window[i], state.window_tags[i]);
    for (std::size_t i = 0; i < to.globals.size(); ++i)
        to.globals[i] = view(state.g[i], state.g_tags[i]);
    for (unsigned n = 0; n < to.predicates.size(); ++n)
        to.predicates[n] = state.pred[state.pred_phys(n)];
    to.ctpr = state.ctpr;
    to.lsr = state.lsr;
    to.ilcr = state.ilcr;
    to.aau = state.aau;
    to.pfpfr = state.pfpfr;
    to.fpcr = state.fpcr;
    to.fpsr = state.fpsr;
    to.upsr = state.upsr;
    to.stack_pointer = state.usd_base;

    const std::size_t end = state.window_index() + state.wd.size;
    const std::size_t count = std::min(end, to.live ? kLiveFileRegisters : kFileRegisters);
    to.file_first = static_cast<std::uint32_t>(end - count);
    to.window_file.resize(count);
    for (std::size_t i = 0; i < count; ++i)
        to.window_file[i] =
            view(state.window_file[end - count + i], state.tag_file[end - count + i]);
}

void SnapshotBuilder::fill_frames(Snapshot& to, const cpu::CpuState& state,
                                  std::size_t limit) const {
    to.frames.clear();
    FrameView frame;
    frame.ip = state.ip;
    frame.window_index = static_cast<std::uint32_t>(state.window_index());
    frame.size = state.wd.size;
    frame.psize = state.wd.psize;
    frame.br = state.br;
    frame.stack_pointer = state.usd_base;
    to.frames.push_back(frame);
    const std::uint64_t stack_bottom = state.usd_base - state.usd_size;
    for (const cpu::ChainFrame* f = state.chain_top;
         f > state.chain_file && to.frames.size() < limit;) {
        --f;
        if (f->return_ip == 0 || f->wbs > frame.window_index) break;  // the frame of process start
        frame.ip = f->return_ip;
        frame.window_index -= f->wbs;
        frame.size = f->wd.size;
        frame.psize = f->wd.psize;
        frame.br = f->br;
        frame.stack_pointer = stack_bottom + (std::uint64_t{f->ussz} << 4);
        to.frames.push_back(frame);
    }
}

void SnapshotBuilder::fill_place(Snapshot& to, Runner& runner) const {
    const cpu::CpuState& state = runner.state();
    to.ip = state.ip;
    to.iset = state.iset;
    to.location = symbols_->describe(state.ip);
    to.in_system_call = runner.in_system_call();
    to.thread = runner.thread().tid;
    to.symbols = symbols_;
    to.source = source_;
    fill_call(to, runner);
    to.breakpoints = guest_.user_breakpoints();
    to.counters.bundles = guest_.bundles();
    to.counters.operations = guest_.operations();
    to.threads = static_cast<std::uint32_t>(guest_.thread_count());
    to.tier = guest_.tier();
}

void SnapshotBuilder::follow_program(Runner& runner) {
    auto symbols = guest_.process().symbols();
    if (symbols == symbols_) return;
    symbols_ = std::move(symbols);
    code_ = CodeViewCache(guest_.process().memory(), symbols_, *guest_.process().sections(),
                          runner.state().iset);
    source_ = nullptr;  // that of another program
    forget_region();
}

/// The system call that a thread waits in, by what it has in its registers.
void SnapshotBuilder::fill_call(Snapshot& to, Runner& runner) const {
    const auto& call = runner.pending_call();
    if (!call) return;
    const cpu::CpuState& s = runner.state();
    const cpu::Reg* const arguments = s.window + 2 * call->syscall_wbs;
    if (call->syscall_entry != 3 || arguments + 2 > s.window_limit) {
        to.call = fmt::format("entry {}", call->syscall_entry);
        return;
    }
    const auto number = static_cast<std::uint32_t>(arguments[0].lo);
    const guest::SyscallRow* const row = guest::find_syscall(number);
    const std::string name = row ? row->name : fmt::format("syscall_{}", number);
    to.call = fmt::format("{}({})", name, static_cast<std::int32_t>(arguments[1].lo));
    to.reads_input = (name == "read" || name == "readv") && arguments[1].lo == 0;
}

/// The region entered most often since it was last asked for; the first time, ever.
std::shared_ptr<const translate::RegionRecord> SnapshotBuilder::hottest() {
    std::shared_ptr<const translate::RegionRecord> most;
    std::uint64_t most_entries = 0;
    std::unordered_map<std::uint64_t, std::uint64_t> entries;
    for (const auto& record : guest_.translator().regions()) {
        const auto before = entries_.find(record->id);
        const std::uint64_t now =
            record->executions - (before == entries_.end() ? 0 : before->second);
        entries[record->id] = record->executions;
        if (now < most_entries || record->executions == 0) continue;
        most_entries = now;
        most = record;
    }
    entries_ = std::move(entries);
    return most ? most : last_region_;
}

void SnapshotBuilder::fill_quality(Snapshot& to) {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds kLeast{900};
    constexpr int kShare = 20;  // of the time at most a twentieth
    if (watches_quality_ && (Clock::now() >= next_quality_ || !to.live)) {
        const auto begin = Clock::now();
        const auto records = guest_.translator().regions();
        auto report = std::make_shared<translate::QualityReport>(translate::assess(records));
        auto heat = std::make_shared<HeatView>();
        std::map<std::uint64_t, HeatView::Entry> sums;
        for (const translate::BundleQuality& bundle : report->bundles) {
            if (bundle.executed.bundles == 0) continue;
            HeatView::Entry& entry = sums[bundle.address];
            entry.address = bundle.address;
            entry.executions += bundle.executed.bundles;
            entry.instructions += bundle.executed.instructions;
        }
        for (const auto& [address, entry] : sums) {
            heat->entries.push_back(entry);
            heat->instructions += entry.instructions;
            heat->most = std::max(heat->most, entry.executions);
        }
        quality_ = std::move(report);
        heat_ = std::move(heat);
        const auto end = Clock::now();
        next_quality_ = end + std::max<Clock::duration>(kLeast, (end - begin) * kShare);
    }
    to.quality = quality_;
    to.heat = heat_;
}

/// Control is behind the call that has ended the program, where no bundle need be: the place shown
/// is that of the call.
void SnapshotBuilder::stay_at_the_end(Snapshot& to, Runner& runner) {
    const std::uint64_t ip = runner.state().ip;
    const bool at_fault = runner.trap().code != cpu::TrapCode::None && runner.trap().ip == ip;
    const auto code = code_.around(at_fault ? ip : ip - 8);
    auto row = std::ranges::lower_bound(code->rows, ip, {},
                                        [](const auto& r) { return r.bundle.address; });
    if (!at_fault && row != code->rows.begin() && (--row)->valid &&
        row->bundle.next_address() == ip) {
        to.ip = row->bundle.address;
        to.location = symbols_->describe(to.ip);
    }
    last_code_ = code_at_ ? code_.around(*code_at_) : code;
}

void SnapshotBuilder::fill(Snapshot& to, Runner& runner) {
    follow_program(runner);
    to.live = false;
    fill_place(to, runner);
    fill_registers(to, runner.state());
    fill_frames(to, runner.state(), kFrames);
    if (guest_.process().exit_status().kind != guest::ExitStatus::Kind::Running)
        stay_at_the_end(to, runner);
    else
        last_code_ = code_at_ ? code_.around(*code_at_) : code_.executing(runner.state().ip);
    last_region_ = region_at_.value_or(1) == 0
                       ? hottest()
                       : guest_.translator().region_at(region_at_.value_or(runner.state().ip));
    last_regions_ = guest_.process().memory().regions();
    last_threads_.clear();
    for (Runner* other : guest_.runners())
        last_threads_.push_back({other->thread().tid, other->state().ip, other->in_system_call()});
    if (!runner.ended() && !runner.in_system_call())
        to.xray = lens_.look(guest_.process().memory().view(), runner.state());
    last_memory_ = nullptr;
    if (memory_size_ != 0) {
        auto block = std::make_shared<MemoryBlock>();
        block->address = memory_at_;
        block->bytes.resize(std::min(memory_size_, kMostMemory));
        block->readable.resize(block->bytes.size());
        const cpu::MemoryView memory = guest_.process().memory().view();
        for (std::size_t i = 0; i < block->bytes.size(); ++i) {
            if (!memory.allows(memory_at_ + i, 1, cpu::kPageRead)) continue;
            block->readable[i] = memory.copy_out(memory_at_ + i, &block->bytes[i], 1);
        }
        last_memory_ = std::move(block);
    }
    to.code = last_code_;
    to.region = last_region_;
    to.regions = last_regions_;
    to.memory = last_memory_;
    to.translation = guest_.translator().stats();
    to.thread_list = last_threads_;
    fill_quality(to);
}

void SnapshotBuilder::fill_live(Snapshot& to, Runner& runner) {
    follow_program(runner);
    to.live = true;
    fill_place(to, runner);
    fill_registers(to, runner.state());
    fill_frames(to, runner.state(), kLiveFrames);
    // Printing a section costs milliseconds: only what is there already, or was asked for.
    auto code = code_.cached(code_at_.value_or(runner.state().ip));
    if (!code && code_at_) code = code_.around(*code_at_);
    if (code) last_code_ = std::move(code);
    // Finding and copying a record costs as much as the rest together.
    if (region_at_ && region_age_-- <= 0) {
        last_region_ = *region_at_ == 0 ? hottest() : guest_.translator().region_at(*region_at_);
        region_age_ = kRegionAge;
    }
    to.code = last_code_;
    to.region = last_region_;
    to.regions = last_regions_;
    to.memory = last_memory_;
    to.translation = guest_.translator().stats();
    to.thread_list = last_threads_;
    fill_quality(to);
}

}  // namespace e2k::machine
