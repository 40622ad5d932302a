#include "engine/history/state_image.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "engine/history/touched_pages.h"

namespace e2k::history {
namespace {

using cpu::CpuState;

/// Members that belong to the host, and stay with a state.
struct Member {
    std::size_t at, size;
};
constexpr Member kOwn[] = {
    {offsetof(CpuState, window), sizeof(CpuState::window)},
    {offsetof(CpuState, window_tags), sizeof(CpuState::window_tags)},
    {offsetof(CpuState, memory_base), sizeof(CpuState::memory_base)},
    {offsetof(CpuState, page_map), sizeof(CpuState::page_map)},
    {offsetof(CpuState, interrupt), sizeof(CpuState::interrupt)},
    {offsetof(CpuState, chain_top), sizeof(CpuState::chain_top)},
    {offsetof(CpuState, window_file), sizeof(CpuState::window_file)},
    {offsetof(CpuState, window_limit), sizeof(CpuState::window_limit)},
    {offsetof(CpuState, tag_file), sizeof(CpuState::tag_file)},
    {offsetof(CpuState, chain_file), sizeof(CpuState::chain_file)},
    {offsetof(CpuState, chain_limit), sizeof(CpuState::chain_limit)},
    {offsetof(CpuState, clock), sizeof(CpuState::clock)},
    {offsetof(CpuState, run_until), sizeof(CpuState::run_until)},
    {offsetof(CpuState, held_clock), sizeof(CpuState::held_clock)},
    {offsetof(CpuState, walls_begin), sizeof(CpuState::walls_begin)},
    {offsetof(CpuState, walls_end), sizeof(CpuState::walls_end)},
    {offsetof(CpuState, stack_fault), sizeof(CpuState::stack_fault)},
};

/// Mixes numbers into one, in two lanes so that the processor need not wait.
class Mixer {
public:
    void add(std::uint64_t value) {
        a_ = (a_ ^ value) * 0x9e37'79b9'7f4a'7c15ull;
        a_ ^= a_ >> 29;
        std::swap(a_, b_);
    }
    void add_bytes(const std::uint8_t* from, std::size_t size) {
        std::uint64_t word = 0;
        for (; size >= sizeof word; from += sizeof word, size -= sizeof word) {
            std::memcpy(&word, from, sizeof word);
            add(word);
        }
        word = 0;
        std::memcpy(&word, from, size);
        add(word);
    }
    std::uint64_t value() const { return (a_ * 3) ^ b_; }

private:
    std::uint64_t a_ = 1, b_ = 2;
};

void mix_registers(Mixer& mix, const CpuState& s, std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < end; ++i) {
        mix.add(s.window_file[i].lo);
        mix.add(s.window_file[i].ext);
        if (s.exact_tags) mix.add(s.tag_file[i]);
    }
}

void mix_state(Mixer& mix, const CpuState& s) {
    for (const std::uint64_t n : {s.ip,
                                  s.bundles,
                                  s.operations,
                                  std::uint64_t{s.window_index()},
                                  std::uint64_t{s.depth()},
                                  std::uint64_t{s.wd.size},
                                  std::uint64_t{s.wd.psize},
                                  std::uint64_t{s.wd.dbl},
                                  std::uint64_t{s.br.rbs},
                                  std::uint64_t{s.br.rsz},
                                  std::uint64_t{s.br.rcur},
                                  std::uint64_t{s.br.psz},
                                  std::uint64_t{s.br.pcur},
                                  s.lsr.lsr_image(),
                                  s.lsr.lcnt,
                                  s.ilcr.lsr_image(),
                                  s.ilcr.lcnt,
                                  s.usd_base,
                                  s.usd_size,
                                  s.sbr,
                                  std::uint64_t{s.pfpfr},
                                  std::uint64_t{s.fpcr},
                                  std::uint64_t{s.fpsr},
                                  std::uint64_t{s.upsr}})
        mix.add(n);
    const std::uint8_t mask = s.exact_tags ? 0xff : cpu::kPredValue;
    for (const std::uint8_t pred : s.pred) mix.add(pred & mask);
    for (const cpu::Ctpr& ctpr : s.ctpr) {
        mix.add(ctpr.base);
        mix.add(ctpr.image());
    }
    for (std::size_t i = 0; i < s.g.size(); ++i) {
        mix.add(s.g[i].lo);
        mix.add(s.g[i].ext);
    }
}

}  // namespace

