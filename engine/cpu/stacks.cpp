// The procedure and chain stacks: reserved once, never spilled or filled (architecture: a sliding
// window is a pointer that moves over one large array).
#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "engine/cpu/interpreter.h"
#include "engine/cpu/state.h"

namespace e2k::cpu {
namespace {

template <class T>
T* reserve_array(std::size_t count) {
    void* p = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? nullptr : static_cast<T*>(p);
}

template <class T>
void release_array(T* array, std::size_t count) {
    if (array) munmap(array, count * sizeof(T));
}

}  // namespace

HardwareStacks::HardwareStacks(HardwareStacks&& other) noexcept { *this = std::move(other); }

HardwareStacks& HardwareStacks::operator=(HardwareStacks&& other) noexcept {
    std::swap(registers_, other.registers_);
    std::swap(tags_, other.tags_);
    std::swap(frames_, other.frames_);
    std::swap(register_count_, other.register_count_);
    std::swap(frame_count_, other.frame_count_);
    return *this;
}

HardwareStacks::~HardwareStacks() {
    release_array(registers_, register_count_ + kWindowSlack);
    release_array(tags_, register_count_ + kWindowSlack);
    release_array(frames_, frame_count_);
}

bool HardwareStacks::reserve(std::size_t registers, std::size_t frames) {
    HardwareStacks fresh;
    fresh.register_count_ = registers;
    fresh.frame_count_ = frames;
    fresh.registers_ = reserve_array<Reg>(registers + kWindowSlack);
    fresh.tags_ = reserve_array<std::uint8_t>(registers + kWindowSlack);
    fresh.frames_ = reserve_array<ChainFrame>(frames);
    if (!fresh.registers_ || !fresh.tags_ || !fresh.frames_) return false;
    std::swap(*this, fresh);
    return true;
}

void HardwareStacks::attach(CpuState& state) const {
    state.window_file = state.window = registers_;
    state.window_limit = registers_ + register_count_;
    state.tag_file = state.window_tags = tags_;
    state.chain_file = state.chain_top = frames_;
    state.chain_limit = frames_ + frame_count_;
}

namespace {

constexpr auto kAny = [](std::uint8_t tag) { return tag != 0; };

bool predicates_tagged(const CpuState& state) {
    return std::any_of(state.pred.begin(), state.pred.end(),
                       [](std::uint8_t p) { return (p & kPredTag) != 0; });
}

/// Whether what a call hides from its callee holds a tag.
bool leaves_tags(const CpuState& state, unsigned wbs_registers) {
    return predicates_tagged(state) ||
           std::any_of(state.window_tags, state.window_tags + wbs_registers, kAny);
}

}  // namespace

bool has_visible_tags(const CpuState& state) {
    return std::any_of(state.window_tags, state.window_tags + state.wd.size, kAny) ||
           std::any_of(state.g_tags.begin(), state.g_tags.end(), kAny) || predicates_tagged(state);
}

void clear_tags_above(CpuState& state, const std::uint8_t* old_end) {
    std::uint8_t* const end = state.window_tags + state.wd.size;
    if (old_end > end) std::fill_n(end, old_end - end, std::uint8_t{0});
}

void push_call(CpuState& state, unsigned wbs_registers, std::uint64_t return_ip) {
    ChainFrame& frame = *state.chain_top++;
    frame.pred = state.pred;
    frame.return_ip = return_ip;
    frame.wd = state.wd;
    frame.wd.tagged = state.exact_tags && leaves_tags(state, wbs_registers);
    frame.br = state.br;
    frame.wbs = wbs_registers;
    frame.ussz = static_cast<std::uint32_t>(state.usd_size >> 4);
    state.window += wbs_registers;
    state.window_tags += wbs_registers;
    state.wd.size = static_cast<std::uint16_t>(state.wd.size - wbs_registers);
    state.wd.psize = state.wd.size;
    state.wd.fx = 1;
    for (Ctpr& ctpr : state.ctpr) ctpr = {0, CtprTag::Empty, 0, 0, {}};
}

std::uint64_t pop_return(CpuState& state) {
    if (state.chain_top == state.chain_file) return kSentinelReturn;
    const ChainFrame& frame = *--state.chain_top;
    const std::uint8_t* const old_end = state.window_tags + state.wd.size;
    // The caller sees its own registers plus the parameter area it passed (machine.md §3.4); this
    // equals the size it had unless a frame was rewritten.
    const auto size = static_cast<std::uint16_t>(state.wd.psize + frame.wbs);
    state.window -= frame.wbs;
    state.window_tags -= frame.wbs;
    state.wd = frame.wd;
    state.wd.size = size;
    state.pred = frame.pred;
    if (state.exact_tags) clear_tags_above(state, old_end);
    if (std::exchange(state.wd.tagged, std::uint16_t{0})) state.tags_live = 1;
    state.br = frame.br;
    const std::uint64_t usd_size = std::uint64_t{frame.ussz} << 4;
    state.usd_base += usd_size - state.usd_size;
    state.usd_size = usd_size;
    for (Ctpr& ctpr : state.ctpr) ctpr = {0, CtprTag::Empty, 0, 0, {}};
    return frame.return_ip;
}

}  // namespace e2k::cpu
