#include "engine/translate/kernel/state.h"

#include <algorithm>
#include <cstring>

#include "engine/cpu/exec/aau.h"
#include "engine/translate/extent.h"

namespace e2k::translate {

using cpu::AauArea;
using cpu::AauState;
using cpu::CpuState;
using cpu::LoopState;

namespace {

/// So that no product of passes and bytes overflows.
constexpr std::uint64_t kMostPasses = std::uint64_t{1} << 28;

const std::uint64_t& place_of(const AauState& aau, const KernelIndex& index) {
    return index.store ? aau.aasti[index.number] : aau.area[index.number].cur;
}

/// The index does not wrap in `passes` passes.
bool stays_in_range(std::uint64_t index, std::int64_t pass, std::uint64_t passes, int iset) {
    const auto first = static_cast<std::int64_t>(index);
    const std::int64_t last = first + pass * static_cast<std::int64_t>(passes);
    if (iset >= cpu::exec::kFirstWideIndex) {
        constexpr std::int64_t kLimit = std::int64_t{1} << 47;
        return first >= -kLimit && first < kLimit && last >= -kLimit && last < kLimit;
    }
    constexpr std::int64_t kLimit = std::int64_t{1} << 32;
    return first >= 0 && first < kLimit && last >= 0 && last < kLimit;
}

std::uint64_t passes_of(const LoopState& lsr, const KernelFacts& facts) {
    return facts.endless ? kEndlessPasses : passes_left(lsr);
}

bool writable(const CpuState& state, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t page = begin >> cpu::kPageShift; page <= (end - 1) >> cpu::kPageShift;
         ++page)
        if (!(__atomic_load_n(&state.page_map[page], __ATOMIC_RELAXED) & cpu::kPageWrite))
            return false;
    return true;
}

}  // namespace

std::uint64_t fixed_part(const AauArea& area) {
    static_assert(sizeof(AauArea) == offsetof(AauArea, disp) + sizeof(std::uint64_t));
    std::uint64_t fixed;
    std::memcpy(&fixed, reinterpret_cast<const std::uint8_t*>(&area) + offsetof(AauArea, disp),
                sizeof fixed);
    return fixed;
}

std::uint64_t passes_left(const LoopState& lsr) {
    return std::max<std::uint64_t>(1, lsr.lcnt) + lsr.ecnt;
}

bool counters_fit(const LoopState& lsr, const KernelFacts& facts) {
    if (lsr.semc || lsr.pcnt != facts.prologue || (lsr.vlc == 0) != facts.endless) return false;
    if (facts.endless) return true;
    return lsr.strmd >= facts.stores.back() && lsr.lcnt < kMostPasses &&
           passes_left(lsr) >= kFewestPasses;
}

std::uint64_t begin_kernel(const CpuState* state, const KernelFacts* facts,
                           std::uint64_t* pointers) {
    const AauState& aau = state->aau;
    if (!counters_fit(state->lsr, *facts)) return 0;
    if (facts->ctpr) {
        const cpu::Ctpr& ctpr = state->ctpr[facts->ctpr - 1u];
        if (ctpr.tag != cpu::CtprTag::Label || ctpr.base != facts->header) return 0;
    }
    if (facts->loads && !aau.active) return 0;
    const std::uint64_t passes = passes_of(state->lsr, *facts);
    for (const KernelStep& step : facts->steps)
        if (aau.aaincr[step.number] != step.value) return 0;
    for (const KernelIndex& index : facts->indices) {
        if (!index.store && fixed_part(aau.area[index.number]) != index.fixed) return 0;
        if (!stays_in_range(place_of(aau, index), index.pass, passes, facts->iset)) return 0;
    }
    unsigned known = 0;
    for (const KernelStream& s : facts->streams) {
        const KernelIndex& index = facts->indices[s.index];
        const std::uint64_t address =
            aau.aad_base[s.descriptor] + place_of(aau, index) + s.displacement;
        if (address >= kCheckedSpace || (address & s.alignment)) return 0;
        const std::int64_t travel = index.pass * static_cast<std::int64_t>(passes - 1);
        const auto at = static_cast<std::int64_t>(address);
        const std::int64_t begin = at + s.low + std::min<std::int64_t>(travel, 0);
        const std::int64_t end = at + s.high + std::max<std::int64_t>(travel, 0);
        if (begin < 0 || end > static_cast<std::int64_t>(kCheckedSpace)) return 0;
        if (index.store &&
            !writable(*state, static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end)))
            return 0;
        const std::uint64_t pointer = address - static_cast<std::uint64_t>(s.distance);
        if (s.pointer == known) {
            pointers[known++] = pointer;
        } else if (pointers[s.pointer] != pointer) {
            facts->scattered.store(true, std::memory_order_relaxed);
            return 0;
        }
    }
    return passes;
}

void end_kernel(CpuState* state, const KernelFacts* facts, std::uint64_t left,
                std::uint64_t position) {
    LoopState& lsr = state->lsr;
    const std::uint64_t passes = passes_of(lsr, *facts), done = passes - left;
    const std::uint64_t full = std::max<std::uint64_t>(1, lsr.lcnt);
    const std::uint64_t stored = done > facts->prologue ? done - facts->prologue : 0;
    // Stores in front of the place in the pass at whose end the loop ends.
    if (!facts->endless && passes > facts->prologue && left <= 1)
        lsr.strmd = static_cast<std::uint8_t>(
            lsr.strmd - (left == 0 ? facts->stores.back() : facts->stores[position]));
    if (!facts->endless && done >= full)
        lsr.ecnt = static_cast<std::uint8_t>(lsr.ecnt -
                                             std::min<std::uint64_t>(lsr.ecnt, done - full + 1));
    lsr.lcnt = lsr.lcnt > done ? lsr.lcnt - done : 0;
    if (done != 0) lsr.over = lsr.lcnt == 0;
    lsr.pcnt = static_cast<std::uint8_t>(done < facts->prologue ? facts->prologue - done : 0);
    for (const KernelIndex& index : facts->indices) {
        const std::int64_t before =
            index.store && done < facts->prologue ? 0 : index.before[position];
        std::uint64_t& place = const_cast<std::uint64_t&>(place_of(state->aau, index));
        const std::int64_t by =
            index.pass * static_cast<std::int64_t>(index.store ? stored : done) + before;
        place = cpu::exec::wrap_index(place + static_cast<std::uint64_t>(by), facts->iset);
    }
}

}  // namespace e2k::translate
