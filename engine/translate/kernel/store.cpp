// Kernels among the regions: where they begin, when they are made.
#include <utility>

#include <atomic>

#include "engine/translate/kernel/counts.h"
#include "engine/translate/kernel/entries.h"
#include "engine/translate/kernel/recognise.h"
#include "engine/translate/kernel/state.h"
#include "engine/translate/translator_impl.h"

namespace e2k::translate {

using cpu::CpuState;

namespace {

/// A header that has refused so many states and accepted none is like other code again.
constexpr unsigned kHopeless = 16;

std::atomic<std::uint64_t> kernels_made{0};

int iset_of(const CpuState& state) { return state.strict ? state.iset : isa::kMaxIset - 1; }

}  // namespace

KernelCounts kernel_counts() {
    return {kernels_made.load(), __atomic_load_n(&kernels_entered, __ATOMIC_RELAXED)};
}

bool Translator::Impl::learn_kernels(const Plan& plan, const CpuState& state) {
    bool found = false;
    const std::function<bool(std::uint64_t)> is_breakpoint = [this](std::uint64_t address) {
        return breakpoints.contains(address);
    };
    for (const auto& node : plan.nodes) {
        const bool known =
            node->taken_kind == TakenKind::Direct || node->taken_kind == TakenKind::Predicted;
        if (node->interpret || !known || node->taken.target > node->address ||
            !closes_kernel(node->bundle) || kernels.contains(node->taken.target))
            continue;
        const std::uint64_t header = node->taken.target;
        const auto shape =
            find_kernel({memory, iset_of(state), header, node->taken.config, is_breakpoint});
        if (!shape || shape->body.back().address != node->address) continue;
        kernels[header];
        found = true;
        retire_overlapping(header, header + 8);
    }
    return found;
}

bool Translator::Impl::make_kernel(Region& region, const CpuState& state) {
    const auto known = kernels.find(state.ip);
    if (known == kernels.end() || known->second.hopeless) return false;
    KernelHeader& header = known->second;
    const bool tags = state.wd.tagged != 0;
    if (breakpoints.contains(state.ip) || (tags && tag_borders.contains(state.ip))) return false;
    const std::function<bool(std::uint64_t)> is_breakpoint = [this, tags](std::uint64_t address) {
        return is_border(address, tags);
    };
    const auto refuse = [&](unsigned by) {
        header.refused += by;
        if (header.refused < kHopeless || header.made != 0) return false;
        header.hopeless = true;
        retire_overlapping(state.ip, state.ip + 8);
        return false;
    };
    const auto shape =
        find_kernel({memory, iset_of(state), state.ip, region.config, is_breakpoint});
    if (!shape) return refuse(kHopeless);
    auto facts = kernel_facts(*shape, state, header.apart);
    if (!facts) return refuse(1);
    std::uint64_t pointers[sizeof(Frame::pointers) / sizeof(std::uint64_t)];
    if (begin_kernel(&state, facts.get(), pointers) == 0) return refuse(1);
    const Plan plan = plan_kernel(*shape, region.config, iset_of(state), facts->prologue);
    region.kernel = std::move(facts);
    const unsigned tier = std::exchange(region.tier, 2u);
    if (emit(plan, region, state)) {
        ++header.made;
        kernels_made.fetch_add(1, std::memory_order_relaxed);
        return true;
    }
    forget_code(region);
    region.kernel = nullptr;
    region.tier = tier;
    return refuse(1);
}

void Translator::Impl::forget_kernels(std::uint64_t begin, std::uint64_t end) {
    constexpr std::uint64_t kReach = std::uint64_t{kLargestPass} * isa::kMaxWords * 4;
    std::erase_if(kernels, [&](const auto& known) {
        return known.first < end && begin < known.first + kReach;
    });
}

void Translator::Impl::scatter(Region& region) {
    if (!region.kernel || !region.kernel->scattered.load(std::memory_order_relaxed)) return;
    kernels[region.address].apart = true;
    retire(region);
    kick_all();
}

}  // namespace e2k::translate
