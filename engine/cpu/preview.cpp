#include "engine/cpu/preview.h"

#include <algorithm>
#include <cstring>

#include "engine/cpu/exec/executor.h"
#include "engine/cpu/interpreter.h"
#include "engine/cpu/stack_watch.h"

namespace e2k::cpu {

namespace {

/// Registers and frames below the window that a return can bring into view again.
constexpr std::size_t kBelow = 2 * kMaxWindow, kFramesBelow = 4;

PreviewStore bytes_of(const exec::HeldStore& held) {
    PreviewStore store;
    store.channel = held.channel;
    store.address = held.address;
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &held.value, sizeof held.value);
    unsigned size = held.size;
    unsigned first = 0;
    if (held.mask != 0) {  // the stretch from the first selected byte to the last
        first = static_cast<unsigned>(std::countr_zero(held.mask));
        size = 32 - static_cast<unsigned>(std::countl_zero(held.mask));
    }
    store.address += first;
    store.bytes.assign(bytes.begin() + first, bytes.begin() + size);
    return store;
}

template <bool Tags>
PreviewResult run(const MemoryView& memory, CpuState& state, const exec::ExecBundle& entry) {
    PreviewResult out;
    const StackWatch watch(state);
    if (auto complaint = stacks_complaint(state)) {
        out.stop.kind = StopKind::Trapped;
        out.stop.trap = stacks_trap(state, std::move(*complaint));
        return out;
    }
    FpEnvironment fp(state.pfpfr, state.fpcr, state.fpsr);
    exec::Executor<Tags> executor(state, memory, fp);
    std::vector<exec::HeldStore> held;
    executor.hold_stores(held);
    out.stop.kind = StopKind::Budget;
    if (!executor.execute(entry)) out.stop = std::move(executor.stop());
    for (const exec::HeldStore& store : held) out.stores.push_back(bytes_of(store));
    return out;
}

}  // namespace

PreviewResult preview(const MemoryView& memory, CpuState& state, const isa::Bundle& bundle) {
    exec::ExecBundle entry;
    exec::predecode(bundle, state.strict ? state.iset : isa::kMaxIset - 1, entry);
    return state.exact_tags ? run<true>(memory, state, entry) : run<false>(memory, state, entry);
}

struct StateCopy::Impl {
    HardwareStacks stacks;
    CpuState bottom;  ///< only its stack pointers are used
    CpuState state;
    bool reserved = false;
};

StateCopy::StateCopy() : impl_(std::make_unique<Impl>()) {}
StateCopy::~StateCopy() = default;
CpuState& StateCopy::state() { return impl_->state; }

bool StateCopy::take(const CpuState& from) {
    CpuState &to = impl_->state, &bottom = impl_->bottom;
    if (!impl_->reserved) {
        if (!impl_->stacks.reserve()) return false;
        impl_->stacks.attach(bottom);
        impl_->reserved = true;
    }
    const std::size_t index = from.window_index(), depth = from.depth();
    const std::size_t reach = index + from.wd.size + kWindowSlack / 2;
    if (reach > static_cast<std::size_t>(bottom.window_limit - bottom.window_file) ||
        depth > static_cast<std::size_t>(bottom.chain_limit - bottom.chain_file))
        return false;
    // CpuState is plain data but for one atomic flag, and the original stands still.
    std::memcpy(static_cast<void*>(&to), static_cast<const void*>(&from), sizeof to);
    to.interrupt = 0;
    to.window_file = bottom.window_file;
    to.window = bottom.window_file + index;
    to.window_limit = bottom.window_file + (from.window_limit - from.window_file);
    to.tag_file = bottom.tag_file;
    to.window_tags = bottom.tag_file + index;
    to.chain_file = bottom.chain_file;
    to.chain_top = bottom.chain_file + depth;
    to.chain_limit = bottom.chain_file + (from.chain_limit - from.chain_file);
    to.walls_begin = bottom.walls_begin;
    to.walls_end = bottom.walls_end;
    const std::size_t first = index - std::min(index, kBelow);
    std::copy(from.window_file + first, from.window_file + reach, to.window_file + first);
    std::copy(from.tag_file + first, from.tag_file + reach, to.tag_file + first);
    const std::size_t frames = std::min(depth, kFramesBelow);
    std::copy(from.chain_top - frames, from.chain_top, to.chain_top - frames);
    return true;
}

}  // namespace e2k::cpu