StateImage image_of(const CpuState& state) {
    StateImage image;
    // CpuState is plain data but for its atomic flags, which are left out.
    std::memcpy(image.data(), static_cast<const void*>(&state), sizeof image);
    auto* const bytes = reinterpret_cast<std::uint8_t*>(image.data());
    for (const Member& member : kOwn) std::memset(bytes + member.at, 0, member.size);
    return image;
}

bool put_image(const StateImage& image, std::uint64_t window, std::uint64_t depth,
               CpuState& state) {
    const auto registers = static_cast<std::uint64_t>(state.window_limit - state.window_file);
    const auto frames = static_cast<std::uint64_t>(state.chain_limit - state.chain_file);
    if (window > registers || depth > frames) return false;
    StateImage whole = image;
    auto* const bytes = reinterpret_cast<std::uint8_t*>(whole.data());
    const auto* const own = reinterpret_cast<const std::uint8_t*>(&state);
    for (const Member& member : kOwn) std::memcpy(bytes + member.at, own + member.at, member.size);
    std::memcpy(static_cast<void*>(&state), whole.data(), sizeof whole);
    if (state.wd.size > cpu::kMaxWindow || window + state.wd.size > registers) return false;
    state.window = state.window_file + window;
    state.window_tags = state.tag_file + window;
    state.chain_top = state.chain_file + depth;
    return true;
}

std::uint64_t state_check(const CpuState& s) {
    Mixer mix;
    mix_state(mix, s);
    mix_registers(mix, s, s.window_index(), s.window_index() + s.wd.size);
    return mix.value();
}

std::uint64_t memory_check(const guest::AddressSpace& memory) {
    Mixer mix;
    std::array<std::uint8_t, cpu::kPageSize> page;
    const cpu::MemoryView view = memory.view();
    TouchedPages touched;
    for (const guest::Region& region : memory.regions()) {
        if (region.prot == guest::kProtNone) continue;
        for (std::uint64_t at = region.begin; at < region.end; at += cpu::kPageSize) {
            const std::uint64_t place = view.place(at);
            const bool file = (view.page(place >> cpu::kPageShift) & cpu::kPageFile) != 0;
            if ((!file && !touched.holds(view.base + place)) ||
                !view.allows(at, 1, cpu::kPageRead) ||
                !view.copy_out(at, page.data(), page.size()) ||
                std::ranges::all_of(page, [](std::uint8_t byte) { return byte == 0; }))
                continue;
            mix.add(at);
            mix.add(static_cast<std::uint64_t>(region.prot));
            mix.add_bytes(page.data(), page.size());
        }
    }
    return mix.value();
}

std::uint64_t full_check(const CpuState& s, const guest::AddressSpace& memory) {
    Mixer mix;
    mix_state(mix, s);
    mix_registers(mix, s, 0, s.window_index() + s.wd.size);
    for (std::size_t i = 0; i < s.depth(); ++i) {
        const cpu::ChainFrame& frame = s.chain_file[i];
        for (const std::uint64_t n :
             {frame.return_ip, std::uint64_t{frame.wbs}, std::uint64_t{frame.ussz},
              std::uint64_t{frame.wd.size}, std::uint64_t{frame.wd.psize},
              std::uint64_t{frame.br.rcur}, std::uint64_t{frame.br.pcur}})
            mix.add(n);
        const std::uint8_t mask = s.exact_tags ? 0xff : cpu::kPredValue;
        for (const std::uint8_t pred : frame.pred) mix.add(pred & mask);
    }
    for (const cpu::AauArea& area : s.aau.area) {
        mix.add(area.fmt);
        if (area.fmt != 0) mix.add(area.cur);
    }
    for (const std::uint64_t n : s.aau.aaind) mix.add(n);
    mix.add(memory_check(memory));
    return mix.value();
}

}  // namespace e2k::history
