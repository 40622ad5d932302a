// The procedure and chain stacks: reserved once, never spilled or filled (architecture: a sliding
// window is a pointer that moves over one large array).
#include <sys/mman.h>

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "engine/cpu/interpreter.h"
#include "engine/cpu/state.h"

namespace e2k::cpu {
namespace {

/// The largest step of the window: `wbs` has 7 bits and counts pairs of registers.
constexpr std::size_t kLargestStep = 2 * 127;
constexpr std::size_t kPage = 4096, kLeastWall = 1u << 20;

constexpr std::size_t pages(std::size_t bytes) { return (bytes + kPage - 1) & ~(kPage - 1); }

/// Where the parts lie in the reserved range: wall, registers, wall, tags, wall, frames, wall.
struct Layout {
    Layout(std::size_t registers, std::size_t frames) {
        const std::size_t reach = (frames + 1) * kLargestStep;
        const std::size_t register_wall = pages(reach * sizeof(Reg)) + kLeastWall;
        const std::size_t tag_wall = pages(reach) + kLeastWall;
        const std::size_t all = registers + kWindowSlack;
        registers_at = register_wall;
        register_bytes = pages(all * sizeof(Reg));
        tags_at = registers_at + register_bytes + register_wall;
        tag_bytes = pages(all);
        frames_at = tags_at + tag_bytes + tag_wall;
        frame_bytes = pages(frames * sizeof(ChainFrame));
        size = frames_at + frame_bytes + kLeastWall;
    }
    std::size_t registers_at, register_bytes, tags_at, tag_bytes, frames_at, frame_bytes, size;
};

bool open_part(std::uint8_t* at, std::size_t bytes) {
    return mprotect(at, bytes, PROT_READ | PROT_WRITE) == 0;
}

}  // namespace

HardwareStacks::HardwareStacks(HardwareStacks&& other) noexcept { *this = std::move(other); }

HardwareStacks& HardwareStacks::operator=(HardwareStacks&& other) noexcept {
    std::swap(reserved_, other.reserved_);
    std::swap(reserved_bytes_, other.reserved_bytes_);
    std::swap(registers_, other.registers_);
    std::swap(tags_, other.tags_);
    std::swap(frames_, other.frames_);
    std::swap(register_count_, other.register_count_);
    std::swap(frame_count_, other.frame_count_);
    return *this;
}

HardwareStacks::~HardwareStacks() {
    if (reserved_) munmap(reserved_, reserved_bytes_);
}

bool HardwareStacks::reserve(std::size_t registers, std::size_t frames) {
    const Layout layout(registers, frames);
    void* p =
        mmap(nullptr, layout.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return false;
    HardwareStacks fresh;
    fresh.reserved_ = static_cast<std::uint8_t*>(p);
    fresh.reserved_bytes_ = layout.size;
    fresh.register_count_ = registers;
    fresh.frame_count_ = frames;
    if (!open_part(fresh.reserved_ + layout.registers_at, layout.register_bytes) ||
        !open_part(fresh.reserved_ + layout.tags_at, layout.tag_bytes) ||
        !open_part(fresh.reserved_ + layout.frames_at, layout.frame_bytes))
        return false;
    fresh.registers_ = reinterpret_cast<Reg*>(fresh.reserved_ + layout.registers_at);
    fresh.tags_ = fresh.reserved_ + layout.tags_at;
    fresh.frames_ = reinterpret_cast<ChainFrame*>(fresh.reserved_ + layout.frames_at);
    std::swap(*this, fresh);
    return true;
}

void HardwareStacks::attach(CpuState& state) const {
    state.window_file = state.window = registers_;
    state.window_limit = registers_ + register_count_;
    state.tag_file = state.window_tags = tags_;
    state.chain_file = state.chain_top = frames_;
    state.chain_limit = frames_ + frame_count_;
    state.walls_begin = reinterpret_cast<std::uintptr_t>(reserved_);
    state.walls_end = state.walls_begin + reserved_bytes_;
}

std::optional<std::string> stacks_complaint(const CpuState& s) {
    if (s.stack_fault.load(std::memory_order_relaxed))
        return "the register or chain stack was left; this is a fault of the emulator";
    if (s.window < s.window_file || s.window + s.wd.size > s.window_limit ||
        s.window_tags - s.tag_file != s.window - s.window_file)
        return "the register window lies outside the procedure stack";
    if (s.wd.size > kMaxWindow || s.wd.psize > kMaxWindow)
        return fmt::format("a window of {} registers, {} of them parameters; the largest has {}",
                           s.wd.size, s.wd.psize, kMaxWindow);
    if (s.chain_top < s.chain_file || s.chain_top > s.chain_limit)
        return "the newest chain record lies outside the chain stack";
    if (!is_rotation(s.br)) return "the rotation state has values that do not exist";
    return std::nullopt;
}

Trap stacks_trap(const CpuState& state, std::string complaint) {
    Trap trap;
    trap.code = TrapCode::WindowBounds;
    trap.ip = trap.address = state.ip;
    trap.detail = std::move(complaint);
    trap.fatal = true;
    return trap;
}

std::optional<std::string> return_complaint(const CpuState& s) {
    if (s.chain_top == s.chain_file) return std::nullopt;  // the end of the chain
    const ChainFrame& frame = s.chain_top[-1];
    if (s.wd.psize + frame.wbs > kMaxWindow)
        return fmt::format("return makes a window of {} registers; the largest has {}",
                           s.wd.psize + frame.wbs, kMaxWindow);
    if (frame.wbs > s.window_index())
        return fmt::format("return moves the window {} registers down, only {} are below it",
                           frame.wbs, s.window_index());
    return std::nullopt;
}

namespace {

/// All bytes together: no branch, so that the compiler takes many at once.
unsigned all_of(const std::uint8_t* bytes, std::size_t count) {
    unsigned all = 0;
    for (std::size_t i = 0; i < count; ++i) all |= bytes[i];
    return all;
}

bool predicates_tagged(const CpuState& state) {
    return (all_of(state.pred.data(), state.pred.size()) & kPredTag) != 0;
}

/// Whether what a call hides from its callee holds a tag.
bool leaves_tags(const CpuState& state, unsigned wbs_registers) {
    return predicates_tagged(state) || all_of(state.window_tags, wbs_registers) != 0;
}

}  // namespace

bool has_visible_tags(const CpuState& state) {
    return all_of(state.window_tags, state.wd.size) != 0 ||
           all_of(state.g_tags.data(), state.g_tags.size()) != 0 || predicates_tagged(state);
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
    // The caller sees its own registers plus the parameter area it passed (windows.md §4); this
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
