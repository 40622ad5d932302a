#include "engine/machine/snapshot_builder.h"

#include <algorithm>

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

SnapshotBuilder::SnapshotBuilder(Guest& guest)
    : guest_(guest),
      symbols_(guest.process().symbols()),
      code_(guest.process().memory(), symbols_, *guest.process().sections(),
            guest.main().state().iset) {}

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
    forget_region();
}

void SnapshotBuilder::fill(Snapshot& to, Runner& runner) {
    follow_program(runner);
    to.live = false;
    fill_place(to, runner);
    fill_registers(to, runner.state());
    fill_frames(to, runner.state(), kFrames);
    last_code_ = code_at_ ? code_.around(*code_at_) : code_.executing(runner.state().ip);
    last_region_ = guest_.translator().region_at(region_at_.value_or(runner.state().ip));
    last_regions_ = guest_.process().memory().regions();
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
        last_region_ = guest_.translator().region_at(*region_at_);
        region_age_ = kRegionAge;
    }
    to.code = last_code_;
    to.region = last_region_;
    to.regions = last_regions_;
    to.memory = last_memory_;
    to.translation = guest_.translator().stats();
}

}  // namespace e2k::machine
